//! The server: hyper, prebuilt bodies, nothing looked at but the path.

use std::convert::Infallible;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{bodies, measure};

/// Entries of a page of the stream.
const PAGE: usize = 100;

struct Bodies {
    website: Bytes,
    customers: Bytes,
    created: Bytes,
    websites: String,
}

/// Serves until it is killed; the first line it writes is its address.
pub(crate) fn run() -> Result<()> {
    measure::pin(measure::Side::Server);
    let bodies = Bodies {
        website: json!({ "payload": bodies::website() }).to_string().into(),
        customers: bodies::customers().to_string().into(),
        created: bodies::created().to_string().into(),
        websites: bodies::websites(PAGE),
    };
    let bodies: &'static Bodies = Box::leak(Box::new(bodies));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await.context("cannot accept")?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let service = service_fn(|request| answer(bodies, request));
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

async fn answer(
    bodies: &'static Bodies,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // A connection is kept only where the body was read.
    let _ = body.collect().await;
    let path = head.uri.path();
    let (status, body) = match (head.method.as_str(), path) {
        ("GET", "/v2/3as/customers") => (200, bodies.customers.clone()),
        ("POST", "/v2/3as/customers") => (201, bodies.created.clone()),
        ("GET", "/v2/3as/websites") => (200, page(bodies, head.uri.query().unwrap_or_default())),
        _ => (200, bodies.website.clone()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

/// A page of a list whose length the client chooses, by the customer whose websites it wants.
fn page(bodies: &Bodies, query: &str) -> Bytes {
    let find = |name: &str| -> usize {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or_default()
    };
    let (number, total) = (find("page"), find("externalCustomerId"));
    format!(
        "{{\"payload\":[{}],\"meta\":{{\"page\":{number},\"pageSize\":{PAGE},\"pageTotal\":{},\"total\":{total}}}}}",
        bodies.websites,
        total.div_ceil(PAGE),
    )
    .into()
}
