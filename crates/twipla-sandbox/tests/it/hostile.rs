//! Malicious requests: from foreign web pages, incomplete, oversized, or with
//! forged tokens.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use twipla_sandbox::Sandbox;

use crate::support::{Client, now, sign};

/// Connects to the sandbox; no step of these tests may take longer than this.
fn connect(sandbox: &Sandbox) -> TcpStream {
    let address = sandbox.base_url().strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    let limit = Some(Duration::from_secs(5));
    stream.set_read_timeout(limit).unwrap();
    stream.set_write_timeout(limit).unwrap();
    stream
}

/// Returns the status of a control request with these headers.
fn control(sandbox: &Sandbox, method_and_path: &str, headers: &[&str], body: &str) -> String {
    let mut stream = connect(sandbox);
    let headers = headers.join("\r\n");
    let length = body.len();
    let request = format!(
        "{method_and_path} HTTP/1.1\r\n{headers}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn control_endpoint_checks_host_and_origin() {
    let sandbox = Sandbox::builder()
        .allow_host("sandbox.internal")
        .start()
        .await
        .unwrap();
    for (headers, status) in [
        (&["host: localhost:8787"][..], 204),
        (&["host: 127.0.0.1:1"], 204),
        (&["host: [::1]:8787"], 204),
        (&["host: LOCALHOST"], 204),
        (&["host: api.localhost"], 204),
        (&["host: Sandbox.Internal:8787"], 204),
        // The sandbox's own page, without the token of the console.
        (
            &["host: localhost:8787", "origin: http://localhost:8787"],
            403,
        ),
        (&["host: evil.example"], 403),
        (&["host: localhost.evil.example"], 403),
        (&["host: evil.example@localhost", "origin: null"], 403),
        (&["host: "], 403),
        (
            &["host: localhost:8787", "origin: http://evil.example"],
            403,
        ),
        (&["host: localhost:8787", "origin: http://localhost:1"], 403),
        (&["host: localhost:8787", "origin: null"], 403),
    ] {
        for request in ["DELETE /__sandbox/requests", "DELETE /__sandbox/faults"] {
            let response = control(&sandbox, request, headers, "");
            let expected = format!("HTTP/1.1 {status}");
            assert!(response.starts_with(&expected), "{headers:?}: {response}");
        }
    }
    let response = control(
        &sandbox,
        "GET /__sandbox/state",
        &["host: evil.example"],
        "",
    );
    assert!(response.contains("--allow-host"), "{response}");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_endpoint_accepts_only_json() {
    let sandbox = Sandbox::start().await.unwrap();
    for (content_type, status) in [
        ("content-type: application/json", 204),
        ("content-type: Application/JSON; charset=utf-8", 204),
        // A form or a script of any page can send these without a preflight
        // request.
        ("content-type: text/plain", 415),
        ("content-type: application/x-www-form-urlencoded", 415),
        ("x-nothing: 1", 415),
    ] {
        for (path, body) in [
            ("faults", r#"{"kind":"hang","times":1}"#),
            ("advance", r#"{"seconds":1}"#),
        ] {
            let headers = ["host: localhost", content_type];
            let response = control(&sandbox, &format!("POST /__sandbox/{path}"), &headers, body);
            let expected = format!("HTTP/1.1 {status}");
            assert!(
                response.starts_with(&expected),
                "{content_type}: {response}"
            );
        }
    }
}

#[tokio::test]
async fn out_of_range_numbers_are_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    for body in [
        json!({"seconds": i64::MAX}),
        json!({"seconds": i64::MIN}),
        json!({"seconds": -1}),
        json!({"seconds": 1e30}),
        json!({"seconds": "60"}),
        json!({"seconds": 300_000_000_000_i64}),
        json!({"minutes": 1}),
        json!({"seconds": 1, "minutes": 1}),
        json!([]),
    ] {
        let response = client.post("/__sandbox/advance", &body).await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
    }
    sandbox.advance(TimeDelta::MAX);
    sandbox.advance(TimeDelta::MIN);
    assert_eq!(
        client.get("/v2/3as/websites/w").await.unwrap().status(),
        200
    );

    let error = Sandbox::builder()
        .clock_offset(TimeDelta::MAX)
        .start()
        .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("invalid clock offset"), "{error}");
}

#[tokio::test]
async fn token_with_an_unknown_extension_is_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let partner = sandbox.website_partner();
    let mut client = Client::with_website(&sandbox).await;
    let claims = json!({
        "roles": ["intp"], "intp_id": partner.id(), "iat": now(), "exp": now() + 600,
    });
    let mut header = json!({"alg": "RS256", "typ": "JWT", "kid": partner.id()});
    client.token = sign(&partner, &header, &claims);
    assert_eq!(client.get("/v2/3as/packages").await.unwrap().status(), 200);
    header["crit"] = json!(["exp"]);
    client.token = sign(&partner, &header, &claims);
    assert_eq!(client.get("/v2/3as/packages").await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn incomplete_request_times_out() {
    let sandbox = Sandbox::builder()
        .idle_timeout(Duration::from_millis(300))
        .start()
        .await
        .unwrap();
    let half_head = "GET /v2/3as/packages HTTP/1.1\r\nhost: x\r\nx-half";
    let half_body = "POST /v2/3as/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    for (half, response_starts) in [(half_head, ""), (half_body, "HTTP/1.1 408"), ("", "")] {
        let started = Instant::now();
        let mut stream = connect(&sandbox);
        stream.write_all(half.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert!(
            response.starts_with(response_starts),
            "{half:?}: {response}"
        );
        let took = started.elapsed();
        assert!(
            (300..2000).contains(&took.as_millis()),
            "{half:?}: {took:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_size_is_limited() {
    let sandbox = Sandbox::start().await.unwrap();
    let send = |padding: usize| {
        let mut stream = connect(&sandbox);
        let padding = "a".repeat(padding);
        let request = format!(
            "GET /v2/3as/packages HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: {padding}\r\n\r\n"
        );
        // The server may close the connection before the whole head is written.
        let _ = stream.write_all(request.as_bytes());
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        String::from_utf8(response).unwrap()
    };
    let response = send(32 * 1024);
    assert!(response.starts_with("HTTP/1.1 401"), "{response}");
    let response = send(200 * 1024);
    assert!(
        response.is_empty() || response.starts_with("HTTP/1.1 431"),
        "{response}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn total_size_of_incomplete_bodies_is_limited() {
    const BODY: usize = 1024 * 1024;
    let sandbox = Sandbox::start().await.unwrap();
    let half = vec![b' '; BODY - 1];
    let head =
        format!("POST /v2/3as/customers HTTP/1.1\r\nhost: x\r\ncontent-length: {BODY}\r\n\r\n");
    let mut open = Vec::new();
    let mut rejected = 0;
    for _ in 0..70 {
        let mut stream = connect(&sandbox);
        stream.write_all(head.as_bytes()).unwrap();
        // A rejected body is not read to its end.
        let written = stream.write_all(&half);
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let mut status = [0; 12];
        if written.is_err() || stream.read_exact(&mut status).is_ok() {
            rejected += 1;
        }
        open.push(stream);
    }
    assert!(
        (6..70).contains(&rejected),
        "{rejected} of 70 were rejected"
    );
    drop(open);

    tokio::time::sleep(Duration::from_millis(200)).await;
    Client::with_website(&sandbox).await;
}
