//! `cargo xtask update`: what a maintainer does after a new release of the API, in one command.

mod committed;
mod touch;

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

use anyhow::{Context as _, Result};
use chrono::Utc;
use serde_json::Value;

use self::committed::Committed;
use crate::diff::{Accepted, Format, Level, Report, RustApi};
use crate::document::operations;
use crate::fetch::{self, FetchOutcome, Options, Ours};
use crate::layout::Layout;
use crate::lock::{Lock, Version};
use crate::regen::{self, Mode};
use crate::{history, lint_contract, overlay};

/// Undoes everything in the contract that is not committed: the version that an update stored, the generated files, and
/// manual edits.
pub const WAY_BACK: &str = "git restore --source=HEAD --staged --worktree openapi \
                            crates/twipla-api/README.md crates/twipla-api/src/generated xtask/tests/snapshots && git clean -fdq \
                            openapi/versions xtask/tests/snapshots";

/// Stores a document in the repository and prints what it changes.
pub fn fetch(layout: &Layout, options: &Options) -> Result<()> {
    if let Some((before, now)) = take(layout, options)? {
        drift(layout, &before, &now)?;
        println!("\nto undo it: {WAY_BACK}");
    }
    Ok(())
}

/// Fetches, compares, regenerates and checks. Returns false if something is left to do.
pub fn run(layout: &Layout, options: &Options) -> Result<bool> {
    let committed = Committed::load(layout)?;
    take(layout, options)?;
    let lock = Lock::load(layout)?;
    let (before, now) = (
        lock.version(&committed.version)?,
        lock.version(&lock.current)?,
    );
    // If there is no canonical form, `regen` reports why.
    let raw = if before.name == now.name {
        None
    } else {
        drift(layout, before, now).ok()
    };

    heading("regenerate");
    let regenerated = regen::run(layout, Mode::Write, false);
    let mut done = vec![step("regen", &regenerated.map(|_| ()))];
    let mut report = None;
    if done.iter().all(|step| step.passed) {
        report = Some(since(layout, &committed)?);
        heading("check");
        done.push(step("lint-contract", &lint_contract::run(layout)));
        done.push(step("cargo test --workspace", &cargo_test(layout)));
    }
    heading("what is left to do");
    for (number, text) in left(layout, &done, raw.as_ref(), report.as_ref())
        .iter()
        .enumerate()
    {
        println!("{}. {text}", number + 1);
    }
    println!("\nto undo everything: {WAY_BACK}");
    Ok(done.iter().all(|step| step.passed))
}

/// Returns what a maintainer has to do, given the differences between the contract and the committed one.
///
/// # Errors
///
/// If nothing is committed, or a document cannot be read.
pub fn to_do(layout: &Layout) -> Result<Vec<String>> {
    let report = since(layout, &Committed::load(layout)?)?;
    Ok(left(layout, &[], None, Some(&report)))
}

/// Compares the contract with the committed one, corrections included, because the crates are generated from both.
fn since(layout: &Layout, committed: &Committed) -> Result<Changed> {
    let contract = overlay::contract(layout)?;
    let report = Report::new(
        ("the contract as it was", &committed.contract),
        ("the contract as it is", &contract),
        &Accepted::load(layout)?,
    )?;
    Ok(Changed { contract, report })
}

/// The contract, and its changes.
struct Changed {
    contract: Value,
    report: Report,
}

/// A check and its result.
struct Step {
    name: &'static str,
    passed: bool,
}

fn step(name: &'static str, result: &Result<()>) -> Step {
    if let Err(error) = result {
        println!("{name}: {error:#}");
    }
    Step {
        name,
        passed: result.is_ok(),
    }
}

/// Fetches and stores a document. Returns the previous and the new version if they differ.
fn take(layout: &Layout, options: &Options) -> Result<Option<(Version, Version)>> {
    let source = match &options.source {
        Some(source) => source.clone(),
        None => fetch::DEFAULT.parse()?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let document = runtime.block_on(fetch::read(
        &source,
        &Ours::load(layout)?,
        options.pick.as_deref(),
    ))?;
    let today = Utc::now().date_naive().to_string();
    match fetch::store(
        layout,
        &document,
        &source,
        options.number.as_deref(),
        &today,
    )? {
        FetchOutcome::New { before, now } => {
            println!("stored openapi/{} and made it current", now.file);
            Ok(Some((before, now)))
        }
        FetchOutcome::Known {
            version,
            before: Some(before),
        } => {
            println!(
                "{} is already in the repository: made it current",
                version.name
            );
            Ok(Some((before, version)))
        }
        FetchOutcome::Known { version, .. } => {
            println!("{source} is {}, which is already current", version.name);
            Ok(None)
        }
    }
}

fn drift(layout: &Layout, before: &Version, now: &Version) -> Result<Report> {
    let report = history::between(layout, before, now, &Accepted::load(layout)?)?;
    anstream::print!("\n{}", report.print(Format::Text)?);
    Ok(report)
}

/// Returns what a maintainer has to do next, in order.
fn left(
    layout: &Layout,
    done: &[Step],
    raw: Option<&Report>,
    changed: Option<&Changed>,
) -> Vec<String> {
    let failed = |name: &str| done.iter().any(|step| step.name == name && !step.passed);
    let mut left = Vec::new();
    if failed("regen") {
        left.push(
            "fix the overlay that the message above names, or decide what it asks for in openapi/names.toml, then run \
             `cargo xtask update` with the same document again"
                .to_owned(),
        );
    }
    if failed("lint-contract") {
        left.push("fix what the linters report, by an overlay with a reason".to_owned());
    }
    if let Some(changed) = changed {
        left.extend(operations_to_touch(layout, changed));
    }
    if failed("cargo test --workspace") {
        left.push(
            "fix what does not compile or fails; accept intended changes of snapshots with `INSTA_UPDATE=always cargo \
             test -p xtask`"
                .to_owned(),
        );
    }
    let unseen = raw
        .map(|report| report.open(Level::Breaking))
        .unwrap_or_default();
    if let (Some(report), false) = (raw, unseen.is_empty()) {
        let name = |title: &str| title.split(' ').next().unwrap_or_default().to_owned();
        left.push(format!(
            "review the breaking changes ({} findings), and accept those that are fine: `cargo xtask diff {} {} --accept REASON`",
            unseen.len(),
            name(&report.old),
            name(&report.new),
        ));
    }
    if let Some(part) = changed.and_then(|changed| {
        let parts = changed
            .report
            .findings
            .iter()
            .map(|finding| finding.rust_api);
        parts.max().filter(|part| *part != RustApi::None)
    }) {
        let part = match part {
            RustApi::Major | RustApi::Refused => "major (below 1.0: the second number)",
            RustApi::Minor => "minor (below 1.0: the third number)",
            RustApi::Patch | RustApi::None => "patch",
        };
        left.push(format!(
            "raise the version of the crates: {part}; `cargo xtask check-packages` says what follows `+api.`, and \
             `cargo xtask public-api` stores what is public now"
        ));
    }
    if raw.is_some() || changed.is_some_and(|changed| !changed.report.findings.is_empty()) {
        left.push(
            "read `git diff openapi xtask/tests/snapshots`, and commit everything together"
                .to_owned(),
        );
    }
    if left.is_empty() {
        left.push("nothing: the contract is unchanged, and every check passes".to_owned());
    }
    left
}

/// Returns the new, changed and removed operations, each with its files.
fn operations_to_touch(layout: &Layout, changed: &Changed) -> Vec<String> {
    let here: BTreeSet<&str> = operations(&changed.contract)
        .iter()
        .map(|operation| operation.id)
        .collect();
    let (mut added, mut touched, mut removed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for finding in &changed.report.findings {
        if finding.id.starts_with("endpoint-added") {
            added.insert(finding.operation.as_str());
        } else if finding.rust_api != RustApi::None {
            touched.extend(finding.operations.iter().map(String::as_str));
        }
        removed.extend(
            finding
                .operations
                .iter()
                .map(String::as_str)
                .filter(|id| !here.contains(id)),
        );
    }
    touched.retain(|id| here.contains(id) && !added.contains(id));
    let list = |ids: &BTreeSet<&str>| -> String {
        let files = ids
            .iter()
            .map(|id| touch::files(layout, &changed.contract, id));
        let lines: Vec<String> = files.map(|line| format!("\n   - {line}")).collect();
        lines.concat()
    };
    let mut left = Vec::new();
    if !added.is_empty() {
        left.push(format!(
            "add each new operation to the facade, a handler in the sandbox \
             (crates/twipla-sandbox/src/routes.rs), a call in tests/it/coverage.rs and a file of vectors:{}",
            list(&added)
        ));
    }
    if !touched.is_empty() {
        left.push(format!(
            "check that the facade matches these changed operations:{}",
            list(&touched)
        ));
    }
    if !removed.is_empty() {
        left.push(format!(
            "remove the calls of removed operations from the facade and the sandbox:{}",
            list(&removed)
        ));
    }
    left
}

fn cargo_test(layout: &Layout) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(layout.root())
        .args(["test", "--workspace", "--no-fail-fast", "--quiet"])
        // The history of a new version has no snapshot yet: it is written, and reviewed with everything else.
        .env("INSTA_UPDATE", "unseen")
        .status()
        .context("cannot run cargo")?;
    anyhow::ensure!(status.success(), "some tests fail, or do not compile");
    Ok(())
}

fn heading(text: &str) {
    println!("\n== {text}");
}
