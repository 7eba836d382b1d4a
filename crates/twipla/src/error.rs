//! The error type of this crate: opaque, so that it can grow. Callers distinguish
//! failures by [`Error::kind`] and the `is_*` methods.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::{error_body, redact};
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

/// The result of a fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How many bytes of a response an error keeps.
const BODY_KEPT: usize = 16 * 1024;

/// Why a call failed.
///
/// `{}` is one line: the operation, the server's message, and the status. `{:#}`
/// adds the causes (a refused connection, a name without an address, an
/// untrusted certificate), each once. So does `{:?}`, which `unwrap()`
/// and a `main` that returns the error print; `{:#?}` shows every field.
///
/// None of them shows control characters, characters that change the direction of
/// the text, or values of fields named like a secret. The response body
/// is kept (its first 16 KiB), for [`Error::body`], but never printed,
/// because responses can contain secrets.
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
    exists_as_requested: bool,
    change_state: Option<ChangeState>,
    body: Option<Bytes>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kind of failure of an [`Error`].
///
/// `Display` and `Serialize` give its name in lower case, as in `not_found`, for
/// metrics and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is invalid; nothing was sent.
    InvalidInput,
    /// The client is misconfigured: a key, an address, an environment variable.
    Configuration,
    /// The signer failed to sign a token.
    Signing,
    /// The connection failed or broke.
    Connection,
    /// A deadline passed.
    Timeout,
    /// The server rejected the token or the API key (401), or it does not grant access to this (403).
    Auth,
    /// The resource does not exist, or belongs to another partner (404, 410).
    NotFound,
    /// The id is in use (409, or a 400 that a follow-up read confirmed to be a duplicate).
    Conflict,
    /// Too many requests (429).
    RateLimited,
    /// The server refused the request (any other 4xx, or a redirect).
    Rejected,
    /// The server failed (5xx). This API also answers 500 where a rule forbids a subscription change.
    Server,
    /// The response does not fit the contract; the message names the field.
    Decode,
    /// An API key was created, but the response with its secret was lost. The
    /// message names the key, which cannot be used and should be deleted.
    SecretLost,
}

/// Whether a change or a delete took effect, as read back after an ambiguous failure.
///
/// For a subscription, this covers what can be read of a website: its package, its
/// status, whether it is in a trial, and the planned downgrade. Whether an upgrade
/// was pro rata cannot be read from this API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeState {
    /// The change is active, and was not before it was sent: it was applied by this
    /// call, or by somebody else at the same time. Only
    /// [`change_to`](crate::resources::WebsiteSubscription::change_to) reports this,
    /// because it reads the state before it sends anything.
    Applied,
    /// The requested state is active. It is unknown whether this call or an earlier
    /// one caused it; sending the change again would do nothing. For a delete: the
    /// resource does not exist, and it is unknown whether it ever did.
    InForce,
    /// The change was not active when it was read back. Unless the server itself
    /// responded, it may still arrive: then [`Error::is_ambiguous`] stays true.
    NotApplied,
}

impl ErrorKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Configuration => "configuration",
            Self::Signing => "signing",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Auth => "auth",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Rejected => "rejected",
            Self::Server => "server",
            Self::Decode => "decode",
            Self::SecretLost => "secret_lost",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for ChangeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Applied => "applied",
            Self::InForce => "in_force",
            Self::NotApplied => "not_applied",
        })
    }
}

impl Error {
    /// Returns the kind of this failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether the resource does not exist (or belongs to another partner).
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// Returns whether the id of a create is in use.
    pub fn is_conflict(&self) -> bool {
        self.0.kind == ErrorKind::Conflict
    }

    /// Returns whether a create failed because exactly the requested resource exists
    /// already, for instance from an earlier run.
    pub fn exists_as_requested(&self) -> bool {
        self.0.exists_as_requested
    }

    /// Returns whether the server rejected the token or API key.
    pub fn is_auth(&self) -> bool {
        self.0.kind == ErrorKind::Auth
    }

    /// Returns whether the server asked the client to slow down.
    pub fn is_rate_limited(&self) -> bool {
        self.0.kind == ErrorKind::RateLimited
    }

    /// Returns whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Returns whether an argument was invalid, so that nothing was sent.
    pub fn is_invalid_input(&self) -> bool {
        self.0.kind == ErrorKind::InvalidInput
    }

    /// Returns whether the server may have carried out the call although it failed here.
    ///
    /// True if a request that changes something was sent, and neither a
    /// response nor a read-back shows whether it was carried out.
    pub fn is_ambiguous(&self) -> bool {
        self.0.ambiguous
    }

    /// Returns whether a change or a delete took effect, as read back after an
    /// ambiguous failure. `None` for all other errors, and if the read-back
    /// failed as well.
    pub fn change_state(&self) -> Option<ChangeState> {
        self.0.change_state
    }

    /// Returns whether the resource of a delete does not exist, deleted by this call or before.
    pub(crate) fn is_gone(&self) -> bool {
        match self.0.change_state {
            Some(state) => state != ChangeState::NotApplied,
            None => self.is_not_found(),
        }
    }

    /// Returns the HTTP status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns what went wrong, without the operation and the status.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the error code in the server's response, if there is one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the `operationId` of the call in the contract.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Returns how often the request was sent; 0 if nothing left this machine.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns how long the server asked to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the start of the response body, at most 16 KiB. It may contain secrets.
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// Returns the message of each cause, without what the errors above it already contain.
    fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut next = StdError::source(self);
        while let Some(cause) = next {
            let text = redact::shown(&cause.to_string()).into_owned();
            let is_new = |earlier: &str| !earlier.contains(&text);
            if is_new(&self.0.message) && causes.iter().all(|earlier| is_new(earlier)) {
                causes.push(text);
            }
            next = cause.source();
        }
        causes
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
            exists_as_requested: false,
            change_state: None,
            body: None,
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// Creates the error for a response with a status outside 2xx, whatever format its body has.
    pub(crate) fn from_response(
        status: StatusCode,
        body: &Bytes,
        retry_after: Option<Duration>,
    ) -> Self {
        let parsed = error_body::parse(body);
        let kind = match status.as_u16() {
            401 | 403 => ErrorKind::Auth,
            // An HTML page comes from something in front of the server, and says
            // nothing about the resource.
            404 | 410 if !error_body::is_page(body) => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::RateLimited,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Rejected,
        };
        let message = parsed.message.unwrap_or_else(|| {
            status
                .canonical_reason()
                .unwrap_or("the server gave no reason")
                .to_lowercase()
        });
        let mut error = Self::new(kind, message).with_body(body);
        error.0.status = Some(status);
        error.0.code = parsed.code;
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

    pub(crate) fn with_exists_as_requested(mut self) -> Self {
        self.0.exists_as_requested = true;
        self
    }

    pub(crate) fn with_change_state(mut self, state: Option<ChangeState>) -> Self {
        self.0.change_state = state;
        self
    }

    pub(crate) fn with_body(mut self, body: &Bytes) -> Self {
        self.0.body = Some(body.slice(..body.len().min(BODY_KEPT)));
        self
    }
}

/// The alternate form, `{:#}`, adds the causes.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&redact::shown(&inner.message))?;
        let mut details = Vec::new();
        if let Some(status) = inner.status {
            details.push(format!("status {}", status.as_u16()));
        }
        if let Some(code) = &inner.code {
            details.push(format!("code {}", redact::shown(code)));
        }
        if inner.attempts > 1 {
            details.push(format!("{} attempts", inner.attempts));
        }
        match inner.change_state {
            Some(ChangeState::Applied) => details.push("the change was applied".to_owned()),
            Some(ChangeState::InForce) => details.push("the change is in force".to_owned()),
            Some(ChangeState::NotApplied) => details.push("the change is not in force".to_owned()),
            None if inner.ambiguous => {
                details.push("the server may have carried it out".to_owned());
            }
            None => {}
        }
        if !details.is_empty() {
            write!(f, " ({})", details.join(", "))?;
        }
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

/// `unwrap()` and `main` print this for people: one line with the causes.
/// The alternate form, `{:#?}`, shows the fields.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if !f.alternate() {
            return write!(f, "{:?}: {self:#}", inner.kind);
        }
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &redact::shown(&inner.message))
            .field("operation", &inner.operation)
            .field("status", &inner.status.map(|status| status.as_u16()))
            .field("code", &inner.code.as_deref().map(redact::shown))
            .field("attempts", &inner.attempts)
            .field("retry_after", &inner.retry_after)
            .field("ambiguous", &inner.ambiguous)
            .field("exists_as_requested", &inner.exists_as_requested)
            .field("change_state", &inner.change_state)
            .field("body_bytes", &inner.body.as_ref().map(Bytes::len))
            .field("causes", &self.causes())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_and_never_shows_the_body() {
        let body = Bytes::from_static(br#"{"message":"no","apiKey":"twpl-secret"}"#);
        let error = Error::from_response(StatusCode::BAD_REQUEST, &body, None)
            .with_operation("create_website")
            .with_attempts(2);
        assert_eq!(
            error.to_string(),
            "create_website: no (status 400, 2 attempts)"
        );
        assert_eq!(
            format!("{error:?}"),
            "Rejected: create_website: no (status 400, 2 attempts)"
        );
        assert!(!format!("{error:#?}").contains("twpl-secret"));
        assert_eq!(error.body(), Some(&body[..]));
    }

    #[derive(Debug)]
    struct Cause(&'static str, Option<Box<Cause>>);

    impl fmt::Display for Cause {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Cause {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(self.1.as_deref()?)
        }
    }

    fn caused() -> Error {
        let root = Cause("refused (os error 111)", None);
        let twice = Cause("refused (os error 111)", Some(Box::new(root)));
        let outer = Cause("cannot connect: token=abc\n\u{202e}", Some(Box::new(twice)));
        Error::new(ErrorKind::Connection, "no connection").with_source(outer)
    }

    #[test]
    fn each_cause_is_shown_once_in_alternate_display_and_debug() {
        let error = caused();
        assert_eq!(error.to_string(), "no connection");
        let chain = r"no connection: cannot connect: token=…\u{a}\u{202e}: refused (os error 111)";
        assert_eq!(format!("{error:#}"), chain);
        assert_eq!(format!("{error:?}"), format!("Connection: {chain}"));
        let fields = format!("{error:#?}");
        assert!(
            fields.contains("causes") && fields.matches("os error 111").count() == 1,
            "{fields}"
        );
    }

    #[test]
    fn causes_are_not_repeated_within_an_anyhow_chain() {
        let outer = anyhow::Error::from(caused()).context("cannot sync");
        let shown = format!("{outer:#}");
        assert_eq!(shown.matches("cannot connect").count(), 1, "{shown}");
        assert!(shown.starts_with("cannot sync: no connection: cannot connect"));
    }

    #[test]
    fn display_shows_no_control_or_bidirectional_characters_and_no_secrets() {
        let body = Bytes::from(
            "{\"message\":\"\\u202ebad\\u001b[31m\\r\\ntoken=abc\",\"code\":\"\\u2066x\"}",
        );
        let error = Error::from_response(StatusCode::BAD_REQUEST, &body, None);
        assert_eq!(error.to_string(), "bad [31m token=… (status 400, code x)");
        let error = Error::invalid("invalid id \"\u{202e}\u{7}\": secret=abc");
        assert_eq!(error.to_string(), r#"invalid id "\u{202e}\u{7}": secret=…"#);
    }

    #[test]
    fn kinds_have_the_same_name_in_text_and_json() {
        for kind in [
            ErrorKind::InvalidInput,
            ErrorKind::Configuration,
            ErrorKind::Signing,
            ErrorKind::Connection,
            ErrorKind::Timeout,
            ErrorKind::Auth,
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::RateLimited,
            ErrorKind::Rejected,
            ErrorKind::Server,
            ErrorKind::Decode,
            ErrorKind::SecretLost,
        ] {
            assert_eq!(serde_json::json!(kind), kind.to_string());
        }
        for state in [ChangeState::Applied, ChangeState::NotApplied] {
            assert_eq!(serde_json::json!(state), state.to_string());
        }
    }

    #[test]
    fn public_types_implement_common_traits() {
        use crate::{
            AnalyticsReport, ApiKeyId, CustomerId, Environment, Filter, Graph, IframeMessage,
            NewCustomer, NewWebsite, Order, PackageId, Page, PageMeta, PartnerId, Series,
            TwiplaWebsiteId, WebsiteId, types,
        };
        use serde::de::DeserializeOwned;
        use std::hash::Hash;

        fn shared<T: Clone + fmt::Debug + Send + Sync + 'static>() {}
        fn compared<T: Clone + fmt::Debug + Eq + Hash + Send + Sync>() {}
        fn written<T: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned>() {}

        shared::<crate::Twipla>();
        shared::<crate::Analytics>();
        shared::<crate::PrivateKey>();
        shared::<crate::Secret>();
        compared::<ErrorKind>();
        compared::<ChangeState>();
        compared::<Environment>();
        compared::<IframeMessage>();
        compared::<PageMeta>();
        compared::<Page<String>>();
        compared::<NewCustomer>();
        compared::<NewWebsite>();
        compared::<Filter>();
        compared::<Order>();
        compared::<AnalyticsReport>();
        compared::<PartnerId>();
        compared::<CustomerId>();
        compared::<WebsiteId>();
        compared::<TwiplaWebsiteId>();
        compared::<PackageId>();
        compared::<ApiKeyId>();
        compared::<types::BillingInterval>();
        compared::<types::Contributor>();
        written::<Environment>();
        written::<AnalyticsReport>();
        written::<Graph>();
        written::<Series>();
        written::<CustomerId>();
        written::<PackageId>();
        written::<types::Website>();
        written::<types::Intpc>();
        written::<types::Package>();
        assert_eq!(Page::<String>::default().meta, None);
        assert_eq!(Environment::default(), Environment::Production);
    }
}
