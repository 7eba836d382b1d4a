//! [`RawRequest`]: calls that this version has no method for.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use twipla_api::{Auth, Idempotency, Server, path};

use crate::call::Call;
use crate::core::Core;
use crate::options::CallOptions;
use crate::request::{Request, call_methods};
use crate::response::Response;
use crate::secret::Secret;
use crate::{Error, Result};

/// The name of these calls in errors and tracing spans.
const NAME: &str = "request";

/// An arbitrary request. Created by [`Twipla::raw_request`](crate::Twipla::raw_request).
///
/// Token, retries, limits and errors are those of every other call. Awaiting
/// it returns the `payload` of the response as JSON (the whole body if there is
/// no envelope, null if there is no body).
#[must_use = "a request is sent when it is awaited"]
pub struct RawRequest {
    core: Arc<Core>,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Result<Vec<u8>>>,
    api_key: Option<Secret>,
    options: CallOptions,
}

impl RawRequest {
    pub(crate) fn new(core: &Arc<Core>, method: Method, path: String) -> Self {
        Self {
            core: Arc::clone(core),
            method,
            path,
            query: Vec::new(),
            body: None,
            api_key: None,
            options: core.options,
        }
    }

    /// Adds a query parameter, which is percent-encoded.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body =
            Some(serde_json::to_vec(body).map_err(|error| {
                Error::invalid("cannot write the body as JSON").with_source(error)
            }));
        self
    }

    /// Sends the request to the data host with the key of a website, instead of
    /// the management host with the partner's token.
    pub fn api_key(mut self, key: impl Into<Secret>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Sends the request and decodes the `payload` of the response into a type of yours.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct Name { name: String }
    ///
    /// let renamed: Name = twipla
    ///     .raw_request(http::Method::PATCH, "/v2/3as/packages/471cc1d4-ec27-4504-b7c2-949af95662bc")
    ///     .json(&serde_json::json!({ "name": "Shop" }))
    ///     .send_as()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub async fn send_as<T: DeserializeOwned + Send + 'static>(self) -> Result<T> {
        let (core, options) = (Arc::clone(&self.core), self.options);
        Request::of_call(&core, NAME, self.call(), Box::new(Response::payload_as))
            .with_options(options)
            .await
    }

    fn request(self) -> Request<Value> {
        let core = Arc::clone(&self.core);
        Request::of_call(&core, NAME, self.call(), Box::new(Response::payload))
    }

    fn call(self) -> Result<Call> {
        path::check(&self.path).map_err(|error| Error::invalid(error.to_string()))?;
        let (server, auth) = match self.api_key {
            Some(_) => (Server::Data, Auth::ApiKey),
            None => (Server::Management, Auth::PartnerToken),
        };
        let mut url = self.core.urls.of(server).join(&self.path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        Ok(Call {
            name: NAME,
            idempotency: Idempotency::of_method(&self.method),
            method: self.method,
            url,
            server,
            header_parameters: HeaderMap::new(),
            body: self.body.transpose()?.map(Into::into),
            auth,
            api_key: self.api_key,
        })
    }
}

call_methods!(RawRequest => Value);

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
