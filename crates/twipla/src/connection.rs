//! The connections that requests are sent on.
//!
//! The decisions, and their reasons:
//!
//! - **Two pools.** A server may close an idle connection, and a request
//!   sent at the same moment fails without any sign of whether it
//!   arrived. A read is then sent again, without charge. A change must not get into that
//!   situation: changes have a pool of their own, whose connections are reused only
//!   within [`CHANGES_IDLE`] of their last use.
//! - **A pool is retired, never repaired.** A connection may swallow requests
//!   and still answer pings. So any attempt that ends without a response (a timeout, a
//!   broken connection, a caller who stopped waiting) replaces the [`Transport`]
//!   that it was sent on. Calls in progress keep the old one, which
//!   closes its connections when the last of them ends.
//! - **Callers who give up early** count together: a pool is retired once calls
//!   were given up on it for [`ABANDONED`] without a response from that host in
//!   between. So a caller who is always too impatient for a slow server gets a new
//!   connection each second, and not for each call.
//! - **HTTP/2 pings** are sent while a request waits, so that a dead connection
//!   is noticed before the attempt times out. Idle connections are not pinged:
//!   they are not kept that long.
//! - **An application's own client** cannot be rebuilt, so its pool is
//!   never retired, and it serves reads and changes alike.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;
use reqwest::Proxy;
use rustls::ClientConfig;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use twipla_api::Server;

use crate::{Error, ErrorKind, Result};

/// How long a connection for changes may idle and still be reused.
///
/// The shortest common limit among servers is 5 s (Node, Apache), and
/// the server's clock runs from when it sent the response, not from its arrival.
const CHANGES_IDLE: Duration = Duration::from_secs(2);

/// Callers who stop waiting for a response after this long count as timed out.
const ABANDONED: Duration = Duration::from_secs(1);

/// The connections of a client and all its clones.
pub(crate) struct Connections {
    reads: Pool,
    changes: Pool,
    slots: Semaphore,
    max_in_flight: usize,
}

impl Connections {
    /// `pool_idle_timeout` applies to reads; changes use the shorter of it and 2 s.
    pub(crate) fn new(
        transports: Transports,
        pool_idle_timeout: Duration,
        max_in_flight: usize,
    ) -> Result<Self> {
        if max_in_flight == 0 {
            return Err(config("invalid max_in_flight: expected at least 1"));
        }
        let transports = Arc::new(transports);
        Ok(Self {
            reads: Pool::new(&transports, pool_idle_timeout)?,
            changes: Pool::new(&transports, pool_idle_timeout.min(CHANGES_IDLE))?,
            slots: Semaphore::new(max_in_flight.min(Semaphore::MAX_PERMITS)),
            max_in_flight,
        })
    }

    /// Waits until a request may be in flight; the permit must be held until it ends.
    pub(crate) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.slots.acquire().await.ok()
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.max_in_flight
    }

    /// Returns the transport for a request.
    pub(crate) fn lease(&self, server: Server, is_change: bool) -> Lease<'_> {
        if is_change {
            self.changes.lease(server)
        } else {
            self.reads.lease(server)
        }
    }
}

/// The current transport, and how to create the next one.
struct Pool {
    current: ArcSwap<Transport>,
    transports: Arc<Transports>,
    idle_timeout: Duration,
}

/// A reqwest client, which is a pool of connections to each host.
struct Transport {
    client: reqwest::Client,
    /// Whether there was a response: from then on a connection may be reused.
    was_answered: AtomicBool,
    management: Silence,
    data: Silence,
}

/// Since when calls to a host were given up without a response from it.
#[derive(Default)]
struct Silence(Mutex<Option<Instant>>);

impl Silence {
    fn answered(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Records that a call that `started` then was given up; returns whether the silence is too long.
    fn given_up(&self, started: Instant) -> bool {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = since.map_or(started, |since| since.min(started));
        *since = Some(earliest);
        earliest.elapsed() >= ABANDONED
    }
}

impl Transport {
    fn new(client: reqwest::Client) -> Arc<Self> {
        Arc::new(Self {
            client,
            was_answered: AtomicBool::new(false),
            management: Silence::default(),
            data: Silence::default(),
        })
    }

    fn silence(&self, server: Server) -> &Silence {
        match server {
            Server::Management => &self.management,
            Server::Data => &self.data,
        }
    }
}

impl Pool {
    fn new(transports: &Arc<Transports>, idle_timeout: Duration) -> Result<Self> {
        let client = transports
            .client(idle_timeout)
            .map_err(|error| config("cannot build the HTTP client").with_source(error))?;
        Ok(Self {
            current: ArcSwap::new(Transport::new(client)),
            transports: Arc::clone(transports),
            idle_timeout,
        })
    }

    fn lease(&self, server: Server) -> Lease<'_> {
        let transport = self.current.load_full();
        Lease {
            pool: self,
            may_be_reused: transport.was_answered.load(Ordering::Relaxed),
            transport,
            server,
            started: Instant::now(),
            ended: false,
        }
    }

    /// Replaces this transport, unless that was done already:
    /// many calls may end on it at the same time, and each would build a client.
    fn retire(&self, transport: &Arc<Transport>) {
        if matches!(*self.transports, Transports::Own(_))
            || !Arc::ptr_eq(&self.current.load(), transport)
        {
            return;
        }
        match self.transports.client(self.idle_timeout) {
            Ok(client) => {
                self.current
                    .compare_and_swap(transport, Transport::new(client));
                tracing::debug!("retired the pool of connections");
            }
            Err(error) => tracing::warn!(%error, "cannot replace the pool of connections"),
        }
    }
}

/// The transport of one attempt.
///
/// If it is dropped without [`keep`](Self::keep) or [`retire`](Self::retire), the caller
/// has stopped waiting.
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    transport: Arc<Transport>,
    server: Server,
    may_be_reused: bool,
    started: Instant,
    ended: bool,
}

impl Lease<'_> {
    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.transport.client
    }

    /// Returns whether the request may go out on a connection that served one before.
    pub(crate) fn may_be_reused(&self) -> bool {
        self.may_be_reused
    }

    /// Marks the transport as working as far as this attempt shows.
    pub(crate) fn keep(mut self, was_answered: bool) {
        self.ended = true;
        if was_answered {
            self.transport.was_answered.store(true, Ordering::Relaxed);
            self.transport.silence(self.server).answered();
        }
    }

    /// Sends no later attempt on this transport.
    pub(crate) fn retire(mut self) {
        self.ended = true;
        self.pool.retire(&self.transport);
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.ended && self.transport.silence(self.server).given_up(self.started) {
            self.pool.retire(&self.transport);
        }
    }
}

/// The source of transports.
pub(crate) enum Transports {
    /// Created as often as needed.
    Made(Box<TransportSettings>),
    /// The application's own client.
    Own(reqwest::Client),
}

/// The settings of a transport.
pub(crate) struct TransportSettings {
    pub(crate) tls: ClientConfig,
    pub(crate) user_agent: HeaderValue,
    pub(crate) connect_timeout: Duration,
    pub(crate) http1_only: bool,
    pub(crate) proxies: Vec<Proxy>,
}

impl Transports {
    fn client(&self, idle_timeout: Duration) -> reqwest::Result<reqwest::Client> {
        let settings = match self {
            Self::Own(client) => return Ok(client.clone()),
            Self::Made(settings) => settings,
        };
        let mut builder = reqwest::Client::builder()
            // Nothing is installed globally: that is up to the application.
            .tls_backend_preconfigured(settings.tls.clone())
            .user_agent(settings.user_agent.clone())
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(idle_timeout)
            // A redirect could carry the token to another host; this API has none.
            .redirect(reqwest::redirect::Policy::none())
            // This crate retries requests itself, by rules that fit this API.
            .retry(reqwest::retry::never())
            // Those of the environment are among `proxies`.
            .no_proxy();
        for proxy in &settings.proxies {
            builder = builder.proxy(proxy.clone());
        }
        if settings.http1_only {
            builder = builder.http1_only();
        }
        #[cfg(feature = "http2")]
        {
            // A dead connection is detected in 20 s, before an attempt's 30 s end.
            builder = builder
                .http2_keep_alive_interval(Duration::from_secs(10))
                .http2_keep_alive_timeout(Duration::from_secs(10));
        }
        builder.build()
    }
}

/// Returns whether the request was returned unsent, or the protocol says that the
/// server did not process it.
pub(crate) fn was_not_processed(error: &reqwest::Error) -> bool {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.any(|cause| {
        if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            // The connection closed before it accepted the request.
            return error.is_canceled() || error.is_closed();
        }
        refused_by_http2(cause)
    })
}

#[cfg(feature = "http2")]
fn refused_by_http2(cause: &(dyn StdError + 'static)) -> bool {
    cause.downcast_ref::<h2::Error>().is_some_and(|error| {
        // h2 reports the error of a GOAWAY only to the streams above its last id.
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (refused || error.is_go_away())
    })
}

#[cfg(not(feature = "http2"))]
fn refused_by_http2(_: &(dyn StdError + 'static)) -> bool {
    false
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
