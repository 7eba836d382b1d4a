//! Subscriptions, of a website or of a whole account, as the subscription
//! model of the partner has it.
//!
//! A subscription change moves money. It is retried only where it is certain
//! that the server did not act on it. After any other failure the website or
//! the customer is read back, and [`Error::change_state`](crate::Error::change_state)
//! says whether the change took effect.

use std::sync::Arc;

use twipla_api::types as wire;

use crate::Result;
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::operations;
use crate::options::CallOptions;
use crate::recover;
use crate::request::{Request, call_methods};
use crate::types::{Subscription, SubscriptionStatus, Website};

/// The subscription of one website (website model). Made by
/// [`WebsiteRef::subscription`](crate::resources::WebsiteRef::subscription).
///
/// For partners that do the billing themselves; otherwise the customer does
/// this in the dashboard (documented).
///
/// ```
/// # async fn f(twipla: twipla::Twipla, pro: twipla::PackageId) -> twipla::Result<()> {
/// let subscription = twipla.website("site-7").subscription();
/// let now = subscription.upgrade(pro).trial(true).await?;
/// println!("on {} until {}", now.package_id, now.expires_at);
/// subscription.cancel().await?;
/// subscription.resume().await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct WebsiteSubscription {
    core: Arc<Core>,
    id: DeferredId<WebsiteId>,
}

impl WebsiteSubscription {
    pub(crate) fn new(core: &Arc<Core>, id: DeferredId<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            id,
        }
    }

    /// Moves to a larger package at once; billing period and consumption
    /// start anew (documented). The server answers 500 where the package is
    /// not larger (observed).
    pub fn upgrade(&self, package: impl IntoId<PackageId>) -> Upgrade {
        Upgrade::new(
            &self.core,
            SubscriptionOwner::Website(self.id.clone()),
            package.into_id(),
        )
    }

    /// Plans a smaller package for the end of the period (documented). The
    /// server answers 500 where the package is larger (observed).
    pub fn downgrade(&self, package: impl IntoId<PackageId>) -> Request<Subscription> {
        let package = package.into_id();
        let planned = is_planned(&package);
        let body = self.id.get().and_then(|id| {
            Ok(wire::DowngradeWebsiteSubscriptionRequest {
                intp_website_id: id.clone(),
                package_id: package?,
            })
        });
        operations::downgrade_website_subscription(&self.core, body)
            .with_recovery(recover::website_change(&self.core, &self.id, planned))
    }

    /// Ends the subscription with the period; the free plan follows. Can be
    /// taken back with [`resume`](Self::resume) until then (documented).
    pub fn cancel(&self) -> Request<Subscription> {
        operations::cancel_website_subscription(&self.core, self.body())
            .with_recovery(recover::website_change(&self.core, &self.id, is_canceled))
    }

    /// Takes a cancellation back (documented). The server answers 500 where
    /// there is none (observed).
    pub fn resume(&self) -> Request<Subscription> {
        operations::resume_website_subscription(&self.core, self.body())
            .with_recovery(recover::website_change(&self.core, &self.id, is_resumed))
    }

    /// Ends the subscription at once. The reply shows the state before; the
    /// website then reads as `inactive` (observed; documented as deleted).
    pub fn deactivate(&self) -> Request<Subscription> {
        operations::deactivate_website_subscription(&self.core, self.body())
            .with_recovery(recover::website_change(&self.core, &self.id, is_inactive))
    }

    fn body(&self) -> Result<wire::WebsiteSubscriptionRequest> {
        Ok(wire::WebsiteSubscriptionRequest {
            intp_website_id: self.id.get()?.clone(),
        })
    }
}

/// The subscription of a whole account (account model). Made by
/// [`CustomerRef::subscription`](crate::resources::CustomerRef::subscription).
///
/// For partners that do the billing themselves; otherwise the customer does
/// this in the dashboard (documented).
///
/// ```
/// # async fn f(twipla: twipla::Twipla, pro: twipla::PackageId) -> twipla::Result<()> {
/// twipla.customer("cust-42").subscription().upgrade(pro).pro_rate(true).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct AccountSubscription {
    core: Arc<Core>,
    id: DeferredId<CustomerId>,
}

impl AccountSubscription {
    pub(crate) fn new(core: &Arc<Core>, id: DeferredId<CustomerId>) -> Self {
        Self {
            core: Arc::clone(core),
            id,
        }
    }

    /// Moves to a larger package at once; billing period and consumption
    /// start anew (documented). The server answers 500 where the package is
    /// not larger, or the subscription is canceled (observed).
    pub fn upgrade(&self, package: impl IntoId<PackageId>) -> Upgrade {
        Upgrade::new(
            &self.core,
            SubscriptionOwner::Customer(self.id.clone()),
            package.into_id(),
        )
    }

    /// Plans a smaller package for the end of the period (documented). The
    /// server answers 500 where the package is larger (observed).
    pub fn downgrade(&self, package: impl IntoId<PackageId>) -> Request<Subscription> {
        let package = package.into_id();
        let planned = is_planned(&package);
        let body = self.id.get().and_then(|id| {
            Ok(wire::DowngradeIntpcSubscriptionRequest {
                intpc_id: id.clone(),
                package_id: package?,
            })
        });
        operations::downgrade_intpc_subscription(&self.core, body)
            .with_recovery(recover::account_change(&self.core, &self.id, planned))
    }

    /// Ends the subscription with the period; the free plan follows. Can be
    /// taken back with [`resume`](Self::resume) until then (documented).
    pub fn cancel(&self) -> Request<Subscription> {
        operations::cancel_intpc_subscription(&self.core, self.body())
            .with_recovery(recover::account_change(&self.core, &self.id, is_canceled))
    }

    /// Takes a cancellation back (documented). The server fails where there
    /// is none (observed).
    pub fn resume(&self) -> Request<Subscription> {
        operations::resume_intpc_subscription(&self.core, self.body())
            .with_recovery(recover::account_change(&self.core, &self.id, is_resumed))
    }

    /// Ends the subscription at once and deletes the account with its
    /// websites (documented, observed). `None` where the server does not show
    /// what was (observed in 2025).
    pub fn deactivate(&self) -> Request<Option<Subscription>> {
        operations::deactivate_intpc_subscription(&self.core, self.body())
            .with_recovery(recover::account_deletion(&self.core, &self.id))
    }

    fn body(&self) -> Result<wire::IntpcSubscriptionRequest> {
        Ok(wire::IntpcSubscriptionRequest {
            intpc_id: self.id.get()?.clone(),
        })
    }
}

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

#[derive(Debug)]
enum SubscriptionOwner {
    Website(DeferredId<WebsiteId>),
    Customer(DeferredId<CustomerId>),
}

impl Upgrade {
    fn new(core: &Arc<Core>, owner: SubscriptionOwner, package: Result<PackageId>) -> Self {
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

// What a website looks like once a change took effect.

fn is_on(package: &Result<PackageId>) -> impl FnOnce(&Website) -> bool + Send + use<> {
    let package = package.as_ref().ok().copied();
    move |website| Some(website.package_id) == package
}

fn is_planned(package: &Result<PackageId>) -> impl FnOnce(&Website) -> bool + Send + use<> {
    let package = package.as_ref().ok().copied();
    move |website| website.planned_downgrade_package_id == package
}

fn is_canceled(website: &Website) -> bool {
    website.status == SubscriptionStatus::Canceled
}

fn is_resumed(website: &Website) -> bool {
    website.status == SubscriptionStatus::Active && website.planned_downgrade_package_id.is_none()
}

fn is_inactive(website: &Website) -> bool {
    website.status == SubscriptionStatus::Inactive
}
