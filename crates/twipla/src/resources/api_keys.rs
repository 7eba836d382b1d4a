//! API keys: read-only keys for the data of one website.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use twipla_api::types as wire;

use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{ApiKeyId, IntoId, TwiplaWebsiteId, WebsiteId};
use crate::operations;
use crate::options::CallOptions;
use crate::recover;
use crate::request::{BoxFuture, Request, call_methods, call_options};
use crate::secret::Secret;
use crate::types::{ApiKey, CreatedApiKey, DashboardTokens};
use crate::{Error, ErrorKind, Result};

/// The API keys of one website. Created by
/// [`WebsiteRef::api_keys`](crate::resources::WebsiteRef::api_keys).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let keys = twipla.website("site-7").api_keys();
/// let key = keys.create("reports").comment("nightly export").await?;
/// // `key.api_key` is returned here and never again: store it now. `Debug` and
/// // serde redact it, so use `expose()`.
/// let stored = serde_json::json!({ "id": key.id, "secret": key.api_key.expose() });
/// println!("{} keys", keys.list().await?.len());
/// keys.delete(key.id).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ApiKeys {
    core: Arc<Core>,
    website: DeferredId<WebsiteId>,
}

impl ApiKeys {
    pub(crate) fn new(core: &Arc<Core>, website: DeferredId<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            website,
        }
    }

    /// Creates a key. Its secret is only in this response (documented).
    /// The list of keys is read first; see [`CreateApiKey`].
    pub fn create(&self, name: impl Into<String>) -> CreateApiKey {
        CreateApiKey {
            core: Arc::clone(&self.core),
            website: self.website.clone(),
            name: name.into(),
            comment: None,
            expires_at: None,
            options: self.core.options,
        }
    }

    /// Lists all keys, without their secrets. Not paged.
    pub fn list(&self) -> Request<Vec<ApiKey>> {
        operations::list_api_keys(&self.core, &self.website)
    }

    /// Revokes a key immediately and permanently (documented). After an ambiguous failure
    /// the list is read back: [`ChangeState::InForce`](crate::ChangeState::InForce) means that
    /// the key is not on it, deleted by this call or before.
    pub fn delete(&self, key: impl IntoId<ApiKeyId>) -> Request<()> {
        let key = key.into_id();
        let recovery =
            recover::api_key_deletion(&self.core, &self.website, key.as_ref().ok().cloned());
        operations::delete_api_key(&self.core, &self.website, key).with_recovery(recovery)
    }

    /// Replaces a key without interruption: creates a new one with the same name and
    /// comment, returns it, and deletes the old one only after
    /// [`Rotation::confirm`].
    ///
    /// ```
    /// # async fn store(_: &str) {}
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// let keys = twipla.website("site-7").api_keys();
    /// let rotation = keys.rotate("7128840a-5347-49a4-8dfa-9022d8dad21a").await?;
    /// store(rotation.new_key().api_key.expose()).await; // until this is done, both keys work
    /// rotation.confirm().await?;                        // now the old one is deleted
    /// # Ok(()) }
    /// ```
    pub fn rotate(&self, old: impl IntoId<ApiKeyId>) -> RotateApiKey {
        RotateApiKey {
            keys: self.clone(),
            old: old.into_id(),
            expires_at: None,
            options: self.core.options,
        }
    }
}

/// A key to be created. Awaiting it sends the request and returns the key with its secret.
///
/// If the response is lost, so is the secret. Names need not be unique, so the keys are
/// listed first: after an ambiguous failure they are listed again, and if one of
/// this name did not exist before, the error is [`ErrorKind::SecretLost`]. No
/// second key is created.
#[derive(Debug)]
#[must_use = "a key is created when this is awaited"]
pub struct CreateApiKey {
    core: Arc<Core>,
    website: DeferredId<WebsiteId>,
    name: String,
    comment: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    options: CallOptions,
}

impl CreateApiKey {
    /// Sets a comment that is stored with the key.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Sets when the key stops working; never by default (documented).
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Sends only the create and returns the raw JSON `payload`, with the secret;
    /// see [`Request::raw`].
    pub async fn raw(self) -> Result<serde_json::Value> {
        let options = self.options;
        self.request().with_options(options).raw().await
    }

    async fn send(self) -> Result<CreatedApiKey> {
        self.website.get()?;
        check_name(&self.name)?;
        let options = self.options.shared();
        let known = operations::list_api_keys(&self.core, &self.website);
        let known = known.with_options(options).await?;
        self.request_after(&known).with_options(options).await
    }

    /// Builds the request; `known` are the keys that existed before.
    fn request_after(self, known: &[ApiKey]) -> Request<CreatedApiKey> {
        let known = known.iter().map(|key| key.id.clone()).collect();
        let recovery =
            recover::created_api_key(&self.core, &self.website, self.name.clone(), known);
        self.request().with_recovery(recovery)
    }

    fn request(self) -> Request<CreatedApiKey> {
        let checked = check_name(&self.name);
        let body = wire::CreateApiKeyRequest {
            name: self.name,
            comment: self.comment,
            expires_at: self.expires_at,
        };
        operations::create_api_key(&self.core, &self.website, checked.map(|()| &body))
    }
}

call_options!(CreateApiKey);

impl IntoFuture for CreateApiKey {
    type Output = Result<CreatedApiKey>;
    type IntoFuture = BoxFuture<'static, Result<CreatedApiKey>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.send()
                .await
                .map_err(|error| error.with_operation("create_api_key"))
        })
    }
}

/// A rotation to be started. Awaiting it creates the new key.
#[derive(Debug)]
#[must_use = "a rotation begins when this is awaited"]
pub struct RotateApiKey {
    keys: ApiKeys,
    old: Result<ApiKeyId>,
    expires_at: Option<DateTime<Utc>>,
    options: CallOptions,
}

impl RotateApiKey {
    /// Sets when the new key stops working; never by default, whatever the old one had.
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Creates the new key and returns it as raw JSON, with its secret. The old
    /// key stays until you delete it.
    pub async fn raw(self) -> Result<serde_json::Value> {
        let (create, _) = self.prepare().await?;
        create.raw().await
    }

    async fn send(self) -> Result<Rotation> {
        let keys = self.keys.clone();
        let (create, old) = self.prepare().await?;
        Ok(Rotation {
            new_key: create.await?,
            keys,
            old,
        })
    }

    /// Reads the old key, to give the new one its name and comment.
    async fn prepare(self) -> Result<(Request<CreatedApiKey>, ApiKeyId)> {
        let old = self.old?;
        let options = self.options.shared();
        let known = self.keys.list().with_options(options).await?;
        let before = known
            .iter()
            .find(|key| key.id.as_str().eq_ignore_ascii_case(old.as_str()));
        let Some(before) = before else {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the website has no API key {old}: list() shows those it has"),
            ));
        };
        let mut create = self.keys.create(&before.name);
        create.comment.clone_from(&before.comment);
        create.expires_at = self.expires_at;
        Ok((create.request_after(&known).with_options(options), old))
    }
}

call_options!(RotateApiKey);

impl IntoFuture for RotateApiKey {
    type Output = Result<Rotation>;
    type IntoFuture = BoxFuture<'static, Result<Rotation>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.send()
                .await
                .map_err(|error| error.with_operation("rotate_api_key"))
        })
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid("invalid API key name: must not be empty"));
    }
    Ok(())
}

/// A rotation in which both keys work. Dropping it changes nothing.
#[must_use = "the old key works until the rotation is confirmed"]
pub struct Rotation {
    keys: ApiKeys,
    new_key: CreatedApiKey,
    old: ApiKeyId,
}

impl Rotation {
    /// Returns the new key, with its secret.
    pub fn new_key(&self) -> &CreatedApiKey {
        &self.new_key
    }

    /// Returns the key that is deleted when the rotation is confirmed.
    pub fn old_key(&self) -> &ApiKeyId {
        &self.old
    }

    /// Deletes the old key. If it is already deleted, this succeeds; after any
    /// other failure the rotation is unchanged, and can be confirmed again.
    pub fn confirm(&self) -> ConfirmRotation {
        ConfirmRotation {
            delete: self.keys.delete(&self.old),
            options: self.keys.core.options,
        }
    }

    /// Deletes the new key and keeps the old one.
    pub fn abandon(&self) -> Request<()> {
        self.keys.delete(&self.new_key.id)
    }

    /// Returns the new key, and ends the rotation without deleting any key.
    pub fn into_new_key(self) -> CreatedApiKey {
        self.new_key
    }
}

/// The end of a rotation. Awaiting it deletes the old key. Created by [`Rotation::confirm`].
#[derive(Debug)]
#[must_use = "the old key is deleted when this is awaited"]
pub struct ConfirmRotation {
    delete: Request<()>,
    options: CallOptions,
}

call_options!(ConfirmRotation);

impl IntoFuture for ConfirmRotation {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.delete.with_options(self.options).await {
                Err(error) if !error.is_gone() => Err(error),
                _ => Ok(()),
            }
        })
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

/// A login with an API key. Awaiting it sends the request. Created by
/// [`Twipla::login_with_api_key`](crate::Twipla::login_with_api_key).
///
/// The reference page documents the body and the response of this call, but not its
/// path. The contract has a placeholder; ask TWIPLA and set [`path`](Self::path).
///
/// ```
/// # async fn f(twipla: twipla::Twipla, site: twipla::types::Website) -> twipla::Result<()> {
/// let tokens = twipla.login_with_api_key(site.id, "twpl-…").path("/v2/3as/login").await?;
/// let url = twipla.dashboard_from_login(tokens.refresh_token).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a login is sent when it is awaited"]
pub struct LoginWithApiKey {
    core: Arc<Core>,
    website: Result<TwiplaWebsiteId>,
    api_key: Secret,
    path: Option<String>,
    options: CallOptions,
}

impl LoginWithApiKey {
    pub(crate) fn new(core: &Arc<Core>, website: Result<TwiplaWebsiteId>, api_key: Secret) -> Self {
        Self {
            core: Arc::clone(core),
            website,
            api_key,
            path: None,
            options: core.options,
        }
    }

    /// Sets the path of the call, starting with `/`, to replace the inferred one.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    fn request(self) -> Request<DashboardTokens> {
        let body = self.website.map(|website| wire::LoginWithApiKeyRequest {
            website_id: website,
            api_key: self.api_key,
        });
        operations::login_with_api_key(&self.core, body, self.path.as_deref())
    }
}

call_methods!(LoginWithApiKey => DashboardTokens);
