//! The actions of a plan: each is one call that changes something.

use serde::{Deserialize, Serialize};
use twipla::types::ContributorRole;
use twipla::{CustomerId, PackageId, WebsiteId};

use crate::subscription::{Standing, Step, Target};

/// One change on the server, with the state that it was planned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Creates the customer.
    CreateCustomer {
        /// Their e-mail address.
        email: String,
        /// The package of the customer (account model).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        package: Option<PackageId>,
        /// A first website, created in the same call: the package of a customer is visible only on a website.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_website: Option<FirstWebsite>,
    },
    /// Creates a website of the customer.
    CreateWebsite {
        /// The id of the website.
        website: WebsiteId,
        /// Its domain.
        domain: String,
        /// The package that it starts on (website model).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        package: Option<PackageId>,
    },
    /// Changes a subscription.
    ChangeSubscription {
        /// The website that has it; if missing, the customer's account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        website: Option<WebsiteId>,
        /// The change to make; decided when it is applied if no website showed the subscription.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Step>,
        /// The wanted state of the subscription.
        to: Target,
        /// The state of the subscription when the plan was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Standing>,
    },
    /// Adds a domain to the whitelist of a website.
    AddDomain {
        /// The website.
        website: WebsiteId,
        /// The domain.
        domain: String,
    },
    /// Removes a domain from that list.
    RemoveDomain {
        /// The website.
        website: WebsiteId,
        /// The domain, as the server writes it.
        domain: String,
    },
    /// Gives another customer a role on a website.
    SetRole {
        /// The website.
        website: WebsiteId,
        /// The customer who gets the role.
        contributor: CustomerId,
        /// The role.
        role: ContributorRole,
        /// The role that they had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<ContributorRole>,
    },
    /// Removes another customer's role on a website.
    RemoveContributor {
        /// The website.
        website: WebsiteId,
        /// The customer whose role it is.
        contributor: CustomerId,
        /// The role that they had.
        before: ContributorRole,
    },
    /// Deletes a website of the customer.
    DeleteWebsite {
        /// The website.
        website: WebsiteId,
        /// The state of its subscription (website model).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Standing>,
    },
    /// Deletes the customer with all of their websites.
    DeleteCustomer {
        /// The websites that they had.
        websites: Vec<WebsiteId>,
    },
}

/// The website that is created along with a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstWebsite {
    /// The id of the website.
    pub website: WebsiteId,
    /// Its domain.
    pub domain: String,
}

/// The order of actions: deletions come first because they free things that creates need
/// (an e-mail address, for instance), and a customer must exist before it gets a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Remove,
    Build,
    Share,
}

impl Stage {
    pub(crate) const ALL: [Self; 3] = [Self::Remove, Self::Build, Self::Share];
}

impl Action {
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::RemoveDomain { .. }
            | Self::RemoveContributor { .. }
            | Self::DeleteWebsite { .. }
            | Self::DeleteCustomer { .. } => Stage::Remove,
            Self::CreateCustomer { .. }
            | Self::CreateWebsite { .. }
            | Self::ChangeSubscription { .. }
            | Self::AddDomain { .. } => Stage::Build,
            Self::SetRole { .. } => Stage::Share,
        }
    }

    /// Returns whether it cannot succeed before an earlier action of the same customer is done:
    /// anything that belongs to a customer or website that does not exist yet, and the
    /// second of two changes of a subscription.
    pub(crate) fn follows(&self, earlier: &Self) -> bool {
        match earlier {
            Self::CreateCustomer { .. } => true,
            Self::CreateWebsite { website, .. } => self.website() == Some(website),
            Self::ChangeSubscription { website, .. } => {
                matches!(self, Self::ChangeSubscription { website: later, .. } if later == website)
            }
            _ => false,
        }
    }

    fn website(&self) -> Option<&WebsiteId> {
        match self {
            Self::CreateCustomer { .. } | Self::DeleteCustomer { .. } => None,
            Self::ChangeSubscription { website, .. } => website.as_ref(),
            Self::CreateWebsite { website, .. }
            | Self::AddDomain { website, .. }
            | Self::RemoveDomain { website, .. }
            | Self::SetRole { website, .. }
            | Self::RemoveContributor { website, .. }
            | Self::DeleteWebsite { website, .. } => Some(website),
        }
    }

    /// Returns whether it lowers what the customer has or pays, so that it is listed separately.
    pub fn is_reduction(&self) -> bool {
        matches!(
            self,
            Self::ChangeSubscription {
                step: Some(Step::Downgrade | Step::Cancel),
                ..
            }
        )
    }

    /// Returns whether it deletes a website or a customer.
    pub fn is_deletion(&self) -> bool {
        matches!(
            self,
            Self::DeleteWebsite { .. } | Self::DeleteCustomer { .. }
        )
    }
}
