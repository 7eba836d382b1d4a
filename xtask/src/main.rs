//! `cargo xtask`: the tools that maintain the contract and generate the client.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use xtask::diff::command as diff;
use xtask::fetch;
use xtask::layout::Layout;
use xtask::regen::{self, Mode};
use xtask::{
    bench, breakages, check_modules, conformance, dependency_cost, lint_contract, minimal_versions,
    packages, public_api, update,
};

/// Maintains the contract and generates the client from it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Store a published document in openapi/versions and print what it changes
    Fetch(fetch::Options),
    /// Print what changed between two documents, and whom it breaks
    ///
    /// The exit code is 0 if no finding is at the level of --fail-on or above, 1 if one is, and 2 if the comparison is not
    /// possible: a document cannot be read, or is not a contract.
    ///
    /// In a pull request, on a checkout with `fetch-depth: 0`:
    /// `cargo xtask diff "origin/$GITHUB_BASE_REF:openapi/twipla-3as.json" openapi/twipla-3as.json --format github`
    Diff(diff::Options),
    /// List the rules of `diff`
    Rules {
        /// `markdown` writes openapi/RULES.md
        #[arg(long, value_enum, default_value = "text")]
        format: diff::RulesFormat,
    },
    /// Fetch, compare, regenerate, check, and print what is left to do
    ///
    /// The list is relative to the last commit: a second run prints the same list until the work is done.
    Update(fetch::Options),
    /// Measure what a call costs, next to a bare HTTP client
    Bench(bench::Options),
    /// Count what the client depends on, and time how long that takes to build
    DependencyCost {
        /// Count only
        #[arg(long)]
        no_build: bool,
    },
    /// Apply the overlays to the current version and write openapi/twipla-3as.json
    Overlay,
    /// Write the contract, the generated client and its operation table
    Regen {
        /// Write nothing; exit with 1 and print the difference if a file is out of date
        #[arg(long)]
        check: bool,
        /// Print each rewrite that prepares the contract for the generator
        #[arg(short, long)]
        verbose: bool,
    },
    /// Break the client on purpose, one breakage of tests/breakages.toml at a time, and report which tests notice
    Breakages {
        /// Only those whose name contains this text
        #[arg(long)]
        only: Option<String>,
    },
    /// Check that no modules of a crate import each other in a circle
    CheckModules,
    /// Check manifests, files, versions and features of the packages that are published
    CheckPackages,
    /// Compile the published packages with the lowest versions that they ask for
    MinimalVersions,
    /// Write every public item of the published libraries to their public-api.txt
    PublicApi {
        /// Write nothing; exit with 1 and show the difference where an item was added, changed or removed
        #[arg(long)]
        check: bool,
    },
    /// Lint the contract with Redocly and feed it to generators of other languages
    LintContract,
    /// Run schemathesis with the contract against the sandbox
    Conformance {
        /// Generated examples for each operation
        #[arg(long, default_value_t = 20)]
        max_examples: u32,
        /// Folder for a recording of every request (HAR, without secrets)
        #[arg(long)]
        report: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let command = Command::parse();
    match run(&command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The error may quote a document.
            let message = format!("{error:#}");
            let lines: Vec<String> = message.lines().map(xtask::diff::plain).collect();
            eprintln!("error: {}", lines.join("\n"));
            // `diff` uses exit code 1 to report findings.
            ExitCode::from(if matches!(command, Command::Diff(_)) {
                2
            } else {
                1
            })
        }
    }
}

/// Runs a command. Returns false if it did its work and the result is negative.
fn run(command: &Command) -> anyhow::Result<bool> {
    let layout = Layout::here()?;
    match command {
        Command::Fetch(options) => update::fetch(&layout, options)?,
        Command::Diff(options) => return diff::run(&layout, options),
        Command::Rules { format } => diff::rules(&layout, *format)?,
        Command::Update(options) => return update::run(&layout, options),
        Command::Bench(options) => bench::run(&layout, options)?,
        Command::DependencyCost { no_build } => dependency_cost::run(&layout, !no_build)?,
        Command::Overlay => regen::overlay(&layout)?,
        Command::Regen { check, verbose } => {
            let mode = if *check { Mode::Check } else { Mode::Write };
            return regen::run(&layout, mode, *verbose);
        }
        Command::Breakages { only } => return breakages::run(&layout, only.as_deref()),
        Command::CheckModules => return check_modules::run(layout.root()),
        Command::CheckPackages => return packages::run(&layout),
        Command::MinimalVersions => minimal_versions::run(&layout)?,
        Command::PublicApi { check } => return public_api::run(&layout, *check),
        Command::LintContract => lint_contract::run(&layout)?,
        Command::Conformance {
            max_examples,
            report,
        } => {
            conformance::run(
                &layout,
                &conformance::Options {
                    max_examples: *max_examples,
                    report: report.clone(),
                },
            )?;
        }
    }
    Ok(true)
}
