//! What a plan is made of: one action is one call that changes something.

use serde::{Deserialize, Serialize};
use twipla::types::ContributorRole;
use twipla::{CustomerId, PackageId, WebsiteId};

use crate::subscription::{Standing, Step, Target};

/// One change of what the server has, with what it was planned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Creates the customer.
    CreateCustomer {
        /// Their e-mail address.
        email: String,
        /// The package of the account (account model).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        package: Option<PackageId>,
        /// A first website, in the same call: nothing else shows the package of an account.
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
        /// The website that has it; the customer's account where it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        website: Option<WebsiteId>,
        /// Which change; decided when it is applied where no website showed the subscription.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Step>,
        /// Where the change leads.
        to: Target,
        /// Where the subscription stood.
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
    /// Takes a domain off that list.
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
        /// Who gets the role.
        contributor: CustomerId,
        /// The role.
        role: ContributorRole,
        /// The role that they had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<ContributorRole>,
    },
    /// Takes another customer's role on a website away.
    RemoveContributor {
        /// The website.
        website: WebsiteId,
        /// Whose role it is.
        contributor: CustomerId,
        /// The role that they had.
        before: ContributorRole,
    },
    /// Deletes a website of the customer.
    DeleteWebsite {
        /// The website.
        website: WebsiteId,
        /// Where its subscription stood (website model).
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

/// When an action has its turn: what is deleted makes room for what is created
/// (an e-mail address, for instance), and whoever gets a role must be there.
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

    /// Whether it is of no use before an earlier action of the same customer is done:
    /// whatever belongs to a customer or website that is not there, and the
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

    /// Whether it lowers what the customer has or pays, so that it is listed on its own.
    pub fn is_reduction(&self) -> bool {
        matches!(
            self,
            Self::ChangeSubscription {
                step: Some(Step::Downgrade | Step::Cancel),
                ..
            }
        )
    }

    /// Whether it deletes a website or a customer.
    pub fn is_deletion(&self) -> bool {
        matches!(
            self,
            Self::DeleteWebsite { .. } | Self::DeleteCustomer { .. }
        )
    }
}
