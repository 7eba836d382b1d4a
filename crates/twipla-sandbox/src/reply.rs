//! What the rules answer, before it becomes HTTP.

use serde::Serialize;
use serde_json::{Value, json};

/// A success, or the way in which the request was refused.
pub(crate) type Answer = Result<Reply, Refusal>;

/// A success.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

/// Body of a reply.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Html(String),
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
    pub(crate) fn payload(status: u16, payload: &impl Serialize) -> Answer {
        Self::json(status, &json!({ "payload": value(payload)? }))
    }

    /// `payload` and `meta` in their envelope.
    pub(crate) fn page(payload: &impl Serialize, meta: &impl Serialize) -> Answer {
        Self::json(
            200,
            &json!({ "payload": value(payload)?, "meta": value(meta)? }),
        )
    }

    /// JSON without an envelope.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Answer {
        Ok(Self {
            status,
            body: Body::Json(value(body)?),
        })
    }

    pub(crate) fn html(status: u16, body: String) -> Self {
        Self {
            status,
            body: Body::Html(body),
        }
    }
}

fn value(of: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(of)
        .map_err(|error| Refusal::new(500, format!("the sandbox cannot write its answer: {error}")))
}

/// Why a request was refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    message: String,
    shape: Shape,
}

/// The shapes of error bodies that clients of this API were seen to handle.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// `{status, message, code, error}`
    Full,
    /// `{error}`
    Short,
    /// `{message}`
    Data,
    /// `{error: {code, message}}`
    Coded(&'static str),
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            shape: Shape::Full,
        }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(404, format!("{what} {id} not found"))
    }

    /// A rule of the subscription: the server answers 500 where 400 would be meant.
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

    /// The same in the short shape, which five operations have.
    pub(crate) fn short(mut self) -> Self {
        if matches!(self.shape, Shape::Full) {
            self.shape = Shape::Short;
        }
        self
    }

    pub(crate) fn into_reply(self) -> Reply {
        let message = self.message;
        let body = match self.shape {
            Shape::Full => json!({
                "status": self.status,
                "message": message,
                "code": 1000 + u32::from(self.status) % 100,
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

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Internal Server Error",
    }
}
