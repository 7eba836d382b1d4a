//! [`PreparedRequest`]: a request of one of the contract's operations, ready to be sent.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::base_url::BaseUrl;
use crate::operation::Operation;
use crate::path::{self, InvalidPath};

/// The content type of every body.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request of one operation, with its arguments validated and encoded.
///
/// The functions of [`requests`](crate::requests) create it without sending it. It
/// contains no credentials. `T` is the type of the response body.
///
/// ```
/// use twipla_api::{BaseUrl, requests};
///
/// let request = requests::get_website(&"site/7".parse()?)?;
/// assert_eq!(request.operation().id, "get_website");
/// let base = BaseUrl::new("https://api.example.com")?;
/// assert_eq!(request.url(&base).path(), "/v2/3as/websites/site%2F7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PreparedRequest<T> {
    parts: RequestParts,
    response: PhantomData<fn() -> T>,
}

/// The parts of a [`PreparedRequest`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RequestParts {
    /// The operation, which determines the method.
    pub operation: &'static Operation,
    /// Path and query, encoded, starting with `/`.
    pub target: String,
    /// Header parameters of the operation. `Accept` and `Content-Type` are not
    /// included: both are JSON wherever there is a body.
    pub header_parameters: HeaderMap,
    /// The JSON body, if the operation has one.
    pub body: Option<Bytes>,
}

impl<T> PreparedRequest<T> {
    /// Returns the operation of this request.
    pub fn operation(&self) -> &'static Operation {
        self.parts.operation
    }

    /// Returns path and query, encoded, starting with `/`.
    pub fn target(&self) -> &str {
        &self.parts.target
    }

    /// Returns all headers except credentials.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = self.parts.header_parameters.clone();
        headers.insert(ACCEPT, JSON);
        if self.parts.body.is_some() {
            headers.insert(CONTENT_TYPE, JSON);
        }
        headers
    }

    /// Returns the JSON body, if the operation has one.
    pub fn body(&self) -> Option<&Bytes> {
        self.parts.body.as_ref()
    }

    /// Returns the URL of the request on a server.
    pub fn url(&self, base: &BaseUrl) -> Url {
        base.join(&self.parts.target)
    }

    /// Converts to a request for an HTTP client of your own, without credentials.
    pub fn to_http(&self, base: &BaseUrl) -> http::Request<Bytes> {
        let mut request = http::Request::new(self.parts.body.clone().unwrap_or_default());
        *request.method_mut() = self.parts.operation.method.into();
        // A URL built by this crate is a valid URI.
        *request.uri_mut() = http::Uri::try_from(self.url(base).as_str()).unwrap_or_default();
        *request.headers_mut() = self.headers();
        request
    }

    /// Replaces the path, for an operation whose path is inferred. The query is kept.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] if [`path::check`] rejects the path.
    pub fn with_path(mut self, path: &str) -> Result<Self, InvalidRequest> {
        let operation = self.parts.operation;
        path::check(path).map_err(|error| InvalidRequest::new(operation, &error))?;
        let query = self.parts.target.split_once('?').map(|(_, query)| query);
        self.parts.target = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        Ok(self)
    }

    /// Returns the parts, for code that sends requests of any operation.
    pub fn into_parts(self) -> RequestParts {
        self.parts
    }
}

impl<T: DeserializeOwned> PreparedRequest<T> {
    /// Decodes the body of a 2xx response.
    ///
    /// # Errors
    ///
    /// If it does not fit the contract.
    pub fn decode(&self, body: &[u8]) -> serde_json::Result<T> {
        self.parts.operation.decode(body)
    }
}

impl<T> Clone for PreparedRequest<T> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            response: PhantomData,
        }
    }
}

/// Leaves out the target and the body, which may contain secrets.
impl<T> fmt::Debug for PreparedRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest")
            .field("operation", &self.parts.operation.id)
            .finish_non_exhaustive()
    }
}

/// An argument that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequest {
    operation: &'static str,
    message: String,
}

impl InvalidRequest {
    fn new(operation: &'static Operation, problem: &impl fmt::Display) -> Self {
        Self {
            operation: operation.id,
            message: problem.to_string(),
        }
    }

    /// Returns the id of the operation.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Returns what is wrong, without the operation.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)
    }
}

impl std::error::Error for InvalidRequest {}

/// Builds a [`PreparedRequest`] in the generated functions.
pub(crate) struct RequestBuilder {
    operation: &'static Operation,
    path: Result<String, InvalidPath>,
    query: String,
    header_parameters: HeaderMap,
    body: Option<Bytes>,
    problem: Option<String>,
}

impl RequestBuilder {
    /// Starts a request; `path_parameters` are in the order of the path template.
    pub(crate) fn new(
        operation: &'static Operation,
        path_parameters: &[&dyn fmt::Display],
    ) -> Self {
        Self {
            operation,
            path: path::fill(operation.path, path_parameters),
            query: String::new(),
            header_parameters: HeaderMap::new(),
            body: None,
            problem: None,
        }
    }

    pub(crate) fn query(mut self, name: &str, value: Option<impl fmt::Display>) -> Self {
        if let Some(value) = value {
            self.query = Serializer::new(self.query)
                .append_pair(name, &value.to_string())
                .finish();
        }
        self
    }

    #[allow(dead_code, reason = "for contracts with header parameters")]
    pub(crate) fn header(mut self, name: &'static str, value: Option<impl fmt::Display>) -> Self {
        if let Some(value) = value {
            match HeaderValue::try_from(value.to_string()) {
                Ok(value) => {
                    self.header_parameters
                        .append(HeaderName::from_static(name), value);
                }
                Err(_) => {
                    self.problem.get_or_insert_with(|| {
                        format!("invalid header {name}: expected visible ASCII")
                    });
                }
            }
        }
        self
    }

    pub(crate) fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = Some(body.into()),
            Err(error) => {
                self.problem
                    .get_or_insert_with(|| format!("cannot write the body as JSON: {error}"));
            }
        }
        self
    }

    pub(crate) fn build<T>(self) -> Result<PreparedRequest<T>, InvalidRequest> {
        let operation = self.operation;
        let mut target = self
            .path
            .map_err(|error| InvalidRequest::new(operation, &error))?;
        if let Some(problem) = self.problem {
            return Err(InvalidRequest::new(operation, &problem));
        }
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&self.query);
        }
        Ok(PreparedRequest {
            parts: RequestParts {
                operation,
                target,
                header_parameters: self.header_parameters,
                body: self.body,
            },
            response: PhantomData,
        })
    }
}
