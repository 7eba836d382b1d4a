//! Makes a plan: compares a file with the server.

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

/// Makes plans, without changing anything on the server.
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

/// The progress of planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanProgress {
    /// The number of customers and websites read from the server.
    Read(u64),
    /// The number of customers of the file that were compared.
    Compared(u64),
}

impl Planner {
    /// Creates a planner with this client, and its rate limit.
    pub fn new(twipla: &Twipla) -> Self {
        Self {
            twipla: twipla.clone(),
            prune: false,
            shard: Shard::ALL,
            in_flight: 8,
            progress: Arc::new(|_| {}),
        }
    }

    /// Sets whether to delete what is on the server but not in the file: customers,
    /// websites, and domains and contributors of websites for which the file lists
    /// some. Off by default.
    pub fn prune(mut self, prune: bool) -> Self {
        self.prune = prune;
        self
    }

    /// Plans only a part of the file, and deletes only in that part.
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = shard;
        self
    }

    /// Sets how many customers are compared at once; 8 by default. Only websites with
    /// domains or contributors need separate calls.
    pub fn in_flight(mut self, customers: usize) -> Self {
        self.in_flight = customers.max(1);
        self
    }

    /// Sets a function to call as planning proceeds. It should be fast.
    pub fn on_progress(mut self, progress: impl Fn(PlanProgress) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// Compares the file with the server, and writes the plan to `path`. An existing
    /// plan of that name is replaced once the new one is complete.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the file is invalid, or names an unknown
    /// package or contributor; [`Error::Api`] if the server
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
                        "cannot plan for a partner with the subscription model {other}"
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

/// More warnings than this are summarized.
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
                .push("and more warnings like these".to_owned()),
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
            let warning = "TWIPLA does the billing of this partner: subscription changes are up to the customers, and may be rejected";
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
                "{} and {} on the server are not in the file: they are kept, `prune` deletes them",
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
