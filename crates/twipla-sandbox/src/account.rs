//! A partner's account: its customers, websites and packages.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use twipla_api::PackageId;
use twipla_api::types::{ApiKey, BillingMode, ContributorRole, Package};
use uuid::Uuid;

use crate::error::Error;
use crate::price_list::{package_named, price_list};
use crate::subscription::Subscription;
use crate::table::Table;

/// The subscription model of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Each website has a subscription.
    Website,
    /// Each customer has a subscription, shared by all of their websites.
    Account,
}

impl std::str::FromStr for Model {
    type Err = Error;

    /// Parses `website` or `account`.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "website" => Ok(Self::Website),
            "account" => Ok(Self::Account),
            _ => Err(Error::new(format!(
                "invalid model {text:?}: expected website or account"
            ))),
        }
    }
}

impl Model {
    /// Returns `website` or `account`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::Account => "account",
        }
    }
}

/// The data of a partner. Partners never see each other's data.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) model: Model,
    pub(crate) billing_mode: BillingMode,
    pub(crate) created_at: DateTime<Utc>,
    customers: Table<Customer>,
    websites: Table<Website>,
    pub(crate) packages: IndexMap<PackageId, Package>,
    #[serde(skip)]
    index: Index,
}

/// Finds customers and websites by keys other than their ids.
#[derive(Debug, Clone, Default)]
struct Index {
    /// In lower case.
    emails: HashSet<String>,
    /// The websites of each customer, in the order of creation.
    owned: HashMap<String, IndexSet<String>>,
    /// The websites to which each customer contributes.
    contributed: HashMap<String, IndexSet<String>>,
    /// Websites by the id issued by the server.
    websites: HashMap<Uuid, String>,
    /// The website of each API key, by secret.
    api_keys: HashMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Customer {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) created_at: DateTime<Utc>,
    /// Only under the account model.
    pub(crate) subscription: Option<Subscription>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Website {
    pub(crate) id: Uuid,
    pub(crate) customer: String,
    pub(crate) domain: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) privacy_level: Option<i64>,
    /// Only under the website model.
    pub(crate) subscription: Option<Subscription>,
    contributors: IndexMap<String, ContributorRole>,
    api_keys: Vec<Key>,
    pub(crate) domains: Vec<String>,
}

/// An API key and its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) secret: String,
    pub(crate) shown: ApiKey,
}

impl Website {
    pub(crate) fn new(
        customer: String,
        domain: String,
        created_at: DateTime<Utc>,
        privacy_level: Option<i64>,
        subscription: Option<Subscription>,
    ) -> Self {
        Self {
            id: Uuid::new_v4(),
            customer,
            domain,
            created_at,
            privacy_level,
            subscription,
            contributors: IndexMap::new(),
            api_keys: Vec::new(),
            domains: Vec::new(),
        }
    }

    pub(crate) fn contributors(&self) -> &IndexMap<String, ContributorRole> {
        &self.contributors
    }

    pub(crate) fn api_keys(&self) -> &[Key] {
        &self.api_keys
    }
}

impl Key {
    pub(crate) fn is_valid_at(&self, time: DateTime<Utc>) -> bool {
        self.shown.expires_at.is_none_or(|expiry| expiry > time)
    }
}

impl Account {
    pub(crate) fn new(
        id: Uuid,
        name: String,
        model: Model,
        billing_mode: BillingMode,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            name,
            model,
            billing_mode,
            created_at: now,
            customers: Table::new(),
            websites: Table::new(),
            packages: price_list(id, now)
                .into_iter()
                .map(|package| (package.id, package))
                .collect(),
            index: Index::default(),
        }
    }

    pub(crate) fn package_named(&self, name: &str) -> Option<&Package> {
        package_named(&self.packages, name)
    }

    /// Rebuilds the index of an account read from a file.
    pub(crate) fn make_index(&mut self) {
        let mut index = Index::default();
        for (_, customer) in self.customers.iter() {
            index.emails.insert(customer.email.to_ascii_lowercase());
        }
        for (id, site) in self.websites.iter() {
            index.websites.insert(site.id, id.clone());
            let owned = index.owned.entry(site.customer.clone());
            owned.or_default().insert(id.clone());
            for customer in site.contributors.keys() {
                let contributed = index.contributed.entry(customer.clone());
                contributed.or_default().insert(id.clone());
            }
            for key in &site.api_keys {
                index.api_keys.insert(key.secret.clone(), id.clone());
            }
        }
        self.index = index;
    }

    pub(crate) fn customers(&self) -> &Table<Customer> {
        &self.customers
    }

    pub(crate) fn websites(&self) -> &Table<Website> {
        &self.websites
    }

    /// Returns the ids of a customer's websites, in the order of creation.
    pub(crate) fn websites_of(&self, customer: &str) -> Option<&IndexSet<String>> {
        self.index.owned.get(customer)
    }

    pub(crate) fn email_in_use(&self, email: &str) -> bool {
        self.index.emails.contains(&email.to_ascii_lowercase())
    }

    /// Returns the website with this server-issued id, and the partner's id for
    /// it.
    pub(crate) fn website_by_uuid(&self, id: Uuid) -> Option<(&str, &Website)> {
        let name = self.index.websites.get(&id)?;
        Some((name, self.websites.get(name)?))
    }

    /// Returns the website of an API key that is valid at this time.
    pub(crate) fn website_of_key(&self, secret: &str, time: DateTime<Utc>) -> Option<&Website> {
        let site = self.websites.get(self.index.api_keys.get(secret)?)?;
        let key = site.api_keys.iter().find(|key| key.secret == secret)?;
        key.is_valid_at(time).then_some(site)
    }

    /// Returns the subscription of a website: its own, or that of its owner.
    pub(crate) fn subscription_of(
        &self,
        site: &Website,
        now: DateTime<Utc>,
    ) -> Option<Subscription> {
        let owner = self.customers.get(&site.customer);
        let subscription = site
            .subscription
            .as_ref()
            .or_else(|| owner.and_then(|owner| owner.subscription.as_ref()))?;
        Some(subscription.at(now, &self.packages))
    }

    pub(crate) fn add_customer(&mut self, id: String, customer: Customer) {
        self.index
            .emails
            .insert(customer.email.to_ascii_lowercase());
        self.customers.insert(id, customer);
    }

    /// Removes a customer with their websites and contributor roles.
    pub(crate) fn remove_customer(&mut self, id: &str) {
        if let Some(customer) = self.customers.remove(id) {
            self.index
                .emails
                .remove(&customer.email.to_ascii_lowercase());
        }
        self.unassign_all(id);
        for website in self.index.owned.remove(id).unwrap_or_default() {
            self.remove_website(&website);
        }
        for website in self.index.contributed.remove(id).unwrap_or_default() {
            if let Some(site) = self.websites.get_mut(&website) {
                site.contributors.shift_remove(id);
            }
        }
    }

    pub(crate) fn add_website(&mut self, id: String, site: Website) {
        self.index.websites.insert(site.id, id.clone());
        let owned = self.index.owned.entry(site.customer.clone());
        owned.or_default().insert(id.clone());
        self.websites.insert(id, site);
    }

    /// Changes the server-issued id of a website. Returns false if the id is in
    /// use.
    pub(crate) fn set_website_uuid(&mut self, website: &str, id: Uuid) -> bool {
        if self.index.websites.contains_key(&id) {
            return false;
        }
        if let Some(site) = self.websites.get_mut(website) {
            self.index.websites.remove(&site.id);
            self.index.websites.insert(id, website.to_owned());
            site.id = id;
        }
        true
    }

    pub(crate) fn remove_website(&mut self, id: &str) {
        let Some(site) = self.websites.remove(id) else {
            return;
        };
        self.unassign_all(id);
        self.index.websites.remove(&site.id);
        if let Some(owned) = self.index.owned.get_mut(&site.customer) {
            owned.shift_remove(id);
        }
        for customer in site.contributors.keys() {
            if let Some(contributed) = self.index.contributed.get_mut(customer) {
                contributed.shift_remove(id);
            }
        }
        for key in &site.api_keys {
            self.index.api_keys.remove(&key.secret);
        }
    }

    pub(crate) fn customer_subscription_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.customers.get_mut(id)?.subscription.as_mut()
    }

    pub(crate) fn website_subscription_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.websites.get_mut(id)?.subscription.as_mut()
    }

    /// Returns the whitelisted domains of a website.
    pub(crate) fn domains_mut(&mut self, id: &str) -> Option<&mut Vec<String>> {
        Some(&mut self.websites.get_mut(id)?.domains)
    }

    /// Gives a customer a role on a website, and returns the previous role.
    pub(crate) fn set_role(
        &mut self,
        website: &str,
        customer: &str,
        role: ContributorRole,
    ) -> Option<ContributorRole> {
        let site = self.websites.get_mut(website)?;
        let contributed = self.index.contributed.entry(customer.to_owned());
        contributed.or_default().insert(website.to_owned());
        site.contributors.insert(customer.to_owned(), role)
    }

    /// Removes the role of a customer on a website. Returns false if there was
    /// none.
    pub(crate) fn remove_role(&mut self, website: &str, customer: &str) -> bool {
        if let Some(contributed) = self.index.contributed.get_mut(customer) {
            contributed.shift_remove(website);
        }
        self.websites
            .get_mut(website)
            .is_some_and(|site| site.contributors.shift_remove(customer).is_some())
    }

    pub(crate) fn has_api_key(&self, secret: &str) -> bool {
        self.index.api_keys.contains_key(secret)
    }

    pub(crate) fn add_api_key(&mut self, website: &str, key: Key) {
        if let Some(site) = self.websites.get_mut(website) {
            let secret = key.secret.clone();
            self.index.api_keys.insert(secret, website.to_owned());
            site.api_keys.push(key);
        }
    }

    /// Removes an API key of a website. Returns false if it does not exist.
    pub(crate) fn remove_api_key(&mut self, website: &str, id: &str) -> bool {
        let Some(site) = self.websites.get_mut(website) else {
            return false;
        };
        let Some(place) = site.api_keys.iter().position(|key| key.shown.id == id) else {
            return false;
        };
        self.index
            .api_keys
            .remove(&site.api_keys.remove(place).secret);
        true
    }

    /// Removes a website or customer from all restricted packages.
    fn unassign_all(&mut self, target: &str) {
        for package in self.packages.values_mut() {
            if let Some(to) = &mut package.restricted_to {
                to.retain(|to| {
                    to.intp_website_id.as_ref().is_none_or(|id| id != target)
                        && to.intp_customer_id.as_ref().is_none_or(|id| id != target)
                });
            }
        }
    }

    /// Returns the whole account as of `now`, without secrets.
    pub(crate) fn snapshot(&self, now: DateTime<Utc>) -> Value {
        let subscription = |subscription: &Option<Subscription>| {
            subscription.as_ref().map(|subscription| {
                let subscription = subscription.at(now, &self.packages);
                json!({
                    "status": subscription.status,
                    "packageId": subscription.package,
                    "plannedDowngradePackageId": subscription.planned,
                    "expiresAt": subscription.expires_at,
                    "inTrial": subscription.in_trial,
                })
            })
        };
        json!({
            "id": self.id,
            "model": self.model.as_str(),
            "customers": self.customers.iter().map(|(id, customer)| (id.clone(), json!({
                "id": customer.id,
                "email": customer.email,
                "subscription": subscription(&customer.subscription),
            }))).collect::<serde_json::Map<_, _>>(),
            "websites": self.websites.iter().map(|(id, website)| (id.clone(), json!({
                "id": website.id,
                "intpCustomerId": website.customer,
                "domain": website.domain,
                "privacyLevel": website.privacy_level,
                "subscription": subscription(&website.subscription),
                "contributors": website.contributors.iter().map(|(id, role)| (id.clone(), json!(role))).collect::<serde_json::Map<_, _>>(),
                "apiKeys": website.api_keys.iter().map(|key| json!({"id": key.shown.id, "name": key.shown.name})).collect::<Vec<_>>(),
                "whitelistedDomains": website.domains,
            }))).collect::<serde_json::Map<_, _>>(),
            "packages": self.packages.values().map(|package| json!({
                "id": package.id,
                "name": package.name,
                "period": package.period,
                "visibility": package.visibility,
            })).collect::<Vec<_>>(),
        })
    }
}
