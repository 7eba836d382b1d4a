//! `cargo xtask`: the life of the contract, from the published document to the generated client.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use xtask::contract::Layout;
use xtask::regen::{self, Mode};
use xtask::{conformance, lint_contract};

/// The life of the contract.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Apply the overlays to the current version and write openapi/twipla-3as.json
    Overlay,
    /// Write the contract, the generated client and its operation table
    Regen {
        /// Write nothing; exit with 1 and show the difference where a file is not what it should be
        #[arg(long)]
        check: bool,
        /// Print each rewrite that prepares the contract for the generator
        #[arg(short, long)]
        verbose: bool,
    },
    /// Lint the contract with Redocly and feed it to generators of other languages
    LintContract,
    /// Run schemathesis with the contract against the sandbox
    Conformance {
        /// Generated examples for each operation
        #[arg(long, default_value_t = 20)]
        max_examples: u32,
        /// Folder for a record of every request (HAR, with secrets left out)
        #[arg(long)]
        report: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let layout = Layout::here()?;
    match command {
        Command::Overlay => regen::overlay(&layout)?,
        Command::Regen { check, verbose } => {
            let mode = if *check { Mode::Check } else { Mode::Write };
            if !regen::run(&layout, mode, *verbose)? {
                return Ok(ExitCode::FAILURE);
            }
        }
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
    Ok(ExitCode::SUCCESS)
}
