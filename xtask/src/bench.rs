//! `cargo xtask bench`: what a call costs, beside a bare HTTP client.
//!
//! Ratios are of two that took turns on the same machine. Calls, streams and
//! starts are processes that take turns, tokens and decoding take turns inside
//! one process. Times by themselves move with the machine, within seconds and by
//! a tenth, so a ratio is taken in each round, and the table has the median of
//! those. A round of calls has the baseline before and after ours, which tells
//! what the machine does to two runs of the very same program: no ratio is
//! known better than that.
//!
//! Many short rounds therefore, not a few long ones.

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

/// What `cargo xtask bench` is asked.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Two rounds of few calls: does everything run at all?
    #[arg(long)]
    pub quick: bool,
    /// Count instructions instead of measuring time, with valgrind: the same on a busy machine
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
