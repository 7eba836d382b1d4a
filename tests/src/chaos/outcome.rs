//! The result of a run.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Why a run cannot continue.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of a run. `lost`, `doubled`, `wrongly_reported` and `unclassified` must be 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The number of calls.
    pub operations: u64,
    /// The number of calls of each operation.
    pub by_operation: BTreeMap<&'static str, u64>,
    /// The number of composed calls: rotations, bulk work, `change_to`.
    pub composed: BTreeMap<&'static str, u64>,
    /// Operations, composed calls and faults of the plan that never occurred; empty if the run is too short to expect all.
    pub missing: Vec<String>,
    /// The number of requests that the sandboxes received.
    pub requests: u64,
    /// The number of requests with a fault.
    pub faults: u64,
    /// How often each fault occurred.
    pub by_fault: BTreeMap<&'static str, u64>,
    /// The number of calls that failed.
    pub failures: u64,
    /// The number of failures that were reported as ambiguous.
    pub ambiguous: u64,
    /// Wall time in milliseconds.
    pub millis: u128,
    /// Reported as done, but missing.
    pub lost: u64,
    /// Something was done twice.
    pub doubled: u64,
    /// Other false results.
    pub wrongly_reported: u64,
    /// Errors of a kind that no fault of the run explains.
    pub unclassified: u64,
    /// The problems, call by call.
    pub violations: Vec<Violation>,
}

impl Outcome {
    /// Reports whether all results were true, and everything was tried.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.missing.is_empty()
    }

    /// Returns the share of the requests with a fault.
    #[allow(clippy::cast_precision_loss, reason = "no run is that long")]
    pub fn fault_rate(&self) -> f64 {
        self.faults as f64 / self.requests.max(1) as f64
    }

    pub(super) fn add(&mut self, violation: Violation) {
        *match violation.verdict {
            Verdict::Lost => &mut self.lost,
            Verdict::Doubled => &mut self.doubled,
            Verdict::WronglyReported => &mut self.wrongly_reported,
            Verdict::Unclassified => &mut self.unclassified,
        } += 1;
        self.violations.push(violation);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.operations += other.operations;
        self.requests += other.requests;
        self.faults += other.faults;
        self.failures += other.failures;
        self.ambiguous += other.ambiguous;
        for (operation, count) in other.by_operation {
            *self.by_operation.entry(operation).or_default() += count;
        }
        for (name, count) in other.composed {
            *self.composed.entry(name).or_default() += count;
        }
        for (fault, count) in other.by_fault {
            *self.by_fault.entry(fault).or_default() += count;
        }
        for violation in other.violations {
            self.add(violation);
        }
    }
}

/// The kind of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Reported as done, but missing.
    Lost,
    /// Done twice.
    Doubled,
    /// Another false result.
    WronglyReported,
    /// An error that nothing explains.
    Unclassified,
}

/// A call with a false result.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The kind of the violation.
    pub verdict: Verdict,
    /// The sandbox, the caller, and the number of the call: as in `world 3, caller 0, call 17`.
    pub at: String,
    /// Operation and ids.
    pub call: String,
    /// The call in full; empty for the state at the end, like the next two.
    pub ask: String,
    /// The faults during the call.
    pub faults: Vec<&'static str>,
    /// The result of the call.
    pub result: String,
    /// The state of the sandbox.
    pub server: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Lost => "LOST",
            Verdict::Doubled => "DOUBLED",
            Verdict::WronglyReported => "WRONGLY REPORTED",
            Verdict::Unclassified => "UNCLASSIFIED",
        };
        writeln!(f, "{verdict}: {} ({})", self.call, self.at)?;
        if !self.ask.is_empty() {
            writeln!(f, "  asked   {}", self.ask)?;
            writeln!(f, "  faults  {}", self.faults.join(", "))?;
            writeln!(f, "  result  {}", self.result)?;
        }
        write!(f, "  server  {}", self.server)
    }
}
