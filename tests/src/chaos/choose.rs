//! Chooses the next request of a caller, at random and depending on what it has.

use std::collections::HashMap;
use std::sync::Arc;

use rand::RngExt as _;
use rand::rngs::StdRng;
use twipla::PackageId;
use twipla::types::ContributorRole;
use twipla_sandbox::Model;

use super::ask::{Ask, Call, Change, Expected, List, NewWebsite, Owner, Paging, Trial, Turn};
use super::holdings::{Holdings, Status, Subscription, Website};
use super::offers::Offers;
use super::trace::Trace;

/// The number of possible turns to choose between, so that rare ones are chosen as well.
const CHOICES: usize = 8;

/// Chooses calls.
pub(super) struct Chooser {
    random: StdRng,
    /// The prefix of every id that this caller chooses.
    prefix: String,
    next: u64,
    /// The number of requests of each kind.
    counts: HashMap<&'static str, u64>,
}

impl Chooser {
    pub(super) fn new(random: StdRng, prefix: String) -> Self {
        Self {
            random,
            prefix,
            next: 0,
            counts: HashMap::new(),
        }
    }

    /// Returns the next turn: of some possible ones, the one that was chosen least often.
    pub(super) fn next(&mut self, holdings: &Holdings) -> Turn {
        let mut turn = self.possible(holdings);
        for _ in 1..CHOICES {
            let other = self.possible(holdings);
            if self.count(&other) < self.count(&turn) {
                turn = other;
            }
        }
        *self.counts.entry(kind(&turn)).or_default() += 1;
        turn
    }

    fn count(&self, turn: &Turn) -> u64 {
        self.counts.get(kind(turn)).copied().unwrap_or_default()
    }

    /// Tries at random until a turn is possible.
    fn possible(&mut self, holdings: &Holdings) -> Turn {
        loop {
            let turn = if self.one_in(16) {
                self.propose_bulk(holdings)
            } else {
                self.propose(holdings).map(Turn::One)
            };
            if let Some(turn) = turn
                && turn.calls().iter().all(|call| holdings.may_ask(&call.ask))
            {
                return turn;
            }
        }
    }

    /// Proposes several calls of one kind, about different resources.
    fn propose_bulk(&mut self, has: &Holdings) -> Option<Turn> {
        let mut calls = Vec::new();
        match self.random.random_range(0..4) {
            0 => {
                for _ in 0..self.random.random_range(2..4) {
                    let mut ask = self.new_customer(has);
                    if let Ask::CreateCustomer {
                        website: Some(site),
                        ..
                    } = &mut ask
                    {
                        site.package = None;
                    }
                    calls.push(change(ask));
                }
            }
            1 => {
                for _ in 0..self.random.random_range(2..4) {
                    let mut new = self.new_website(has)?;
                    new.free_trial = false;
                    new.privacy_level = None;
                    calls.push(change(Ask::CreateWebsite(new)));
                }
                let known = self.pick(&has.websites).map(|site| site.created.clone());
                if let Some(known) = known
                    && !known.free_trial
                {
                    calls.push(refusal(Ask::CreateWebsite(known)));
                }
            }
            2 if has.websites.len() > 3 => {
                let first = self.random.random_range(0..has.websites.len() - 2);
                let sites = has.websites[first..].iter().take(2);
                calls.extend(sites.map(|site| change(Ask::DeleteWebsite(site.id.clone()))));
            }
            3 if has.customers.len() > 4 => {
                let first = self.random.random_range(0..has.customers.len() - 2);
                let customers = has.customers[first..].iter().take(2);
                calls.extend(customers.map(|known| change(Ask::DeleteCustomer(known.id.clone()))));
            }
            _ => return None,
        }
        let stop_on_error = self.one_in(4);
        Some(Turn::Bulk {
            calls,
            stop_on_error,
        })
    }

    fn propose(&mut self, has: &Holdings) -> Option<Call> {
        Some(match self.random.random_range(0..44) {
            0..=2 => change(self.new_customer(has)),
            3..=6 => change(Ask::CreateWebsite(self.new_website(has)?)),
            7 if has.model == Model::Website => change(self.new_flat_website(has)?),
            8 | 9 => self.create_again(has)?,
            10 => change(Ask::DeleteWebsite(self.pick(&has.websites)?.id.clone())),
            11 if has.customers.len() > 3 => {
                change(Ask::DeleteCustomer(self.pick(&has.customers)?.id.clone()))
            }
            12 => no_change(match self.random.random_range(0..3) {
                0 => Ask::ReadCustomer(self.pick(&has.customers)?.id.clone()),
                1 => Ask::ReadPackage(*self.pick(&has.offers.paid)?),
                _ => Ask::ReadWebsite(self.pick(&has.websites)?.id.clone()),
            }),
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
            40..=43 => no_change(Ask::ReadList(self.list(has)?)),
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

    /// Proposes to create an existing website or customer again, with the same or other properties.
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
            0..=5 => self.upgrade(subscription, &has.offers)?,
            6..=8 => self.move_to(has, &owner, subscription)?,
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

    fn move_to(&mut self, has: &Holdings, owner: &Owner, current: &Subscription) -> Option<Change> {
        // For a customer, it reads a website.
        if let Owner::Customer(id) = owner
            && !has.websites.iter().any(|site| site.customer == *id)
        {
            return None;
        }
        let package = match self.random.random_range(0..4) {
            0 => current.package,
            1 | 2 if current.status == Status::Canceled => current.package,
            1 => current.planned.unwrap_or(has.offers.free),
            _ => *self.pick(&has.offers.paid)?,
        };
        if package == has.offers.trial {
            return None;
        }
        let way = current.way_to(package, &has.offers);
        Some(Change::MoveTo { package, way })
    }

    fn upgrade(&mut self, current: &Subscription, offers: &Offers) -> Option<Change> {
        let package = *self.pick(&offers.paid)?;
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

    fn list(&mut self, has: &Holdings) -> Option<List> {
        let paging = Paging {
            size: self.random.random_range(1..8),
            prefetch: self.one_in(2),
        };
        Some(match self.random.random_range(0..7) {
            0 => List::Customers(paging),
            1 => List::Websites(paging),
            2 => List::WebsitesOf(self.pick(&has.customers)?.id.clone(), paging),
            3 => List::Keys(self.pick(&has.websites)?.id.clone()),
            4 => List::Contributors(self.pick(&has.websites)?.id.clone()),
            5 => List::Domains(self.pick(&has.websites)?.id.clone()),
            _ => List::Packages,
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
        Some(change(if self.one_in(2) {
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

    /// Returns an owner of a subscription and packages, under the model of the partner.
    fn pick_owner(&mut self, has: &Holdings) -> Option<Owner> {
        Some(match has.model {
            Model::Website => Owner::Website(self.pick(&has.websites)?.id.clone()),
            Model::Account => Owner::Customer(self.pick(&has.customers)?.id.clone()),
        })
    }

    /// Returns one of the smallest packages, so that an upgrade is possible.
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

/// Returns the name under which a turn is counted.
fn kind(turn: &Turn) -> &'static str {
    let first = turn.calls().first();
    let name = first.and_then(|call| match turn {
        Turn::One(_) => {
            let composed = call.ask.composed();
            composed.or_else(|| Some(Trace::of(&call.ask).operation))
        }
        Turn::Bulk { .. } => call.ask.bulk(),
    });
    name.unwrap_or_default()
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
