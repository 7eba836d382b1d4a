//! The result of a rule, and its conversion to an HTTP response.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::message::HttpResponse;

/// A reply, or an error of the API.
pub(crate) type ApiResult = Result<Reply, ApiError>;

/// A reply of the API.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

/// The body of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Html(String),
    /// A page, script or style for a browser, with security headers.
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

    /// Wraps `payload` in the API's envelope.
    pub(crate) fn payload(status: u16, payload: &impl Serialize) -> ApiResult {
        Self::json(status, &json!({ "payload": value(payload)? }))
    }

    /// Wraps `payload` and `meta` in the API's envelope.
    pub(crate) fn page(payload: &impl Serialize, meta: &impl Serialize) -> ApiResult {
        Self::json(
            200,
            &json!({ "payload": value(payload)?, "meta": value(meta)? }),
        )
    }

    /// JSON without the envelope.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> ApiResult {
        Ok(Self {
            status,
            body: Body::Json(value(body)?),
        })
    }

    /// Converts the reply into a response with this `Date`.
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

/// Writes JSON as the real server, which runs on Node.js (inferred): integers
/// have no fraction, and times always have milliseconds. Typed clients rely on
/// both.
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
                // Fields with times have such names; other strings are left
                // unchanged.
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

/// Returns the integer that a number represents, if a double holds it exactly.
fn whole(number: f64) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation)]
    let whole = number as i64;
    (number.fract() == 0.0 && number.abs() <= LARGEST).then_some(whole)
}

/// An error response of the API.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    message: String,
    shape: Shape,
}

/// The forms of error bodies that clients of this API are known to handle. Each
/// family of operations has its own.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// `{status, message, code, error}`: operations with the partner's token,
    /// and the login.
    Full,
    /// `{error}`: five operations whose errors are documented, and rejected
    /// tokens.
    Short,
    /// `{message}`: operations with an API key.
    Data,
    /// `{error: {code, message}}`: an operation with an API key that cannot
    /// process a query.
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

    /// A subscription change that a rule forbids: the server responds with 500
    /// where 400 would be correct.
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

    /// Converts the error to the short form, which five operations use.
    pub(crate) fn short(mut self) -> Self {
        if matches!(self.shape, Shape::Full) {
            self.shape = Shape::Short;
        }
        self
    }

    /// Converts the error to the form of operations with an API key.
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

/// Returns 1004 for a missing website (observed). No other code is known, so
/// the others repeat the status.
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
