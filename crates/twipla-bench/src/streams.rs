//! A list from the first page to the last, and its cost in time and memory.

use std::time::Instant;

use anyhow::{Result, ensure};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use twipla::CryptoBackend;

use crate::args::Target;
use crate::calls::twipla;
use crate::measure;

/// By then everything permanent exists: connection, token, buffers.
const EARLY: usize = 1_000;

pub(crate) fn run(target: &Target, entries: usize, ahead: bool) -> Result<Value> {
    measure::pin(measure::Side::Client);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = twipla(target, CryptoBackend::default())?;
        // The server uses the name of the customer as the length of the list.
        let list = client.websites().list().for_customer(entries.to_string());
        let list = list.page_size(100).prefetch(ahead);
        let before = measure::peak_memory();
        let start = Instant::now();
        let mut early = None;
        let mut count = 0;
        let mut websites = Box::pin(list.stream());
        while let Some(website) = websites.try_next().await? {
            std::hint::black_box(website);
            count += 1;
            if count == EARLY {
                early = measure::peak_memory();
            }
        }
        ensure!(count == entries, "{count} entries instead of {entries}");
        Ok(json!({
            "seconds": start.elapsed().as_secs_f64(),
            "before": before,
            "early": early,
            "after": measure::peak_memory(),
        }))
    })
}
