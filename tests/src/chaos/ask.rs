//! The requests that a caller of the run can make.

use std::sync::Arc;

use twipla::PackageId;
use twipla::resources::Rotation;
use twipla::types::ContributorRole;

/// The owner of a subscription, or the target of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Website(String),
    Customer(String),
}

impl Owner {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Website(id) | Self::Customer(id) => id,
        }
    }
}

/// A website to create.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NewWebsite {
    pub(super) id: String,
    pub(super) customer: String,
    pub(super) domain: String,
    pub(super) package: Option<PackageId>,
    /// Only in the nested form.
    pub(super) free_trial: bool,
    /// Only in the nested form.
    pub(super) privacy_level: Option<i64>,
}

/// A change of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Upgrade {
        package: PackageId,
        trial: Trial,
        pro_rate: bool,
    },
    /// Through `change_to`, which reads first and chooses the change itself.
    MoveTo {
        package: PackageId,
        way: Way,
    },
    Downgrade(PackageId),
    Cancel,
    Resume,
    Deactivate,
}

impl Change {
    /// Returns the change that is sent, or `None` if `change_to` has nothing to do.
    pub(super) fn sent(&self) -> Option<Self> {
        let Self::MoveTo { package, way } = self else {
            return Some(self.clone());
        };
        match way {
            Way::Upgrade => Some(Self::Upgrade {
                package: *package,
                trial: Trial::No,
                pro_rate: false,
            }),
            Way::Downgrade => Some(Self::Downgrade(*package)),
            Way::Resume => Some(Self::Resume),
            Way::Nothing => None,
        }
    }
}

/// What `change_to` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Upgrade,
    Downgrade,
    Resume,
    Nothing,
}

/// Whether an upgrade requests a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    No,
    First,
    /// Requested without effect, because a subscription has one trial.
    Second,
}

/// A request.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    CreateCustomer {
        id: String,
        email: String,
        package: Option<PackageId>,
        website: Option<NewWebsite>,
    },
    DeleteCustomer(String),
    CreateWebsite(NewWebsite),
    CreateWebsiteFlat(NewWebsite),
    ReadCustomer(String),
    ReadWebsite(String),
    ReadPackage(PackageId),
    /// All entries of a list.
    ReadList(List),
    DeleteWebsite(String),
    Change(Owner, Change),
    CreateKey {
        website: String,
        name: String,
    },
    /// Creates a key with the name of this one.
    RotateKey {
        website: String,
        key: String,
        name: String,
    },
    /// Deletes the old key of a rotation.
    ConfirmRotation {
        website: String,
        rotation: Arc<Rotation>,
    },
    /// Deletes the new key of a rotation.
    AbandonRotation {
        website: String,
        rotation: Arc<Rotation>,
    },
    DeleteKey {
        website: String,
        key: String,
    },
    AddContributor {
        website: String,
        customer: String,
        role: ContributorRole,
    },
    RemoveContributor {
        website: String,
        customer: String,
    },
    AddDomain {
        website: String,
        domain: String,
    },
    RemoveDomain {
        website: String,
        domain: String,
    },
    CreatePackage(String),
    RenamePackage {
        package: PackageId,
        name: String,
    },
    Assign {
        package: PackageId,
        to: Owner,
    },
    Unassign {
        package: PackageId,
        from: Owner,
    },
}

/// A list that is read to its end.
#[derive(Debug, Clone)]
pub(super) enum List {
    Customers(Paging),
    Websites(Paging),
    WebsitesOf(String, Paging),
    Keys(String),
    Contributors(String),
    Domains(String),
    Packages,
}

/// How a list is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) size: u32,
    pub(super) prefetch: bool,
}

impl Ask {
    /// Returns the name of a call that combines several operations. Every run must have all of [`COMPOSED`].
    pub(super) fn composed(&self) -> Option<&'static str> {
        Some(match self {
            Self::RotateKey { .. } => "rotate",
            Self::ConfirmRotation { .. } => "confirm a rotation",
            Self::AbandonRotation { .. } => "abandon a rotation",
            Self::Change(_, Change::MoveTo { way, .. }) => match way {
                Way::Upgrade => "change_to, an upgrade",
                Way::Downgrade => "change_to, a downgrade",
                Way::Resume => "change_to, a resumption",
                Way::Nothing => "change_to, nothing to do",
            },
            _ => return None,
        })
    }

    /// Returns the name of the bulk call for this request.
    pub(super) fn bulk(&self) -> Option<&'static str> {
        Some(match self {
            Self::CreateCustomer { .. } => "bulk create_customers",
            Self::DeleteCustomer(_) => "bulk delete_customers",
            Self::CreateWebsite(_) => "bulk create_websites",
            Self::DeleteWebsite(_) => "bulk delete_websites",
            _ => return None,
        })
    }
}

/// All names of [`Ask::composed`] and [`Ask::bulk`].
pub(super) const COMPOSED: [&str; 11] = [
    "rotate",
    "confirm a rotation",
    "abandon a rotation",
    "change_to, an upgrade",
    "change_to, a downgrade",
    "change_to, a resumption",
    "change_to, nothing to do",
    "bulk create_customers",
    "bulk delete_customers",
    "bulk create_websites",
    "bulk delete_websites",
];

/// What the sandbox does with a call without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// It changes something.
    Change,
    /// It succeeds and changes nothing.
    NoChange,
    /// It is rejected.
    Refusal,
}

/// A call of the run.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) ask: Ask,
    pub(super) expected: Expected,
}

/// One call, or several of one kind in bulk.
#[derive(Debug)]
pub(super) enum Turn {
    One(Call),
    Bulk {
        calls: Vec<Call>,
        stop_on_error: bool,
    },
}

impl Turn {
    pub(super) fn calls(&self) -> &[Call] {
        match self {
            Self::One(call) => std::slice::from_ref(call),
            Self::Bulk { calls, .. } => calls,
        }
    }
}
