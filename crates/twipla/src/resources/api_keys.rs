//! API keys: read-only keys for the data of one website.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::Method;
use twipla_api::operations;
use twipla_api::types as wire;

use super::settle;
use crate::arg::Arg;
use crate::call::{BoxFuture, Credential};
use crate::client::Core;
use crate::ids::{ApiKeyId, IntoId, TwiplaWebsiteId, WebsiteId};
use crate::request::{FreeRequest, Request, invoke};
use crate::secret::Secret;
use crate::types::{ApiKey, CreatedApiKey, DashboardTokens};
use crate::{Error, ErrorKind, Result};

/// The API keys of one website. Made by
/// [`WebsiteRef::api_keys`](crate::resources::WebsiteRef::api_keys).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let keys = twipla.website("site-7").api_keys();
/// let key = keys.create("reports").comment("nightly export").await?;
/// // `key.api_key` is shown here and never again: store it now.
/// println!("{} keys", keys.list().await?.len());
/// keys.delete(key.id).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ApiKeys {
    core: Arc<Core>,
    website: Arg<WebsiteId>,
}

impl ApiKeys {
    pub(crate) fn new(core: &Arc<Core>, website: Arg<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            website,
        }
    }

    /// Makes a key. Its secret is in the reply and nowhere else (documented).
    pub fn create(&self, name: impl Into<String>) -> CreateApiKey {
        CreateApiKey {
            core: Arc::clone(&self.core),
            website: self.website.clone(),
            name: name.into(),
            comment: None,
            expires_at: None,
        }
    }

    /// All keys, without their secrets. Not paged.
    pub fn list(&self) -> Request<Vec<ApiKey>> {
        Request::new(
            &self.core,
            &operations::LIST_API_KEYS,
            invoke!(self.website.get(), |api, website| api
                .list_api_keys(website.as_str())),
            |reply| reply.payload,
        )
    }

    /// Revokes a key at once and for good (documented).
    pub fn delete(&self, key: impl IntoId<ApiKeyId>) -> Request<()> {
        let args = self
            .website
            .get()
            .and_then(|website| Ok((website, key.into_id()?)));
        Request::new(
            &self.core,
            &operations::DELETE_API_KEY,
            invoke!(args, |api, (website, key)| api
                .delete_api_key(website.as_str(), key.as_str())),
            |()| (),
        )
    }

    /// Replaces a key without a gap: makes a new one with the same name and
    /// comment, hands it over, and deletes the old one only after
    /// [`Rotation::confirm`].
    ///
    /// ```
    /// # async fn store(_: &str) {}
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// let keys = twipla.website("site-7").api_keys();
    /// let rotation = keys.rotate("7128840a-5347-49a4-8dfa-9022d8dad21a").await?;
    /// store(&rotation.new_key().api_key).await;   // until this is done, both keys work
    /// rotation.confirm().await?;                  // now the old one is gone
    /// # Ok(()) }
    /// ```
    pub fn rotate(&self, old: impl IntoId<ApiKeyId>) -> RotateApiKey {
        RotateApiKey {
            keys: self.clone(),
            old: old.into_id(),
            expires_at: None,
        }
    }
}

/// A key about to be made. Awaiting it gives the key with its secret.
#[must_use = "a key is made when this is awaited"]
pub struct CreateApiKey {
    core: Arc<Core>,
    website: Arg<WebsiteId>,
    name: String,
    comment: Option<String>,
    expires_at: Option<DateTime<Utc>>,
}

impl CreateApiKey {
    /// A note kept with the key.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// When the key stops working; never by default (documented).
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Sends the same call, and returns the `payload` of the reply as JSON, secret and all.
    pub async fn raw(self) -> Result<serde_json::Value> {
        self.request().raw().await
    }

    fn request(self) -> Request<CreatedApiKey> {
        let args = self.website.get().and_then(|website| {
            if self.name.trim().is_empty() {
                return Err(Error::invalid(
                    "the name of the API key is empty: give it one",
                ));
            }
            let body = wire::CreateApiKeyRequest {
                name: self.name,
                comment: self.comment,
                expires_at: self.expires_at,
            };
            Ok((website, body))
        });
        Request::new(
            &self.core,
            &operations::CREATE_API_KEY,
            invoke!(args, |api, (website, body)| api
                .create_api_key(website.as_str(), &body)),
            |reply| reply.payload,
        )
    }
}

/// An answer that was lost took the secret with it. The facade then looks
/// whether a key was made, and says so rather than make a second one:
/// [`ErrorKind::SecretLost`].
impl IntoFuture for CreateApiKey {
    type Output = Result<CreatedApiKey>;
    type IntoFuture = BoxFuture<'static, Result<CreatedApiKey>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let keys = ApiKeys::new(&self.core, self.website.clone());
            let (name, since) = (self.name.clone(), settle::since(&self.core));
            let error = match self.request().await {
                Ok(key) => return Ok(key),
                Err(error) if error.is_ambiguous() => error,
                Err(error) => return Err(error),
            };
            let Ok(known) = keys.list().await else {
                return Err(error.with_ambiguous(true));
            };
            let made: Vec<_> = known
                .iter()
                .filter(|key| key.name == name && key.created_at >= since)
                .map(|key| key.id.to_string())
                .collect();
            if made.is_empty() {
                return Err(error);
            }
            let message = format!(
                "the answer with the secret of the new API key was lost: delete {} and make another",
                made.join(", ")
            );
            Err(error
                .with_message(message)
                .with_kind(ErrorKind::SecretLost)
                .with_ambiguous(false))
        })
    }
}

/// A rotation about to begin. Awaiting it makes the new key.
#[must_use = "a rotation begins when this is awaited"]
pub struct RotateApiKey {
    keys: ApiKeys,
    old: Result<ApiKeyId>,
    expires_at: Option<DateTime<Utc>>,
}

impl RotateApiKey {
    /// When the new key stops working; never by default, whatever the old one had.
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }
}

impl IntoFuture for RotateApiKey {
    type Output = Result<Rotation>;
    type IntoFuture = BoxFuture<'static, Result<Rotation>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let old = self
                .old
                .map_err(|error| error.with_operation("rotate_api_key"))?;
            let known = self.keys.list().await?;
            let Some(before) = known
                .into_iter()
                .find(|key| key.id.to_string().eq_ignore_ascii_case(old.as_str()))
            else {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("the website has no API key {old}: list() shows those it has"),
                )
                .with_operation("rotate_api_key"));
            };
            let mut create = self.keys.create(before.name);
            create.comment = before.comment;
            create.expires_at = self.expires_at;
            Ok(Rotation {
                new_key: create.await?,
                keys: self.keys,
                old,
            })
        })
    }
}

/// A rotation in which both keys work. Dropping it changes nothing.
#[must_use = "the old key works until the rotation is confirmed"]
pub struct Rotation {
    keys: ApiKeys,
    new_key: CreatedApiKey,
    old: ApiKeyId,
}

impl Rotation {
    /// The new key, with its secret.
    pub fn new_key(&self) -> &CreatedApiKey {
        &self.new_key
    }

    /// The key that goes when the rotation is confirmed.
    pub fn old_key(&self) -> &ApiKeyId {
        &self.old
    }

    /// Deletes the old key. An old key that is already gone is fine; after any
    /// other failure the rotation is as it was, and can be confirmed again.
    pub async fn confirm(&self) -> Result<()> {
        match self.keys.delete(&self.old).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Deletes the new key again; the old one stays.
    pub async fn abandon(&self) -> Result<()> {
        self.keys.delete(self.new_key.id).await
    }

    /// The new key, for good.
    pub fn into_new_key(self) -> CreatedApiKey {
        self.new_key
    }
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("new", &self.new_key.id)
            .field("old", &self.old)
            .finish_non_exhaustive()
    }
}

/// A login with an API key about to be sent. Made by
/// [`Twipla::login_with_api_key`](crate::Twipla::login_with_api_key).
///
/// The reference page gives the body and the reply of this call, but not its
/// path. The contract has a placeholder; ask TWIPLA and set [`path`](Self::path).
///
/// ```
/// # async fn f(twipla: twipla::Twipla, site: twipla::types::Website) -> twipla::Result<()> {
/// let tokens = twipla.login_with_api_key(site.id, "twpl-…").path("/v2/3as/login").await?;
/// let url = twipla.dashboard_from_login(tokens.refresh_token).await?;
/// # Ok(()) }
/// ```
#[must_use = "a login is sent when it is awaited"]
pub struct LoginWithApiKey {
    core: Arc<Core>,
    website: Result<TwiplaWebsiteId>,
    api_key: Secret,
    path: Option<String>,
}

impl LoginWithApiKey {
    pub(crate) fn new(core: &Arc<Core>, website: Result<TwiplaWebsiteId>, api_key: Secret) -> Self {
        Self {
            core: Arc::clone(core),
            website,
            api_key,
            path: None,
        }
    }

    /// The path of the call, from `/` on, in place of the inferred one.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    fn body(self) -> Result<wire::LoginWithApiKeyRequest> {
        Ok(wire::LoginWithApiKeyRequest {
            website_id: self.website?.into(),
            api_key: self.api_key.expose().to_owned(),
        })
    }
}

impl LoginWithApiKey {
    /// Sends the same call, and returns the `payload` of the reply as JSON, tokens and all.
    pub async fn raw(self) -> Result<serde_json::Value> {
        match self.send() {
            Sent::Contract(request) => request.raw().await,
            Sent::Free(request) => request?.await,
        }
    }

    fn send(mut self) -> Sent {
        const OPERATION: &twipla_api::Operation = &operations::LOGIN_WITH_API_KEY;
        let core = Arc::clone(&self.core);
        match self.path.take() {
            Some(path) => Sent::Free(
                self.body()
                    .map(|body| {
                        FreeRequest::new(&core, Method::POST, path)
                            .named(OPERATION.id)
                            .without_token()
                            .json(&body)
                    })
                    .map_err(|error| error.with_operation(OPERATION.id)),
            ),
            None => Sent::Contract(Request::with_credential(
                &core,
                OPERATION,
                Credential::None,
                invoke!(self.body(), |api, body| api.login_with_api_key(&body)),
                |reply: wire::DashboardTokensResponse| reply.payload,
            )),
        }
    }
}

/// Along the path of the contract, or along one that the caller gave.
enum Sent {
    Contract(Request<DashboardTokens>),
    Free(Result<FreeRequest>),
}

impl IntoFuture for LoginWithApiKey {
    type Output = Result<DashboardTokens>;
    type IntoFuture = BoxFuture<'static, Result<DashboardTokens>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.send() {
                Sent::Contract(request) => request.await,
                Sent::Free(request) => request?.send_as().await,
            }
        })
    }
}
