//! Decodes pages of 100 entries into the generated types.
//!
//! With the raw client, because the facade passes the bytes directly to serde_json, which is the baseline here.

use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use serde_json::{Value, json};
use twipla_api::{requests, types};

use crate::{bodies, measure};

/// Pages that one side decodes before the other continues.
const TURN: usize = 200;

pub(crate) fn run(pages: usize) -> Result<Value> {
    measure::pin(measure::Side::Client);
    let request = requests::list_websites(None, None, None)?;
    let body = format!(
        "{{\"payload\":[{}],\"meta\":{{\"page\":0,\"pageSize\":100,\"pageTotal\":1,\"total\":100}}}}",
        bodies::websites(0..100)
    );
    let body = Bytes::from(body);
    let (mut ours, mut plain) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..pages.div_ceil(TURN) {
        let start = Instant::now();
        for _ in 0..TURN {
            // Decodes as the raw client does.
            std::hint::black_box(request.decode(&body)?);
        }
        ours += start.elapsed();
        let start = Instant::now();
        for _ in 0..TURN {
            std::hint::black_box(serde_json::from_slice::<types::WebsiteListResponse>(&body)?);
        }
        plain += start.elapsed();
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of bytes")]
    let per_second =
        |time: Duration| (pages.div_ceil(TURN) * TURN * body.len()) as f64 / time.as_secs_f64();
    Ok(json!({ "ours": per_second(ours), "plain": per_second(plain) }))
}
