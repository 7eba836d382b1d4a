//! The one send loop: every call of this crate, typed or raw, goes through here.
//!
//! The generated client builds the request ([`Outgoing`]), [`Exchange`] gets it
//! answered, and the reply is decoded straight from its bytes.

mod exchange;
mod outgoing;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use twipla_api::Operation;

use crate::client::Core;
use crate::retry;
use crate::secret::Secret;
use crate::{Error, ErrorKind, Result};

pub(crate) use self::exchange::{Exchange, later};
pub(crate) use self::outgoing::{Outgoing, Taker};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the generated client returns.
pub(crate) type ApiResult<W> =
    std::result::Result<twipla_api::ResponseValue<W>, twipla_api::Error<()>>;

/// How a request shows who sends it.
#[derive(Clone)]
pub(crate) enum Credential {
    /// The partner's token.
    Partner,
    /// The key of one website's data.
    ApiKey(Secret),
    /// Nothing: the body carries the credentials.
    None,
}

/// A reply of any status, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct RawReply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) attempts: u32,
    /// Whether the request asked for a change.
    pub(crate) changes: bool,
    /// Whether the server may have made the change although it says that it failed.
    in_doubt: bool,
}

/// Decodes the reply of one operation of the contract.
pub(crate) fn typed<W: DeserializeOwned>(
    reply: &RawReply,
    operation: &'static Operation,
) -> Result<W> {
    let body = if operation.success == [204] {
        // Where the contract has no body, a page is no success: it comes from
        // whatever stands between here and the server.
        if is_page(reply) {
            let error = Error::new(
                ErrorKind::Decode,
                "the server answered with a page, where the contract has no body",
            );
            return Err(unusable(error, reply).with_operation(operation.id));
        }
        // What stands for no body.
        b"null"
    } else {
        &*reply.body
    };
    serde_json::from_slice(body)
        .map_err(|error| decode_error::<W>(reply, &error).with_operation(operation.id))
}

/// Decodes the `payload` of a reply into a type of the caller's.
pub(crate) fn decode<T: DeserializeOwned>(reply: &RawReply, operation: &'static str) -> Result<T> {
    let value = payload(reply, operation)?;
    serde_path_to_error::deserialize(value).map_err(
        |error: serde_path_to_error::Error<serde_json::Error>| {
            let message = format!(
                "the payload does not fit at `{}`: {}",
                error.path(),
                plain(error.inner())
            );
            unusable(Error::new(ErrorKind::Decode, message), reply).with_operation(operation)
        },
    )
}

/// The `payload` of a reply, or the whole body where there is no envelope; null where it is empty.
pub(crate) fn payload(reply: &RawReply, operation: &'static str) -> Result<Value> {
    if reply.body.is_empty() {
        return Ok(Value::Null);
    }
    let value = serde_json::from_slice(&reply.body)
        .map_err(|error| decode_error::<Value>(reply, &error).with_operation(operation))?;
    Ok(match value {
        Value::Object(mut fields) if fields.contains_key("payload") => {
            fields.remove("payload").unwrap_or_default()
        }
        other => other,
    })
}

fn status_error(reply: &RawReply, core: &Core) -> Error {
    let after = retry::retry_after(&reply.headers, core.minter.now());
    Error::from_reply(reply.status, &reply.body, after)
        .with_attempts(reply.attempts)
        .with_ambiguous(reply.in_doubt)
}

/// The generated client failed before it had anything to send.
fn unexpected(error: &twipla_api::Error<()>, operation: &'static Operation) -> Error {
    let error = match error {
        twipla_api::Error::InvalidRequest(message) | twipla_api::Error::Custom(message) => {
            Error::invalid(message.clone())
        }
        // Debug and Display of the others may print what is secret.
        _ => Error::invalid("the request cannot be built"),
    };
    error.with_operation(operation.id)
}

/// Says which field does not fit, by decoding once more with the path kept.
fn decode_error<W: DeserializeOwned>(reply: &RawReply, error: &serde_json::Error) -> Error {
    let message = if reply.body.is_empty() {
        "the reply is empty where the contract has a body".to_owned()
    } else {
        let mut decoder = serde_json::Deserializer::from_slice(&reply.body);
        match serde_path_to_error::deserialize::<_, W>(&mut decoder) {
            Err(error) if error.inner().is_syntax() || error.inner().is_eof() => {
                not_json(&reply.headers)
            }
            Err(error) if error.path().to_string() == "." => format!(
                "the reply does not fit the contract: {}",
                plain(error.inner())
            ),
            Err(error) => format!(
                "the reply does not fit the contract at `{}`: {}",
                error.path(),
                plain(error.inner())
            ),
            Ok(_) if error.is_syntax() || error.is_eof() => not_json(&reply.headers),
            Ok(_) => "the reply does not fit the contract".to_owned(),
        }
    };
    unusable(Error::new(ErrorKind::Decode, message), reply)
}

/// A success that cannot be used. What made it may not have been the server at all.
fn unusable(error: Error, reply: &RawReply) -> Error {
    error
        .with_status(reply.status)
        .with_body(&reply.body)
        .with_attempts(reply.attempts)
        .with_ambiguous(reply.changes)
}

fn is_page(reply: &RawReply) -> bool {
    let kind = reply.headers.get(header::CONTENT_TYPE);
    !reply.body.is_empty() && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn not_json(headers: &HeaderMap) -> String {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("no content type");
    format!("the reply is not whole JSON ({kind})")
}

/// A message of serde without the values it quotes: those come from the server and may be secret.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    match (text.find('"'), text.rfind('"')) {
        (Some(start), Some(end)) if start < end => {
            format!("{}\"…\"{}", &text[..start], &text[end + 1..])
        }
        _ => text.to_owned(),
    }
}

/// Lets the fuzz targets in.
#[cfg(fuzzing)]
#[path = "fuzzing.rs"]
pub mod fuzzing;
