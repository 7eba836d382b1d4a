//! The cost of a call in instructions, counted by valgrind.
//!
//! A count does not depend on other load, so it shows a change that is lost in the noise of times. It excludes the kernel
//! and the time that the processor waits for memory.

use anyhow::Result;

use super::harness::{Bench, OPERATIONS};
use super::processes::Protocol;
use super::table::Row;

/// Calls in the shorter of two runs. The longer one makes twice as many, so that the cost of starting cancels out.
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

    /// Returns the instructions of one call outside the kernel.
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
