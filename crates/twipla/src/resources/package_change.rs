//! Moving a subscription to another package, up or down.

use std::sync::Arc;

use super::subscription_changes::{SubscriptionOwner, Upgrade, downgrade, resume};
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::PackageId;
use crate::operations;
use crate::options::CallOptions;
use crate::request::{BoxFuture, Request, call_options};
use crate::types::{Package, Subscription, SubscriptionStatus, Website};
use crate::{ChangeState, Error, ErrorKind, Result};

/// A move to another package. Awaiting it makes the change and returns a [`PackageChange`].
///
/// It first reads the website (of a customer, the first of its websites, because
/// the API shows a customer's subscription nowhere else), then both packages, and
/// compares their touchpoints. Then it upgrades, downgrades, resumes, or sends
/// nothing more. A concurrent change by somebody else is not detected. Because it
/// reads first, its errors can report [`ChangeState::Applied`].
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

/// The change that [`change_to`](crate::resources::WebsiteSubscription::change_to) made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PackageChange {
    /// The package has more touchpoints and is active now.
    Upgraded(Subscription),
    /// The package has fewer touchpoints and becomes active at the end of the period.
    DowngradePlanned(Subscription),
    /// The subscription was on the package but canceled; the cancellation was revoked.
    Resumed(Subscription),
    /// Nothing to do: the subscription is on the package, or a downgrade to it
    /// is already planned.
    Unchanged,
}

impl PackageChange {
    /// Returns the subscription after the change; `None` if there was nothing to do.
    pub fn subscription(&self) -> Option<&Subscription> {
        match self {
            Self::Upgraded(subscription)
            | Self::DowngradePlanned(subscription)
            | Self::Resumed(subscription) => Some(subscription),
            Self::Unchanged => None,
        }
    }
}

/// The change that leads to the package.
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

    /// Starts an upgrade with a trial; false by default (documented).
    pub fn trial(mut self, trial: bool) -> Self {
        self.trial = Some(trial);
        self
    }

    /// Charges only the rest of the period for an upgrade; false by default
    /// (documented). This cannot be read back, so [`ChangeState`] does not cover it.
    pub fn pro_rate(mut self, pro_rate: bool) -> Self {
        self.pro_rate = Some(pro_rate);
        self
    }

    /// Makes the change and returns the raw JSON `payload` of the subscription;
    /// null if there was nothing to do.
    pub async fn raw(mut self) -> Result<serde_json::Value> {
        self.options = self.options.shared();
        let request = match self.step().await? {
            Step::Upgrade => self.upgrade(),
            Step::Downgrade => downgrade(&self.core, &self.owner, &self.package),
            Step::Resume => resume(&self.core, &self.owner),
            Step::Nothing => return Ok(serde_json::Value::Null),
        };
        let changed = request.with_options(self.options).raw().await;
        changed.map_err(was_not_in_force)
    }

    async fn send(mut self) -> Result<PackageChange> {
        self.options = self.options.shared();
        let (request, change): (_, fn(Subscription) -> PackageChange) = match self.step().await? {
            Step::Upgrade => (self.upgrade(), PackageChange::Upgraded),
            Step::Downgrade => (
                downgrade(&self.core, &self.owner, &self.package),
                PackageChange::DowngradePlanned,
            ),
            Step::Resume => (resume(&self.core, &self.owner), PackageChange::Resumed),
            Step::Nothing => return Ok(PackageChange::Unchanged),
        };
        let changed = request.with_options(self.options).await;
        changed.map(change).map_err(was_not_in_force)
    }

    fn upgrade(&self) -> Request<Subscription> {
        let package = self.package.get().copied();
        let mut upgrade = Upgrade::new(&self.core, self.owner.clone(), package);
        if let Some(trial) = self.trial {
            upgrade = upgrade.trial(trial);
        }
        if let Some(pro_rate) = self.pro_rate {
            upgrade = upgrade.pro_rate(pro_rate);
        }
        upgrade.request()
    }

    /// Reads the current state, and decides what to do.
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

    /// Returns the website that shows the subscription.
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

call_options!(ChangePackage);

impl IntoFuture for ChangePackage {
    type Output = Result<PackageChange>;
    type IntoFuture = BoxFuture<'static, Result<PackageChange>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Marks the change as applied if it is active now: it was not when it was read, before anything was sent.
fn was_not_in_force(error: Error) -> Error {
    match error.change_state() {
        Some(ChangeState::InForce) => error.with_change_state(Some(ChangeState::Applied)),
        _ => error,
    }
}

/// Decides without reading the packages, if the subscription is on the package or will be.
fn without_packages(website: &Website, target: PackageId) -> Result<Step> {
    if website.package_id != target {
        return Ok(Step::Nothing);
    }
    match (&website.status, website.planned_downgrade_package_id) {
        (SubscriptionStatus::Canceled, _) => Ok(Step::Resume),
        (_, Some(planned)) if planned != target => Err(Error::new(
            ErrorKind::Rejected,
            format!(
                "cannot stay on package {target}: a downgrade to {planned} is planned, and the API cannot revoke it"
            ),
        )),
        (SubscriptionStatus::Active, _) => Ok(Step::Nothing),
        (status, _) => Err(Error::new(
            ErrorKind::Rejected,
            format!("cannot stay on package {target}: the subscription is {status}"),
        )),
    }
}

/// Compares packages like the server: the unlimited trial has -1 touchpoints, and every
/// package is an upgrade from it (observed).
fn compare(current: &Package, wanted: &Package) -> Step {
    if wanted.touchpoints < current.touchpoints {
        Step::Downgrade
    } else {
        // Of equal size, for instance monthly instead of yearly: only an
        // upgrade takes effect immediately, and the server decides whether it is allowed.
        Step::Upgrade
    }
}
