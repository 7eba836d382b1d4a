//! Length and settings of a run.

use twipla_sandbox::Model;

/// The subscription models of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Models {
    /// Each website has a subscription.
    Website,
    /// Each customer has one.
    Account,
    /// One sandbox after the other.
    Both,
}

/// Length and settings of a run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The number of calls.
    pub operations: u64,
    /// The share of the requests with a fault, from 0 to 1.
    pub fault_rate: f64,
    /// The same seed gives the same calls, as long as their results are the same.
    pub seed: u64,
    /// The subscription models.
    pub models: Models,
    /// The number of callers that share a client. With one, it is certain which faults belong to a call, and the same seed
    /// gives nearly the same run.
    pub callers: u64,
}

/// The part of a run for one sandbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) plan: Plan,
    pub(super) world: u64,
    pub(super) operations: u64,
    pub(super) model: Model,
}

impl Plan {
    /// The number of calls against one sandbox, whose logs are read after each, and with one client, whose retry budget is
    /// soon used up.
    const OPERATIONS_OF_A_SHARE: u64 = 125;

    pub(super) fn shares(self) -> Vec<Share> {
        let count = self.operations.div_ceil(Self::OPERATIONS_OF_A_SHARE);
        let share = |world| Share {
            plan: self,
            world,
            operations: self.operations / count + u64::from(world < self.operations % count),
            model: match self.models {
                Models::Both if world % 2 == 0 => Model::Website,
                Models::Website => Model::Website,
                Models::Both | Models::Account => Model::Account,
            },
        };
        (0..count).map(share).collect()
    }
}
