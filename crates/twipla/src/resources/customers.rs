//! Customers (INTPC).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use twipla_api::{operations as table, types as wire};

use super::AccountSubscription;
use super::websites;
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::domain::check_domain;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::list::List;
use crate::operations;
use crate::options::CallOptions;
use crate::recover;
use crate::request::{Request, call_methods};
use crate::types::{CreatedIntpc, Intpc, Website};
use crate::{Error, Result};

/// All customers. Made by [`Twipla::customers`](crate::Twipla::customers).
#[derive(Debug, Clone)]
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
            options: self.core.options,
        }
    }

    /// All customers of the partner.
    pub fn list(&self) -> List<Intpc> {
        List::new(
            &self.core,
            &table::LIST_CUSTOMERS,
            Arc::new(operations::list_customers),
            |customer| customer.intp_customer_id.as_str(),
        )
    }
}

/// A customer about to be created. Awaiting it gives the customer.
///
/// The API shows the package of an account only on its websites. Where an answer
/// is lost and the customer is found without one, the create with a
/// [`package`](Self::package) stays ambiguous.
#[derive(Debug)]
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
    options: CallOptions,
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

    /// When the first billing period of that website starts; now by default. No
    /// read shows it: a customer that is found after an ambiguous failure is
    /// returned whatever the billing date.
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

    /// When the first billing period of the account starts; now by default
    /// (observed). No read shows it, see [`website_billing_date`](Self::website_billing_date).
    pub fn billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.billing_date = Some(at);
        self
    }

    fn request(self) -> Request<CreatedIntpc> {
        let core = Arc::clone(&self.core);
        match self.body() {
            Ok(body) => operations::create_customer(&core, Ok(&body))
                .with_recovery(recover::created_customer(&core, body)),
            Err(error) => operations::create_customer(&core, Err(error)),
        }
    }

    fn body(self) -> Result<wire::CreateCustomerRequest> {
        let email = self.email;
        if email.trim().is_empty() || !email.contains('@') || email.chars().any(char::is_control) {
            return Err(Error::invalid(format!(
                "invalid e-mail address {email:?}: expected something like owner@example.com"
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
                    intp_website_id: id?,
                    domain: check_domain(domain)?,
                    package_id: website_package,
                    billing_date: website_billing_date,
                })
            })
            .transpose()?;
        Ok(wire::CreateCustomerRequest {
            intp_customer_id: self.id?,
            email,
            website,
            package_id: self.package.transpose()?,
            billing_date: self.billing_date,
        })
    }
}

call_methods!(CreateCustomer => CreatedIntpc);

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
#[derive(Debug, Clone)]
pub struct CustomerRef {
    core: Arc<Core>,
    id: DeferredId<CustomerId>,
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
        operations::get_customer(&self.core, &self.id)
    }

    /// Deletes it and all of its websites. Returns it as it was, or `None` where
    /// the server answers without a body. After an ambiguous failure it is read
    /// back: [`ChangeState::InForce`](crate::ChangeState::InForce) says that it is gone,
    /// by this call or before.
    pub fn delete(&self) -> Request<Option<Intpc>> {
        operations::delete_customer(&self.core, &self.id)
            .with_recovery(recover::customer_deletion(&self.core, &self.id))
    }

    /// Its websites.
    pub fn websites(&self) -> List<Website> {
        websites::list(&self.core, websites::of_customer(self.id.clone()))
    }

    /// The subscription of its account (account model).
    pub fn subscription(&self) -> AccountSubscription {
        AccountSubscription::new(&self.core, self.id.clone())
    }
}
