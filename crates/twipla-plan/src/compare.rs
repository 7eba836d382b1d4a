//! Compares a customer of the file with the server.

use twipla::types::ContributorRole;
use twipla::{CustomerId, PackageId, Twipla, WebsiteId};

use crate::action::{Action, FirstWebsite};
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::key::{domain_key, email_key, stable_hash};
use crate::roles::roles;
use crate::subscription::{Decision, Standing, Status, Step, Target, decide};
use crate::there::{CustomerThere, Owner, There};
use crate::wanted::{WantedCustomer, WantedWebsite};
use crate::wanted_file::Wanted;

/// Compares customers one by one.
pub(crate) struct Comparison<'a> {
    pub(crate) twipla: &'a Twipla,
    pub(crate) wanted: &'a Wanted,
    pub(crate) packages: &'a Catalogue,
    pub(crate) account_model: bool,
    pub(crate) prune: bool,
}

/// The actions for a customer, with the subscriptions that its deletions end.
pub(crate) struct Compared {
    pub(crate) customer: CustomerId,
    pub(crate) actions: Vec<(Action, Vec<Standing>)>,
    pub(crate) problems: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl Comparison<'_> {
    /// Reports unknown names, before anything is compared.
    pub(crate) fn check_names(&self) -> Result<()> {
        for customer in self.wanted.customers()? {
            let customer = customer?;
            let invalid = |problem: String| self.wanted.invalid(&customer, &problem);
            let of_account = customer.package.is_some() || customer.canceled;
            if of_account && !self.account_model {
                return Err(invalid(
                    "the partner uses the website model: set `package` and `canceled` on websites"
                        .to_owned(),
                ));
            }
            for website in &customer.websites {
                if self.account_model && (website.package.is_some() || website.canceled) {
                    return Err(invalid(format!(
                        "website {:?}: the partner uses the account model: set `package` and `canceled` on the customer",
                        website.id
                    )));
                }
            }
            let of_websites = customer.websites.iter().map(|website| &website.package);
            for package in of_websites.chain([&customer.package]).flatten() {
                if let Err(problem) = self.packages.find(package) {
                    return Err(invalid(format!("package {package:?} {problem}")));
                }
            }
        }
        Ok(())
    }

    /// Checks that each contributor is a customer of the file, or one on the server who is not deleted.
    pub(crate) async fn check_contributors(&self, there: &There) -> Result<()> {
        for customer in self.wanted.customers()? {
            let customer = customer?;
            for website in &customer.websites {
                for contributor in website.contributors.iter().flatten() {
                    let id = contributor.customer.as_str();
                    if !there.lists(id) {
                        self.check_contributor(&customer, id).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks a contributor who is not in the file.
    async fn check_contributor(&self, customer: &WantedCustomer, id: &str) -> Result<()> {
        let unknown = |why: &str| {
            let problem = format!("the contributor {id:?} is not in the file{why}");
            self.wanted.invalid(customer, &problem)
        };
        if self.prune {
            return Err(unknown(", and `prune` deletes customers that are not"));
        }
        match self.twipla.customer(id).get().await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Err(unknown(", and no customer has that id")),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn compare(&self, wanted: &WantedCustomer, there: &There) -> Result<Compared> {
        let mut plan = Compared {
            customer: CustomerId::unchecked(wanted.id.as_str()),
            actions: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        let customer = there.customer(&wanted.id);
        self.compare_customer(wanted, customer, there, &mut plan);
        for website in &wanted.websites {
            self.compare_website(wanted, website, there, &mut plan)
                .await?;
        }
        // Last, because a new website may show the subscription only now.
        if let (Some(customer), true) = (customer, self.account_model) {
            self.compare_account(wanted, customer, &mut plan);
        }
        for (website, standing) in customer.into_iter().flat_map(|customer| &customer.unlisted) {
            let of_website = (!self.account_model).then_some(*standing);
            let action = Action::DeleteWebsite {
                website: website.clone(),
                before: of_website,
            };
            plan.actions
                .push((action, of_website.into_iter().collect()));
        }
        Ok(plan)
    }

    fn compare_customer(
        &self,
        wanted: &WantedCustomer,
        customer: Option<&CustomerThere>,
        there: &There,
        plan: &mut Compared,
    ) {
        if let Some(customer) = customer {
            if customer.email != email_key(&wanted.email) {
                plan.problems.push(format!(
                    "cannot change the e-mail address to {}: the API has no call for it",
                    wanted.email
                ));
            }
            return;
        }
        let package = wanted
            .package
            .as_deref()
            .and_then(|name| self.package(name));
        if let Some(package) = package {
            self.warn_if_closed(package, &wanted.id, plan);
        }
        let is_new = |website: &&WantedWebsite| {
            let website = there.website(&website.id);
            website.is_none_or(|website| website.owner == Owner::Deleted)
        };
        // Nothing else shows the package if the response is lost.
        let first = package.and_then(|_| wanted.websites.iter().find(is_new));
        let action = Action::CreateCustomer {
            email: wanted.email.trim().to_owned(),
            package,
            first_website: first.map(|website| FirstWebsite {
                website: WebsiteId::unchecked(website.id.as_str()),
                domain: website.domain.clone(),
            }),
        };
        plan.actions.push((action, Vec::new()));
    }

    fn compare_account(
        &self,
        wanted: &WantedCustomer,
        customer: &CustomerThere,
        plan: &mut Compared,
    ) {
        let Some(to) = self.target(wanted.package.as_deref(), wanted.canceled) else {
            return;
        };
        let is_create = |action: &Action| matches!(action, Action::CreateWebsite { .. });
        let gets_website = plan.actions.iter().any(|(action, _)| is_create(action));
        match customer.standing {
            Some(now) => self.change(None, &wanted.id, now, to, plan),
            None if !gets_website => plan.warnings.push(format!(
                "cannot check the package of customer {}: only a website shows it, and the customer has none",
                wanted.id
            )),
            None => {
                let action = Action::ChangeSubscription {
                    website: None,
                    step: None,
                    to,
                    before: None,
                };
                plan.actions.push((action, Vec::new()));
                plan.warnings.push(format!(
                    "no website shows the package of customer {} yet: the change is decided when the plan is applied",
                    wanted.id
                ));
            }
        }
    }

    async fn compare_website(
        &self,
        customer: &WantedCustomer,
        wanted: &WantedWebsite,
        there: &There,
        plan: &mut Compared,
    ) -> Result<()> {
        let id = WebsiteId::unchecked(wanted.id.as_str());
        let website = there.website(&wanted.id);
        // The websites of a deleted customer are deleted first.
        let Some(website) = website.filter(|website| website.owner != Owner::Deleted) else {
            self.create_website(&id, wanted, plan);
            return Ok(());
        };
        if website.owner != Owner::Customer(stable_hash(&customer.id)) {
            plan.problems.push(format!(
                "cannot create website {id}: it exists and belongs to another customer"
            ));
            return Ok(());
        }
        if website.standing.status == Status::Inactive {
            plan.problems.push(format!(
                "cannot use website {id}: it is inactive, and the API has no call that activates it"
            ));
            return Ok(());
        }
        if website.domain != domain_key(&wanted.domain) {
            plan.problems.push(format!(
                "cannot change the domain of website {id} to {}: the API has no call for it",
                wanted.domain
            ));
        }
        if let Some(to) = self.target(wanted.package.as_deref(), wanted.canceled) {
            self.change(Some(&id), &wanted.id, website.standing, to, plan);
        }
        self.compare_domains(&id, wanted, plan).await?;
        self.compare_contributors(&id, wanted, plan).await
    }

    fn create_website(&self, id: &WebsiteId, wanted: &WantedWebsite, plan: &mut Compared) {
        let came_with_customer = plan.actions.iter().any(|(action, _)| {
            matches!(action, Action::CreateCustomer { first_website: Some(first), .. } if first.website == *id)
        });
        if !came_with_customer {
            let package = wanted
                .package
                .as_deref()
                .and_then(|name| self.package(name));
            if let Some(package) = package {
                self.warn_if_closed(package, &wanted.id, plan);
            }
            let action = Action::CreateWebsite {
                website: id.clone(),
                domain: wanted.domain.clone(),
                package,
            };
            plan.actions.push((action, Vec::new()));
        }
        for domain in wanted.whitelisted_domains.iter().flatten() {
            plan.push_domain(id, domain);
        }
        for contributor in wanted.contributors.iter().flatten() {
            let customer = CustomerId::unchecked(contributor.customer.as_str());
            plan.push_role(id, customer, &contributor.role, None);
        }
    }

    async fn compare_domains(
        &self,
        id: &WebsiteId,
        wanted: &WantedWebsite,
        plan: &mut Compared,
    ) -> Result<()> {
        let Some(wanted) = &wanted.whitelisted_domains else {
            return Ok(());
        };
        let listed = self.twipla.website(id).whitelisted_domains().list().await?;
        let has = |list: &[String], domain: &str| {
            list.iter()
                .any(|known| domain_key(known) == domain_key(domain))
        };
        for domain in wanted.iter().filter(|domain| !has(&listed, domain)) {
            plan.push_domain(id, domain);
        }
        if self.prune {
            for domain in listed.into_iter().filter(|domain| !has(wanted, domain)) {
                let website = id.clone();
                let action = Action::RemoveDomain { website, domain };
                plan.actions.push((action, Vec::new()));
            }
        }
        Ok(())
    }

    async fn compare_contributors(
        &self,
        id: &WebsiteId,
        wanted: &WantedWebsite,
        plan: &mut Compared,
    ) -> Result<()> {
        let Some(wanted) = &wanted.contributors else {
            return Ok(());
        };
        let now = self.twipla.website(id).contributors().list().await?;
        let now = roles(&now.contributors);
        for contributor in wanted {
            let role = now
                .iter()
                .find(|(id, _)| *id == contributor.customer.as_str());
            let role = role.map(|(_, role)| role.clone());
            if role.as_ref() != Some(&contributor.role) {
                let customer = CustomerId::unchecked(contributor.customer.as_str());
                plan.push_role(id, customer, &contributor.role, role);
            }
        }
        if self.prune {
            let is_wanted = |id: &CustomerId| {
                wanted
                    .iter()
                    .any(|contributor| *id == *contributor.customer.as_str())
            };
            for (contributor, before) in now.into_iter().filter(|(id, _)| !is_wanted(id)) {
                let action = Action::RemoveContributor {
                    website: id.clone(),
                    contributor,
                    before,
                };
                plan.actions.push((action, Vec::new()));
            }
        }
        Ok(())
    }

    /// Adds the change of a subscription, if one is needed.
    fn change(
        &self,
        website: Option<&WebsiteId>,
        owner: &str,
        now: Standing,
        to: Target,
        plan: &mut Compared,
    ) {
        let action = |step, to, before| Action::ChangeSubscription {
            website: website.cloned(),
            step: Some(step),
            to,
            before: Some(before),
        };
        match decide(now, to, self.account_model, self.packages) {
            Decision::Nothing => {}
            Decision::Change(step, to) => {
                if let (Target::Package(package), Step::Upgrade | Step::Downgrade) = (to, step) {
                    self.warn_if_closed(package, owner, plan);
                }
                plan.actions.push((action(step, to, now), Vec::new()));
            }
            Decision::ResumeFirst(current, step) => {
                let resume = Target::Package(current);
                let resumed = now.after(resume, Step::Resume);
                plan.actions
                    .push((action(Step::Resume, resume, now), Vec::new()));
                plan.actions.push((action(step, to, resumed), Vec::new()));
            }
            Decision::Impossible(why) => plan.problems.push(match website {
                Some(website) => format!("website {website}: cannot {why}"),
                None => format!("cannot {why}"),
            }),
        }
    }

    pub(crate) fn delete(
        &self,
        customer: CustomerId,
        websites: &[(WebsiteId, Standing)],
    ) -> Compared {
        let shared = if self.account_model { 1 } else { usize::MAX };
        let lost = websites.iter().map(|(_, standing)| *standing).take(shared);
        let action = Action::DeleteCustomer {
            websites: websites.iter().map(|(id, _)| id.clone()).collect(),
        };
        Compared {
            customer,
            actions: vec![(action, lost.collect())],
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn target(&self, package: Option<&str>, canceled: bool) -> Option<Target> {
        if canceled {
            return Some(Target::Canceled);
        }
        package
            .and_then(|name| self.package(name))
            .map(Target::Package)
    }

    /// Finds a package; all names were checked before.
    fn package(&self, named: &str) -> Option<PackageId> {
        self.packages.find(named).ok().map(|package| package.id)
    }

    fn warn_if_closed(&self, package: PackageId, target: &str, plan: &mut Compared) {
        if self.packages.is_closed_to(package, target) {
            plan.warnings.push(format!(
                "the package {} is not assigned to {target}: the server will reject it",
                self.packages.name(package)
            ));
        }
    }
}

impl Compared {
    fn push_domain(&mut self, website: &WebsiteId, domain: &str) {
        let action = Action::AddDomain {
            website: website.clone(),
            domain: domain.to_owned(),
        };
        self.actions.push((action, Vec::new()));
    }

    fn push_role(
        &mut self,
        website: &WebsiteId,
        contributor: CustomerId,
        role: &ContributorRole,
        before: Option<ContributorRole>,
    ) {
        let action = Action::SetRole {
            website: website.clone(),
            contributor,
            role: role.clone(),
            before,
        };
        self.actions.push((action, Vec::new()));
    }
}
