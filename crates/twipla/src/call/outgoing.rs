//! A request of the generated client, taken over before it is sent.
//!
//! The generated client knows how to build each request, and it would also
//! send it and decode the reply. This crate does both itself: it repeats
//! requests, limits replies, keeps their bytes for errors, and decodes straight
//! from them. So the client's method is polled once, and ends when its request
//! is built; nothing is wrapped into a reply and unwrapped again.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use reqwest::Url;
use smallvec::SmallVec;
use twipla_api::{Client, Operation, Sending, Transport};

use super::{ApiResult, unexpected};
use crate::{Error, Result};

thread_local! {
    /// Where [`Taker`] leaves a request; full only while a method is polled.
    static TAKEN: Cell<Option<Outgoing>> = const { Cell::new(None) };
}

/// The transport that takes every request.
pub(crate) struct Taker;

/// What is sent, as often as it must be. In a box: it is large, and passed on a few times.
pub(crate) struct Outgoing(Box<Parts>);

struct Parts {
    method: Method,
    url: Url,
    /// Two are what the generated client sets at the most.
    headers: SmallVec<[(HeaderName, HeaderValue); 2]>,
    /// The request as it was built, but for its body: the first attempt.
    first: Option<reqwest::Request>,
    /// Written once, shared by all attempts.
    body: Option<Bytes>,
}

impl Transport for Taker {
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: reqwest::Request,
        _operation: &'static Operation,
    ) -> Sending<'a> {
        // Never asked, for everything is taken.
        Box::pin(http.execute(request))
    }

    fn take(
        &self,
        request: reqwest::Request,
        _operation: &'static Operation,
    ) -> Option<reqwest::Request> {
        TAKEN.set(Outgoing::of(request));
        None
    }
}

impl Outgoing {
    /// Builds the request of one method of the generated client.
    ///
    /// # Errors
    ///
    /// Where an argument cannot be sent.
    pub(crate) fn build<W, F, Fut>(
        client: &Arc<Client>,
        operation: &'static Operation,
        invoke: Option<F>,
    ) -> Result<Self>
    where
        F: FnOnce(Arc<Client>) -> Fut,
        Fut: Future<Output = ApiResult<W>>,
    {
        let result = invoke.and_then(|invoke| pin!(invoke(Arc::clone(client))).now_or_never());
        match (TAKEN.take(), result) {
            (Some(outgoing), _) => Ok(outgoing),
            (None, Some(Err(error))) => Err(unexpected(&error, operation)),
            (None, _) => {
                Err(Error::invalid("the request cannot be built").with_operation(operation.id))
            }
        }
    }

    /// Takes a request apart; nothing where its body is no bytes.
    fn of(mut request: reqwest::Request) -> Option<Self> {
        let body = match request.body_mut().take() {
            // Bytes come out as they went in, at once and without a copy.
            Some(mut body) => match body.frame().now_or_never()? {
                Some(frame) => Some(frame.ok()?.into_data().ok()?),
                None => Some(Bytes::new()),
            },
            None => None,
        };
        Some(Self::new(request, body))
    }

    /// A request without its body, and the body.
    pub(crate) fn new(request: reqwest::Request, body: Option<Bytes>) -> Self {
        Self(Box::new(Parts {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body,
            first: Some(request),
        }))
    }

    pub(super) fn method(&self) -> &Method {
        &self.0.method
    }

    pub(super) fn url(&self) -> &Url {
        &self.0.url
    }

    /// The request of the next attempt.
    pub(super) fn attempt(&mut self) -> reqwest::Request {
        let parts = &mut *self.0;
        let mut request = parts.first.take().unwrap_or_else(|| {
            let mut again = reqwest::Request::new(parts.method.clone(), parts.url.clone());
            *again.headers_mut() = parts.headers.iter().cloned().collect();
            again
        });
        *request.body_mut() = parts.body.clone().map(Into::into);
        request
    }
}
