//! Subscriptions, of a website or of a whole account, as the subscription
//! model of the partner has it.
//!
//! A change of subscription moves money. It is sent again only where it is
//! certain that the server did nothing with it. After any other failure the
//! facade reads the website or the customer, and
//! [`Error::settled`](crate::Error::settled) tells what became of it.

use std::sync::Arc;

use twipla_api::operations;
use twipla_api::types as wire;

use super::settle;
use crate::Result;
use crate::arg::Arg;
use crate::client::Core;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::request::{Request, invoke, sendable};
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
#[derive(Clone)]
pub struct WebsiteSubscription {
    core: Arc<Core>,
    id: Arg<WebsiteId>,
}

impl WebsiteSubscription {
    pub(crate) fn new(core: &Arc<Core>, id: Arg<WebsiteId>) -> Self {
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
            Target::Website(self.id.clone()),
            package.into_id(),
        )
    }

    /// Plans a smaller package for the end of the period (documented). The
    /// server answers 500 where the package is larger (observed).
    pub fn downgrade(&self, package: impl IntoId<PackageId>) -> Request<Subscription> {
        let package = package.into_id();
        let planned = package.as_ref().ok().map(|package| *package.as_uuid());
        let body = self.id.get().and_then(|id| {
            Ok(wire::DowngradeWebsiteSubscriptionRequest {
                intp_website_id: id.to_string(),
                package_id: package?.into(),
            })
        });
        Request::new(
            &self.core,
            &operations::DOWNGRADE_WEBSITE_SUBSCRIPTION,
            invoke!(body, |api, body| api.downgrade_website_subscription(&body)),
            |reply| reply.payload,
        )
        .inspect(settle::website_change(&self.core, &self.id, move |site| {
            site.planned_downgrade_package_id == planned
        }))
    }

    /// Ends the subscription with the period; the free plan follows. Can be
    /// taken back with [`resume`](Self::resume) until then (documented).
    pub fn cancel(&self) -> Request<Subscription> {
        Request::new(
            &self.core,
            &operations::CANCEL_WEBSITE_SUBSCRIPTION,
            invoke!(self.body(), |api, body| api
                .cancel_website_subscription(&body)),
            |reply| reply.payload,
        )
        .inspect(settle::website_change(&self.core, &self.id, canceled))
    }

    /// Takes a cancellation back (documented). The server answers 500 where
    /// there is none (observed).
    pub fn resume(&self) -> Request<Subscription> {
        Request::new(
            &self.core,
            &operations::RESUME_WEBSITE_SUBSCRIPTION,
            invoke!(self.body(), |api, body| api
                .resume_website_subscription(&body)),
            |reply| reply.payload,
        )
        .inspect(settle::website_change(&self.core, &self.id, resumed))
    }

    /// Ends the subscription at once. The reply shows the state before; the
    /// website then reads as `inactive` (observed; documented as deleted).
    pub fn deactivate(&self) -> Request<Subscription> {
        Request::new(
            &self.core,
            &operations::DEACTIVATE_WEBSITE_SUBSCRIPTION,
            invoke!(self.body(), |api, body| api
                .deactivate_website_subscription(&body)),
            |reply| reply.payload,
        )
        .inspect(settle::website_change(&self.core, &self.id, inactive))
    }

    fn body(&self) -> Result<wire::WebsiteSubscriptionRequest> {
        Ok(wire::WebsiteSubscriptionRequest {
            intp_website_id: self.id.get()?.to_string(),
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
#[derive(Clone)]
pub struct AccountSubscription {
    core: Arc<Core>,
    id: Arg<CustomerId>,
}

impl AccountSubscription {
    pub(crate) fn new(core: &Arc<Core>, id: Arg<CustomerId>) -> Self {
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
            Target::Customer(self.id.clone()),
            package.into_id(),
        )
    }

    /// Plans a smaller package for the end of the period (documented). The
    /// server answers 500 where the package is larger (observed).
    pub fn downgrade(&self, package: impl IntoId<PackageId>) -> Request<Subscription> {
        let package = package.into_id();
        let planned = package.as_ref().ok().map(|package| *package.as_uuid());
        let body = self.id.get().and_then(|id| {
            Ok(wire::DowngradeIntpcSubscriptionRequest {
                intpc_id: id.to_string(),
                package_id: package?.into(),
            })
        });
        Request::new(
            &self.core,
            &operations::DOWNGRADE_INTPC_SUBSCRIPTION,
            invoke!(body, |api, body| api.downgrade_intpc_subscription(&body)),
            |reply| reply.payload,
        )
        .inspect(settle::account_change(&self.core, &self.id, move |site| {
            site.planned_downgrade_package_id == planned
        }))
    }

    /// Ends the subscription with the period; the free plan follows. Can be
    /// taken back with [`resume`](Self::resume) until then (documented).
    pub fn cancel(&self) -> Request<Subscription> {
        Request::new(
            &self.core,
            &operations::CANCEL_INTPC_SUBSCRIPTION,
            invoke!(self.body(), |api, body| api
                .cancel_intpc_subscription(&body)),
            |reply| reply.payload,
        )
        .inspect(settle::account_change(&self.core, &self.id, canceled))
    }

    /// Takes a cancellation back (documented). The server fails where there
    /// is none (observed).
    pub fn resume(&self) -> Request<Subscription> {
        Request::new(
            &self.core,
            &operations::RESUME_INTPC_SUBSCRIPTION,
            invoke!(self.body(), |api, body| api
                .resume_intpc_subscription(&body)),
            |reply| reply.payload,
        )
        .inspect(settle::account_change(&self.core, &self.id, resumed))
    }

    /// Ends the subscription at once and deletes the account with its
    /// websites (documented, observed). `None` where the server does not show
    /// what was (observed in 2025).
    pub fn deactivate(&self) -> Request<Option<Subscription>> {
        Request::new(
            &self.core,
            &operations::DEACTIVATE_INTPC_SUBSCRIPTION,
            invoke!(self.body(), |api, body| api
                .deactivate_intpc_subscription(&body)),
            |reply| reply.payload,
        )
        .or_nothing()
        .reshape(|shown| shown.map(Option::flatten))
        .inspect(settle::account_gone(&self.core, &self.id))
    }

    fn body(&self) -> Result<wire::IntpcSubscriptionRequest> {
        Ok(wire::IntpcSubscriptionRequest {
            intpc_id: self.id.get()?.to_string(),
        })
    }
}

/// An upgrade about to be sent. Awaiting it gives the new subscription.
#[must_use = "an upgrade is sent when it is awaited"]
pub struct Upgrade {
    core: Arc<Core>,
    target: Target,
    package: Result<PackageId>,
    trial: Option<bool>,
    pro_rate: Option<bool>,
}

enum Target {
    Website(Arg<WebsiteId>),
    Customer(Arg<CustomerId>),
}

impl Upgrade {
    fn new(core: &Arc<Core>, target: Target, package: Result<PackageId>) -> Self {
        Self {
            core: Arc::clone(core),
            target,
            package,
            trial: None,
            pro_rate: None,
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
        let wanted = package.as_ref().ok().map(|package| *package.as_uuid());
        let upgraded = move |site: &Website| Some(site.package_id) == wanted;
        match self.target {
            Target::Website(id) => {
                let body = id.get().and_then(|id| {
                    Ok(wire::UpgradeWebsiteSubscriptionRequest {
                        intp_website_id: id.to_string(),
                        package_id: package?.into(),
                        trial,
                        pro_rate,
                    })
                });
                Request::new(
                    &self.core,
                    &operations::UPGRADE_WEBSITE_SUBSCRIPTION,
                    invoke!(body, |api, body| api.upgrade_website_subscription(&body)),
                    |reply| reply.payload,
                )
                .inspect(settle::website_change(&self.core, &id, upgraded))
            }
            Target::Customer(id) => {
                let body = id.get().and_then(|id| {
                    Ok(wire::UpgradeIntpcSubscriptionRequest {
                        intpc_id: id.to_string(),
                        package_id: package?.into(),
                        trial,
                        pro_rate,
                    })
                });
                Request::new(
                    &self.core,
                    &operations::UPGRADE_INTPC_SUBSCRIPTION,
                    invoke!(body, |api, body| api.upgrade_intpc_subscription(&body)),
                    |reply| reply.payload,
                )
                .inspect(settle::account_change(&self.core, &id, upgraded))
            }
        }
    }
}

sendable!(Upgrade => Subscription);

fn canceled(site: &Website) -> bool {
    site.status == SubscriptionStatus::Canceled
}

fn resumed(site: &Website) -> bool {
    site.status == SubscriptionStatus::Active && site.planned_downgrade_package_id.is_none()
}

fn inactive(site: &Website) -> bool {
    site.status == SubscriptionStatus::Inactive
}
