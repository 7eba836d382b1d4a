//! What a call costs, by how much there is: `cargo run --release -p twipla-sandbox --example cost`.
//!
//! Fills a sandbox with customers, each with a website, and prints the median
//! time of some calls, in microseconds, whenever there are ten times as many.

use std::error::Error;
use std::time::Instant;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use twipla_sandbox::{Partner, Sandbox};

/// How many calls of a kind are measured at each size.
const CALLS: usize = 200;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let largest: usize = match std::env::args().nth(1) {
        Some(argument) => argument
            .parse()
            .map_err(|_| format!("invalid size {argument:?}: expected a number of websites"))?,
        None => 100_000,
    };
    let sandbox = Sandbox::start().await?;
    let client = Client::new(&sandbox)?;
    println!("| websites | create | get | last page | of a customer | with an API key | delete |");
    println!("|---|---|---|---|---|---|---|");
    let mut created = 0;
    let mut size = 100;
    while size <= largest {
        while created < size {
            client.create(created).await?;
            created += 1;
        }
        println!("{}", client.row(created).await?);
        size *= 10;
    }
    sandbox.stop().await;
    Ok(())
}

struct Client {
    http: reqwest::Client,
    base_url: String,
    token: String,
}

impl Client {
    fn new(sandbox: &Sandbox) -> Result<Self> {
        Ok(Self {
            http: reqwest::Client::new(),
            base_url: sandbox.base_url().to_owned(),
            token: token(&sandbox.website_partner())?,
        })
    }

    /// Measures each kind of call while there are `created` websites.
    async fn row(&self, created: usize) -> Result<String> {
        let key = self.api_key(created / 2).await?;
        let mut times: [Vec<u128>; 6] = std::array::from_fn(|_| Vec::new());
        for call in 0..CALLS {
            // Any of those that are there, and one more that comes and goes.
            let (some, extra) = (call * 7919 % created, created + call);
            let page = format!("/v2/3as/websites?page={}&pageSize=10", created / 10 - 1);
            let owned = format!("/v2/3as/websites?externalCustomerId=c{some}");
            let started = Instant::now();
            self.create(extra).await?;
            times[0].push(started.elapsed().as_micros());
            for (column, path) in [
                (1, format!("/v2/3as/websites/w{some}")),
                (2, page),
                (3, owned),
            ] {
                let started = Instant::now();
                self.call(Method::GET, &path, None).await?;
                times[column].push(started.elapsed().as_micros());
            }
            let started = Instant::now();
            self.query(&key).await?;
            times[4].push(started.elapsed().as_micros());
            let started = Instant::now();
            let path = format!("/v2/3as/customers/c{extra}");
            self.call(Method::DELETE, &path, None).await?;
            times[5].push(started.elapsed().as_micros());
        }
        let medians = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2].to_string()
        });
        Ok(format!("| {created} | {} |", medians.join(" | ")))
    }

    /// Creates the customer and the website with this number.
    async fn create(&self, number: usize) -> Result<()> {
        let body = json!({
            "intpCustomerId": format!("c{number}"),
            "email": format!("c{number}@example.com"),
            "website": {"intpWebsiteId": format!("w{number}"), "domain": "example.com"},
        });
        self.call(Method::POST, "/v2/3as/customers", Some(&body))
            .await?;
        Ok(())
    }

    /// An API key of a website, and the address that it opens.
    async fn api_key(&self, number: usize) -> Result<(String, String)> {
        let path = format!("/v2/3as/websites/w{number}");
        let site = self.call(Method::GET, &path, None).await?;
        let keys = format!("{path}/api-keys");
        let body = json!({"name": "scale"});
        let key = self.call(Method::POST, &keys, Some(&body)).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("not a string");
        let id = text(&site["payload"]["id"])?;
        let address = format!("{}/v2/websites/{id}/sessions", self.base_url);
        Ok((text(&key["payload"]["apiKey"])?, address))
    }

    async fn query(&self, (key, address): &(String, String)) -> Result<()> {
        let request = self.http.post(address).header("x-api-key", key);
        let response = request.json(&json!({})).send().await?;
        expect_success(response.status(), address)?;
        response.bytes().await?;
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let address = format!("{}{path}", self.base_url);
        let mut request = self.http.request(method, address).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        expect_success(response.status(), path)?;
        Ok(response.json().await?)
    }
}

fn expect_success(status: StatusCode, path: &str) -> Result<()> {
    if status.is_success() {
        return Ok(());
    }
    Err(format!("{path} answered {status}").into())
}

/// A token for a day.
fn token(partner: &Partner) -> Result<String> {
    // The choice of a library is no concern of a program that has one anyway.
    let _ = DEFAULT_PROVIDER.install_default();
    let now = chrono::Utc::now().timestamp();
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(partner.id().to_string());
    let claims = json!({
        "roles": ["intp"], "intp_id": partner.id(), "iat": now, "exp": now + 86_400,
    });
    let key = EncodingKey::from_rsa_pem(partner.private_key_pem().as_bytes())?;
    Ok(jsonwebtoken::encode(&header, &claims, &key)?)
}
