//! Every kind of token that the sandbox must reject, sent over HTTP as an attacker would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use twipla::PartnerId;
use twipla::PrivateKey;
use twipla_sandbox::Sandbox;
use uuid::Uuid;

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn sign(header: &Value, claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    // The provider is passed explicitly because the global one panics if two are compiled in.
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn header(alg: &str, kid: impl serde::Serialize) -> Value {
    json!({"alg": alg, "typ": "JWT", "kid": kid})
}

/// A row of the table: what is wrong, and the `Authorization` header, if any.
type Row = (&'static str, Option<String>);

struct Forger {
    partner: PartnerId,
    other: PartnerId,
    key: EncodingKey,
    others_key: EncodingKey,
    public_as_secret: EncodingKey,
}

impl Forger {
    fn new(sandbox: &Sandbox) -> Self {
        let (own, other) = (sandbox.website_partner(), sandbox.account_partner());
        let public = PrivateKey::from_pem(own.private_key_pem())
            .and_then(|key| key.public_key_pem())
            .unwrap();
        let rsa = |pem: &str| EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        Self {
            partner: own.id(),
            other: other.id(),
            key: rsa(own.private_key_pem()),
            others_key: rsa(other.private_key_pem()),
            public_as_secret: EncodingKey::from_secret(public.as_bytes()),
        }
    }

    fn claims(&self, from: i64, to: i64) -> Value {
        let now = Utc::now().timestamp();
        json!({"roles": ["intp"], "intp_id": self.partner, "iat": now + from, "exp": now + to})
    }

    fn with(&self, field: &str, value: Value) -> Value {
        let mut claims = self.claims(0, 600);
        claims[field] = value;
        claims
    }

    fn good(&self) -> String {
        self.rs256(&self.claims(0, 600))
    }

    fn rs256(&self, claims: &Value) -> String {
        let header = header("RS256", self.partner);
        sign(&header, claims, Algorithm::RS256, &self.key)
    }

    #[allow(clippy::too_many_lines, reason = "one table")]
    fn table(&self) -> Vec<Row> {
        let (partner, claims) = (self.partner, self.claims(0, 600));
        let good = self.good();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let (head, _) = message.split_once('.').unwrap();
        let under = |header: &Value, algorithm, key| sign(header, &claims, algorithm, key);
        let none = part(&header("none", partner));
        let mut customer = self.with("roles", json!(["intpc"]));
        customer["intpc_id"] = json!("c");
        let mut early = claims.clone();
        early["nbf"] = json!(Utc::now().timestamp() + 300);
        let no_kid = json!({"alg": "RS256", "typ": "JWT"});
        let tokens = [
            ("none", format!("{none}.{}.", part(&claims))),
            (
                "none, with a signature",
                format!("{none}.{}.{signature}", part(&claims)),
            ),
            (
                "NONE",
                format!("{}.{}.", part(&header("NONE", partner)), part(&claims)),
            ),
            (
                "HS256 with the public key as secret",
                under(
                    &header("HS256", partner),
                    Algorithm::HS256,
                    &self.public_as_secret,
                ),
            ),
            (
                "HS256 with the public key, called RS256",
                under(
                    &header("RS256", partner),
                    Algorithm::HS256,
                    &self.public_as_secret,
                ),
            ),
            (
                "RS384",
                under(&header("RS384", partner), Algorithm::RS384, &self.key),
            ),
            (
                "PS256",
                under(&header("PS256", partner), Algorithm::PS256, &self.key),
            ),
            (
                "wrong kid",
                under(&header("RS256", self.other), Algorithm::RS256, &self.key),
            ),
            (
                "unknown kid",
                under(
                    &header("RS256", Uuid::new_v4()),
                    Algorithm::RS256,
                    &self.key,
                ),
            ),
            ("missing kid", under(&no_kid, Algorithm::RS256, &self.key)),
            (
                "another partner's key",
                under(
                    &header("RS256", partner),
                    Algorithm::RS256,
                    &self.others_key,
                ),
            ),
            ("expired", self.rs256(&self.claims(-600, -60))),
            ("issued in the future", self.rs256(&self.claims(300, 900))),
            ("not yet valid", self.rs256(&early)),
            (
                "another partner's claims",
                self.rs256(&self.with("intp_id", json!(self.other))),
            ),
            ("no role", self.rs256(&self.with("roles", json!([])))),
            (
                "both roles",
                self.rs256(&self.with("roles", json!(["intp", "intpc"]))),
            ),
            ("no expiry", self.rs256(&self.with("exp", Value::Null))),
            ("a customer's token", self.rs256(&customer)),
            (
                "tampered payload",
                format!("{head}.{}.{signature}", part(&self.claims(0, 6000))),
            ),
            ("no signature", format!("{message}.")),
            ("two parts", message.to_owned()),
            (
                "oversized",
                self.rs256(&self.with("x", json!("x".repeat(9000)))),
            ),
            ("empty", String::new()),
            ("not a JWT", "a.b.c".to_owned()),
        ];
        let mut rows: Vec<Row> = tokens
            .into_iter()
            .map(|(what, token)| (what, Some(format!("Bearer {token}"))))
            .collect();
        rows.push(("Basic", Some(format!("Basic {good}"))));
        rows.push(("no scheme", Some(good.clone())));
        rows.push(("two tokens", Some(format!("Bearer {good}, Bearer {good}"))));
        rows.push(("no header", None));
        rows
    }
}

#[tokio::test]
async fn forged_tokens_are_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let forger = Forger::new(&sandbox);
    let http = reqwest::Client::new();
    let ask = |method: http::Method, path: &str, authorization: Option<String>| {
        let request = http.request(method, format!("{}{path}", sandbox.base_url()));
        match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        }
        .send()
    };

    // Two partner endpoints: one reads, the other makes a change.
    let packages = "/v2/3as/packages";
    let good = format!("Bearer {}", forger.good());
    let reply = ask(http::Method::GET, packages, Some(good)).await.unwrap();
    assert_eq!(reply.status(), 200, "the valid token");
    let before = sandbox.snapshot();
    for (what, authorization) in forger.table() {
        for method in [http::Method::GET, http::Method::POST] {
            let reply = ask(method.clone(), packages, authorization.clone())
                .await
                .unwrap();
            assert_eq!(reply.status(), 401, "{what}, {method}");
            let body: Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
            assert_eq!(
                body,
                json!({"error": "invalid access token"}),
                "{what}, {method}"
            );
        }
    }
    assert_eq!(sandbox.snapshot(), before, "no change was made");

    // The table proves nothing unless its valid token is still accepted.
    let good = format!("Bearer {}", forger.good());
    let reply = ask(http::Method::GET, packages, Some(good)).await.unwrap();
    assert_eq!(reply.status(), 200, "the valid token, afterwards");
}
