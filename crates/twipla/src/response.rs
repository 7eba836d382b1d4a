//! A response whose body was read completely, and its decoding.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use twipla_api::{Idempotency, Operation};

use crate::{Error, ErrorKind, Result};

/// The first bytes of gzip, and of no JSON, text or HTML, whatever `Content-Encoding` says.
const GZIP: [u8; 2] = [0x1f, 0x8b];

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// A response with a 2xx status.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How often the request was sent.
    pub(crate) attempts: u32,
    /// Of the request. A response that cannot be used leaves a change ambiguous.
    pub(crate) idempotency: Idempotency,
}

/// Removes gzip and the byte order mark from a body: neither was requested, and
/// gateways are known to add both. A body that cannot
/// be decompressed within the limit is left as it is.
pub(crate) fn plain_body(body: Bytes, limit: usize) -> Bytes {
    let body = if body.starts_with(&GZIP) {
        unpacked(&body, limit).unwrap_or(body)
    } else {
        body
    };
    if body.starts_with(&BYTE_ORDER_MARK) {
        body.slice(BYTE_ORDER_MARK.len()..)
    } else {
        body
    }
}

fn unpacked(body: &Bytes, limit: usize) -> Option<Bytes> {
    let mut plain = Vec::new();
    // One byte more than allowed shows that there is more.
    MultiGzDecoder::new(&body[..])
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .ok()?;
    (plain.len() <= limit).then(|| plain.into())
}

impl Response {
    /// Decodes the body as the contract describes it for an operation.
    pub(crate) fn decode<W: DeserializeOwned>(&self, operation: &Operation) -> Result<W> {
        // If the contract has no body, an HTML page is not a success: it comes from
        // something between the client and the server.
        if operation.success == [204] && self.is_page() {
            return Err(
                self.unusable("the server answered with a page where the contract has no body")
            );
        }
        operation
            .decode(&self.body)
            .map_err(|error| self.does_not_fit::<W>(&error))
    }

    /// Decodes the `payload` into a type of the caller's.
    pub(crate) fn payload_as<T: DeserializeOwned>(&self) -> Result<T> {
        serde_path_to_error::deserialize(self.payload()?).map_err(
            |error: serde_path_to_error::Error<serde_json::Error>| {
                self.unusable(format!(
                    "the payload does not fit at `{}`: {}",
                    error.path(),
                    without_values(error.inner())
                ))
            },
        )
    }

    /// Returns the `payload`, or the whole body if there is no envelope. Null if the body is empty.
    pub(crate) fn payload(&self) -> Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        let value = serde_json::from_slice(&self.body)
            .map_err(|error| self.does_not_fit::<Value>(&error))?;
        Ok(match value {
            Value::Object(mut fields) if fields.contains_key("payload") => {
                fields.remove("payload").unwrap_or_default()
            }
            other => other,
        })
    }

    /// Reports which field does not fit, by decoding again with the path tracked.
    fn does_not_fit<W: DeserializeOwned>(&self, error: &serde_json::Error) -> Error {
        if self.body.is_empty() {
            return self.unusable("the response is empty where the contract has a body");
        }
        let mut decoder = serde_json::Deserializer::from_slice(&self.body);
        let message = match serde_path_to_error::deserialize::<_, W>(&mut decoder) {
            Err(error) if error.inner().is_syntax() || error.inner().is_eof() => self.is_not_json(),
            Err(error) if error.path().to_string() == "." => format!(
                "the response does not fit the contract: {}",
                without_values(error.inner())
            ),
            Err(error) => format!(
                "the response does not fit the contract at `{}`: {}",
                error.path(),
                without_values(error.inner())
            ),
            Ok(_) if error.is_syntax() || error.is_eof() => self.is_not_json(),
            Ok(_) => "the response does not fit the contract".to_owned(),
        };
        self.unusable(message)
    }

    /// Creates the error for a success that cannot be used. It may not have come from the server at all.
    pub(crate) fn unusable(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Decode, message)
            .with_status(self.status)
            .with_body(&self.body)
            .with_attempts(self.attempts)
            .with_ambiguous(self.idempotency != Idempotency::Safe)
    }

    fn is_page(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE);
        !self.body.is_empty() && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
    }

    fn is_not_json(&self) -> String {
        if self.body.starts_with(&GZIP) {
            return "the response is compressed, and damaged or larger than max_body".to_owned();
        }
        let header = |name| self.headers.get(name)?.to_str().ok();
        let kind = header(header::CONTENT_TYPE).unwrap_or("no content type");
        match header(header::CONTENT_ENCODING) {
            Some(encoding) if !encoding.eq_ignore_ascii_case("identity") => format!(
                "the response is compressed ({encoding}), which was not requested: disable it in the gateway"
            ),
            _ => format!("the response is not a whole JSON document ({kind})"),
        }
    }
}

/// Returns a message of serde without the values it quotes: those come from the server and may be secret.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    match (text.find('"'), text.rfind('"')) {
        (Some(start), Some(end)) if start < end => {
            format!("{}\"…\"{}", &text[..start], &text[end + 1..])
        }
        _ => text.to_owned(),
    }
}

/// Entry points for the fuzz targets.
#[cfg(fuzzing)]
#[path = "fuzzing.rs"]
pub mod fuzzing;
