//! `cargo xtask bench`: what a call costs, next to a bare HTTP client.
//!
//! A ratio compares two programs that ran alternately on the same machine. Calls, streams and starts alternate between
//! processes, tokens and decoding inside one process. Absolute times drift with the machine, by a tenth within seconds, so
//! a ratio is computed for each round, and the table shows the median of those. A round of calls runs the baseline before
//! and after ours, which shows how much two runs of the same program differ: no ratio is more precise than that.
//!
//! For this reason there are many short rounds, not a few long ones.

mod harness;
mod instructions;
mod processes;
mod table;
mod times;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;

use self::harness::{Bench, FULL, QUICK};
use self::processes::Processes;
use self::table::Table;
use crate::layout::{self, Layout};

/// The options of `cargo xtask bench`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Run two rounds with few calls, to see that everything works
    #[arg(long)]
    pub quick: bool,
    /// Count instructions with valgrind instead of measuring time: unaffected by other load
    #[arg(long)]
    pub instructions: bool,
    /// Only the measurements whose name contains this
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Write every round to a file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Runs every measurement and prints the table.
pub fn run(layout: &Layout, options: &Options) -> Result<()> {
    let size = if options.quick { &QUICK } else { &FULL };
    let processes = Processes::start(layout)?;
    let mut bench = Bench {
        processes,
        size,
        only: options.only.as_deref(),
        table: Table::default(),
        rounds: Vec::new(),
    };
    if options.instructions {
        bench.instructions()?;
    } else {
        bench.times()?;
    }
    print!("{}", bench.table);
    if let Some(path) = &options.json {
        let record = json!({ "rows": bench.table.rows(), "rounds": bench.rounds });
        let text = serde_json::to_string_pretty(&record).context("cannot write the record")?;
        fs::create_dir_all(path.parent().unwrap_or(path)).ok();
        layout::write_atomically(&absolute(path)?, &(text + "\n"))?;
    }
    Ok(())
}

fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}
