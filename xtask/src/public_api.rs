//! `cargo xtask public-api`: every public item of the published libraries, one a line, in a file that a reviewer sees change.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use similar::TextDiff;

use crate::layout::{Layout, write_atomically};

/// Those that have a library.
const LIBRARIES: [&str; 4] = ["twipla-api", "twipla", "twipla-plan", "twipla-sandbox"];

/// Writes the lists, or compares them with what is stored and prints the difference; false where there is one.
///
/// # Errors
///
/// Where a library cannot be documented, or a list cannot be read or written.
pub fn run(layout: &Layout, check: bool) -> Result<bool> {
    let mut same = true;
    for library in LIBRARIES {
        let path = layout
            .root()
            .join("crates")
            .join(library)
            .join("public-api.txt");
        let list = list(&described(layout, library)?)?;
        if !check {
            write_atomically(&path, &list)?;
            continue;
        }
        let stored = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", layout.show(&path)))?;
        let difference = difference(&layout.show(&path).to_string(), &stored, &list);
        same &= difference.is_empty();
        print!("{difference}");
    }
    if !same {
        eprintln!(
            "the public API changed: if that is meant, run `cargo xtask public-api` and commit what it writes"
        );
    }
    Ok(same)
}

/// The description of a library, as rustdoc writes it for programs.
fn described(layout: &Layout, library: &str) -> Result<PathBuf> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(layout.root())
        .env("RUSTDOC", layout.root().join("xtask/rustdoc-unstable"))
        .args([
            "rustdoc",
            "--quiet",
            "--lib",
            "--all-features",
            "--package",
            library,
        ])
        .args(["--target-dir", "target"])
        .args(["--", "-Zunstable-options", "--output-format=json"]);
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "cannot document {library}");
    let file = library.replace('-', "_");
    Ok(layout
        .root()
        .join("target/doc")
        .join(file)
        .with_extension("json"))
}

/// What is public. Left out is what follows from the rest: blanket impls, and auto traits such as `Send`.
fn list(description: &Path) -> Result<String> {
    let api = public_api::Builder::from_rustdoc_json(description)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .context("cannot read what rustdoc wrote: is public-api in Cargo.toml made for this version of Rust?")?;
    Ok(api.to_string())
}

fn difference(path: &str, stored: &str, now: &str) -> String {
    TextDiff::from_lines(stored, now)
        .unified_diff()
        .context_radius(1)
        .header(path, "as it is now")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_is_gone_is_a_difference() {
        let stored = "pub fn twipla::one()\npub fn twipla::two()\n";
        let difference = difference("public-api.txt", stored, "pub fn twipla::two()\n");
        assert!(
            difference.contains("\n-pub fn twipla::one()\n"),
            "{difference}"
        );
    }

    #[test]
    fn the_same_items_are_none() {
        assert_eq!(
            difference("public-api.txt", "pub mod twipla\n", "pub mod twipla\n"),
            ""
        );
    }
}
