//! Faults on request: what networks and servers do to a client on a bad day.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum FaultKind {
    /// The server answers with this status and does nothing else.
    Status {
        /// Status code.
        code: u16,
        /// Headers to add.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Body, sent as JSON if it is JSON.
        #[serde(default)]
        body: String,
    },
    /// The work and its response are delayed; in JSON by this many milliseconds.
    Delay(#[serde(deserialize_with = "millis")] Duration),
    /// The request is read and never answered.
    Hang,
    /// The connection closes before the request is carried out.
    ResetBeforeCommit,
    /// The connection closes after the request was carried out.
    ResetAfterCommit,
    /// The body ends in the middle.
    TruncatedBody,
    /// The body is a page of HTML; the status stays.
    HtmlBody,
    /// The body is empty; the status stays.
    EmptyBody,
    /// The body is broken JSON; the status stays.
    InvalidJson,
    /// This field is missing from the payload, or from each entry of a list.
    MissingField(String),
    /// The enums of the payload have a value that is not in the contract.
    UnknownEnumValue,
    /// 204 without a body, even if the contract has one.
    NoContent,
    /// The `Date` header is this many seconds off, and tokens are judged by that clock.
    ClockSkew(i64),
    /// The token of the request counts as expired: 401, in this request and in
    /// every later one that carries the same token. A token that could have been
    /// signed again is refused once it is two seconds old: until then, a client
    /// that replaced its token may be sending the same one (RS256 gives the same
    /// token for the same claims).
    ExpiredToken,
}

/// What goes wrong, for which requests, and how often. Built in code, or sent
/// as JSON to `/__sandbox/faults`.
///
/// ```
/// use twipla_sandbox::{Fault, FaultKind};
///
/// let once = Fault::new(FaultKind::ResetAfterCommit).operation("create_website").times(1);
/// let now_and_then = Fault::new(FaultKind::HtmlBody).probability(0.1, 42);
/// # let _ = (once, now_and_then);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    kind: FaultKind,
    operation: Option<String>,
    times: Option<u64>,
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
}

impl Fault {
    /// Strikes every request until it is cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            times: None,
            probability: None,
            seed: 0,
        }
    }

    /// Strikes only requests of the operation with this `operationId`.
    #[must_use]
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = Some(id.into());
        self
    }

    /// Strikes this many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Strikes with this probability (0 to 1); the same seed gives the same strikes.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = Some(probability);
        self.seed = seed;
        self
    }
}

/// The faults in force.
#[derive(Default)]
pub(crate) struct Faults(Vec<(Fault, StdRng)>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let random = StdRng::seed_from_u64(fault.seed);
        self.0.push((fault, random));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that strikes a request, if any; the one injected first wins.
    pub(crate) fn next_fault(&mut self, operation: Option<&str>) -> Option<FaultKind> {
        self.0.retain(|(fault, _)| fault.times != Some(0));
        for (fault, random) in &mut self.0 {
            if fault.operation.is_some() && fault.operation.as_deref() != operation {
                continue;
            }
            if let Some(probability) = fault.probability
                && random.random::<f64>() >= probability
            {
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            return Some(fault.kind.clone());
        }
        None
    }
}

fn millis<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_strikes_its_operation_as_often_as_requested() {
        let mut faults = Faults::default();
        faults.add(Fault::new(FaultKind::Hang).operation("a").times(2));
        assert_eq!(faults.next_fault(Some("b")), None);
        assert_eq!(faults.next_fault(None), None);
        assert_eq!(faults.next_fault(Some("a")), Some(FaultKind::Hang));
        assert_eq!(faults.next_fault(Some("a")), Some(FaultKind::Hang));
        assert_eq!(faults.next_fault(Some("a")), None);
    }

    #[test]
    fn same_seed_gives_the_same_strikes() {
        let strikes = |seed| {
            let mut faults = Faults::default();
            faults.add(Fault::new(FaultKind::Hang).probability(0.3, seed));
            (0..1000)
                .map(|_| faults.next_fault(None).is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(strikes(1), strikes(1));
        assert_ne!(strikes(1), strikes(2));
        let hits = strikes(1).into_iter().filter(|hit| *hit).count();
        assert!((200..400).contains(&hits), "{hits}");
    }

    #[test]
    fn fault_is_read_from_json() {
        for json in [
            r#"{"kind":"hang"}"#,
            r#"{"kind":{"delay":50},"operation":"get_website","times":1}"#,
            r#"{"kind":{"status":{"code":503,"headers":[["retry-after","1"]]}},"probability":0.5,"seed":7}"#,
            r#"{"kind":{"missingField":"domain"}}"#,
        ] {
            serde_json::from_str::<Fault>(json).unwrap();
        }
    }
}
