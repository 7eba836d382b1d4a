//! Makes a plan: compares a file with what the server has.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use twipla::Twipla;
use twipla::types::{BillingMode, SubscriptionType};

use crate::catalogue::Catalogue;
use crate::compare::{Compared, Comparison};
use crate::error::{Error, Result};
use crate::plan_file::{CustomerPlan, Plan, PlanWriter, header};
use crate::shard::Shard;
use crate::summary::{Summary, counted};
use crate::there::There;
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
        let mut there = There::of(wanted)?;
        comparison.check_contributors(&there).await?;
        there
            .read(&self.twipla, self.shard, self.prune, &reading)
            .await?;
        let unlisted = std::mem::take(&mut there.unlisted);

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
                "{} and {} on the server are not in the file: they stay, `prune` deletes them",
                counted(customers, "customer"),
                counted(websites, "website")
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
