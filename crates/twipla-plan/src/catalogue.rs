//! The packages of the partner, by name and by id.

use std::collections::BTreeMap;

use twipla::PackageId;
use twipla::types::{Package, PackageVisibility};

use crate::money::Amount;

/// All packages of the partner.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    by_id: BTreeMap<PackageId, Package>,
}

impl Catalogue {
    pub(crate) fn new(packages: Vec<Package>) -> Self {
        Self {
            by_id: packages
                .into_iter()
                .map(|package| (package.id, package))
                .collect(),
        }
    }

    pub(crate) fn get(&self, id: PackageId) -> Option<&Package> {
        self.by_id.get(&id)
    }

    /// Returns the name of a package, or its id if the partner's list does not contain it.
    pub(crate) fn name(&self, id: PackageId) -> String {
        self.get(id)
            .map_or_else(|| id.to_string(), |package| package.name.clone())
    }

    pub(crate) fn names(&self) -> BTreeMap<PackageId, String> {
        self.by_id
            .iter()
            .map(|(id, package)| (*id, package.name.clone()))
            .collect()
    }

    /// Finds the package that a file names, by its name in any case or by its UUID.
    /// The error completes "package X".
    pub(crate) fn find(&self, named: &str) -> Result<&Package, String> {
        let found: Vec<_> = match PackageId::new(named) {
            Ok(id) => self.get(id).into_iter().collect(),
            Err(_) => self
                .by_id
                .values()
                .filter(|package| package.name.to_lowercase() == named.trim().to_lowercase())
                .collect(),
        };
        match found.as_slice() {
            [package] if package.touchpoints.is_unlimited() => {
                Err("is the unlimited free trial, which cannot be requested".to_owned())
            }
            [package] => Ok(package),
            [] => {
                let mut known: Vec<_> = self
                    .by_id
                    .values()
                    .map(|package| package.name.as_str())
                    .collect();
                known.sort_unstable();
                Err(format!(
                    "is not known: expected one of {}",
                    known.join(", ")
                ))
            }
            several => {
                let ids: Vec<_> = several.iter().map(|known| known.id.to_string()).collect();
                Err(format!("is ambiguous: expected one of {}", ids.join(", ")))
            }
        }
    }

    /// Returns the monthly price of a package, or `None` if it is not known.
    pub(crate) fn price(&self, id: PackageId) -> Option<(&Package, Amount)> {
        let package = self.get(id)?;
        Some((package, Amount::of_month(package)))
    }

    /// Returns whether a package costs nothing, so that there is nothing to cancel.
    pub(crate) fn is_free(&self, id: PackageId) -> bool {
        self.price(id).is_some_and(|(_, amount)| amount.is_zero())
    }

    /// Returns whether a package is restricted, and not assigned to this website or customer.
    pub(crate) fn is_closed_to(&self, id: PackageId, target: &str) -> bool {
        let Some(package) = self.get(id) else {
            return false;
        };
        let listed = package.restricted_to.as_deref().unwrap_or_default();
        package.visibility == PackageVisibility::Restricted
            && !listed.iter().any(|to| {
                to.intp_website_id.as_ref().is_some_and(|id| *id == *target)
                    || to
                        .intp_customer_id
                        .as_ref()
                        .is_some_and(|id| *id == *target)
            })
    }
}
