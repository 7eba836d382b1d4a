//! Sends prepared requests with credentials that stay the same.

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
    /// A client of the management API at `base_url`, which is asked for the
    /// data endpoints as well unless [`data_url`](Self::data_url) is set.
    ///
    /// # Errors
    ///
    /// Where `base_url` is not a valid base URL.
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
    /// Where `data_url` is not a valid base URL.
    pub fn data_url(mut self, data_url: &str) -> Result<Self, InvalidBaseUrl> {
        self.data_url = BaseUrl::new(data_url)?;
        Ok(self)
    }

    /// Sends a request, and reads and decodes its response.
    ///
    /// # Errors
    ///
    /// [`Error::Http`] where no whole response arrived, [`Error::Status`] for
    /// one outside 2xx, [`Error::Decode`] for one that does not fit the contract.
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
/// Neither `Display` nor `Debug` shows a body, which may hold what is secret.
#[non_exhaustive]
pub enum Error {
    /// No whole response arrived.
    Http(reqwest::Error),
    /// The server answered with a status outside 2xx.
    #[non_exhaustive]
    Status {
        /// The status.
        status: StatusCode,
        /// The headers.
        headers: HeaderMap,
        /// The body, whole.
        body: Bytes,
    },
    /// The body of a success does not fit the contract.
    #[non_exhaustive]
    Decode {
        /// The status.
        status: StatusCode,
        /// The body, whole.
        body: Bytes,
        /// Where it does not fit. It may quote the body.
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
            // What serde_json says may quote a secret of the body.
            Self::Status { .. } | Self::Decode { .. } => None,
        }
    }
}

/// Credentials that stay the same: a partner's token, an API key, or both.
///
/// Each operation gets the one that it asks for. One that was not given is not
/// sent, and the server answers 401.
#[derive(Clone, Default)]
pub struct StaticToken {
    token: Option<HeaderValue>,
    api_key: Option<HeaderValue>,
}

impl StaticToken {
    /// A token signed by the partner.
    ///
    /// # Errors
    ///
    /// Where the token holds something that a header cannot carry.
    pub fn new(token: &str) -> Result<Self, InvalidCredential> {
        Ok(Self {
            token: Some(sensitive(&format!("Bearer {token}"), "token")?),
            api_key: None,
        })
    }

    /// No partner: only the key of one website's data.
    ///
    /// # Errors
    ///
    /// Where the key holds something that a header cannot carry.
    pub fn for_api_key(api_key: &str) -> Result<Self, InvalidCredential> {
        Self::default().with_api_key(api_key)
    }

    /// Adds the key of one website's data.
    ///
    /// # Errors
    ///
    /// Where the key holds something that a header cannot carry.
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

/// Says which credentials there are, and nothing of them.
impl fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticToken")
            .field("token", &self.token.is_some())
            .field("api_key", &self.api_key.is_some())
            .finish()
    }
}

/// A token or key that no header can carry; it is not shown.
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
