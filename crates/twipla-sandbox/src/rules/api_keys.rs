//! API keys of websites, and the login with one.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use serde::Serialize;
use serde_json::json;
use twipla_api::types::ApiKey;
use twipla_api::{ApiKeyId, CustomerId, WebsiteId};
use uuid::Uuid;

use super::context::{OperationContext, website};
use crate::account::{Account, Key};
use crate::reply::{ApiError, ApiResult, Reply};

pub(crate) fn create(mut context: OperationContext<'_>) -> ApiResult {
    let fields = context.fields()?;
    let website_id = context.param(0).to_owned();
    let key = NewKey {
        name: fields.text("name")?,
        comment: fields.text_opt("comment")?,
        expires_at: fields.date_opt("expiresAt")?,
        secret: secret("twpl-", 20),
    };
    let key = key.build(context.account, &website_id, context.now)?;
    let reply = Reply::payload(
        201,
        &CreatedApiKey {
            api_key: &key.secret,
            shown: &key.shown,
        },
    );
    context.commits.record_named(
        &key.shown.name,
        &[
            ("intpWebsiteId", &website_id),
            ("apiKeyId", key.shown.id.as_ref()),
        ],
    );
    context.account.add_api_key(&website_id, key);
    reply
}

/// The data of an API key to be created.
pub(crate) struct NewKey<'a> {
    pub(crate) name: &'a str,
    pub(crate) comment: Option<&'a str>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) secret: String,
}

impl NewKey<'_> {
    /// Creates the key, without adding it to the website.
    pub(crate) fn build(
        self,
        account: &Account,
        website_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Key, ApiError> {
        let owner = website(account, website_id)?.customer.as_str();
        let shown = ApiKey {
            id: ApiKeyId::unchecked(Uuid::new_v4().to_string()),
            name: self.name.to_owned(),
            // One official client requires a string here.
            comment: Some(self.comment.unwrap_or_default().to_owned()),
            // Two official clients require a date even if none was requested: a
            // hundred years stand for "never".
            expires_at: Some(self.expires_at.unwrap_or(now + TimeDelta::days(36_500))),
            created_at: now,
            intp_website_id: WebsiteId::unchecked(website_id),
            intp_customer_id: CustomerId::unchecked(owner),
        };
        let secret = self.secret;
        Ok(Key { secret, shown })
    }
}

/// The response that contains the secret. The type of the raw client omits it
/// when serialised.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedApiKey<'a> {
    api_key: &'a str,
    #[serde(flatten)]
    shown: &'a ApiKey,
}

/// Lists the keys without their secrets.
pub(crate) fn list(context: OperationContext<'_>) -> ApiResult {
    let keys = website(context.account, context.param(0))?.api_keys();
    Reply::payload(200, &keys.iter().map(|key| &key.shown).collect::<Vec<_>>())
}

pub(crate) fn delete(mut context: OperationContext<'_>) -> ApiResult {
    let (website_id, key) = (context.param(0).to_owned(), context.param(1).to_owned());
    website(context.account, &website_id)?;
    if !context.account.remove_api_key(&website_id, &key) {
        return Err(ApiError::not_found("API key", &key));
    }
    context
        .commits
        .record(&[("intpWebsiteId", &website_id), ("apiKeyId", &key)]);
    Ok(Reply::done())
}

/// Creates a refresh token, and the reply that contains it.
pub(crate) fn refresh_token() -> (String, ApiResult) {
    let refresh_token = secret("refresh-", 40);
    let tokens = json!({ "token": secret("access-", 40), "refreshToken": refresh_token });
    let reply = Reply::json(201, &json!({ "payload": tokens }));
    (refresh_token, reply)
}

/// Returns a random string that cannot be guessed.
fn secret(prefix: &str, length: usize) -> String {
    let random = rand::rng();
    let letters = random
        .sample_iter(rand::distr::Alphanumeric)
        .take(length)
        .map(char::from);
    prefix.chars().chain(letters).collect()
}
