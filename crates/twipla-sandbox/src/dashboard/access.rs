//! Access control of the dashboard.

use chrono::{DateTime, Utc};
use twipla_api::types::{BillingMode, Package, SubscriptionStatus};

use super::page_error::PageError;
use crate::account::{Account, Model, Website};
use crate::auth::Bearer;
use crate::input::Query;
use crate::state::World;
use crate::subscription::Subscription;

/// A website, and the reader's access to it.
pub(super) struct Access<'a> {
    pub(super) account: &'a Account,
    /// The partner's id of the website.
    pub(super) website: &'a str,
    pub(super) site: &'a Website,
    /// The token of the URL.
    pub(super) token: &'a str,
    /// Owners and logins with an API key may buy upgrades, contributors may
    /// not.
    pub(super) may_upgrade: bool,
    /// The subscription of the website, and its package.
    pub(super) subscription: Subscription,
    pub(super) package: &'a Package,
}

impl<'a> Access<'a> {
    /// Finds the website of the URL and checks the reader's access to it.
    pub(super) fn find(
        world: &'a World,
        query: &'a Query,
        now: DateTime<Utc>,
    ) -> Result<Self, PageError> {
        let time = world.clock.billing_time(now);
        if let Some(token) = query.get("websiteToken") {
            let login = world
                .logins
                .iter()
                .find(|login| login.refresh_token == token && login.until > time)
                .ok_or(PageError::EndedLogin)?;
            let (account, (website, site)) = world
                .accounts
                .values()
                .find_map(|account| Some((account, account.website_by_uuid(login.website)?)))
                .ok_or(PageError::UnknownWebsite)?;
            return Self::open(account, website, site, token, true, time);
        }
        let token = query
            .get("intpc_token")
            .or_else(|| query.get("intpcToken"))
            .ok_or(PageError::NoToken)?;
        let signed = world
            .signed_token(token, now)
            .ok_or(PageError::InvalidToken)?;
        if signed.is_expired {
            return Err(PageError::ExpiredToken);
        }
        let Bearer::Customer(partner, customer) = signed.bearer else {
            return Err(PageError::PartnerToken);
        };
        let account = world
            .accounts
            .get(&partner)
            .ok_or(PageError::InvalidToken)?;
        if !account.customers().contains(&customer) {
            return Err(PageError::UnknownCustomer);
        }
        let website = query.get("externalWebsiteId").ok_or(PageError::NoWebsite)?;
        let site = account
            .websites()
            .get(website)
            .ok_or(PageError::UnknownWebsite)?;
        let is_owner = site.customer == customer;
        if !is_owner && !site.contributors().contains_key(&customer) {
            return Err(PageError::ForeignWebsite);
        }
        Self::open(account, website, site, token, is_owner, time)
    }

    fn open(
        account: &'a Account,
        website: &'a str,
        site: &'a Website,
        token: &'a str,
        may_upgrade: bool,
        time: DateTime<Utc>,
    ) -> Result<Self, PageError> {
        let subscription = account
            .subscription_of(site, time)
            .filter(|subscription| subscription.status != SubscriptionStatus::Inactive)
            .ok_or(PageError::InactiveWebsite)?;
        let package = account
            .packages
            .get(&subscription.package)
            .ok_or(PageError::InactiveWebsite)?;
        Ok(Self {
            account,
            website,
            site,
            token,
            may_upgrade,
            subscription,
            package,
        })
    }

    /// Reports whether upgrades are bought in the dashboard rather than from
    /// the partner.
    pub(super) fn is_platform_managed(&self) -> bool {
        self.account.billing_mode == BillingMode::PlatformManaged
    }

    /// Returns the id of the website or customer that has the subscription.
    pub(super) fn subscriber_id(&self) -> &'a str {
        match self.account.model {
            Model::Website => self.website,
            Model::Account => &self.site.customer,
        }
    }
}
