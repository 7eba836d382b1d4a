//! Scenarios in a real browser: one file for each page, one function for each scenario.
//!
//! They need Debian's chromium and chromium-driver, and axe-core from npm; `.ci/install-browser`
//! installs all three. Without them, the scenarios are listed as skipped, or fail if
//! `TWIPLA_BROWSER=required` is set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly, their helpers too"
)]

mod console;
mod dashboard;
mod harness;
mod page;
mod portal;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use harness::Tools;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Two browsers on two cores; more would only slow each other down.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let tools = Tools::find();
    if let Err(missing) = &tools {
        eprintln!("cannot run the browser scenarios: {missing} (install with .ci/install-browser)");
        if harness::required() {
            return ExitCode::FAILURE;
        }
    }
    libtest_mimic::run(&arguments, scenarios(tools.as_ref().ok())).exit_code()
}

fn scenarios(tools: Option<&Tools>) -> Vec<Trial> {
    let mut trials = harness::scenarios(tools);
    trials.extend(console::scenarios(tools));
    trials.extend(dashboard::scenarios(tools));
    trials.extend(portal::scenarios(tools));
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    trials
}
