//! The summary of a plan.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::catalogue::Catalogue;
use crate::error::{Error, Result};
use crate::money::Monthly;
use crate::subscription::{Standing, Step, Target};

/// With this many deletions or more, a plan is only applied with `force`.
const MANY_DELETIONS: u64 = 100;
/// Likewise if more than this percentage of all customers and websites is deleted.
const LARGE_SHARE: u64 = 30;

/// The counts of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Summary {
    /// Customers with at least one action.
    pub customers: u64,
    /// Number of actions.
    pub actions: u64,
    /// Customers to create.
    pub created_customers: u64,
    /// Websites to create.
    pub created_websites: u64,
    /// Subscriptions to upgrade.
    pub upgrades: u64,
    /// Subscriptions to downgrade.
    pub downgrades: u64,
    /// Subscriptions to cancel.
    pub cancellations: u64,
    /// Cancellations to revoke.
    pub resumes: u64,
    /// Subscriptions whose change is decided when the plan is applied.
    pub undecided: u64,
    /// Whitelisted domains to add.
    pub added_domains: u64,
    /// Whitelisted domains to remove.
    pub removed_domains: u64,
    /// Roles to set.
    pub set_roles: u64,
    /// Roles to remove.
    pub removed_roles: u64,
    /// Customers to delete.
    pub deleted_customers: u64,
    /// Websites to delete, those of deleted customers included.
    pub deleted_websites: u64,
    /// Customers and websites on the server now.
    pub there: u64,
    /// Customers on the server that are not in the file.
    pub unlisted_customers: u64,
    /// Websites on the server that are not in the file.
    pub unlisted_websites: u64,
    /// Differences that the API has no operation for.
    pub problems: u64,
    /// The difference of the monthly prices, once all planned changes are active.
    pub price: Monthly,
    /// Warnings to read before the plan is applied.
    pub warnings: Vec<String>,
}

/// Formats a number with its noun, such as `1 customer` and `2 customers`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

impl Summary {
    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.actions == 0
    }

    /// Returns the number of customers and websites to delete.
    pub fn deletions(&self) -> u64 {
        self.deleted_customers + self.deleted_websites
    }

    /// Returns whether so much is deleted that it may be a mistake: 100 customers and
    /// websites, or more than 30 % of those on the server.
    pub fn needs_force(&self) -> bool {
        let deletions = self.deletions();
        deletions >= MANY_DELETIONS
            || u128::from(deletions) * 100 > u128::from(self.there) * u128::from(LARGE_SHARE)
    }

    pub(crate) fn check_deletions(&self) -> Result<()> {
        if !self.needs_force() {
            return Ok(());
        }
        Err(Error::Refused(format!(
            "the plan deletes {} of the {} customers and websites on the server: {MANY_DELETIONS} or more, or more than {LARGE_SHARE} %, need `force`",
            self.deletions(),
            self.there
        )))
    }

    /// Counts an action. `lost` are the subscriptions that a deletion ends.
    pub(crate) fn count(&mut self, action: &Action, lost: &[Standing], packages: &Catalogue) {
        self.actions += 1;
        match action {
            Action::CreateCustomer {
                package,
                first_website,
                ..
            } => {
                self.created_customers += 1;
                self.created_websites += u64::from(first_website.is_some());
                self.pay(*package, packages);
            }
            Action::CreateWebsite { package, .. } => {
                self.created_websites += 1;
                self.pay(*package, packages);
            }
            Action::ChangeSubscription {
                step, to, before, ..
            } => {
                match step {
                    Some(Step::Upgrade) => self.upgrades += 1,
                    Some(Step::Downgrade) => self.downgrades += 1,
                    Some(Step::Cancel) => self.cancellations += 1,
                    Some(Step::Resume) => self.resumes += 1,
                    None => self.undecided += 1,
                }
                if let Some(before) = before {
                    self.save(before, packages);
                    if let Target::Package(package) = to {
                        self.pay(Some(*package), packages);
                    }
                }
            }
            Action::AddDomain { .. } => self.added_domains += 1,
            Action::RemoveDomain { .. } => self.removed_domains += 1,
            Action::SetRole { .. } => self.set_roles += 1,
            Action::RemoveContributor { .. } => self.removed_roles += 1,
            Action::DeleteWebsite { .. } => self.deleted_websites += 1,
            Action::DeleteCustomer { websites } => {
                self.deleted_customers += 1;
                self.deleted_websites += websites.len() as u64;
            }
        }
        for standing in lost {
            self.save(standing, packages);
        }
    }

    fn pay(&mut self, package: Option<twipla::PackageId>, packages: &Catalogue) {
        if let Some((package, amount)) = package.and_then(|package| packages.price(package)) {
            self.price.add(&package.currency, amount);
        }
    }

    fn save(&mut self, before: &Standing, packages: &Catalogue) {
        let paid = before.lasting().and_then(|package| packages.price(package));
        if let Some((package, amount)) = paid {
            self.price.subtract(&package.currency, amount);
        }
    }
}
