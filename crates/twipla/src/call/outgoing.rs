//! A request of the generated client, taken over before it is sent.
//!
//! The generated client knows how to build each request, and it would also
//! send it and decode the reply. This crate does both itself: it repeats
//! requests, limits replies, keeps their bytes for errors, and decodes straight
//! from them. So the client's method is polled once, and ends when its request
//! is built; nothing is wrapped into a reply and unwrapped again.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use reqwest::Url;
use twipla_api::{Client, Operation, Sending, Transport};

use super::{ApiResult, unexpected};
use crate::{Error, Result};

thread_local! {
    /// Where [`Taker`] leaves a request; full only while a method is polled.
    static TAKEN: Cell<Option<Outgoing>> = const { Cell::new(None) };
}

/// The transport that takes every request.
pub(crate) struct Taker;

/// What is sent, as often as it must be.
pub(crate) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The headers as they were built, for the first attempt.
    first: Option<HeaderMap>,
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

    fn take(&self, request: &mut reqwest::Request, _operation: &'static Operation) -> bool {
        TAKEN.set(Outgoing::of(request));
        true
    }
}

impl Outgoing {
    /// Builds the request of one method of the generated client.
    ///
    /// # Errors
    ///
    /// Where an argument cannot be sent.
    pub(super) fn build<W, F, Fut>(
        client: &Arc<Client>,
        operation: &'static Operation,
        invoke: F,
    ) -> Result<Self>
    where
        F: FnOnce(Arc<Client>) -> Fut,
        Fut: Future<Output = ApiResult<W>>,
    {
        let result = invoke(Arc::clone(client)).now_or_never();
        match (TAKEN.take(), result) {
            (Some(outgoing), _) => Ok(outgoing),
            (None, Some(Err(error))) => Err(unexpected(&error, operation)),
            (None, _) => {
                Err(Error::invalid("the request cannot be built").with_operation(operation.id))
            }
        }
    }

    /// Takes a request apart; nothing where its body is no bytes.
    pub(super) fn of(request: &mut reqwest::Request) -> Option<Self> {
        let body = match request.body_mut().take() {
            // Bytes come out as they went in, at once and without a copy.
            Some(mut body) => match body.frame().now_or_never()? {
                Some(frame) => Some(frame.ok()?.into_data().ok()?),
                None => Some(Bytes::new()),
            },
            None => None,
        };
        let first = std::mem::take(request.headers_mut());
        Some(Self {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: first
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            first: Some(first),
            body,
        })
    }

    /// The request of the next attempt.
    pub(super) fn attempt(&mut self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self
            .first
            .take()
            .unwrap_or_else(|| self.headers.iter().cloned().collect());
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }
}
