//! The changes of a subscription, whoever it belongs to: a website or a customer.

use std::sync::Arc;

use twipla_api::types as wire;

use crate::Result;
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{CustomerId, PackageId, WebsiteId};
use crate::operations;
use crate::options::CallOptions;
use crate::recover;
use crate::request::{Request, call_methods};
use crate::types::{Subscription, SubscriptionStatus, Website};

/// An upgrade about to be sent. Awaiting it gives the new subscription.
#[derive(Debug)]
#[must_use = "an upgrade is sent when it is awaited"]
pub struct Upgrade {
    core: Arc<Core>,
    owner: SubscriptionOwner,
    package: Result<PackageId>,
    trial: Option<bool>,
    pro_rate: Option<bool>,
    options: CallOptions,
}

/// Who a subscription belongs to.
#[derive(Debug, Clone)]
pub(super) enum SubscriptionOwner {
    Website(DeferredId<WebsiteId>),
    Customer(DeferredId<CustomerId>),
}

impl Upgrade {
    pub(super) fn new(
        core: &Arc<Core>,
        owner: SubscriptionOwner,
        package: Result<PackageId>,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            owner,
            package,
            trial: None,
            pro_rate: None,
            options: core.options,
        }
    }

    /// Start with a trial; false by default (documented). Who may have one is not public.
    pub fn trial(mut self, trial: bool) -> Self {
        self.trial = Some(trial);
        self
    }

    /// Charge only the rest of the period; false by default (documented).
    pub fn pro_rate(mut self, pro_rate: bool) -> Self {
        self.pro_rate = Some(pro_rate);
        self
    }

    fn request(self) -> Request<Subscription> {
        let (trial, pro_rate) = (self.trial, self.pro_rate);
        let package = self.package;
        let upgraded = is_on(&package);
        match self.owner {
            SubscriptionOwner::Website(id) => {
                let body = id.get().and_then(|id| {
                    Ok(wire::UpgradeWebsiteSubscriptionRequest {
                        intp_website_id: id.clone(),
                        package_id: package?,
                        trial,
                        pro_rate,
                    })
                });
                operations::upgrade_website_subscription(&self.core, body)
                    .with_recovery(recover::website_change(&self.core, &id, upgraded))
            }
            SubscriptionOwner::Customer(id) => {
                let body = id.get().and_then(|id| {
                    Ok(wire::UpgradeIntpcSubscriptionRequest {
                        intpc_id: id.clone(),
                        package_id: package?,
                        trial,
                        pro_rate,
                    })
                });
                operations::upgrade_intpc_subscription(&self.core, body)
                    .with_recovery(recover::account_change(&self.core, &id, upgraded))
            }
        }
    }
}

call_methods!(Upgrade => Subscription);

pub(super) fn downgrade(
    core: &Arc<Core>,
    owner: &SubscriptionOwner,
    package: &DeferredId<PackageId>,
) -> Request<Subscription> {
    let planned = is_planned(&package.get().copied());
    match owner {
        SubscriptionOwner::Website(id) => {
            let body = id.get().and_then(|id| {
                Ok(wire::DowngradeWebsiteSubscriptionRequest {
                    intp_website_id: id.clone(),
                    package_id: *package.get()?,
                })
            });
            operations::downgrade_website_subscription(core, body)
                .with_recovery(recover::website_change(core, id, planned))
        }
        SubscriptionOwner::Customer(id) => {
            let body = id.get().and_then(|id| {
                Ok(wire::DowngradeIntpcSubscriptionRequest {
                    intpc_id: id.clone(),
                    package_id: *package.get()?,
                })
            });
            operations::downgrade_intpc_subscription(core, body)
                .with_recovery(recover::account_change(core, id, planned))
        }
    }
}

pub(super) fn resume(core: &Arc<Core>, owner: &SubscriptionOwner) -> Request<Subscription> {
    match owner {
        SubscriptionOwner::Website(id) => {
            let body = id.get().map(|id| wire::WebsiteSubscriptionRequest {
                intp_website_id: id.clone(),
            });
            operations::resume_website_subscription(core, body)
                .with_recovery(recover::website_change(core, id, is_resumed))
        }
        SubscriptionOwner::Customer(id) => {
            let body = id.get().map(|id| wire::IntpcSubscriptionRequest {
                intpc_id: id.clone(),
            });
            operations::resume_intpc_subscription(core, body)
                .with_recovery(recover::account_change(core, id, is_resumed))
        }
    }
}

// What a website looks like once a change took effect.

fn is_on(package: &Result<PackageId>) -> impl FnOnce(&Website) -> bool + Send + use<> {
    let package = package.as_ref().ok().copied();
    move |website| Some(website.package_id) == package
}

fn is_planned(package: &Result<PackageId>) -> impl FnOnce(&Website) -> bool + Send + use<> {
    let package = package.as_ref().ok().copied();
    move |website| website.planned_downgrade_package_id == package
}

pub(super) fn is_canceled(website: &Website) -> bool {
    website.status == SubscriptionStatus::Canceled
}

fn is_resumed(website: &Website) -> bool {
    website.status == SubscriptionStatus::Active && website.planned_downgrade_package_id.is_none()
}

pub(super) fn is_inactive(website: &Website) -> bool {
    website.status == SubscriptionStatus::Inactive
}
