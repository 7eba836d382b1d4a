//! Calls by the facade and by bare clients with a fixed token.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use twipla::{CryptoBackend, PrivateKey, RetryPolicy, Twipla};
use twipla_api::types;

use crate::args::{Client, Operation, Target};
use crate::measure::{self, micros, quantile};

/// Any partner, because the server does not check it.
pub(crate) const PARTNER: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";
/// Calls before the measured ones.
const WARM_UP: usize = 500;
/// Calls whose allocations are counted.
const COUNTED: u64 = 200;

pub(crate) fn run(
    target: &Target,
    client: Client,
    operation: Operation,
    calls: usize,
    at_once: usize,
) -> Result<Value> {
    measure::pin(measure::Side::Client);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match client {
        Client::Twipla => {
            let twipla = twipla(target, CryptoBackend::default())?;
            measured(&runtime, calls, at_once, move || {
                let twipla = twipla.clone();
                async move { facade(&twipla, operation).await }
            })
        }
        Client::Reqwest | Client::ReqwestRing => {
            let bare = Rc::new(Bare::new(target, reqwest(client)?)?);
            measured(&runtime, calls, at_once, move || {
                let bare = Rc::clone(&bare);
                async move { bare.reqwest(operation).await }
            })
        }
        Client::Hyper => {
            let mut connector = HttpConnector::new();
            connector.set_nodelay(true);
            let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
                .build::<_, Full<Bytes>>(connector);
            let bare = Rc::new(Bare::new(target, client)?);
            measured(&runtime, calls, at_once, move || {
                let bare = Rc::clone(&bare);
                async move { bare.hyper(operation).await }
            })
        }
    }
}

/// Returns the facade with the settings of a partner, except for the server.
pub(crate) fn twipla(target: &Target, backend: CryptoBackend) -> Result<Twipla> {
    let key = PrivateKey::from_pem_with(std::fs::read(&target.key)?, backend)?;
    Ok(Twipla::builder()
        .partner(PARTNER, key)
        .base_url(&target.url)
        .crypto_backend(backend)
        .retry(RetryPolicy::default())
        .build()?)
}

/// Returns reqwest with its defaults, or with ring instead of its default TLS library.
pub(crate) fn reqwest(client: Client) -> Result<reqwest::Client> {
    if client != Client::ReqwestRing {
        return Ok(reqwest::Client::new());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    // The protocols that reqwest offers with its own configuration.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let builder = reqwest::Client::builder().tls_backend_preconfigured(config);
    Ok(builder.build()?)
}

/// Makes one call with the facade.
pub(crate) async fn facade(twipla: &Twipla, operation: Operation) -> Result<()> {
    match operation {
        Operation::GetWebsite => {
            twipla.website("site-7").get().await?;
        }
        Operation::ListCustomers => {
            twipla.customers().list().page_size(100).await?;
        }
        Operation::CreateCustomer => {
            twipla
                .customers()
                .create("cust-42", "owner@example.com")
                .website("site-7", "example.com")
                .await?;
        }
    }
    Ok(())
}

/// A client with a fixed token.
pub(crate) struct Bare<C> {
    client: C,
    url: String,
    token: HeaderValue,
}

impl<C> Bare<C> {
    pub(crate) fn new(target: &Target, client: C) -> Result<Self> {
        // As long as a real token.
        let mut token = HeaderValue::from_str(&format!("Bearer {}", "t".repeat(620)))?;
        token.set_sensitive(true);
        Ok(Self {
            client,
            url: target.url.clone(),
            token,
        })
    }

    fn body() -> types::CreateCustomerRequest {
        types::CreateCustomerRequest {
            billing_date: None,
            email: "owner@example.com".to_owned(),
            intp_customer_id: twipla_api::CustomerId::unchecked("cust-42"),
            package_id: None,
            website: Some(types::CreateCustomerWebsite {
                billing_date: None,
                domain: "example.com".to_owned(),
                intp_website_id: twipla_api::WebsiteId::unchecked("site-7"),
                package_id: None,
            }),
        }
    }
}

impl Bare<reqwest::Client> {
    /// Makes one call with reqwest.
    pub(crate) async fn reqwest(&self, operation: Operation) -> Result<()> {
        match operation {
            Operation::GetWebsite => {
                let url = format!("{}/v2/3as/websites/site-7", self.url);
                self.json::<types::WebsiteResponse>(self.client.get(url))
                    .await
            }
            Operation::ListCustomers => {
                let url = format!("{}/v2/3as/customers", self.url);
                let request = self
                    .client
                    .get(url)
                    .query(&[("page", 0), ("pageSize", 100)]);
                self.json::<types::IntpcListResponse>(request).await
            }
            Operation::CreateCustomer => {
                let url = format!("{}/v2/3as/customers", self.url);
                let request = self.client.post(url).json(&Self::body());
                self.json::<types::CreatedIntpcResponse>(request).await
            }
        }
    }

    async fn json<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<()> {
        let response = request
            .header(AUTHORIZATION, self.token.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .send()
            .await?;
        std::hint::black_box(response.error_for_status()?.json::<T>().await?);
        Ok(())
    }
}

type Hyper = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

impl Bare<Hyper> {
    async fn hyper(&self, operation: Operation) -> Result<()> {
        match operation {
            Operation::GetWebsite => {
                let url = format!("{}/v2/3as/websites/site-7", self.url);
                self.call::<types::WebsiteResponse>(Method::GET, url, None)
                    .await
            }
            Operation::ListCustomers => {
                let url = format!("{}/v2/3as/customers?page=0&pageSize=100", self.url);
                self.call::<types::IntpcListResponse>(Method::GET, url, None)
                    .await
            }
            Operation::CreateCustomer => {
                let url = format!("{}/v2/3as/customers", self.url);
                let body = serde_json::to_vec(&Self::body())?;
                self.call::<types::CreatedIntpcResponse>(Method::POST, url, Some(body))
                    .await
            }
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        url: String,
        body: Option<Vec<u8>>,
    ) -> Result<()> {
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(AUTHORIZATION, self.token.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = request.body(Full::from(body.unwrap_or_default()))?;
        let response = self.client.request(request).await?;
        let body = response.into_body().collect().await?.to_bytes();
        std::hint::black_box(serde_json::from_slice::<T>(&body)?);
        Ok(())
    }
}

/// Warms up, measures, and counts allocations in separate calls.
fn measured<F, Fut>(
    runtime: &tokio::runtime::Runtime,
    calls: usize,
    at_once: usize,
    mut call: F,
) -> Result<Value>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<()>>,
{
    runtime.block_on(several(WARM_UP.min(calls), at_once, &mut call))?;
    let cpu = measure::cpu();
    let start = Instant::now();
    let mut times = runtime.block_on(several(calls, at_once, &mut call))?;
    let wall = start.elapsed();
    let cpu = measure::cpu().saturating_sub(cpu);
    times.sort_unstable();
    let mut result = Ok(());
    let counted = allocation_counter::measure(|| {
        for _ in 0..COUNTED {
            if result.is_ok() {
                result = runtime.block_on(call());
            }
        }
    });
    result.context("a counted call failed")?;
    #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
    let each = |total: f64| total / calls as f64;
    #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
    let per_second = calls as f64 / wall.as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "counts of allocations")]
    let allocations = counted.count_total as f64 / COUNTED as f64;
    Ok(json!({
        "p50": micros(quantile(&times, 0.5)),
        "p99": micros(quantile(&times, 0.99)),
        "cpu": each(micros(cpu)),
        "perSecond": per_second,
        "allocations": allocations,
        "peakMemory": measure::peak_memory(),
    }))
}

async fn several<F, Fut>(calls: usize, at_once: usize, call: &mut F) -> Result<Vec<Duration>>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let mut times = Vec::with_capacity(calls);
    if at_once <= 1 {
        for _ in 0..calls {
            let start = Instant::now();
            call().await?;
            times.push(start.elapsed());
        }
        return Ok(times);
    }
    let with_its_time = |call: Fut| async move {
        let start = Instant::now();
        call.await.map(|()| start.elapsed())
    };
    let mut flying = FuturesUnordered::new();
    for _ in 0..at_once.min(calls) {
        flying.push(with_its_time(call()));
    }
    let mut started = flying.len();
    while let Some(time) = flying.next().await {
        times.push(time?);
        if started < calls {
            started += 1;
            flying.push(with_its_time(call()));
        }
    }
    Ok(times)
}
