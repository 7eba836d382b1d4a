//! `cargo xtask dependency-cost`: how many crates a partner builds for this client, and how long that takes.
//!
//! Measured from outside, in a package of its own that depends on `twipla` as a
//! partner's does: in this workspace the tests and tools add features to shared crates.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::layout::Layout;

/// The sets of features that are measured: name, whether the default features are on, and the others.
const SETS: [(&str, bool, &str); 4] = [
    ("default", true, ""),
    ("smallest: `ring`", false, "\"ring\""),
    ("`aws-lc-rs` and `http2`", false, "\"aws-lc-rs\", \"http2\""),
    ("default and `schemars`", true, "\"schemars\""),
];

/// What a partner's build must not include.
const NEVER: [&str; 7] = [
    "twipla-plan",
    "twipla-portal",
    "twipla-sandbox",
    "xtask",
    "twipla-tests",
    "twipla-bench",
    "twipla-cli",
];

/// Prints the table, with build times if `build` is set.
pub fn run(layout: &Layout, build: bool) -> Result<()> {
    let mut table = String::from("| features of `twipla` | crates | more than once |");
    table.push_str(if build {
        " cold debug build | cold release build |\n|---|---|---|---|---|\n"
    } else {
        "\n|---|---|---|\n"
    });
    for (name, default, features) in SETS {
        let partner = partner(layout, default, features)?;
        let partner = partner.path();
        let crates = crates(partner)?;
        let twice = twice(&crates);
        let twice = if twice.is_empty() {
            "none".to_owned()
        } else {
            format!("`{}`", twice.join("`, `"))
        };
        write!(table, "| {name} | {} | {twice} |", crates.len())?;
        if build {
            for profile in [&[][..], &["--release"]] {
                write!(table, " {:.0} s |", cold(partner, profile)?.as_secs_f64())?;
            }
        }
        table.push('\n');
    }
    print!("{table}");
    Ok(())
}

/// A package that depends on `twipla` and on nothing else, with the versions of this workspace.
fn partner(layout: &Layout, default: bool, features: &str) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let twipla = layout.root().join("crates/twipla");
    let manifest = format!(
        "[package]\nname = \"partner\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies.twipla]\npath = {:?}\ndefault-features = {default}\nfeatures = [{features}]\n",
        twipla.display().to_string()
    );
    fs::write(folder.path().join("Cargo.toml"), manifest)?;
    let lock = layout.root().join("Cargo.lock");
    fs::copy(&lock, folder.path().join("Cargo.lock"))
        .with_context(|| format!("cannot copy {}", lock.display()))?;
    fs::create_dir(folder.path().join("src"))?;
    fs::write(folder.path().join("src/lib.rs"), "pub use twipla;\n")?;
    Ok(folder)
}

/// Every crate that the package needs to be built, itself not counted: name and version.
fn crates(partner: &Path) -> Result<BTreeSet<(String, String)>> {
    let output = cargo(partner, "tree")
        .args(["--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}"])
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo tree failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let crates: BTreeSet<(String, String)> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .filter(|(name, _)| name != "partner")
        .collect();
    for (name, _) in &crates {
        ensure!(
            !NEVER.contains(&name.as_str()),
            "{name} would be built by every partner"
        );
    }
    Ok(crates)
}

/// The names of crates that are built in more than one version.
fn twice(crates: &BTreeSet<(String, String)>) -> Vec<&str> {
    let names = crates.iter().map(|(name, _)| name.as_str());
    let mut twice: Vec<&str> = names
        .clone()
        .zip(names.skip(1))
        .filter_map(|(one, next)| (one == next).then_some(one))
        .collect();
    twice.dedup();
    twice
}

/// How long a build from scratch takes.
fn cold(partner: &Path, profile: &[&str]) -> Result<Duration> {
    // Downloading is not part of the measured time.
    let fetched = cargo(partner, "fetch").args(["--quiet"]).status();
    ensure!(
        fetched.context("cannot run cargo")?.success(),
        "cargo fetch failed"
    );
    let target = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut command = cargo(partner, "build");
    command
        .arg("--quiet")
        .args(profile)
        .arg("--target-dir")
        .arg(target.path());
    let start = Instant::now();
    let status = command.status().context("cannot run cargo")?;
    let time = start.elapsed();
    ensure!(status.success(), "cargo build failed");
    Ok(time)
}

fn cargo(partner: &Path, subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(partner).arg(subcommand);
    command
}
