//! The cost of tokens: minting, reading the cached one, concurrent access, and tokens for many customers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use serde_json::{Value, json};

use crate::args::{Backend, Target};
use crate::calls::twipla;
use crate::measure::micros;

/// Accesses of a cached token.
const KEPT: u32 = 1_000_000;
/// Concurrent tasks.
const TASKS: u32 = 64;

/// The same signing library without anything around it, and a key parsed once.
enum Pure {
    Ring(Box<ring::rsa::KeyPair>),
    AwsLcRs(KeyPair),
}

pub(crate) fn run(target: &Target, backend: Backend, customers: usize) -> Result<Value> {
    let workers = std::thread::available_parallelism()?.get();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    // The first random number of a process may take long, which must not count.
    std::hint::black_box(twipla(target, backend.into())?);
    let start = Instant::now();
    let client = twipla(target, backend.into())?;
    let built = start.elapsed();
    let start = Instant::now();
    runtime.block_on(client.partner_token().into_future())?;
    let minted = start.elapsed();

    let start = Instant::now();
    runtime.block_on(async {
        for _ in 0..KEPT {
            std::hint::black_box(client.partner_token().await?);
        }
        Ok::<_, twipla::Error>(())
    })?;
    let kept = start.elapsed() / KEPT;

    let each = KEPT / TASKS;
    let start = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    for _ in 0..each {
                        std::hint::black_box(client.partner_token().await?);
                    }
                    Ok::<_, twipla::Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        anyhow::Ok(())
    })?;
    // The time of one access on one core, as above.
    let at_once = start.elapsed() * u32::try_from(workers)? / (each * TASKS);

    // Interleaved, because the speed of the machine varies within seconds.
    let pure = Arc::new(Pure::new(backend)?);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let start = Instant::now();
        runtime.block_on(in_parallel(workers, customers, {
            let client = client.clone();
            move |number| {
                let client = client.clone();
                async move {
                    std::hint::black_box(client.customer_token(format!("cust-{number}")).await?);
                    Ok(())
                }
            }
        }))?;
        ours.push(start.elapsed());
        let start = Instant::now();
        runtime.block_on(in_parallel(workers, customers, {
            let pure = Arc::clone(&pure);
            move |_| {
                let pure = Arc::clone(&pure);
                async move {
                    std::hint::black_box(pure.sign(&[7; 300])?);
                    Ok(())
                }
            }
        }))?;
        bare.push(start.elapsed());
    }
    Ok(json!({
        "build": micros(built),
        "mint": micros(minted),
        "kept": kept.as_nanos(),
        "atOnce": at_once.as_nanos(),
        "customers": median(&mut ours).as_secs_f64(),
        "signatures": median(&mut bare).as_secs_f64(),
    }))
}

impl Pure {
    fn new(backend: Backend) -> Result<Self> {
        let made = KeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow::anyhow!("no key"))?;
        if backend == Backend::AwsLcRs {
            return Ok(Self::AwsLcRs(made));
        }
        let der: Pkcs8V1Der<'_> = made.as_der().map_err(|_| anyhow::anyhow!("no DER"))?;
        let pair = ring::rsa::KeyPair::from_pkcs8(der.as_ref())?;
        Ok(Self::Ring(Box::new(pair)))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; 256];
        match self {
            Self::Ring(pair) => pair.sign(
                &ring::signature::RSA_PKCS1_SHA256,
                &ring::rand::SystemRandom::new(),
                message,
                &mut signature,
            )?,
            Self::AwsLcRs(pair) => pair.sign(
                &aws_lc_rs::signature::RSA_PKCS1_SHA256,
                &aws_lc_rs::rand::SystemRandom::new(),
                message,
                &mut signature,
            )?,
        }
        Ok(signature)
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Distributes work over as many tasks as there are cores.
async fn in_parallel<F, Fut>(workers: usize, count: usize, work: F) -> Result<()>
where
    F: Fn(usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<()>> + Send,
{
    let tasks: Vec<_> = (0..workers)
        .map(|worker| {
            let work = work.clone();
            tokio::spawn(async move {
                for number in (worker..count).step_by(workers) {
                    work(number).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
