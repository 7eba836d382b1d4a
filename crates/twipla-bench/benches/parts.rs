//! The parts of a call, individually: `cargo bench -p twipla-bench`.
//!
//! `cargo xtask bench` measures whole calls, next to bare clients.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark without its set-up has nothing to measure"
)]

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use divan::Bencher;
use divan::counter::BytesCount;
use futures_util::FutureExt as _;
use http::{Method, StatusCode};
use tokio::runtime::Runtime;
use twipla::{CryptoBackend, PrivateKey, RetryPolicy, Twipla};
use twipla_api::path::fill;
use twipla_api::types::WebsiteListResponse;

#[path = "../src/bodies.rs"]
#[allow(dead_code, reason = "only some of the bodies are decoded here")]
mod bodies;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const BACKENDS: [CryptoBackend; 2] = [CryptoBackend::Ring, CryptoBackend::AwsLcRs];

fn main() {
    divan::main();
}

#[divan::bench(args = ["site-7", "a/b ?#ü"])]
fn path_of_an_id(bencher: Bencher<'_, '_>, id: &str) {
    bencher.bench(|| fill("/v2/3as/websites/{intpWebsiteId}", &[black_box(&id)]).unwrap());
}

#[divan::bench]
fn token_that_is_kept(bencher: Bencher<'_, '_>) {
    let (runtime, twipla) = client(CryptoBackend::default());
    runtime
        .block_on(twipla.partner_token().into_future())
        .unwrap();
    // The token is cached, so nothing waits, and no runtime is measured.
    bencher.bench_local(|| {
        twipla
            .partner_token()
            .into_future()
            .now_or_never()
            .unwrap()
            .unwrap()
    });
}

#[divan::bench(args = BACKENDS)]
fn dashboard_url(bencher: Bencher<'_, '_>, backend: CryptoBackend) {
    let (runtime, twipla) = client(backend);
    bencher.bench_local(|| {
        let url = twipla
            .dashboard(black_box("cust-42"), "site-7")
            .locale("de");
        runtime.block_on(url.into_future()).unwrap()
    });
}

#[divan::bench]
fn page_of_100_websites(bencher: Bencher<'_, '_>) {
    let page = format!(
        "{{\"payload\":[{}],\"meta\":{{\"page\":0,\"pageSize\":100,\"pageTotal\":1,\"total\":100}}}}",
        bodies::websites(0..100)
    );
    bencher
        .counter(BytesCount::of_str(&page))
        .bench(|| serde_json::from_str::<WebsiteListResponse>(black_box(&page)).unwrap());
}

#[divan::bench(args = [429, 500, 503])]
fn retry_decision(bencher: Bencher<'_, '_>, status: u16) {
    let policy = RetryPolicy::default();
    let status = StatusCode::from_u16(status).unwrap();
    let asked = Some(Duration::from_secs(1));
    bencher.bench(|| policy.delay_after(1, &Method::GET, black_box(status), asked));
}

fn client(backend: CryptoBackend) -> (Runtime, Twipla) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    let twipla = Twipla::builder()
        .partner(
            "7128840a-5347-49a4-8dfa-9022d8dad21a",
            PrivateKey::from_pem_with(pem, backend).unwrap(),
        )
        .base_url("http://127.0.0.1:1")
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    (runtime, twipla)
}
