//! Packages: pricing plans.

use std::sync::Arc;

use twipla_api::operations;
use twipla_api::types as wire;

use super::settle;
use crate::arg::Arg;
use crate::call::BoxFuture;
use crate::client::Core;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::request::{Request, invoke, sendable};
use crate::types::{BillingInterval, Count, Currency, Package, PackageVisibility};
use crate::{Error, Result};

/// All packages. Made by [`Twipla::packages`](crate::Twipla::packages).
#[derive(Clone)]
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
        }
    }
}

/// A list of packages about to be read. Not paged.
#[must_use = "a list is read when it is awaited"]
pub struct ListPackages {
    core: Arc<Core>,
    website: Option<Result<WebsiteId>>,
    customer: Option<Result<CustomerId>>,
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
        let args = self
            .website
            .transpose()
            .and_then(|website| Ok((website, self.customer.transpose()?)));
        Request::new(
            &self.core,
            &operations::LIST_PACKAGES,
            invoke!(args, |api, (website, customer)| api.list_packages(
                customer.as_ref().map(CustomerId::as_str),
                website.as_ref().map(WebsiteId::as_str)
            )),
            |reply| reply.payload,
        )
    }
}

sendable!(ListPackages => Vec<Package>);

/// A package about to be created. Awaiting it gives the package.
#[must_use = "a package is created when this is awaited"]
pub struct CreatePackage {
    core: Arc<Core>,
    body: wire::CreatePackageRequest,
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

    /// Sends the same call, and returns the `payload` of the reply as JSON.
    pub async fn raw(self) -> Result<serde_json::Value> {
        self.request().raw().await
    }

    fn request(self) -> Request<Package> {
        let body = if self.body.price.is_finite() && self.body.price >= 0.0 {
            check_name(&self.body.name).map(|()| self.body)
        } else {
            Err(Error::invalid(format!(
                "the price {} is not zero or more",
                self.body.price
            )))
        };
        Request::new(
            &self.core,
            &operations::CREATE_PACKAGE,
            invoke!(body, |api, body| api.create_package(&body)),
            |reply| reply.payload,
        )
    }
}

/// After a failure that settled nothing the list is read: a package that has
/// just been made as asked for is the answer. It is never sent a second time,
/// because there is no way to delete a package.
impl IntoFuture for CreatePackage {
    type Output = Result<Package>;
    type IntoFuture = BoxFuture<'static, Result<Package>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (core, wanted) = (Arc::clone(&self.core), self.body.clone());
            let since = settle::since(&core);
            let error = match self.request().await {
                Ok(package) => return Ok(package),
                Err(error) if error.is_ambiguous() => error,
                Err(error) => return Err(error),
            };
            let Ok(known) = Packages::new(&core).list().await else {
                return Err(error.with_ambiguous(true));
            };
            let made = known.into_iter().filter(|package| {
                package.name == wanted.name
                    && package.touchpoints == wanted.touchpoints
                    && package.period == wanted.period
                    && package.created_at >= since
            });
            made.max_by_key(|package| package.created_at).ok_or(error)
        })
    }
}

/// One package. Made by [`Twipla::package`](crate::Twipla::package).
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let custom = twipla.package("471cc1d4-ec27-4504-b7c2-949af95662bc");
/// custom.assign_to_website("site-7").await?;
/// println!("{} is now on offer", custom.get().await?.name);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PackageRef {
    core: Arc<Core>,
    id: Arg<PackageId>,
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
        Request::new(
            &self.core,
            &operations::GET_PACKAGE,
            invoke!(self.id.get(), |api, id| api.get_package(&id.to_string())),
            |reply| reply.payload,
        )
    }

    /// Gives it another name (observed in the official SDKs). Refused for recommended packages.
    pub fn rename(&self, name: impl Into<String>) -> Request<Package> {
        let name = name.into();
        let args = self.id.get().and_then(|id| {
            check_name(&name)?;
            Ok((id, wire::RenamePackageRequest { name }))
        });
        Request::new(
            &self.core,
            &operations::RENAME_PACKAGE,
            invoke!(args, |api, (id, body)| api
                .rename_package(&id.to_string(), &body)),
            |reply| reply.payload,
        )
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
        Request::new(
            &self.core,
            &operations::ASSIGN_PACKAGE,
            invoke!(self.with_target(target), |api, (id, target)| api
                .assign_package(&id, &target)),
            |()| (),
        )
    }

    fn unassign(&self, target: Result<String>) -> Request<()> {
        Request::new(
            &self.core,
            &operations::UNASSIGN_PACKAGE,
            invoke!(self.with_target(target), |api, (id, target)| api
                .unassign_package(&id, &target)),
            |()| (),
        )
    }

    fn with_target(&self, target: Result<String>) -> Result<(String, String)> {
        Ok((self.id.get()?.to_string(), target?))
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid(
            "the name of the package is empty: give it one",
        ));
    }
    Ok(())
}
