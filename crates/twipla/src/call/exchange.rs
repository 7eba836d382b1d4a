//! One call on its way: token, attempts, deadlines, the size limit of the body,
//! and the spans.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, StatusCode, header};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::outgoing::Outgoing;
use super::{Credential, RawReply};
use crate::auth::Token;
use crate::client::Core;
use crate::config::Settings;
use crate::retry::{self, Failure, Replay};
use crate::{Error, ErrorKind, Result};

/// One call on its way.
pub(super) struct Exchange<'a> {
    core: &'a Core,
    credential: Credential,
    settings: &'a Settings,
}

/// The answer of the server, or the way in which there was none.
enum Attempt {
    Reply(RawReply),
    Failed(Failure, Error),
    /// Something that no repeat can mend.
    Fatal(Error),
}

impl Attempt {
    fn record(&self, span: &tracing::Span) {
        match self {
            Self::Reply(reply) => {
                span.record("http.response.status_code", reply.status.as_u16());
            }
            Self::Failed(_, error) | Self::Fatal(error) => {
                span.record("error.type", tracing::field::debug(error.kind()));
            }
        }
    }
}

impl<'a> Exchange<'a> {
    pub(super) fn new(core: &'a Core, credential: Credential, settings: &'a Settings) -> Self {
        Self {
            core,
            credential,
            settings,
        }
    }

    /// Sends a request until it is answered or given up.
    pub(super) async fn run(&self, request: Outgoing, name: &'static str) -> Result<RawReply> {
        // The names of OpenTelemetry's conventions for HTTP clients. No URL: it
        // holds the partner's ids, and `otel.name` says which operation it is.
        let span = tracing::debug_span!(
            "twipla.call",
            otel.kind = "client",
            otel.name = name,
            http.request.method = %request.method,
            server.address = request.url.host_str(),
            server.port = request.url.port_or_known_default(),
            http.response.status_code = tracing::field::Empty,
            http.request.resend_count = tracing::field::Empty,
            error.r#type = tracing::field::Empty,
        );
        let result = self.attempts(request).instrument(span.clone()).await;
        match &result {
            Ok(reply) => {
                span.record("http.response.status_code", reply.status.as_u16());
                span.record(
                    "http.request.resend_count",
                    reply.attempts.saturating_sub(1),
                );
            }
            Err(error) => {
                span.record("error.type", tracing::field::debug(error.kind()));
            }
        }
        result
    }

    async fn attempts(&self, mut request: Outgoing) -> Result<RawReply> {
        let deadline = after(self.settings.timeout);
        let nature = Nature::of(&request.method);
        let mut attempts = 0;
        let mut reminted = false;
        // An earlier attempt may have done it, whatever a later one says.
        let mut in_doubt = false;
        let mut token = self.token(deadline).await?;
        loop {
            let mut next = request.attempt();
            self.authorize(&mut next, token.as_deref())?;
            attempts += 1;
            let span = tracing::debug_span!(
                "twipla.attempt",
                http.request.method = %next.method(),
                http.request.resend_count = attempts - 1,
                http.response.status_code = tracing::field::Empty,
                error.r#type = tracing::field::Empty,
            );
            let attempt = self.attempt(next, deadline, attempts, nature);
            let attempt = attempt.instrument(span.clone()).await;
            attempt.record(&span);
            let (failure, last) = match attempt {
                Attempt::Fatal(error) => {
                    let ambiguous = error.is_ambiguous() || in_doubt;
                    return Err(error.with_attempts(attempts).with_ambiguous(ambiguous));
                }
                Attempt::Failed(failure, error) => {
                    in_doubt |= error.is_ambiguous();
                    let error = error.with_attempts(attempts).with_ambiguous(in_doubt);
                    (failure, Err(error))
                }
                Attempt::Reply(reply) if reply.status.is_success() => {
                    self.core.budget.success();
                    return Ok(reply);
                }
                Attempt::Reply(mut reply) => {
                    if reply.status == StatusCode::UNAUTHORIZED
                        && !reminted
                        && let Some(rejected) = &token
                    {
                        // The clocks may differ: the answer tells the server's.
                        reminted = true;
                        if let Some(date) = retry::server_date(&reply.headers) {
                            self.core.minter.learn_clock(date);
                        }
                        let fresh = self.core.minter.refresh_after_rejection(rejected);
                        let fresh = within(deadline, fresh).await;
                        token = Some(fresh.map_err(|error| error.with_attempts(attempts))?);
                        continue;
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
            if after(pause) >= deadline || !self.core.budget.take() {
                return last;
            }
            tracing::debug!(
                attempt = attempts,
                pause_ms = pause.as_millis(),
                ?failure,
                "the request is sent again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(
        &self,
        request: reqwest::Request,
        deadline: Instant,
        attempts: u32,
        nature: Nature,
    ) -> Attempt {
        let until = deadline.min(after(self.settings.attempt_timeout));
        let Ok(attempt) = tokio::time::timeout_at(until, self.once(request, attempts)).await else {
            let (what, limit) = if until == deadline {
                ("the call", self.settings.timeout)
            } else {
                ("an attempt", self.settings.attempt_timeout)
            };
            let error = Error::new(
                ErrorKind::Timeout,
                format!("{what} took longer than {}", seconds(limit)),
            );
            return Attempt::Failed(Failure::Broken, error.with_ambiguous(nature.changes));
        };
        match attempt {
            Attempt::Failed(Failure::Broken, error) => {
                Attempt::Failed(Failure::Broken, error.with_ambiguous(nature.changes))
            }
            other => other,
        }
    }

    async fn once(&self, request: reqwest::Request, attempts: u32) -> Attempt {
        let changes = Nature::of(request.method()).changes;
        let response = match self.core.http.execute(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return Attempt::Failed(
                    Failure::NotSent,
                    connection("no connection to the server", error),
                );
            }
            Err(error) if error.is_builder() || error.is_request() && error.url().is_none() => {
                return Attempt::Fatal(
                    Error::invalid("the request cannot be built").with_source(error.without_url()),
                );
            }
            Err(error) => {
                return Attempt::Failed(
                    Failure::Broken,
                    connection("the connection broke before the answer", error),
                );
            }
        };
        self.read(response, attempts, changes).await
    }

    /// Reads the body, but never more of it than the limit allows.
    async fn read(&self, mut response: reqwest::Response, attempts: u32, changes: bool) -> Attempt {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let limit = self.settings.max_body;
        let announced = response.content_length().unwrap_or(0);
        let too_large = || {
            Error::new(
                ErrorKind::Decode,
                format!("the reply is larger than {limit} bytes: raise max_body if that is right"),
            )
            .with_status(status)
            .with_ambiguous(changes)
        };
        if announced > limit as u64 {
            return Attempt::Fatal(too_large());
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    if first.len() + rest.len() + chunk.len() > limit {
                        return Attempt::Fatal(too_large());
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
                    return Attempt::Failed(Failure::Broken, error.with_status(status));
                }
            }
        }
        let body = if rest.is_empty() {
            first
        } else {
            let mut whole = BytesMut::with_capacity(first.len() + rest.len());
            whole.extend_from_slice(&first);
            whole.extend_from_slice(&rest);
            whole.freeze()
        };
        Attempt::Reply(RawReply {
            status,
            headers,
            body,
            attempts,
            changes,
            in_doubt: false,
        })
    }

    async fn token(&self, deadline: Instant) -> Result<Option<Arc<Token>>> {
        match self.credential {
            Credential::Partner => match self.core.minter.settled() {
                Some(token) => Ok(Some(token)),
                // A signer may take its time.
                None => within(deadline, self.core.minter.partner_token())
                    .await
                    .map(Some),
            },
            Credential::ApiKey(_) | Credential::None => Ok(None),
        }
    }

    fn authorize(&self, request: &mut reqwest::Request, token: Option<&Token>) -> Result<()> {
        if let Some(token) = token {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, token.header_value().clone());
        }
        if let Credential::ApiKey(key) = &self.credential {
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
pub(crate) fn after(time: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + time.min(FOR_EVER)
}

async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout_at(deadline, work)
        .await
        .unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Timeout,
                "the signer made no token in time",
            ))
        })
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
