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

/// The collection of customers. Created by [`Twipla::customers`](crate::Twipla::customers).
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

    /// Lists all customers of the partner.
    pub fn list(&self) -> List<Intpc> {
        List::new(
            &self.core,
            &table::LIST_CUSTOMERS,
            Arc::new(operations::list_customers),
            |customer| customer.intp_customer_id.as_str(),
        )
    }
}

/// A customer to be created. Awaiting it sends the request and returns the customer.
///
/// The API shows a customer's package only on its websites. If a response
/// is lost and the customer is found without one, a create with a
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
    /// Adds a first website, created along with the customer.
    pub fn website(mut self, id: impl IntoId<WebsiteId>, domain: impl Into<String>) -> Self {
        self.website = Some((id.into_id(), domain.into()));
        self
    }

    /// Sets the package of that website (website model only: the server answers 400 under the account model).
    pub fn website_package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.website_package = Some(package.into_id());
        self
    }

    /// Sets when the first billing period of that website starts; now by default. It
    /// cannot be read back: a customer that is found after an ambiguous failure is
    /// returned whatever the billing date.
    pub fn website_billing_date(mut self, at: DateTime<Utc>) -> Self {
        self.website_billing_date = Some(at);
        self
    }

    /// Sets the package of the customer (account model only: the server answers 400
    /// under the website model; observed).
    pub fn package(mut self, package: impl IntoId<PackageId>) -> Self {
        self.package = Some(package.into_id());
        self
    }

    /// Sets when the first billing period of the customer starts; now by default
    /// (observed). It cannot be read back, see [`website_billing_date`](Self::website_billing_date).
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

/// One customer. Created by [`Twipla::customer`](crate::Twipla::customer).
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

    /// Reads the customer.
    pub fn get(&self) -> Request<Intpc> {
        operations::get_customer(&self.core, &self.id)
    }

    /// Deletes the customer and all of its websites. Returns its last state, or `None` if
    /// the server answers without a body. After an ambiguous failure it is read
    /// back: [`ChangeState::InForce`](crate::ChangeState::InForce) means that it does not exist,
    /// deleted by this call or before.
    pub fn delete(&self) -> Request<Option<Intpc>> {
        operations::delete_customer(&self.core, &self.id)
            .with_recovery(recover::customer_deletion(&self.core, &self.id))
    }

    /// Lists the websites of the customer.
    pub fn websites(&self) -> List<Website> {
        websites::list(&self.core, websites::of_customer(self.id.clone()))
    }

    /// The subscription of the customer's account (account model).
    pub fn subscription(&self) -> AccountSubscription {
        AccountSubscription::new(&self.core, self.id.clone())
    }
}
