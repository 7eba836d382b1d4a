//! What a rule returns, and how it becomes an HTTP response.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::message::HttpResponse;

/// A reply, or the error that the API answers with.
pub(crate) type ApiResult = Result<Reply, ApiError>;

/// A reply of the API.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

/// Body of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Html(String),
    /// A page, script or style for a browser, with the headers that guard it.
    File {
        content_type: &'static str,
        headers: &'static [(&'static str, &'static str)],
        text: String,
    },
}

impl Reply {
    /// 204.
    pub(crate) fn done() -> Self {
        Self {
            status: 204,
            body: Body::Empty,
        }
    }

    /// `payload` in its envelope.
    pub(crate) fn payload(status: u16, payload: &impl Serialize) -> ApiResult {
        Self::json(status, &json!({ "payload": value(payload)? }))
    }

    /// `payload` and `meta` in their envelope.
    pub(crate) fn page(payload: &impl Serialize, meta: &impl Serialize) -> ApiResult {
        Self::json(
            200,
            &json!({ "payload": value(payload)?, "meta": value(meta)? }),
        )
    }

    /// JSON without an envelope.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> ApiResult {
        Ok(Self {
            status,
            body: Body::Json(value(body)?),
        })
    }

    /// The response to send; `date` is what the server's clock shows.
    pub(crate) fn into_response(self, date: DateTime<Utc>) -> HttpResponse {
        let mut guards: &[(&str, &str)] = &[];
        let (content_type, body) = match self.body {
            Body::Empty => (None, Vec::new()),
            Body::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
            Body::Html(text) => (Some("text/html; charset=utf-8"), text.into_bytes()),
            Body::File {
                content_type,
                headers,
                text,
            } => {
                guards = headers;
                (Some(content_type), text.into_bytes())
            }
        };
        let headers = guards
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        HttpResponse {
            status: self.status,
            content_type,
            headers: headers.collect(),
            body,
            cut_at: None,
            date,
        }
    }
}

fn value(of: &impl Serialize) -> Result<Value, ApiError> {
    let mut value = serde_json::to_value(of)
        .map_err(|error| ApiError::new(500, format!("cannot serialise the reply: {error}")))?;
    write_as_javascript(&mut value);
    Ok(value)
}

/// The real server runs on Node.js (inferred): a whole number has no fraction,
/// and a time always has milliseconds. Typed clients rely on both.
fn write_as_javascript(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().and_then(whole) {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_as_javascript),
        Value::Object(fields) => {
            for (name, field) in fields {
                // Times have such names; other texts are somebody's and stay as they are.
                if let Value::String(text) = field {
                    if name.ends_with("At")
                        && let Ok(time) = DateTime::parse_from_rfc3339(text)
                    {
                        let time = time.with_timezone(&Utc);
                        *text = time.to_rfc3339_opts(SecondsFormat::Millis, true);
                    }
                } else {
                    write_as_javascript(field);
                }
            }
        }
        _ => {}
    }
}

/// The whole number that a number is, if a double holds it exactly.
fn whole(number: f64) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation)]
    let whole = number as i64;
    (number.fract() == 0.0 && number.abs() <= LARGEST).then_some(whole)
}

/// An error that the API answers with.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    message: String,
    shape: Shape,
}

/// The shapes of error bodies that clients of this API are known to handle.
/// Each family of operations has one.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// `{status, message, code, error}`: what needs the partner's token, and the login.
    Full,
    /// `{error}`: five operations whose errors are documented, and refused tokens.
    Short,
    /// `{message}`: what needs an API key.
    Data,
    /// `{error: {code, message}}`: a query that such an operation cannot answer.
    Coded(&'static str),
}

impl ApiError {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            shape: Shape::Full,
        }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(404, format!("{what} {id} not found"))
    }

    /// A broken rule of subscriptions: the server answers 500 where 400 would be right.
    pub(crate) fn rule(message: impl Into<String>) -> Self {
        Self::new(500, message)
    }

    pub(crate) fn token() -> Self {
        Self {
            status: 401,
            message: "invalid access token".to_owned(),
            shape: Shape::Short,
        }
    }

    pub(crate) fn data(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            shape: Shape::Data,
        }
    }

    pub(crate) fn coded(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 422,
            message: message.into(),
            shape: Shape::Coded(code),
        }
    }

    /// The same error in the short shape, which five operations use.
    pub(crate) fn short(mut self) -> Self {
        if matches!(self.shape, Shape::Full) {
            self.shape = Shape::Short;
        }
        self
    }

    /// The same error as an operation that needs an API key tells it.
    pub(crate) fn of_data(mut self) -> Self {
        if matches!(self.shape, Shape::Full) {
            self.shape = Shape::Data;
        }
        self
    }

    pub(crate) fn into_reply(self) -> Reply {
        let message = self.message;
        let body = match self.shape {
            Shape::Full => json!({
                "status": self.status,
                "message": message,
                "code": code(self.status),
                "error": reason(self.status),
            }),
            Shape::Short => json!({ "error": message }),
            Shape::Data => json!({ "message": message }),
            Shape::Coded(code) => json!({ "error": { "code": code, "message": message } }),
        };
        Reply {
            status: self.status,
            body: Body::Json(body),
        }
    }
}

/// A website that is not there has 1004 (observed). No other code is known, so
/// the others say no more than the status does.
fn code(status: u16) -> u16 {
    match status {
        404 => 1004,
        other => other,
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        415 => "Unsupported Media Type",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
