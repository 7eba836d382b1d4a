//! What a caller of the run can ask for.

use std::sync::Arc;

use twipla::PackageId;
use twipla::resources::Rotation;
use twipla::types::ContributorRole;

/// Who has a subscription, or is assigned a package.
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

/// A website as it is asked for.
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

/// What is done to a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Upgrade {
        package: PackageId,
        trial: Trial,
        pro_rate: bool,
    },
    /// An upgrade by way of `change_to`, which reads first.
    MoveTo(PackageId),
    Downgrade(PackageId),
    Cancel,
    Resume,
    Deactivate,
}

/// Whether an upgrade asks for a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    No,
    First,
    /// Asked for in vain: a subscription has one trial.
    Second,
}

/// What is asked for.
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
    ReadWebsite(String),
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

/// What the sandbox does with a call that no fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// It changes something.
    Change,
    /// It succeeds and changes nothing.
    NoChange,
    /// It is refused.
    Refusal,
}

/// A call of the run.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) ask: Ask,
    pub(super) expected: Expected,
}
