//! Plays the responses of one case at a time, and records what was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Case, Error, Response};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent.
    pub query: String,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The server that plays a case.
#[derive(Debug)]
pub struct Player {
    address: SocketAddr,
    stage: Arc<Mutex<Stage>>,
}

#[derive(Debug, Default)]
struct Stage {
    responses: Vec<Response>,
    recorded: Vec<Recorded>,
}

impl Player {
    /// Starts it on a free port of this machine.
    pub async fn start() -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Mutex::new(Stage::default()));
        let shared = Arc::clone(&stage);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stage = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&stage), request));
                    // A client that goes away ends its connection, and nothing else.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self { address, stage })
    }

    /// Where it listens.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gets ready for a case.
    pub fn play(&self, case: &Case) {
        *lock(&self.stage) = Stage {
            responses: case
                .exchanges
                .iter()
                .map(|exchange| exchange.response.clone())
                .collect(),
            recorded: Vec::new(),
        };
    }

    /// What was sent since then.
    pub fn recorded(&self) -> Vec<Recorded> {
        lock(&self.stage).recorded.clone()
    }
}

fn lock(stage: &Mutex<Stage>) -> std::sync::MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    stage: Arc<Mutex<Stage>>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let mut stage = lock(&stage);
    // Whoever asks more often than the case has answers is told the last one again.
    let next = stage
        .recorded
        .len()
        .min(stage.responses.len().saturating_sub(1));
    let response = stage.responses.get(next).cloned();
    stage.recorded.push(Recorded {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect(),
        body,
    });
    Ok(response.as_ref().map_or_else(unexpected, played))
}

/// A case without requests got one.
fn unexpected() -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::default());
    *response.status_mut() = hyper::StatusCode::NOT_IMPLEMENTED;
    response
}

fn played(response: &Response) -> hyper::Response<Full<Bytes>> {
    let body = match (&response.body, &response.text) {
        (Some(body), _) => body.to_string(),
        (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    };
    let mut built = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        let value = match (value, value["httpDateIn"].as_u64()) {
            (_, Some(seconds)) => {
                httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds))
            }
            (Value::String(text), None) => text.clone(),
            (other, None) => other.to_string(),
        };
        built = built.header(name, value);
    }
    built
        .body(Full::from(body))
        .unwrap_or_else(|_| unexpected())
}
