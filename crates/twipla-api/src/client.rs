//! [`Client`]: sends prepared requests with fixed credentials.

use std::fmt;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::base_url::{BaseUrl, InvalidBaseUrl};
use crate::operation::{Auth, Server};
use crate::request::PreparedRequest;

/// A client that sends each request once.
///
/// See the [crate's documentation](crate) for an example.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: BaseUrl,
    data_url: BaseUrl,
    token: StaticToken,
}

impl Client {
    /// Creates a client of the management API at `base_url`, which also serves the
    /// data endpoints unless [`data_url`](Self::data_url) is set.
    ///
    /// # Errors
    ///
    /// If `base_url` is not a valid base URL.
    pub fn new(
        base_url: &str,
        http: reqwest::Client,
        token: StaticToken,
    ) -> Result<Self, InvalidBaseUrl> {
        let base_url = BaseUrl::new(base_url)?;
        Ok(Self {
            http,
            data_url: base_url.clone(),
            base_url,
            token,
        })
    }

    /// Sets the host of the data endpoints, which are read with API keys.
    ///
    /// # Errors
    ///
    /// If `data_url` is not a valid base URL.
    pub fn data_url(mut self, data_url: &str) -> Result<Self, InvalidBaseUrl> {
        self.data_url = BaseUrl::new(data_url)?;
        Ok(self)
    }

    /// Sends a request, and reads and decodes its response.
    ///
    /// # Errors
    ///
    /// [`Error::Http`] if no complete response arrived, [`Error::Status`] for
    /// a status outside 2xx, [`Error::Decode`] for a body that does not fit the contract.
    pub async fn send<T: DeserializeOwned>(
        &self,
        request: PreparedRequest<T>,
    ) -> Result<Response<T>, Error> {
        let operation = request.operation();
        let base = match operation.server {
            Server::Management => &self.base_url,
            Server::Data => &self.data_url,
        };
        let mut outgoing = reqwest::Request::new(operation.method.into(), request.url(base));
        *outgoing.headers_mut() = request.headers();
        self.token.authorize(operation.auth, outgoing.headers_mut());
        *outgoing.body_mut() = request.body().cloned().map(Into::into);

        let mut incoming = self.http.execute(outgoing).await.map_err(Error::Http)?;
        let (status, headers) = (incoming.status(), std::mem::take(incoming.headers_mut()));
        let body = incoming.bytes().await.map_err(Error::Http)?;
        if !status.is_success() {
            return Err(Error::Status {
                status,
                headers,
                body,
            });
        }
        match request.decode(&body) {
            Ok(value) => {
                let mut response = Response::new(value);
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                Ok(response)
            }
            Err(source) => Err(Error::Decode {
                status,
                body,
                source,
            }),
        }
    }
}

/// Why a request has no usable response.
///
/// Neither `Display` nor `Debug` shows a body, which may contain secrets.
#[non_exhaustive]
pub enum Error {
    /// No complete response arrived.
    Http(reqwest::Error),
    /// The server answered with a status outside 2xx.
    #[non_exhaustive]
    Status {
        /// The status.
        status: StatusCode,
        /// The headers.
        headers: HeaderMap,
        /// The complete body.
        body: Bytes,
    },
    /// The body of a successful response does not fit the contract.
    #[non_exhaustive]
    Decode {
        /// The status.
        status: StatusCode,
        /// The complete body.
        body: Bytes,
        /// The position and the reason. It may quote the body.
        source: serde_json::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(_) => f.write_str("cannot send the request or read its response"),
            Self::Status { status, .. } => write!(f, "the server answered with status {status}"),
            Self::Decode { status, source, .. } => write!(
                f,
                "the response with status {status} does not fit the contract at line {}, column {}",
                source.line(),
                source.column()
            ),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => f.debug_tuple("Http").field(error).finish(),
            Self::Status { status, body, .. } => f
                .debug_struct("Status")
                .field("status", status)
                .field("body_bytes", &body.len())
                .finish_non_exhaustive(),
            Self::Decode {
                status,
                body,
                source,
            } => f
                .debug_struct("Decode")
                .field("status", status)
                .field("body_bytes", &body.len())
                .field("line", &source.line())
                .field("column", &source.column())
                .finish(),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Http(error) => Some(error),
            // The error of serde_json may quote a secret of the body.
            Self::Status { .. } | Self::Decode { .. } => None,
        }
    }
}

/// Fixed credentials: a partner's token, an API key, or both.
///
/// Each operation uses the one that it requires. A missing one is not
/// sent, and the server answers 401.
#[derive(Clone, Default)]
pub struct StaticToken {
    token: Option<HeaderValue>,
    api_key: Option<HeaderValue>,
}

impl StaticToken {
    /// Creates credentials from a token signed by the partner.
    ///
    /// # Errors
    ///
    /// If the token contains characters that a header cannot carry.
    pub fn new(token: &str) -> Result<Self, InvalidCredential> {
        Ok(Self {
            token: Some(sensitive(&format!("Bearer {token}"), "token")?),
            api_key: None,
        })
    }

    /// Creates credentials without a partner: only the API key of one website.
    ///
    /// # Errors
    ///
    /// If the key contains characters that a header cannot carry.
    pub fn for_api_key(api_key: &str) -> Result<Self, InvalidCredential> {
        Self::default().with_api_key(api_key)
    }

    /// Adds the API key of one website.
    ///
    /// # Errors
    ///
    /// If the key contains characters that a header cannot carry.
    pub fn with_api_key(mut self, api_key: &str) -> Result<Self, InvalidCredential> {
        self.api_key = Some(sensitive(api_key, "API key")?);
        Ok(self)
    }

    fn authorize(&self, auth: Auth, headers: &mut HeaderMap) {
        let credential = match auth {
            Auth::PartnerToken => self.token.clone().map(|token| (AUTHORIZATION, token)),
            Auth::ApiKey => self
                .api_key
                .clone()
                .map(|key| (HeaderName::from_static("x-api-key"), key)),
            Auth::None => None,
        };
        headers.extend(credential);
    }
}

fn sensitive(text: &str, what: &'static str) -> Result<HeaderValue, InvalidCredential> {
    let mut value = HeaderValue::from_str(text).map_err(|_| InvalidCredential { what })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Shows which credentials are set, without their values.
impl fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticToken")
            .field("token", &self.token.is_some())
            .field("api_key", &self.api_key.is_some())
            .finish()
    }
}

/// A token or key that a header cannot carry; it is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCredential {
    what: &'static str,
}

impl fmt::Display for InvalidCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid {}: expected visible ASCII (is there a line break at its end?)",
            self.what
        )
    }
}

impl std::error::Error for InvalidCredential {}
