//! Packages: pricing plans.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use twipla_api::types as wire;

use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::operations;
use crate::options::CallOptions;
use crate::recover;
use crate::request::{BoxFuture, Recovery, Request, call_methods, call_options};
use crate::retry::RetryPolicy;
use crate::types::{BillingInterval, Count, Currency, Package, PackageVisibility};
use crate::{Error, ErrorKind, Result};

/// The collection of packages. Created by [`Twipla::packages`](crate::Twipla::packages).
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

    /// Lists all packages of the company, or those that one website or customer may use.
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

    /// Finds a package by its name, ignoring case. Reads the list of all packages.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none, and
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if several have the
    /// name; the message lists the candidates.
    ///
    /// ```
    /// use twipla::types::BillingInterval;
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// let pro = twipla.packages().find("Pro").period(BillingInterval::Monthly).await?;
    /// twipla.website("site-7").subscription().upgrade(pro.id).await?;
    /// # Ok(()) }
    /// ```
    pub fn find(&self, name: impl Into<String>) -> FindPackage {
        FindPackage {
            list: self.list(),
            name: name.into(),
            period: None,
        }
    }

    /// Creates a package (observed in the official SDKs). Packages cannot be deleted.
    /// The list of packages is read first; see [`CreatePackage`].
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

/// A list of packages to be read. Not paged.
#[derive(Debug)]
#[must_use = "a list is read when it is awaited"]
pub struct ListPackages {
    core: Arc<Core>,
    website: Option<Result<WebsiteId>>,
    customer: Option<Result<CustomerId>>,
    options: CallOptions,
}

impl ListPackages {
    /// Lists only the packages that this website may use: the public ones and those
    /// assigned to it (documented).
    pub fn for_website(mut self, website: impl IntoId<WebsiteId>) -> Self {
        self.website = Some(website.into_id());
        self
    }

    /// Lists only the packages that this customer may use: the public ones and
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

/// A package to be looked up by its name. Awaiting it returns the package.
#[derive(Debug)]
#[must_use = "a package is looked up when this is awaited"]
pub struct FindPackage {
    list: ListPackages,
    name: String,
    period: Option<BillingInterval>,
}

impl FindPackage {
    /// Finds only a package with this billing period: monthly and yearly packages may have the same name.
    pub fn period(mut self, period: BillingInterval) -> Self {
        self.period = Some(period);
        self
    }

    /// Sets how long this may take in all; see [`Request::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.list = self.list.timeout(timeout);
        self
    }

    /// Sets how failed attempts to read the list are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.list = self.list.retry(policy);
        self
    }

    /// Returns the package as JSON, as the server sent it; see [`Request::raw`].
    pub async fn raw(self) -> Result<serde_json::Value> {
        let mut list = self.list.raw().await?;
        let packages = Vec::<Package>::deserialize(&list).map_err(|error| {
            Error::new(
                ErrorKind::Decode,
                "the list of packages does not fit the contract",
            )
            .with_source(error)
        })?;
        let found = pick(&packages, &self.name, self.period.as_ref())?;
        Ok(list[found].take())
    }

    async fn send(self) -> Result<Package> {
        let mut packages = self.list.await?;
        let found = pick(&packages, &self.name, self.period.as_ref())?;
        Ok(packages.swap_remove(found))
    }
}

impl IntoFuture for FindPackage {
    type Output = Result<Package>;
    type IntoFuture = BoxFuture<'static, Result<Package>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Returns the position in the list of the one package of this name and period.
fn pick(packages: &[Package], name: &str, period: Option<&BillingInterval>) -> Result<usize> {
    let found: Vec<usize> = (0..packages.len())
        .filter(|&place| packages[place].name.to_lowercase() == name.to_lowercase())
        .filter(|&place| period.is_none_or(|period| packages[place].period == *period))
        .collect();
    match found[..] {
        [place] => Ok(place),
        [] => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "no package is named {name:?}: there are {}",
                shown(packages)
            ),
        )),
        _ => Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "several packages are named {name:?}: choose a period() or an id of {}",
                shown(found.iter().map(|&place| &packages[place]))
            ),
        )),
    }
}

fn shown<'a>(packages: impl IntoIterator<Item = &'a Package>) -> String {
    let shown: Vec<_> = packages
        .into_iter()
        .map(|package| format!("{} ({}, {})", package.name, package.period, package.id))
        .collect();
    shown.join(", ")
}

/// A package to be created. Awaiting it sends the request and returns the package.
///
/// Names need not be unique, so the list is read first: after an ambiguous failure it is
/// read again, and a matching package that did not exist before is
/// returned. The create is never sent a second time, because a package cannot be
/// deleted.
#[derive(Debug)]
#[must_use = "a package is created when this is awaited"]
pub struct CreatePackage {
    core: Arc<Core>,
    body: wire::CreatePackageRequest,
    options: CallOptions,
}

impl CreatePackage {
    /// Sets who may use it: everyone, or only those it is assigned to.
    pub fn visibility(mut self, visibility: PackageVisibility) -> Self {
        self.body.visibility = Some(visibility);
        self
    }

    /// Sets an id of your own, stored with the package (observed in 2024).
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.body.external_id = Some(id.into());
        self
    }

    /// Sends only the create and returns the raw JSON `payload`; see [`Request::raw`].
    pub async fn raw(self) -> Result<serde_json::Value> {
        self.request().with_options(self.options).raw().await
    }

    async fn send(self) -> Result<Package> {
        self.check()?;
        let options = self.options.shared();
        let packages = operations::list_packages(&self.core, None, None);
        let known = packages.with_options(options).await?;
        let known = known.into_iter().map(|package| package.id).collect();
        self.request()
            .with_recovery(recover::created_package(&self.core, self.body, known))
            .with_options(options)
            .await
    }

    fn request(&self) -> Request<Package> {
        operations::create_package(&self.core, self.check().map(|()| &self.body))
    }

    fn check(&self) -> Result<()> {
        check_price(self.body.price)?;
        check_name(&self.body.name)
    }
}

call_options!(CreatePackage);

impl IntoFuture for CreatePackage {
    type Output = Result<Package>;
    type IntoFuture = BoxFuture<'static, Result<Package>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.send()
                .await
                .map_err(|error| error.with_operation("create_package"))
        })
    }
}

/// One package. Created by [`Twipla::package`](crate::Twipla::package).
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

    /// Reads the package.
    pub fn get(&self) -> Request<Package> {
        operations::get_package(&self.core, &self.id)
    }

    /// Renames the package (observed in the official SDKs). Rejected for recommended
    /// packages. Read back after an ambiguous failure.
    pub fn rename(&self, name: impl Into<String>) -> Request<Package> {
        let name = name.into();
        let recovery = recover::package_name(&self.core, &self.id, name.clone());
        let body = check_name(&name).map(|()| wire::RenamePackageRequest { name });
        operations::rename_package(&self.core, &self.id, body).with_recovery(recovery)
    }

    /// Lets a website use a restricted package (website model; documented).
    ///
    /// After an ambiguous failure the package is read back. It is not read before, because
    /// assigning twice has no further effect:
    /// [`ChangeState::InForce`](crate::ChangeState::InForce) means that the website may use it,
    /// from this call or before. Not every version of the server shows it.
    pub fn assign_to_website(&self, website: impl IntoId<WebsiteId>) -> Request<()> {
        self.assign(website.into_id().map(|id| id.to_string()))
    }

    /// Lets a customer use a restricted package (account model; documented). Read
    /// back like [`assign_to_website`](Self::assign_to_website).
    pub fn assign_to_customer(&self, customer: impl IntoId<CustomerId>) -> Request<()> {
        self.assign(customer.into_id().map(|id| id.to_string()))
    }

    /// Revokes a website's access to a restricted package. An existing subscription to it continues
    /// (documented). Read back like [`assign_to_website`](Self::assign_to_website).
    pub fn unassign_from_website(&self, website: impl IntoId<WebsiteId>) -> Request<()> {
        self.unassign(website.into_id().map(|id| id.to_string()))
    }

    /// Revokes a customer's access to a restricted package. An existing subscription to it continues
    /// (documented). Read back like [`assign_to_website`](Self::assign_to_website).
    pub fn unassign_from_customer(&self, customer: impl IntoId<CustomerId>) -> Request<()> {
        self.unassign(customer.into_id().map(|id| id.to_string()))
    }

    fn assign(&self, target: Result<String>) -> Request<()> {
        let recovery = self.assignment(&target, true);
        operations::assign_package(&self.core, &self.id, target).with_recovery(recovery)
    }

    fn unassign(&self, target: Result<String>) -> Request<()> {
        let recovery = self.assignment(&target, false);
        operations::unassign_package(&self.core, &self.id, target).with_recovery(recovery)
    }

    fn assignment(&self, target: &Result<String>, is_assigned: bool) -> Recovery<()> {
        let target = target.as_ref().ok().cloned();
        recover::assignment(&self.core, &self.id, target, is_assigned)
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
