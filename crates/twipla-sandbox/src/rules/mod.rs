//! The rules of the API, one room per noun. Each function answers one
//! operation; the caller holds the lock, so that of identical creates at once
//! exactly one succeeds.

pub(crate) mod api_keys;
pub(crate) mod customers;
pub(crate) mod packages;
pub(crate) mod subscriptions;
pub(crate) mod websites;

use chrono::{DateTime, Utc};
use serde_json::Value;
use twipla_api::types::Package;
use uuid::Uuid;

use crate::input::{Fields, Query};
use crate::reply::Refusal;
use crate::state::{Account, Customer, Website};

/// One call of an operation, as the rules see it.
pub(crate) struct Call<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) now: DateTime<Utc>,
    /// Path parameters, decoded, in the order of the template.
    pub(crate) path: &'a [String],
    pub(crate) query: &'a Query,
    pub(crate) body: Option<&'a Value>,
}

impl Call<'_> {
    pub(crate) fn fields(&self) -> Result<Fields<'_>, Refusal> {
        Fields::of(self.body)
    }

    pub(crate) fn param(&self, n: usize) -> &str {
        self.path.get(n).map_or("", String::as_str)
    }
}

pub(crate) fn customer<'a>(account: &'a Account, id: &str) -> Result<&'a Customer, Refusal> {
    account
        .customers
        .get(id)
        .ok_or_else(|| Refusal::not_found("customer", id))
}

pub(crate) fn website<'a>(account: &'a Account, id: &str) -> Result<&'a Website, Refusal> {
    account
        .websites
        .get(id)
        .ok_or_else(|| Refusal::not_found("website", id))
}

pub(crate) fn website_mut<'a>(
    account: &'a mut Account,
    id: &str,
) -> Result<&'a mut Website, Refusal> {
    account
        .websites
        .get_mut(id)
        .ok_or_else(|| Refusal::not_found("website", id))
}

/// A package that a request names; an unknown one makes the request bad.
pub(crate) fn chosen(account: &Account, id: Uuid) -> Result<Package, Refusal> {
    account.packages.get(&id).cloned().ok_or_else(|| {
        Refusal::bad(format!(
            "packageId {id} is none of the packages of the company"
        ))
    })
}

/// One of the packages that every partner has.
pub(crate) fn preset(account: &Account, name: &str) -> Result<Package, Refusal> {
    account
        .package_named(name)
        .cloned()
        .ok_or_else(|| Refusal::new(500, format!("the package {name} is gone")))
}
