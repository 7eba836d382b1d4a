//! The log of requests, for tests. Secrets are removed before a request is stored.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::message::HttpRequest;

/// When full, the oldest requests are dropped.
const CAPACITY: usize = 100_000;
/// Headers, fields and query parameters that contain credentials.
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

/// A request that the sandbox received.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// `operationId` in the contract; `None` if the request matches no operation.
    pub operation: Option<&'static str>,
    /// The HTTP method.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without the question mark, still percent-encoded, with credentials replaced by
    /// `<redacted>`.
    pub query: String,
    /// The headers with lower-case names, with credentials replaced by
    /// `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// The body if it was JSON, with credentials replaced by `<redacted>`.
    pub body: Option<Value>,
    /// The status of the response; 0 if there was none.
    pub status: u16,
    /// When the request arrived, by the server's clock.
    pub at: DateTime<Utc>,
    /// How long the response took; in JSON `ms`, in whole milliseconds.
    #[serde(rename = "ms", serialize_with = "millis")]
    pub duration: Duration,
    /// The number of the request, counted from 1.
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
            // Set when the request is added to the log.
            number: 0,
        }
    }
}

fn millis<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn without_secrets(query: &str) -> String {
    // The name may be percent-encoded.
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

    /// Returns the last `count` requests, newest first.
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
