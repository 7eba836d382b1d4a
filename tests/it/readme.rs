//! The README names the real commands. (Its code blocks are compiled as doc tests of this package.)

#[test]
fn readme_names_its_commands() {
    let readme = include_str!("../../README.md");
    for command in [
        "cargo run --example onboarding\n",
        "cargo run -p twipla-portal\n",
        "cargo test --workspace\n",
    ] {
        assert!(readme.contains(&format!("```sh\n{command}")), "{command}");
    }
}

#[test]
fn readme_is_read_in_five_minutes() {
    let lines = include_str!("../../README.md").lines().count();
    assert!(
        lines <= 150,
        "{lines} lines: move details to the README of the crate they are about"
    );
}
