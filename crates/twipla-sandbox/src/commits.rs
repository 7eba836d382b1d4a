//! The log of changes that the sandbox carried out.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use twipla_api::PartnerId;
use uuid::Uuid;

/// When full, the oldest entries are dropped.
const CAPACITY: usize = 250_000;

/// A change made by an operation. See
/// [`Sandbox::commits`](crate::Sandbox::commits).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Commit {
    /// Position among all changes of this sandbox, counted from 1. A gap at the
    /// start means that the log was cleared or has dropped its oldest entries.
    pub sequence: u64,
    /// The `operationId` in the contract.
    pub operation: &'static str,
    /// The partner whose data changed.
    pub partner: PartnerId,
    /// The ids of the changed objects, as applicable: `intpCustomerId`,
    /// `intpWebsiteId`, `packageId` and `apiKeyId`. The ids of new packages and
    /// API keys are issued by the sandbox, all others come from the request.
    pub ids: BTreeMap<&'static str, String>,
    /// Name of the package or API key, or the whitelisted domain, if the
    /// request contains one.
    pub name: Option<String>,
}

/// The log of changes, oldest first.
#[derive(Default)]
pub(crate) struct CommitLog {
    entries: VecDeque<Commit>,
    last_sequence: u64,
}

impl CommitLog {
    /// Returns a recorder for the changes of one request.
    pub(crate) fn recorder(
        &mut self,
        operation: &'static str,
        partner: Uuid,
    ) -> CommitRecorder<'_> {
        CommitRecorder {
            log: self,
            operation,
            partner: partner.into(),
        }
    }

    pub(crate) fn all(&self) -> Vec<Commit> {
        self.entries.iter().cloned().collect()
    }

    /// Returns the number of the last change, even if its entry was dropped.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// Removes the entries; the numbers continue.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Records the changes of one request.
pub(crate) struct CommitRecorder<'a> {
    log: &'a mut CommitLog,
    operation: &'static str,
    partner: PartnerId,
}

impl CommitRecorder<'_> {
    /// Records a change. Rules call this after changing the state.
    pub(crate) fn record(&mut self, ids: &[(&'static str, &str)]) {
        self.add(ids, None);
    }

    /// Records a change of something that the request names.
    pub(crate) fn record_named(&mut self, name: &str, ids: &[(&'static str, &str)]) {
        self.add(ids, Some(name.to_owned()));
    }

    fn add(&mut self, ids: &[(&'static str, &str)], name: Option<String>) {
        if self.log.entries.len() == CAPACITY {
            self.log.entries.pop_front();
        }
        self.log.last_sequence += 1;
        self.log.entries.push_back(Commit {
            sequence: self.log.last_sequence,
            operation: self.operation,
            partner: self.partner,
            ids: ids
                .iter()
                .map(|(key, id)| (*key, (*id).to_owned()))
                .collect(),
            name,
        });
    }
}
