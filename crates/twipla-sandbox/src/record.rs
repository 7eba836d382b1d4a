//! The log of requests, for tests. Secrets are removed before a request is stored.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::message::HttpRequest;

/// The oldest requests make room for new ones.
const CAPACITY: usize = 100_000;
/// Headers, fields and parameters of a query that hold credentials.
const SECRETS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "apiKey",
    "token",
    "refreshToken",
    "intpc_token",
    "intpcToken",
    "websiteToken",
];

/// A request as the sandbox received it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// `operationId` in the contract; `None` if the request matches no operation.
    pub operation: Option<&'static str>,
    /// HTTP method.
    pub method: String,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query without the question mark, still percent-encoded; credentials read `<redacted>`.
    pub query: String,
    /// Headers, with lower-case names; credentials read `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// Body, if it was JSON; credentials read `<redacted>`.
    pub body: Option<Value>,
    /// Status of the response; 0 if none was sent.
    pub status: u16,
    /// When it arrived, by the server's clock.
    pub at: DateTime<Utc>,
    /// How long it took to answer; in JSON as `ms`, in whole milliseconds.
    #[serde(rename = "ms", serialize_with = "millis")]
    pub duration: Duration,
    /// Counts the requests of this sandbox from 1.
    pub number: u64,
}

impl RecordedRequest {
    pub(crate) fn new(
        request: &HttpRequest,
        operation: Option<&'static str>,
        status: u16,
        at: DateTime<Utc>,
        duration: Duration,
    ) -> Self {
        let headers = request.headers.iter().map(|(name, value)| {
            let value = if SECRETS.contains(&name.as_str()) {
                "<redacted>"
            } else {
                value
            };
            (name.clone(), value.to_owned())
        });
        let mut body = serde_json::from_slice(&request.body).ok();
        if let Some(body) = &mut body {
            redact(body);
        }
        Self {
            operation,
            method: request.method.clone(),
            path: request.path.clone(),
            query: without_secrets(&request.query),
            headers: headers.collect(),
            body,
            status,
            at,
            duration,
            // The log counts.
            number: 0,
        }
    }
}

fn millis<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn without_secrets(query: &str) -> String {
    // A name may be percent-encoded, and means the same then.
    let is_secret = |name: &str| {
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        SECRETS.contains(&name.as_ref())
    };
    let shown = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=<redacted>"),
        _ => pair.to_owned(),
    };
    query.split('&').map(shown).collect::<Vec<_>>().join("&")
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if SECRETS.contains(&name.as_str()) {
                    *value = Value::from("<redacted>");
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// The requests so far, oldest first.
#[derive(Default)]
pub(crate) struct RequestLog {
    requests: VecDeque<RecordedRequest>,
    added: u64,
}

impl RequestLog {
    pub(crate) fn add(&mut self, mut request: RecordedRequest) {
        if self.requests.len() == CAPACITY {
            self.requests.pop_front();
        }
        self.added += 1;
        request.number = self.added;
        self.requests.push_back(request);
    }

    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// The last so many, newest first.
    pub(crate) fn last(&self, count: usize) -> impl Iterator<Item = &RecordedRequest> {
        self.requests.iter().rev().take(count)
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.requests.clear();
    }
}
