//! Websites.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use twipla_api::{operations as table, types as wire};

use super::{ApiKeys, Contributors, WebsiteSubscription, WhitelistedDomains};
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::domain::check_domain;
use crate::ids::{CustomerId, IntoId, PackageId, TwiplaWebsiteId, WebsiteId};
use crate::list::{Fetch, List};
use crate::operations;
use crate::options::CallOptions;
use crate::recover::{self, ExpectedTerms, ExpectedWebsite};
use crate::request::{Request, call_methods};
use crate::types::Website;
use crate::{Error, Result};

/// The collection of websites. Created by [`Twipla::websites`](crate::Twipla::websites).
#[derive(Debug, Clone)]
pub struct Websites {
    core: Arc<Core>,
}

impl Websites {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self {
            core: Arc::clone(core),
        }
    }

    /// Creates a website for a customer, under either subscription model.
    ///
    /// Awaiting it returns the website, even if the server answers without a
    /// body (observed in 2025).
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla, pro: twipla::PackageId) -> twipla::Result<()> {
    /// let site = twipla.websites().create("cust-42", "site-7", "example.com").package(pro).await?;
    /// println!("{}", site.visa_tracking_code.unwrap_or_default());
    /// # Ok(()) }
    /// ```
    pub fn create(
        &self,
        customer: impl IntoId<CustomerId>,
        website: impl IntoId<WebsiteId>,
        domain: impl Into<String>,
    ) -> CreateWebsite {
        CreateWebsite {
            core: Arc::clone(&self.core),
            customer: customer.into_id(),
            website: website.into_id(),
            domain: domain.into(),
            package: None,
            billing_date: None,
            privacy_level: None,
            unlimited_free_trial: None,
            options: self.core.options,
        }
    }

    /// Creates a website with the version 2 request format, for the website model only.
    /// Without a package it starts on the unlimited trial (observed).
    pub fn create_flat(
        &self,
        customer: impl IntoId<CustomerId>,
        website: impl IntoId<WebsiteId>,
        domain: impl Into<String>,
    ) -> CreateWebsiteFlat {
        CreateWebsiteFlat {
            core: Arc::clone(&self.core),
            customer: customer.into_id(),
            website: website.into_id(),
            domain: domain.into(),
            package: None,
            billing_date: None,
            options: self.core.options,
        }
    }

    /// Lists all websites of the partner, or of [one customer](List::for_customer).
    pub fn list(&self) -> List<Website> {
        let fetch = |core: &_, page, size| operations::list_websites(core, None, page, size);
        list(&self.core, Arc::new(fetch))
    }

    /// Reads one website by the id that TWIPLA issued (seen in a retired SDK; it may be removed).
    pub fn get_by_twipla_id(&self, id: impl IntoId<TwiplaWebsiteId>) -> Request<Website> {
        operations::get_website_by_id(&self.core, id.into_id())
    }
}

impl List<Website> {
    /// Lists only the websites of this customer (observed in the official SDKs).
    pub fn for_customer(self, customer: impl IntoId<CustomerId>) -> Self {
        self.with_fetch(of_customer(customer.into_id().into()))
    }
}

/// Creates a list of the websites that `fetch` returns, page by page.
pub(super) fn list(core: &Arc<Core>, fetch: Fetch<Website>) -> List<Website> {
    List::new(core, &table::LIST_WEBSITES, fetch, |site| {
        site.intp_website_id.as_str()
    })
}

/// Fetches the pages of the websites of one customer.
pub(super) fn of_customer(customer: DeferredId<CustomerId>) -> Fetch<Website> {
    Arc::new(move |core, page, page_size| {
        operations::list_websites(core, Some(&customer), page, page_size)
    })
}

/// A website to be created, with the nested request format of version 3.
#[derive(Debug)]
#[must_use = "a website is created when this is awaited"]
pub struct CreateWebsite {
    core: Arc<Core>,
    customer: Result<CustomerId>,
    website: Result<WebsiteId>,
    domain: String,
    package: Option<Result<PackageId>>,
    billing_date: Option<DateTime<Utc>>,
    privacy_level: Option<i64>,
    unlimited_free_trial: Option<bool>,
    options: CallOptions,
}

impl CreateWebsite {
    /// Sets the package to start on (website model only: the server answers 400 under the account model).
    pub fn package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.package = Some(package.into_id());
        self
    }

    /// Sets when the first billing period starts; now by default. Needs a
    /// [`package`](Self::package). It cannot be read back, see [`privacy_level`](Self::privacy_level).
    pub fn billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.billing_date = Some(at);
        self
    }

    /// Sets the privacy level. The valid values are not public; 0 was observed. It
    /// cannot be read back: a website that is found after an ambiguous failure is
    /// returned whatever its privacy level.
    pub fn privacy_level(mut self, level: i64) -> Self {
        self.privacy_level = Some(level);
        self
    }

    /// Starts on the unlimited free trial (website model only). Cannot be combined with a [`package`](Self::package).
    pub fn unlimited_free_trial(mut self, trial: bool) -> Self {
        self.unlimited_free_trial = Some(trial);
        self
    }

    fn request(self) -> Request<Website> {
        let core = Arc::clone(&self.core);
        match self.body() {
            Ok(body) => operations::create_website(&core, Ok(&body)).with_recovery(
                recover::created_website(
                    &core,
                    ExpectedWebsite {
                        website: body.website.id,
                        customer: body.intpc.id,
                        domain: body.website.domain,
                        terms: ExpectedTerms {
                            package: body.website.package.map(|package| package.id),
                            free_trial: body.opts.and_then(|opts| opts.uft) == Some(true),
                            with_account: false,
                        },
                    },
                ),
            ),
            Err(error) => operations::create_website(&core, Err(error)),
        }
    }

    fn body(self) -> Result<wire::CreateWebsiteRequest> {
        let package = self.package.transpose()?;
        if package.is_some() && self.unlimited_free_trial == Some(true) {
            return Err(Error::invalid(
                "a package and the unlimited free trial exclude each other: keep one of package() and unlimited_free_trial()",
            ));
        }
        if package.is_none() && self.billing_date.is_some() {
            return Err(Error::invalid(
                "a billing date needs a package: call package() as well",
            ));
        }
        Ok(wire::CreateWebsiteRequest {
            website: wire::CreateWebsiteDetails {
                id: self.website?,
                domain: check_domain(self.domain)?,
                package: package.map(|id| wire::CreateWebsitePackage {
                    id,
                    billing_date: self.billing_date,
                }),
                privacy_level: self.privacy_level,
            },
            intpc: wire::CreateWebsiteOwner { id: self.customer? },
            opts: self
                .unlimited_free_trial
                .map(|uft| wire::CreateWebsiteOptions { uft: Some(uft) }),
        })
    }
}

call_methods!(CreateWebsite => Website);

/// A website to be created, with the flat request format of version 2.
#[derive(Debug)]
#[must_use = "a website is created when this is awaited"]
pub struct CreateWebsiteFlat {
    core: Arc<Core>,
    customer: Result<CustomerId>,
    website: Result<WebsiteId>,
    domain: String,
    package: Option<Result<PackageId>>,
    billing_date: Option<DateTime<Utc>>,
    options: CallOptions,
}

impl CreateWebsiteFlat {
    /// Sets the package to start on.
    pub fn package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.package = Some(package.into_id());
        self
    }

    /// Sets when the first billing period starts; now by default. It cannot be read back: a
    /// website that is found after an ambiguous failure is returned whatever its
    /// billing date.
    pub fn billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.billing_date = Some(at);
        self
    }

    fn request(self) -> Request<Website> {
        let core = Arc::clone(&self.core);
        match self.body() {
            Ok(body) => operations::create_website_flat(&core, Ok(&body)).with_recovery(
                recover::created_website(
                    &core,
                    ExpectedWebsite {
                        website: body.intp_website_id,
                        customer: body.intp_customer_id,
                        domain: body.domain,
                        terms: ExpectedTerms {
                            package: body.package_id,
                            free_trial: false,
                            with_account: false,
                        },
                    },
                ),
            ),
            Err(error) => operations::create_website_flat(&core, Err(error)),
        }
    }

    fn body(self) -> Result<wire::CreateWebsiteFlatRequest> {
        Ok(wire::CreateWebsiteFlatRequest {
            intp_website_id: self.website?,
            intp_customer_id: self.customer?,
            domain: check_domain(self.domain)?,
            package_id: self.package.transpose()?,
            billing_date: self.billing_date,
        })
    }
}

call_methods!(CreateWebsiteFlat => Website);

/// One website. Created by [`Twipla::website`](crate::Twipla::website).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let site = twipla.website("site-7");
/// println!("{}", site.get().await?.package_name);
/// println!("{} domains more", site.whitelisted_domains().list().await?.len());
/// site.delete().await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct WebsiteRef {
    core: Arc<Core>,
    id: DeferredId<WebsiteId>,
}

impl WebsiteRef {
    pub(crate) fn new(core: &Arc<Core>, id: Result<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            id: id.into(),
        }
    }

    /// Reads the website. A deactivated website is found, with the status `inactive` (observed).
    pub fn get(&self) -> Request<Website> {
        operations::get_website(&self.core, &self.id)
    }

    /// Deletes the website. Returns its last state (documented), or `None` if the server
    /// answers without a body (which all official clients allow for).
    ///
    /// After an ambiguous failure it is read back:
    /// [`ChangeState::InForce`](crate::ChangeState::InForce) means that it does not exist, deleted by
    /// this call or before. A website that reads as `inactive` proves neither: it may be
    /// deleted or only deactivated.
    pub fn delete(&self) -> Request<Option<Website>> {
        operations::delete_website(&self.core, &self.id)
            .with_recovery(recover::website_deletion(&self.core, &self.id))
    }

    /// Its subscription (website model).
    pub fn subscription(&self) -> WebsiteSubscription {
        WebsiteSubscription::new(&self.core, self.id.clone())
    }

    /// Its API keys.
    pub fn api_keys(&self) -> ApiKeys {
        ApiKeys::new(&self.core, self.id.clone())
    }

    /// Its contributors: people with access, other than its owner.
    pub fn contributors(&self) -> Contributors {
        Contributors::new(&self.core, self.id.clone())
    }

    /// Its whitelisted domains: further domains that may send data for it.
    pub fn whitelisted_domains(&self) -> WhitelistedDomains {
        WhitelistedDomains::new(&self.core, self.id.clone())
    }
}
