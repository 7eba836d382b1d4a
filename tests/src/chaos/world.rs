//! One sandbox with its faults, and the callers that share a client of it.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use twipla::{Result as Answer, RetryPolicy, Twipla};
use twipla_sandbox::{Commit, Model, Sandbox};

use super::ask::{Call, Turn};
use super::choose::Chooser;
use super::claim::Claim;
use super::faults::{self, Trouble};
use super::holdings::Holdings;
use super::judge::{self, Evidence, Finding};
use super::offers::Offers;
use super::outcome::{Error, Outcome, Violation};
use super::plan::Share;
use super::send::{Reply, send, send_bulk};
use super::server::Account;
use super::trace::Trace;
use crate::setup::client;

/// How long to wait for requests in flight. The longest late commit takes 150 ms.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the callers of a sandbox share.
struct World {
    share: Share,
    sandbox: Sandbox,
    twipla: Twipla,
    /// The id of the partner.
    partner: String,
    troubles: Vec<Trouble>,
}

/// Runs a share of a plan.
pub(super) async fn run(share: Share) -> Result<Outcome, Error> {
    let plan = share.plan;
    // Generating keys takes time and would block a thread of the runtime.
    let start = || tokio::runtime::Handle::current().block_on(Sandbox::start());
    let sandbox = tokio::task::spawn_blocking(start).await??;
    let partner = match share.model {
        Model::Website => sandbox.website_partner(),
        Model::Account => sandbox.account_partner(),
    };
    let twipla = client(&sandbox, &partner)
        .attempt_timeout(Duration::from_millis(500))
        .timeout(Duration::from_secs(5))
        .retry(
            RetryPolicy::default()
                .base_delay(Duration::from_millis(2))
                .max_delay(Duration::from_millis(20)),
        )
        .build()?;
    let offers = Arc::new(Offers::read(&twipla).await?);
    let mut troubles = faults::all();
    if share.world % 4 == 3 {
        troubles.insert(0, faults::rate_limit());
    }
    sandbox.clear_requests();
    sandbox.clear_commits();
    let seed = plan.seed.wrapping_mul(1_000_003).wrapping_add(share.world);
    faults::inject(&sandbox, &troubles, plan.fault_rate, seed);
    let world = Arc::new(World {
        share,
        partner: partner.id().to_string(),
        sandbox,
        twipla,
        troubles,
    });

    let mut callers = Vec::new();
    for number in 0..plan.callers {
        let random = StdRng::seed_from_u64(seed.wrapping_mul(64).wrapping_add(number));
        let caller = Caller {
            number,
            world: Arc::clone(&world),
            chooser: Chooser::new(random, number.to_string()),
            holdings: Holdings::new(share.model, Arc::clone(&offers)),
            calls: Vec::new(),
            outcome: Outcome::default(),
        };
        let operations =
            share.operations / plan.callers + u64::from(number < share.operations % plan.callers);
        callers.push(tokio::spawn(caller.work(operations)));
    }
    let mut outcome = Outcome::default();
    let mut done = Vec::new();
    for caller in callers {
        done.push(caller.await??);
    }
    for (trouble, status) in world.troubles.iter().zip(world.sandbox.faults().faults) {
        outcome.faults += status.struck;
        *outcome.by_fault.entry(trouble.name).or_default() += status.struck;
    }
    outcome.requests = world.sandbox.requests().len() as u64;
    world.sandbox.clear_faults();
    world.wait_for_requests_under_way().await;
    for caller in done {
        outcome.merge(caller.finish());
    }
    Ok(outcome)
}

impl World {
    fn account(&self) -> Account {
        Account::of(&self.partner, self.sandbox.snapshot())
    }

    /// Returns how often each fault occurred.
    fn strikes(&self) -> Vec<u64> {
        let report = self.sandbox.faults();
        report.faults.iter().map(|status| status.struck).collect()
    }

    /// Returns the faults that occurred since.
    fn struck_since(&self, before: &[u64]) -> Vec<&Trouble> {
        let now = self.strikes();
        let counts = before.iter().zip(&now);
        let struck = self.troubles.iter().zip(counts);
        struck
            .flat_map(|(trouble, (before, now))| (*before..*now).map(move |_| trouble))
            .collect()
    }

    async fn wait_for_requests_under_way(&self) {
        let wait = async {
            while self.sandbox.faults().pending_commits > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // A hanging request ends with the caller's attempt, which closes the connection.
        let _ = tokio::time::timeout(PATIENCE, wait).await;
    }
}

/// One caller, with its own customers and websites.
struct Caller {
    number: u64,
    world: Arc<World>,
    chooser: Chooser,
    holdings: Holdings,
    calls: Vec<Record>,
    outcome: Outcome,
}

/// The state of the sandbox when a call returned.
struct Seen<'a> {
    /// Its last change before the call.
    after: u64,
    account: Account,
    /// All changes since.
    commits: Vec<Commit>,
    /// The faults that occurred since.
    struck: Vec<&'a Trouble>,
}

/// What is kept of a call until the end.
struct Record {
    call: Call,
    trace: Trace,
    claim: Claim,
    result: String,
    faults: Vec<&'static str>,
    /// The sandbox's last change before the call.
    after: u64,
    /// The number of changes when the call returned.
    made: usize,
}

impl Caller {
    async fn work(mut self, operations: u64) -> Result<Self, Error> {
        while self.outcome.operations < operations {
            let turn = self.chooser.next(&self.holdings);
            self.make(turn).await?;
        }
        Ok(self)
    }

    async fn make(&mut self, turn: Turn) -> Result<(), Error> {
        let world = Arc::clone(&self.world);
        let (after, before) = (last_sequence(&world.sandbox), world.strikes());
        let (calls, results) = match turn {
            Turn::One(call) => {
                let result = send(&world.twipla, &call.ask).await;
                (vec![call], vec![result])
            }
            Turn::Bulk {
                calls,
                stop_on_error,
            } => {
                let results = send_bulk(&world.twipla, &calls, stop_on_error).await?;
                for call in &calls {
                    self.count_composed(call.ask.bulk());
                }
                (calls, results)
            }
        };
        if calls.len() != results.len() {
            return Err(format!("{} outcomes for {} calls", results.len(), calls.len()).into());
        }
        let seen = Seen {
            after,
            account: world.account(),
            commits: commits_since(&world.sandbox, after),
            struck: world.struck_since(&before),
        };
        for (call, result) in calls.into_iter().zip(results) {
            self.judge(call, &result, &seen);
        }
        world.wait_for_requests_under_way().await;
        Ok(())
    }

    fn judge(&mut self, call: Call, result: &Answer<Reply>, seen: &Seen<'_>) {
        let trace = Trace::of(&call.ask);
        let mut commits = seen.commits.clone();
        commits.retain(|commit| trace.matches(commit));
        let is_timeout = matches!(result, Err(error) if error.is_timeout());
        let evidence = Evidence {
            commits: &commits,
            account: &seen.account,
            own: &format!("{}-", self.number),
            is_restless: is_restless(&seen.commits),
            may_be_late: is_timeout || seen.struck.iter().any(|trouble| trouble.may_be_late),
        };
        let finding = judge::at_once(&call, result, &evidence);
        let claim = Claim::of(result);
        self.count(&trace, result);
        self.count_composed(call.ask.composed());
        let record = Record {
            trace,
            claim,
            result: describe(result),
            faults: seen.struck.iter().map(|trouble| trouble.name).collect(),
            after: seen.after,
            made: commits.len(),
            call,
        };
        // A caller with a wrong result does not build on it.
        let believed = if finding.is_some() {
            Claim::Open
        } else {
            claim
        };
        self.holdings
            .learn(&record.call, believed, result.as_ref().ok());
        if let Some(finding) = finding {
            let number = self.calls.len();
            self.report(number, &record, finding);
        }
        self.calls.push(record);
    }

    fn count_composed(&mut self, name: Option<&'static str>) {
        if let Some(name) = name {
            *self.outcome.composed.entry(name).or_default() += 1;
        }
    }

    fn count(&mut self, trace: &Trace, result: &Answer<Reply>) {
        self.outcome.operations += 1;
        *self
            .outcome
            .by_operation
            .entry(trace.operation)
            .or_default() += 1;
        if let Err(error) = result {
            self.outcome.failures += 1;
            self.outcome.ambiguous += u64::from(error.is_ambiguous());
        }
    }

    /// Checks everything once more, now that no request is in flight.
    fn finish(mut self) -> Outcome {
        let world = Arc::clone(&self.world);
        let commits = world.sandbox.commits();
        let calls = std::mem::take(&mut self.calls);
        for (number, record) in calls.iter().enumerate() {
            let mut later = calls[number + 1..].iter();
            let until = later.find(|later| later.trace == record.trace);
            let until = until.map_or(u64::MAX, |later| later.after);
            let made = commits.iter().filter(|commit| {
                (record.after + 1..=until).contains(&commit.sequence)
                    && record.trace.matches(commit)
            });
            if let Some(finding) = judge::in_the_end(record.claim, record.made, made.count()) {
                self.report(number, record, finding);
            }
        }
        for (verdict, server) in judge::holdings(&self.holdings, &world.account()) {
            self.outcome.add(Violation {
                verdict,
                at: self.at("in the end"),
                call: "what the caller has".to_owned(),
                ask: String::new(),
                faults: Vec::new(),
                result: String::new(),
                server,
            });
        }
        self.outcome
    }

    fn report(&mut self, number: usize, record: &Record, (verdict, server): Finding) {
        let at = self.at(&format!("call {number}"));
        self.outcome.add(Violation {
            verdict,
            at,
            call: record.trace.to_string(),
            ask: format!("{:?}", record.call),
            faults: record.faults.clone(),
            result: record.result.clone(),
            server,
        });
    }

    fn at(&self, when: &str) -> String {
        let world = self.world.share.world;
        format!("world {world}, caller {}, {when}", self.number)
    }
}

fn describe(result: &Answer<Reply>) -> String {
    match result {
        Ok(Reply::Unchanged) => "unchanged".to_owned(),
        Ok(Reply::Skipped) => "skipped".to_owned(),
        Ok(Reply::Entries(entries)) => format!("all entries: {}", entries.join(", ")),
        Ok(_) => "done".to_owned(),
        Err(error) => format!("{:?}: {error}", Claim::of(result)),
    }
}

fn last_sequence(sandbox: &Sandbox) -> u64 {
    sandbox.commits().last().map_or(0, |commit| commit.sequence)
}

/// Returns the changes that the sandbox has made since, by any caller.
fn commits_since(sandbox: &Sandbox, after: u64) -> Vec<Commit> {
    let mut commits = sandbox.commits();
    commits.retain(|commit| commit.sequence > after);
    commits
}

/// Reports whether customers or websites were added and deleted.
fn is_restless(commits: &[Commit]) -> bool {
    let added = |commit: &Commit| commit.operation.starts_with("create_");
    let deleted = |commit: &Commit| {
        let operation = commit.operation;
        operation.starts_with("delete_") || operation == "deactivate_intpc_subscription"
    };
    commits.iter().any(added) && commits.iter().any(deleted)
}
