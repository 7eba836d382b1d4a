//! How requests leave.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Request, Response};

use crate::operation::{Auth, Operation};

/// The future that a [`Transport`] returns.
pub type Sending<'a> = Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + 'a>>;

/// How a request leaves.
///
/// The client builds the request and decodes the reply; everything in between
/// is here: credentials, retries, tracing. [`StaticToken`] is the simplest one.
pub trait Transport: Send + Sync {
    /// Sends a request of one operation, and waits for its reply.
    ///
    /// The path of the request has been checked. It carries no credentials yet.
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: Request,
        operation: &'static Operation,
    ) -> Sending<'a>;

    /// Takes over a request that was built and checked, instead of sending it.
    ///
    /// A transport that keeps `request` and returns `None` ends the call there:
    /// the client's method has nothing to wait for and never completes, so it
    /// is polled once and dropped. The facade uses the client that way, as a
    /// builder of requests, because it reads and decodes replies itself. By
    /// default nothing is taken.
    fn take(&self, request: Request, operation: &'static Operation) -> Option<Request> {
        let _ = operation;
        Some(request)
    }
}

/// What the client sends its requests through: a shared [`Transport`].
#[derive(Clone)]
pub struct Session(Arc<dyn Transport>);

impl Session {
    /// Sends through a transport that is shared already.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// The transport.
    pub fn transport(&self) -> &dyn Transport {
        &*self.0
    }
}

impl<T: Transport + 'static> From<T> for Session {
    fn from(transport: T) -> Self {
        Self(Arc::new(transport))
    }
}

/// Shows nothing of the transport, which may hold secrets.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A [`Transport`] with credentials that stay the same.
///
/// It sends each request once: the partner's token where an operation asks for
/// it, the API key where an operation asks for that. A credential that was not
/// given is not sent, and the server answers 401.
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
            token: Some(header(&format!("Bearer {token}"), "token")?),
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
        self.api_key = Some(header(api_key, "api key")?);
        Ok(self)
    }
}

fn header(text: &str, what: &'static str) -> Result<HeaderValue, InvalidCredential> {
    let mut value = HeaderValue::from_str(text).map_err(|_| InvalidCredential { what })?;
    value.set_sensitive(true);
    Ok(value)
}

impl Transport for StaticToken {
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        mut request: Request,
        operation: &'static Operation,
    ) -> Sending<'a> {
        let credential = match operation.auth {
            Auth::PartnerToken => self.token.clone().map(|token| (AUTHORIZATION, token)),
            Auth::ApiKey => self
                .api_key
                .clone()
                .map(|key| (HeaderName::from_static("x-api-key"), key)),
            Auth::None => None,
        };
        if let Some((name, value)) = credential {
            request.headers_mut().insert(name, value);
        }
        Box::pin(http.execute(request))
    }
}

/// Says what is there, and nothing of it.
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
            "the {} holds a character that a header cannot carry: is there a line break at its end?",
            self.what
        )
    }
}

impl std::error::Error for InvalidCredential {}
