//! Bodies that gateways have modified, and how a failure is displayed.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use twipla::{ErrorKind, RetryPolicy, Twipla};
use twipla_sandbox::Sandbox;
use twipla_tests::client;

use crate::played::{Reply, json as reply, played};

const PACKAGE: &str = "471cc1d4-ec27-4504-b7c2-949af95662bc";
const BODY: &str = r#"{"payload":{
    "id":"471cc1d4-ec27-4504-b7c2-949af95662bc","name":"Pro","touchpoints":"55000","price":39.99,"currency":"CHF",
    "intpId":"7128840a-5347-49a4-8dfa-9022d8dad21a","period":"monthly","recommended":true,
    "createdAt":"2023-08-22T08:14:03Z","visibility":"public"}}"#;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn encoded(mut reply: Reply, encoding: &'static str) -> Reply {
    let value = http::HeaderValue::from_static(encoding);
    reply.headers_mut().insert("content-encoding", value);
    reply
}

/// Returns the name of a package, from a server that always responds with this.
async fn name_from(reply: Reply) -> twipla::Result<String> {
    let twipla = played(move |_, _| reply.clone()).await;
    let id: twipla::PackageId = PACKAGE.parse().unwrap();
    Ok(twipla.package(id).get().await?.name)
}

#[tokio::test]
async fn byte_order_mark_and_unrequested_gzip_are_decoded() {
    let marked = [b"\xef\xbb\xbf", BODY.as_bytes()].concat();
    for (what, reply) in [
        ("plain", reply(200, BODY)),
        ("marked", reply(200, marked.clone())),
        ("gzip", encoded(reply(200, gzip(BODY.as_bytes())), "gzip")),
        ("gzip without a header", reply(200, gzip(BODY.as_bytes()))),
        ("marked gzip", reply(200, gzip(&marked))),
        ("gzip in name only", encoded(reply(200, BODY), "gzip")),
    ] {
        let name = name_from(reply).await;
        assert_eq!(
            name.unwrap_or_else(|error| panic!("{what}: {error}")),
            "Pro"
        );
    }
}

#[tokio::test]
async fn body_that_cannot_be_decompressed_is_an_error() {
    let whole = gzip(BODY.as_bytes());
    let bomb = gzip(&vec![b' '; 20 * 1024 * 1024]);
    assert!(bomb.len() < 100_000);
    for (reply, message) in [
        (
            encoded(reply(200, &b"\x0b\x02\x80{}"[..]), "br"),
            "compressed (br), which was not requested",
        ),
        (
            reply(200, whole[..40].to_vec()),
            "compressed, and damaged or larger than max_body",
        ),
        (
            encoded(reply(200, bomb), "gzip"),
            "compressed, and damaged or larger than max_body",
        ),
    ] {
        let error = name_from(reply).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.message().contains(message), "{error}");
    }
}

#[tokio::test]
async fn reason_is_read_from_every_form_of_error_body() {
    let long = format!(
        r#"{{"trace":"{}","message":"no such package"}}"#,
        "x".repeat(100_000)
    );
    for (body, message) in [
        (
            br#"{"errors":[{"message":"no such package"}]}"#.to_vec(),
            "no such package",
        ),
        (
            br#"{"message":{"message":"no such package"}}"#.to_vec(),
            "no such package",
        ),
        (
            b"\xef\xbb\xbf{\"message\":\"no such package\"}".to_vec(),
            "no such package",
        ),
        (gzip(br#"{"message":"no such package"}"#), "no such package"),
        (long.into_bytes(), "no such package"),
        (b"\x0b\x02\x80\xff".to_vec(), "\u{2}\u{fffd}\u{fffd}"),
        (b"\xff\x02\x80".to_vec(), "bad request"),
    ] {
        let error = name_from(reply(400, body)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        if message.starts_with(char::is_alphabetic) {
            assert_eq!(error.message(), message);
        }
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}

/// A client of an unreachable address.
async fn client_of(base_url: &str) -> Twipla {
    let sandbox = Sandbox::start().await.unwrap();
    client(&sandbox, &sandbox.website_partner())
        .base_url(base_url)
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

/// An https server with an untrusted certificate.
async fn untrusted() -> String {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The handshake is expected to fail.
            let _ = acceptor.accept(stream).await;
        }
    });
    format!("https://{address}")
}

async fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn unwrap_and_main_show_the_cause_of_a_connection_error() {
    for (base_url, cause) in [
        (refused().await, "Connection refused"),
        ("https://nothing.invalid".to_owned(), "dns error"),
        (untrusted().await, "certificate"),
    ] {
        let error = client_of(&base_url)
            .await
            .packages()
            .list()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert!(!error.to_string().contains(cause), "{error}");
        // The output of `unwrap()`, of a `main` that returns it, and of `{:#}`.
        for shown in [format!("{error:?}"), format!("{error:#}")] {
            assert_eq!(shown.matches(cause).count(), 1, "{shown}");
            assert_eq!(shown.lines().count(), 1, "{shown}");
        }
        // An error type that wraps it prints the chain itself.
        let chain = format!("{:#}", anyhow::Error::from(error));
        assert!(chain.contains(cause), "{chain}");
        assert_eq!(
            chain.matches("cannot connect to the server").count(),
            1,
            "{chain}"
        );
    }
}
