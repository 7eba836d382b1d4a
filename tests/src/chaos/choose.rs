//! What a caller asks for next, by dice and by what it has.

use std::sync::Arc;

use rand::RngExt as _;
use rand::rngs::StdRng;
use twipla::PackageId;
use twipla::types::ContributorRole;
use twipla_sandbox::Model;

use super::ask::{Ask, Call, Change, Expected, NewWebsite, Owner, Trial};
use super::holdings::{Holdings, Status, Subscription, Website};
use super::offers::Offers;

/// Chooses calls.
pub(super) struct Chooser {
    random: StdRng,
    /// Begins every id that this caller chooses.
    prefix: String,
    next: u64,
}

impl Chooser {
    pub(super) fn new(random: StdRng, prefix: String) -> Self {
        Self {
            random,
            prefix,
            next: 0,
        }
    }

    /// The next call; dice are thrown until they give one that is possible.
    pub(super) fn next(&mut self, holdings: &Holdings) -> Call {
        loop {
            let call = self.propose(holdings);
            if let Some(call) = call
                && holdings.may_ask(&call.ask)
            {
                return call;
            }
        }
    }

    fn propose(&mut self, has: &Holdings) -> Option<Call> {
        Some(match self.random.random_range(0..40) {
            0..=2 => change(self.new_customer(has)),
            3..=6 => change(Ask::CreateWebsite(self.new_website(has)?)),
            7 if has.model == Model::Website => change(self.new_flat_website(has)?),
            8 | 9 => self.create_again(has)?,
            10 => change(Ask::DeleteWebsite(self.pick(&has.websites)?.id.clone())),
            11 if has.customers.len() > 3 => {
                change(Ask::DeleteCustomer(self.pick(&has.customers)?.id.clone()))
            }
            12 => no_change(Ask::ReadWebsite(self.pick(&has.websites)?.id.clone())),
            13..=22 => self.change_subscription(has)?,
            23 | 24 => {
                // Two keys may have the same name.
                let site = self.pick(&has.websites)?;
                let again = self.one_in(4).then(|| self.pick(&site.keys)).flatten();
                let name = again.map(|key| key.name.clone());
                let website = site.id.clone();
                let name = name.unwrap_or_else(|| self.id("key"));
                change(Ask::CreateKey { website, name })
            }
            25 | 26 => self.rotate_key(has)?,
            27 | 28 => self.end_rotation(has)?,
            29 => {
                let site = self.pick(&has.websites)?;
                let key = self.pick(&site.keys)?.id.clone();
                let website = site.id.clone();
                change(Ask::DeleteKey { website, key })
            }
            30 | 31 => self.add_contributor(has)?,
            32 => {
                let site = self.pick(&has.websites)?;
                let (customer, _) = self.pick(&site.contributors)?.clone();
                let website = site.id.clone();
                change(Ask::RemoveContributor { website, customer })
            }
            33 => {
                let website = self.pick(&has.websites)?.id.clone();
                let domain = format!("{}.example.com", self.id("d"));
                change(Ask::AddDomain { website, domain })
            }
            34 => {
                let site = self.pick(&has.websites)?;
                let domain = self.pick(&site.domains)?.clone();
                let website = site.id.clone();
                change(Ask::RemoveDomain { website, domain })
            }
            35 => {
                // Two packages may have the same name.
                let again = self.one_in(4).then(|| self.pick(&has.packages)).flatten();
                let name = again.map(|package| package.name.clone());
                change(Ask::CreatePackage(name.unwrap_or_else(|| self.id("p"))))
            }
            36 => {
                let package = self.pick(&has.packages)?.id;
                let name = self.id("p");
                change(Ask::RenamePackage { package, name })
            }
            37 | 38 => self.assign(has)?,
            39 => {
                let (package, from) = self.pick(&has.assignments)?.clone();
                change(Ask::Unassign { package, from })
            }
            _ => return None,
        })
    }

    fn new_customer(&mut self, has: &Holdings) -> Ask {
        let id = self.id("c");
        let is_account = has.model == Model::Account;
        let website = self.one_in(2).then(|| NewWebsite {
            id: self.id("w"),
            customer: id.clone(),
            domain: "example.com".to_owned(),
            package: (!is_account && self.one_in(2)).then(|| self.small_package(has)),
            free_trial: false,
            privacy_level: None,
        });
        Ask::CreateCustomer {
            email: format!("{id}@example.com"),
            id,
            package: (is_account && self.one_in(2)).then(|| self.small_package(has)),
            website,
        }
    }

    fn new_website(&mut self, has: &Holdings) -> Option<NewWebsite> {
        let customer = self.pick(&has.customers)?.id.clone();
        let has_packages = has.model == Model::Website;
        let package = (has_packages && self.one_in(2)).then(|| self.small_package(has));
        Some(NewWebsite {
            id: self.id("w"),
            customer,
            domain: "example.com".to_owned(),
            package,
            free_trial: has_packages && package.is_none() && self.one_in(2),
            privacy_level: self.one_in(3).then_some(0),
        })
    }

    fn new_flat_website(&mut self, has: &Holdings) -> Option<Ask> {
        let mut new = self.new_website(has)?;
        new.free_trial = false;
        new.privacy_level = None;
        Some(Ask::CreateWebsiteFlat(new))
    }

    /// Asks once more for a website or a customer that is there, in the same words or in others.
    fn create_again(&mut self, has: &Holdings) -> Option<Call> {
        if self.one_in(2) {
            let customer = self.pick(&has.customers)?;
            let email = if self.one_in(2) {
                customer.email.clone()
            } else {
                format!("{}@example.org", self.id("other"))
            };
            let website = self.one_in(2).then(|| NewWebsite {
                id: self.id("w"),
                customer: customer.id.clone(),
                domain: "example.com".to_owned(),
                package: None,
                free_trial: false,
                privacy_level: None,
            });
            return Some(refusal(Ask::CreateCustomer {
                id: customer.id.clone(),
                email,
                package: None,
                website,
            }));
        }
        let mut new = self.pick(&has.websites)?.created.clone();
        let is_website_model = has.model == Model::Website;
        match self.random.random_range(0..4) {
            0 => new.domain = format!("{}.example.com", self.id("other")),
            1 => new.customer.clone_from(&self.pick(&has.customers)?.id),
            2 if is_website_model => {
                new.package = Some(self.small_package(has));
                new.free_trial = false;
            }
            _ => {}
        }
        Some(refusal(Ask::CreateWebsite(new)))
    }

    fn change_subscription(&mut self, has: &Holdings) -> Option<Call> {
        let owner = self.pick_owner(has)?;
        let subscription = has.subscription(&owner)?;
        if subscription.is_open {
            return None;
        }
        let change = match self.random.random_range(0..20) {
            0..=8 => self.upgrade(&owner, subscription, &has.offers)?,
            9..=11 => Change::Downgrade(*self.pick(&has.offers.paid)?),
            12 => Change::Downgrade(has.offers.free),
            13..=15 => Change::Cancel,
            16..=18 => Change::Resume,
            _ => Change::Deactivate,
        };
        let expected = subscription.expected(&owner, &change, &has.offers);
        let ask = Ask::Change(owner, change);
        Some(Call { ask, expected })
    }

    fn upgrade(
        &mut self,
        owner: &Owner,
        current: &Subscription,
        offers: &Offers,
    ) -> Option<Change> {
        let package = *self.pick(&offers.paid)?;
        // From a package that is paid for to a larger one, change_to upgrades. Of
        // an account it reads a website, which there may not be.
        let is_upgrade = offers.paid.contains(&current.package)
            && offers.size(package) > offers.size(current.package)
            && current.status == Status::Active
            && matches!(owner, Owner::Website(_));
        if is_upgrade && self.one_in(3) {
            return Some(Change::MoveTo(package));
        }
        Some(Change::Upgrade {
            package,
            trial: match (self.one_in(3), current.had_trial) {
                (false, _) => Trial::No,
                (true, false) => Trial::First,
                (true, true) => Trial::Second,
            },
            pro_rate: self.one_in(2),
        })
    }

    fn rotate_key(&mut self, has: &Holdings) -> Option<Call> {
        let site = self.pick(&has.websites)?;
        let key = self.pick(&site.keys)?.clone();
        Some(change(Ask::RotateKey {
            website: site.id.clone(),
            key: key.id,
            name: key.name,
        }))
    }

    fn end_rotation(&mut self, has: &Holdings) -> Option<Call> {
        let rotating = |site: &&Website| !site.rotations.is_empty();
        let sites: Vec<_> = has.websites.iter().filter(rotating).collect();
        let site = self.pick(&sites)?;
        let website = site.id.clone();
        let rotation = Arc::clone(self.pick(&site.rotations)?);
        Some(change(if self.one_in(3) {
            Ask::AbandonRotation { website, rotation }
        } else {
            Ask::ConfirmRotation { website, rotation }
        }))
    }

    fn add_contributor(&mut self, has: &Holdings) -> Option<Call> {
        let site = self.pick(&has.websites)?;
        let customer = self.pick(&has.customers)?.id.clone();
        let roles = ContributorRole::KNOWN;
        let role = self.pick(roles)?.clone();
        let current = site
            .contributors
            .iter()
            .find(|(known, _)| *known == customer);
        let expected = match current {
            _ if site.customer == customer => return None,
            Some((_, current)) if *current == role => Expected::NoChange,
            _ => Expected::Change,
        };
        let website = site.id.clone();
        let ask = Ask::AddContributor {
            website,
            customer,
            role,
        };
        Some(Call { ask, expected })
    }

    fn assign(&mut self, has: &Holdings) -> Option<Call> {
        let package = match self.pick(&has.packages) {
            Some(own) if self.one_in(2) => own.id,
            _ => has.offers.restricted,
        };
        let to = self.pick_owner(has)?;
        let is_assigned = has.assignments.contains(&(package, to.clone()));
        let ask = Ask::Assign { package, to };
        let expected = if is_assigned {
            Expected::NoChange
        } else {
            Expected::Change
        };
        Some(Call { ask, expected })
    }

    /// Who has a subscription and packages, under the model of the partner.
    fn pick_owner(&mut self, has: &Holdings) -> Option<Owner> {
        Some(match has.model {
            Model::Website => Owner::Website(self.pick(&has.websites)?.id.clone()),
            Model::Account => Owner::Customer(self.pick(&has.customers)?.id.clone()),
        })
    }

    /// One of the smallest, so that there is something to upgrade to.
    fn small_package(&mut self, has: &Holdings) -> PackageId {
        let small = self.random.random_range(0..4);
        has.offers.paid[small]
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        from.get(self.random.random_range(0..from.len()))
    }

    fn one_in(&mut self, of: u32) -> bool {
        self.random.random_range(0..of) == 0
    }

    fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{}-{kind}{}", self.prefix, self.next)
    }
}

fn change(ask: Ask) -> Call {
    let expected = Expected::Change;
    Call { ask, expected }
}

fn no_change(ask: Ask) -> Call {
    let expected = Expected::NoChange;
    Call { ask, expected }
}

fn refusal(ask: Ask) -> Call {
    let expected = Expected::Refusal;
    Call { ask, expected }
}
