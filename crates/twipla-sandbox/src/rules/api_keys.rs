//! API keys of websites, and the login with one.

use chrono::TimeDelta;
use rand::RngExt as _;
use serde_json::json;
use twipla_api::types::{ApiKey, CreatedApiKey, DashboardTokens};
use uuid::Uuid;

use super::{Call, website, website_mut};
use crate::reply::{Answer, Refusal, Reply};
use crate::state::Key;

pub(crate) fn create(call: Call<'_>) -> Answer {
    let fields = call.fields()?;
    let website_id = call.param(0).to_owned();
    let owner = website(call.account, &website_id)?.customer.clone();
    let shown = ApiKey {
        id: Uuid::new_v4(),
        name: fields.text("name")?.to_owned(),
        comment: fields.text_opt("comment")?.map(str::to_owned),
        // Two official clients need a date even where none was asked for: a
        // hundred years stand for "never".
        expires_at: Some(
            fields
                .date_opt("expiresAt")?
                .unwrap_or(call.now + TimeDelta::days(36_500)),
        ),
        created_at: call.now,
        intp_website_id: website_id.clone(),
        intp_customer_id: owner,
    };
    let secret = secret("twpl-", 20);
    let reply = CreatedApiKey {
        api_key: secret.clone(),
        id: shown.id,
        name: shown.name.clone(),
        comment: shown.comment.clone(),
        expires_at: shown.expires_at,
        created_at: shown.created_at,
        intp_website_id: shown.intp_website_id.clone(),
        intp_customer_id: shown.intp_customer_id.clone(),
    };
    website_mut(call.account, &website_id)?
        .api_keys
        .push(Key { secret, shown });
    Reply::payload(201, &reply)
}

/// Without the secrets.
pub(crate) fn list(call: Call<'_>) -> Answer {
    let keys = &website(call.account, call.param(0))?.api_keys;
    Reply::payload(200, &keys.iter().map(|key| &key.shown).collect::<Vec<_>>())
}

pub(crate) fn delete(call: Call<'_>) -> Answer {
    let (website_id, key) = (call.param(0).to_owned(), call.param(1).to_owned());
    let keys = &mut website_mut(call.account, &website_id)?.api_keys;
    let before = keys.len();
    keys.retain(|known| known.shown.id.to_string() != key);
    if keys.len() == before {
        return Err(Refusal::not_found("API key", &key));
    }
    Ok(Reply::done())
}

/// Fresh dashboard tokens for a key; the caller keeps them.
pub(crate) fn tokens() -> (DashboardTokens, Answer) {
    let tokens = DashboardTokens {
        token: secret("access-", 40),
        refresh_token: secret("refresh-", 40),
    };
    let reply = Reply::json(201, &json!({ "payload": tokens }));
    (tokens, reply)
}

/// Letters and digits that cannot be guessed.
fn secret(prefix: &str, length: usize) -> String {
    let random = rand::rng();
    let letters = random
        .sample_iter(rand::distr::Alphanumeric)
        .take(length)
        .map(char::from);
    prefix.chars().chain(letters).collect()
}
