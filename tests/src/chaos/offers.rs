//! The packages that a run uses.

use std::collections::BTreeMap;

use twipla::types::{BillingInterval, Currency, Package, PackageVisibility};
use twipla::{PackageId, Twipla};

use super::outcome::Error;

/// The packages of one partner before the run.
#[derive(Debug)]
pub(super) struct Offers {
    /// The public ones with a price, smallest first.
    pub(super) paid: Vec<PackageId>,
    /// The package after the end of a canceled subscription.
    pub(super) free: PackageId,
    /// The default package of a website.
    pub(super) trial: PackageId,
    /// A package that must be assigned.
    pub(super) restricted: PackageId,
    touchpoints: BTreeMap<PackageId, i64>,
}

impl Offers {
    pub(super) async fn read(twipla: &Twipla) -> Result<Self, Error> {
        let create = twipla.packages().create(
            "Custom 75k",
            75_000,
            49.0,
            Currency::Eur,
            BillingInterval::Monthly,
        );
        create.visibility(PackageVisibility::Restricted).await?;
        let mut packages = twipla.packages().list().await?;
        packages.sort_by_key(|package| package.touchpoints.get());
        let is_restricted = |package: &Package| package.visibility == PackageVisibility::Restricted;
        let first = |is_wanted: &dyn Fn(&Package) -> bool| {
            let found = packages.iter().find(|package| is_wanted(package));
            found
                .map(|package| package.id)
                .ok_or("the price list of the sandbox lacks a package")
        };
        Ok(Self {
            free: first(&|package| package.touchpoints.get() == 0)?,
            trial: first(&|package| package.touchpoints.is_unlimited())?,
            restricted: first(&is_restricted)?,
            paid: packages
                .iter()
                .filter(|package| package.price > 0.0 && !is_restricted(package))
                .map(|package| package.id)
                .collect(),
            touchpoints: packages
                .iter()
                .map(|package| (package.id, package.touchpoints.get()))
                .collect(),
        })
    }

    /// Returns the size of a package; the unlimited trial counts as the smallest.
    pub(super) fn size(&self, package: PackageId) -> i64 {
        self.touchpoints.get(&package).copied().unwrap_or_default()
    }
}
