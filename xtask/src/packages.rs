//! `cargo xtask check-packages`: whether the packages that are published are fit for a registry and for partners' builds.

mod features;
mod manifest;
mod metadata;
mod rust_version;

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::external;
use crate::layout::Layout;
use crate::packages::metadata::Metadata;

/// The libraries that partners build into their programs.
const LIBRARIES: [&str; 2] = ["twipla", "twipla-api"];

/// Prints what is wrong; false where anything is.
///
/// # Errors
///
/// Where cargo fails, or the contract cannot be read.
pub fn run(layout: &Layout) -> Result<bool> {
    let metadata = cargo(
        layout,
        &[
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--locked",
        ],
    )?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).context("cannot read what cargo metadata printed")?;

    let mut wrong = Vec::new();
    for package in metadata.members() {
        wrong.extend(manifest::check(package));
        if package.is_published() {
            let listed = cargo(
                layout,
                &["package", "--list", "--allow-dirty", "-p", &package.name],
            )?;
            wrong.extend(manifest::check_files(&package.name, &listed));
        }
    }
    wrong.extend(manifest::check_versions(
        &metadata,
        &version_of_the_api(layout)?,
    ));
    wrong.extend(rust_version::check(&metadata)?);
    for library in LIBRARIES {
        for selection in [
            "--no-default-features",
            "--features=default",
            "--all-features",
        ] {
            let tree = cargo(layout, &features::tree(library, selection))?;
            wrong.extend(features::check(library, &tree));
        }
    }
    wrong.dedup();
    for line in &wrong {
        eprintln!("{line}");
    }
    Ok(wrong.is_empty())
}

/// What the contract calls its version.
fn version_of_the_api(layout: &Layout) -> Result<String> {
    let path = layout.contract();
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", layout.show(&path)))?;
    let contract: Value = serde_json::from_str(&text)
        .with_context(|| format!("{} is not JSON", layout.show(&path)))?;
    let version = contract["info"]["version"].as_str();
    Ok(version
        .context("the contract has no info.version")?
        .to_owned())
}

/// What cargo prints in the workspace.
fn cargo(layout: &Layout, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(layout.root()).args(arguments);
    let output = external::run(&mut command)?;
    ensure!(
        output.success,
        "cargo {} failed:\n{}",
        arguments.join(" "),
        output.all
    );
    Ok(output.out)
}
