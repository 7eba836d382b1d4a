//! `cargo xtask weight`: what a partner takes on with this client: crates, and the time to build them.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::contract::Layout;

/// The sets of features that are weighed.
const SETS: [(&str, &[&str]); 3] = [
    ("default", &[]),
    (
        "smallest: `ring`",
        &["--no-default-features", "--features", "ring"],
    ),
    (
        "`aws-lc-rs` in place of `ring`",
        &["--no-default-features", "--features", "aws-lc-rs,http2"],
    ),
];

/// Prints the table; without the times where nothing is to be built.
pub fn run(layout: &Layout, build: bool) -> Result<()> {
    println!("| features of `twipla` | crates | cold debug build | cold release build |");
    println!("|---|---|---|---|");
    for (name, features) in SETS {
        let crates = crates(layout, features)?;
        let mut times = [String::new(), String::new()];
        if build {
            for (profile, time) in [&[][..], &["--release"]].into_iter().zip(&mut times) {
                *time = format!("{:.0} s", cold(layout, features, profile)?.as_secs_f64());
            }
        }
        println!("| {name} | {crates} | {} | {} |", times[0], times[1]);
    }
    Ok(())
}

/// How many crates of others and of this workspace a build needs, `twipla` not counted.
fn crates(layout: &Layout, features: &[&str]) -> Result<usize> {
    let mut command = cargo(layout, "tree");
    command
        .args(["--package", "twipla", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .args(features);
    let output = command.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo tree failed");
    let text = String::from_utf8_lossy(&output.stdout);
    let names: BTreeSet<&str> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty() && !line.starts_with("twipla v"))
        .collect();
    Ok(names.len())
}

/// How long a build takes that has nothing but the sources.
fn cold(layout: &Layout, features: &[&str], profile: &[&str]) -> Result<Duration> {
    let target = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut command = cargo(layout, "build");
    command
        .args(["--package", "twipla", "--quiet"])
        .args(features)
        .args(profile)
        .arg("--target-dir")
        .arg(target.path());
    let start = Instant::now();
    let status = command.status().context("cannot run cargo")?;
    let time = start.elapsed();
    ensure!(status.success(), "cargo build failed");
    Ok(time)
}

fn cargo(layout: &Layout, subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(layout.root()).arg(subcommand);
    command
}
