//! One call on its way: token, attempts, deadlines, the size limit of the body,
//! and the spans.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::{HeaderValue, Method, StatusCode, header};
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument as _, Span};

use super::outgoing::Outgoing;
use super::{BoxFuture, Credential, RawReply, status_error};
use crate::auth::Token;
use crate::client::Core;
use crate::config::Settings;
use crate::retry::{self, Failure, Replay};
use crate::{Error, ErrorKind, Result};

/// One call on its way.
pub(crate) struct Exchange<'a> {
    core: &'a Core,
    credential: &'a Credential,
    settings: &'a Settings,
    name: &'static str,
    span: Span,
}

/// The time of an attempt, or that of the whole call, is up.
struct Elapsed;

/// The answer of the server, or the way in which there was none.
enum Attempt {
    Reply(RawReply),
    Failed(Failure, Error),
    /// Something that no repeat can mend.
    Fatal(Error),
}

impl Attempt {
    fn record(&self, span: &Span) {
        match self {
            Self::Reply(reply) => record_status(span, reply.status),
            Self::Failed(_, error) | Self::Fatal(error) => record_error(span, error),
        }
    }
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        core: &'a Core,
        credential: &'a Credential,
        settings: &'a Settings,
        request: &Outgoing,
        name: &'static str,
    ) -> Self {
        Self {
            core,
            credential,
            settings,
            name,
            span: call_span(request, name),
        }
    }

    /// The end of the call: any reply outside 2xx is an error.
    pub(crate) fn finish(self, reply: Result<RawReply>) -> Result<RawReply> {
        let reply = reply.map_err(|error| {
            record_error(&self.span, &error);
            error.with_operation(self.name)
        })?;
        record_status(&self.span, reply.status);
        let again = reply.attempts.saturating_sub(1);
        self.span.record("http.request.resend_count", again);
        if reply.status.is_success() {
            Ok(reply)
        } else {
            Err(status_error(&reply, self.core).with_operation(self.name))
        }
    }

    /// Sends a request until it is answered or given up.
    pub(crate) async fn answered(&self, request: &mut Outgoing) -> Result<RawReply> {
        // The clock is read where time has passed, and not for each need of it.
        let mut now = Instant::now();
        let deadline = later(now, self.settings.timeout);
        let nature = Nature::of(request.method());
        let mut attempts = 0;
        let mut reminted = false;
        // An earlier attempt may have done it, whatever a later one says.
        let mut in_doubt = false;
        let mut token = None;
        if matches!(self.credential, Credential::Partner) {
            token = self.core.minter.cached(now);
            if token.is_none() {
                // A signer may take its time.
                let made = in_time(deadline, self.core.minter.partner_token(), &self.span);
                token = Some(made.await?);
                now = Instant::now();
            }
        }
        loop {
            let sending = self.send(request, token.as_deref())?;
            attempts += 1;
            let span = attempt_span(request.method(), attempts, &self.span);
            let (until, whole) = self.until(now, deadline);
            // Pinned here, and not moved through the layers around it; gone before anything else is
            // waited for, so that the future of a call stays small.
            let attempt = {
                let attempt = self.attempt(sending, until, attempts, nature);
                let attempt = pin!(attempt);
                attempt.instrument(span.clone()).await
            };
            let attempt = attempt.unwrap_or_else(|Elapsed| self.too_long(whole));
            attempt.record(&span);
            drop(span);
            let (failure, last) = match attempt {
                Attempt::Fatal(error) => {
                    let ambiguous = error.is_ambiguous() || in_doubt;
                    return Err(error.with_attempts(attempts).with_ambiguous(ambiguous));
                }
                Attempt::Failed(failure, error) => {
                    in_doubt |= nature.changes && failure == Failure::Broken;
                    let error = error.with_attempts(attempts).with_ambiguous(in_doubt);
                    (failure, Err(error))
                }
                Attempt::Reply(reply) if reply.status.is_success() => {
                    self.core.budget.success();
                    if let Some(token) = &token {
                        self.core.minter.accepted(token, &reply.headers);
                    }
                    return Ok(reply);
                }
                Attempt::Reply(mut reply) => {
                    if reply.status == StatusCode::UNAUTHORIZED
                        && !reminted
                        && let Some(rejected) = &token
                    {
                        reminted = true;
                        let fresh = self.other_token(rejected, &reply, deadline).await;
                        let fresh = fresh.map_err(|error| {
                            error.with_attempts(attempts).with_ambiguous(in_doubt)
                        });
                        if let Some(fresh) = fresh? {
                            token = Some(fresh);
                            now = Instant::now();
                            continue;
                        }
                    }
                    let after = retry::retry_after(&reply.headers, self.core.minter.now());
                    in_doubt |= nature.changes && unsettled(reply.status, after);
                    reply.in_doubt = in_doubt;
                    (Failure::Status(reply.status, after), Ok(reply))
                }
            };
            let Some(pause) = self.settings.retry.pause(attempts, &failure, nature.replay) else {
                return last;
            };
            now = Instant::now();
            if later(now, pause) >= deadline || !self.core.budget.take() {
                return last;
            }
            tracing::debug!(
                parent: &self.span,
                attempt = attempts,
                pause_ms = pause.as_millis(),
                ?failure,
                "the request is sent again"
            );
            tokio::time::sleep(pause).await;
            now = Instant::now();
        }
    }

    /// Starts one attempt. Not `async`: a future would keep the request while it waits for the answer.
    fn send(
        &self,
        request: &mut Outgoing,
        token: Option<&Token>,
    ) -> Result<impl Future<Output = reqwest::Result<reqwest::Response>> + use<>> {
        let mut next = request.attempt();
        self.authorize(&mut next, token)?;
        Ok(self.core.http.execute(next))
    }

    /// When an attempt that starts now must be over, and whether the whole call is over then.
    fn until(&self, now: Instant, deadline: Instant) -> (Instant, bool) {
        let until = later(now, self.settings.attempt_timeout);
        (until.min(deadline), until >= deadline)
    }

    /// Waits for the head of an answer and reads the rest, with one timer for both.
    async fn attempt(
        &self,
        sending: impl Future<Output = reqwest::Result<reqwest::Response>>,
        until: Instant,
        attempts: u32,
        nature: Nature,
    ) -> Result<Attempt, Elapsed> {
        // Not out of the task's budget, which a flood of small chunks uses up.
        let timer = pin!(unconstrained(sleep_until(until)));
        let sending = pin!(sending);
        let (mut response, timer) = match select(sending, timer).await {
            Either::Left((Ok(response), timer)) => (response, timer),
            Either::Left((Err(error), _)) => return Ok(unanswered(error)),
            Either::Right(_) => return Err(Elapsed),
        };
        let body = match select(pin!(self.read(&mut response, nature)), timer).await {
            Either::Left((Ok(body), _)) => body,
            Either::Left((Err(attempt), _)) => return Ok(attempt),
            Either::Right(_) => return Err(Elapsed),
        };
        Ok(Attempt::Reply(RawReply {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
            attempts,
            changes: nature.changes,
            in_doubt: false,
        }))
    }

    /// An attempt that its time, or that of the whole call, ended.
    fn too_long(&self, whole: bool) -> Attempt {
        let (what, limit) = if whole {
            ("the call", self.settings.timeout)
        } else {
            ("an attempt", self.settings.attempt_timeout)
        };
        let error = Error::new(
            ErrorKind::Timeout,
            format!("{what} took longer than {}", seconds(limit)),
        );
        Attempt::Failed(Failure::Broken, error)
    }

    /// Reads the body, but never more of it than the limit allows.
    async fn read(
        &self,
        response: &mut reqwest::Response,
        nature: Nature,
    ) -> Result<Bytes, Attempt> {
        let limit = self.settings.max_body;
        if response.content_length().unwrap_or(0) > limit as u64 {
            return Err(too_large(limit, response.status(), nature));
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    if first.len() + rest.len() + chunk.len() > limit {
                        return Err(too_large(limit, response.status(), nature));
                    }
                    if first.is_empty() {
                        first = chunk;
                    } else {
                        rest.extend_from_slice(&chunk);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let error =
                        connection("the connection broke in the middle of the answer", error);
                    let error = error.with_status(response.status());
                    return Err(Attempt::Failed(Failure::Broken, error));
                }
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(first.len() + rest.len());
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&rest);
        Ok(whole.freeze())
    }

    /// A token in place of one that the server rejected, unless it rejects them all.
    async fn other_token(
        &self,
        rejected: &Token,
        reply: &RawReply,
        deadline: Instant,
    ) -> Result<Option<Arc<Token>>> {
        let minter = &self.core.minter;
        let fresh = minter.refresh_after_rejection(rejected, &reply.headers);
        in_time(deadline, fresh, &self.span).await
    }

    fn authorize(&self, request: &mut reqwest::Request, token: Option<&Token>) -> Result<()> {
        if let Some(token) = token {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, token.header_value().clone());
        }
        if let Credential::ApiKey(key) = self.credential {
            let mut value = HeaderValue::from_str(key.expose()).map_err(|_| {
                Error::invalid("the API key has characters that no header can carry: give it as TWIPLA issued it")
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert("x-api-key", value);
        }
        Ok(())
    }
}

/// The moment after a time that may be as long as "for ever".
pub(crate) fn later(now: Instant, time: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    now + time.min(FOR_EVER)
}

/// In a box: no call that has its token already carries the room for this.
fn in_time<'a, T>(
    deadline: Instant,
    work: impl Future<Output = Result<T>> + Send + 'a,
    span: &Span,
) -> BoxFuture<'a, Result<T>> {
    let span = span.clone();
    Box::pin(async move {
        timeout_at(deadline, work)
            .instrument(span)
            .await
            .unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Timeout,
                    "the signer made no token in time",
                ))
            })
    })
}

/// The names of OpenTelemetry's conventions for HTTP clients. No URL: it holds
/// the partner's ids, and `otel.name` says which operation it is.
fn call_span(request: &Outgoing, name: &'static str) -> Span {
    tracing::debug_span!(
        "twipla.call",
        otel.kind = "client",
        otel.name = name,
        http.request.method = %request.method(),
        server.address = request.url().host_str(),
        server.port = request.url().port_or_known_default(),
        http.response.status_code = tracing::field::Empty,
        http.request.resend_count = tracing::field::Empty,
        error.r#type = tracing::field::Empty,
    )
}

fn attempt_span(method: &Method, attempts: u32, call: &Span) -> Span {
    tracing::debug_span!(
        parent: call,
        "twipla.attempt",
        http.request.method = %method,
        http.request.resend_count = attempts - 1,
        http.response.status_code = tracing::field::Empty,
        error.r#type = tracing::field::Empty,
    )
}

fn record_status(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
}

fn record_error(span: &Span, error: &Error) {
    span.record("error.type", tracing::field::debug(error.kind()));
}

/// What an attempt without an answer was.
fn unanswered(error: reqwest::Error) -> Attempt {
    if error.is_connect() {
        Attempt::Failed(
            Failure::NotSent,
            connection("no connection to the server", error),
        )
    } else if error.is_builder() || error.is_request() && error.url().is_none() {
        Attempt::Fatal(
            Error::invalid("the request cannot be built").with_source(error.without_url()),
        )
    } else {
        Attempt::Failed(
            Failure::Broken,
            connection("the connection broke before the answer", error),
        )
    }
}

fn too_large(limit: usize, status: StatusCode, nature: Nature) -> Attempt {
    let message =
        format!("the reply is larger than {limit} bytes: raise max_body if that is right");
    let error = Error::new(ErrorKind::Decode, message).with_status(status);
    Attempt::Fatal(error.with_ambiguous(nature.changes))
}

/// What a method promises.
#[derive(Clone, Copy)]
struct Nature {
    /// Whether the request asks for a change.
    changes: bool,
    replay: Replay,
}

impl Nature {
    fn of(method: &Method) -> Self {
        Self {
            changes: !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS),
            replay: Replay::of(method),
        }
    }
}

/// The URL names the partner's ids, and its query may hold what is secret.
fn connection(message: &str, error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Connection, message).with_source(error.without_url())
}

/// A gateway that gave up does not know what became of the request.
fn unsettled(status: StatusCode, retry_after: Option<Duration>) -> bool {
    matches!(status.as_u16(), 408 | 502 | 504) || status == 503 && retry_after.is_none()
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
