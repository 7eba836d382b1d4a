//! The log of changes that the sandbox carried out.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use twipla_api::PartnerId;
use uuid::Uuid;

/// The oldest entries make room for new ones.
const CAPACITY: usize = 250_000;

/// A change that an operation made. See [`Sandbox::commits`](crate::Sandbox::commits).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Commit {
    /// Place in the order of all changes of this sandbox, from 1. A gap at the
    /// start means that the log was cleared or had to drop its oldest entries.
    pub sequence: u64,
    /// `operationId` in the contract.
    pub operation: &'static str,
    /// The partner whose data was changed.
    pub partner: PartnerId,
    /// What was changed: `intpCustomerId`, `intpWebsiteId`, `packageId` and
    /// `apiKeyId`, those that apply. They are given in the request or, for a new
    /// package or API key, chosen by the sandbox.
    pub ids: BTreeMap<&'static str, String>,
    /// Name of the package or API key, or the whitelisted domain, if one was
    /// named in the request.
    pub name: Option<String>,
}

/// The changes so far, oldest first.
#[derive(Default)]
pub(crate) struct CommitLog {
    entries: VecDeque<Commit>,
    last_sequence: u64,
}

impl CommitLog {
    /// For the changes that one request makes.
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

    /// The number of the last change, whether or not its entry is still there.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// Removes the entries; the sequence goes on.
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
    /// Records a change. A rule calls this once it has changed the state.
    pub(crate) fn record(&mut self, ids: &[(&'static str, &str)]) {
        self.add(ids, None);
    }

    /// Records a change of something that goes by a name in the request.
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
