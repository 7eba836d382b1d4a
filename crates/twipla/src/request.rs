//! [`Request`]: a call that is set up but not yet sent.

use std::fmt;
use std::future::{IntoFuture, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use twipla_api::{Idempotency, InvalidRequest, Operation, PreparedRequest};

use crate::call::{self, Call};
use crate::core::Core;
use crate::error_body;
use crate::options::CallOptions;
use crate::response::Response;
use crate::retry::{Failure, RetryPolicy, server_date};
use crate::secret::Secret;
use crate::time::later;
use crate::{ChangeState, Error, ErrorKind, Result};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A call of this API that is sent when awaited.
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let site = twipla.website("site-7").get().await?;                   // typed
/// let json = twipla.website("site-7").get().raw().await?;             // the payload as JSON
/// let fast = twipla.website("site-7").get()
///     .timeout(std::time::Duration::from_secs(2)).await?;             // this call only
/// # Ok(()) }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Request<T> {
    core: Arc<Core>,
    name: &'static str,
    call: Result<Call>,
    options: CallOptions,
    decode: Decode<T>,
    check: Option<Check<T>>,
    recovery: Option<Recovery<T>>,
}

/// Extracts the result from a 2xx response.
type Decode<T> = Box<dyn Fn(&Response) -> Result<T> + Send + Sync>;

/// Returns what is wrong with a response that fits the contract, if anything.
type Check<T> = Box<dyn Fn(&T) -> Option<String> + Send + Sync>;

/// What to do after an ambiguous failure.
pub(crate) enum Recovery<T> {
    /// Reads back whether a change took effect, for the error to say so.
    Change(ReadChange),
    /// Reads back whether what was to be created exists.
    Create {
        find: FindExisting<T>,
        /// Whether the caller chose the id. Sending the create again is then
        /// safe, and a rejection may mean that the id is in use.
        id_was_chosen: bool,
    },
}

/// Reads a change back; `None` if that failed.
pub(crate) type ReadChange = Box<dyn FnOnce() -> BoxFuture<'static, Option<ChangeState>> + Send>;

pub(crate) type FindExisting<T> =
    Box<dyn Fn() -> BoxFuture<'static, Result<Existing<T>>> + Send + Sync>;

/// What exists in place of the resource to be created.
pub(crate) enum Existing<T> {
    /// The requested resource.
    Same(T),
    /// A different resource, described in words.
    Other(String),
    /// A resource that may or may not be the requested one, described in words.
    Unclear(String),
    /// The requested resource, without the secret that only the lost response contained.
    WithoutSecret(String),
    Nothing,
}

impl<T: Send + 'static> Request<T> {
    /// Creates a request; `map` converts the decoded response into the result.
    pub(crate) fn new<W: DeserializeOwned + 'static>(
        core: &Arc<Core>,
        operation: &'static Operation,
        request: Result<PreparedRequest<W>>,
        map: fn(W) -> T,
    ) -> Self {
        let decode = move |response: &Response| response.decode(operation).map(map);
        Self::with_decode(core, operation, request, Box::new(decode))
    }

    /// Like [`new`](Self::new), for an operation whose body may be missing.
    pub(crate) fn new_with_optional_body<W: DeserializeOwned + 'static>(
        core: &Arc<Core>,
        operation: &'static Operation,
        request: Result<PreparedRequest<W>>,
        map: fn(Option<W>) -> T,
    ) -> Self {
        let decode = move |response: &Response| {
            if response.body.is_empty() {
                return Ok(map(None));
            }
            response.decode(operation).map(Some).map(map)
        };
        Self::with_decode(core, operation, request, Box::new(decode))
    }

    fn with_decode<W>(
        core: &Arc<Core>,
        operation: &'static Operation,
        request: Result<PreparedRequest<W>>,
        decode: Decode<T>,
    ) -> Self {
        let call = request.map(|request| {
            let parts = request.into_parts();
            Call {
                name: operation.id,
                method: operation.method.into(),
                url: core.urls.of(operation.server).join(&parts.target),
                server: operation.server,
                header_parameters: parts.header_parameters,
                body: parts.body,
                idempotency: operation.idempotency,
                auth: operation.auth,
                api_key: None,
            }
        });
        Self::of_call(core, operation.id, call, decode)
    }

    /// Creates a request for a call that is not one of the contract's operations.
    pub(crate) fn of_call(
        core: &Arc<Core>,
        name: &'static str,
        call: Result<Call>,
        decode: Decode<T>,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            name,
            call,
            options: core.options,
            decode,
            check: None,
            recovery: None,
        }
    }

    /// Sends the API key if the operation uses one.
    pub(crate) fn with_api_key(mut self, key: Secret) -> Self {
        if let Ok(call) = &mut self.call {
            call.api_key = Some(key);
        }
        self
    }

    /// Rejects a response about a different resource than the requested one:
    /// `found` returns its id, which must be `expected`.
    pub(crate) fn expect_id<I>(self, expected: Option<I>, found: fn(&T) -> Option<&I>) -> Self
    where
        I: PartialEq + fmt::Display + Send + Sync + 'static,
    {
        let Some(expected) = expected else {
            return self;
        };
        self.refuse(move |value| other_id(found(value), &expected))
    }

    /// Rejects a list with an entry that was not requested: every id
    /// that `found` returns must be `expected`.
    pub(crate) fn expect_ids<I>(self, expected: Option<I>, found: fn(&T) -> Vec<&I>) -> Self
    where
        I: PartialEq + fmt::Display + Send + Sync + 'static,
    {
        let Some(expected) = expected else {
            return self;
        };
        self.refuse(move |value| other_id(found(value), &expected))
    }

    /// Rejects a response for which `problem` returns a message.
    pub(crate) fn refuse(
        mut self,
        problem: impl Fn(&T) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.check = Some(match self.check {
            None => Box::new(problem),
            Some(earlier) => Box::new(move |value| earlier(value).or_else(|| problem(value))),
        });
        self
    }

    /// Returns the same request with its result converted by `map`.
    pub(crate) fn map<U: Send + 'static>(self, map: fn(T) -> U) -> Request<U> {
        let (decode, check) = (self.decode, self.check);
        Request {
            core: self.core,
            name: self.name,
            call: self.call,
            options: self.options,
            decode: Box::new(move |response| checked(response, &decode, check.as_ref()).map(map)),
            check: None,
            recovery: None,
        }
    }

    /// Returns the server's clock from the response headers instead of the result. The response is still checked.
    pub(crate) fn server_date(self) -> Request<Option<DateTime<Utc>>> {
        let (decode, check) = (self.decode, self.check);
        Request {
            core: self.core,
            name: self.name,
            call: self.call,
            options: self.options,
            decode: Box::new(move |response| {
                checked(response, &decode, check.as_ref())?;
                Ok(server_date(&response.headers))
            }),
            check: None,
            recovery: None,
        }
    }

    pub(crate) fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    pub(crate) fn with_recovery(mut self, recovery: Recovery<T>) -> Self {
        self.recovery = Some(recovery);
        self
    }

    /// Sets how long this call may take in all: token, retries, delays, and the
    /// read-back after an ambiguous failure. For a read-back, a quarter of the time
    /// is reserved, but at most 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// Sets how failed attempts of this call are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// Sends the request and returns the raw JSON `payload`, for fields that
    /// this version does not know, or a response that does not fit the contract.
    ///
    /// A response without a body gives null. A response that fits the contract must
    /// be about the requested resource, as for the typed call. One that does not fit
    /// is returned unchecked.
    ///
    /// A create has no recovery here: after an ambiguous failure, nothing is read
    /// back and nothing is sent again.
    pub async fn raw(self) -> Result<Value> {
        let recovery = match self.recovery {
            Some(Recovery::Change(read_change)) => Some(Recovery::Change(read_change)),
            Some(Recovery::Create { .. }) | None => None,
        };
        let (decode, check) = (self.decode, self.check);
        let raw = Request {
            core: self.core,
            name: self.name,
            call: self.call,
            options: self.options,
            decode: Box::new(move |response| {
                if let (Some(check), Ok(value)) = (&check, decode(response))
                    && let Some(problem) = check(&value)
                {
                    return Err(response.unusable(problem));
                }
                response.payload()
            }),
            check: None,
            recovery,
        };
        raw.await
    }
}

impl<T: Send + 'static> IntoFuture for Request<T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            core,
            name,
            call,
            options,
            decode,
            check,
            recovery,
        } = self;
        let call = match call {
            Ok(call) => call,
            Err(error) => return Box::pin(ready(Err(error.with_operation(name)))),
        };
        Box::pin(async move {
            let times = Times::of(&options, recovery.is_some());
            let once = Once {
                core: &core,
                call: &call,
                decode: &decode,
                check: check.as_ref(),
                options: &options,
                deadline: times.send,
            };
            let result = match recovery {
                None => once.send().await,
                Some(Recovery::Change(read_change)) => {
                    change(&once, read_change, times.whole).await
                }
                Some(Recovery::Create {
                    find,
                    id_was_chosen,
                }) => create(&once, &find, id_was_chosen, times.whole).await,
            };
            result.map_err(|error| error.with_operation(name))
        })
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.name)
            .finish_non_exhaustive()
    }
}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::invalid(error.message()).with_operation(error.operation())
    }
}

/// Returns an error message if one of the ids found is not the expected one.
fn other_id<'a, I: PartialEq + fmt::Display + 'a>(
    found: impl IntoIterator<Item = &'a I>,
    expected: &I,
) -> Option<String> {
    let other = found.into_iter().find(|found| *found != expected)?;
    Some(format!(
        "the response is about {other}, expected {expected}"
    ))
}

/// The deadlines for sending a call and for reading back.
struct Times {
    send: Instant,
    whole: Instant,
}

impl Times {
    /// With a recovery, a quarter of the time is reserved for it,
    /// but no more than [`READ_BACK_TIME`].
    fn of(options: &CallOptions, with_recovery: bool) -> Self {
        let now = Instant::now();
        let whole = options
            .ends_at
            .unwrap_or_else(|| later(now, options.timeout));
        let left = whole.saturating_duration_since(now);
        let kept = if with_recovery {
            READ_BACK_TIME.min(left / 4)
        } else {
            Duration::ZERO
        };
        Self {
            send: later(now, left.saturating_sub(kept)),
            whole,
        }
    }
}

/// The most time of a call that is reserved for reading back.
const READ_BACK_TIME: Duration = Duration::from_secs(10);

/// Sends a change, and reads it back after an ambiguous failure.
async fn change<T>(once: &Once<'_, T>, read_change: ReadChange, whole: Instant) -> Result<T> {
    let error = match once.send().await {
        Ok(changed) => return Ok(changed),
        Err(error) => error,
    };
    if !error.is_ambiguous() {
        return Err(error);
    }
    // An earlier attempt of a retried request may still arrive.
    let is_over = is_servers_own(&error)
        && (error.attempts() <= 1 || once.call.idempotency == Idempotency::NotIdempotent);
    let state = timeout_at(whole, read_change()).await.unwrap_or(None);
    Err(with_change_state(error, state, is_over))
}

/// Adds what was read back to the error of a change. `is_over` means that the server
/// has finished its work, as after a 500 of its own; after any other failure, a
/// change that is not active now may still arrive.
fn with_change_state(error: Error, state: Option<ChangeState>, is_over: bool) -> Error {
    let ambiguous = match state {
        Some(ChangeState::Applied | ChangeState::InForce) => false,
        Some(ChangeState::NotApplied) => !is_over,
        None => true,
    };
    error.with_change_state(state).with_ambiguous(ambiguous)
}

/// Returns whether the server itself failed, rather than something in between.
fn is_servers_own(error: &Error) -> bool {
    error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR)
        && !error.body().is_some_and(error_body::is_page)
}

/// A call without recovery.
struct Once<'a, T> {
    core: &'a Core,
    call: &'a Call,
    decode: &'a Decode<T>,
    check: Option<&'a Check<T>>,
    options: &'a CallOptions,
    deadline: Instant,
}

impl<T> Once<'_, T> {
    async fn send(&self) -> Result<T> {
        let response = call::send(self.core, self.call, self.options, self.deadline).await?;
        checked(&response, self.decode, self.check)
    }
}

fn checked<T>(response: &Response, decode: &Decode<T>, check: Option<&Check<T>>) -> Result<T> {
    let value = decode(response)?;
    match check.and_then(|check| check(&value)) {
        Some(problem) => Err(response.unusable(problem)),
        None => Ok(value),
    }
}

/// Sends a create until it is certain whether it was carried out.
///
/// After an ambiguous failure, what exists decides: the resource is returned if it
/// is the requested one, and if nothing exists the create is sent again. If
/// the server rejects the create, the error says so if the id is in use: this
/// API answers 400 for that, and may change to 409.
async fn create<T>(
    once: &Once<'_, T>,
    find: &FindExisting<T>,
    id_was_chosen: bool,
    whole: Instant,
) -> Result<T> {
    // An earlier attempt may have been carried out, so a rejection proves nothing.
    let mut was_ambiguous = false;
    let mut attempts = 0;
    loop {
        let error = match once.send().await {
            Ok(created) => return Ok(created),
            Err(error) => error,
        };
        attempts += error.attempts().max(1);
        let error = error.with_attempts(attempts);
        let refused = id_was_chosen
            && matches!(
                error.status(),
                Some(StatusCode::BAD_REQUEST | StatusCode::CONFLICT)
            );
        let ambiguous = was_ambiguous || error.is_ambiguous();
        if !refused && !error.is_ambiguous() {
            return Err(error.with_ambiguous(was_ambiguous));
        }
        let Ok(existing) = timeout_at(whole, find()).await else {
            return Err(error.with_ambiguous(ambiguous));
        };
        match existing {
            Ok(Existing::Same(existing)) if ambiguous => return Ok(existing),
            Ok(Existing::Same(_)) => {
                return Err(conflict(error, "by the same resource").with_exists_as_requested());
            }
            // It is unknown whether this is the requested resource in other words.
            Ok(Existing::Other(what)) => {
                return Err(conflict(error, &what).with_ambiguous(ambiguous));
            }
            Ok(Existing::Unclear(what)) if ambiguous => {
                let kind = error.kind();
                return Err(conflict(error, &what).with_kind(kind).with_ambiguous(true));
            }
            Ok(Existing::Unclear(what)) => return Err(conflict(error, &what)),
            Ok(Existing::WithoutSecret(message)) => {
                return Err(error
                    .with_message(message)
                    .with_kind(ErrorKind::SecretLost)
                    .with_ambiguous(false));
            }
            Ok(Existing::Nothing) if is_servers_own(&error) => {
                return Err(error.with_ambiguous(was_ambiguous));
            }
            Ok(Existing::Nothing) if !ambiguous || !id_was_chosen => return Err(error),
            // Reads may lag behind, so the duplicate may not be visible yet.
            Ok(Existing::Nothing) => {
                was_ambiguous = true;
                let policy = &once.options.retry;
                let delay = policy
                    .delay(attempts, &Failure::Broken, Idempotency::Idempotent)
                    .filter(|delay| later(Instant::now(), *delay) < once.deadline);
                match delay {
                    Some(delay) if once.core.budget.take() => tokio::time::sleep(delay).await,
                    _ => return Err(error.with_ambiguous(true)),
                }
            }
            Err(_) => return Err(error.with_ambiguous(ambiguous)),
        }
    }
}

fn conflict(error: Error, what: &str) -> Error {
    let reason = error.message().to_owned();
    let message = if error.status().is_some() {
        format!("the id is in use, {what}: {reason}")
    } else {
        format!("the id is in use, {what}")
    };
    error
        .with_message(message)
        .with_kind(ErrorKind::Conflict)
        .with_ambiguous(false)
}

/// Adds the setters of a call's options to a builder with a field `options`.
macro_rules! call_options {
    ($builder:ty) => {
        impl $builder {
            /// Sets how long this may take in all, whatever it sends; see
            /// [`Request::timeout`]($crate::Request::timeout).
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.options.timeout = timeout;
                self
            }

            /// Sets how failed attempts are retried.
            pub fn retry(mut self, policy: $crate::RetryPolicy) -> Self {
                self.options.retry = policy;
                self
            }
        }
    };
}
pub(crate) use call_options;

/// Makes a builder with a field `options` and `fn request(self) -> Request<T>`
/// awaitable, and gives it `raw()`.
macro_rules! call_methods {
    ($builder:ty => $output:ty) => {
        $crate::request::call_options!($builder);

        impl $builder {
            /// Sends the request and returns the raw JSON `payload`; see
            /// [`Request::raw`]($crate::Request::raw).
            pub async fn raw(self) -> $crate::Result<serde_json::Value> {
                let options = self.options;
                self.request().with_options(options).raw().await
            }
        }

        impl std::future::IntoFuture for $builder {
            type Output = $crate::Result<$output>;
            type IntoFuture = $crate::request::BoxFuture<'static, $crate::Result<$output>>;

            fn into_future(self) -> Self::IntoFuture {
                let options = self.options;
                self.request().with_options(options).into_future()
            }
        }
    };
}
pub(crate) use call_methods;
