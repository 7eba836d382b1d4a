//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Why a run cannot go on.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What came of a run. `lost`, `doubled`, `wrongly_reported` and `unclassified` are to be 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Calls made.
    pub operations: u64,
    /// How many of each operation.
    pub by_operation: BTreeMap<&'static str, u64>,
    /// How many of what the facade puts together: rotations, bulk work, `change_to`.
    pub composed: BTreeMap<&'static str, u64>,
    /// Operations, composed calls and faults that the plan has and that never occurred; empty for
    /// a run that is too short to have all.
    pub missing: Vec<String>,
    /// Requests that the sandboxes saw.
    pub requests: u64,
    /// Requests that a fault struck.
    pub faults: u64,
    /// How often each fault struck.
    pub by_fault: BTreeMap<&'static str, u64>,
    /// Calls that failed, whatever was told.
    pub failures: u64,
    /// Failures that may have been carried out, as far as the caller was told.
    pub ambiguous: u64,
    /// Wall time in milliseconds.
    pub millis: u128,
    /// The caller was told that it is done, and it is not there.
    pub lost: u64,
    /// Something was done twice.
    pub doubled: u64,
    /// The caller was told something else that is not so.
    pub wrongly_reported: u64,
    /// An error of a kind that no fault of the run explains.
    pub unclassified: u64,
    /// What is wrong, call by call.
    pub violations: Vec<Violation>,
}

impl Outcome {
    /// Whether everything that the callers were told is true, and everything was tried.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.missing.is_empty()
    }

    /// Share of the requests that a fault struck.
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

/// In which way something is not as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Told to be done, and not there.
    Lost,
    /// Done twice.
    Doubled,
    /// Told otherwise than it is.
    WronglyReported,
    /// An error that nothing explains.
    Unclassified,
}

/// A call of which something was told that is not so.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// In which way.
    pub verdict: Verdict,
    /// The sandbox, the caller, and the number of the call: as in `world 3, caller 0, call 17`.
    pub at: String,
    /// Operation and ids.
    pub call: String,
    /// The call in full; empty for what a caller has in the end, like the next two.
    pub ask: String,
    /// The faults that struck while it was under way.
    pub faults: Vec<&'static str>,
    /// What the caller was told.
    pub told: String,
    /// What the sandbox has.
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
            writeln!(f, "  told    {}", self.told)?;
        }
        write!(f, "  server  {}", self.server)
    }
}
