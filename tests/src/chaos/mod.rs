//! Many tasks against a sandbox that fails all the time, and a ledger of what
//! they were told. In the end the ledger is held against what the server has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;
use serde_json::Value;
use twipla::{ChangeState, Error, ErrorKind, PackageId, RetryPolicy, Twipla};
use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::{client, price_list};

/// Tasks at once.
const TASKS: u64 = 32;
/// The customer who owns every website of a run.
const OWNER: &str = "owner";

/// How long and how rough.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Calls in all.
    pub ops: u64,
    /// Share of the requests that a fault strikes, from 0 to 1.
    pub fault_rate: f64,
    /// The same seed gives the same calls; which request a fault strikes depends on the timing.
    pub seed: u64,
}

/// What came of a run. The last four are to be 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Calls made.
    pub operations: u64,
    /// Requests that the server saw.
    pub requests: usize,
    /// Calls that failed, honestly.
    pub failures: u64,
    /// Wall time in milliseconds.
    pub millis: u128,
    /// The caller was told that it is done, and it is not there.
    pub lost: u64,
    /// Something is there twice.
    pub doubled: u64,
    /// The caller was told that it failed for certain, or is in force, and that is not so.
    pub wrongly_reported: u64,
    /// An error of a kind that no fault of the run explains.
    pub unclassified: u64,
}

impl Outcome {
    /// Whether everything that the callers were told is true.
    pub fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.wrongly_reported + self.unclassified == 0
    }
}

/// Runs the plan against a sandbox of its own.
///
/// # Errors
///
/// Where the run cannot be set up.
pub async fn run(plan: Plan) -> Result<Outcome, Box<dyn std::error::Error + Send + Sync>> {
    let started = Instant::now();
    let sandbox = Sandbox::start().await?;
    let partner = sandbox.website_partner();
    let twipla = client(&sandbox, &partner)
        .attempt_timeout(Duration::from_millis(300))
        .timeout(Duration::from_secs(5))
        .retry(
            RetryPolicy::default()
                .base_delay(Duration::from_millis(2))
                .max_delay(Duration::from_millis(20)),
        )
        .build()?;
    twipla
        .customers()
        .create(OWNER, "owner@example.com")
        .await?;
    let packages: Vec<PackageId> = price_list(&twipla)
        .await?
        .iter()
        .map(|package| package.id)
        .collect();
    let [_, small, large, ..] = packages[..] else {
        return Err("the price list of the sandbox is too short".into());
    };
    let kinds = faults();
    for (n, kind) in (plan.seed..).zip(&kinds) {
        #[allow(clippy::cast_precision_loss, reason = "a dozen kinds")]
        let share = plan.fault_rate / kinds.len() as f64;
        sandbox.inject(Fault::new(kind.clone()).probability(share, n));
    }

    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let share = plan.ops / TASKS + u64::from(task < plan.ops % TASKS);
        let worker = Worker {
            twipla: twipla.clone(),
            ledger: Arc::clone(&ledger),
            random: StdRng::seed_from_u64(plan.seed.wrapping_mul(TASKS) + task),
            task,
            small,
            large,
            websites: Vec::new(),
        };
        tasks.push(tokio::spawn(worker.work(share)));
    }
    for task in tasks {
        task.await?;
    }
    sandbox.clear_faults();
    // What was under way when its caller gave up may still arrive.
    tokio::time::sleep(Duration::from_millis(400)).await;

    let snapshot = sandbox.snapshot();
    let own = snapshot["partners"].as_array().into_iter().flatten();
    let own = own
        .into_iter()
        .find(|account| account["id"] == partner.id().to_string());
    let websites = own.map_or(&Value::Null, |account| &account["websites"]);
    let ledger = std::mem::take(&mut *ledger.lock().unwrap_or_else(PoisonError::into_inner));
    let mut outcome = ledger.hold_against(websites);
    outcome.requests = sandbox.requests().len();
    outcome.millis = started.elapsed().as_millis();
    Ok(outcome)
}

/// Everything that a network and a tired server do and that a run of bounded time can take.
fn faults() -> Vec<FaultKind> {
    let answer = |code, headers: &[(&str, &str)]| FaultKind::Status {
        code,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: String::new(),
    };
    vec![
        FaultKind::ResetBeforeCommit,
        FaultKind::ResetAfterCommit,
        FaultKind::TruncatedBody,
        FaultKind::HtmlBody,
        FaultKind::EmptyBody,
        FaultKind::InvalidJson,
        FaultKind::NoContent,
        FaultKind::Hang,
        FaultKind::Delay(Duration::from_millis(50)),
        FaultKind::ExpiredToken,
        answer(429, &[("retry-after", "0")]),
        answer(502, &[]),
        answer(503, &[("retry-after", "0")]),
        answer(503, &[]),
    ]
}

/// What a caller knows of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    There,
    Gone,
    /// The error said that it cannot know.
    Open,
}

/// What the callers were told.
#[derive(Debug, Default)]
struct Ledger {
    operations: u64,
    failures: u64,
    unclassified: u64,
    websites: BTreeMap<String, Told>,
    /// By website and name.
    keys: BTreeMap<(String, String), Told>,
    /// Package in force, where the caller was told for certain.
    packages: BTreeMap<String, Option<PackageId>>,
}

impl Ledger {
    fn hold_against(self, websites: &Value) -> Outcome {
        let mut outcome = Outcome {
            operations: self.operations,
            failures: self.failures,
            unclassified: self.unclassified,
            ..Outcome::default()
        };
        let mut judge = |told: Told, there: bool| match told {
            Told::There if !there => outcome.lost += 1,
            Told::Gone if there => outcome.wrongly_reported += 1,
            _ => {}
        };
        for (id, told) in &self.websites {
            judge(*told, websites.get(id).is_some());
        }
        for ((id, name), told) in &self.keys {
            // The keys of a website go with it.
            let Some(site) = websites.get(id) else {
                continue;
            };
            let keys = site["apiKeys"].as_array().into_iter().flatten();
            let same = keys.filter(|key| key["name"] == name.as_str()).count();
            judge(*told, same > 0);
            outcome.doubled += u64::from(same > 1);
        }
        for (id, package) in &self.packages {
            if let (Some(package), Some(site)) = (package, websites.get(id)) {
                let in_force = site["subscription"]["packageId"] == package.to_string();
                outcome.wrongly_reported += u64::from(!in_force);
            }
        }
        outcome
    }
}

/// One caller, with websites of its own.
struct Worker {
    twipla: Twipla,
    ledger: Arc<Mutex<Ledger>>,
    random: StdRng,
    task: u64,
    small: PackageId,
    large: PackageId,
    websites: Vec<String>,
}

impl Worker {
    async fn work(mut self, operations: u64) {
        for n in 0..operations {
            self.note(|ledger| ledger.operations += 1);
            match self.random.random_range(0..6) {
                0 | 1 => self.create(n).await,
                2 => self.delete().await,
                3 => self.read().await,
                4 => self.upgrade().await,
                _ => self.make_key(n).await,
            }
        }
    }

    async fn create(&mut self, n: u64) {
        let id = format!("w{}-{n}", self.task);
        let create = self
            .twipla
            .websites()
            .create(OWNER, id.as_str(), "example.com");
        let told = match create.package(self.small).await {
            Ok(_) => {
                self.websites.push(id.clone());
                Told::There
            }
            Err(error) => self.failed(&error, Told::Gone),
        };
        self.note(|ledger| {
            ledger.websites.insert(id, told);
        });
    }

    async fn delete(&mut self) {
        let Some(id) = self.websites.pop() else {
            return;
        };
        let told = match self.twipla.website(id.as_str()).delete().await {
            Ok(_) => Told::Gone,
            Err(error) => self.failed(&error, Told::There),
        };
        self.note(|ledger| {
            ledger.websites.insert(id, told);
        });
    }

    async fn read(&mut self) {
        let Some(id) = self.websites.last() else {
            return;
        };
        match self.twipla.website(id.as_str()).get().await {
            // The caller was told that it is there.
            Err(error) if error.is_not_found() => self.note(|ledger| ledger.unclassified += 1),
            Err(error) => {
                self.failed(&error, Told::There);
            }
            Ok(_) => {}
        }
    }

    /// Only the first upgrade of a website can succeed: a second one is refused with 500.
    async fn upgrade(&mut self) {
        let Some(id) = self.websites.last().cloned() else {
            return;
        };
        let package = match self
            .twipla
            .website(id.as_str())
            .subscription()
            .upgrade(self.large)
            .await
        {
            Ok(_) => Some(self.large),
            Err(error) if error.change_state() == Some(ChangeState::Applied) => {
                self.failed(&error, Told::There);
                Some(self.large)
            }
            Err(error) => {
                self.failed(&error, Told::Gone);
                None
            }
        };
        self.note(|ledger| {
            let known = ledger.packages.entry(id).or_default();
            *known = known.or(package);
        });
    }

    async fn make_key(&mut self, n: u64) {
        let Some(id) = self.websites.last().cloned() else {
            return;
        };
        let name = format!("k{n}");
        let told = match self
            .twipla
            .website(id.as_str())
            .api_keys()
            .create(name.as_str())
            .await
        {
            Ok(_) => Told::There,
            Err(error) if error.kind() == ErrorKind::SecretLost => self.failed(&error, Told::There),
            Err(error) => self.failed(&error, Told::Gone),
        };
        self.note(|ledger| {
            ledger.keys.insert((id, name), told);
        });
    }

    /// Books a failure; `otherwise` is what the error says where it is certain.
    fn failed(&self, error: &Error, otherwise: Told) -> Told {
        let explained = matches!(
            error.kind(),
            ErrorKind::Connection
                | ErrorKind::Timeout
                | ErrorKind::Decode
                | ErrorKind::Server
                | ErrorKind::RateLimited
                | ErrorKind::Auth
                | ErrorKind::SecretLost
        );
        // A delete that was carried out at the first try is not found at the second.
        let late = error.is_not_found() && error.is_ambiguous();
        self.note(|ledger| {
            ledger.failures += 1;
            ledger.unclassified += u64::from(!explained && !late);
        });
        if error.is_ambiguous() {
            Told::Open
        } else {
            otherwise
        }
    }

    fn note(&self, note: impl FnOnce(&mut Ledger)) {
        note(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
