//! Makes a plan: compares a file with what the server has.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use twipla::types::{BillingMode, ContributorRole, SubscriptionType};
use twipla::{CustomerId, PackageId, Twipla, WebsiteId};

use crate::action::{Action, FirstWebsite};
use crate::catalogue::Catalogue;
use crate::error::{Error, Result};
use crate::key::{domain_key, email_key, key};
use crate::plan_file::{CustomerPlan, Plan, PlanWriter, header};
use crate::roles::roles;
use crate::shard::Shard;
use crate::subscription::{Decision, Standing, Status, Step, Target, decide};
use crate::summary::Summary;
use crate::there::{CustomerThere, Listed, There};
use crate::wanted::{WantedCustomer, WantedWebsite};
use crate::wanted_file::Wanted;

/// Makes plans. Nothing on the server is changed by it.
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla_plan::Result<()> {
/// use twipla_plan::{Planner, Wanted};
///
/// let wanted = Wanted::open("customers.csv")?;
/// let plan = Planner::new(&twipla).plan(&wanted, "plan.json").await?;
/// plan.write_text(&mut std::io::stdout(), None)?;
/// println!("{} actions", plan.summary().actions);
/// # Ok(()) }
/// ```
#[must_use]
#[derive(Clone)]
pub struct Planner {
    twipla: Twipla,
    prune: bool,
    shard: Shard,
    in_flight: usize,
    progress: Arc<dyn Fn(PlanProgress) + Send + Sync>,
}

/// How far a plan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanProgress {
    /// So many customers and websites were read from the server.
    Read(u64),
    /// So many customers of the file were compared.
    Compared(u64),
}

impl Planner {
    /// Plans with this client, at its rate.
    pub fn new(twipla: &Twipla) -> Self {
        Self {
            twipla: twipla.clone(),
            prune: false,
            shard: Shard::ALL,
            in_flight: 8,
            progress: Arc::new(|_| {}),
        }
    }

    /// Whether what is on the server and not in the file is to be deleted: customers,
    /// websites, and of a website for which the file has a list of domains or of
    /// contributors, those that are not on it. By default, nothing is.
    pub fn prune(mut self, prune: bool) -> Self {
        self.prune = prune;
        self
    }

    /// Plans only a part of the file, and deletes only in that part.
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = shard;
        self
    }

    /// How many customers are compared at once; 8 by default. Only what has
    /// domains or contributors takes calls of its own.
    pub fn in_flight(mut self, customers: usize) -> Self {
        self.in_flight = customers.max(1);
        self
    }

    /// Called as the plan proceeds. Keep it short.
    pub fn on_progress(mut self, progress: impl Fn(PlanProgress) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// Compares the file with what is there, and writes the plan to `path`. A
    /// plan of that name is replaced once the new one is whole.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where the file is not as it should be, or names a
    /// package or contributor that is not known; [`Error::Api`] where the server
    /// cannot be read. Nothing is written then.
    pub async fn plan(&self, wanted: &Wanted, path: impl AsRef<Path>) -> Result<Plan> {
        wanted.check()?;
        let company = self.twipla.company_details().await?;
        let packages = Catalogue::new(self.twipla.packages().list().await?);
        let listed = Listed::read(wanted)?;
        let comparison = Comparison {
            twipla: &self.twipla,
            wanted,
            packages: &packages,
            account_model: match company.subscription_type {
                SubscriptionType::Website => false,
                SubscriptionType::Intpc => true,
                other => {
                    return Err(Error::invalid(format!(
                        "cannot plan for a partner under the subscription model {other}"
                    )));
                }
            },
            prune: self.prune,
        };
        comparison.check_names()?;
        let progress = &self.progress;
        let reading = |read| progress(PlanProgress::Read(read));
        let mut there =
            There::read(&self.twipla, &listed, self.shard, self.prune, &reading).await?;
        there.deleted = there.unlisted.keys().map(|id| key(id.as_str())).collect();
        let mut unlisted: Vec<_> = std::mem::take(&mut there.unlisted).into_iter().collect();
        unlisted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        comparison.check_contributors(&listed).await?;

        let header = header(
            self.twipla.partner_id(),
            company.subscription_type,
            wanted.name(),
            self.shard.to_string(),
            packages.names(),
        );
        let mut draft = Draft {
            writer: PlanWriter::create(path.as_ref(), header)?,
            summary: Summary {
                there: there.counts.there,
                unlisted_customers: there.counts.unlisted_customers,
                unlisted_websites: there.counts.unlisted_websites,
                ..Summary::default()
            },
            packages: &packages,
        };
        let customers = wanted.customers()?.filter(|customer| match customer {
            Ok(customer) => self.shard.has(&customer.id),
            Err(_) => true,
        });
        let mut compared = 0;
        let mut plans = stream::iter(customers)
            .map(|customer| async { comparison.compare(&customer?, &there).await })
            .buffered(self.in_flight);
        while let Some(plan) = plans.next().await {
            draft.add(plan?)?;
            compared += 1;
            progress(PlanProgress::Compared(compared));
        }
        for (customer, websites) in unlisted {
            draft.add(comparison.delete(customer, &websites))?;
        }
        if company.billing_mode == BillingMode::PlatformManaged {
            draft.warn_of_billing();
        }
        draft.warn_of_unlisted(self.prune);
        draft.writer.finish(draft.summary)
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner")
            .field("prune", &self.prune)
            .field("shard", &self.shard)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// A plan that is being written.
struct Draft<'a> {
    writer: PlanWriter,
    summary: Summary,
    packages: &'a Catalogue,
}

/// What is to be done for a customer, with what its deletions end.
struct Compared {
    customer: CustomerId,
    actions: Vec<(Action, Vec<Standing>)>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

/// More warnings than this say nothing more.
const MOST_WARNINGS: usize = 20;

impl Draft<'_> {
    fn add(&mut self, compared: Compared) -> Result<()> {
        for warning in compared.warnings {
            self.warn(warning);
        }
        if compared.actions.is_empty() && compared.problems.is_empty() {
            return Ok(());
        }
        let first = self.summary.actions + 1;
        self.summary.customers += u64::from(!compared.actions.is_empty());
        self.summary.problems += compared.problems.len() as u64;
        for (action, lost) in &compared.actions {
            self.summary.count(action, lost, self.packages);
        }
        self.writer.write(&CustomerPlan {
            customer: compared.customer,
            first,
            actions: compared
                .actions
                .into_iter()
                .map(|(action, _)| action)
                .collect(),
            problems: compared.problems,
        })
    }

    fn warn(&mut self, warning: String) {
        match self.summary.warnings.len() {
            ..MOST_WARNINGS => self.summary.warnings.push(warning),
            MOST_WARNINGS => self
                .summary
                .warnings
                .push("and more of the kind".to_owned()),
            _ => {}
        }
    }

    fn warn_of_billing(&mut self) {
        let summary = &self.summary;
        let changes = summary.upgrades
            + summary.downgrades
            + summary.cancellations
            + summary.resumes
            + summary.undecided;
        if changes > 0 {
            let warning = "TWIPLA does the billing of this partner: changes of subscriptions are for their customers to make, and may be refused";
            self.summary.warnings.insert(0, warning.to_owned());
        }
    }

    fn warn_of_unlisted(&mut self, prune: bool) {
        let (customers, websites) = (
            self.summary.unlisted_customers,
            self.summary.unlisted_websites,
        );
        if !prune && customers + websites > 0 {
            let warning = format!(
                "{customers} customers and {websites} websites are there and not in the file: they stay, `prune` deletes them"
            );
            self.summary.warnings.insert(0, warning);
        }
        if self.summary.needs_force() {
            let warning = format!(
                "the plan deletes {} of {} customers and websites: applying it needs `force`",
                self.summary.deletions(),
                self.summary.there
            );
            self.summary.warnings.insert(0, warning);
        }
    }
}

/// Compares customer by customer.
struct Comparison<'a> {
    twipla: &'a Twipla,
    wanted: &'a Wanted,
    packages: &'a Catalogue,
    account_model: bool,
    prune: bool,
}

impl Comparison<'_> {
    /// Finds names that are not known, before anything is compared.
    fn check_names(&self) -> Result<()> {
        for customer in self.wanted.customers()? {
            let customer = customer?;
            let invalid = |problem: String| self.wanted.invalid(&customer, &problem);
            let of_account = customer.package.is_some() || customer.canceled;
            if of_account && !self.account_model {
                return Err(invalid(
                    "the partner is under the website model: give `package` and `canceled` to websites".to_owned(),
                ));
            }
            for website in &customer.websites {
                if self.account_model && (website.package.is_some() || website.canceled) {
                    return Err(invalid(format!(
                        "website {:?}: the partner is under the account model: give `package` and `canceled` to the customer",
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

    /// A contributor is a customer of the file, or one who is there and stays.
    async fn check_contributors(&self, listed: &Listed) -> Result<()> {
        for customer in self.wanted.customers()? {
            let customer = customer?;
            let of_websites = customer
                .websites
                .iter()
                .map(|website| &website.contributors);
            for contributor in of_websites.flatten().flatten() {
                let id = contributor.customer.as_str();
                if listed.customers.contains(&key(id)) {
                    continue;
                }
                let unknown = |why: &str| {
                    let problem = format!("the contributor {id:?} is not in the file{why}");
                    self.wanted.invalid(&customer, &problem)
                };
                if self.prune {
                    return Err(unknown(", and `prune` deletes who is not"));
                }
                match self.twipla.customer(id).get().await {
                    Ok(_) => {}
                    Err(error) if error.is_not_found() => {
                        return Err(unknown(", and there is no such customer"));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    async fn compare(&self, wanted: &WantedCustomer, there: &There) -> Result<Compared> {
        let mut plan = Compared {
            customer: CustomerId::unchecked(wanted.id.as_str()),
            actions: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        let customer = there.customers.get(&key(&wanted.id));
        self.compare_customer(wanted, customer, there, &mut plan);
        for website in &wanted.websites {
            self.compare_website(wanted, website, there, &mut plan)
                .await?;
        }
        // Last, for where no website showed the subscription, one does now.
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
            let website = there.websites.get(&key(&website.id));
            website.is_none_or(|website| there.deleted.contains(&website.owner))
        };
        // Nothing else shows the package, should the answer be lost.
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
                "cannot tell which package customer {} is on: only a website shows it, and there is none",
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
                    "no website shows the package of customer {} yet: which change leads to theirs is decided when the plan is applied",
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
        let website = there.websites.get(&key(&wanted.id));
        // With a customer who is deleted, their websites go first.
        let Some(website) = website.filter(|website| !there.deleted.contains(&website.owner))
        else {
            self.create_website(&id, wanted, plan);
            return Ok(());
        };
        if website.owner != key(&customer.id) {
            plan.problems.push(format!(
                "cannot create website {id}: it is there, and belongs to another customer"
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

    /// The change of a subscription, if there is one to make.
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

    fn delete(&self, customer: CustomerId, websites: &[(WebsiteId, Standing)]) -> Compared {
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

    /// All names were checked before.
    fn package(&self, named: &str) -> Option<PackageId> {
        self.packages.find(named).ok().map(|package| package.id)
    }

    fn warn_if_closed(&self, package: PackageId, target: &str, plan: &mut Compared) {
        if self.packages.is_closed_to(package, target) {
            plan.warnings.push(format!(
                "the package {} is not assigned to {target}: the server will refuse it",
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
