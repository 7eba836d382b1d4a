//! A server played by a test: a function returns the response to each request.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use twipla::{RetryPolicy, Twipla};
use twipla_sandbox::Sandbox;
use twipla_tests::client;

/// A response: status, headers and body.
pub(crate) type Reply = Response<Full<Bytes>>;

/// Returns a client of a server whose responses come from `reply`, given target and body of each request.
pub(crate) async fn played(reply: impl FnMut(&Uri, &[u8]) -> Reply + Send + 'static) -> Twipla {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let reply = Arc::new(Mutex::new(reply));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let reply = Arc::clone(&reply);
            let service = service_fn(move |request: Request<Incoming>| {
                let reply = Arc::clone(&reply);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let reply = &mut *reply.lock().unwrap();
                    Ok::<_, Infallible>(reply(&head.uri, &body))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    // For a partner with a valid key; the server is not used.
    let sandbox = Sandbox::start().await.unwrap();
    client(&sandbox, &sandbox.website_partner())
        .base_url(base_url.as_str())
        .data_url(base_url.as_str())
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

/// Returns a JSON response.
pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Reply {
    let reply = Response::builder().status(status);
    let reply = reply.header("content-type", "application/json");
    reply.body(Full::new(body.into())).unwrap()
}

/// Returns a number in the query.
pub(crate) fn query(uri: &Uri, name: &str) -> usize {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then(|| value.parse().unwrap()))
        .unwrap()
}
