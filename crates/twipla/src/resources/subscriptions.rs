//! Subscriptions of a website or of a customer, depending on the partner's
//! subscription model.
//!
//! A subscription change moves money. It is retried only if it is certain
//! that the server did not act on it. After any other failure the website or
//! the customer is read back, and [`Error::change_state`](crate::Error::change_state)
//! reports whether the change took effect.

use std::sync::Arc;

use twipla_api::types as wire;

use super::package_change::ChangePackage;
use super::subscription_changes::{SubscriptionOwner, Upgrade, downgrade, resume};
use crate::Result;
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::operations;
use crate::recover::{self, ExpectedChange};
use crate::request::Request;
use crate::types::Subscription;

/// The subscription of one website (website model). Created by
/// [`WebsiteRef::subscription`](crate::resources::WebsiteRef::subscription).
///
/// For partners that do the billing themselves; otherwise the customer changes it
/// in the dashboard (documented).
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

    /// Moves to a larger package immediately; billing period and consumption
    /// start over (documented). The server answers 500 if the package is
    /// not larger (observed).
    pub fn upgrade(&self, package: impl IntoId<PackageId>) -> Upgrade {
        Upgrade::new(&self.core, self.owner(), package.into_id())
    }

    /// Plans a downgrade to a smaller package at the end of the period (documented). The
    /// server answers 500 if the package is larger (observed).
    pub fn downgrade(&self, package: impl IntoId<PackageId>) -> Request<Subscription> {
        downgrade(&self.core, &self.owner(), &package.into_id().into())
    }

    /// Moves to another package, up or down: reads the website and both
    /// packages, compares their touchpoints, and upgrades, downgrades, resumes or
    /// does nothing.
    ///
    /// ```
    /// use twipla::resources::PackageChange;
    ///
    /// # async fn f(twipla: twipla::Twipla, pro: twipla::PackageId) -> twipla::Result<()> {
    /// match twipla.website("site-7").subscription().change_to(pro).await? {
    ///     PackageChange::Upgraded(now) => println!("on it until {}", now.expires_at),
    ///     PackageChange::DowngradePlanned(now) => println!("from {} on", now.expires_at),
    ///     other => println!("{other:?}"),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn change_to(&self, package: impl IntoId<PackageId>) -> ChangePackage {
        ChangePackage::new(&self.core, self.owner(), package.into_id())
    }

    /// Ends the subscription at the end of the period; the free plan follows. Can be
    /// revoked with [`resume`](Self::resume) until then (documented).
    pub fn cancel(&self) -> Request<Subscription> {
        operations::cancel_website_subscription(&self.core, self.body()).with_recovery(
            recover::website_change(&self.core, &self.id, Ok(ExpectedChange::Canceled)),
        )
    }

    /// Revokes a cancellation (documented). The server answers 500 if
    /// there is none (observed).
    pub fn resume(&self) -> Request<Subscription> {
        resume(&self.core, &self.owner())
    }

    /// Ends the subscription immediately. The response shows the state before; the
    /// website then reads as `inactive` (observed; documented as deleted).
    pub fn deactivate(&self) -> Request<Subscription> {
        operations::deactivate_website_subscription(&self.core, self.body()).with_recovery(
            recover::website_change(&self.core, &self.id, Ok(ExpectedChange::Inactive)),
        )
    }

    fn owner(&self) -> SubscriptionOwner {
        SubscriptionOwner::Website(self.id.clone())
    }

    fn body(&self) -> Result<wire::WebsiteSubscriptionRequest> {
        Ok(wire::WebsiteSubscriptionRequest {
            intp_website_id: self.id.get()?.clone(),
        })
    }
}

/// The subscription of a customer's whole account (account model). Created by
/// [`CustomerRef::subscription`](crate::resources::CustomerRef::subscription).
///
/// For partners that do the billing themselves; otherwise the customer changes it
/// in the dashboard (documented).
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

    /// Moves to a larger package immediately; billing period and consumption
    /// start over (documented). The server answers 500 if the package is
    /// not larger, or the subscription is canceled (observed).
    pub fn upgrade(&self, package: impl IntoId<PackageId>) -> Upgrade {
        Upgrade::new(&self.core, self.owner(), package.into_id())
    }

    /// Plans a downgrade to a smaller package at the end of the period (documented). The
    /// server answers 500 if the package is larger (observed).
    pub fn downgrade(&self, package: impl IntoId<PackageId>) -> Request<Subscription> {
        downgrade(&self.core, &self.owner(), &package.into_id().into())
    }

    /// Moves to another package, up or down: reads the first website of the
    /// customer (nothing else shows the subscription) and both packages, compares
    /// their touchpoints, and upgrades, downgrades, resumes or does nothing.
    pub fn change_to(&self, package: impl IntoId<PackageId>) -> ChangePackage {
        ChangePackage::new(&self.core, self.owner(), package.into_id())
    }

    /// Ends the subscription at the end of the period; the free plan follows. Can be
    /// revoked with [`resume`](Self::resume) until then (documented).
    pub fn cancel(&self) -> Request<Subscription> {
        operations::cancel_intpc_subscription(&self.core, self.body()).with_recovery(
            recover::account_change(&self.core, &self.id, Ok(ExpectedChange::Canceled)),
        )
    }

    /// Revokes a cancellation (documented). The server fails if there
    /// is none (observed).
    pub fn resume(&self) -> Request<Subscription> {
        resume(&self.core, &self.owner())
    }

    /// Ends the subscription immediately and deletes the customer with its
    /// websites (documented, observed). `None` if the server does not return
    /// the former state (observed in 2025).
    pub fn deactivate(&self) -> Request<Option<Subscription>> {
        operations::deactivate_intpc_subscription(&self.core, self.body())
            .with_recovery(recover::customer_deletion(&self.core, &self.id))
    }

    fn owner(&self) -> SubscriptionOwner {
        SubscriptionOwner::Customer(self.id.clone())
    }

    fn body(&self) -> Result<wire::IntpcSubscriptionRequest> {
        Ok(wire::IntpcSubscriptionRequest {
            intpc_id: self.id.get()?.clone(),
        })
    }
}
