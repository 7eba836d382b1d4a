//! The properties of each operation, apart from its types.
//!
//! The table itself, [`operations`](crate::operations), is generated from the
//! contract. It determines retry rules, credentials and tests.

use std::fmt;

use serde::de::DeserializeOwned;

/// One operation of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Id in the contract, which is also the name of the client's method.
    pub id: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template, as in `/v2/3as/websites/{intpWebsiteId}`.
    pub path: &'static str,
    /// Group of the contract, as in `websites`.
    pub tag: &'static str,
    /// A one-line summary.
    pub summary: &'static str,
    /// How the caller is authenticated.
    pub auth: Auth,
    /// What happens when the request is carried out more than once.
    pub idempotency: Idempotency,
    /// The host that serves it.
    pub server: Server,
    /// How well the operation is known.
    pub provenance: Provenance,
    /// Whether the response contains a secret: keep it out of logs.
    pub secret_response: bool,
    /// Documented status codes of success. Any other 2xx counts as success, too.
    pub success: &'static [u16],
}

impl Operation {
    /// Decodes the body of a successful response. If the contract has no body, the body is
    /// ignored, whatever the server sent.
    pub fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> serde_json::Result<T> {
        if self.success == [204] {
            return serde_json::from_str("null");
        }
        serde_json::from_slice(body)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// HTTP method of an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Returns the method as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Put => Self::PUT,
            Method::Post => Self::POST,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// How the caller of an [`Operation`] is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Auth {
    /// `Authorization: Bearer` with a token that the partner signed.
    PartnerToken,
    /// `X-Api-Key` with the key of one website.
    ApiKey,
    /// No credentials: the body contains what is needed.
    None,
}

/// What happens when a request is carried out more than once, in the terms of RFC 9110.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// The request changes nothing.
    Safe,
    /// Repeating the request has no further effect.
    Idempotent,
    /// Repeating the request may take effect twice.
    NotIdempotent,
}

impl Idempotency {
    /// Returns what the method of a request guarantees. PATCH guarantees nothing.
    pub fn of_method(method: &http::Method) -> Self {
        match *method {
            http::Method::GET | http::Method::HEAD | http::Method::OPTIONS => Self::Safe,
            http::Method::PUT | http::Method::DELETE => Self::Idempotent,
            _ => Self::NotIdempotent,
        }
    }
}

/// The host that serves an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// The management API.
    Management,
    /// The data API, which is read with API keys.
    Data,
}

/// How well an [`Operation`] is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// The vendor's reference describes it.
    Documented,
    /// Official SDKs use it.
    Sdk,
    /// It was observed in use elsewhere.
    Observed,
    /// Its path or format is an educated guess.
    Inferred,
}
