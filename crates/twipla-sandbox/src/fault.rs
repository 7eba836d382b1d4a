//! Faults: what goes wrong, for which requests, how often and when.

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use twipla_api::operations;

use crate::error::Error;

/// The longest delay, and the latest late commit.
const MAX_DELAY: Duration = Duration::from_secs(3600);
/// The largest clock skew in seconds: a hundred years.
const MAX_SKEW: u64 = 100 * 365 * 24 * 3600;
/// The largest rate per second, and the largest burst.
const MIN_RATE: f64 = 0.001;
const MAX_RATE: f64 = 1_000_000.0;
/// Headers that determine where a body ends, which only the server can set.
const FRAMING: &[&str] = &["content-length", "transfer-encoding"];
/// The longest body of a status fault.
const MAX_BODY: usize = 1024 * 1024;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[non_exhaustive]
pub enum FaultKind {
    /// The server responds with this status instead of the real response.
    Status {
        /// Status code, from 200 to 599.
        code: u16,
        /// Headers to add.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body, sent as JSON if it is valid JSON.
        #[serde(default)]
        body: String,
    },
    /// A gateway in front of the server responds with this status (502 to 504,
    /// 520 to 524, or 530) and an HTML page.
    Gateway(u16),
    /// A gateway limits the rate of requests with a token bucket, and responds
    /// to the others with 429 and `Retry-After` in whole seconds.
    RateLimit {
        /// Sustained requests per second.
        per_second: f64,
        /// Requests allowed in one burst.
        burst: u32,
    },
    /// The response is delayed; in JSON by this many milliseconds.
    Delay(#[serde(with = "millis")] Duration),
    /// The server reads the request and never responds.
    Hang,
    /// The connection closes before the request is carried out.
    ResetBeforeCommit,
    /// The connection closes after the request was carried out.
    ResetAfterCommit,
    /// The connection closes, and the request is carried out after this delay
    /// (in JSON in milliseconds), when the caller may already have retried.
    LateCommit(#[serde(with = "millis")] Duration),
    /// The server does not respond, and carries out the request after this
    /// delay (in JSON in milliseconds) once the client has closed the
    /// connection.
    CommitAfterHangUp(#[serde(with = "millis")] Duration),
    /// The connection closes after the headers and the first half of the body.
    /// If the response has no body, nothing is sent.
    TruncatedBody,
    /// The body is an HTML page; the status is unchanged.
    HtmlBody,
    /// The body is empty; the status is unchanged.
    EmptyBody,
    /// The body is invalid JSON; the status is unchanged.
    InvalidJson,
    /// This field is removed from the payload, or from each entry of a list.
    MissingField(String),
    /// The enums of the payload have values that are not in the contract.
    UnknownEnumValue,
    /// 204 without a body, even if the contract documents a body.
    NoContent,
    /// The server's clock, which sets the `Date` header and validates tokens,
    /// is off by this many seconds.
    ClockSkew(i64),
    /// The token of the request counts as expired: 401 for this request and for
    /// every later one with the same token. A token less than two seconds old
    /// is still accepted afterwards: a client that refreshed its token in the
    /// same second sends an identical one, because RS256 signatures of the same
    /// claims are identical.
    ExpiredToken,
}

/// Whether a fault strikes before or after the request is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Moment {
    BeforeCommit,
    AfterCommit,
    /// Chosen at random for each request.
    Either,
}

/// What goes wrong, for which requests, and how often. Faults are created in
/// code, or sent as JSON to `/__sandbox/faults`.
///
/// ```
/// use twipla_sandbox::{Fault, FaultKind};
///
/// let once = Fault::new(FaultKind::ResetAfterCommit).operation("create_website").times(1);
/// let now_and_then = Fault::new(FaultKind::HtmlBody).probability(0.1, 42);
/// let done_but_not_told = Fault::new(FaultKind::Gateway(524)).after_commit();
/// # let _ = (once, now_and_then, done_but_not_told);
/// ```
///
/// In JSON, the fields are `kind`, `operation`, `times`, `probability`, `seed`
/// and `moment` (`"beforeCommit"`, `"afterCommit"` or `"either"`), and only
/// `kind` is required:
///
/// ```json
/// {"kind": {"gateway": 524}, "operation": "create_website", "times": 1, "moment": "afterCommit"}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) operation: Option<String>,
    pub(crate) times: Option<u64>,
    pub(crate) probability: Option<f64>,
    #[serde(default)]
    pub(crate) seed: u64,
    pub(crate) moment: Option<Moment>,
}

impl Fault {
    /// Creates a fault that strikes every request until it is cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            times: None,
            probability: None,
            seed: 0,
            moment: None,
        }
    }

    /// Limits the fault to requests of the operation with this `operationId`.
    #[must_use]
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = Some(id.into());
        self
    }

    /// Limits how often the fault strikes.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Makes the fault strike with this probability (more than 0, at most 1). The same seed gives
    /// the same sequence of strikes.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = Some(probability);
        self.seed = seed;
        self
    }

    /// Makes the fault strike after the request was carried out. Only for the
    /// kinds `Status`, `Gateway`, `Delay` and `Hang`, which strike before it by
    /// default.
    #[must_use]
    pub fn after_commit(mut self) -> Self {
        self.moment = Some(Moment::AfterCommit);
        self
    }

    /// Makes the fault strike before or after the request is carried out, with
    /// equal probability, seeded by [`Fault::probability`]. For the same kinds
    /// as [`Fault::after_commit`].
    #[must_use]
    pub fn before_or_after_commit(mut self) -> Self {
        self.moment = Some(Moment::Either);
        self
    }

    /// Validates what the types do not rule out.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.kind.validate()?;
        if let Some(id) = &self.operation
            && !operations::ALL.iter().any(|operation| operation.id == id)
        {
            return Err(invalid(format!(
                "unknown operation {id:?}: expected an operationId of the contract, such as get_website"
            )));
        }
        if self.times == Some(0) {
            return Err(invalid("invalid times 0: expected at least 1"));
        }
        if let Some(probability) = self.probability {
            if !(probability > 0.0 && probability <= 1.0) {
                return Err(invalid(format!(
                    "invalid probability {probability}: expected more than 0 and at most 1"
                )));
            }
            if matches!(self.kind, FaultKind::RateLimit { .. }) {
                return Err(invalid(
                    "invalid probability: rateLimit does not accept one, because the rate selects the requests",
                ));
            }
        }
        let has_choice = matches!(
            self.kind,
            FaultKind::Status { .. }
                | FaultKind::Gateway(_)
                | FaultKind::Delay(_)
                | FaultKind::Hang
        );
        if self.moment.is_some() && !has_choice {
            return Err(invalid(
                "invalid moment: only status, gateway, delay and hang accept one",
            ));
        }
        Ok(())
    }
}

impl FaultKind {
    fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Status {
                code,
                headers,
                body,
            } => {
                if !(200..600).contains(code) {
                    return Err(invalid(format!("invalid code {code}: expected 200 to 599")));
                }
                if body.len() > MAX_BODY {
                    return Err(invalid("invalid body: expected at most 1 MiB"));
                }
                for (name, value) in headers {
                    if HeaderName::from_bytes(name.as_bytes()).is_err()
                        || HeaderValue::from_str(value).is_err()
                    {
                        return Err(invalid(format!(
                            "invalid header {name:?}: expected a name and a value that HTTP allows"
                        )));
                    }
                    if FRAMING.contains(&name.to_ascii_lowercase().as_str()) {
                        return Err(invalid(format!(
                            "invalid header {name:?}: the server sets it: use truncatedBody for a body that ends early"
                        )));
                    }
                }
            }
            Self::Gateway(code) if !matches!(code, 502..=504 | 520..=524 | 530) => {
                return Err(invalid(format!(
                    "invalid gateway status {code}: expected 502 to 504, 520 to 524 or 530"
                )));
            }
            Self::RateLimit { per_second, burst } => {
                if !(MIN_RATE..=MAX_RATE).contains(per_second) {
                    return Err(invalid(format!(
                        "invalid perSecond {per_second}: expected {MIN_RATE} to {MAX_RATE}"
                    )));
                }
                if *burst == 0 || f64::from(*burst) > MAX_RATE {
                    return Err(invalid(format!(
                        "invalid burst {burst}: expected 1 to {MAX_RATE}"
                    )));
                }
            }
            Self::Delay(time) | Self::LateCommit(time) | Self::CommitAfterHangUp(time)
                if *time > MAX_DELAY =>
            {
                return Err(invalid(format!(
                    "invalid time {} ms: expected at most an hour",
                    time.as_millis()
                )));
            }
            Self::MissingField(name) if name.is_empty() => {
                return Err(invalid(
                    "invalid missingField: expected the name of a field",
                ));
            }
            Self::ClockSkew(seconds) if seconds.unsigned_abs() > MAX_SKEW => {
                return Err(invalid(format!(
                    "invalid clockSkew {seconds}: expected at most {MAX_SKEW} seconds either way"
                )));
            }
            _ => {}
        }
        Ok(())
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(message)
}

/// Serialises durations as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses and validates a fault as the control endpoint does.
    fn parse(json: &str) -> Result<Fault, String> {
        let fault: Fault = serde_json::from_str(json).map_err(|error| error.to_string())?;
        fault.validate().map_err(|error| error.to_string())?;
        Ok(fault)
    }

    #[test]
    fn fault_round_trips_through_json() {
        for json in [
            r#"{"kind":"hang"}"#,
            r#"{"kind":{"delay":50},"operation":"get_website","times":1,"moment":"either"}"#,
            r#"{"kind":{"status":{"code":503,"headers":[["retry-after","1"]]}},"probability":0.5,"seed":7}"#,
            r#"{"kind":{"missingField":"domain"}}"#,
            r#"{"kind":{"gateway":524},"moment":"afterCommit"}"#,
            r#"{"kind":{"rateLimit":{"perSecond":0.5,"burst":2}}}"#,
            r#"{"kind":{"lateCommit":250}}"#,
            r#"{"kind":{"commitAfterHangUp":250}}"#,
        ] {
            let fault = parse(json).unwrap();
            let written = serde_json::to_string(&fault).unwrap();
            assert_eq!(parse(&written).unwrap(), fault, "{json}");
        }
    }

    #[test]
    fn invalid_fault_error_names_the_expected_value() {
        for (json, says) in [
            (r#"{"kind":"fire"}"#, "unknown variant `fire`"),
            (
                r#"{"kind":"hang","operatoin":"get_website"}"#,
                "unknown field `operatoin`",
            ),
            (
                r#"{"kind":{"status":{"code":500,"delay":1}}}"#,
                "unknown field `delay`",
            ),
            (
                r#"{"kind":{"rateLimit":{"perSecond":1,"burst":1,"per":"minute"}}}"#,
                "unknown field `per`",
            ),
            (r#"{"operation":"get_website"}"#, "missing field `kind`"),
            (
                r#"{"kind":"hang","operation":"get_site"}"#,
                r#"unknown operation "get_site""#,
            ),
            (
                r#"{"kind":"hang","probability":1.5}"#,
                "invalid probability 1.5: expected more than 0 and at most 1",
            ),
            (r#"{"kind":"hang","times":-1}"#, "invalid value"),
            (
                r#"{"kind":{"status":{"code":99}}}"#,
                "invalid code 99: expected 200 to 599",
            ),
            (r#"{"kind":{"status":{"code":70000}}}"#, "invalid value"),
            (
                r#"{"kind":{"status":{"code":200,"headers":[["a b","c"]]}}}"#,
                r#"invalid header "a b""#,
            ),
            (
                r#"{"kind":{"gateway":418}}"#,
                "invalid gateway status 418: expected 502 to 504",
            ),
            (
                r#"{"kind":{"rateLimit":{"perSecond":0,"burst":1}}}"#,
                "invalid perSecond 0",
            ),
            (
                r#"{"kind":{"rateLimit":{"perSecond":1e-300,"burst":1}}}"#,
                "expected 0.001 to 1000000",
            ),
            (
                r#"{"kind":{"status":{"code":200,"headers":[["Content-Length","5"]]}}}"#,
                r#"invalid header "Content-Length": the server sets it"#,
            ),
            (
                r#"{"kind":{"status":{"code":200,"headers":[["transfer-encoding","chunked"]]}}}"#,
                r#"invalid header "transfer-encoding": the server sets it"#,
            ),
            (
                r#"{"kind":{"rateLimit":{"perSecond":1,"burst":0}}}"#,
                "invalid burst 0",
            ),
            (
                r#"{"kind":{"rateLimit":{"perSecond":1,"burst":1}},"probability":0.5}"#,
                "invalid probability: rateLimit",
            ),
            (
                r#"{"kind":{"delay":99999999999}}"#,
                "expected at most an hour",
            ),
            (
                r#"{"kind":{"lateCommit":99999999999}}"#,
                "expected at most an hour",
            ),
            (
                r#"{"kind":{"clockSkew":9223372036854775807}}"#,
                "invalid clockSkew",
            ),
            (
                r#"{"kind":{"clockSkew":-9223372036854775808}}"#,
                "invalid clockSkew",
            ),
            (
                r#"{"kind":{"missingField":""}}"#,
                "expected the name of a field",
            ),
            (
                r#"{"kind":"htmlBody","moment":"afterCommit"}"#,
                "invalid moment",
            ),
            (
                r#"{"kind":"hang","moment":"never"}"#,
                "unknown variant `never`",
            ),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(says), "{json}: {error}");
        }
    }

    #[test]
    fn fault_that_would_never_strike_is_rejected() {
        for (json, says) in [
            (
                r#"{"kind":"hang","probability":0}"#,
                "invalid probability 0: expected more than 0",
            ),
            (
                r#"{"kind":"hang","times":0}"#,
                "invalid times 0: expected at least 1",
            ),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(says), "{json}: {error}");
        }
    }
}
