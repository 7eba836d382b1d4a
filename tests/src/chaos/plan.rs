//! How long and how rough a run is.

use twipla_sandbox::Model;

/// The subscription models that a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Models {
    /// Each website has a subscription.
    Website,
    /// Each customer has one.
    Account,
    /// One sandbox after the other.
    Both,
}

/// How long and how rough a run is.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Calls in all.
    pub operations: u64,
    /// Share of the requests that a fault strikes, from 0 to 1.
    pub fault_rate: f64,
    /// The same seed gives the same calls, as long as what they are told is the same.
    pub seed: u64,
    /// The subscription models.
    pub models: Models,
    /// Callers that share a client. With one, a call and the faults that struck it belong
    /// together for certain, and the same seed gives nearly the same run.
    pub callers: u64,
}

/// The part of a run that one sandbox sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) plan: Plan,
    pub(super) world: u64,
    pub(super) operations: u64,
    pub(super) model: Model,
}

impl Plan {
    /// Calls against one sandbox, whose logs are read after each, and with one client, whose
    /// budget of retries is soon used up.
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
