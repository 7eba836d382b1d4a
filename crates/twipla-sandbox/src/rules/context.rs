//! The input of a rule, and lookups shared by several rules.

use chrono::{DateTime, Utc};
use serde_json::Value;
use twipla_api::PackageId;
use twipla_api::types::Package;
use uuid::Uuid;

use crate::account::{Account, Customer, Website};
use crate::commits::CommitRecorder;
use crate::input::{Fields, Query};
use crate::reply::ApiError;

/// One request for an operation, as passed to a rule.
pub(crate) struct OperationContext<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) now: DateTime<Utc>,
    /// Decoded path parameters, in the order of the template.
    pub(crate) path: &'a [String],
    pub(crate) query: &'a Query,
    pub(crate) body: Option<&'a Value>,
    /// Records the changes that the rule makes.
    pub(crate) commits: CommitRecorder<'a>,
}

impl OperationContext<'_> {
    pub(crate) fn fields(&self) -> Result<Fields<'_>, ApiError> {
        Fields::of(self.body)
    }

    pub(crate) fn param(&self, n: usize) -> &str {
        self.path.get(n).map_or("", String::as_str)
    }
}

pub(crate) fn customer<'a>(account: &'a Account, id: &str) -> Result<&'a Customer, ApiError> {
    account
        .customers()
        .get(id)
        .ok_or_else(|| ApiError::not_found("customer", id))
}

pub(crate) fn website<'a>(account: &'a Account, id: &str) -> Result<&'a Website, ApiError> {
    account
        .websites()
        .get(id)
        .ok_or_else(|| ApiError::not_found("website", id))
}

/// Returns the package that a request names. An unknown id is a bad request,
/// not a 404.
pub(crate) fn requested_package(account: &Account, id: Uuid) -> Result<Package, ApiError> {
    account
        .packages
        .get(&PackageId::from(id))
        .cloned()
        .ok_or_else(|| {
            ApiError::bad(format!(
                "packageId {id} does not name a package of the company"
            ))
        })
}

/// Returns one of the packages that every partner has.
pub(crate) fn preset_package(account: &Account, name: &str) -> Result<Package, ApiError> {
    account
        .package_named(name)
        .cloned()
        .ok_or_else(|| ApiError::new(500, format!("the package {name} is missing")))
}
