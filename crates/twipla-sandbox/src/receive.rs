//! Reads requests from a connection, with limits on time and memory.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::message::HttpRequest;
use crate::reply::ApiError;

/// Larger bodies are rejected.
const MAX_BODY: usize = 1024 * 1024;
/// Memory for all bodies that are being received or handled.
const MAX_BODIES: usize = 64 * MAX_BODY;

/// Memory for the bodies of all connections.
pub(crate) struct BodyMemory(Semaphore);

impl BodyMemory {
    pub(crate) fn new() -> Self {
        Self(Semaphore::new(MAX_BODIES))
    }
}

/// Why a request could not be read.
pub(crate) enum ReceiveError {
    /// The client closed the connection.
    ConnectionClosed,
    Rejected(ApiError),
}

/// Reads a complete request. The permit reserves the memory of its body.
pub(crate) async fn receive(
    request: Request<Incoming>,
    memory: &BodyMemory,
    timeout: Duration,
) -> Result<(HttpRequest, SemaphorePermit<'_>), ReceiveError> {
    let (head, body) = request.into_parts();
    let Ok(read) = tokio::time::timeout(timeout, read_body(body, memory)).await else {
        let message = format!("the body did not arrive within {timeout:?}");
        return Err(ReceiveError::Rejected(ApiError::new(408, message)));
    };
    let (body, permit) = read?;
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    let request = HttpRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body,
    };
    Ok((request, permit))
}

async fn read_body(
    mut body: Incoming,
    memory: &BodyMemory,
) -> Result<(Vec<u8>, SemaphorePermit<'_>), ReceiveError> {
    let full = || {
        let message = "too many bodies are being received: try again later";
        ReceiveError::Rejected(ApiError::new(503, message))
    };
    let reserve = |bytes: usize| {
        u32::try_from(bytes)
            .ok()
            .and_then(|bytes| memory.0.try_acquire_many(bytes).ok())
            .ok_or_else(full)
    };
    let mut bytes = Vec::new();
    let mut permit = reserve(0)?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ReceiveError::ConnectionClosed)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > MAX_BODY {
            let error = ApiError::bad("the body is larger than 1 MiB");
            return Err(ReceiveError::Rejected(error));
        }
        permit.merge(reserve(data.len())?);
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, permit))
}
