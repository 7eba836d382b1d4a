//! Applies a plan.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use twipla::types::SubscriptionType;
use twipla::{CustomerId, Twipla};

use crate::action::{Action, Stage};
use crate::carry_out::{Outcome, Stopped, Worker};
use crate::catalogue::Catalogue;
use crate::error::{Error, Result};
use crate::journal::{Ended, Entry, History, Journal, Past};
use crate::plan_file::{CustomerPlan, Plan};

/// The most actions that a report names; the journal has all.
const MOST_NAMED: usize = 1000;
/// After this many actions in a row without a response, the server counts as down.
const MOST_UNANSWERED: u32 = 20;

/// Applies a plan, with a journal from which an interrupted run continues.
///
/// Requests are sent at the rate of the client,
/// [`TwiplaBuilder::rate_limit`](twipla::TwiplaBuilder::rate_limit), and slower
/// if the server asks for it.
///
/// ```
/// # async fn f(twipla: twipla::Twipla) -> twipla_plan::Result<()> {
/// use twipla_plan::{Apply, Plan};
///
/// let plan = Plan::open("plan.json")?;
/// let report = Apply::new(&twipla, &plan, "plan.journal")
///     .on_progress(|event| eprintln!("{} of {}", event.progress.ended(), event.progress.total))
///     .run()
///     .await?;
/// println!("{} done, {} failed", report.progress.done, report.progress.failed);
/// # Ok(()) }
/// ```
#[must_use = "nothing is changed until this is run"]
#[derive(Clone)]
pub struct Apply {
    twipla: Twipla,
    plan: Plan,
    journal: PathBuf,
    in_flight: usize,
    force: bool,
    refresh: bool,
    stop: Stop,
    progress: Arc<dyn Fn(&Event<'_>) + Send + Sync>,
}

/// A handle that ends a run early.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Starts no more actions. Those in progress end, and are written to the journal.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An action ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The customer of the action.
    pub customer: &'a CustomerId,
    /// The action; [`Plan::describe`] describes it in words.
    pub action: &'a Action,
    /// The outcome of the action.
    pub outcome: &'a Outcome,
    /// The progress of the run, including this action.
    pub progress: Progress,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Actions of the plan.
    pub total: u64,
    /// Actions that earlier runs completed.
    pub earlier: u64,
    /// Actions done by this run.
    pub done: u64,
    /// Actions whose result existed already.
    pub already_so: u64,
    /// Actions that failed.
    pub failed: u64,
    /// Actions that were not tried, because the state on the server has changed since the plan.
    pub moved: u64,
    /// Actions that may have been done.
    pub in_doubt: u64,
    /// Time since the start of this run.
    pub elapsed: Duration,
}

impl Progress {
    /// Returns the number of actions that ended, now or earlier.
    pub fn ended(&self) -> u64 {
        self.earlier + self.ended_now()
    }

    /// Returns the actions per second in this run.
    #[allow(clippy::cast_precision_loss, reason = "for showing it")]
    pub fn per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.ended_now() as f64 / seconds
        } else {
            0.0
        }
    }

    /// Returns how long the rest takes at the same rate; `None` before any action ended.
    #[allow(clippy::cast_precision_loss, reason = "for showing it")]
    pub fn time_left(&self) -> Option<Duration> {
        let rate = self.per_second();
        let left = self.total.saturating_sub(self.ended()) as f64;
        (rate > 0.0).then(|| Duration::try_from_secs_f64(left / rate).unwrap_or(Duration::MAX))
    }

    fn ended_now(&self) -> u64 {
        self.done + self.already_so + self.failed + self.moved + self.in_doubt
    }
}

/// The result of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The counts.
    pub progress: Progress,
    /// Actions that failed, moved or are in doubt: the first 1,000 of them. The journal has all.
    pub open: Vec<OpenAction>,
    /// Why the run ended early: stop was requested, the key was not accepted,
    /// or the server did not respond to 20 actions in a row.
    pub stopped: Option<String>,
}

/// An action that is not complete.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpenAction {
    /// The customer of the action.
    pub customer: CustomerId,
    /// The action in words.
    pub action: String,
    /// Whether it may have been done.
    pub in_doubt: bool,
    /// Whether it was not tried because the state on the server has changed.
    pub moved: bool,
    /// Why it is not complete.
    pub reason: String,
}

impl Report {
    /// Returns whether every action of the plan is complete.
    pub fn is_complete(&self) -> bool {
        let progress = &self.progress;
        progress.earlier + progress.done + progress.already_so == progress.total
    }
}

impl Apply {
    /// Creates a run of `plan`, with a journal at `journal`: a new file, or that of
    /// an earlier run of the same plan.
    pub fn new(twipla: &Twipla, plan: &Plan, journal: impl AsRef<Path>) -> Self {
        Self {
            twipla: twipla.clone(),
            plan: plan.clone(),
            journal: journal.as_ref().to_owned(),
            in_flight: 8,
            force: false,
            refresh: false,
            stop: Stop::default(),
            progress: Arc::new(|_| {}),
        }
    }

    /// Sets how many customers are processed at once; 8 by default. The actions of one
    /// customer are done one after another.
    pub fn in_flight(mut self, customers: usize) -> Self {
        self.in_flight = customers.max(1);
        self
    }

    /// Sets whether to apply a plan that deletes 100 customers and websites or more,
    /// or more than 30 % of them.
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets whether to apply an action even if the state on the server has changed since the
    /// plan was made: the change is then made from the current state. Even so, a customer with
    /// a website that the plan did not show is not deleted.
    pub fn refresh(mut self, refresh: bool) -> Self {
        self.refresh = refresh;
        self
    }

    /// Sets a handle to end the run early.
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Sets a function to call after each action. It should be fast.
    pub fn on_progress(mut self, progress: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// Applies the plan. Actions that earlier runs completed are skipped; those in doubt
    /// are checked on the server first; those that failed are tried again.
    ///
    /// If it is dropped early, the next run continues, as after a kill.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if a safety check fails: too many deletions, another
    /// partner, the journal of another plan, or one that is in use. [`Error::Io`]
    /// if the plan cannot be read or the journal cannot be written: nothing is
    /// sent before it is in the journal. Failed actions are in the report.
    pub async fn run(self) -> Result<Report> {
        let (header, summary) = (self.plan.header(), self.plan.summary());
        if header.partner != self.twipla.partner_id() {
            return Err(Error::Refused(format!(
                "the plan is for partner {}, but this client is for partner {}",
                header.partner,
                self.twipla.partner_id()
            )));
        }
        if !self.force {
            summary.check_deletions()?;
        }
        let (journal, history) = Journal::open(&self.journal, self.plan.id(), summary.actions)?;
        let packages = Catalogue::new(self.twipla.packages().list().await?);
        let run = Run {
            worker: Worker {
                twipla: &self.twipla,
                packages: &packages,
                account_model: header.model == SubscriptionType::Intpc,
                refresh: self.refresh,
            },
            plan: &self.plan,
            started: Instant::now(),
            report: Mutex::new(Report {
                progress: Progress {
                    total: summary.actions,
                    earlier: history.completed(),
                    ..Progress::default()
                },
                ..Report::default()
            }),
            unanswered: AtomicU32::new(0),
            journal,
            history: Mutex::new(history),
            stop: &self.stop,
            progress: &*self.progress,
        };
        for stage in Stage::ALL {
            stream::iter(self.plan.customers()?)
                .map(|customer| run.customer(customer, stage))
                .buffer_unordered(self.in_flight)
                .try_for_each(|()| async { Ok(()) })
                .await?;
        }
        let mut report = run
            .report
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        report.progress.elapsed = run.started.elapsed();
        Ok(report)
    }
}

impl fmt::Debug for Apply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply")
            .field("plan", &self.plan.path())
            .field("journal", &self.journal)
            .field("in_flight", &self.in_flight)
            .field("force", &self.force)
            .field("refresh", &self.refresh)
            .finish_non_exhaustive()
    }
}

/// A run in progress.
struct Run<'a> {
    worker: Worker<'a>,
    plan: &'a Plan,
    started: Instant,
    report: Mutex<Report>,
    /// Number of actions in a row without a response.
    unanswered: AtomicU32,
    journal: Journal,
    history: Mutex<History>,
    stop: &'a Stop,
    progress: &'a (dyn Fn(&Event<'_>) + Send + Sync),
}

impl Run<'_> {
    /// Applies the actions of one customer in one stage, one after another.
    async fn customer(&self, plan: Result<CustomerPlan>, stage: Stage) -> Result<()> {
        let plan = plan?;
        let numbered = (plan.first..).zip(&plan.actions);
        // Open actions of this and earlier stages: actions that follow them cannot be done.
        let mut open: Vec<&Action> = Vec::new();
        for (number, action) in numbered {
            if action.stage() > stage || self.history().of(number) == Past::Complete {
                continue;
            }
            if action.stage() < stage {
                open.push(action);
                continue;
            }
            if self.must_stop() {
                return Ok(());
            }
            let outcome = if open.iter().any(|earlier| action.follows(earlier)) {
                Outcome::Failed("an earlier action that it depends on is not done".to_owned())
            } else {
                self.journal.write(&Entry::Start { start: number }).await?;
                self.carry_out(&plan.customer, action).await
            };
            if !matches!(outcome, Outcome::Done | Outcome::AlreadySo) {
                open.push(action);
            }
            self.end(number, &plan.customer, action, &outcome).await?;
        }
        Ok(())
    }

    /// Applies an action, and ends the run if no further action can succeed.
    async fn carry_out(&self, customer: &CustomerId, action: &Action) -> Outcome {
        let carried = self.worker.carry_out(customer, action).await;
        let in_a_row = if matches!(carried, Err(Stopped::Unanswered(_))) {
            self.unanswered.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            self.unanswered.store(0, Ordering::Relaxed);
            0
        };
        match carried {
            Ok(outcome) | Err(Stopped::With(outcome)) => outcome,
            Err(Stopped::Unanswered(outcome)) => {
                if in_a_row >= MOST_UNANSWERED {
                    let reason =
                        format!("the server did not respond to {in_a_row} actions in a row");
                    self.report().stopped.get_or_insert(reason);
                }
                outcome
            }
            Err(Stopped::ForGood(error)) => {
                let reason = format!("{error:#}");
                self.report().stopped.get_or_insert(reason.clone());
                Outcome::Failed(reason)
            }
        }
    }

    async fn end(
        &self,
        number: u64,
        customer: &CustomerId,
        action: &Action,
        outcome: &Outcome,
    ) -> Result<()> {
        let (ended, why) = match outcome {
            Outcome::Done => (Ended::Done, None),
            Outcome::AlreadySo => (Ended::AlreadySo, None),
            Outcome::Failed(why) => (Ended::Failed, Some(why)),
            Outcome::Moved(why) => (Ended::Moved, Some(why)),
            Outcome::InDoubt(why) => (Ended::InDoubt, Some(why)),
        };
        let entry = Entry::End {
            end: number,
            outcome: ended,
            why: why.map(|why| why.chars().take(2000).collect()),
        };
        self.journal.write(&entry).await?;
        if why.is_none() {
            self.history().complete(number);
        }
        let progress = self.count(ended, why, customer, action);
        (self.progress)(&Event {
            customer,
            action,
            outcome,
            progress,
        });
        Ok(())
    }

    fn count(
        &self,
        ended: Ended,
        why: Option<&String>,
        customer: &CustomerId,
        action: &Action,
    ) -> Progress {
        let mut report = self.report();
        let progress = &mut report.progress;
        match ended {
            Ended::Done => progress.done += 1,
            Ended::AlreadySo => progress.already_so += 1,
            Ended::Failed => progress.failed += 1,
            Ended::Moved => progress.moved += 1,
            Ended::InDoubt => progress.in_doubt += 1,
        }
        progress.elapsed = self.started.elapsed();
        let progress = *progress;
        if let Some(why) = why
            && report.open.len() < MOST_NAMED
        {
            report.open.push(OpenAction {
                customer: customer.clone(),
                action: self.plan.describe(action),
                in_doubt: ended == Ended::InDoubt,
                moved: ended == Ended::Moved,
                reason: why.clone(),
            });
        }
        progress
    }

    fn must_stop(&self) -> bool {
        let mut report = self.report();
        if self.stop.is_requested() {
            report
                .stopped
                .get_or_insert_with(|| "stop was requested".to_owned());
        }
        report.stopped.is_some()
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
