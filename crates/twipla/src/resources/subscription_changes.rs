//! Subscription changes, for both a website and a customer.

use std::sync::Arc;

use twipla_api::types as wire;

use crate::Result;
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{CustomerId, PackageId, WebsiteId};
use crate::operations;
use crate::options::CallOptions;
use crate::recover::{self, ExpectedChange};
use crate::request::{Request, call_methods};
use crate::types::Subscription;

/// An upgrade. Awaiting it sends the request and returns the new subscription.
#[derive(Debug)]
#[must_use = "an upgrade is sent when it is awaited"]
pub struct Upgrade {
    core: Arc<Core>,
    owner: SubscriptionOwner,
    package: DeferredId<PackageId>,
    trial: Option<bool>,
    pro_rate: Option<bool>,
    options: CallOptions,
}

/// The owner of a subscription.
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
            package: package.into(),
            trial: None,
            pro_rate: None,
            options: core.options,
        }
    }

    /// Starts with a trial; false by default (documented). Who may have one is not public.
    pub fn trial(mut self, trial: bool) -> Self {
        self.trial = Some(trial);
        self
    }

    /// Charges only the rest of the period; false by default (documented). This cannot be
    /// read back, so [`ChangeState`](crate::ChangeState) does not cover it.
    pub fn pro_rate(mut self, pro_rate: bool) -> Self {
        self.pro_rate = Some(pro_rate);
        self
    }

    pub(super) fn request(self) -> Request<Subscription> {
        let (trial, pro_rate) = (self.trial, self.pro_rate);
        let package = &self.package;
        let expected = package
            .get()
            .map(|package| ExpectedChange::OnPackage(*package, trial == Some(true)));
        match self.owner {
            SubscriptionOwner::Website(id) => {
                let body = id.get().and_then(|id| {
                    Ok(wire::UpgradeWebsiteSubscriptionRequest {
                        intp_website_id: id.clone(),
                        package_id: *package.get()?,
                        trial,
                        pro_rate,
                    })
                });
                operations::upgrade_website_subscription(&self.core, body)
                    .with_recovery(recover::website_change(&self.core, &id, expected))
            }
            SubscriptionOwner::Customer(id) => {
                let body = id.get().and_then(|id| {
                    Ok(wire::UpgradeIntpcSubscriptionRequest {
                        intpc_id: id.clone(),
                        package_id: *package.get()?,
                        trial,
                        pro_rate,
                    })
                });
                operations::upgrade_intpc_subscription(&self.core, body)
                    .with_recovery(recover::account_change(&self.core, &id, expected))
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
    let expected = package.get().copied().map(ExpectedChange::Planned);
    match owner {
        SubscriptionOwner::Website(id) => {
            let body = id.get().and_then(|id| {
                Ok(wire::DowngradeWebsiteSubscriptionRequest {
                    intp_website_id: id.clone(),
                    package_id: *package.get()?,
                })
            });
            operations::downgrade_website_subscription(core, body)
                .with_recovery(recover::website_change(core, id, expected))
        }
        SubscriptionOwner::Customer(id) => {
            let body = id.get().and_then(|id| {
                Ok(wire::DowngradeIntpcSubscriptionRequest {
                    intpc_id: id.clone(),
                    package_id: *package.get()?,
                })
            });
            operations::downgrade_intpc_subscription(core, body)
                .with_recovery(recover::account_change(core, id, expected))
        }
    }
}

pub(super) fn resume(core: &Arc<Core>, owner: &SubscriptionOwner) -> Request<Subscription> {
    match owner {
        SubscriptionOwner::Website(id) => {
            let body = id.get().map(|id| wire::WebsiteSubscriptionRequest {
                intp_website_id: id.clone(),
            });
            operations::resume_website_subscription(core, body).with_recovery(
                recover::website_change(core, id, Ok(ExpectedChange::Resumed)),
            )
        }
        SubscriptionOwner::Customer(id) => {
            let body = id.get().map(|id| wire::IntpcSubscriptionRequest {
                intpc_id: id.clone(),
            });
            operations::resume_intpc_subscription(core, body).with_recovery(
                recover::account_change(core, id, Ok(ExpectedChange::Resumed)),
            )
        }
    }
}
