//! Entry points for the fuzz targets: thin wrappers around the parsers of server input.
//! Compiled only with `--cfg fuzzing`, which `cargo fuzz` sets.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use std::time::Duration;
use twipla_api::{Idempotency, types as wire};

use super::Response;
use crate::{Error, Result};

/// Decodes a response as one of the contract's types, and as the raw payload.
///
/// # Errors
///
/// The error that a caller of this crate would get.
pub fn decode(shape: u8, content_type: &[u8], body: &[u8]) -> Result<()> {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let response = Response {
        status: StatusCode::OK,
        headers,
        body: Bytes::copy_from_slice(body),
        attempts: 1,
        idempotency: Idempotency::Safe,
    };
    let raw = response.payload().map(drop);
    let typed = match shape % 12 {
        0 => typed::<wire::WebsiteResponse>(&response),
        1 => typed::<wire::WebsiteListResponse>(&response),
        2 => typed::<wire::IntpcListResponse>(&response),
        3 => typed::<wire::CreatedIntpcResponse>(&response),
        4 => typed::<wire::PackageListResponse>(&response),
        5 => typed::<wire::SubscriptionResponse>(&response),
        6 => typed::<wire::CreatedApiKeyResponse>(&response),
        7 => typed::<wire::DashboardTokensResponse>(&response),
        8 => typed::<wire::WebsiteContributorsResponse>(&response),
        9 => typed::<wire::AnalyticsResponse>(&response),
        10 => typed::<wire::GraphResponse>(&response),
        _ => typed::<wire::DeactivatedIntpcSubscriptionResponse>(&response),
    };
    typed.and(raw)
}

fn typed<W: DeserializeOwned>(response: &Response) -> Result<()> {
    response
        .decode::<W>(&twipla_api::operations::GET_WEBSITE)
        .map(drop)
}

/// Parses `Retry-After`, with a `Date` header if `date` can be one.
pub fn retry_after(value: &[u8], date: &[u8], now: DateTime<Utc>) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_bytes(value).ok()?);
    if let Ok(date) = HeaderValue::from_bytes(date) {
        headers.insert(header::DATE, date);
    }
    crate::retry::retry_after(&headers, now)
}

/// Returns the error for a response with a status outside 2xx.
pub fn error_body(status: StatusCode, body: &[u8]) -> Error {
    Error::from_response(status, &Bytes::copy_from_slice(body), None)
}
