//! The state of the sandbox, from its snapshot.

use serde_json::Value;
use twipla::types::Website;

use super::ask::{Ask, Change, List, NewWebsite, Owner, Trial};

/// The data of one partner.
#[derive(Debug)]
pub(super) struct Account(Value);

impl Account {
    /// Extracts the data of a partner from a snapshot; empty if it is missing.
    pub(super) fn of(partner: &str, mut snapshot: Value) -> Self {
        let accounts = snapshot["partners"].as_array_mut();
        let own = accounts
            .into_iter()
            .flatten()
            .find(|account| account["id"] == partner);
        Self(own.map(Value::take).unwrap_or_default())
    }

    /// Reports whether the requested state applies; `None` if the snapshot does not show it.
    pub(super) fn is_in_force(&self, ask: &Ask) -> Option<bool> {
        Some(match ask {
            Ask::CreateCustomer {
                id,
                email,
                package,
                website,
            } => {
                let customer = self.customer(id);
                let on = &customer["subscription"]["packageId"];
                customer["email"] == email.as_str()
                    && package.is_none_or(|package| *on == package.to_string())
                    && website.as_ref().is_none_or(|site| self.has(site))
            }
            Ask::CreateWebsite(new) | Ask::CreateWebsiteFlat(new) => self.has(new),
            Ask::DeleteCustomer(id) | Ask::Change(Owner::Customer(id), Change::Deactivate) => {
                self.customer(id).is_null()
            }
            Ask::DeleteWebsite(id) => self.website(id).is_null(),
            Ask::ReadCustomer(id) => !self.customer(id).is_null(),
            Ask::ReadWebsite(id) => !self.website(id).is_null(),
            Ask::ReadPackage(id) => self.packages().any(|known| known["id"] == id.to_string()),
            Ask::Change(owner, change) => is_changed(self.subscription(owner), change),
            Ask::CreateKey { website, name } | Ask::RotateKey { website, name, .. } => {
                self.keys(website).any(|key| key["name"] == name.as_str())
            }
            Ask::ConfirmRotation { website, rotation } => {
                !self.has_key(website, rotation.old_key().as_str())
            }
            Ask::AbandonRotation { website, rotation } => {
                !self.has_key(website, rotation.new_key().id.as_str())
            }
            Ask::DeleteKey { website, key } => !self.has_key(website, key),
            Ask::AddContributor {
                website,
                customer,
                role,
            } => self.website(website)["contributors"][customer] == role.as_str(),
            Ask::RemoveContributor { website, customer } => {
                self.website(website)["contributors"][customer].is_null()
            }
            Ask::AddDomain { website, domain } => self.has_domain(website, domain),
            Ask::RemoveDomain { website, domain } => !self.has_domain(website, domain),
            Ask::CreatePackage(name) => self.packages().any(|package| package["name"] == *name),
            Ask::RenamePackage { package, name } => self
                .packages()
                .any(|known| known["id"] == package.to_string() && known["name"] == *name),
            Ask::Assign { .. } | Ask::Unassign { .. } | Ask::ReadList(_) => return None,
        })
    }

    /// Reports whether a returned website equals the one in the snapshot.
    pub(super) fn agrees_with(&self, website: &Website) -> bool {
        let own = self.website(website.intp_website_id.as_str());
        let package = &own["subscription"]["packageId"];
        own["id"] == website.id.to_string()
            && own["intpCustomerId"] == website.intp_customer_id.as_str()
            && own["domain"] == website.domain.as_str()
            && (package.is_null() || *package == website.package_id.to_string())
    }

    pub(super) fn has_key(&self, website: &str, id: &str) -> bool {
        self.keys(website).any(|key| key["id"] == id)
    }

    pub(super) fn key_ids(&self, website: &str) -> impl Iterator<Item = &str> {
        self.keys(website).filter_map(|key| key["id"].as_str())
    }

    /// Returns the entries of a list, as [`Reply::Entries`](super::send::Reply) identifies them.
    pub(super) fn entries(&self, list: &List) -> Vec<String> {
        let names = |value: &Value| -> Vec<String> {
            let names = value.as_object().into_iter().flatten();
            names.map(|(name, _)| name.clone()).collect()
        };
        match list {
            List::Customers(_) => names(&self.0["customers"]),
            List::Websites(_) => names(&self.0["websites"]),
            List::WebsitesOf(customer, _) => {
                let mut ids = names(&self.0["websites"]);
                ids.retain(|id| self.website(id)["intpCustomerId"] == customer.as_str());
                ids
            }
            List::Keys(website) => self.key_ids(website).map(str::to_owned).collect(),
            List::Contributors(website) => names(&self.website(website)["contributors"]),
            List::Domains(website) => {
                let domains = self.website(website)["whitelistedDomains"].as_array();
                let domains = domains.into_iter().flatten();
                domains
                    .filter_map(|domain| Some(domain.as_str()?.to_owned()))
                    .collect()
            }
            List::Packages => {
                let packages = self.packages();
                let entry = |package: &Value| {
                    let (name, id) = (package["name"].as_str()?, package["id"].as_str()?);
                    Some(format!("{name} {id}"))
                };
                packages.filter_map(entry).collect()
            }
        }
    }

    pub(super) fn subscription(&self, owner: &Owner) -> &Value {
        let of = match owner {
            Owner::Website(id) => self.website(id),
            Owner::Customer(id) => self.customer(id),
        };
        &of["subscription"]
    }

    /// Returns the resource that a call is about, for a report.
    pub(super) fn about(&self, ask: &Ask) -> &Value {
        match ask {
            Ask::CreateCustomer { id, .. } | Ask::DeleteCustomer(id) | Ask::ReadCustomer(id) => {
                self.customer(id)
            }
            Ask::CreateWebsite(new) | Ask::CreateWebsiteFlat(new) => self.website(&new.id),
            Ask::ReadWebsite(id)
            | Ask::DeleteWebsite(id)
            | Ask::CreateKey { website: id, .. }
            | Ask::RotateKey { website: id, .. }
            | Ask::ConfirmRotation { website: id, .. }
            | Ask::AbandonRotation { website: id, .. }
            | Ask::DeleteKey { website: id, .. }
            | Ask::AddContributor { website: id, .. }
            | Ask::RemoveContributor { website: id, .. }
            | Ask::AddDomain { website: id, .. }
            | Ask::RemoveDomain { website: id, .. } => self.website(id),
            Ask::Change(owner, _) => self.subscription(owner),
            Ask::CreatePackage(_)
            | Ask::RenamePackage { .. }
            | Ask::ReadPackage(_)
            | Ask::ReadList(_)
            | Ask::Assign { .. }
            | Ask::Unassign { .. } => &Value::Null,
        }
    }

    fn has(&self, new: &NewWebsite) -> bool {
        let site = self.website(&new.id);
        let subscription = &site["subscription"];
        let on = |package: twipla::PackageId| subscription["packageId"] == package.to_string();
        site["intpCustomerId"] == new.customer.as_str()
            && site["domain"] == new.domain.as_str()
            && new.package.is_none_or(on)
            && (!new.free_trial || subscription["inTrial"] == true)
            && new
                .privacy_level
                .is_none_or(|level| site["privacyLevel"] == level)
    }

    fn customer(&self, id: &str) -> &Value {
        &self.0["customers"][id]
    }

    fn website(&self, id: &str) -> &Value {
        &self.0["websites"][id]
    }

    fn keys(&self, website: &str) -> impl Iterator<Item = &Value> {
        let keys = self.website(website)["apiKeys"].as_array();
        keys.into_iter().flatten()
    }

    fn has_domain(&self, website: &str, domain: &str) -> bool {
        let domains = self.website(website)["whitelistedDomains"].as_array();
        domains.into_iter().flatten().any(|known| known == domain)
    }

    fn packages(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().into_iter().flatten()
    }
}

fn is_changed(subscription: &Value, change: &Change) -> bool {
    let is = |status: &str| subscription["status"] == status;
    let planned = &subscription["plannedDowngradePackageId"];
    match change {
        Change::Upgrade { package, trial, .. } => {
            subscription["packageId"] == package.to_string()
                && is("active")
                && (*trial != Trial::First || subscription["inTrial"] == true)
        }
        Change::MoveTo { package, .. } => match change.sent() {
            Some(sent) => is_changed(subscription, &sent),
            None => {
                subscription["packageId"] == package.to_string() || *planned == package.to_string()
            }
        },
        Change::Downgrade(package) => *planned == package.to_string() && is("active"),
        Change::Cancel => is("canceled"),
        Change::Resume => is("active") && planned.is_null(),
        Change::Deactivate => is("inactive"),
    }
}
