//! A partner's account: its customers, websites, packages and their subscriptions.

use chrono::{DateTime, Duration, Months, Utc};
use indexmap::IndexMap;
use serde_json::{Value, json};
use twipla_api::types::{
    ApiKey, BillingInterval, BillingMode, ContributorRole, Currency, Package, PackageVisibility,
    SubscriptionStatus,
};
use twipla_api::{Count, PackageId};
use uuid::Uuid;

/// Name of the package that a new website starts on for a while (observed).
pub(crate) const TRIAL: &str = "unlimited_30_day_free_trial";
/// Name of the package that an ended subscription falls back to (observed).
pub(crate) const FREE: &str = "Free";
/// How long a trial lasts (documented in the official SDKs).
pub(crate) const TRIAL_DAYS: i64 = 30;

/// Which subscription model a partner is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// Each website has a subscription.
    Website,
    /// Each customer has a subscription that all of their websites share.
    Account,
}

impl Model {
    /// `website` or `account`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::Account => "account",
        }
    }
}

/// A partner and everything it owns. Partners never see each other's data.
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) model: Model,
    pub(crate) billing_mode: BillingMode,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) customers: IndexMap<String, Customer>,
    pub(crate) websites: IndexMap<String, Website>,
    pub(crate) packages: IndexMap<PackageId, Package>,
}

pub(crate) struct Customer {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) created_at: DateTime<Utc>,
    /// Under the account model.
    pub(crate) subscription: Option<Subscription>,
}

pub(crate) struct Website {
    pub(crate) id: Uuid,
    pub(crate) customer: String,
    pub(crate) domain: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) privacy_level: Option<i64>,
    /// Under the website model.
    pub(crate) subscription: Option<Subscription>,
    pub(crate) contributors: IndexMap<String, ContributorRole>,
    pub(crate) api_keys: Vec<Key>,
    pub(crate) domains: Vec<String>,
}

/// An API key and its secret.
pub(crate) struct Key {
    pub(crate) secret: String,
    pub(crate) shown: ApiKey,
}

impl Key {
    pub(crate) fn is_valid_at(&self, time: DateTime<Utc>) -> bool {
        self.shown.expires_at.is_none_or(|expiry| expiry > time)
    }
}

#[derive(Clone, PartialEq)]
pub(crate) struct Subscription {
    pub(crate) id: Uuid,
    pub(crate) status: SubscriptionStatus,
    pub(crate) package: PackageId,
    pub(crate) planned: Option<PackageId>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) stp_reset_at: DateTime<Utc>,
    pub(crate) last_package_change_at: DateTime<Utc>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) in_trial: bool,
    pub(crate) had_trial: bool,
}

impl Subscription {
    /// A subscription that begins `from` a date, which may lie ahead or behind.
    pub(crate) fn start(
        package: &Package,
        trial: bool,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut subscription = Self {
            id: Uuid::new_v4(),
            status: SubscriptionStatus::Active,
            package: package.id,
            planned: None,
            expires_at: from,
            stp_reset_at: from,
            last_package_change_at: now,
            created_at: now,
            in_trial: trial,
            had_trial: trial,
        };
        subscription.restart(package, from);
        if trial {
            subscription.expires_at = from + Duration::days(TRIAL_DAYS);
        }
        subscription
    }

    /// Puts the subscription on a package, with a new period and consumption from zero.
    pub(crate) fn restart(&mut self, package: &Package, from: DateTime<Utc>) {
        self.package = package.id;
        self.expires_at = add_months(from, months(&package.period));
        self.stp_reset_at = add_months(from, 1);
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
            customers: IndexMap::new(),
            websites: IndexMap::new(),
            packages: price_list(id, now)
                .into_iter()
                .map(|package| (package.id, package))
                .collect(),
        }
    }

    pub(crate) fn package_named(&self, name: &str) -> Option<&Package> {
        self.packages.values().find(|package| package.name == name)
    }

    /// Applies everything that is due by `now`: planned downgrades, the end of
    /// trials and of canceled subscriptions, new billing periods.
    pub(crate) fn apply_due_changes(&mut self, now: DateTime<Utc>) {
        let Some(free) = self.package_named(FREE).cloned() else {
            return;
        };
        let packages = &self.packages;
        let of_customers = self
            .customers
            .values_mut()
            .filter_map(|customer| customer.subscription.as_mut());
        let of_websites = self
            .websites
            .values_mut()
            .filter_map(|website| website.subscription.as_mut());
        for subscription in of_customers.chain(of_websites) {
            while subscription.stp_reset_at <= now {
                subscription.stp_reset_at = add_months(subscription.stp_reset_at, 1);
            }
            if subscription.status == SubscriptionStatus::Inactive {
                continue;
            }
            while subscription.expires_at <= now {
                let ended = subscription.expires_at;
                let on_trial_package = packages
                    .get(&subscription.package)
                    .is_some_and(|package| package.name == TRIAL);
                let next = match subscription.planned.take() {
                    Some(planned) => packages.get(&planned).unwrap_or(&free),
                    None if on_trial_package => &free,
                    None => packages.get(&subscription.package).unwrap_or(&free),
                };
                if next.id != subscription.package {
                    subscription.last_package_change_at = ended;
                }
                // A cancellation that takes effect leaves an active free plan.
                subscription.status = SubscriptionStatus::Active;
                subscription.in_trial = false;
                subscription.package = next.id;
                subscription.expires_at = add_months(ended, months(&next.period));
            }
        }
    }

    /// Removes a website or customer from all restricted packages.
    pub(crate) fn unassign_all(&mut self, target: &str) {
        for package in self.packages.values_mut() {
            if let Some(to) = &mut package.restricted_to {
                to.retain(|to| {
                    to.intp_website_id.as_ref().is_none_or(|id| id != target)
                        && to.intp_customer_id.as_ref().is_none_or(|id| id != target)
                });
            }
        }
    }

    /// The whole account, without secrets.
    pub(crate) fn snapshot(&self) -> Value {
        let subscription = |subscription: &Option<Subscription>| {
            subscription.as_ref().map(|subscription| {
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

fn months(period: &BillingInterval) -> u32 {
    match period {
        BillingInterval::Yearly => 12,
        _ => 1,
    }
}

fn add_months(to: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    to.checked_add_months(Months::new(months))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The packages that a partner starts with: the free and the trial package, a
/// monthly and yearly price list, and a restricted package.
fn price_list(partner: Uuid, now: DateTime<Utc>) -> Vec<Package> {
    let package = |name: &str, touchpoints: i64, price: f64, period: BillingInterval| Package {
        id: Uuid::new_v4().into(),
        name: name.to_owned(),
        touchpoints: Count::from(touchpoints),
        intp_id: partner.into(),
        price,
        currency: Currency::Eur,
        period,
        recommended: name == "Pro",
        created_at: now,
        visibility: PackageVisibility::Public,
        restricted_to: Some(Vec::new()),
        external_id: None,
    };
    let mut list = vec![
        package(FREE, 0, 0.0, BillingInterval::Monthly),
        package(TRIAL, -1, 0.0, BillingInterval::Monthly),
    ];
    for (name, touchpoints, by_month, by_year) in [
        ("Basic", 11_000, 12.99, 124.68),
        ("Advanced", 27_500, 24.99, 239.88),
        ("Pro", 55_000, 39.99, 383.88),
        ("Pro+", 110_000, 77.99, 748.68),
        ("Executive", 330_000, 229.0, 2198.4),
        ("Unicorn", 5_500_000, 2999.0, 28790.4),
    ] {
        list.push(package(
            name,
            touchpoints,
            by_month,
            BillingInterval::Monthly,
        ));
        list.push(package(
            &format!("{name} yearly"),
            touchpoints,
            by_year,
            BillingInterval::Yearly,
        ));
    }
    let mut custom = package("Custom 75k", 75_000, 49.0, BillingInterval::Monthly);
    custom.visibility = PackageVisibility::Restricted;
    list.push(custom);
    list
}
