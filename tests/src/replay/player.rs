//! Plays the responses of one case at a time, and records the requests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Case, Error, Response, Server};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The server that received it.
    pub server: Server,
    /// When it arrived.
    pub at: Instant,
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

/// The servers that play a case.
#[derive(Debug)]
pub struct Player {
    api: SocketAddr,
    data: SocketAddr,
    stage: Arc<Mutex<Stage>>,
}

#[derive(Debug)]
struct Stage {
    /// The responses, in this order.
    responses: Vec<Response>,
    /// Whether the last one is also the response to all later requests.
    may_be_more: bool,
    recorded: Vec<Recorded>,
    elsewhere: SocketAddr,
}

impl Player {
    /// Starts them on free ports of this machine.
    pub async fn start() -> Result<Self, Error> {
        let mut listeners = Vec::new();
        for server in [Server::Api, Server::Data, Server::Elsewhere] {
            listeners.push((server, TcpListener::bind("127.0.0.1:0").await?));
        }
        let address = |index: usize| listeners[index].1.local_addr();
        let (api, data, elsewhere) = (address(0)?, address(1)?, address(2)?);
        let stage = Arc::new(Mutex::new(Stage {
            responses: Vec::new(),
            may_be_more: false,
            recorded: Vec::new(),
            elsewhere,
        }));
        for (server, listener) in listeners {
            tokio::spawn(serve(server, listener, Arc::clone(&stage)));
        }
        Ok(Self { api, data, stage })
    }

    /// The base URL of the API.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.api, Server::Api.base_path())
    }

    /// The base URL of the data endpoints.
    pub fn data_url(&self) -> String {
        format!("http://{}{}", self.data, Server::Data.base_path())
    }

    /// Prepares for a case.
    pub fn play(&self, case: &Case) {
        let exchanges = case.exchanges.iter().map(|exchange| &exchange.response);
        let later = case
            .more
            .iter()
            .flat_map(|more| more.first.iter().chain(&more.response));
        let mut stage = lock(&self.stage);
        stage.responses = exchanges.chain(later).cloned().collect();
        stage.may_be_more = case.more.is_some();
        stage.recorded.clear();
    }

    /// Returns the requests since then.
    pub fn recorded(&self) -> Vec<Recorded> {
        lock(&self.stage).recorded.clone()
    }
}

async fn serve(server: Server, listener: TcpListener, stage: Arc<Mutex<Stage>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(server, Arc::clone(&stage), request));
            // A client that disconnects only ends its own connection.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn lock(stage: &Mutex<Stage>) -> std::sync::MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    server: Server,
    stage: Arc<Mutex<Stage>>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let at = Instant::now();
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let mut stage = lock(&stage);
    let next = stage.recorded.len();
    let last = stage.responses.last().filter(|_| stage.may_be_more);
    let response = stage.responses.get(next).or(last);
    let response = response.map_or_else(unexpected, |response| played(response, stage.elsewhere));
    stage.recorded.push(Recorded {
        server,
        at,
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
    Ok(response)
}

/// The response to an unexpected request, which must not be retried endlessly.
fn unexpected() -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::default());
    *response.status_mut() = hyper::StatusCode::NOT_IMPLEMENTED;
    response
}

fn played(response: &Response, elsewhere: SocketAddr) -> hyper::Response<Full<Bytes>> {
    let body = match (&response.body, &response.text) {
        (Some(body), _) => body.to_string(),
        (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    };
    let mut built = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        let value = if let Some(seconds) = value["httpDateIn"].as_u64() {
            httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds))
        } else if let Some(path) = value["elsewhere"].as_str() {
            format!("http://{elsewhere}{path}")
        } else {
            match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }
        };
        built = built.header(name, value);
    }
    built
        .body(Full::from(body))
        .unwrap_or_else(|_| unexpected())
}
