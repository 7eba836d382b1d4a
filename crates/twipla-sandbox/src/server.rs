//! The server: accepts connections, reads requests and writes responses, and
//! fails the way a network fails where a fault asks for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::channel::Channel;
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::control;
use crate::exchange::exchange;
use crate::message::{ConnectionEnd, Delivery, HttpRequest, HttpResponse};
use crate::reply::ApiError;
use crate::routes::Route;
use crate::state::SharedWorld;

/// Larger bodies are refused.
const MAX_BODY: usize = 1024 * 1024;
/// How long a connection may stay silent before it is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How long connections get to end when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait before accepting again, after accepting a connection failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// How long the first half of a truncated body gets to leave.
const FLUSH_TIME: Duration = Duration::from_millis(30);

type ResponseBody = Either<Full<Bytes>, Channel<Bytes, Dropped>>;

/// Accepts connections until `stop` turns true, then lets the open ones end.
pub(crate) async fn serve(
    listener: TcpListener,
    world: Arc<SharedWorld>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Most likely out of file descriptors; some may be freed soon.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                connections.spawn(serve_connection(stream, Arc::clone(&world), stop.clone()));
                while connections.try_join_next().is_some() {}
            }
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let end = tokio::time::timeout(STOP_TIMEOUT, async {
        while connections.join_next().await.is_some() {}
    });
    let _ = end.await;
}

async fn serve_connection(
    stream: TcpStream,
    world: Arc<SharedWorld>,
    mut stop: watch::Receiver<bool>,
) {
    // Declared first, so that it is dropped after the connection.
    let (_guard, end) = ConnectionEnd::new();
    let service = service_fn(|request| answer(Arc::clone(&world), request, end.clone()));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        // The Date header is the sandbox's clock, not the machine's.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // An error here means that the client went away or that a fault struck.
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
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

async fn answer(
    world: Arc<SharedWorld>,
    request: Request<Incoming>,
    connection: ConnectionEnd,
) -> Result<Response<ResponseBody>, Dropped> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let method = head.method.as_str().to_owned();
    let path = head.uri.path().to_owned();
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    let delivery = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => {
            let request = HttpRequest {
                method: method.clone(),
                path: path.clone(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: headers.collect(),
                body: body.to_bytes().to_vec(),
            };
            if path.starts_with(control::PREFIX) {
                control::answer(&mut world.lock(), &request)
            } else {
                exchange(&world, &request, connection).await
            }
        }
        Err(error) if error.is::<LengthLimitError>() => {
            let reply = ApiError::bad("the body is larger than 1 MiB").into_reply();
            Delivery::Response(reply.into_response(world.lock().clock.now()))
        }
        Err(_) => Delivery::Reset,
    };
    let operation = Route::find(&method, &path).operation_id().unwrap_or("-");
    // The path holds ids but no secrets; the query of a dashboard URL holds a token.
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
    }
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

/// A body that breaks off after `at` bytes.
fn truncated(mut body: Vec<u8>, at: usize) -> Channel<Bytes, Dropped> {
    body.truncate(at);
    let (mut sender, channel) = Channel::new(1);
    tokio::spawn(async move {
        if sender.send_data(body.into()).await.is_ok() {
            // An error makes hyper discard what it has not written yet.
            tokio::time::sleep(FLUSH_TIME).await;
            sender.abort(Dropped);
        }
    });
    channel
}
