//! The README names the real commands. (Its code blocks are compiled as doc tests of this package.)

use std::fs;
use std::path::Path;

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

/// Each document of the repository that a reader may start from.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "openapi/README.md",
    "tests/README.md",
    "tests/vectors/README.md",
    "crates/twipla/README.md",
    "crates/twipla-api/README.md",
    "crates/twipla-bench/README.md",
    "crates/twipla-cli/README.md",
    "crates/twipla-plan/README.md",
    "crates/twipla-portal/README.md",
    "crates/twipla-sandbox/README.md",
];

#[test]
fn links_lead_to_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let folder = root.join(document).parent().unwrap().to_owned();
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            if !link.is_empty() && !link.starts_with("http") && !folder.join(link).exists() {
                missing.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn architecture_names_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let names = text.split('`').skip(1).step_by(2);
    let missing: Vec<_> = names
        .filter(|name| [".rs", ".toml", "/"].iter().any(|end| name.ends_with(end)))
        .filter(|name| {
            let folders = [
                "",
                "crates",
                "crates/twipla/src",
                "crates/twipla-sandbox",
                "crates/twipla-sandbox/src",
                "crates/twipla-plan/src",
                "xtask/src",
                "openapi",
            ];
            !folders
                .iter()
                .any(|folder| root.join(folder).join(name).exists())
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
