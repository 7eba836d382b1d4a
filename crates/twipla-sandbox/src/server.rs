//! The server: accepts connections, reads requests, writes responses, and
//! simulates network failures for faults.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::channel::{Channel, Sender};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::control;
use crate::exchange::exchange;
use crate::message::{ConnectionEnd, Delivery, HttpResponse};
use crate::receive::{BodyMemory, ReceiveError, receive};
use crate::routes::Route;
use crate::state::SharedWorld;

/// Further connections wait until one of these has ended.
const MAX_CONNECTIONS: usize = 4096;
/// Memory for the head of a request; larger heads are rejected.
const MAX_HEAD: usize = 64 * 1024;
/// How long open connections may take to end when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);
/// How long to wait before accepting again after an error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// How long to wait for the first half of a truncated body to be sent.
const FLUSH_TIME: Duration = Duration::from_millis(30);

/// How long to collect changes for one event.
const EVENT_PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for a change before a comment is sent.
const EVENT_SILENCE: Duration = Duration::from_secs(15);

type ResponseBody = Either<Full<Bytes>, Channel<Bytes, Dropped>>;

/// Shared by all connections.
pub(crate) struct Server {
    world: Arc<SharedWorld>,
    memory: BodyMemory,
    settings: Settings,
}

/// How the server treats connections.
#[derive(Debug)]
pub(crate) struct Settings {
    /// How long a connection may be idle, and how long a request may take to
    /// arrive.
    pub(crate) idle_timeout: Duration,
    /// Host names for the control endpoints, besides those of this machine.
    pub(crate) allowed_hosts: Vec<String>,
    /// Whether browsers on other machines may use the console.
    pub(crate) remote_console: bool,
    /// Serves https if set.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl Server {
    pub(crate) fn new(world: Arc<SharedWorld>, settings: Settings) -> Self {
        Self {
            world,
            memory: BodyMemory::new(),
            settings,
        }
    }

    /// Accepts connections until `stop` becomes true, then lets the open ones
    /// end.
    pub(crate) async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                    let Ok((stream, peer)) = accepted else {
                        // Probably out of file descriptors; some may be freed
                        // soon.
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    };
                    let _ = stream.set_nodelay(true);
                    connections.spawn(Arc::clone(&server).serve_stream(stream, is_local(peer), stop.clone()));
                }
                Some(_) = connections.join_next() => {}
                _ = stop.changed() => break,
            }
        }
        drop(listener);
        let end = tokio::time::timeout(STOP_TIMEOUT, async {
            while connections.join_next().await.is_some() {}
        });
        let _ = end.await;
    }

    async fn serve_stream(
        self: Arc<Self>,
        stream: TcpStream,
        is_local: bool,
        mut stop: watch::Receiver<bool>,
    ) {
        let Some(config) = self.settings.tls.clone() else {
            return self.serve_connection(stream, is_local, stop).await;
        };
        let handshake = TlsAcceptor::from(config).accept(stream);
        let handshake = tokio::time::timeout(self.settings.idle_timeout, handshake);
        tokio::select! {
            handshake = handshake => match handshake {
                Ok(Ok(stream)) => self.serve_connection(stream, is_local, stop).await,
                // Logged because some clients report only that the connection
                // closed.
                Ok(Err(error)) => tracing::warn!("cannot agree on TLS with a client: {error}"),
                Err(_) => {}
            },
            _ = stop.changed() => {}
        }
    }

    async fn serve_connection(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        is_local: bool,
        mut stop: watch::Receiver<bool>,
    ) {
        // Declared first, so that it is dropped after the connection.
        let (_guard, end) = ConnectionEnd::new();
        let of_events = stop.clone();
        let service = service_fn(|request| {
            let (server, end) = (Arc::clone(&self), end.clone());
            handle(server, request, is_local, end, of_events.clone())
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.settings.idle_timeout)
            .max_buf_size(MAX_HEAD)
            // The Date header follows the sandbox's clock, not the machine's.
            .auto_date_header(false)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        tokio::select! {
            // An error means that the client disconnected or that a fault
            // struck.
            _ = connection.as_mut() => {}
            _ = stop.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// Makes hyper drop the connection.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

async fn handle(
    server: Arc<Server>,
    request: Request<Incoming>,
    is_local: bool,
    connection: ConnectionEnd,
    stop: watch::Receiver<bool>,
) -> Result<Response<ResponseBody>, Dropped> {
    let started = Instant::now();
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let received = receive(request, &server.memory, server.settings.idle_timeout).await;
    let delivery = match received {
        Ok((request, _memory)) if path.starts_with(control::PREFIX) => {
            let settings = &server.settings;
            let origin = control::Origin {
                is_local,
                scheme: if settings.tls.is_some() {
                    "https"
                } else {
                    "http"
                },
                allowed_hosts: &settings.allowed_hosts,
                remote_console: settings.remote_console,
            };
            let delivery = control::handle(&mut server.world.lock(), &request, &origin);
            if method != "GET" {
                server.world.notify();
            }
            delivery
        }
        Ok((request, _memory)) => exchange(&server.world, &request, connection).await,
        Err(ReceiveError::Rejected(error)) => {
            let now = server.world.lock().clock.now();
            Delivery::Response(error.into_reply().into_response(now))
        }
        Err(ReceiveError::ConnectionClosed) => Delivery::Reset,
    };
    let operation = Route::find(&method, &path).operation_id().unwrap_or("-");
    // The path contains ids but no secrets; the query of a dashboard URL
    // contains a token.
    tracing::info!(
        method,
        path,
        status = delivery.status(),
        operation,
        ms = started.elapsed().as_millis(),
        "request"
    );
    match delivery {
        Delivery::Response(response) => Ok(into_hyper(response)),
        Delivery::Reset => Err(Dropped),
        Delivery::Hang => std::future::pending().await,
        Delivery::Events => Ok(events(server.world.watch(), stop)),
    }
}

/// Returns a stream of server-sent events: one for each change, or for several
/// in quick succession.
fn events(changed: watch::Receiver<()>, mut stop: watch::Receiver<bool>) -> Response<ResponseBody> {
    let (sender, channel) = Channel::new(1);
    tokio::spawn(async move {
        tokio::select! {
            () = send_events(sender, changed) => {}
            _ = stop.changed() => {}
        }
    });
    let mut response = Response::new(Either::Right(channel));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sends events until the reader disconnects, which is detected by sending a comment from time to
/// time. Changes that happen while a slow reader blocks are sent as one event.
async fn send_events(mut sender: Sender<Bytes, Dropped>, mut changed: watch::Receiver<()>) {
    let mut event = Bytes::from_static(b": hello\n\n");
    while sender.send_data(event).await.is_ok() {
        tokio::time::sleep(EVENT_PAUSE).await;
        event = match tokio::time::timeout(EVENT_SILENCE, changed.changed()).await {
            Ok(Ok(())) => Bytes::from_static(b"event: change\ndata:\n\n"),
            Ok(Err(_)) => return,
            Err(_) => Bytes::from_static(b": still here\n\n"),
        };
    }
}

fn is_local(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

fn into_hyper(response: HttpResponse) -> Response<ResponseBody> {
    let length = response.body.len();
    let body = match response.cut_at {
        None => Either::Left(Full::from(response.body)),
        Some(at) => Either::Right(truncated(response.body, at)),
    };
    let mut hyper = Response::new(body);
    *hyper.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = hyper.headers_mut();
    if response.cut_at.is_some() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let date = response
        .date
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        headers.insert(DATE, date);
    }
    if let Some(content_type) = response.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            headers.insert(name, value);
        }
    }
    hyper
}

/// Returns a body that ends with an error after `at` bytes.
fn truncated(mut body: Vec<u8>, at: usize) -> Channel<Bytes, Dropped> {
    body.truncate(at);
    let (mut sender, channel) = Channel::new(1);
    tokio::spawn(async move {
        if sender.send_data(body.into()).await.is_ok() {
            // The error makes hyper discard what it has not written yet.
            tokio::time::sleep(FLUSH_TIME).await;
            sender.abort(Dropped);
        }
    });
    channel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_local() {
        for (peer, expected) in [
            ("127.0.0.1:80", true),
            ("127.9.9.9:80", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("192.0.2.1:80", false),
            ("0.0.0.0:80", false),
            ("[::ffff:192.0.2.1]:80", false),
            ("[2001:db8::1]:80", false),
        ] {
            assert_eq!(is_local(peer.parse().unwrap()), expected, "{peer}");
        }
    }
}
