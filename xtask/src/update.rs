//! `cargo xtask update`: what a maintainer does after a release of the vendor, in one command.

use std::env;
use std::process::Command;

use anyhow::{Context as _, Result};
use chrono::Utc;
use serde_json::Value;

use crate::diff::{Accepted, Finding, Format, Level, Report, RustApi};
use crate::document;
use crate::fetch::{self, FetchOutcome, Source};
use crate::layout::Layout;
use crate::lock::Version;
use crate::regen::{self, Mode};
use crate::{history, lint_contract, overlay};

/// Takes a document into the repository and prints what it changes.
pub fn fetch(layout: &Layout, source: Option<&Source>) -> Result<()> {
    if let Some((before, now)) = take(layout, source)? {
        drift(layout, &before, &now)?;
    }
    Ok(())
}

/// Fetches, compares, regenerates and checks; false where something is left to do.
pub fn run(layout: &Layout, source: Option<&Source>) -> Result<bool> {
    let contract_before = stored_contract(layout)?;
    let mut done = Vec::new();
    let mut raw = None;
    if let Some((before, now)) = take(layout, source)? {
        // What the canonical form refuses, regen tells.
        raw = drift(layout, &before, &now).ok();
    }

    heading("regenerate");
    let regenerated = regen::run(layout, Mode::Write, false);
    done.push(step("regen", &regenerated.map(|_| ())));
    let mut report = None;
    if done.iter().all(|step| step.passed) {
        let now = overlay::contract(layout)?;
        // The corrections count, too: this is the contract that the crates are made of.
        report = Some(Report::new(
            ("the contract as it was", &contract_before),
            ("the contract as it is", &now),
            &Accepted::load(layout)?,
        )?);
        heading("check");
        done.push(step("lint-contract", &lint_contract::run(layout)));
        done.push(step("cargo test --workspace", &cargo_test(layout)));
    }
    heading("what is left to do");
    let left = left(&done, raw.as_ref(), report.as_ref());
    for (number, text) in left.iter().enumerate() {
        println!("{}. {text}", number + 1);
    }
    Ok(done.iter().all(|step| step.passed))
}

/// Undoes an update that is not committed, the version it stored included.
pub const WAY_BACK: &str = "git restore README.md openapi crates/twipla-api/src/generated && git clean -fq openapi/versions";

/// A check that was made.
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

/// Fetches and stores; returns what was current and what is now, where that is another version.
fn take(layout: &Layout, source: Option<&Source>) -> Result<Option<(Version, Version)>> {
    let default;
    let source = if let Some(source) = source {
        source
    } else {
        default = fetch::DEFAULT.parse()?;
        &default
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let document = runtime.block_on(fetch::read(source))?;
    let today = Utc::now().date_naive().to_string();
    match fetch::store(layout, &document, source, &today)? {
        FetchOutcome::New { before, now } => {
            println!("stored openapi/{} and made it current", now.file);
            Ok(Some((before, now)))
        }
        FetchOutcome::Known {
            version,
            before: Some(before),
        } => {
            println!("{} is in the repository: made it current", version.name);
            Ok(Some((before, version)))
        }
        FetchOutcome::Known { version, .. } => {
            println!("nothing new: {source} has {}", version.name);
            Ok(None)
        }
    }
}

fn drift(layout: &Layout, before: &Version, now: &Version) -> Result<Report> {
    let report = history::between(layout, before, now, &Accepted::load(layout)?)?;
    anstream::print!("\n{}", report.print(Format::Text)?);
    Ok(report)
}

/// What a maintainer has to do next, in order.
fn left(done: &[Step], raw: Option<&Report>, contract: Option<&Report>) -> Vec<String> {
    let failed = |name: &str| done.iter().any(|step| step.name == name && !step.passed);
    let mut left = Vec::new();
    if failed("regen") {
        left.push(
format!(
                "mend the overlay that the message above names, or decide what it asks for in openapi/names.toml, then \
                 `cargo xtask regen`; `{WAY_BACK}` takes everything back"
            ),
        );
    }
    if failed("lint-contract") {
        left.push("mend what the linters say, by an overlay with its reason".to_owned());
    }
    let added = ids(contract, "endpoint-added");
    if !added.is_empty() {
        left.push(format!(
            "give each new operation a call in the facade, a handler in the sandbox, a call in tests/it/coverage.rs \
             and a file in tests/vectors: {}",
            added.join(", ")
        ));
    }
    let removed = ids(contract, "endpoint-removed");
    if !removed.is_empty() {
        left.push(format!(
            "take the calls of operations that are gone out of the facade and the sandbox: {}",
            removed.join(", ")
        ));
    }
    if failed("cargo test --workspace") {
        left.push(
            "mend what does not compile or is red, then read the new snapshots and keep them: `INSTA_UPDATE=always \
             cargo test -p xtask`"
                .to_owned(),
        );
    }
    let unseen = raw
        .map(|report| report.open(Level::Breaking))
        .unwrap_or_default();
    if let (Some(report), false) = (raw, unseen.is_empty()) {
        let name = |title: &str| title.split(' ').next().unwrap_or_default().to_owned();
        left.push(format!(
            "look at what breaks ({} findings), and accept those that may stay: `cargo xtask diff {} {} --accept REASON`",
            unseen.len(),
            name(&report.old),
            name(&report.new),
        ));
    }
    if let Some(part) = contract.and_then(|report| {
        let parts = report.findings.iter().map(|finding| finding.rust_api);
        parts.max().filter(|part| *part != RustApi::None)
    }) {
        let part = match part {
            RustApi::Major => "major (below 1.0: the second number)",
            RustApi::Minor => "minor (below 1.0: the third number)",
            RustApi::Patch | RustApi::None => "patch",
        };
        left.push(format!("raise the version of the crates: {part}"));
    }
    if raw.is_some() {
        left.push("read `git diff openapi`, and commit everything together".to_owned());
    }
    if left.is_empty() {
        left.push("nothing: the contract is what it was, and every check passes".to_owned());
    }
    left
}

fn ids(report: Option<&Report>, rule: &str) -> Vec<String> {
    let findings = report.map(|report| report.findings.as_slice());
    findings
        .unwrap_or_default()
        .iter()
        .filter(|finding: &&Finding| finding.id.starts_with(rule))
        .map(|finding| finding.operation.clone())
        .collect()
}

fn stored_contract(layout: &Layout) -> Result<Value> {
    let path = layout.contract();
    let bytes =
        std::fs::read(&path).with_context(|| format!("cannot read {}", layout.show(&path)))?;
    document::parse(&bytes).with_context(|| layout.show(&path).to_string())
}

fn cargo_test(layout: &Layout) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(layout.root())
        .args(["test", "--workspace", "--quiet"])
        .status()
        .context("cannot run cargo")?;
    anyhow::ensure!(status.success(), "some tests are red, or do not compile");
    Ok(())
}

fn heading(text: &str) {
    println!("\n== {text}");
}
