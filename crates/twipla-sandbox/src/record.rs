//! What came in, for tests to look at. Secrets are cut out on the way in.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::server::Incoming;

/// Older requests make room for newer ones.
const KEPT: usize = 100_000;
/// Headers and fields that hold credentials.
const SECRETS: &[&str] = &[
    "authorization",
    "x-api-key",
    "apiKey",
    "token",
    "refreshToken",
];

/// One request, as it came.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// `operationId` in the contract; `None` for a path that has none.
    pub operation: Option<&'static str>,
    /// HTTP method.
    pub method: String,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query without the question mark, still percent-encoded.
    pub query: String,
    /// Headers, with lower-case names; credentials read `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// Body, if it was JSON; credentials read `<redacted>`.
    pub body: Option<Value>,
    /// Status of the answer; 0 where there was none.
    pub status: u16,
}

impl RecordedRequest {
    pub(crate) fn new(request: &Incoming, operation: Option<&'static str>, status: u16) -> Self {
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
            query: request.query.clone(),
            headers: headers.collect(),
            body,
            status,
        }
    }
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

/// The requests so far.
#[derive(Default)]
pub(crate) struct Records(Mutex<VecDeque<RecordedRequest>>);

impl Records {
    pub(crate) fn add(&self, request: RecordedRequest) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(request);
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
