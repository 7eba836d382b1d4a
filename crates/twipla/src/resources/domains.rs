//! Whitelisted domains: further domains that may send data for a website.

use std::sync::Arc;

use crate::Result;
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::domain::check_domain;
use crate::ids::WebsiteId;
use crate::operations;
use crate::recover;
use crate::request::{Recovery, Request};

/// The whitelisted domains of one website (observed in the official SDKs).
/// Created by [`WebsiteRef::whitelisted_domains`](crate::resources::WebsiteRef::whitelisted_domains).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let domains = twipla.website("site-7").whitelisted_domains();
/// domains.add("shop.example.com").await?;
/// assert_eq!(domains.list().await?, ["shop.example.com"]);
/// domains.remove("shop.example.com").await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct WhitelistedDomains {
    core: Arc<Core>,
    website: DeferredId<WebsiteId>,
}

impl WhitelistedDomains {
    pub(crate) fn new(core: &Arc<Core>, website: DeferredId<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            website,
        }
    }

    /// Lists all of them.
    pub fn list(&self) -> Request<Vec<String>> {
        operations::list_whitelisted_domains(&self.core, &self.website)
    }

    /// Adds a domain. After an ambiguous failure the list is read back:
    /// [`ChangeState::InForce`](crate::ChangeState::InForce) means that it is on the list, added by
    /// this call or before.
    pub fn add(&self, domain: impl Into<String>) -> Request<()> {
        let domain = check_domain(domain.into());
        let recovery = self.recovery(&domain, true);
        operations::add_whitelisted_domain(&self.core, &self.website, domain)
            .with_recovery(recovery)
    }

    /// Removes a domain. Succeeds if it was not on the list (observed). After an
    /// ambiguous failure the list is read back, as for [`add`](Self::add).
    pub fn remove(&self, domain: impl Into<String>) -> Request<()> {
        let domain = check_domain(domain.into());
        let recovery = self.recovery(&domain, false);
        operations::remove_whitelisted_domain(&self.core, &self.website, domain)
            .with_recovery(recovery)
    }

    fn recovery(&self, domain: &Result<String>, is_listed: bool) -> Recovery<()> {
        let domain = domain.as_ref().ok().cloned();
        recover::whitelisted_domain(&self.core, &self.website, domain, is_listed)
    }
}
