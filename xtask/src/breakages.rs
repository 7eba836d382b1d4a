//! Breaks the client on purpose, one small breakage at a time, and says which
//! tests notice.
//!
//! `tests/breakages.toml` lists them. Each is put into a copy of the working tree
//! in `target/breakages`, where the unit tests of `twipla` run, then the
//! whole-system tests, those of the rules first. A breakage that nothing notices is a missing test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::layout::Layout;

/// What is left out of the copy.
const NOT_COPIED: [&str; 2] = ["target", ".git"];
/// The test commands, the quick ones first. Each may take [`LONGEST`] seconds.
const TESTS: [(&str, &[&str]); 3] = [
    ("unit tests", &["-p", "twipla", "--lib"]),
    (
        "tests of the rules",
        &[
            "-p",
            "twipla-tests",
            "--test",
            "it",
            "--",
            "bulk",
            "customers",
            "deadlines",
            "keys_and_roles",
            "packages",
            "recovery",
            "replies",
            "subscriptions",
            "throttling",
            "websites",
        ],
    ),
    (
        "whole-system tests",
        &["-p", "twipla-tests", "--test", "it"],
    ),
];
const LONGEST: u64 = 600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    breakage: Vec<Breakage>,
}

/// One text of a file that is replaced by another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Breakage {
    /// What no longer holds.
    name: String,
    /// Path from the root of the workspace.
    file: PathBuf,
    /// Text that is in the file exactly once.
    from: String,
    to: String,
}

/// Tries each breakage whose name contains `only`; false where one survived.
pub fn run(layout: &Layout, only: Option<&str>) -> Result<bool> {
    let list = listed(layout)?;
    let chosen: Vec<&Breakage> = list
        .iter()
        .filter(|breakage| only.is_none_or(|only| breakage.name.contains(only)))
        .collect();
    ensure!(!chosen.is_empty(), "no breakage has {only:?} in its name");

    let copy = layout.root().join("target/breakages/tree");
    copy_tree(layout.root(), &copy)?;
    for (name, arguments) in TESTS {
        ensure!(
            failed_tests(&copy, arguments)?.is_empty(),
            "the {name} fail without a breakage: mend them first"
        );
    }
    let mut survived = 0;
    for (number, breakage) in chosen.iter().enumerate() {
        let noticed = try_one(layout.root(), &copy, breakage)?;
        let who = noticed.as_deref().unwrap_or("SURVIVED");
        println!(
            "{:>3}/{} {}: {who}",
            number + 1,
            chosen.len(),
            breakage.name
        );
        survived += usize::from(noticed.is_none());
    }
    println!(
        "{} of {} breakages were noticed",
        chosen.len() - survived,
        chosen.len()
    );
    Ok(survived == 0)
}

/// All breakages, each of which finds its text.
fn listed(layout: &Layout) -> Result<Vec<Breakage>> {
    let path = layout.root().join("tests/breakages.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", layout.show(&path)))?;
    let list: List = toml::from_str(&text)
        .with_context(|| format!("{} is not a list of breakages", layout.show(&path)))?;
    for breakage in &list.breakage {
        broken(layout.root(), breakage)?;
    }
    Ok(list.breakage)
}

/// Who notices a breakage.
fn try_one(root: &Path, copy: &Path, breakage: &Breakage) -> Result<Option<String>> {
    let target = copy.join(&breakage.file);
    fs::write(&target, broken(root, breakage)?)?;
    let mut noticed = None;
    for (_, arguments) in TESTS {
        let failed = failed_tests(copy, arguments)?;
        if let Some(first) = failed.first() {
            noticed = Some(match failed.len() {
                1 => first.clone(),
                more => format!("{first} and {} more", more - 1),
            });
            break;
        }
    }
    fs::copy(root.join(&breakage.file), &target)?;
    Ok(noticed)
}

/// The text of the file with the breakage in it.
fn broken(root: &Path, breakage: &Breakage) -> Result<String> {
    let Breakage {
        name,
        file,
        from,
        to,
    } = breakage;
    let text = fs::read_to_string(root.join(file))
        .with_context(|| format!("breakage {name:?}: cannot read {}", file.display()))?;
    let found = text.matches(from.as_str()).count();
    ensure!(
        found == 1,
        "breakage {name:?}: expected its text once in {}, found it {found} times: update tests/breakages.toml",
        file.display()
    );
    Ok(text.replacen(from.as_str(), to, 1))
}

/// The names of the tests that fail; the compiler counts as one.
fn failed_tests(copy: &Path, arguments: &[&str]) -> Result<BTreeSet<String>> {
    let output = Command::new("timeout")
        .arg(LONGEST.to_string())
        .arg("cargo")
        .arg("test")
        .args(arguments)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.with_file_name("target"))
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo test")?;
    if output.status.success() {
        return Ok(BTreeSet::new());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let failed: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .map(str::to_owned)
        .collect();
    if !failed.is_empty() {
        return Ok(failed);
    }
    if output.status.code() == Some(124) {
        return Ok(BTreeSet::from([format!("no end within {LONGEST} s")]));
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("could not compile") {
        bail!("the breakage does not compile:\n{stderr}");
    }
    bail!("cargo test failed without a failed test:\n{stderr}")
}

/// Copies the working tree, but for what is built.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if NOT_COPIED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_breakage_finds_its_text() {
        assert!(!listed(&Layout::here().unwrap()).unwrap().is_empty());
    }
}
