//! The active faults: which one strikes a request, and what has struck so far.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use crate::error::Error;
use crate::fault::{Fault, FaultKind, Moment};

/// The maximum number of active faults.
const CAPACITY: usize = 1000;

/// The status of all faults, and the number of pending commits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FaultReport {
    /// All faults since the last clearing, in the order of injection.
    pub faults: Vec<FaultStatus>,
    /// Requests struck by a `LateCommit` or `CommitAfterHangUp` that have yet
    /// to be carried out.
    pub pending_commits: usize,
}

/// A fault, and how often it has struck.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FaultStatus {
    /// The injected fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it has struck. Requests whose response it did not change do
    /// not count, for instance if the field to remove was missing anyway.
    pub struck: u64,
    /// How often it can still strike; `None` if unlimited.
    pub remaining: Option<u64>,
}

/// A fault that strikes a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strike {
    /// The number of the fault.
    pub(crate) fault: u64,
    pub(crate) kind: FaultKind,
    /// Whether the request is carried out before the fault strikes.
    pub(crate) after_commit: bool,
}

/// The active faults, and exhausted ones.
#[derive(Default)]
pub(crate) struct Faults {
    active: Vec<ActiveFault>,
    added: u64,
    pub(crate) pending_commits: usize,
}

impl Faults {
    /// Adds a fault after the existing ones.
    pub(crate) fn add(&mut self, fault: Fault) -> Result<(), Error> {
        fault.validate()?;
        if self.active.len() == CAPACITY {
            let exhausted = self.active.iter().position(ActiveFault::is_exhausted);
            let Some(exhausted) = exhausted else {
                return Err(Error::new(format!(
                    "cannot add a fault: {CAPACITY} are active: clear them first"
                )));
            };
            self.active.remove(exhausted);
        }
        self.added += 1;
        self.active.push(ActiveFault::new(fault, self.added));
        Ok(())
    }

    /// Removes all faults. Late commits that are pending still happen.
    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// Removes one fault. Returns false if it does not exist.
    pub(crate) fn remove(&mut self, number: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|fault| fault.number != number);
        self.active.len() < before
    }

    /// Returns the number of each fault, in the order of
    /// [`report`](Self::report).
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.active.iter().map(|fault| fault.number).collect()
    }

    /// Returns the fault that strikes a request, if any; the one injected first
    /// takes precedence.
    pub(crate) fn next_fault(&mut self, operation: Option<&str>, now: Instant) -> Option<Strike> {
        self.active
            .iter_mut()
            .find_map(|fault| fault.strike(operation, now))
    }

    /// Uncounts a strike that changed nothing.
    pub(crate) fn take_back(&mut self, number: u64) {
        let fault = self.active.iter_mut().find(|fault| fault.number == number);
        if let Some(fault) = fault {
            fault.struck = fault.struck.saturating_sub(1);
        }
    }

    pub(crate) fn report(&self) -> FaultReport {
        let status = |active: &ActiveFault| FaultStatus {
            fault: active.fault.clone(),
            struck: active.struck,
            remaining: active.fault.times.map(|times| times - active.struck),
        };
        FaultReport {
            faults: self.active.iter().map(status).collect(),
            pending_commits: self.pending_commits,
        }
    }
}

/// A fault, and the state that decides whether it strikes.
struct ActiveFault {
    fault: Fault,
    /// Unique among all faults ever added.
    number: u64,
    struck: u64,
    random: StdRng,
    bucket: Option<TokenBucket>,
}

impl ActiveFault {
    fn new(fault: Fault, number: u64) -> Self {
        let bucket = match fault.kind {
            FaultKind::RateLimit { per_second, burst } => Some(TokenBucket::new(per_second, burst)),
            _ => None,
        };
        Self {
            number,
            struck: 0,
            random: StdRng::seed_from_u64(fault.seed),
            bucket,
            fault,
        }
    }

    fn is_exhausted(&self) -> bool {
        self.fault.times.is_some_and(|times| self.struck >= times)
    }

    fn strike(&mut self, operation: Option<&str>, now: Instant) -> Option<Strike> {
        let other_operation =
            self.fault.operation.is_some() && self.fault.operation.as_deref() != operation;
        if other_operation || self.is_exhausted() {
            return None;
        }
        if let Some(probability) = self.fault.probability
            && self.random.random::<f64>() >= probability
        {
            return None;
        }
        let kind = match &mut self.bucket {
            Some(bucket) => rate_limited(bucket.take(now)?),
            None => self.fault.kind.clone(),
        };
        let after_commit = match self.fault.moment {
            None | Some(Moment::BeforeCommit) => false,
            Some(Moment::AfterCommit) => true,
            Some(Moment::Either) => self.random.random(),
        };
        self.struck += 1;
        Some(Strike {
            fault: self.number,
            kind,
            after_commit,
        })
    }
}

/// The 429 of a gateway; `wait` is the time until the next request is allowed.
fn rate_limited(wait: Duration) -> FaultKind {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    FaultKind::Status {
        code: 429,
        headers: vec![("retry-after".to_owned(), format!("{seconds:.0}"))],
        body: "<html><body><h1>Too Many Requests</h1></body></html>".to_owned(),
    }
}

/// Allows bursts of `burst` requests, and `per_second` in the long run.
struct TokenBucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled_at: Option<Instant>,
}

impl TokenBucket {
    fn new(per_second: f64, burst: u32) -> Self {
        Self {
            per_second,
            burst: f64::from(burst),
            tokens: f64::from(burst),
            filled_at: None,
        }
    }

    /// Takes a token, or returns the time until one is available.
    fn take(&mut self, now: Instant) -> Option<Duration> {
        let since = self.filled_at.replace(now);
        let passed = since.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let filled = self.tokens + passed.as_secs_f64() * self.per_second;
        self.tokens = filled.min(self.burst);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64(
            (1.0 - self.tokens) / self.per_second,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(faults: &mut Faults, operation: Option<&str>) -> bool {
        faults.next_fault(operation, Instant::now()).is_some()
    }

    #[test]
    fn fault_strikes_its_operation_as_often_as_requested() {
        let mut faults = Faults::default();
        let fault = Fault::new(FaultKind::Hang)
            .operation("get_website")
            .times(2);
        faults.add(fault).unwrap();
        assert!(!strikes(&mut faults, Some("get_package")));
        assert!(!strikes(&mut faults, None));
        assert!(strikes(&mut faults, Some("get_website")));
        let status = &faults.report().faults[0];
        assert_eq!((status.struck, status.remaining), (1, Some(1)));
        assert!(strikes(&mut faults, Some("get_website")));
        assert!(!strikes(&mut faults, Some("get_website")));
        let status = &faults.report().faults[0];
        assert_eq!((status.struck, status.remaining), (2, Some(0)));
    }

    #[test]
    fn same_seed_gives_the_same_strikes() {
        let strikes = |seed| {
            let mut faults = Faults::default();
            faults
                .add(Fault::new(FaultKind::Hang).probability(0.3, seed))
                .unwrap();
            (0..1000)
                .map(|_| strikes(&mut faults, None))
                .collect::<Vec<_>>()
        };
        assert_eq!(strikes(1), strikes(1));
        assert_ne!(strikes(1), strikes(2));
        let hits = strikes(1).into_iter().filter(|hit| *hit).count();
        assert!((200..400).contains(&hits), "{hits}");
    }

    #[test]
    fn either_moment_is_chosen_equally_often() {
        let mut faults = Faults::default();
        faults
            .add(Fault::new(FaultKind::Gateway(520)).before_or_after_commit())
            .unwrap();
        let after = (0..1000)
            .filter_map(|_| faults.next_fault(None, Instant::now()))
            .filter(|strike| strike.after_commit)
            .count();
        assert!((400..600).contains(&after), "{after}");
    }

    #[test]
    fn rate_limit_allows_a_burst_and_then_its_rate() {
        let mut faults = Faults::default();
        let kind = FaultKind::RateLimit {
            per_second: 0.5,
            burst: 3,
        };
        faults.add(Fault::new(kind)).unwrap();
        let start = Instant::now();
        let mut retry_after = |seconds: f64| {
            let strike = faults.next_fault(None, start + Duration::from_secs_f64(seconds))?;
            let FaultKind::Status { code, headers, .. } = strike.kind else {
                panic!("{strike:?}");
            };
            assert_eq!((code, headers[0].0.as_str()), (429, "retry-after"));
            Some(headers[0].1.parse::<u64>().unwrap())
        };
        let waits: Vec<_> = [
            0.0, 0.0, 0.0, 0.0, 0.9, 1.9, 2.0, 2.0, 60.0, 60.0, 60.0, 60.0,
        ]
        .into_iter()
        .map(&mut retry_after)
        .collect();
        let (pass, wait) = (None, Some);
        assert_eq!(
            waits,
            [
                pass,
                pass,
                pass,
                wait(2),
                wait(2),
                wait(1),
                pass,
                wait(2),
                pass,
                pass,
                pass,
                wait(2)
            ]
        );
    }

    #[test]
    fn only_exhausted_faults_are_dropped_at_capacity() {
        let mut faults = Faults::default();
        faults.add(Fault::new(FaultKind::Hang).times(1)).unwrap();
        for _ in 1..CAPACITY {
            faults.add(Fault::new(FaultKind::Hang)).unwrap();
        }
        let one_more = faults.add(Fault::new(FaultKind::Hang)).unwrap_err();
        assert!(one_more.to_string().contains("clear them first"));
        assert!(strikes(&mut faults, None));
        faults.add(Fault::new(FaultKind::Hang)).unwrap();
        assert_eq!(faults.report().faults.len(), CAPACITY);
    }
}
