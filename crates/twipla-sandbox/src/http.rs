//! Connections: HTTP/1.1 in, HTTP/1.1 out, and the ways in which a network fails.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming as HyperBody, SizeHint};
use hyper::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::reply::Refusal;
use crate::server::{self, Incoming, Outgoing, Server, Wire};

/// Larger requests are refused.
const MAX_BODY: usize = 1024 * 1024;

/// Takes connections until `stop` turns true; then lets those under way end.
pub(crate) async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of file descriptors, most likely: give some time to come back.
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                connections.spawn(connection(stream, Arc::clone(&server), stop.clone()));
                while connections.try_join_next().is_some() {}
            }
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let end = tokio::time::timeout(std::time::Duration::from_secs(2), async {
        while connections.join_next().await.is_some() {}
    });
    let _ = end.await;
}

async fn connection(stream: TcpStream, server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let service = service_fn(|request| answer(Arc::clone(&server), request));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Server::IDLE)
        // The Date header is the sandbox's clock, not the machine's.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A connection that broke is the client's matter, or a fault's.
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Tells hyper to drop the connection without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

async fn answer(
    server: Arc<Server>,
    request: Request<HyperBody>,
) -> Result<Response<WireBody>, Dropped> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let method = head.method.as_str().to_owned();
    let path = head.uri.path().to_owned();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let outgoing = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => {
            let incoming = Incoming {
                method: method.clone(),
                path: path.clone(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers,
                body: body.to_bytes().to_vec(),
            };
            server.answer(incoming).await
        }
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Outgoing::Reply(server.plain(Refusal::bad("the body is larger than 1 MiB")))
        }
        Err(_) => Outgoing::Reset,
    };
    let status = match &outgoing {
        Outgoing::Reply(wire) => wire.status,
        Outgoing::Reset | Outgoing::Hang => 0,
    };
    let operation = server::operation_id(&method, &path).unwrap_or("-");
    // The path holds ids but no secrets; the query of a dashboard URL would.
    tracing::info!(
        method,
        path,
        status,
        operation,
        ms = started.elapsed().as_millis(),
        "request"
    );
    match outgoing {
        Outgoing::Reply(mut wire) => {
            if wire.status == 405 {
                let allowed = server::methods(&path).join(", ");
                wire.headers.push(("allow".to_owned(), allowed));
            }
            Ok(response(wire))
        }
        Outgoing::Reset => Err(Dropped),
        Outgoing::Hang => std::future::pending().await,
    }
}

fn response(wire: Wire) -> Response<WireBody> {
    let body = WireBody {
        announced: wire.body.len(),
        cut: wire.cut_at.is_some(),
        rest: Some(cut(wire.body, wire.cut_at)),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(wire.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let date = wire.date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        headers.insert(DATE, date);
    }
    if let Some(kind) = wire.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in wire.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            headers.insert(name, value);
        }
    }
    response
}

fn cut(mut body: Vec<u8>, at: Option<usize>) -> Bytes {
    body.truncate(at.unwrap_or(body.len()));
    body.into()
}

/// A body that announces its whole length, even where it will be cut short.
struct WireBody {
    announced: usize,
    cut: bool,
    rest: Option<Bytes>,
}

impl Body for WireBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        Poll::Ready(match self.rest.take() {
            Some(bytes) if !bytes.is_empty() => Some(Ok(Frame::data(bytes))),
            _ if self.cut => Some(Err(Dropped)),
            _ => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        !self.cut && self.rest.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced as u64)
    }
}
