//! A call that is set up but not yet sent, and the ways to send it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use twipla_api::{Client, Operation};

use crate::call::{self, ApiResult, BoxFuture, Credential, Exchange, Outgoing, RawReply};
use crate::client::Core;
use crate::config::Settings;
use crate::retry::RetryPolicy;
use crate::secret::Secret;
use crate::{Error, Result, Settled};

/// A call of this API that is sent when awaited.
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let site = twipla.website("site-7").get().await?;                   // typed
/// let json = twipla.website("site-7").get().raw().await?;             // the payload as JSON
/// let fast = twipla.website("site-7").get()
///     .timeout(std::time::Duration::from_secs(2)).await?;             // this call only
/// # Ok(()) }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Request<T> {
    core: Arc<Core>,
    operation: &'static Operation,
    settings: Settings,
    plan: Result<Box<dyn Plan<T>>>,
    inspect: Option<Inspect>,
}

/// Finds out what became of a change that no answer settled.
type Inspect = Box<dyn FnOnce() -> BoxFuture<'static, Option<Settled>> + Send>;

/// Knows the arguments of the call, and the shape of its reply.
///
/// Nothing here waits: sending is the same for all plans, and compiled once.
trait Plan<T>: Send {
    /// The request. Called once.
    fn outgoing(&mut self, core: &Core, operation: &'static Operation) -> Result<Outgoing>;

    fn credential(&self) -> &Credential;

    /// What the caller asked for, out of a reply in 2xx, or the error of another.
    fn outcome(
        self: Box<Self>,
        reply: Result<RawReply>,
        operation: &'static Operation,
    ) -> Result<T>;
}

/// A method of the generated client with its arguments.
struct Prepared<F, S, W, Fut> {
    credential: Credential,
    invoke: Option<F>,
    shape: S,
    of: PhantomData<fn() -> (W, Fut)>,
}

impl<T, W, F, Fut, S> Plan<T> for Prepared<F, S, W, Fut>
where
    W: DeserializeOwned,
    F: FnOnce(Arc<Client>) -> Fut + Send,
    Fut: Future<Output = ApiResult<W>>,
    S: FnOnce(W) -> T + Send,
{
    fn outgoing(&mut self, core: &Core, operation: &'static Operation) -> Result<Outgoing> {
        let client = match operation.server {
            twipla_api::Server::Data => &core.data_api,
            twipla_api::Server::Management => &core.api,
        };
        Outgoing::build(client, operation, self.invoke.take())
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn outcome(
        self: Box<Self>,
        reply: Result<RawReply>,
        operation: &'static Operation,
    ) -> Result<T> {
        call::typed(&reply?, operation).map(self.shape)
    }
}

/// A plan with another view of its typed outcome.
struct Viewed<T, V> {
    plan: Box<dyn Plan<T>>,
    view: V,
}

impl<T, U, V> Plan<U> for Viewed<T, V>
where
    V: FnOnce(Result<T>) -> Result<U> + Send,
{
    fn outgoing(&mut self, core: &Core, operation: &'static Operation) -> Result<Outgoing> {
        self.plan.outgoing(core, operation)
    }

    fn credential(&self) -> &Credential {
        self.plan.credential()
    }

    fn outcome(
        self: Box<Self>,
        reply: Result<RawReply>,
        operation: &'static Operation,
    ) -> Result<U> {
        (self.view)(self.plan.outcome(reply, operation))
    }
}

impl<T: Send + 'static> Request<T> {
    /// `invoke` calls the generated client, `shape` takes what the caller wants out of the reply.
    pub(crate) fn new<W, F, Fut, S>(
        core: &Arc<Core>,
        operation: &'static Operation,
        invoke: Result<F>,
        shape: S,
    ) -> Self
    where
        W: DeserializeOwned + Send + 'static,
        F: FnOnce(Arc<Client>) -> Fut + Send + 'static,
        Fut: Future<Output = ApiResult<W>> + 'static,
        S: FnOnce(W) -> T + Send + 'static,
    {
        Self::with_credential(core, operation, Credential::Partner, invoke, shape)
    }

    pub(crate) fn with_credential<W, F, Fut, S>(
        core: &Arc<Core>,
        operation: &'static Operation,
        credential: Credential,
        invoke: Result<F>,
        shape: S,
    ) -> Self
    where
        W: DeserializeOwned + Send + 'static,
        F: FnOnce(Arc<Client>) -> Fut + Send + 'static,
        Fut: Future<Output = ApiResult<W>> + 'static,
        S: FnOnce(W) -> T + Send + 'static,
    {
        let plan = invoke.map(|invoke| -> Box<dyn Plan<T>> {
            Box::new(Prepared {
                credential,
                invoke: Some(invoke),
                shape,
                of: PhantomData,
            })
        });
        Self {
            core: Arc::clone(core),
            operation,
            settings: core.settings.clone(),
            plan,
            inspect: None,
        }
    }

    /// Looks at the server after a failure that settled nothing, so that the error tells what became of it.
    pub(crate) fn inspect(
        mut self,
        inspect: impl FnOnce() -> BoxFuture<'static, Option<Settled>> + Send + 'static,
    ) -> Self {
        self.inspect = Some(Box::new(inspect));
        self
    }

    /// How long this call may take in all, repeats included.
    ///
    /// The look after a change of subscription that nothing settled comes on top.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How failed attempts of this call are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Sends the same call, and returns the `payload` of the reply as JSON:
    /// for fields that this version does not know, or a reply that does not
    /// fit the contract. A reply without a body gives null.
    pub async fn raw(self) -> Result<Value> {
        self.run(|_, reply, operation| call::payload(&reply?, operation.id))
            .await
    }

    /// Takes a success without a body for one that shows nothing.
    pub(crate) fn or_nothing(self) -> Request<Option<T>> {
        self.reshape(|outcome| match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_success_without_body() => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// The same request, with another view of its typed outcome.
    pub(crate) fn reshape<U: Send + 'static>(
        self,
        view: impl FnOnce(Result<T>) -> Result<U> + Send + 'static,
    ) -> Request<U> {
        Request {
            core: self.core,
            operation: self.operation,
            settings: self.settings,
            plan: self
                .plan
                .map(|plan| -> Box<dyn Plan<U>> { Box::new(Viewed { plan, view }) }),
            inspect: self.inspect,
        }
    }

    /// Sends the request; `outcome` takes what the caller wants out of the reply.
    fn run<R: Send + 'static>(
        self,
        outcome: impl FnOnce(Box<dyn Plan<T>>, Result<RawReply>, &'static Operation) -> Result<R>
        + Send
        + 'static,
    ) -> BoxFuture<'static, Result<R>> {
        Box::pin(async move {
            // Not taken apart: what is moved out of it would be kept twice.
            let operation = self.operation;
            let mut plan = self
                .plan
                .map_err(|error| error.with_operation(operation.id))?;
            let mut outgoing = plan.outgoing(&self.core, operation)?;
            let exchange = Exchange::new(
                &self.core,
                plan.credential(),
                &self.settings,
                &outgoing,
                self.operation.id,
            );
            // The only future inside this one: each more is moved once more, and they are large.
            let reply = exchange.answered(&mut outgoing).await;
            let reply = exchange.finish(reply);
            let outcome = outcome(plan, reply, self.operation);
            match (outcome, self.inspect) {
                (Err(error), Some(inspect)) if error.is_ambiguous() => {
                    let settled = inspect().await;
                    // A look cannot exclude that the change arrives late.
                    let ambiguous = settled != Some(Settled::Applied);
                    Err(error.with_settled(settled).with_ambiguous(ambiguous))
                }
                (outcome, _) => outcome,
            }
        })
    }
}

impl<T: Send + 'static> IntoFuture for Request<T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run(Plan::outcome)
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation.id)
            .finish_non_exhaustive()
    }
}

/// Gives a builder with `fn request(self) -> Request<T>` the ways to send it:
/// `.await`, `.raw()`, and last of all the options of a single call.
macro_rules! sendable {
    ($builder:ty => $output:ty) => {
        impl $builder {
            /// How long this call may take in all, repeats included.
            pub fn timeout(self, timeout: std::time::Duration) -> $crate::Request<$output> {
                self.request().timeout(timeout)
            }

            /// How failed attempts of this call are repeated.
            pub fn retry(self, policy: $crate::RetryPolicy) -> $crate::Request<$output> {
                self.request().retry(policy)
            }

            /// Sends the same call, and returns the `payload` of the reply as JSON.
            pub async fn raw(self) -> $crate::Result<serde_json::Value> {
                self.request().raw().await
            }
        }

        impl std::future::IntoFuture for $builder {
            type Output = $crate::Result<$output>;
            type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                self.request().into_future()
            }
        }
    };
}
pub(crate) use sendable;

/// Shorthand for the closure that calls one method of the generated client
/// with owned arguments: `invoke!(api, args => api.method(&args.0))`.
macro_rules! invoke {
    ($args:expr, |$api:ident, $bound:pat_param| $call:expr) => {
        $args.map(
            |$bound| move |$api: std::sync::Arc<twipla_api::Client>| async move { $call.await },
        )
    };
}
pub(crate) use invoke;

/// Any call at all, for what this version has no method for. Made by
/// [`Twipla::request`](crate::Twipla::request).
///
/// Token, repeats, limits and errors are those of every other call. Awaiting
/// it gives the `payload` of the reply as JSON (the whole body where there is
/// no envelope, null where there is no body).
#[must_use = "a request is sent when it is awaited"]
pub struct FreeRequest {
    core: Arc<Core>,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Result<Vec<u8>>>,
    credential: Credential,
    data: bool,
    settings: Settings,
    name: &'static str,
}

impl FreeRequest {
    pub(crate) fn new(core: &Arc<Core>, method: Method, path: String) -> Self {
        Self {
            core: Arc::clone(core),
            method,
            path,
            query: Vec::new(),
            body: None,
            credential: Credential::Partner,
            data: false,
            settings: core.settings.clone(),
            name: "request",
        }
    }

    /// Adds a query parameter; encoded for you.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), format!("{value}")));
        self
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(serde_json::to_vec(body).map_err(|error| {
            Error::invalid("the body cannot be written as JSON").with_source(error)
        }));
        self
    }

    /// Sends the request to the data host with the key of a website, not to the API with the partner's token.
    pub fn api_key(mut self, key: impl Into<Secret>) -> Self {
        self.credential = Credential::ApiKey(key.into());
        self.data = true;
        self
    }

    /// Stands in for an operation of the contract, under its name.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Sends no token.
    pub(crate) fn without_token(mut self) -> Self {
        self.credential = Credential::None;
        self
    }

    /// How long this call may take in all, repeats included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How failed attempts of this call are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Decodes the `payload` of the reply into a type of yours.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct Name { name: String }
    ///
    /// let renamed: Name = twipla
    ///     .request(http::Method::PATCH, "/v2/3as/packages/471cc1d4-ec27-4504-b7c2-949af95662bc")
    ///     .json(&serde_json::json!({ "name": "Shop" }))
    ///     .send_as()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub async fn send_as<T: DeserializeOwned>(self) -> Result<T> {
        let name = self.name;
        call::decode(&self.send().await?, name)
    }

    async fn send(mut self) -> Result<call::RawReply> {
        let name = self.name;
        let outgoing = self.build();
        let mut outgoing = outgoing.map_err(|error| error.with_operation(name))?;
        let exchange = Exchange::new(
            &self.core,
            &self.credential,
            &self.settings,
            &outgoing,
            name,
        );
        let reply = exchange.answered(&mut outgoing).await;
        exchange.finish(reply)
    }

    fn build(&mut self) -> Result<Outgoing> {
        let base = if self.data {
            &self.core.data
        } else {
            &self.core.base
        };
        let path = &self.path;
        let refuse = |why: &str| Error::invalid(format!("the path {path:?} {why}"));
        if !path.starts_with('/') {
            return Err(refuse("must start with a slash"));
        }
        if path.contains(['?', '#', '\\']) || path.chars().any(char::is_control) {
            return Err(refuse(
                "must not contain ?, #, \\ or control characters: use query(), and percent-encode ids",
            ));
        }
        let dots = |segment: &str| {
            matches!(
                segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
                "." | ".."
            )
        };
        if path.split('/').any(dots) {
            return Err(refuse(
                "has `.` or `..` segments, which would change where it goes",
            ));
        }
        let mut url = url::Url::parse(&format!("{base}{path}"))
            .map_err(|error| refuse("makes no URL").with_source(error))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query.iter());
        }
        let mut request = reqwest::Request::new(self.method.clone(), url);
        request.headers_mut().insert(
            http::header::ACCEPT,
            http::HeaderValue::from_static("application/json"),
        );
        let body = self.body.take().transpose()?;
        if body.is_some() {
            request.headers_mut().insert(
                http::header::CONTENT_TYPE,
                http::HeaderValue::from_static("application/json"),
            );
        }
        Ok(Outgoing::new(request, body.map(Into::into)))
    }
}

impl IntoFuture for FreeRequest {
    type Output = Result<Value>;
    type IntoFuture = BoxFuture<'static, Result<Value>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let name = self.name;
            call::payload(&self.send().await?, name)
        })
    }
}

impl fmt::Debug for FreeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
