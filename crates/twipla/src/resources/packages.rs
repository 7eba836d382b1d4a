//! Packages: pricing plans.

use std::sync::Arc;

use twipla_api::types as wire;

use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::operations;
use crate::options::CallOptions;
use crate::recover;
use crate::request::{Request, call_methods};
use crate::types::{BillingInterval, Count, Currency, Package, PackageVisibility};
use crate::{Error, Result};

/// All packages. Made by [`Twipla::packages`](crate::Twipla::packages).
#[derive(Debug, Clone)]
pub struct Packages {
    core: Arc<Core>,
}

impl Packages {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self {
            core: Arc::clone(core),
        }
    }

    /// All packages of the company, or those that one website or customer may use.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// for package in twipla.packages().list().for_website("site-7").await? {
    ///     println!("{}: {} {} a {}", package.name, package.price, package.currency, package.period);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list(&self) -> ListPackages {
        ListPackages {
            core: Arc::clone(&self.core),
            website: None,
            customer: None,
            options: self.core.options,
        }
    }

    /// Adds a package (observed in the official SDKs). There is no way to delete one.
    ///
    /// `touchpoints` per period, `price` per period in units of the currency.
    ///
    /// ```
    /// use twipla::types::{BillingInterval, Currency};
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// let package = twipla.packages()
    ///     .create("Shop 20k", 20_000, 14.99, Currency::Eur, BillingInterval::Monthly)
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn create(
        &self,
        name: impl Into<String>,
        touchpoints: u32,
        price: f64,
        currency: Currency,
        period: BillingInterval,
    ) -> CreatePackage {
        CreatePackage {
            core: Arc::clone(&self.core),
            body: wire::CreatePackageRequest {
                name: name.into(),
                touchpoints: Count::from(i64::from(touchpoints)),
                price,
                currency,
                period,
                visibility: None,
                external_id: None,
            },
            options: self.core.options,
        }
    }
}

/// A list of packages about to be read. Not paged.
#[derive(Debug)]
#[must_use = "a list is read when it is awaited"]
pub struct ListPackages {
    core: Arc<Core>,
    website: Option<Result<WebsiteId>>,
    customer: Option<Result<CustomerId>>,
    options: CallOptions,
}

impl ListPackages {
    /// Only the packages that this website may use: the public ones and those
    /// assigned to it (documented).
    pub fn for_website(mut self, website: impl IntoId<WebsiteId>) -> Self {
        self.website = Some(website.into_id());
        self
    }

    /// Only the packages that this customer may use: the public ones and
    /// those assigned to them (documented).
    pub fn for_customer(mut self, customer: impl IntoId<CustomerId>) -> Self {
        self.customer = Some(customer.into_id());
        self
    }

    fn request(self) -> Request<Vec<Package>> {
        operations::list_packages(&self.core, self.website, self.customer)
    }
}

call_methods!(ListPackages => Vec<Package>);

/// A package about to be created. Awaiting it gives the package.
///
/// After an ambiguous failure the list is read back: a package that has just
/// been made as asked for is the answer. It is never sent a second time,
/// because a package cannot be deleted.
#[derive(Debug)]
#[must_use = "a package is created when this is awaited"]
pub struct CreatePackage {
    core: Arc<Core>,
    body: wire::CreatePackageRequest,
    options: CallOptions,
}

impl CreatePackage {
    /// Who may use it: everyone, or only whom it is assigned to.
    pub fn visibility(mut self, visibility: PackageVisibility) -> Self {
        self.body.visibility = Some(visibility);
        self
    }

    /// An id of your own, kept with the package (observed in 2024).
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.body.external_id = Some(id.into());
        self
    }

    fn request(self) -> Request<Package> {
        let body = self.body;
        let checked = check_price(body.price).and_then(|()| check_name(&body.name));
        operations::create_package(&self.core, checked.map(|()| &body))
            .with_recovery(recover::created_package(&self.core, body))
    }
}

call_methods!(CreatePackage => Package);

/// One package. Made by [`Twipla::package`](crate::Twipla::package).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let custom = twipla.package("471cc1d4-ec27-4504-b7c2-949af95662bc");
/// custom.assign_to_website("site-7").await?;
/// println!("{} is now on offer", custom.get().await?.name);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct PackageRef {
    core: Arc<Core>,
    id: DeferredId<PackageId>,
}

impl PackageRef {
    pub(crate) fn new(core: &Arc<Core>, id: Result<PackageId>) -> Self {
        Self {
            core: Arc::clone(core),
            id: id.into(),
        }
    }

    /// Reads it.
    pub fn get(&self) -> Request<Package> {
        operations::get_package(&self.core, &self.id)
    }

    /// Gives it another name (observed in the official SDKs). Refused for recommended packages.
    pub fn rename(&self, name: impl Into<String>) -> Request<Package> {
        let name = name.into();
        let body = check_name(&name).map(|()| wire::RenamePackageRequest { name });
        operations::rename_package(&self.core, &self.id, body)
    }

    /// Lets a website use a restricted package (website model; documented).
    pub fn assign_to_website(&self, website: impl IntoId<WebsiteId>) -> Request<()> {
        self.assign(website.into_id().map(|id| id.to_string()))
    }

    /// Lets a customer use a restricted package (account model; documented).
    pub fn assign_to_customer(&self, customer: impl IntoId<CustomerId>) -> Request<()> {
        self.assign(customer.into_id().map(|id| id.to_string()))
    }

    /// Takes a restricted package from a website. A running subscription to it goes on (documented).
    pub fn unassign_from_website(&self, website: impl IntoId<WebsiteId>) -> Request<()> {
        self.unassign(website.into_id().map(|id| id.to_string()))
    }

    /// Takes a restricted package from a customer. A running subscription to it goes on (documented).
    pub fn unassign_from_customer(&self, customer: impl IntoId<CustomerId>) -> Request<()> {
        self.unassign(customer.into_id().map(|id| id.to_string()))
    }

    fn assign(&self, target: Result<String>) -> Request<()> {
        operations::assign_package(&self.core, &self.id, target)
    }

    fn unassign(&self, target: Result<String>) -> Request<()> {
        operations::unassign_package(&self.core, &self.id, target)
    }
}

fn check_price(price: f64) -> Result<()> {
    if price.is_finite() && price >= 0.0 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "invalid price {price}: expected zero or more"
    )))
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid("invalid package name: must not be empty"));
    }
    Ok(())
}
