//! A minimal client that signs its own tokens.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use twipla_sandbox::{Partner, Sandbox};

/// A client for one partner.
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
    partner: Partner,
    pub(crate) token: String,
}

impl Client {
    pub(crate) fn new(sandbox: &Sandbox, partner: Partner) -> Self {
        Self {
            // A pooled connection could hide a reset with an automatic retry.
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .timeout(Duration::from_millis(500))
                .build()
                .unwrap(),
            base_url: sandbox.base_url().to_owned(),
            token: token(&partner, now()),
            partner,
        }
    }

    /// Creates a client of the partner under the website model, with customer
    /// `c` and website `w` on the trial package.
    pub(crate) async fn with_website(sandbox: &Sandbox) -> Self {
        let client = Self::new(sandbox, sandbox.website_partner());
        let body = json!({
            "intpCustomerId": "c", "email": "c@example.com",
            "website": {"intpWebsiteId": "w", "domain": "example.com"},
        });
        let created = client.post("/v2/3as/customers", &body).await.unwrap();
        assert_eq!(created.status(), 201);
        client
    }

    pub(crate) fn partner(&self) -> &Partner {
        &self.partner
    }

    /// Replaces the token with one issued this many seconds ago.
    pub(crate) fn use_token_of_age(&mut self, seconds: i64) {
        self.token = token(&self.partner, now() - seconds);
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Result<Response> {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> reqwest::Result<Response> {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> reqwest::Result<Response> {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends raw bytes on a new connection, and returns everything received
    /// until the server closes it.
    pub(crate) fn exchange_bytes(&self, request: &[u8]) -> String {
        let address = self.base_url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Response> {
        self.send_with_key(method, path, body, None).await
    }

    /// Sends an API key as well; each operation uses either this or the token.
    pub(crate) async fn send_with_key(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> reqwest::Result<Response> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(&self.token);
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }
}

/// Returns the payload of a successful response.
pub(crate) async fn payload(client: &Client, path: &str) -> Value {
    let response = client.get(path).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.json::<Value>().await.unwrap()["payload"].take()
}

/// A temporary folder, removed when it is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let unique = format!("{name}-{}", std::process::id());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Creates a token of the partner that is valid for ten minutes after `iat`.
pub(crate) fn token(partner: &Partner, issued_at: i64) -> String {
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": partner.id()});
    let claims = json!({
        "roles": ["intp"], "intp_id": partner.id(),
        "iat": issued_at, "exp": issued_at + 600,
    });
    sign(partner, &header, &claims)
}

/// Signs arbitrary claims with the partner's key.
pub(crate) fn sign(partner: &Partner, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_rsa_pem(partner.private_key_pem().as_bytes()).unwrap();
    let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::RS256, &key).unwrap();
    let signature = signer.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Returns the Unix time in seconds.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}
