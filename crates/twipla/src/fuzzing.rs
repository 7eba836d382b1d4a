//! What the fuzz targets call: thin wrappers around what reads a server's bytes.
//! Compiled with `--cfg fuzzing` alone, which `cargo fuzz` sets.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use std::time::Duration;
use twipla_api::types as wire;

use super::{RawReply, decode_error, payload};
use crate::{Error, Result};

/// Decodes a reply as one of the contract's shapes, as the send loop would, and
/// also as the raw payload.
///
/// # Errors
///
/// What the caller of the facade would get.
pub fn decode(shape: u8, content_type: &[u8], body: &[u8]) -> Result<()> {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let reply = RawReply {
        status: StatusCode::OK,
        headers,
        body: Bytes::copy_from_slice(body),
        attempts: 1,
        changes: false,
        in_doubt: false,
    };
    let raw = payload(&reply, "fuzz").map(drop);
    let typed = match shape % 12 {
        0 => typed::<wire::WebsiteResponse>(&reply),
        1 => typed::<wire::WebsiteListResponse>(&reply),
        2 => typed::<wire::IntpcListResponse>(&reply),
        3 => typed::<wire::CreatedIntpcResponse>(&reply),
        4 => typed::<wire::PackageListResponse>(&reply),
        5 => typed::<wire::SubscriptionResponse>(&reply),
        6 => typed::<wire::CreatedApiKeyResponse>(&reply),
        7 => typed::<wire::DashboardTokensResponse>(&reply),
        8 => typed::<wire::WebsiteContributorsResponse>(&reply),
        9 => typed::<wire::AnalyticsResponse>(&reply),
        10 => typed::<wire::GraphResponse>(&reply),
        _ => typed::<wire::DeactivatedIntpcSubscriptionResponse>(&reply),
    };
    typed.and(raw)
}

fn typed<W: DeserializeOwned>(reply: &RawReply) -> Result<()> {
    serde_json::from_slice::<W>(&reply.body)
        .map(drop)
        .map_err(|error| decode_error::<W>(reply, &error))
}

/// Reads `Retry-After`, with a `Date` header if `date` can be one.
pub fn retry_after(value: &[u8], date: &[u8], now: DateTime<Utc>) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_bytes(value).ok()?);
    if let Ok(date) = HeaderValue::from_bytes(date) {
        headers.insert(header::DATE, date);
    }
    crate::retry::retry_after(&headers, now)
}

/// The error of a reply outside 2xx.
pub fn error_body(status: StatusCode, body: &[u8]) -> Error {
    Error::from_reply(status, &Bytes::copy_from_slice(body), None)
}
