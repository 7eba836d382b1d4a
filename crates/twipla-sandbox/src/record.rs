//! The log of requests, for tests. Secrets are removed before a request is stored.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use crate::message::HttpRequest;

/// The oldest requests make room for new ones.
const CAPACITY: usize = 100_000;
/// Headers and fields that hold credentials.
const SECRETS: &[&str] = &[
    "authorization",
    "x-api-key",
    "apiKey",
    "token",
    "refreshToken",
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
    /// Query without the question mark, still percent-encoded.
    pub query: String,
    /// Headers, with lower-case names; credentials read `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// Body, if it was JSON; credentials read `<redacted>`.
    pub body: Option<Value>,
    /// Status of the response; 0 if none was sent.
    pub status: u16,
}

impl RecordedRequest {
    pub(crate) fn new(request: &HttpRequest, operation: Option<&'static str>, status: u16) -> Self {
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

/// The requests so far, oldest first.
#[derive(Default)]
pub(crate) struct RequestLog(VecDeque<RecordedRequest>);

impl RequestLog {
    pub(crate) fn add(&mut self, request: RecordedRequest) {
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(request);
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.0.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
