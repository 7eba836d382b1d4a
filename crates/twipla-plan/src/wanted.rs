//! The wanted state: customers with their websites.

use serde::{Deserialize, Serialize};
use twipla::types::ContributorRole;

/// The wanted state of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedCustomer {
    /// The id that you chose.
    pub id: String,
    /// The e-mail address, which is unique within your company.
    pub email: String,
    /// Under the account model: the package of the customer, by name or UUID.
    /// If missing, the current package is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Under the account model: whether the subscription is to end at the end of its period.
    #[serde(default, skip_serializing_if = "is_false")]
    pub canceled: bool,
    /// Their websites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub websites: Vec<WantedWebsite>,
}

/// The wanted state of a website.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedWebsite {
    /// The id that you chose.
    pub id: String,
    /// The domain.
    pub domain: String,
    /// Under the website model: the package, by name or UUID. If missing,
    /// the current package is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Under the website model: whether the subscription is to end at the end of its period.
    #[serde(default, skip_serializing_if = "is_false")]
    pub canceled: bool,
    /// Further domains that may send data. If missing, the current ones are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whitelisted_domains: Option<Vec<String>>,
    /// People with access, other than the owner. If missing, the current ones are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributors: Option<Vec<WantedContributor>>,
}

/// A customer with access to a website of another customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedContributor {
    /// The id of the customer.
    pub customer: String,
    /// `editor`, `watcher` or `dashboard`.
    pub role: ContributorRole,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
