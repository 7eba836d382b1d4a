//! Websites.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use twipla_api::operations;
use twipla_api::types as wire;

use super::customers::page_of;
use super::domains::check_domain;
use super::settle::{self, Found};
use super::{ApiKeys, Contributors, WebsiteSubscription, WhitelistedDomains};
use crate::arg::Arg;
use crate::call::BoxFuture;
use crate::client::Core;
use crate::ids::{CustomerId, IntoId, PackageId, TwiplaWebsiteId, WebsiteId};
use crate::page::List;
use crate::request::{Request, invoke};
use crate::types::Website;
use crate::{Error, Result};

/// All websites. Made by [`Twipla::websites`](crate::Twipla::websites).
#[derive(Clone)]
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
    /// Awaiting it gives the website, also where the server answers without a
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
        }
    }

    /// Creates a website in the form of version 2, for the website model only.
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
        }
    }

    /// All websites of the partner, or of [one customer](List::for_customer).
    pub fn list(&self) -> List<Website> {
        list(&self.core, None)
    }

    /// One website by the id that TWIPLA issued (seen in a retired SDK; it may vanish).
    pub fn get_by_twipla_id(&self, id: impl IntoId<TwiplaWebsiteId>) -> Request<Website> {
        Request::new(
            &self.core,
            &operations::GET_WEBSITE_BY_ID,
            invoke!(id.into_id(), |api, id| api.get_website_by_id(&id.into())),
            |reply| reply.payload,
        )
    }
}

impl List<Website> {
    /// Only the websites of this customer (observed in the official SDKs).
    pub fn for_customer(mut self, customer: impl IntoId<CustomerId>) -> Self {
        self.customer = Some(customer.into_id().into());
        self
    }
}

/// A website about to be created, in the nested form of version 3.
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
}

impl CreateWebsite {
    /// The package to start on (website model only: the server answers 400 under the account model).
    pub fn package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.package = Some(package.into_id());
        self
    }

    /// When the first billing period starts; now by default. Needs a [`package`](Self::package).
    pub fn billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.billing_date = Some(at);
        self
    }

    /// The privacy level. Which values there are is not public; 0 was seen.
    pub fn privacy_level(mut self, level: i64) -> Self {
        self.privacy_level = Some(level);
        self
    }

    /// Start on the unlimited free trial (website model only). Excludes a [`package`](Self::package).
    pub fn unlimited_free_trial(mut self, trial: bool) -> Self {
        self.unlimited_free_trial = Some(trial);
        self
    }

    /// Sends the same call, and returns the `payload` of the reply as JSON; null where it has no body.
    pub async fn raw(self) -> Result<serde_json::Value> {
        let core = Arc::clone(&self.core);
        create(&core, self.body().map(Arc::new)).raw().await
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
                id: self.website?.into(),
                domain: check_domain(self.domain)?,
                package: package.map(|id| wire::CreateWebsitePackage {
                    id: id.into(),
                    billing_date: self.billing_date,
                }),
                privacy_level: self.privacy_level,
            },
            intpc: wire::CreateWebsiteOwner {
                id: self.customer?.into(),
            },
            opts: self
                .unlimited_free_trial
                .map(|uft| wire::CreateWebsiteOptions { uft: Some(uft) }),
        })
    }
}

impl IntoFuture for CreateWebsite {
    type Output = Result<Website>;
    type IntoFuture = BoxFuture<'static, Result<Website>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let core = Arc::clone(&self.core);
            let body = self
                .body()
                .map_err(|error| error.with_operation(operations::CREATE_WEBSITE.id))?;
            let wanted = Wanted {
                website: WebsiteId::new(body.website.id.clone())?,
                customer: body.intpc.id.clone(),
                domain: body.website.domain.clone(),
                package: body.website.package.as_ref().map(|package| package.id),
            };
            let body = Arc::new(body);
            settle::create(
                &core,
                || create(&core, Ok(Arc::clone(&body))),
                || wanted.look(&core),
            )
            .await
        })
    }
}

/// A website about to be created, in the flat form of version 2.
#[must_use = "a website is created when this is awaited"]
pub struct CreateWebsiteFlat {
    core: Arc<Core>,
    customer: Result<CustomerId>,
    website: Result<WebsiteId>,
    domain: String,
    package: Option<Result<PackageId>>,
    billing_date: Option<DateTime<Utc>>,
}

impl CreateWebsiteFlat {
    /// The package to start on.
    pub fn package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.package = Some(package.into_id());
        self
    }

    /// When the first billing period starts; now by default.
    pub fn billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.billing_date = Some(at);
        self
    }

    /// Sends the same call, and returns the `payload` of the reply as JSON; null where it has no body.
    pub async fn raw(self) -> Result<serde_json::Value> {
        let core = Arc::clone(&self.core);
        create_flat(&core, self.body().map(Arc::new)).raw().await
    }

    fn body(self) -> Result<wire::CreateWebsiteFlatRequest> {
        Ok(wire::CreateWebsiteFlatRequest {
            intp_website_id: self.website?.into(),
            intp_customer_id: self.customer?.into(),
            domain: check_domain(self.domain)?,
            package_id: self.package.transpose()?.map(Into::into),
            billing_date: self.billing_date,
        })
    }
}

impl IntoFuture for CreateWebsiteFlat {
    type Output = Result<Website>;
    type IntoFuture = BoxFuture<'static, Result<Website>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let core = Arc::clone(&self.core);
            let body = self
                .body()
                .map_err(|error| error.with_operation(operations::CREATE_WEBSITE_FLAT.id))?;
            let wanted = Wanted {
                website: WebsiteId::new(body.intp_website_id.clone())?,
                customer: body.intp_customer_id.clone(),
                domain: body.domain.clone(),
                package: body.package_id,
            };
            let body = Arc::new(body);
            settle::create(
                &core,
                || create_flat(&core, Ok(Arc::clone(&body))),
                || wanted.look(&core),
            )
            .await
        })
    }
}

/// One website. Made by [`Twipla::website`](crate::Twipla::website).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let site = twipla.website("site-7");
/// println!("{}", site.get().await?.package_name);
/// println!("{} domains more", site.whitelisted_domains().list().await?.len());
/// site.delete().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WebsiteRef {
    core: Arc<Core>,
    id: Arg<WebsiteId>,
}

impl WebsiteRef {
    pub(crate) fn new(core: &Arc<Core>, id: Result<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            id: id.into(),
        }
    }

    /// Reads it. A deactivated website is found, with the status `inactive` (observed).
    pub fn get(&self) -> Request<Website> {
        Request::new(
            &self.core,
            &operations::GET_WEBSITE,
            invoke!(self.id.get(), |api, id| api.get_website(id.as_str())),
            |reply| reply.payload,
        )
    }

    /// Deletes it; gives it as it was (documented), or `None` where the server
    /// answers without a body (which all official clients allow for).
    pub fn delete(&self) -> Request<Option<Website>> {
        Request::new(
            &self.core,
            &operations::DELETE_WEBSITE,
            invoke!(self.id.get(), |api, id| api.delete_website(id.as_str())),
            |reply| reply.payload,
        )
        .or_nothing()
    }

    /// Its subscription (website model).
    pub fn subscription(&self) -> WebsiteSubscription {
        WebsiteSubscription::new(&self.core, self.id.clone())
    }

    /// Its API keys.
    pub fn api_keys(&self) -> ApiKeys {
        ApiKeys::new(&self.core, self.id.clone())
    }

    /// People with access besides its owner.
    pub fn contributors(&self) -> Contributors {
        Contributors::new(&self.core, self.id.clone())
    }

    /// Further domains that may send data for it.
    pub fn whitelisted_domains(&self) -> WhitelistedDomains {
        WhitelistedDomains::new(&self.core, self.id.clone())
    }
}

/// All websites, or those of one customer.
pub(crate) fn list(core: &Arc<Core>, customer: Option<Arg<CustomerId>>) -> List<Website> {
    let core = Arc::clone(core);
    let mut list = List::new(move |args| {
        let customer = args.customer.map(|customer| customer.get()).transpose();
        Request::new(
            &core,
            &operations::LIST_WEBSITES,
            invoke!(customer, |api, customer| api.list_websites(
                customer.as_ref().map(CustomerId::as_str),
                Some(args.page),
                Some(args.page_size)
            )),
            |reply| page_of(reply.payload, reply.meta),
        )
    });
    list.customer = customer;
    list
}

/// What a create was asked for, to be compared with what is there.
struct Wanted {
    website: WebsiteId,
    customer: String,
    domain: String,
    package: Option<uuid::Uuid>,
}

impl Wanted {
    async fn look(&self, core: &Arc<Core>) -> Result<Found<Website>> {
        match WebsiteRef::new(core, Ok(self.website.clone())).get().await {
            Ok(site) => {
                let same = site.intp_customer_id == self.customer
                    && same_domain(&site.domain, &self.domain)
                    && self
                        .package
                        .is_none_or(|package| site.package_id == package);
                Ok(if same {
                    Found::Same(site)
                } else {
                    Found::Other(format!(
                        "for {} of customer {}",
                        site.domain, site.intp_customer_id
                    ))
                })
            }
            Err(error) if error.is_not_found() => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }
}

/// Servers write a domain in more than one way.
pub(crate) fn same_domain(a: &str, b: &str) -> bool {
    fn bare(domain: &str) -> &str {
        let rest = domain.split_once("://").map_or(domain, |(_, rest)| rest);
        rest.trim_end_matches('/')
    }
    bare(a).eq_ignore_ascii_case(bare(b))
}

fn create(core: &Arc<Core>, body: Result<Arc<wire::CreateWebsiteRequest>>) -> Request<Website> {
    Request::new(
        core,
        &operations::CREATE_WEBSITE,
        invoke!(body, |api, body| api.create_website(&body)),
        |reply: wire::WebsiteResponse| reply.payload,
    )
}

fn create_flat(
    core: &Arc<Core>,
    body: Result<Arc<wire::CreateWebsiteFlatRequest>>,
) -> Request<Website> {
    Request::new(
        core,
        &operations::CREATE_WEBSITE_FLAT,
        invoke!(body, |api, body| api.create_website_flat(&body)),
        |reply: wire::WebsiteResponse| reply.payload,
    )
}
