//! What a call costs in instructions, counted by valgrind.
//!
//! A count is the same whatever else the machine does, so it shows a change that
//! is lost in the noise of times. What it leaves out: the kernel, and what the
//! processor waits for.

use anyhow::Result;

use super::harness::{Bench, OPERATIONS};
use super::processes::Protocol;
use super::table::Row;

/// Calls of the shorter of two runs; the longer one has twice as many, and what is not of the calls cancels out.
const CALLS: u32 = 2_000;

impl Bench<'_> {
    pub(super) fn instructions(&mut self) -> Result<()> {
        for (operation, title) in OPERATIONS {
            if !self.wanted(&format!("instructions of {title}")) {
                continue;
            }
            let [ours, bare, limit] =
                ["twipla", "reqwest", "hyper"].map(|client| self.per_call(client, operation));
            let row = Row::ratio(&format!("{title}: instructions"), "", &[ours?], &[bare?]);
            self.table.push(row.limit(&[limit?]).at_most(Some(1.03)));
        }
        Ok(())
    }

    /// Instructions of one call outside the kernel.
    fn per_call(&self, client: &str, operation: &str) -> Result<f64> {
        let count = |calls: u32| {
            let calls = calls.to_string();
            let call = ["calls", "--client", client, "--operation", operation];
            let arguments = [&call[..], &["--calls", &calls]].concat();
            self.processes.instructions(Protocol::Http, &arguments)
        };
        Ok((count(2 * CALLS)? - count(CALLS)?) / f64::from(CALLS))
    }
}
