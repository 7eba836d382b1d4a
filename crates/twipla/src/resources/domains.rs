//! Whitelisted domains: further domains that may send data for a website.

use std::sync::Arc;

use twipla_api::operations;
use twipla_api::types as wire;

use crate::arg::Arg;
use crate::client::Core;
use crate::ids::WebsiteId;
use crate::request::{Request, invoke};
use crate::{Error, Result};

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
#[derive(Clone)]
pub struct WhitelistedDomains {
    core: Arc<Core>,
    website: Arg<WebsiteId>,
}

impl WhitelistedDomains {
    pub(crate) fn new(core: &Arc<Core>, website: Arg<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            website,
        }
    }

    /// All of them.
    pub fn list(&self) -> Request<Vec<String>> {
        Request::new(
            &self.core,
            &operations::LIST_WHITELISTED_DOMAINS,
            invoke!(self.website.get(), |api, website| api
                .list_whitelisted_domains(website.as_str())),
            |reply| reply.payload,
        )
    }

    /// Adds one.
    pub fn add(&self, domain: impl Into<String>) -> Request<()> {
        Request::new(
            &self.core,
            &operations::ADD_WHITELISTED_DOMAIN,
            invoke!(self.args(domain.into()), |api, (website, body)| api
                .add_whitelisted_domain(website.as_str(), &body)),
            |()| (),
        )
    }

    /// Takes one off the list. Succeeds where it was not on it (observed).
    pub fn remove(&self, domain: impl Into<String>) -> Request<()> {
        Request::new(
            &self.core,
            &operations::REMOVE_WHITELISTED_DOMAIN,
            invoke!(self.args(domain.into()), |api, (website, body)| api
                .remove_whitelisted_domain(website.as_str(), &body)),
            |()| (),
        )
    }

    fn args(&self, domain: String) -> Result<(WebsiteId, wire::WhitelistedDomainRequest)> {
        Ok((
            self.website.get()?,
            wire::WhitelistedDomainRequest {
                domain: check_domain(domain)?,
            },
        ))
    }
}

/// Only what can never be right is refused: the server's own rules are not
/// public, and both bare hosts and URLs were seen.
pub(crate) fn check_domain(domain: String) -> Result<String> {
    let refuse = |why: &str| {
        Err(Error::invalid(format!(
            "the domain {domain:?} {why}: give it like example.com"
        )))
    };
    if domain.trim().is_empty() {
        return refuse("is empty");
    }
    if domain.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("has white space or control characters");
    }
    if domain.len() > 2048 {
        return Err(Error::invalid(
            "the domain is longer than 2048 bytes: give it like example.com",
        ));
    }
    Ok(domain)
}
