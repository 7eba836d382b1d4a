//! The sandbox over TLS, with a client in another language.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use twipla_sandbox::Sandbox;

use crate::support::Folder;

/// The hosts built into the official clients and two others.
const HOSTS: &[&str] = &[
    "api-gateway.visitor-analytics.io",
    "app-3as.visitor-analytics.io",
    "stage-api-gateway.va-endpoint.com",
    "stage-dashboard-3as.va-endpoint.com",
    "api-gateway.va-endpoint.com",
    "dev-dashboard-3as.va-endpoint.com",
    "dev-dashboard.va-endpoint.com",
    "lb-api.visitor-analytics.io",
    "stage-api.va-endpoint.com",
    "dev-api.va-endpoint.com",
    "api.session-replays.io",
    "api.analytics.typo3.com",
    "dashboard.analytics.typo3.com",
];

/// Requests each host with Node.js, and returns the results.
fn node(folder: &Path, trust: Option<&Path>, hosts: &[&str]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls_client.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(folder.join("sandbox.json"));
    command.args(hosts).env_remove("NODE_EXTRA_CA_CERTS");
    if let Some(file) = trust {
        command.env("NODE_EXTRA_CA_CERTS", file);
    }
    let output = command
        .output()
        .expect("cannot run node: install Node.js 20 or later, which this test speaks TLS with");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn sandbox(folder: &Folder) -> Sandbox {
    let builder = Sandbox::builder().tls(true).credentials(&folder.0);
    let builder = builder.allow_host("sandbox.test");
    builder.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn client_in_another_language_reaches_every_known_host() {
    let folder = Folder::new("tls");
    let sandbox = sandbox(&folder).await;
    let ca = folder.0.join("ca.pem");
    let mut hosts = HOSTS.to_vec();
    hosts.extend(["localhost", "127.0.0.1", "sandbox.test"]);
    let responses = node(&folder.0, Some(&ca), &hosts);
    let id = sandbox.website_partner().id();
    for host in &hosts {
        assert_eq!(responses[host], json!({"status": 200, "id": id}), "{host}");
    }
    let kept = std::fs::read_to_string(&ca).unwrap();
    assert_eq!(sandbox.ca_certificate_pem(), Some(kept.as_str()));
    let variables = std::fs::read_to_string(folder.0.join("sandbox.env")).unwrap();
    let named = std::fs::canonicalize(&ca).unwrap();
    let exported = format!("export NODE_EXTRA_CA_CERTS='{}'\n", named.display());
    assert!(variables.contains(&exported), "{variables}");

    let responses = node(&folder.0, Some(&ca), &["example.com"]);
    let rejected = json!({"error": "ERR_TLS_CERT_ALTNAME_INVALID"});
    assert_eq!(responses["example.com"], rejected);
    let responses = node(&folder.0, None, &HOSTS[..1]);
    let error = responses[HOSTS[0]]["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("UNABLE_TO") || error.contains("SELF_SIGNED"),
        "a client that does not trust the authority must not connect: {error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn authority_is_reused_at_later_starts() {
    let folder = Folder::new("tls-again");
    let ca = folder.0.join("ca.pem");
    sandbox(&folder).await.stop().await;
    let trusted = folder.0.join("trusted-once.pem");
    std::fs::copy(&ca, &trusted).unwrap();

    let again = sandbox(&folder).await;
    let responses = node(&folder.0, Some(&trusted), &HOSTS[..1]);
    assert_eq!(responses[HOSTS[0]]["status"], 200);
    drop(again);

    // A mismatched authority is rejected, because nobody would trust it.
    let other = Sandbox::builder().tls(true).start().await.unwrap();
    std::fs::write(&ca, other.ca_certificate_pem().unwrap()).unwrap();
    let started = Sandbox::builder().tls(true).credentials(&folder.0);
    let error = started.start().await.unwrap_err().to_string();
    assert!(error.contains("ca.pem"), "{error}");
    assert!(error.contains("remove both"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_on_the_tls_port_does_not_stop_the_server() {
    use std::io::{Read as _, Write as _};

    let folder = Folder::new("tls-plain");
    let sandbox = sandbox(&folder).await;
    let address = sandbox.base_url().strip_prefix("https://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    assert!(!response.starts_with(b"HTTP/"), "{response:?}");
    let responses = node(&folder.0, Some(&folder.0.join("ca.pem")), &["localhost"]);
    assert_eq!(responses["localhost"]["status"], 200);
}
