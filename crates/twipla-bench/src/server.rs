//! The server: hyper with prebuilt bodies, which only reads the path.

use std::convert::Infallible;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{bodies, measure};

/// Entries on a page of the stream.
const PAGE: usize = 100;

struct Bodies {
    website: Bytes,
    customers: Bytes,
    created: Bytes,
}

/// The protocol of connections.
#[derive(Clone)]
enum Speech {
    Plain,
    Tls(TlsAcceptor),
}

/// Serves until it is killed. The first line of output contains its URLs, and `certificate` is the file for the certificate
/// that clients must trust for https.
pub(crate) fn run(certificate: &Path) -> Result<()> {
    measure::pin(measure::Side::Server);
    let bodies = Bodies {
        website: json!({ "payload": bodies::website() }).to_string().into(),
        customers: bodies::customers().to_string().into(),
        created: bodies::created().to_string().into(),
    };
    let bodies: &'static Bodies = Box::leak(Box::new(bodies));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    std::fs::write(certificate, made.cert.pem())
        .with_context(|| format!("cannot write {}", certificate.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let http = serve(bodies, Speech::Plain, "http").await?;
        let https1 = serve(bodies, tls(&made, b"http/1.1")?, "https").await?;
        let https2 = serve(bodies, tls(&made, b"h2")?, "https").await?;
        println!(
            "{}",
            json!({ "http": http, "https-http1": https1, "https-http2": https2 })
        );
        std::io::stdout().flush()?;
        std::future::pending().await
    })
}

fn tls(made: &CertifiedKey<KeyPair>, protocol: &[u8]) -> Result<Speech> {
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())?;
    config.alpn_protocols.push(protocol.to_vec());
    Ok(Speech::Tls(TlsAcceptor::from(Arc::new(config))))
}

/// Serves on a new address, and returns its URL.
async fn serve(bodies: &'static Bodies, speech: Speech, scheme: &str) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(bodies, speech.clone(), stream));
        }
    });
    Ok(format!("{scheme}://{address}"))
}

async fn connection(bodies: &'static Bodies, speech: Speech, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let service = service_fn(|request| answer(bodies, request));
    match speech {
        Speech::Plain => {
            http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await?;
        }
        Speech::Tls(acceptor) => {
            let stream = TokioIo::new(acceptor.accept(stream).await?);
            // HTTP/1.1 or HTTP/2, detected from the first bytes.
            let served = auto::Builder::new(TokioExecutor::new())
                .serve_connection(stream, service)
                .await;
            served.map_err(anyhow::Error::from_boxed)?;
        }
    }
    Ok(())
}

async fn answer(
    bodies: &'static Bodies,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // A connection is only reused if the body was read.
    let _ = body.collect().await;
    let path = head.uri.path();
    let (status, body) = match (head.method.as_str(), path) {
        ("GET", "/v2/3as/customers") => (200, bodies.customers.clone()),
        ("POST", "/v2/3as/customers") => (201, bodies.created.clone()),
        ("GET", "/v2/3as/websites") => (200, page(head.uri.query().unwrap_or_default())),
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

/// Returns a page of a list. The client sets its length through the customer of the query.
fn page(query: &str) -> Bytes {
    let find = |name: &str| -> usize {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or_default()
    };
    let (number, total) = (find("page"), find("externalCustomerId"));
    let first = number * PAGE;
    format!(
        "{{\"payload\":[{}],\"meta\":{{\"page\":{number},\"pageSize\":{PAGE},\"pageTotal\":{},\"total\":{total}}}}}",
        bodies::websites(first..total.min(first + PAGE)),
        total.div_ceil(PAGE),
    )
    .into()
}
