//! Customers (INTPC).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use twipla_api::operations;
use twipla_api::types as wire;

use super::domains::check_domain;
use super::settle::{self, Found};
use super::{AccountSubscription, websites};
use crate::arg::Arg;
use crate::call::BoxFuture;
use crate::client::Core;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::page::{List, Page, PageMeta};
use crate::request::{Request, invoke};
use crate::types::{CreatedIntpc, Intpc, Website};
use crate::{Error, Result};

/// All customers. Made by [`Twipla::customers`](crate::Twipla::customers).
#[derive(Clone)]
pub struct Customers {
    core: Arc<Core>,
}

impl Customers {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self {
            core: Arc::clone(core),
        }
    }

    /// Creates a customer, with a first website if you add one. You choose
    /// the id; the e-mail address must be unique within your company (documented).
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla, pro: twipla::PackageId) -> twipla::Result<()> {
    /// let customer = twipla.customers().create("cust-42", "owner@example.com")
    ///     .website("site-7", "example.com")
    ///     .website_package(pro)
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn create(&self, id: impl IntoId<CustomerId>, email: impl Into<String>) -> CreateCustomer {
        CreateCustomer {
            core: Arc::clone(&self.core),
            id: id.into_id(),
            email: email.into(),
            website: None,
            website_package: None,
            website_billing_date: None,
            package: None,
            billing_date: None,
        }
    }

    /// All customers of the partner.
    pub fn list(&self) -> List<Intpc> {
        let core = Arc::clone(&self.core);
        List::new(move |args| {
            Request::new(
                &core,
                &operations::LIST_CUSTOMERS,
                invoke!(Ok(()), |api, ()| api
                    .list_customers(args.page, args.page_size)),
                |reply| page_of(reply.payload, Some(reply.meta)),
            )
        })
    }
}

/// A customer about to be created. Awaiting it gives the customer.
#[must_use = "a customer is created when this is awaited"]
pub struct CreateCustomer {
    core: Arc<Core>,
    id: Result<CustomerId>,
    email: String,
    website: Option<(Result<WebsiteId>, String)>,
    website_package: Option<Result<PackageId>>,
    website_billing_date: Option<DateTime<Utc>>,
    package: Option<Result<PackageId>>,
    billing_date: Option<DateTime<Utc>>,
}

impl CreateCustomer {
    /// A first website, created along with the customer.
    pub fn website(mut self, id: impl IntoId<WebsiteId>, domain: impl Into<String>) -> Self {
        self.website = Some((id.into_id(), domain.into()));
        self
    }

    /// The package of that website (website model only: the server answers 400 under the account model).
    pub fn website_package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.website_package = Some(package.into_id());
        self
    }

    /// When the first billing period of that website starts; now by default.
    pub fn website_billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.website_billing_date = Some(at);
        self
    }

    /// The package of the account (account model only: the server answers 400
    /// under the website model; observed).
    pub fn package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.package = Some(package.into_id());
        self
    }

    /// When the first billing period of the account starts; now by default (observed).
    pub fn billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.billing_date = Some(at);
        self
    }

    /// Sends the same call, and returns the `payload` of the reply as JSON.
    pub async fn raw(self) -> Result<serde_json::Value> {
        let core = Arc::clone(&self.core);
        create(&core, self.body().map(Arc::new)).raw().await
    }

    fn body(self) -> Result<wire::CreateCustomerRequest> {
        let email = self.email;
        if email.trim().is_empty() || !email.contains('@') || email.chars().any(char::is_control) {
            return Err(Error::invalid(format!(
                "the e-mail address {email:?} is none: give it like owner@example.com"
            )));
        }
        if self.website.is_none()
            && (self.website_package.is_some() || self.website_billing_date.is_some())
        {
            return Err(Error::invalid(
                "website_package() and website_billing_date() need a website: call website(id, domain) as well",
            ));
        }
        let website_package = self.website_package.transpose()?;
        let website_billing_date = self.website_billing_date;
        let website = self
            .website
            .map(|(id, domain)| -> Result<_> {
                Ok(wire::CreateCustomerWebsite {
                    intp_website_id: id?.into(),
                    domain: check_domain(domain)?,
                    package_id: website_package.map(Into::into),
                    billing_date: website_billing_date,
                })
            })
            .transpose()?;
        Ok(wire::CreateCustomerRequest {
            intp_customer_id: self.id?.into(),
            email,
            website,
            package_id: self.package.transpose()?.map(Into::into),
            billing_date: self.billing_date,
        })
    }
}

impl IntoFuture for CreateCustomer {
    type Output = Result<CreatedIntpc>;
    type IntoFuture = BoxFuture<'static, Result<CreatedIntpc>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let core = Arc::clone(&self.core);
            let body = self
                .body()
                .map_err(|error| error.with_operation(operations::CREATE_CUSTOMER.id))?;
            let body = Arc::new(body);
            settle::create(
                &core,
                || create(&core, Ok(Arc::clone(&body))),
                || look(&core, &body),
            )
            .await
        })
    }
}

/// One customer. Made by [`Twipla::customer`](crate::Twipla::customer).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let customer = twipla.customer("cust-42");
/// println!("{}", customer.get().await?.email);
/// println!("{} websites", customer.websites().await?.items.len());
/// customer.delete().await?;   // and all of their websites
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CustomerRef {
    core: Arc<Core>,
    id: Arg<CustomerId>,
}

impl CustomerRef {
    pub(crate) fn new(core: &Arc<Core>, id: Result<CustomerId>) -> Self {
        Self {
            core: Arc::clone(core),
            id: id.into(),
        }
    }

    /// Reads it.
    pub fn get(&self) -> Request<Intpc> {
        Request::new(
            &self.core,
            &operations::GET_CUSTOMER,
            invoke!(self.id.get(), |api, id| api.get_customer(id.as_str())),
            |reply| reply.payload,
        )
    }

    /// Deletes it and all of its websites; gives it as it was, or `None` where
    /// the server answers without a body.
    pub fn delete(&self) -> Request<Option<Intpc>> {
        Request::new(
            &self.core,
            &operations::DELETE_CUSTOMER,
            invoke!(self.id.get(), |api, id| api.delete_customer(id.as_str())),
            |reply| reply.payload,
        )
        .or_nothing()
    }

    /// Its websites.
    pub fn websites(&self) -> List<Website> {
        websites::list(&self.core, Some(self.id.clone()))
    }

    /// The subscription of its account (account model).
    pub fn subscription(&self) -> AccountSubscription {
        AccountSubscription::new(&self.core, self.id.clone())
    }
}

/// A page of the facade out of what is on the wire.
pub(crate) fn page_of<T>(items: Vec<T>, meta: Option<wire::PaginationMeta>) -> Page<T> {
    // A count below zero means nothing; the entries are what matters.
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    Page {
        items,
        meta: meta.map(|meta| PageMeta {
            page: count(meta.page),
            page_size: count(meta.page_size),
            pages: count(meta.page_total),
            total: count(meta.total),
        }),
    }
}

fn create(
    core: &Arc<Core>,
    body: Result<Arc<wire::CreateCustomerRequest>>,
) -> Request<CreatedIntpc> {
    Request::new(
        core,
        &operations::CREATE_CUSTOMER,
        invoke!(body, |api, body| api.create_customer(&body)),
        |reply: wire::CreatedIntpcResponse| reply.payload,
    )
}

/// Looks under the id of a create, and under that of its website.
async fn look(
    core: &Arc<Core>,
    wanted: &wire::CreateCustomerRequest,
) -> Result<Found<CreatedIntpc>> {
    let id = CustomerId::new(&wanted.intp_customer_id)?;
    let found = match CustomerRef::new(core, Ok(id)).get().await {
        Ok(found) if found.email.eq_ignore_ascii_case(&wanted.email) => found,
        Ok(_) => {
            return Ok(Found::Other(
                "by a customer with another e-mail address".to_owned(),
            ));
        }
        Err(error) if error.is_not_found() => {
            let taken = match &wanted.website {
                Some(site) => {
                    websites::WebsiteRef::new(core, WebsiteId::new(&site.intp_website_id))
                        .get()
                        .await
                        .is_ok()
                }
                None => false,
            };
            return Ok(if taken {
                Found::Other("by another website".to_owned())
            } else {
                Found::Nothing
            });
        }
        Err(error) => return Err(error),
    };
    let website = match &wanted.website {
        None => None,
        Some(wanted) => {
            let site = websites::WebsiteRef::new(core, WebsiteId::new(&wanted.intp_website_id));
            match site.get().await {
                Ok(site)
                    if site.intp_customer_id == found.intp_customer_id
                        && websites::same_domain(&site.domain, &wanted.domain) =>
                {
                    Some(site)
                }
                Ok(_) => {
                    return Ok(Found::Other(
                        "by a customer without this website".to_owned(),
                    ));
                }
                Err(error) if error.is_not_found() => {
                    return Ok(Found::Other(
                        "by a customer without this website".to_owned(),
                    ));
                }
                Err(error) => return Err(error),
            }
        }
    };
    Ok(Found::Same(CreatedIntpc {
        id: found.id,
        visa_id: found.visa_id,
        intp_customer_id: found.intp_customer_id,
        email: found.email,
        intp_id: found.intp_id,
        created_at: found.created_at,
        website,
    }))
}
