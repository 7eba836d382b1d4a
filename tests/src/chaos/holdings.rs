//! The model of a run: what a caller has, according to the results of its calls.

use std::collections::HashSet;
use std::sync::Arc;

use twipla::PackageId;
use twipla::resources::Rotation;
use twipla::types::ContributorRole;
use twipla_sandbox::Model;

use super::ask::{Ask, Call, Change, Expected, NewWebsite, Owner, Trial, Way};
use super::claim::Claim;
use super::offers::Offers;
use super::send::Reply;
use super::trace::Trace;

/// What one caller has. No other caller touches it.
pub(super) struct Holdings {
    pub(super) offers: Arc<Offers>,
    pub(super) model: Model,
    pub(super) customers: Vec<Customer>,
    pub(super) websites: Vec<Website>,
    pub(super) packages: Vec<Package>,
    pub(super) assignments: Vec<(PackageId, Owner)>,
    /// Deletions that were reported as done.
    pub(super) gone: Vec<Ask>,
    /// Ids that are not used again, because a request may still be in flight.
    closed: HashSet<String>,
}

pub(super) struct Customer {
    pub(super) id: String,
    pub(super) email: String,
    /// Under the account model.
    pub(super) subscription: Option<Subscription>,
}

pub(super) struct Website {
    pub(super) id: String,
    pub(super) customer: String,
    /// How it was created.
    pub(super) created: NewWebsite,
    /// Under the website model.
    pub(super) subscription: Option<Subscription>,
    pub(super) keys: Vec<Key>,
    pub(super) rotations: Vec<Arc<Rotation>>,
    pub(super) contributors: Vec<(String, ContributorRole)>,
    pub(super) domains: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) name: String,
}

pub(super) struct Package {
    pub(super) id: PackageId,
    pub(super) name: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subscription {
    pub(super) package: PackageId,
    pub(super) planned: Option<PackageId>,
    pub(super) status: Status,
    pub(super) had_trial: bool,
    /// Whether a change may still be in flight, so that nothing is certain.
    pub(super) is_open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Canceled,
    Inactive,
}

impl Subscription {
    fn on(package: PackageId, trial: bool) -> Self {
        Self {
            package,
            planned: None,
            status: Status::Active,
            had_trial: trial,
            is_open: false,
        }
    }

    /// Returns what the sandbox does with a change.
    pub(super) fn expected(&self, owner: &Owner, change: &Change, offers: &Offers) -> Expected {
        let is_account = matches!(owner, Owner::Customer(_));
        let is_larger = |package: PackageId| offers.size(package) > offers.size(self.package);
        let is_done = match change {
            _ if self.status == Status::Inactive => return Expected::Refusal,
            Change::MoveTo { package, .. } => {
                let Some(sent) = change.sent() else {
                    let stays = self.package == *package;
                    let leaves = self.planned.is_some_and(|planned| planned != *package);
                    return if stays && leaves {
                        Expected::Refusal
                    } else {
                        Expected::NoChange
                    };
                };
                return self.expected(owner, &sent, offers);
            }
            Change::Upgrade { package, .. } => {
                let is_refused = is_account && self.status == Status::Canceled;
                if is_refused || !is_larger(*package) {
                    return Expected::Refusal;
                }
                false
            }
            Change::Downgrade(package) if is_larger(*package) => return Expected::Refusal,
            Change::Downgrade(package) => {
                self.planned == Some(*package) && self.status == Status::Active
            }
            Change::Cancel => self.status == Status::Canceled,
            Change::Resume if self.status != Status::Canceled => return Expected::Refusal,
            Change::Resume | Change::Deactivate => false,
        };
        if is_done {
            Expected::NoChange
        } else {
            Expected::Change
        }
    }

    /// Returns what `change_to` does.
    pub(super) fn way_to(&self, package: PackageId, offers: &Offers) -> Way {
        if self.package == package {
            match self.status {
                Status::Canceled => Way::Resume,
                Status::Active | Status::Inactive => Way::Nothing,
            }
        } else if self.planned == Some(package) {
            Way::Nothing
        } else if offers.size(package) < offers.size(self.package) {
            Way::Downgrade
        } else {
            Way::Upgrade
        }
    }

    fn apply(&mut self, change: &Change, free: PackageId) {
        match change {
            Change::Upgrade { package, trial, .. } => {
                self.had_trial |= *trial == Trial::First;
                *self = Self::on(*package, self.had_trial);
            }
            Change::MoveTo { .. } => {
                if let Some(sent) = change.sent() {
                    self.apply(&sent, free);
                }
            }
            Change::Downgrade(package) => {
                self.planned = Some(*package);
                self.status = Status::Active;
            }
            Change::Cancel => {
                self.planned = Some(free);
                self.status = Status::Canceled;
            }
            Change::Resume => {
                self.planned = None;
                self.status = Status::Active;
            }
            Change::Deactivate => {
                self.planned = None;
                self.status = Status::Inactive;
            }
        }
    }
}

impl Website {
    /// Applies a request about this website.
    fn take_over(&mut self, ask: &Ask, reply: Option<&Reply>) {
        match (ask, reply) {
            (Ask::CreateKey { name, .. }, Some(Reply::Id(id))) => {
                let (id, name) = (id.clone(), name.clone());
                self.keys.push(Key { id, name });
            }
            (Ask::RotateKey { key, .. }, Some(Reply::Rotation(rotation))) => {
                // Until the rotation ends, neither of its keys is deleted in another way.
                self.keys.retain(|known| known.id != *key);
                self.rotations.push(Arc::clone(rotation));
            }
            (Ask::AddContributor { customer, role, .. }, _) => {
                self.contributors.retain(|(known, _)| known != customer);
                self.contributors.push((customer.clone(), role.clone()));
            }
            (Ask::AddDomain { domain, .. }, _) => self.domains.push(domain.clone()),
            _ => {}
        }
    }
}

impl Holdings {
    pub(super) fn new(model: Model, offers: Arc<Offers>) -> Self {
        Self {
            offers,
            model,
            customers: Vec::new(),
            websites: Vec::new(),
            packages: Vec::new(),
            assignments: Vec::new(),
            gone: Vec::new(),
            closed: HashSet::new(),
        }
    }

    /// Reports whether a request is allowed: no earlier one about the same resource may still be in flight.
    pub(super) fn may_ask(&self, ask: &Ask) -> bool {
        !self.closed.contains(&Trace::of(ask).to_string())
    }

    pub(super) fn subscription(&self, owner: &Owner) -> Option<&Subscription> {
        match owner {
            Owner::Website(id) => {
                let site = self.websites.iter().find(|site| site.id == *id)?;
                site.subscription.as_ref()
            }
            Owner::Customer(id) => {
                let customer = self.customers.iter().find(|customer| customer.id == *id)?;
                customer.subscription.as_ref()
            }
        }
    }

    /// Updates the model with the result of a call.
    pub(super) fn learn(&mut self, call: &Call, claim: Claim, reply: Option<&Reply>) {
        if !claim.is_certain() {
            self.closed.insert(Trace::of(&call.ask).to_string());
            self.forget(&call.ask);
        } else if call.expected == Expected::Change && claim.is_in_force() {
            self.take_over(&call.ask, reply);
        }
    }

    /// Returns the subscriptions that are certain, with their owners.
    pub(super) fn subscriptions(&self) -> impl Iterator<Item = (Owner, &Subscription)> {
        let of_websites = self.websites.iter().filter_map(|site| {
            Some((Owner::Website(site.id.clone()), site.subscription.as_ref()?))
        });
        let of_customers = self.customers.iter().filter_map(|customer| {
            let owner = Owner::Customer(customer.id.clone());
            Some((owner, customer.subscription.as_ref()?))
        });
        of_websites
            .chain(of_customers)
            .filter(|(_, subscription)| !subscription.is_open)
    }

    /// Applies a request.
    fn take_over(&mut self, ask: &Ask, reply: Option<&Reply>) {
        let free = self.offers.free;
        match ask {
            Ask::CreateCustomer {
                id,
                email,
                package,
                website,
            } => {
                self.add_customer(id, email, *package);
                if let Some(site) = website {
                    self.add_website(site, Subscription::on(self.offers.trial, true));
                }
            }
            Ask::CreateWebsite(new) if !new.free_trial => {
                self.add_website(new, Subscription::on(free, false));
            }
            Ask::CreateWebsite(new) | Ask::CreateWebsiteFlat(new) => {
                self.add_website(new, Subscription::on(self.offers.trial, true));
            }
            Ask::DeleteWebsite(_)
            | Ask::DeleteCustomer(_)
            | Ask::Change(Owner::Customer(_), Change::Deactivate)
            | Ask::RemoveContributor { .. }
            | Ask::RemoveDomain { .. }
            | Ask::DeleteKey { .. }
            | Ask::ConfirmRotation { .. }
            | Ask::AbandonRotation { .. } => {
                self.forget(ask);
                self.gone.push(ask.clone());
                self.keep_key(ask);
            }
            Ask::Change(owner, change) => {
                if let Some(subscription) = self.subscription_mut(owner) {
                    subscription.apply(change, free);
                }
            }
            Ask::CreatePackage(name) => {
                if let Some(Reply::Id(id)) = reply
                    && let Ok(id) = id.parse()
                {
                    let name = name.clone();
                    self.packages.push(Package { id, name });
                }
            }
            Ask::RenamePackage { package, name } => {
                for own in &mut self.packages {
                    if own.id == *package {
                        own.name.clone_from(name);
                    }
                }
            }
            Ask::Assign { package, to } => self.assignments.push((*package, to.clone())),
            Ask::Unassign { package, from } => {
                let pair = (*package, from.clone());
                self.assignments.retain(|known| *known != pair);
            }
            Ask::CreateKey { website, .. }
            | Ask::RotateKey { website, .. }
            | Ask::AddContributor { website, .. }
            | Ask::AddDomain { website, .. } => {
                if let Some(site) = self.website_mut(website) {
                    site.take_over(ask, reply);
                }
            }
            Ask::ReadCustomer(_) | Ask::ReadWebsite(_) | Ask::ReadPackage(_) | Ask::ReadList(_) => {
            }
        }
    }

    /// Removes what a request is about, because it is uncertain or deleted.
    fn forget(&mut self, ask: &Ask) {
        match ask {
            Ask::CreateCustomer { id, website, .. } => {
                self.forget_customer(id);
                if let Some(site) = website {
                    self.forget_website(&site.id);
                }
            }
            Ask::DeleteCustomer(id) | Ask::Change(Owner::Customer(id), Change::Deactivate) => {
                self.forget_customer(id);
            }
            Ask::CreateWebsite(new) | Ask::CreateWebsiteFlat(new) => self.forget_website(&new.id),
            Ask::DeleteWebsite(id) => self.forget_website(id),
            Ask::Change(owner, _) => {
                if let Some(subscription) = self.subscription_mut(owner) {
                    subscription.is_open = true;
                }
            }
            Ask::ConfirmRotation { website, rotation }
            | Ask::AbandonRotation { website, rotation } => {
                if let Some(site) = self.website_mut(website) {
                    site.rotations.retain(|known| !Arc::ptr_eq(known, rotation));
                }
            }
            Ask::DeleteKey { website, key } => {
                if let Some(site) = self.website_mut(website) {
                    site.keys.retain(|known| known.id != *key);
                }
            }
            Ask::AddContributor {
                website, customer, ..
            }
            | Ask::RemoveContributor { website, customer } => {
                if let Some(site) = self.website_mut(website) {
                    site.contributors.retain(|(known, _)| known != customer);
                }
                // A removed contributor is not added again, because that would have a different trace.
                let again = Ask::AddContributor {
                    website: website.clone(),
                    customer: customer.clone(),
                    role: ContributorRole::Editor,
                };
                self.closed.insert(Trace::of(&again).to_string());
            }
            Ask::RemoveDomain { website, domain } => {
                if let Some(site) = self.website_mut(website) {
                    site.domains.retain(|known| known != domain);
                }
            }
            Ask::RenamePackage { package, .. } => self.packages.retain(|own| own.id != *package),
            Ask::Assign { package, to } | Ask::Unassign { package, from: to } => {
                let pair = (*package, to.clone());
                self.assignments.retain(|known| *known != pair);
                let (package, to) = pair;
                self.closed
                    .insert(Trace::of(&Ask::Assign { package, to }).to_string());
            }
            Ask::ReadCustomer(_)
            | Ask::ReadWebsite(_)
            | Ask::ReadPackage(_)
            | Ask::ReadList(_)
            | Ask::CreateKey { .. }
            | Ask::RotateKey { .. }
            | Ask::AddDomain { .. }
            | Ask::CreatePackage(_) => {}
        }
    }

    fn add_customer(&mut self, id: &str, email: &str, package: Option<PackageId>) {
        let package = package.unwrap_or(self.offers.free);
        self.customers.push(Customer {
            id: id.to_owned(),
            email: email.to_owned(),
            subscription: (self.model == Model::Account).then(|| Subscription::on(package, false)),
        });
    }

    fn add_website(&mut self, new: &NewWebsite, default: Subscription) {
        let subscription = match new.package {
            Some(package) => Subscription::on(package, false),
            None => default,
        };
        self.websites.push(Website {
            id: new.id.clone(),
            customer: new.customer.clone(),
            created: new.clone(),
            subscription: (self.model == Model::Website).then_some(subscription),
            keys: Vec::new(),
            rotations: Vec::new(),
            contributors: Vec::new(),
            domains: Vec::new(),
        });
    }

    fn forget_customer(&mut self, id: &str) {
        self.customers.retain(|customer| customer.id != id);
        let theirs = self.websites.iter().filter(|site| site.customer == id);
        let theirs: Vec<_> = theirs.map(|site| site.id.clone()).collect();
        for website in theirs {
            self.forget_website(&website);
        }
        for site in &mut self.websites {
            site.contributors.retain(|(customer, _)| customer != id);
        }
        self.assignments.retain(|(_, to)| to.id() != id);
    }

    fn forget_website(&mut self, id: &str) {
        self.websites.retain(|site| site.id != id);
        self.assignments.retain(|(_, to)| to.id() != id);
    }

    /// Keeps the remaining one of the two keys of a rotation.
    fn keep_key(&mut self, ask: &Ask) {
        let (website, id, rotation) = match ask {
            Ask::ConfirmRotation { website, rotation } => {
                (website, rotation.new_key().id.to_string(), rotation)
            }
            Ask::AbandonRotation { website, rotation } => {
                (website, rotation.old_key().to_string(), rotation)
            }
            _ => return,
        };
        let name = rotation.new_key().name.clone();
        if let Some(site) = self.website_mut(website) {
            site.keys.push(Key { id, name });
        }
    }

    fn website_mut(&mut self, id: &str) -> Option<&mut Website> {
        self.websites.iter_mut().find(|site| site.id == id)
    }

    fn subscription_mut(&mut self, owner: &Owner) -> Option<&mut Subscription> {
        match owner {
            Owner::Website(id) => self.website_mut(id)?.subscription.as_mut(),
            Owner::Customer(id) => {
                let customer = self.customers.iter_mut().find(|known| known.id == *id)?;
                customer.subscription.as_mut()
            }
        }
    }
}
