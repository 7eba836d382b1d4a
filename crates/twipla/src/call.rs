//! The send loop: every call of this crate goes through [`send`].
//!
//! It gets the token, sends the request, reads the response within its limits,
//! and retries by the rules of [`retry`].

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, Span};
use twipla_api::{Auth, Idempotency, Server};
use url::Url;

use crate::auth::{Token, sign_within};
use crate::connection::was_not_processed;
use crate::core::Core;
use crate::options::CallOptions;
use crate::pace::{Pacer, Slot};
use crate::response::{Response, plain_body};
use crate::retry::{self, Failure, MOST_REFUSALS};
use crate::secret::Secret;
use crate::time::later;
use crate::{Error, ErrorKind, Result};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request that can be sent repeatedly.
#[derive(Debug)]
pub(crate) struct Call {
    /// Id of the operation, for errors and spans.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The host of the URL.
    pub(crate) server: Server,
    /// In addition to `Accept`, `Content-Type` and credentials.
    pub(crate) header_parameters: HeaderMap,
    /// The JSON body.
    pub(crate) body: Option<Bytes>,
    pub(crate) idempotency: Idempotency,
    pub(crate) auth: Auth,
    /// For [`Auth::ApiKey`].
    pub(crate) api_key: Option<Secret>,
}

/// Sends a call until there is a response, it is given up, or `deadline` has passed. Any status
/// outside 2xx is an error.
pub(crate) async fn send(
    core: &Core,
    call: &Call,
    options: &CallOptions,
    deadline: Instant,
) -> Result<Response> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Error::new(
            ErrorKind::Configuration,
            "cannot send a request without a Tokio runtime: await the call inside one",
        ));
    }
    let span = call_span(call);
    let runner = CallRunner {
        core,
        call,
        options,
        deadline,
        span: &span,
    };
    let result = runner.send_with_retries().await;
    match &result {
        Ok(response) => {
            record_status(&span, response.status);
            record_resends(&span, response.attempts);
        }
        Err(error) => {
            if let Some(status) = error.status() {
                record_status(&span, status);
            }
            record_resends(&span, error.attempts());
            record_error(&span, error);
        }
    }
    result
}

/// A call in progress.
struct CallRunner<'a> {
    core: &'a Core,
    call: &'a Call,
    options: &'a CallOptions,
    deadline: Instant,
    span: &'a Span,
}

impl CallRunner<'_> {
    async fn send_with_retries(&self) -> Result<Response> {
        let mut token = match self.call.auth {
            Auth::PartnerToken => Some(self.partner_token().await?),
            Auth::ApiKey | Auth::None => None,
        };
        let mut token_was_replaced = false;
        // An earlier attempt may have been carried out, whatever a later one reports.
        let mut ambiguous = false;
        let mut was_stale = false;
        let mut attempts = 0;
        // Attempts whose response asked for a wait.
        let mut refusals = 0;
        let pacer = self.core.pacers.of(self.call.server);
        loop {
            let (in_flight, sent) = self
                .may_leave()
                .await
                .map_err(|error| error.with_attempts(attempts).with_ambiguous(ambiguous))?;
            attempts += 1;
            let result = self.attempt(attempts, sent, token.as_deref()).await;
            drop(in_flight);
            let failed = match result {
                Ok(response) => {
                    self.core.budget.success();
                    pacer.accepted();
                    if let Some(token) = &token {
                        self.core.minter.accepted(token, &response.headers);
                    }
                    return Ok(response);
                }
                Err(failed) => failed,
            };
            let is_change = self.call.idempotency != Idempotency::Safe;
            ambiguous |= is_change && failed.failure.is_ambiguous();
            let error = failed
                .error
                .with_attempts(attempts)
                .with_ambiguous(ambiguous);

            if matches!(failed.failure, Failure::Status(StatusCode::UNAUTHORIZED, _))
                && !token_was_replaced
                && let Some(rejected) = &token
            {
                token_was_replaced = true;
                let fresh = self
                    .refresh_rejected_token(rejected, failed.server_date)
                    .await
                    .map_err(|error| error.with_attempts(attempts).with_ambiguous(ambiguous))?;
                if fresh.is_some() {
                    token = fresh;
                    continue;
                }
            }
            let policy = &self.options.retry;
            let throttled = failed.failure.is_throttled();
            if throttled {
                let asked = policy.bounded_retry_after(&failed.failure);
                pacer.refused(sent, Instant::now(), asked);
                let waits = asked.is_some_and(|asked| !asked.is_zero());
                if waits && policy.most_attempts() > 1 && refusals < MOST_REFUSALS {
                    refusals += 1;
                }
            }
            // The server is healthy and only closed an idle connection: the first time,
            // this is not charged.
            if failed.was_stale && !was_stale && attempts < policy.most_attempts() {
                was_stale = true;
                continue;
            }
            let Some(delay) =
                policy.delay(attempts - refusals, &failed.failure, self.call.idempotency)
            else {
                return Err(error);
            };
            let in_time = later(Instant::now(), delay) < self.deadline;
            // The server itself says when it has capacity: such a retry adds no load.
            if !in_time || !(throttled || self.core.budget.take()) {
                return Err(error);
            }
            tracing::debug!(
                parent: self.span,
                attempt = attempts,
                delay_ms = delay.as_millis(),
                failure = ?failed.failure,
                "retrying"
            );
            tokio::time::sleep(delay).await;
        }
    }

    /// Waits until the request may be sent: first for the pacer, then for a permit to be
    /// in flight. This way a call that waits for the pacer of one host holds no permit that
    /// calls to the other need.
    async fn may_leave(&self) -> Result<(Option<SemaphorePermit<'_>>, Instant)> {
        let pacer = self.core.pacers.of(self.call.server);
        loop {
            let slot = self.wait_for_slot(pacer).await?;
            let (in_flight, now) = self.in_flight().await?;
            // The server may have asked all calls to wait meanwhile.
            if pacer.is_valid(&slot) {
                return Ok((in_flight, now));
            }
        }
    }

    /// Waits until the client's pacer lets a request be sent.
    async fn wait_for_slot(&self, pacer: &Pacer) -> Result<Slot> {
        let now = Instant::now();
        let Some(slot) = pacer.slot(now, self.deadline) else {
            return Err(Error::new(
                ErrorKind::RateLimited,
                format!(
                    "not sent: the rate limit leaves no room within {}",
                    seconds(self.options.timeout)
                ),
            ));
        };
        if slot.at > now {
            tokio::time::sleep_until(slot.at).await;
        }
        Ok(slot)
    }

    /// Returns the cached token, or mints one.
    async fn partner_token(&self) -> Result<Arc<Token>> {
        match self.core.minter.cached(Instant::now()) {
            Some(token) => Ok(token),
            None => {
                self.sign_within_deadline(self.core.minter.partner_token())
                    .await
            }
        }
    }

    /// Returns a replacement for a token that the server rejected, unless it rejects them all.
    async fn refresh_rejected_token(
        &self,
        rejected: &Token,
        server_date: Option<DateTime<Utc>>,
    ) -> Result<Option<Arc<Token>>> {
        let refresh = self
            .core
            .minter
            .refresh_after_rejection(rejected, server_date);
        self.sign_within_deadline(refresh).await
    }

    async fn sign_within_deadline<T>(&self, signing: impl Future<Output = Result<T>>) -> Result<T> {
        sign_within(self.deadline, self.options.timeout, signing)
            .instrument(self.span.clone())
            .await
    }

    /// Waits until one more request may be in flight, and returns that time.
    async fn in_flight(&self) -> Result<(Option<SemaphorePermit<'_>>, Instant)> {
        let connections = &self.core.connections;
        let permit = timeout_at(self.deadline, connections.slot()).await;
        let now = Instant::now();
        match permit {
            // If no time is left, nothing is sent.
            Ok(permit) if now < self.deadline => Ok((permit, now)),
            _ => Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "the request was not sent within {}: {} others were in flight \
                     (raise max_in_flight or timeout)",
                    seconds(self.options.timeout),
                    connections.max_in_flight(),
                ),
            )),
        }
    }

    /// Sends the request once and reads its response.
    async fn attempt(
        &self,
        number: u32,
        started: Instant,
        token: Option<&Token>,
    ) -> Result<Response, FailedAttempt> {
        let span = attempt_span(&self.call.method, number, self.span);
        let deadline = later(started, self.options.attempt_timeout).min(self.deadline);
        let is_change = self.call.idempotency != Idempotency::Safe;
        let lease = self.core.connections.lease(self.call.server, is_change);
        let mut result = timeout_at(deadline, self.exchange(lease.client(), token, number))
            .instrument(span.clone())
            .await
            .unwrap_or_else(|_| Err(self.timed_out(deadline)));
        match &mut result {
            Ok(response) => {
                record_status(&span, response.status);
                lease.keep(true);
            }
            Err(failed) => {
                let status = failed.error.status();
                if let Some(status) = status {
                    record_status(&span, status);
                }
                record_error(&span, &failed.error);
                failed.was_stale = !is_change && lease.may_be_reused() && failed.looks_stale();
                let misdirected = status == Some(StatusCode::MISDIRECTED_REQUEST);
                if failed.failure == Failure::Broken || failed.was_stale || misdirected {
                    lease.retire();
                } else {
                    lease.keep(status.is_some());
                }
            }
        }
        result
    }

    fn request(&self, token: Option<&Token>) -> Result<reqwest::Request, FailedAttempt> {
        let call = self.call;
        let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
        let headers = request.headers_mut();
        headers.clone_from(&call.header_parameters);
        headers.insert(header::ACCEPT, JSON);
        if call.body.is_some() {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, token.header_value().clone());
        }
        if call.auth == Auth::ApiKey {
            let key = call.api_key.as_ref().map_or("", Secret::expose);
            let mut value = HeaderValue::from_str(key).map_err(|_| {
                FailedAttempt::new(
                    Failure::NotBuilt,
                    Error::invalid("invalid API key: expected visible ASCII, as TWIPLA issued it"),
                )
            })?;
            value.set_sensitive(true);
            headers.insert("x-api-key", value);
        }
        *request.body_mut() = call.body.clone().map(Into::into);
        Ok(request)
    }

    async fn exchange(
        &self,
        client: &reqwest::Client,
        token: Option<&Token>,
        number: u32,
    ) -> Result<Response, FailedAttempt> {
        let request = self.request(token)?;
        let mut incoming = client.execute(request).await.map_err(classify_send_error)?;
        let (status, headers) = (incoming.status(), std::mem::take(incoming.headers_mut()));
        let body = read_body(&mut incoming, self.options.max_body).await?;
        let body = plain_body(body, self.options.max_body);
        if status.is_success() {
            return Ok(Response {
                status,
                headers,
                body,
                attempts: number,
                idempotency: self.call.idempotency,
            });
        }
        let retry_after = retry::retry_after(&headers, self.core.minter.now());
        let failure = match status.as_u16() {
            // These mean that the request was not processed: it may be
            // sent again, on another connection or later.
            421 | 425 => Failure::NotSent,
            _ => Failure::Status(status, retry_after),
        };
        Err(FailedAttempt {
            failure,
            error: Error::from_response(status, &body, retry_after),
            server_date: retry::server_date(&headers),
            was_stale: false,
        })
    }

    fn timed_out(&self, deadline: Instant) -> FailedAttempt {
        let (what, limit) = if deadline == self.deadline {
            ("the call", self.options.timeout)
        } else {
            ("an attempt", self.options.attempt_timeout)
        };
        let message = format!("{what} took longer than {}", seconds(limit));
        FailedAttempt::new(Failure::Broken, Error::new(ErrorKind::Timeout, message))
    }
}

/// An attempt without a usable response.
struct FailedAttempt {
    failure: Failure,
    error: Error,
    /// The server's clock, if the response contains it.
    server_date: Option<DateTime<Utc>>,
    /// A read used a connection that the server had closed as idle.
    was_stale: bool,
}

impl FailedAttempt {
    fn new(failure: Failure, error: Error) -> Self {
        Self {
            failure,
            error,
            server_date: None,
            was_stale: false,
        }
    }

    /// Returns whether the server may have closed the connection before it saw the
    /// request. Some servers send a 408 when they close an idle one, before the request.
    fn looks_stale(&self) -> bool {
        match self.error.status() {
            Some(status) => status == StatusCode::REQUEST_TIMEOUT,
            None => self.failure == Failure::Broken && !self.error.is_timeout(),
        }
    }
}

/// Reads a body up to the limit.
async fn read_body(response: &mut reqwest::Response, limit: usize) -> Result<Bytes, FailedAttempt> {
    let status = response.status();
    let too_large = || {
        let message =
            format!("the response is larger than {limit} bytes: raise max_body if that is right");
        let error = Error::new(ErrorKind::Decode, message).with_status(status);
        FailedAttempt::new(Failure::Unusable, error)
    };
    let broken = |error| {
        let error = connection("the connection broke in the middle of the response", error);
        FailedAttempt::new(Failure::Broken, error.with_status(status))
    };
    if response.content_length() > Some(limit as u64) {
        return Err(too_large());
    }
    // Returning a body in one piece without a copy saves 5 % of the instructions of
    // listing 100 customers.
    let mut first = Bytes::new();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if first.len() + body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        if first.is_empty() && body.is_empty() {
            first = chunk;
            continue;
        }
        body.extend_from_slice(&first);
        body.extend_from_slice(&chunk);
        first = Bytes::new();
    }
    if body.is_empty() {
        return Ok(first);
    }
    Ok(body.freeze())
}

/// Classifies the failure of an attempt without a response.
fn classify_send_error(error: reqwest::Error) -> FailedAttempt {
    if error.is_connect() {
        FailedAttempt::new(
            Failure::NotSent,
            connection("cannot connect to the server", error),
        )
    } else if error.is_builder() || error.is_request() && error.url().is_none() {
        FailedAttempt::new(
            Failure::NotBuilt,
            Error::invalid("cannot build the request").with_source(error.without_url()),
        )
    } else if was_not_processed(&error) {
        FailedAttempt::new(
            Failure::NotSent,
            connection("the server did not process the request", error),
        )
    } else {
        FailedAttempt::new(
            Failure::Broken,
            connection("the connection broke before the response", error),
        )
    }
}

/// Creates an error without the URL, which names the partner's ids and may have secrets in its query.
fn connection(message: &str, error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Connection, message).with_source(error.without_url())
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

/// Creates a span with the attribute names of OpenTelemetry's conventions for HTTP clients.
/// The URL is left out: it contains the partner's ids, and `otel.name` names the operation.
fn call_span(call: &Call) -> Span {
    tracing::debug_span!(
        "twipla.call",
        otel.kind = "client",
        otel.name = call.name,
        http.request.method = %call.method,
        server.address = call.url.host_str(),
        server.port = call.url.port_or_known_default(),
        http.response.status_code = tracing::field::Empty,
        http.request.resend_count = tracing::field::Empty,
        error.r#type = tracing::field::Empty,
    )
}

fn attempt_span(method: &Method, number: u32, call: &Span) -> Span {
    tracing::debug_span!(
        parent: call,
        "twipla.attempt",
        http.request.method = %method,
        http.request.resend_count = number - 1,
        http.response.status_code = tracing::field::Empty,
        error.r#type = tracing::field::Empty,
    )
}

fn record_status(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
}

fn record_resends(span: &Span, attempts: u32) {
    span.record("http.request.resend_count", attempts.saturating_sub(1));
}

fn record_error(span: &Span, error: &Error) {
    span.record("error.type", tracing::field::debug(error.kind()));
}
