//! `cargo xtask minimal-versions`: whether the published packages compile with the lowest versions that they ask for.
//!
//! A partner may have any version that our manifests allow. What only tests need is left out: it would raise versions that
//! partners do not have.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use toml_edit::{Array, DocumentMut};

use crate::layout::Layout;

/// The packages that are published; `check-packages` says when one is missing.
pub(crate) const PUBLISHED: [&str; 5] = [
    "twipla-api",
    "twipla",
    "twipla-cli",
    "twipla-plan",
    "twipla-sandbox",
];

/// Resolves and checks a copy of the packages below `target`.
///
/// # Errors
///
/// Where a version is too low: the message of cargo or of the compiler is above it.
pub fn run(layout: &Layout) -> Result<()> {
    let copy = layout.root().join("target/minimal-versions");
    if copy.exists() {
        fs::remove_dir_all(&copy)
            .with_context(|| format!("cannot remove {}", layout.show(&copy)))?;
    }
    for name in PUBLISHED {
        let from = layout.root().join("crates").join(name);
        let to = copy.join("crates").join(name);
        copy_folder(&from.join("src"), &to.join("src"))?;
        // Which the sources include.
        copy_file(&from.join("README.md"), &to.join("README.md"))?;
        write(
            &to.join("Cargo.toml"),
            &without_tests(&read(&from.join("Cargo.toml"))?)?,
        )?;
    }
    write(
        &copy.join("Cargo.toml"),
        &only_published(&read(&layout.root().join("Cargo.toml"))?)?,
    )?;

    // The versions are chosen by an unstable option; what is chosen is compiled as always.
    let mut update = cargo(&copy);
    update.args(["update", "-Zdirect-minimal-versions"]);
    update.env("RUSTC_BOOTSTRAP", "1");
    succeed(
        &mut update,
        "choose the lowest versions: raise the one named above in Cargo.toml",
    )?;
    let mut check = cargo(&copy);
    check.args(["check", "--workspace", "--all-features", "--target-dir"]);
    check.arg(layout.root().join("target"));
    succeed(
        &mut check,
        "compile with the lowest versions: raise the one that lacks what is used",
    )
}

/// The manifest of the workspace with the published packages as its only members.
fn only_published(manifest: &str) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse()?;
    let workspace = &mut manifest["workspace"];
    let members: Array = PUBLISHED
        .iter()
        .map(|name| format!("crates/{name}"))
        .collect();
    workspace["members"] = toml_edit::value(members);
    if let Some(workspace) = workspace.as_table_mut() {
        workspace.remove("default-members");
        workspace.remove("exclude");
    }
    Ok(manifest.to_string())
}

/// The manifest of a package without its tests, examples and what these need.
fn without_tests(manifest: &str) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse()?;
    for part in ["dev-dependencies", "test", "example", "bench"] {
        manifest.remove(part);
    }
    let targets = manifest
        .get_mut("target")
        .and_then(|targets| targets.as_table_mut());
    for (_, target) in targets.into_iter().flat_map(toml_edit::Table::iter_mut) {
        if let Some(target) = target.as_table_mut() {
            target.remove("dev-dependencies");
        }
    }
    Ok(manifest.to_string())
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    command
}

fn succeed(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "cannot {what}");
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            copy_file(&from, &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tests_need_raises_no_version() {
        let manifest = "[package]\nname = \"twipla\"\n\n[dependencies]\nhttp = \"1.4\"\n\n\
                        [dev-dependencies]\nanyhow = \"1\"\n\n[[test]]\nname = \"it\"\n\n\
                        [target.'cfg(unix)'.dev-dependencies]\nrexpect = \"0.7\"\n";
        assert_eq!(
            without_tests(manifest).unwrap(),
            "[package]\nname = \"twipla\"\n\n[dependencies]\nhttp = \"1.4\"\n"
        );
    }

    #[test]
    fn tools_raise_no_version_either() {
        let manifest = "[workspace]\nmembers = [\"xtask\"]\nexclude = [\"fuzz\"]\ndefault-members = [\"tests\"]\n";
        let published = only_published(manifest).unwrap();
        assert!(
            published.contains("\"crates/twipla-sandbox\""),
            "{published}"
        );
        assert!(
            !published.contains("xtask") && !published.contains("tests"),
            "{published}"
        );
    }
}
