//! API keys of websites, and the login with one.

use chrono::TimeDelta;
use rand::RngExt as _;
use serde_json::json;
use twipla_api::types::{ApiKey, CreatedApiKey, DashboardTokens};
use twipla_api::{ApiKeyId, CustomerId, WebsiteId};
use uuid::Uuid;

use super::context::{OperationContext, website, website_mut};
use crate::account::Key;
use crate::reply::{ApiError, ApiResult, Reply};

pub(crate) fn create(mut context: OperationContext<'_>) -> ApiResult {
    let fields = context.fields()?;
    let website_id = context.param(0).to_owned();
    let owner = website(context.account, &website_id)?.customer.clone();
    let shown = ApiKey {
        id: ApiKeyId::unchecked(Uuid::new_v4().to_string()),
        name: fields.text("name")?.to_owned(),
        comment: fields.text_opt("comment")?.map(str::to_owned),
        // Two official clients need a date even if none was asked for: a
        // hundred years stand for "never".
        expires_at: Some(
            fields
                .date_opt("expiresAt")?
                .unwrap_or(context.now + TimeDelta::days(36_500)),
        ),
        created_at: context.now,
        intp_website_id: WebsiteId::unchecked(website_id.as_str()),
        intp_customer_id: CustomerId::unchecked(owner),
    };
    let secret = secret("twpl-", 20);
    let reply = CreatedApiKey {
        api_key: secret.clone(),
        id: shown.id.clone(),
        name: shown.name.clone(),
        comment: shown.comment.clone(),
        expires_at: shown.expires_at,
        created_at: shown.created_at,
        intp_website_id: shown.intp_website_id.clone(),
        intp_customer_id: shown.intp_customer_id.clone(),
    };
    website_mut(context.account, &website_id)?
        .api_keys
        .push(Key { secret, shown });
    context.commits.record_named(
        &reply.name,
        &[
            ("intpWebsiteId", &website_id),
            ("apiKeyId", reply.id.as_ref()),
        ],
    );
    Reply::payload(201, &reply)
}

/// The keys without their secrets.
pub(crate) fn list(context: OperationContext<'_>) -> ApiResult {
    let keys = &website(context.account, context.param(0))?.api_keys;
    Reply::payload(200, &keys.iter().map(|key| &key.shown).collect::<Vec<_>>())
}

pub(crate) fn delete(mut context: OperationContext<'_>) -> ApiResult {
    let (website_id, key) = (context.param(0).to_owned(), context.param(1).to_owned());
    let keys = &mut website_mut(context.account, &website_id)?.api_keys;
    let before = keys.len();
    keys.retain(|known| known.shown.id != key);
    if keys.len() == before {
        return Err(ApiError::not_found("API key", &key));
    }
    context
        .commits
        .record(&[("intpWebsiteId", &website_id), ("apiKeyId", &key)]);
    Ok(Reply::done())
}

/// New dashboard tokens, and the reply that hands them out.
pub(crate) fn tokens() -> (DashboardTokens, ApiResult) {
    let tokens = DashboardTokens {
        token: secret("access-", 40),
        refresh_token: secret("refresh-", 40),
    };
    let reply = Reply::json(201, &json!({ "payload": tokens }));
    (tokens, reply)
}

/// A random string that cannot be guessed.
fn secret(prefix: &str, length: usize) -> String {
    let random = rand::rng();
    let letters = random
        .sample_iter(rand::distr::Alphanumeric)
        .take(length)
        .map(char::from);
    prefix.chars().chain(letters).collect()
}
