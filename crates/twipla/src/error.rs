//! The one error of this crate: opaque, so that it can grow, and told apart by
//! [`Error::kind`] and the `is_*` questions.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use crate::secret::looks_secret;

/// What a fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How much of a reply an error keeps.
const BODY_KEPT: usize = 16 * 1024;
/// How much of a server's text goes into one line.
const MESSAGE_SHOWN: usize = 300;

/// Why a call failed.
///
/// `Display` is one line: the operation, the status, and what the server said.
/// The body that the server sent is kept (its first 16 KiB), for [`Error::body`];
/// neither `Display` nor `Debug` prints it, because replies can carry secrets.
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// match twipla.website("site-7").get().await {
///     Ok(site) => println!("{}", site.domain),
///     Err(error) if error.is_not_found() => println!("no such website yet"),
///     Err(error) => return Err(error),
/// }
/// # Ok(()) }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    code: Option<String>,
    status: Option<StatusCode>,
    operation: Option<&'static str>,
    attempts: u32,
    retry_after: Option<Duration>,
    ambiguous: bool,
    settled: Option<Settled>,
    body: Option<Bytes>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What sort of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument cannot be sent; nothing was.
    InvalidInput,
    /// The client is set up wrongly: a key, an address, an environment variable.
    Configuration,
    /// The signer made no token.
    Signing,
    /// No connection, or it broke.
    Connection,
    /// A deadline passed.
    Timeout,
    /// The server does not accept the token or the API key (401), or not for this (403).
    Auth,
    /// No such resource, or it is another partner's (404, 410).
    NotFound,
    /// The id is in use (409; this API answers 400, and the facade looks before it says so).
    Conflict,
    /// Too many requests (429).
    RateLimited,
    /// The server refused the request (any other 4xx, or a redirect).
    Rejected,
    /// The server failed (5xx). This API also answers 500 where a rule forbids a change of subscription.
    Server,
    /// The reply is not what the contract says: the message names the field.
    Decode,
    /// An API key was made, but the answer with its secret was lost: the
    /// message names the key, which is of no use and should be deleted.
    SecretLost,
}

/// What became of a change of subscription that no answer settled, as the
/// facade read it right afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Settled {
    /// The change is in force.
    Applied,
    /// The change was not in force when the facade looked. It may still come:
    /// [`Error::is_ambiguous`] stays true.
    NotApplied,
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the resource does not exist (or belongs to another partner).
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// Whether the id of a create is in use.
    pub fn is_conflict(&self) -> bool {
        self.0.kind == ErrorKind::Conflict
    }

    /// Whether the token or API key was not accepted.
    pub fn is_auth(&self) -> bool {
        self.0.kind == ErrorKind::Auth
    }

    /// Whether the server asked to slow down.
    pub fn is_rate_limited(&self) -> bool {
        self.0.kind == ErrorKind::RateLimited
    }

    /// Whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Whether an argument was wrong, so that nothing was sent.
    pub fn is_invalid_input(&self) -> bool {
        self.0.kind == ErrorKind::InvalidInput
    }

    /// Whether the server may have carried out the call although it failed here.
    ///
    /// True where a request that changes something was sent and no answer
    /// settled what became of it.
    pub fn is_ambiguous(&self) -> bool {
        self.0.ambiguous
    }

    /// What the facade found when it looked after a change of subscription
    /// that no answer settled. `None` for all other errors, and where the look
    /// failed as well.
    pub fn settled(&self) -> Option<Settled> {
        self.0.settled
    }

    /// HTTP status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// What went wrong, without the operation and the status.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Code of the failure in the server's reply, if it sent one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// `operationId` of the call in the contract.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// How often the request was sent. 0 where nothing left this machine.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the server asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Start of the reply, at most 16 KiB. It may hold what the server considers secret.
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// The server says that it is done, but shows nothing where the contract has a body.
    pub(crate) fn is_success_without_body(&self) -> bool {
        self.0.kind == ErrorKind::Decode
            && self.0.status.is_some_and(|status| status.is_success())
            && self.body().is_some_and(<[u8]>::is_empty)
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            code: None,
            status: None,
            operation: None,
            attempts: 0,
            retry_after: None,
            ambiguous: false,
            settled: None,
            body: None,
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// The error for a reply outside 2xx, whatever shape its body has.
    pub(crate) fn from_reply(
        status: StatusCode,
        body: &Bytes,
        retry_after: Option<Duration>,
    ) -> Self {
        let said = read_error_body(body);
        let kind = match status.as_u16() {
            401 | 403 => ErrorKind::Auth,
            404 | 410 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::RateLimited,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Rejected,
        };
        let message = said.message.unwrap_or_else(|| {
            status
                .canonical_reason()
                .unwrap_or("the server gave no reason")
                .to_lowercase()
        });
        let mut error = Self::new(kind, message).with_body(body);
        error.0.status = Some(status);
        error.0.code = said.code;
        error.0.retry_after = retry_after;
        error
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_ambiguous(mut self, ambiguous: bool) -> Self {
        self.0.ambiguous = ambiguous;
        self
    }

    pub(crate) fn with_settled(mut self, settled: Option<Settled>) -> Self {
        self.0.settled = settled;
        self
    }

    pub(crate) fn with_body(mut self, body: &Bytes) -> Self {
        self.0.body = Some(body.slice(..body.len().min(BODY_KEPT)));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&inner.message)?;
        let mut details = Vec::new();
        if let Some(status) = inner.status {
            details.push(format!("status {}", status.as_u16()));
        }
        if let Some(code) = &inner.code {
            details.push(format!("code {code}"));
        }
        if inner.attempts > 1 {
            details.push(format!("{} attempts", inner.attempts));
        }
        match inner.settled {
            Some(Settled::Applied) => details.push("the change is in force".to_owned()),
            Some(Settled::NotApplied) => details.push("the change is not in force".to_owned()),
            None if inner.ambiguous => {
                details.push("the server may have carried it out".to_owned());
            }
            None => {}
        }
        if details.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", details.join(", "))
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &inner.message)
            .field("operation", &inner.operation)
            .field("status", &inner.status.map(|status| status.as_u16()))
            .field("code", &inner.code)
            .field("attempts", &inner.attempts)
            .field("retry_after", &inner.retry_after)
            .field("ambiguous", &inner.ambiguous)
            .field("settled", &inner.settled)
            .field("body_bytes", &inner.body.as_ref().map(Bytes::len))
            .field("source", &inner.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// What a reply says of its failure.
#[derive(Debug, Default, PartialEq)]
struct Said {
    message: Option<String>,
    code: Option<String>,
}

/// Reads every shape of error body that clients of this API were seen to
/// handle, and plain text and HTML besides. Never fails: a body that says
/// nothing gives nothing.
fn read_error_body(body: &[u8]) -> Said {
    let body = &body[..body.len().min(BODY_KEPT)];
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return Said::default();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => read_error_value(&value, 0),
        Err(_) if text.starts_with('<') => Said {
            message: Some(format!(
                "the server answered with a page, not with JSON: {}",
                one_line(&strip_tags(text))
            )),
            code: None,
        },
        Err(_) => Said {
            message: Some(one_line(text)),
            code: None,
        },
    }
}

fn read_error_value(value: &Value, depth: u8) -> Said {
    let Value::Object(fields) = value else {
        return Said {
            message: scalar(value),
            code: None,
        };
    };
    // `error` is text in one shape and an object with a code in another; some
    // replies wrap everything in `payload`.
    let inner = ["error", "payload"]
        .iter()
        .filter_map(|name| fields.get(*name))
        .find(|value| value.is_object())
        .filter(|_| depth < 3)
        .map(|value| read_error_value(value, depth + 1))
        .unwrap_or_default();
    let message = ["message", "error", "detail", "description", "title"]
        .iter()
        .find_map(|name| fields.get(*name).and_then(scalar))
        .or(inner.message);
    let code = fields.get("code").and_then(scalar).or(inner.code);
    Said {
        message: message.or_else(|| {
            code.as_ref()
                .map(|code| format!("the server gave the code {code}"))
        }),
        code,
    }
}

/// A scalar as one line of text; a list as its scalars, as validation errors come.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(one_line(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().take(8).filter_map(scalar).collect();
            (!parts.is_empty()).then(|| one_line(&parts.join("; ")))
        }
        _ => None,
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        // A server may quote what it refuses.
        line.push_str(if looks_secret(word) { "…" } else { word });
        if line.len() > MESSAGE_SHOWN {
            let cut = (0..=MESSAGE_SHOWN)
                .rev()
                .find(|at| line.is_char_boundary(*at))
                .unwrap_or(0);
            line.truncate(cut);
            line.push('…');
            break;
        }
    }
    line
}

fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> (Option<String>, Option<String>) {
        let said = read_error_body(body.as_bytes());
        (said.message, said.code)
    }

    #[test]
    fn every_known_shape_gives_a_message() {
        for (body, message, code) in [
            (
                r#"{"error":"invalid access token"}"#,
                "invalid access token",
                None,
            ),
            (
                r#"{"status":400,"message":"bad id","code":1004}"#,
                "bad id",
                Some("1004"),
            ),
            (
                r#"{"payload":{"status":404,"message":"gone","title":"T","time":"now","code":7}}"#,
                "gone",
                Some("7"),
            ),
            (
                r#"{"error":{"code":"unknown_metric"}}"#,
                "the server gave the code unknown_metric",
                Some("unknown_metric"),
            ),
            (
                r#"{"error":{"code":"x","message":"no such metric"}}"#,
                "no such metric",
                Some("x"),
            ),
            (r#"{"message":"Unauthorized"}"#, "Unauthorized", None),
            (
                r#"{"message":["a must be set","b too"]}"#,
                "a must be set; b too",
                None,
            ),
            (r#""just text""#, "just text", None),
            ("plain\n text", "plain text", None),
            (
                "<html><h1>502</h1> Bad  Gateway</html>",
                "the server answered with a page, not with JSON: 502 Bad Gateway",
                None,
            ),
        ] {
            assert_eq!(
                said(body),
                (Some(message.to_owned()), code.map(str::to_owned)),
                "{body}"
            );
        }
    }

    #[test]
    fn a_body_that_says_nothing_gives_nothing() {
        for body in ["", "  \n", "{}", "[]", "null", r#"{"error":null}"#] {
            assert_eq!(said(body), (None, None), "{body}");
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let (message, _) = said(&"ä".repeat(1000));
        let message = message.unwrap();
        assert!(message.len() <= MESSAGE_SHOWN + '…'.len_utf8() && message.ends_with('…'));
    }

    #[test]
    fn display_is_one_line_and_never_shows_the_body() {
        let body = Bytes::from_static(br#"{"message":"no","apiKey":"twpl-secret"}"#);
        let error = Error::from_reply(StatusCode::BAD_REQUEST, &body, None)
            .with_operation("create_website")
            .with_attempts(2);
        assert_eq!(
            error.to_string(),
            "create_website: no (status 400, 2 attempts)"
        );
        assert!(!format!("{error:?}").contains("twpl-secret"));
        assert_eq!(error.body(), Some(&body[..]));
    }
}
