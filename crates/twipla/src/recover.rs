//! Recovery after an ambiguous failure: what is read back, and how it is
//! compared with what was requested.
//!
//! The caller chooses the ids of customers and websites, so reading one back
//! shows whether a create was carried out. If nothing exists, the create can be sent
//! again: the server rejects an id that is in use. Packages and API keys have
//! no such id. They are read back, and never sent again; the same goes for subscription
//! changes and all other changes and deletes. Nothing is concluded from clocks: packages and
//! keys that existed before are known, because they were listed first.

use std::sync::Arc;

use twipla_api::types as wire;

use crate::core::Core;
use crate::deferred::DeferredId;
use crate::domain::same_domain;
use crate::ids::{ApiKeyId, CustomerId, PackageId, WebsiteId};
use crate::operations;
use crate::request::{Existing, ReadChange, Recovery};
use crate::types::{
    ContributorRole, CreatedApiKey, CreatedIntpc, Package, SubscriptionStatus, SubscriptionType,
    Website,
};
use crate::{ChangeState, Error, ErrorKind, Result};

/// The expected result of a subscription change, as visible on a website.
#[derive(Debug, Clone)]
pub(crate) enum ExpectedChange {
    /// On this package, and in a trial or not.
    OnPackage(PackageId, bool),
    /// A downgrade to this package is planned.
    Planned(PackageId),
    Canceled,
    Resumed,
    Inactive,
}

impl ExpectedChange {
    /// Returns what a website shows of the change; not whether it was so before.
    fn state(&self, website: &Website) -> Option<ChangeState> {
        if matches!(website.status, SubscriptionStatus::Unknown(_)) {
            return None;
        }
        let is_in_force = match self {
            Self::OnPackage(package, trial) => {
                if website.package_id == *package && *trial != website.in_trial {
                    // The package is as expected and the trial is not: this is not what was requested,
                    // and reporting that nothing happened would be wrong.
                    return None;
                }
                website.package_id == *package && website.status == SubscriptionStatus::Active
            }
            // A cancellation also plans a downgrade, to the free package.
            Self::Planned(package) => {
                website.planned_downgrade_package_id == Some(*package)
                    && website.status == SubscriptionStatus::Active
            }
            Self::Canceled => website.status == SubscriptionStatus::Canceled,
            Self::Resumed => {
                website.status == SubscriptionStatus::Active
                    && website.planned_downgrade_package_id.is_none()
            }
            Self::Inactive => website.status == SubscriptionStatus::Inactive,
        };
        Some(state(is_in_force))
    }
}

/// Converts the result of a read-back. Whether it was so before is not known.
fn state(is_in_force: bool) -> ChangeState {
    if is_in_force {
        ChangeState::InForce
    } else {
        ChangeState::NotApplied
    }
}

/// Recovers a change of a website's subscription.
pub(crate) fn website_change<T>(
    core: &Arc<Core>,
    id: &DeferredId<WebsiteId>,
    expected: Result<ExpectedChange>,
) -> Recovery<T> {
    let read = operations::get_website(core, id);
    let read_change: ReadChange = Box::new(move || {
        Box::pin(async move {
            let expected = expected.ok()?;
            match (read.await, &expected) {
                (Ok(website), _) => expected.state(&website),
                // A deactivated website reads as inactive, but is documented as deleted.
                (Err(error), ExpectedChange::Inactive) if error.is_not_found() => {
                    Some(ChangeState::InForce)
                }
                (Err(_), _) => None,
            }
        })
    });
    Recovery::Change(read_change)
}

/// Recovers a change of a customer's subscription (account model). The API shows it only on
/// the websites that share it.
pub(crate) fn account_change<T>(
    core: &Arc<Core>,
    id: &DeferredId<CustomerId>,
    expected: Result<ExpectedChange>,
) -> Recovery<T> {
    let read = operations::list_websites(core, Some(id), 0, 1);
    let read_change: ReadChange = Box::new(move || {
        Box::pin(async move {
            let page = read.await.ok()?;
            expected.ok()?.state(page.items.first()?)
        })
    });
    Recovery::Change(read_change)
}

/// Recovers the delete of a customer, and the deactivation of an account,
/// which deletes it.
pub(crate) fn customer_deletion<T>(core: &Arc<Core>, id: &DeferredId<CustomerId>) -> Recovery<T> {
    let read = operations::get_customer(core, id);
    let read_change: ReadChange = Box::new(|| {
        Box::pin(async move {
            match read.await {
                Ok(_) => Some(ChangeState::NotApplied),
                // Deleted, by this call or before.
                Err(error) if error.is_not_found() => Some(ChangeState::InForce),
                Err(_) => None,
            }
        })
    });
    Recovery::Change(read_change)
}

/// Recovers the delete of a website.
pub(crate) fn website_deletion<T>(core: &Arc<Core>, id: &DeferredId<WebsiteId>) -> Recovery<T> {
    let read = operations::get_website(core, id);
    let read_change: ReadChange = Box::new(|| {
        Box::pin(async move {
            match read.await {
                // How a deleted website reads is not public: perhaps like a deactivated one.
                Ok(website) => matches!(
                    website.status,
                    SubscriptionStatus::Active | SubscriptionStatus::Canceled
                )
                .then_some(ChangeState::NotApplied),
                Err(error) if error.is_not_found() => Some(ChangeState::InForce),
                Err(_) => None,
            }
        })
    });
    Recovery::Change(read_change)
}

/// Recovers the delete of an API key.
pub(crate) fn api_key_deletion(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    key: Option<ApiKeyId>,
) -> Recovery<()> {
    let read = operations::list_api_keys(core, website);
    let read_change: ReadChange = Box::new(|| {
        Box::pin(async move {
            let key = key?;
            let keys = read.await.ok()?;
            let mut ids = keys.iter().map(|known| known.id.as_str());
            Some(state(!ids.any(|id| id.eq_ignore_ascii_case(key.as_str()))))
        })
    });
    Recovery::Change(read_change)
}

/// Recovers a change of a contributor's role; `None` removes the contributor.
pub(crate) fn contributor_change(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    customer: Option<CustomerId>,
    role: Option<ContributorRole>,
) -> Recovery<()> {
    let read = operations::list_contributors(core, website);
    let read_change: ReadChange = Box::new(|| {
        Box::pin(async move {
            let customer = customer?;
            let shown = read.await.ok()?.contributors;
            let has = |role: &ContributorRole| {
                let of_role = match role {
                    ContributorRole::Dashboard => &shown.dashboard,
                    ContributorRole::Editor => &shown.editor,
                    ContributorRole::Watcher => &shown.watcher,
                    _ => return None,
                };
                let mut ids = of_role.iter().map(|known| &known.intp_customer_id);
                Some(ids.any(|id| *id == customer))
            };
            Some(state(match role {
                Some(role) => has(&role)?,
                None => !ContributorRole::KNOWN.iter().filter_map(has).any(|has| has),
            }))
        })
    });
    Recovery::Change(read_change)
}

/// Recovers assigning a package to a website or customer, or unassigning it.
pub(crate) fn assignment(
    core: &Arc<Core>,
    package: &DeferredId<PackageId>,
    target: Option<String>,
    is_assigned: bool,
) -> Recovery<()> {
    let read = operations::get_package(core, package);
    let read_change: ReadChange = Box::new(move || {
        Box::pin(async move {
            let target = target?;
            // Not every version of the server shows it.
            let shown = read.await.ok()?.restricted_to?;
            let mut is_listed = false;
            for to in shown {
                let (website, customer) = (to.intp_website_id, to.intp_customer_id);
                if website.is_none() && customer.is_none() {
                    return None;
                }
                is_listed |= website.is_some_and(|id| id == target.as_str())
                    || customer.is_some_and(|id| id == target.as_str());
            }
            Some(state(is_listed == is_assigned))
        })
    });
    Recovery::Change(read_change)
}

/// Recovers the rename of a package.
pub(crate) fn package_name(
    core: &Arc<Core>,
    package: &DeferredId<PackageId>,
    name: String,
) -> Recovery<Package> {
    let read = operations::get_package(core, package);
    let read_change: ReadChange =
        Box::new(|| Box::pin(async move { Some(state(read.await.ok()?.name == name)) }));
    Recovery::Change(read_change)
}

/// Recovers a change of the list of whitelisted domains.
pub(crate) fn whitelisted_domain(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    domain: Option<String>,
    is_listed: bool,
) -> Recovery<()> {
    let read = operations::list_whitelisted_domains(core, website);
    let read_change: ReadChange = Box::new(move || {
        Box::pin(async move {
            let domain = domain?;
            let shown = read.await.ok()?;
            let found = shown.iter().any(|known| same_domain(known, &domain));
            Some(state(found == is_listed))
        })
    });
    Recovery::Change(read_change)
}

/// The website that a create requested.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedWebsite {
    pub(crate) website: WebsiteId,
    pub(crate) customer: CustomerId,
    pub(crate) domain: String,
    pub(crate) terms: ExpectedTerms,
}

impl ExpectedWebsite {
    async fn find(&self, core: &Arc<Core>) -> Result<Existing<Website>> {
        let found = match get_website(core, &self.website).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(Existing::Nothing),
            Err(error) => return Err(error),
        };
        if found.intp_customer_id != self.customer || !same_domain(&found.domain, &self.domain) {
            return Ok(Existing::Other(format!(
                "by a website for {} of customer {}",
                found.domain, found.intp_customer_id
            )));
        }
        Ok(match self.terms.difference(core, &found).await? {
            None => Existing::Same(found),
            Some(difference) => Existing::Other(format!("by this website {difference}")),
        })
    }
}

/// The subscription terms that a create requested, as visible on a website. Terms that
/// were not requested are not compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpectedTerms {
    pub(crate) package: Option<PackageId>,
    /// Whether the unlimited free trial was requested.
    pub(crate) free_trial: bool,
    /// Whether the customer was to be created as well: its websites share its subscription.
    pub(crate) with_account: bool,
}

impl ExpectedTerms {
    /// Describes the first difference. A package has one billing interval, so its id
    /// covers that as well.
    async fn difference(&self, core: &Arc<Core>, found: &Website) -> Result<Option<String>> {
        let is_shared = found.subscription_type == Some(SubscriptionType::Intpc);
        match &found.status {
            SubscriptionStatus::Active => {}
            // A website may be created under a canceled account.
            SubscriptionStatus::Canceled if is_shared && !self.with_account => {}
            SubscriptionStatus::Unknown(status) => {
                return Err(cannot_compare(&format!("its status is {status:?}")));
            }
            // A subscription starts as active, whatever the create requests.
            status => return Ok(Some(format!("with the status {status}"))),
        }
        let shown = format!("{} ({})", found.package_name, found.package_id);
        if let Some(package) = self.package
            && found.package_id != package
        {
            return Ok(Some(format!("on another package, {shown}")));
        }
        if self.free_trial && !found.in_trial {
            return Ok(Some("without a trial".to_owned()));
        }
        let asked_for_terms = self.free_trial || self.package.is_some();
        if asked_for_terms && found.in_trial && !is_unlimited(core, found.package_id).await? {
            return Ok(Some(format!("in a trial of {shown}")));
        }
        Ok(None)
    }
}

/// Returns whether a package is that of the unlimited free trial: no other has
/// unlimited touchpoints (observed). A create starts no other trial.
async fn is_unlimited(core: &Arc<Core>, package: PackageId) -> Result<bool> {
    let id = DeferredId::from(Ok(package));
    let package = operations::get_package(core, &id).await?;
    Ok(package.touchpoints.is_unlimited())
}

fn cannot_compare(why: &str) -> Error {
    let message = format!("cannot compare the existing resource with the requested one: {why}");
    Error::new(ErrorKind::Decode, message)
}

/// Recovers the create of a website.
pub(crate) fn created_website(core: &Arc<Core>, expected: ExpectedWebsite) -> Recovery<Website> {
    let core = Arc::clone(core);
    Recovery::Create {
        find: Box::new(move || {
            let (core, expected) = (Arc::clone(&core), expected.clone());
            Box::pin(async move { expected.find(&core).await })
        }),
        id_was_chosen: true,
    }
}

/// Recovers the create of a customer.
pub(crate) fn created_customer(
    core: &Arc<Core>,
    expected: wire::CreateCustomerRequest,
) -> Recovery<CreatedIntpc> {
    let core = Arc::clone(core);
    Recovery::Create {
        find: Box::new(move || {
            let (core, expected) = (Arc::clone(&core), expected.clone());
            Box::pin(async move { find_customer(&core, &expected).await })
        }),
        id_was_chosen: true,
    }
}

/// Reads the customer by its id, and its first website by its id.
async fn find_customer(
    core: &Arc<Core>,
    expected: &wire::CreateCustomerRequest,
) -> Result<Existing<CreatedIntpc>> {
    let id = expected.intp_customer_id.clone();
    let expected_website = expected.website.as_ref().map(|website| ExpectedWebsite {
        website: website.intp_website_id.clone(),
        customer: expected.intp_customer_id.clone(),
        domain: website.domain.clone(),
        terms: ExpectedTerms {
            package: website.package_id,
            free_trial: false,
            with_account: true,
        },
    });
    let customer = DeferredId::from(Ok(id.clone()));
    let found = match operations::get_customer(core, &customer).await {
        Ok(found) => found,
        Err(error) if error.is_not_found() => {
            let Some(expected) = &expected_website else {
                return Ok(Existing::Nothing);
            };
            match get_website(core, &expected.website).await {
                // The create was carried out after the customer was read.
                Ok(website) if website.intp_customer_id == id => {
                    operations::get_customer(core, &customer).await?
                }
                Ok(_) => return Ok(Existing::Other("by another website".to_owned())),
                Err(_) => return Ok(Existing::Nothing),
            }
        }
        Err(error) => return Err(error),
    };
    if !found.email.eq_ignore_ascii_case(&expected.email) {
        return Ok(Existing::Other(
            "by a customer with another e-mail address".to_owned(),
        ));
    }
    let website = match &expected_website {
        None => None,
        Some(expected) => match expected.find(core).await? {
            Existing::Same(website) => Some(website),
            Existing::Other(difference) => return Ok(Existing::Other(difference)),
            Existing::Nothing | Existing::Unclear(_) | Existing::WithoutSecret(_) => {
                return Ok(Existing::Other(
                    "by a customer without this website".to_owned(),
                ));
            }
        },
    };
    if let Some(package) = expected.package_id {
        let terms = ExpectedTerms {
            package: Some(package),
            free_trial: false,
            with_account: true,
        };
        let shown = match &website {
            Some(website) => Some(website.clone()),
            None => first_website(core, id).await?,
        };
        let Some(shown) = shown else {
            return Ok(Existing::Unclear(format!(
                "by this customer, and no website shows whether they are on package {package}"
            )));
        };
        if let Some(difference) = terms.difference(core, &shown).await? {
            return Ok(Existing::Other(format!("by this customer {difference}")));
        }
    }
    Ok(Existing::Same(CreatedIntpc {
        id: found.id,
        visa_id: found.visa_id,
        intp_customer_id: found.intp_customer_id,
        email: found.email,
        intp_id: found.intp_id,
        created_at: found.created_at,
        website,
    }))
}

/// Returns one of the websites that share the subscription of a customer. The API shows
/// the subscription nowhere else.
async fn first_website(core: &Arc<Core>, customer: CustomerId) -> Result<Option<Website>> {
    let customer = DeferredId::from(Ok(customer));
    let page = operations::list_websites(core, Some(&customer), 0, 1).await?;
    Ok(page.items.into_iter().next())
}

fn get_website(core: &Arc<Core>, id: &WebsiteId) -> crate::Request<Website> {
    operations::get_website(core, &DeferredId::from(Ok(id.clone())))
}

/// Recovers the create of an API key. The secret was only in the lost response,
/// so a key that is found cannot be used. The keys in `known` existed
/// before, so they are not the new one.
pub(crate) fn created_api_key(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    name: String,
    known: Vec<ApiKeyId>,
) -> Recovery<CreatedApiKey> {
    let (core, website) = (Arc::clone(core), website.clone());
    Recovery::Create {
        find: Box::new(move || {
            let (name, known) = (name.clone(), known.clone());
            let keys = operations::list_api_keys(&core, &website);
            Box::pin(async move {
                let found: Vec<_> = keys
                    .await?
                    .into_iter()
                    .filter(|key| key.name == name && !known.contains(&key.id))
                    .map(|key| key.id.to_string())
                    .collect();
                Ok(if found.is_empty() {
                    Existing::Nothing
                } else {
                    Existing::WithoutSecret(format!(
                        "the response with the secret of the new API key was lost: delete {}, unless another program has just created it, and create another",
                        found.join(", ")
                    ))
                })
            })
        }),
        id_was_chosen: false,
    }
}

/// Recovers the create of a package: returns one that matches the request, unless
/// it is among the `known`, which existed before. It is never sent again, because
/// a package cannot be deleted.
pub(crate) fn created_package(
    core: &Arc<Core>,
    expected: wire::CreatePackageRequest,
    known: Vec<PackageId>,
) -> Recovery<Package> {
    let core = Arc::clone(core);
    Recovery::Create {
        find: Box::new(move || {
            let (expected, known) = (expected.clone(), known.clone());
            let packages = operations::list_packages(&core, None, None);
            Box::pin(async move {
                let mut found = packages.await?;
                found.retain(|package| {
                    package.name == expected.name && !known.contains(&package.id)
                });
                let same = found
                    .iter()
                    .position(|package| is_as_asked(package, &expected));
                match same {
                    Some(same) => Ok(Existing::Same(found.swap_remove(same))),
                    None if found.is_empty() => Ok(Existing::Nothing),
                    // It may read differently, or be somebody else's: neither shows that nothing was created.
                    None => Err(Error::new(
                        ErrorKind::Decode,
                        "a new package of this name is on other terms",
                    )),
                }
            })
        }),
        id_was_chosen: false,
    }
}

/// Returns whether a package matches the request, as far as it can be read.
fn is_as_asked(package: &Package, expected: &wire::CreatePackageRequest) -> bool {
    let visibility = expected.visibility.as_ref();
    let external_id = expected.external_id.as_ref();
    package.name == expected.name
        && package.touchpoints == expected.touchpoints
        && (package.price - expected.price).abs() < 0.005
        && package.currency == expected.currency
        && package.period == expected.period
        && visibility.is_none_or(|visibility| package.visibility == *visibility)
        // Not every version of the server shows it.
        && (package.external_id.is_none()
            || external_id.is_none()
            || package.external_id.as_ref() == external_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_package_with_other_terms_does_not_match() {
        let asked = json!({
            "name": "Shop", "touchpoints": 500, "price": 14.99, "currency": "EUR",
            "period": "monthly", "visibility": "restricted", "externalId": "a",
        });
        let expected: wire::CreatePackageRequest = serde_json::from_value(asked.clone()).unwrap();
        let is_same = |field: &str, value: serde_json::Value| {
            let mut found = asked.clone();
            found["id"] = json!("7128840a-5347-49a4-8dfa-9022d8dad21a");
            found["intpId"] = json!("7128840a-5347-49a4-8dfa-9022d8dad21a");
            found["recommended"] = json!(false);
            found["createdAt"] = json!("2026-01-01T00:00:00Z");
            found[field] = value;
            is_as_asked(&serde_json::from_value(found).unwrap(), &expected)
        };
        assert!(is_same("name", json!("Shop")));
        assert!(is_same("externalId", json!(null)), "it is not always shown");
        for (field, other) in [
            ("name", json!("Shop 2")),
            ("touchpoints", json!(501)),
            ("price", json!(14.98)),
            ("currency", json!("USD")),
            ("period", json!("yearly")),
            ("visibility", json!("public")),
            ("externalId", json!("b")),
        ] {
            assert!(!is_same(field, other), "{field}");
        }
    }
}
