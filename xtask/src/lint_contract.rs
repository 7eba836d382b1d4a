//! Checks the contract with tools of other languages.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::bindings;
use crate::external;
use crate::fetch;
use crate::hosts;
use crate::layout::{self, Layout};
use crate::lock::Lock;

/// Lints the contract, and generates, compiles and runs clients of other languages.
pub fn run(layout: &Layout) -> Result<()> {
    let lock = Lock::load(layout)?;
    let contract = layout.contract();
    ensure!(
        contract.exists(),
        "{} is missing: run `cargo xtask regen`",
        layout.show(&contract)
    );
    redocly(layout, &lock)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    spectral(layout, &lock, scratch.path())?;
    // The vendor's reference page is built by Redoc: `fetch` must be able to read the contract back from such a page.
    redoc(&lock, "redocly", layout, scratch.path())?;
    redoc(&lock, "redocly-1", layout, scratch.path())?;

    bindings::run(layout, &lock)
}

/// Checks the contract with the OpenAPI rules of Spectral, and fails on any warning.
fn spectral(layout: &Layout, lock: &Lock, scratch: &Path) -> Result<()> {
    let rules = scratch.join("spectral.yaml");
    layout::write_atomically(&rules, "extends: [\"spectral:oas\"]\n")?;
    let mut command = external::npx(lock, "spectral", "@stoplight/spectral-cli")?;
    command
        .args(["lint", "--fail-severity", "hint", "--quiet", "--ruleset"])
        .arg(rules)
        .arg(layout.contract());
    for host in hosts::HOSTS {
        command.arg(layout.contract_of(host));
    }
    let output = external::run(&mut command)?;
    ensure!(
        output.success,
        "spectral found problems in the contract:\n{}",
        output.all
    );
    println!("spectral: ok");
    Ok(())
}

/// Checks the contract with the recommended rules of Redocly, and fails on any warning.
fn redocly(layout: &Layout, lock: &Lock) -> Result<()> {
    let mut command = external::npx(lock, "redocly", "@redocly/cli")?;
    command
        .current_dir(layout.root())
        .arg("lint")
        .arg(layout.contract())
        .args(["--format", "json"]);
    let config = layout.openapi().join("redocly.yaml");
    if config.exists() {
        command.arg("--config").arg(config);
    } else {
        command.args(["--extends", "recommended"]);
    }
    let output = external::run(&mut command)?;
    let report = output
        .out
        .find('{')
        .and_then(|start| serde_json::from_str::<Value>(&output.out[start..]).ok());
    let Some(report) = report else {
        bail!("redocly printed no report:\n{}", output.all);
    };
    let problems = report["problems"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for problem in problems {
        let at = &problem["location"][0];
        println!(
            "{}: {} ({}) at {}",
            problem["severity"].as_str().unwrap_or("problem"),
            problem["message"].as_str().unwrap_or_default(),
            problem["ruleId"].as_str().unwrap_or_default(),
            at["pointer"].as_str().unwrap_or_default(),
        );
    }
    ensure!(
        output.success && problems.is_empty(),
        "redocly found {} problems in the contract",
        problems.len()
    );
    println!("redocly: ok");
    Ok(())
}

/// Builds a page from the contract and extracts the contract from it again.
fn redoc(lock: &Lock, tool: &str, layout: &Layout, scratch: &Path) -> Result<()> {
    let page = scratch.join(format!("{tool}.html"));
    let mut command = external::npx(lock, tool, "@redocly/cli")?;
    command
        .arg("build-docs")
        .arg(layout.contract())
        .arg("--output")
        .arg(&page);
    let output = external::run(&mut command)?;
    let text = fs::read_to_string(&page)
        .with_context(|| format!("redocly built no page of the contract:\n{}", output.all))?;
    let found = fetch::embedded(&text)?;
    let contract = fs::read_to_string(layout.contract())?;
    ensure!(
        found.iter().any(|found| found.text == contract),
        "the contract in a page of redocly {} is not the one it was built from",
        lock.tool(tool)?
    );
    println!(
        "a page of redocly {} contains the same contract: ok",
        lock.tool(tool)?
    );
    Ok(())
}
