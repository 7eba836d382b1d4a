//! Subscriptions, and how they change as time passes.

use chrono::{DateTime, Duration, Months, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use twipla_api::PackageId;
use twipla_api::types::{BillingInterval, Package, SubscriptionStatus};
use uuid::Uuid;

use crate::price_list::{FREE, TRIAL, package_named};

/// The length of a trial (documented in the official SDKs).
const TRIAL_DAYS: i64 = 30;

/// A subscription as of its last change; see [`Subscription::at`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    /// Creates a subscription that begins at `from`, which may be in the past
    /// or future.
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

    /// Moves the subscription to a package, with a new period and no
    /// consumption.
    pub(crate) fn restart(&mut self, package: &Package, from: DateTime<Utc>) {
        self.package = package.id;
        self.expires_at = add_months(from, months(&package.period));
        self.stp_reset_at = add_months(from, 1);
    }

    /// Returns the subscription as of `now`, with all planned downgrades, ends
    /// of trials, cancellations and new billing periods applied.
    /// It is computed on every read, so that no request has to update all
    /// subscriptions.
    pub(crate) fn at(&self, now: DateTime<Utc>, packages: &IndexMap<PackageId, Package>) -> Self {
        let mut subscription = self.clone();
        while subscription.stp_reset_at <= now {
            subscription.stp_reset_at = add_months(subscription.stp_reset_at, 1);
        }
        if subscription.status == SubscriptionStatus::Inactive {
            return subscription;
        }
        while subscription.expires_at <= now {
            if !subscription.renew(packages) {
                break;
            }
        }
        subscription
    }

    /// Starts the next period. Returns false if there is no package for it.
    fn renew(&mut self, packages: &IndexMap<PackageId, Package>) -> bool {
        let on_trial_package = packages
            .get(&self.package)
            .is_some_and(|package| package.name == TRIAL);
        let next = match self.planned.take() {
            Some(planned) => packages.get(&planned),
            None if on_trial_package => None,
            None => packages.get(&self.package),
        };
        let Some(next) = next.or_else(|| package_named(packages, FREE)) else {
            return false;
        };
        if next.id != self.package {
            self.last_package_change_at = self.expires_at;
        }
        // A cancellation that takes effect leaves an active free plan.
        self.status = SubscriptionStatus::Active;
        self.in_trial = false;
        self.package = next.id;
        self.expires_at = add_months(self.expires_at, months(&next.period));
        true
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
