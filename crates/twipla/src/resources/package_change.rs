//! Moving a subscription to a package, whichever way that is.

use std::sync::Arc;
use std::time::Duration;

use super::subscription_changes::{SubscriptionOwner, Upgrade, downgrade, resume};
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::PackageId;
use crate::operations;
use crate::options::CallOptions;
use crate::request::BoxFuture;
use crate::retry::RetryPolicy;
use crate::types::{Package, Subscription, SubscriptionStatus, Website};
use crate::{Error, ErrorKind, Result};

/// A move to another package about to be made. Awaiting it gives a [`PackageChange`].
///
/// It first reads the website (of an account, the first of its websites, for
/// the API shows an account's subscription nowhere else), then both packages, and
/// compares their touchpoints. Then it upgrades, downgrades, resumes, or sends
/// nothing more. Somebody else's change in between is not noticed.
#[derive(Debug)]
#[must_use = "nothing is changed until this is awaited"]
pub struct ChangePackage {
    core: Arc<Core>,
    owner: SubscriptionOwner,
    package: DeferredId<PackageId>,
    trial: Option<bool>,
    pro_rate: Option<bool>,
    options: CallOptions,
}

/// What [`change_to`](crate::resources::WebsiteSubscription::change_to) did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PackageChange {
    /// The package has more touchpoints and is in force now.
    Upgraded(Subscription),
    /// The package has fewer touchpoints and follows at the end of the period.
    DowngradePlanned(Subscription),
    /// The subscription was on the package but canceled; the cancellation was taken back.
    Resumed(Subscription),
    /// Nothing to do: the subscription is on the package, or a downgrade to it
    /// is already planned.
    Unchanged,
}

impl PackageChange {
    /// The subscription after the change; `None` where there was nothing to do.
    pub fn subscription(&self) -> Option<&Subscription> {
        match self {
            Self::Upgraded(subscription)
            | Self::DowngradePlanned(subscription)
            | Self::Resumed(subscription) => Some(subscription),
            Self::Unchanged => None,
        }
    }
}

/// Which change leads to the package.
#[derive(Debug, PartialEq)]
enum Step {
    Upgrade,
    Downgrade,
    Resume,
    Nothing,
}

impl ChangePackage {
    pub(super) fn new(
        core: &Arc<Core>,
        owner: SubscriptionOwner,
        package: Result<PackageId>,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            owner,
            package: package.into(),
            trial: None,
            pro_rate: None,
            options: core.options,
        }
    }

    /// Start an upgrade with a trial; false by default (documented).
    pub fn trial(mut self, trial: bool) -> Self {
        self.trial = Some(trial);
        self
    }

    /// Charge only the rest of the period for an upgrade; false by default (documented).
    pub fn pro_rate(mut self, pro_rate: bool) -> Self {
        self.pro_rate = Some(pro_rate);
        self
    }

    /// How long each of the calls may take in all, retries included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How failed attempts of each call are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// Makes the change and returns the raw JSON `payload` of the subscription;
    /// null where there was nothing to do.
    pub async fn raw(self) -> Result<serde_json::Value> {
        let options = self.options;
        match self.step().await? {
            Step::Upgrade => {
                self.upgrade()
                    .timeout(options.timeout)
                    .retry(options.retry)
                    .raw()
                    .await
            }
            Step::Downgrade => {
                downgrade(&self.core, &self.owner, &self.package)
                    .with_options(options)
                    .raw()
                    .await
            }
            Step::Resume => {
                resume(&self.core, &self.owner)
                    .with_options(options)
                    .raw()
                    .await
            }
            Step::Nothing => Ok(serde_json::Value::Null),
        }
    }

    async fn send(self) -> Result<PackageChange> {
        let options = self.options;
        Ok(match self.step().await? {
            Step::Upgrade => {
                let upgrade = self.upgrade().timeout(options.timeout).retry(options.retry);
                PackageChange::Upgraded(upgrade.await?)
            }
            Step::Downgrade => {
                let downgrade = downgrade(&self.core, &self.owner, &self.package);
                PackageChange::DowngradePlanned(downgrade.with_options(options).await?)
            }
            Step::Resume => PackageChange::Resumed(
                resume(&self.core, &self.owner)
                    .with_options(options)
                    .await?,
            ),
            Step::Nothing => PackageChange::Unchanged,
        })
    }

    fn upgrade(&self) -> Upgrade {
        let package = self.package.get().copied();
        let mut upgrade = Upgrade::new(&self.core, self.owner.clone(), package);
        if let Some(trial) = self.trial {
            upgrade = upgrade.trial(trial);
        }
        if let Some(pro_rate) = self.pro_rate {
            upgrade = upgrade.pro_rate(pro_rate);
        }
        upgrade
    }

    /// Reads what is in force, and decides.
    async fn step(&self) -> Result<Step> {
        let target = *self.package.get()?;
        let website = self.website().await?;
        if website.package_id == target || website.planned_downgrade_package_id == Some(target) {
            return without_packages(&website, target);
        }
        let current = self.read_package(website.package_id).await?;
        let wanted = self.read_package(target).await?;
        Ok(compare(&current, &wanted))
    }

    /// The website that shows the subscription.
    async fn website(&self) -> Result<Website> {
        match &self.owner {
            SubscriptionOwner::Website(id) => {
                operations::get_website(&self.core, id)
                    .with_options(self.options)
                    .await
            }
            SubscriptionOwner::Customer(id) => {
                let websites = operations::list_websites(&self.core, Some(id), 0, 1);
                let page = websites.with_options(self.options).await?;
                page.items.into_iter().next().ok_or_else(|| {
                    Error::new(
                        ErrorKind::NotFound,
                        "cannot read the package of the account: the customer has no website that shows it",
                    )
                })
            }
        }
    }

    async fn read_package(&self, id: PackageId) -> Result<Package> {
        let id = DeferredId::from(Ok(id));
        operations::get_package(&self.core, &id)
            .with_options(self.options)
            .await
    }
}

impl IntoFuture for ChangePackage {
    type Output = Result<PackageChange>;
    type IntoFuture = BoxFuture<'static, Result<PackageChange>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Where the subscription is on the package, or will be.
fn without_packages(website: &Website, target: PackageId) -> Result<Step> {
    if website.package_id != target {
        return Ok(Step::Nothing);
    }
    match (&website.status, website.planned_downgrade_package_id) {
        (SubscriptionStatus::Canceled, _) => Ok(Step::Resume),
        (_, Some(planned)) if planned != target => Err(Error::new(
            ErrorKind::Rejected,
            format!(
                "cannot stay on package {target}: a downgrade to {planned} is planned, and the API cannot take one back"
            ),
        )),
        _ => Ok(Step::Nothing),
    }
}

/// Compares as the server does: the unlimited trial has -1 touchpoints, and every
/// package is an upgrade from it (observed).
fn compare(current: &Package, wanted: &Package) -> Step {
    if wanted.touchpoints < current.touchpoints {
        Step::Downgrade
    } else {
        // Of equal size, by the month instead of by the year for instance: only an
        // upgrade takes effect at once, and the server decides whether it may.
        Step::Upgrade
    }
}
