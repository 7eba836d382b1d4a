//! Faults on request: what a network and a tired server do to a client.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum FaultKind {
    /// The server answers so, and does nothing.
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
    /// The answer comes this much later, in milliseconds.
    Delay(#[serde(deserialize_with = "millis")] Duration),
    /// The request is taken and never answered.
    Hang,
    /// The connection closes before the server does anything.
    ResetBeforeCommit,
    /// The connection closes after the server did what was asked.
    ResetAfterCommit,
    /// The body ends in the middle.
    TruncatedBody,
    /// A page of HTML in place of the answer, with its status.
    HtmlBody,
    /// No body in place of the answer, with its status.
    EmptyBody,
    /// Broken JSON in place of the answer, with its status.
    InvalidJson,
    /// A field of the payload (of each entry, in a list) is left out.
    MissingField(String),
    /// Enums of the payload have a value that no contract knows.
    UnknownEnumValue,
    /// 204 without a body where the contract has one.
    NoContent,
    /// The `Date` header is this many seconds off, and tokens are judged by that clock.
    ClockSkew(i64),
    /// The token counts as expired.
    ExpiredToken,
}

/// A fault, where it strikes and how often. Made in code or sent to `/__sandbox/faults`.
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
    /// Strikes every request, until it is cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            times: None,
            probability: None,
            seed: 0,
        }
    }

    /// Only requests of this operation, by its `operationId`.
    #[must_use]
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = Some(id.into());
        self
    }

    /// This often, and then no more.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// By chance (0 to 1), the same for the same seed.
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

    /// The fault that strikes a request, if any; the first one in order of arrival.
    pub(crate) fn strike(&mut self, operation: Option<&str>) -> Option<FaultKind> {
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
    fn a_fault_strikes_its_operation_as_often_as_it_was_told() {
        let mut faults = Faults::default();
        faults.add(Fault::new(FaultKind::Hang).operation("a").times(2));
        assert_eq!(faults.strike(Some("b")), None);
        assert_eq!(faults.strike(None), None);
        assert_eq!(faults.strike(Some("a")), Some(FaultKind::Hang));
        assert_eq!(faults.strike(Some("a")), Some(FaultKind::Hang));
        assert_eq!(faults.strike(Some("a")), None);
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let strikes = |seed| {
            let mut faults = Faults::default();
            faults.add(Fault::new(FaultKind::Hang).probability(0.3, seed));
            (0..1000)
                .map(|_| faults.strike(None).is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(strikes(1), strikes(1));
        assert_ne!(strikes(1), strikes(2));
        let hits = strikes(1).into_iter().filter(|hit| *hit).count();
        assert!((200..400).contains(&hits), "{hits}");
    }

    #[test]
    fn faults_are_read_from_json() {
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
