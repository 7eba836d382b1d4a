//! Where the changes of a pair of schemas are noted, and where in the contracts that pair is.

use std::collections::HashSet;

use serde_json::Value;

use crate::diff::finding::{Findings, Place, Verdict};
use crate::diff::rules::{RustApi, Subject};
use crate::diff::rust_type::rust_type;
use crate::document::{Contract, Schema};

/// Where a comparison of schemas is.
#[derive(Debug, Clone)]
pub(in crate::diff) struct Walk {
    pub(in crate::diff) operation: String,
    /// What it is about, in the words of the contract.
    pub(in crate::diff) subject: String,
    pub(in crate::diff) place: Subject,
    /// Whether the value is always there: before, and now.
    pub(in crate::diff) required: (bool, bool),
    /// The body of a failure, which the client reads without its types.
    pub(in crate::diff) ignored: bool,
}

impl Walk {
    pub(in crate::diff) fn new(operation: &str, subject: String, place: Subject) -> Self {
        Self {
            operation: operation.to_owned(),
            subject,
            place,
            required: (false, false),
            ignored: false,
        }
    }

    pub(in crate::diff) fn required(mut self, before: bool, now: bool) -> Self {
        self.required = (before, now);
        self
    }

    pub(in crate::diff) fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }

    /// What is known of every finding here.
    pub(in crate::diff) fn verdict(&self) -> Verdict {
        if self.ignored {
            Verdict::ignored()
        } else {
            Verdict::default()
        }
    }

    /// The walk one level down.
    pub(in crate::diff) fn into(&self, name: &str, required: (bool, bool)) -> Self {
        Self {
            subject: format!("{}{name}", self.subject),
            place: self.place.inner(),
            required,
            ..self.clone()
        }
    }
}

/// The two contracts.
pub(super) struct Pair<'a> {
    pub(super) old: Contract<'a>,
    pub(super) new: Contract<'a>,
    /// Components that are the same in both, with all that they refer to.
    pub(super) same: HashSet<&'a str>,
}

/// A pair of schemas one level down, which is still to be compared.
pub(super) struct Child<'a> {
    pub(super) walk: Walk,
    pub(super) old: Schema<'a>,
    pub(super) new: Schema<'a>,
}

/// Notes what changes between two schemas.
pub(super) struct Changes<'s, 'a> {
    pub(super) schemas: &'s Pair<'a>,
    pub(super) findings: &'s mut Findings,
}

impl<'a> Changes<'_, 'a> {
    /// The verdict where the Rust type at hand decides.
    pub(super) fn by_type(&self, walk: &Walk, old: &Schema<'a>, new: &Schema<'a>) -> Verdict {
        let mut verdict = walk.verdict();
        let optional = |schema: &Schema<'a>, required: bool| schema.nullable() || !required;
        let same = rust_type(self.schemas.old, old).ok() == rust_type(self.schemas.new, new).ok()
            && optional(old, walk.required.0) == optional(new, walk.required.1);
        if same {
            verdict.rust_api = Some(RustApi::None);
        }
        verdict
    }

    pub(super) fn add(
        &mut self,
        walk: &Walk,
        aspect: &str,
        schemas: (&Schema<'a>, &Schema<'a>),
        key: &str,
        values: [Value; 2],
    ) {
        self.verdict(walk, aspect, schemas, key, values, walk.verdict());
    }

    pub(super) fn verdict(
        &mut self,
        walk: &Walk,
        aspect: &str,
        schemas: (&Schema<'a>, &Schema<'a>),
        key: &str,
        values: [Value; 2],
        verdict: Verdict,
    ) {
        let place = Self::place(walk, schemas, key);
        self.finish(walk, aspect, place, values, verdict);
    }

    pub(super) fn finish(
        &mut self,
        walk: &Walk,
        aspect: &str,
        place: Place,
        [old, new]: [Value; 2],
        verdict: Verdict,
    ) {
        let id = format!("{}-{aspect}", walk.place.prefix());
        self.findings.add(&id, place, old, new, verdict);
    }

    pub(super) fn place(walk: &Walk, (old, new): (&Schema<'a>, &Schema<'a>), key: &str) -> Place {
        // What is gone is looked up in the old document.
        let location = if new.get(key).is_none() && old.get(key).is_some() {
            old.at(key)
        } else {
            new.at(key)
        };
        Place {
            operation: walk.operation.clone(),
            subject: walk.subject.clone(),
            location,
            covers: vec![old.at(key), new.at(key)],
        }
    }
}

/// A keyword as it is reported.
pub(super) fn or_null(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or(Value::Null)
}
