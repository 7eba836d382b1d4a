//! Breaks the code on purpose, one small breakage at a time, and reports which tests notice.
//!
//! `tests/breakages.toml` lists them. Each one is applied to a copy of the working tree in `target/breakages`. The tests
//! that it names run first, and all others only if those pass. A breakage that nothing notices is a missing test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::layout::Layout;

/// Not copied.
const NOT_COPIED: [&str; 2] = ["target", ".git"];
const UNIT_TESTS: &[&str] = &["-p", "twipla", "--lib"];
const SYSTEM_TESTS: &[&str] = &["-p", "twipla-tests", "--test", "it"];
/// System tests of retries, deadlines and recovery, which notice most breakages.
const RULES: [&str; 10] = [
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
];
/// The time limit of a test command, in seconds.
const LONGEST: u64 = 600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    breakage: Vec<Breakage>,
}

/// A text in a file, and its replacement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Breakage {
    /// The promise that it breaks.
    name: String,
    /// Path relative to the root of the workspace.
    file: PathBuf,
    /// Text that occurs in the file exactly once.
    from: String,
    to: String,
    /// The package whose own tests should notice, if it is not `twipla`.
    package: Option<String>,
    /// Filters of the unit tests of `twipla` that should notice.
    #[serde(default)]
    unit_tests: Vec<String>,
    /// Filters of the system tests that should notice, or of the tests of `package`.
    #[serde(default)]
    system_tests: Vec<String>,
}

/// A test command: its name, and what follows `cargo test`.
type TestCommand<'a> = (&'static str, Vec<&'a str>);

impl Breakage {
    /// The test commands, the likeliest and quickest first.
    fn commands(&self) -> Vec<TestCommand<'_>> {
        if let Some(package) = &self.package {
            let all = package_tests(package);
            let filters = self.system_tests.iter().map(String::as_str);
            let filtered = all.iter().copied().chain(["--"]).chain(filters);
            return vec![
                ("its package's tests", filtered.collect()),
                ("all tests of its package", all.to_vec()),
            ];
        }
        let mut commands = Vec::new();
        for (name, arguments, filters) in [
            ("its unit tests", UNIT_TESTS, &self.unit_tests),
            ("its system tests", SYSTEM_TESTS, &self.system_tests),
        ] {
            if !filters.is_empty() {
                let filters = filters.iter().map(String::as_str);
                let arguments = arguments.iter().copied().chain(["--"]).chain(filters);
                commands.push((name, arguments.collect()));
            }
        }
        commands.extend(all_tests());
        commands
    }
}

/// Tries each breakage whose name contains `only`. Returns false if one survived.
pub fn run(layout: &Layout, only: Option<&str>) -> Result<bool> {
    let list = listed(layout)?;
    let chosen: Vec<&Breakage> = list
        .iter()
        .filter(|breakage| only.is_none_or(|only| breakage.name.contains(only)))
        .collect();
    ensure!(
        !chosen.is_empty(),
        "no breakage has a name that contains {only:?}"
    );

    let copy = layout.root().join("target/breakages/tree");
    copy_tree(layout.root(), &copy)?;
    // A test that fails anyway would notice every breakage.
    let packages: BTreeSet<&str> = chosen
        .iter()
        .filter_map(|breakage| breakage.package.as_deref())
        .collect();
    let mut needed: Vec<Vec<&str>> = packages
        .into_iter()
        .map(|package| package_tests(package).to_vec())
        .collect();
    if chosen.iter().any(|breakage| breakage.package.is_none()) {
        needed.extend([UNIT_TESTS.to_vec(), SYSTEM_TESTS.to_vec()]);
    }
    for arguments in needed {
        let failed = failed_tests(&copy, &arguments)?;
        ensure!(
            failed.is_empty(),
            "cargo test {} fails without a breakage, fix it first: {failed:?}",
            arguments.join(" ")
        );
    }
    let mut rows = Vec::new();
    for (number, breakage) in chosen.iter().enumerate() {
        let started = Instant::now();
        // A breakage that no longer compiles must not discard the results of an hour.
        let noticed = try_one(layout.root(), &copy, breakage).unwrap_or_else(|error| {
            eprintln!("{}: {error:#}", breakage.name);
            None
        });
        let row = Row {
            name: &breakage.name,
            noticed,
            seconds: started.elapsed().as_secs(),
        };
        println!("{:>3}/{} {}", number + 1, chosen.len(), row.text());
        rows.push(row);
    }
    println!("\n{}", summary(&rows));
    Ok(rows.iter().all(|row| row.noticed.is_some()))
}

/// The result of a breakage.
struct Row<'a> {
    name: &'a str,
    /// The command and the tests that failed.
    noticed: Option<(&'static str, String)>,
    seconds: u64,
}

impl Row<'_> {
    fn text(&self) -> String {
        let who = match &self.noticed {
            Some((command, tests)) => format!("{tests} ({command})"),
            None => "SURVIVED".to_owned(),
        };
        format!("{}: {who}, {} s", self.name, self.seconds)
    }
}

/// Summarises how many breakages each command noticed, and names those that survived.
fn summary(rows: &[Row<'_>]) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for row in rows {
        let command = row
            .noticed
            .as_ref()
            .map_or("nothing", |(command, _)| *command);
        *counts.entry(command).or_default() += 1;
    }
    let mut text = String::from("| noticed by | breakages |\n|---|---|\n");
    for (command, count) in counts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {command} | {count} |");
    }
    let seconds: u64 = rows.iter().map(|row| row.seconds).sum();
    let _ = writeln!(
        text,
        "| all, in {} min | {} |",
        seconds.div_ceil(60),
        rows.len()
    );
    for row in rows.iter().filter(|row| row.noticed.is_none()) {
        let _ = writeln!(text, "SURVIVED: {}", row.name);
    }
    text
}

fn package_tests(package: &str) -> [&str; 4] {
    ["-p", package, "--test", "it"]
}

/// All tests, the quick ones first.
fn all_tests() -> [TestCommand<'static>; 3] {
    let rules = [SYSTEM_TESTS, &["--"], &RULES].concat();
    [
        ("all unit tests", UNIT_TESTS.to_vec()),
        ("the tests of the rules", rules),
        ("all system tests", SYSTEM_TESTS.to_vec()),
    ]
}

/// Reads all breakages and checks that each finds its text.
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

/// Returns which command notices a breakage, and by which tests.
fn try_one(
    root: &Path,
    copy: &Path,
    breakage: &Breakage,
) -> Result<Option<(&'static str, String)>> {
    let target = copy.join(&breakage.file);
    fs::write(&target, broken(root, breakage)?)?;
    let noticed = first_to_fail(copy, breakage);
    fs::copy(root.join(&breakage.file), &target)?;
    noticed
}

fn first_to_fail(copy: &Path, breakage: &Breakage) -> Result<Option<(&'static str, String)>> {
    for (command, arguments) in breakage.commands() {
        let failed = failed_tests(copy, &arguments)?;
        if let Some(first) = failed.first() {
            let tests = match failed.len() {
                1 => first.clone(),
                more => format!("{first} and {} more", more - 1),
            };
            return Ok(Some((command, tests)));
        }
    }
    Ok(None)
}

/// Returns the text of the file with the breakage applied.
fn broken(root: &Path, breakage: &Breakage) -> Result<String> {
    let Breakage {
        name,
        file,
        from,
        to,
        ..
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

/// Returns the names of the tests that fail. A compile error counts as one.
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
        return Ok(BTreeSet::from([format!("not finished within {LONGEST} s")]));
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("could not compile") {
        bail!("the breakage does not compile:\n{stderr}");
    }
    bail!("cargo test failed without a failed test:\n{stderr}")
}

/// Copies the working tree without build output.
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
    fn every_breakage_matches_its_file() {
        assert!(!listed(&Layout::here().unwrap()).unwrap().is_empty());
    }

    #[test]
    fn summary_names_surviving_breakages() {
        let row = |name, noticed| Row {
            name,
            noticed,
            seconds: 30,
        };
        let noticed = Some(("its unit tests", "walk::tests::it".to_owned()));
        let text = summary(&[row("caught", noticed), row("missed", None)]);
        assert!(text.contains("| its unit tests | 1 |"), "{text}");
        assert!(text.contains("SURVIVED: missed"), "{text}");
        assert!(!text.contains("SURVIVED: caught"), "{text}");
    }
}
