//! Initial data from a file. The README of the crate documents the format.
//!
//! Every object is created by the same rule as over HTTP, so an invalid seed is
//! rejected with the server's error message.

use std::path::Path;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};
use twipla_api::types::BillingMode;
use twipla_api::{PackageId, operations};
use uuid::Uuid;

use crate::account::{Account, Model};
use crate::commits::CommitLog;
use crate::error::Error;
use crate::files;
use crate::input::Query;
use crate::partner::PartnerConfig;
use crate::price_list::{TRIAL, stable_id};
use crate::rules::api_keys::NewKey;
use crate::rules::context::OperationContext;
use crate::rules::{dispatch_management, usable_package};
use crate::state::World;
use crate::subscription::Subscription;

/// The content of the file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Seed {
    /// For errors.
    #[serde(skip)]
    file: String,
    partners: Vec<SeedPartner>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedPartner {
    model: Model,
    /// `None` stands for the first partner of the model.
    id: Option<Uuid>,
    name: Option<String>,
    billing_mode: Option<BillingMode>,
    #[serde(default)]
    packages: Vec<SeedPackage>,
    #[serde(default)]
    customers: Vec<SeedCustomer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedPackage {
    name: String,
    touchpoints: i64,
    price: f64,
    currency: String,
    period: String,
    visibility: Option<String>,
    external_id: Option<String>,
    /// Ids of websites, or of customers under the account model.
    #[serde(default)]
    assigned_to: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedCustomer {
    intp_customer_id: String,
    email: String,
    /// Only under the account model.
    subscription: Option<SeedSubscription>,
    #[serde(default)]
    websites: Vec<SeedWebsite>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedWebsite {
    intp_website_id: String,
    domain: String,
    /// The id issued by the server.
    id: Option<Uuid>,
    privacy_level: Option<i64>,
    /// Only under the website model.
    subscription: Option<SeedSubscription>,
    /// Roles by customer id.
    #[serde(default)]
    contributors: IndexMap<String, String>,
    #[serde(default)]
    whitelisted_domains: Vec<String>,
    #[serde(default)]
    api_keys: Vec<SeedKey>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedSubscription {
    /// Name of the package.
    package: String,
    billing_date: Option<DateTime<Utc>>,
    planned_downgrade: Option<String>,
    #[serde(default)]
    status: SeedStatus,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SeedStatus {
    #[default]
    Active,
    Canceled,
    Inactive,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedKey {
    name: String,
    comment: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    /// The secret, which the server would generate.
    api_key: String,
}

/// Omits the secret.
impl std::fmt::Debug for SeedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SeedKey").field(&self.name).finish()
    }
}

impl Seed {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |why: String| {
            Error::new(format!(
                "cannot read the seed {}: {why}: the README of twipla-sandbox documents the format",
                path.display()
            ))
        };
        let text = files::read(path)
            .map_err(|error| unreadable(error.to_string()))?
            .ok_or_else(|| unreadable("the file does not exist".to_owned()))?;
        let mut seed: Self =
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        seed.file = path.display().to_string();
        Ok(seed)
    }

    /// Adds the partners that only the seed names, and applies the names of
    /// all.
    pub(crate) fn adjust(&self, configs: &mut Vec<PartnerConfig>) {
        for partner in &self.partners {
            if !configs.iter().any(|config| partner.is(config)) {
                let id = partner.id.unwrap_or_else(Uuid::new_v4);
                configs.push(PartnerConfig::new(id, partner.model));
            }
            let Some(config) = configs.iter_mut().find(|config| partner.is(config)) else {
                continue;
            };
            if let Some(name) = &partner.name {
                *config = config.clone().name(name);
            }
            if let Some(mode) = &partner.billing_mode {
                *config = config.clone().billing_mode(mode.clone());
            }
        }
    }

    /// Creates all data in a world that has the partners of `configs`.
    pub(crate) fn plant(&self, world: &mut World, configs: &[PartnerConfig]) -> Result<(), Error> {
        let now = world.clock.billing_time(world.clock.now());
        let mut seen = Vec::new();
        for partner in &self.partners {
            let failed = |why: &str| {
                let (file, model) = (&self.file, partner.model.as_str());
                Error::new(format!(
                    "cannot start from the seed {file}: partner under the {model} model: {why}"
                ))
            };
            let config = configs.iter().find(|config| partner.is(config));
            let id = config.map(PartnerConfig::id);
            let account = id.and_then(|id| world.accounts.get_mut(&id));
            let account = account.ok_or_else(|| failed("it does not exist"))?;
            if account.model != partner.model {
                return Err(failed("its id is that of a partner under the other model"));
            }
            if seen.contains(&account.id) {
                return Err(failed("the seed contains it twice"));
            }
            seen.push(account.id);
            let planter = Planter { account, now };
            planter.partner(partner).map_err(|why| failed(&why))?;
        }
        Ok(())
    }
}

impl SeedPartner {
    fn is(&self, config: &PartnerConfig) -> bool {
        match self.id {
            Some(id) => config.id() == id,
            None => config.model() == self.model,
        }
    }
}

/// Creates the data of one partner. Errors name the object that could not be
/// created.
struct Planter<'a> {
    account: &'a mut Account,
    now: DateTime<Utc>,
}

impl Planter<'_> {
    fn partner(mut self, partner: &SeedPartner) -> Result<(), String> {
        if let Some(mode) = &partner.billing_mode
            && !BillingMode::KNOWN.contains(mode)
        {
            return Err(format!(
                "invalid billingMode {:?}: expected company_managed or platform_managed",
                mode.as_ref()
            ));
        }
        for package in &partner.packages {
            self.package(package)
                .map_err(|why| format!("package {:?}: {why}", package.name))?;
        }
        // Create all websites before anything that refers to them.
        for customer in &partner.customers {
            self.customer(customer)
                .map_err(|why| format!("customer {:?}: {why}", customer.intp_customer_id))?;
        }
        for package in &partner.packages {
            for target in &package.assigned_to {
                let id = self.package_named(&package.name)?.to_string();
                self.run("assign_package", &[&id, target], &json!([]))
                    .map_err(|why| format!("package {:?}: {why}", package.name))?;
            }
        }
        for customer in &partner.customers {
            let id = &customer.intp_customer_id;
            if let Some(subscription) = &customer.subscription {
                self.subscription(Model::Account, id, subscription)
                    .map_err(|why| format!("subscription of customer {id:?}: {why}"))?;
            }
            for site in &customer.websites {
                self.belongings(site)
                    .map_err(|why| format!("website {:?}: {why}", site.intp_website_id))?;
            }
        }
        Ok(())
    }

    fn package(&mut self, package: &SeedPackage) -> Result<(), String> {
        if self.account.package_named(&package.name).is_some() {
            return Err("there is one of this name".to_owned());
        }
        let body = json!({
            "name": package.name, "touchpoints": package.touchpoints, "price": package.price,
            "currency": package.currency, "period": package.period,
            "visibility": package.visibility, "externalId": package.external_id,
        });
        self.run("create_package", &[], &body)?;
        let created = self.package_named(&package.name)?;
        // Derived from the name so that it is the same at every start, as for
        // the initial packages.
        if let Some(mut created) = self.account.packages.shift_remove(&created) {
            created.id = stable_id(self.account.id, "package", &package.name).into();
            self.account.packages.insert(created.id, created);
        }
        Ok(())
    }

    fn customer(&mut self, customer: &SeedCustomer) -> Result<(), String> {
        let id = &customer.intp_customer_id;
        let body = json!({ "intpCustomerId": id, "email": customer.email });
        self.run("create_customer", &[], &body)?;
        for site in &customer.websites {
            self.website(id, site)
                .map_err(|why| format!("website {:?}: {why}", site.intp_website_id))?;
        }
        Ok(())
    }

    fn website(&mut self, owner: &str, site: &SeedWebsite) -> Result<(), String> {
        let id = &site.intp_website_id;
        let trial = self.account.model == Model::Website && site.subscription.is_none();
        let body = json!({
            "website": { "id": id, "domain": site.domain, "privacyLevel": site.privacy_level },
            "intpc": { "id": owner },
            "opts": { "uft": trial },
        });
        self.run("create_website", &[], &body)?;
        let uuid = site
            .id
            .unwrap_or_else(|| stable_id(self.account.id, "website", id));
        if self.account.set_website_uuid(id, uuid) {
            Ok(())
        } else {
            Err(format!("the id {uuid} is in use"))
        }
    }

    fn belongings(&mut self, site: &SeedWebsite) -> Result<(), String> {
        let id = site.intp_website_id.as_str();
        for (customer, role) in &site.contributors {
            let body = json!({ "intpCustomerId": customer, "role": role });
            self.run("add_contributor", &[id], &body)?;
        }
        for domain in &site.whitelisted_domains {
            let body = json!({ "domain": domain });
            self.run("add_whitelisted_domain", &[id], &body)?;
        }
        for key in &site.api_keys {
            if key.name.is_empty() || key.api_key.is_empty() {
                return Err("an API key needs a name and an apiKey".to_owned());
            }
            // Others cannot be sent in a header.
            if !key.api_key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(format!(
                    "invalid apiKey of {:?}: expected ASCII characters that can be seen",
                    key.name
                ));
            }
            if self.account.has_api_key(&key.api_key) {
                return Err(format!("the apiKey of {:?} is in use", key.name));
            }
            let new = NewKey {
                name: &key.name,
                comment: key.comment.as_deref(),
                expires_at: key.expires_at,
                secret: key.api_key.clone(),
            };
            let created = new
                .build(self.account, id, self.now)
                .map_err(|error| error.message().to_owned())?;
            self.account.add_api_key(id, created);
        }
        match &site.subscription {
            Some(subscription) => self.subscription(Model::Website, id, subscription),
            None => Ok(()),
        }
    }

    /// Moves the subscription of a website or customer to its package, and then
    /// through the changes that lead to the described state.
    fn subscription(
        &mut self,
        model: Model,
        id: &str,
        wanted: &SeedSubscription,
    ) -> Result<(), String> {
        if self.account.model != model {
            let model = self.account.model.as_str();
            return Err(format!("it has none under the {model} model"));
        }
        let package = self.package_named(&wanted.package)?;
        let package = usable_package(self.account, *package.as_uuid(), id)
            .map_err(|error| error.message().to_owned())?;
        let from = wanted.billing_date.unwrap_or(self.now);
        let started = Subscription::start(&package, package.name == TRIAL, from, self.now);
        let (place, family, owner) = match model {
            Model::Website => (
                self.account.website_subscription_mut(id),
                "website",
                "intpWebsiteId",
            ),
            Model::Account => (
                self.account.customer_subscription_mut(id),
                "intpc",
                "intpcId",
            ),
        };
        match place {
            Some(place) => *place = started,
            None => return Err(format!("{id} has no subscription")),
        }
        if let Some(planned) = &wanted.planned_downgrade {
            let body = json!({ owner: id, "packageId": self.package_named(planned)? });
            self.run(&format!("downgrade_{family}_subscription"), &[], &body)?;
        }
        match (wanted.status, model) {
            (SeedStatus::Active, _) => Ok(()),
            (_, _) if wanted.planned_downgrade.is_some() => {
                Err("only an active subscription has a planned downgrade".to_owned())
            }
            (SeedStatus::Inactive, Model::Account) => Err(
                "a customer whose subscription is inactive is deleted: leave them out".to_owned(),
            ),
            (SeedStatus::Canceled | SeedStatus::Inactive, _) => {
                let action = if wanted.status == SeedStatus::Canceled {
                    "cancel"
                } else {
                    "deactivate"
                };
                self.run(
                    &format!("{action}_{family}_subscription"),
                    &[],
                    &json!({ owner: id }),
                )
            }
        }
    }

    fn package_named(&self, name: &str) -> Result<PackageId, String> {
        self.account
            .package_named(name)
            .map(|package| package.id)
            .ok_or_else(|| format!("package {name:?} not found"))
    }

    /// Runs an operation like a request for it.
    fn run(&mut self, operation: &str, path: &[&str], body: &Value) -> Result<(), String> {
        let path: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
        let operation = operations::ALL
            .iter()
            .find(|known| known.id == operation)
            .ok_or_else(|| format!("the contract has no operation {operation}"))?;
        let partner = self.account.id;
        let mut commits = CommitLog::default();
        let context = OperationContext {
            account: self.account,
            now: self.now,
            path: &path,
            query: &Query::parse(""),
            body: Some(body),
            commits: commits.recorder(operation.id, partner),
        };
        dispatch_management(operation, context)
            .map(|_| ())
            .map_err(|error| error.message().to_owned())
    }
}
