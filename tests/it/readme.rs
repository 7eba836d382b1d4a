//! The README names the real commands. (Its code blocks are compiled as doc tests of this package.)

#[test]
fn readme_names_the_two_commands() {
    let readme = include_str!("../../README.md");
    for command in [
        "cargo run --example onboarding\n",
        "cargo test --workspace\n",
    ] {
        assert!(readme.contains(&format!("```sh\n{command}")), "{command}");
    }
}
