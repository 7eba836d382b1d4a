//! Whitelisted domains: further domains that may send data for a website.

use std::sync::Arc;

use crate::core::Core;
use crate::deferred::DeferredId;
use crate::domain::check_domain;
use crate::ids::WebsiteId;
use crate::operations;
use crate::request::Request;

/// The whitelisted domains of one website (observed in the official SDKs).
/// Made by [`WebsiteRef::whitelisted_domains`](crate::resources::WebsiteRef::whitelisted_domains).
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

    /// All of them.
    pub fn list(&self) -> Request<Vec<String>> {
        operations::list_whitelisted_domains(&self.core, &self.website)
    }

    /// Adds one.
    pub fn add(&self, domain: impl Into<String>) -> Request<()> {
        operations::add_whitelisted_domain(&self.core, &self.website, check_domain(domain.into()))
    }

    /// Takes one off the list. Succeeds where it was not on it (observed).
    pub fn remove(&self, domain: impl Into<String>) -> Request<()> {
        operations::remove_whitelisted_domain(
            &self.core,
            &self.website,
            check_domain(domain.into()),
        )
    }
}
