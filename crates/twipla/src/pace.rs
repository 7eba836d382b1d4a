//! When the requests of a client may be sent: all of its calls to a host slow down together.
//!
//! A server that answers 429 (or 503 with `Retry-After`) does so because of
//! everything that the client sends, so one shared schedule spaces out all
//! requests. Each such refusal pauses the client as long as the server asked and widens
//! the space between requests; each success narrows it a little, down to none.
//! If a request is refused although the space was wider than the wait that the server
//! asks for, spacing does not help, and the space starts over.
//! A fixed limit set by the caller is a second schedule of the same kind.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use twipla_api::Server;

/// The space after the first refusal.
const FIRST_SPACE: Duration = Duration::from_millis(20);
/// A longer wait that the server asks for applies to that call only.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The widest space between requests.
const WIDEST_SPACE: Duration = Duration::from_secs(5);
/// A narrower space counts as none.
const NARROWEST_SPACE: Duration = Duration::from_millis(2);
/// The factors that a refusal and a success apply to the space. They balance if 7 % of
/// the requests are refused.
const WIDEN: f64 = 1.5;
const NARROW: f64 = 0.97;

/// A fixed limit: requests per second, and the size of a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RateLimit {
    pub(crate) per_second: f64,
    pub(crate) burst: u32,
}

/// Spaces out the requests of a client to one host.
#[derive(Debug)]
pub(crate) struct Pacer {
    limit: Option<RateLimit>,
    /// Whether refusals slow the client down.
    is_adaptive: bool,
    /// Whether there is a schedule at all; checked by every call.
    is_active: AtomicBool,
    /// How often the client was paused.
    pauses: AtomicU64,
    schedule: Mutex<Schedule>,
}

/// One pacer for each host, since the limits of one say nothing about the other.
#[derive(Debug)]
pub(crate) struct Pacers {
    management: Pacer,
    /// `None` if it is the same host.
    data: Option<Pacer>,
}

impl Pacers {
    pub(crate) fn new(limit: Option<RateLimit>, is_adaptive: bool, is_one_host: bool) -> Self {
        Self {
            management: Pacer::new(limit, is_adaptive),
            data: (!is_one_host).then(|| Pacer::new(limit, is_adaptive)),
        }
    }

    pub(crate) fn of(&self, server: Server) -> &Pacer {
        match (server, &self.data) {
            (Server::Data, Some(data)) => data,
            _ => &self.management,
        }
    }
}

/// When a request may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) at: Instant,
    pauses: u64,
}

#[derive(Debug, Default)]
struct Schedule {
    /// Nothing is sent before this time.
    next: Option<Instant>,
    /// The space between two requests.
    space: Duration,
    /// When the space was last widened.
    widened: Option<Instant>,
    /// The longest wait that was asked for since there has been a space. A server that
    /// has room for half a request asks for half the wait.
    longest_wait: Option<Duration>,
    /// The longest pause that was asked for.
    paused_until: Option<Instant>,
    /// When the requests of a fixed limit that were used are available again, at its rate.
    limit_used_until: Option<Instant>,
}

impl Pacer {
    pub(crate) fn new(limit: Option<RateLimit>, is_adaptive: bool) -> Self {
        Self {
            limit,
            is_adaptive,
            is_active: AtomicBool::new(limit.is_some()),
            pauses: AtomicU64::new(0),
            schedule: Mutex::default(),
        }
    }

    /// Returns when a request that is ready `now` may be sent, or `None` if that is not
    /// before its `deadline`. The caller waits until then, and sends it if the
    /// slot [is still valid](Self::is_valid).
    pub(crate) fn slot(&self, now: Instant, deadline: Instant) -> Option<Slot> {
        let pauses = self.pauses.load(Ordering::Relaxed);
        if !self.is_active.load(Ordering::Relaxed) {
            return Some(Slot { at: now, pauses });
        }
        let mut schedule = self.lock();
        let mut slot = schedule.next.map_or(now, |next| next.max(now));
        let mut limit_used_until = None;
        if let Some(limit) = self.limit {
            let space = Duration::from_secs_f64(1.0 / limit.per_second);
            let allowance = space * limit.burst.saturating_sub(1);
            let used_until = schedule.limit_used_until.unwrap_or(now).max(now);
            if let Some(earliest) = used_until.checked_sub(allowance) {
                slot = slot.max(earliest);
            }
            limit_used_until = Some(used_until.max(slot) + space);
        }
        if slot > now && slot >= deadline {
            return None;
        }
        schedule.limit_used_until = limit_used_until;
        schedule.next = Some(slot + schedule.space);
        Some(Slot { at: slot, pauses })
    }

    /// Returns whether the client was not paused since the slot was taken. Otherwise the
    /// request has to take another one.
    pub(crate) fn is_valid(&self, slot: &Slot) -> bool {
        slot.pauses == self.pauses.load(Ordering::Relaxed)
    }

    /// Records that the server refused a request `sent` at this time because there are too
    /// many, and asked to wait.
    pub(crate) fn refused(&self, sent: Instant, now: Instant, retry_after: Option<Duration>) {
        // A server that would accept the request immediately does not ask for space.
        if !self.is_adaptive || retry_after == Some(Duration::ZERO) {
            return;
        }
        let mut schedule = self.lock();
        let asked = retry_after.filter(|asked| *asked <= LONGEST_PAUSE);
        schedule.longest_wait = schedule.longest_wait.max(asked);
        // Requests that were in flight when the space was widened add no information.
        if schedule.widened.is_none_or(|widened| sent >= widened) {
            schedule.space = schedule.wider_space();
            schedule.widened = Some(now);
        }
        let pause = now + asked.unwrap_or(schedule.space);
        // Slots taken before are void, and so is what they used up.
        schedule.next = Some(
            schedule
                .paused_until
                .map_or(pause, |until| until.max(pause)),
        );
        schedule.paused_until = schedule.next;
        self.pauses.fetch_add(1, Ordering::Relaxed);
        self.is_active.store(true, Ordering::Relaxed);
    }

    /// Records that the server accepted a request.
    pub(crate) fn accepted(&self) {
        if !self.is_active.load(Ordering::Relaxed) {
            return;
        }
        let mut schedule = self.lock();
        schedule.space = schedule.space.mul_f64(NARROW);
        if schedule.space < NARROWEST_SPACE {
            schedule.space = Duration::ZERO;
            schedule.next = None;
            schedule.longest_wait = None;
            self.is_active
                .store(self.limit.is_some(), Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        // Each value in it is valid by itself.
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    /// Returns the space after one more refusal.
    fn wider_space(&self) -> Duration {
        // The server has room for a request after the wait: more space does not help.
        if self.longest_wait.is_some_and(|wait| self.space > wait) {
            return FIRST_SPACE;
        }
        self.space.mul_f64(WIDEN).clamp(FIRST_SPACE, WIDEST_SPACE)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use super::*;
    use crate::retry::MOST_REFUSALS;

    /// A server that accepts a request, or asks to wait.
    trait Server {
        fn take(&mut self, now: Instant) -> Result<(), Duration>;
    }

    /// A server that refuses requests at random, independent of their rate, for a second.
    struct Dice {
        percent: u64,
        state: u64,
    }

    impl Server for Dice {
        fn take(&mut self, _now: Instant) -> Result<(), Duration> {
            // The generator of Knuth's MMIX: its high bits are random enough.
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if (self.state >> 33) % 100 < self.percent {
                return Err(Duration::from_secs(1));
            }
            Ok(())
        }
    }

    /// A gateway that accepts `per_second` requests, after a `burst`.
    struct Bucket {
        per_second: f64,
        burst: f64,
        tokens: f64,
        filled: Instant,
    }

    impl Bucket {
        fn new(per_second: f64, burst: f64, now: Instant) -> Self {
            Self {
                per_second,
                burst,
                tokens: burst,
                filled: now,
            }
        }
    }

    impl Server for Bucket {
        /// Asks for whole seconds of `Retry-After` if there is no token.
        fn take(&mut self, now: Instant) -> Result<(), Duration> {
            let refill = (now - self.filled).as_secs_f64() * self.per_second;
            self.tokens = (self.tokens + refill).min(self.burst);
            self.filled = now;
            if self.tokens >= 1.0 {
                self.tokens -= 1.0;
                return Ok(());
            }
            let wait = (1.0 - self.tokens) / self.per_second;
            Err(Duration::from_secs_f64(wait.ceil()))
        }
    }

    fn far(now: Instant) -> Instant {
        now + Duration::from_secs(3600)
    }

    /// The next event of a worker that makes one call after the other.
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Event {
        Ready,
        Wake(Instant, u64),
        Answered(Instant, Result<(), Duration>),
    }

    /// The outcome of a simulation.
    struct Took {
        requests: usize,
        time: Duration,
        /// Of one call.
        most_attempts: u32,
    }

    /// Makes `calls` with `workers` in parallel that share these pacers.
    fn simulate(
        pacers: &[Pacer],
        server: &mut impl Server,
        start: Instant,
        calls: usize,
        workers: usize,
    ) -> Took {
        const ROUND_TRIP: Duration = Duration::from_millis(20);
        let mut events: BinaryHeap<_> = (0..workers)
            .map(|worker| Reverse((start, Event::Ready, worker)))
            .collect();
        let mut attempts = vec![0; workers];
        let (mut done, mut requests, mut most_attempts) = (0, 0, 0);
        loop {
            let Reverse((now, event, worker)) = events.pop().unwrap();
            let pacer = &pacers[worker % pacers.len()];
            let next = match event {
                Event::Ready => {
                    let slot = pacer.slot(now, far(now)).unwrap();
                    (slot.at, Event::Wake(slot.at, slot.pauses))
                }
                Event::Wake(at, pauses) => {
                    let slot = Slot { at, pauses };
                    if pacer.is_valid(&slot) {
                        requests += 1;
                        attempts[worker] += 1;
                        most_attempts = most_attempts.max(attempts[worker]);
                        (now + ROUND_TRIP, Event::Answered(now, server.take(now)))
                    } else {
                        (now, Event::Ready)
                    }
                }
                Event::Answered(_, Ok(())) => {
                    pacer.accepted();
                    attempts[worker] = 0;
                    done += 1;
                    if done == calls {
                        return Took {
                            requests,
                            time: now - start,
                            most_attempts,
                        };
                    }
                    (now, Event::Ready)
                }
                Event::Answered(sent, Err(after)) => {
                    pacer.refused(sent, now, Some(after));
                    (now + after, Event::Ready)
                }
            };
            events.push(Reverse((next.0, next.1, worker)));
        }
    }

    #[test]
    fn a_thousand_calls_need_few_extra_requests_at_any_limit() {
        for (per_second, burst) in [
            (5.0, 1.0),
            (5.0, 5.0),
            (5.0, 50.0),
            (0.5, 1.0),
            (1.0, 1.0),
            (1.0, 10.0),
            (50.0, 1.0),
            (50.0, 10.0),
            (200.0, 1.0),
            (1000.0, 1.0),
            (1000.0, 100.0),
        ] {
            for workers in [1, 8, 64] {
                let start = Instant::now();
                let pacer = [Pacer::new(None, true)];
                let mut bucket = Bucket::new(per_second, burst, start);
                let took = simulate(&pacer, &mut bucket, start, 1000, workers);
                let (requests, took) = (took.requests, took.time);
                assert!(
                    requests <= 1200,
                    "{per_second} a second, {burst} at once, {workers} workers: {requests} requests"
                );
                let ideal = (1000.0 - burst) / per_second;
                assert!(
                    took.as_secs_f64() < ideal * 2.0 + 60.0,
                    "{per_second} a second, {workers} workers: {took:?} instead of {ideal} s"
                );
            }
        }
    }

    #[test]
    fn several_clients_sharing_a_limit_all_finish() {
        for (clients, workers) in [(1, 8), (1, 64), (2, 2), (2, 16), (2, 64), (4, 32), (8, 64)] {
            let start = Instant::now();
            let pacers: Vec<_> = (0..clients).map(|_| Pacer::new(None, true)).collect();
            let mut bucket = Bucket::new(5.0, 5.0, start);
            let took = simulate(&pacers, &mut bucket, start, 1000, workers);
            assert!(
                took.most_attempts <= 4 + MOST_REFUSALS,
                "{clients} clients, {workers} workers: {} attempts of one call",
                took.most_attempts
            );
            assert!(
                clients > 2 || took.requests <= 1200,
                "{clients} clients, {workers} workers: {} requests",
                took.requests
            );
        }
    }

    #[test]
    fn random_refusals_cost_little_more_than_the_requested_waits() {
        for percent in [5, 10, 20, 30] {
            for workers in [1, 8, 64] {
                for seed in 1..=5 {
                    let start = Instant::now();
                    let pacer = [Pacer::new(None, true)];
                    let mut dice = Dice {
                        percent,
                        state: seed,
                    };
                    let took = simulate(&pacer, &mut dice, start, 1000, workers);
                    let (requests, took) = (took.requests, took.time);
                    // A second each, if they came one after the other.
                    let refusals = u32::try_from(requests - 1000).unwrap();
                    assert!(
                        took < Duration::from_secs(1) * refusals * 4,
                        "{percent} %, {workers} workers, seed {seed}: {took:?}, {refusals} refusals"
                    );
                }
            }
        }
    }

    #[test]
    fn a_refusal_despite_the_requested_space_resets_the_space() {
        let pacer = Pacer::new(None, true);
        let mut now = Instant::now();
        let wait = Duration::from_secs(1);
        let mut spaces = Vec::new();
        for _ in 0..12 {
            pacer.refused(now, now, Some(wait));
            spaces.push(pacer.lock().space);
            now += wait;
        }
        assert!(spaces[9] < wait && spaces[10] > wait, "{spaces:?}");
        assert_eq!(spaces[11], FIRST_SPACE);
        (0..1000).for_each(|_| pacer.accepted());
        assert_eq!(pacer.lock().longest_wait, None, "a new limit, a new wait");
    }

    #[test]
    fn nothing_waits_before_a_refusal_or_long_after_it() {
        let pacer = Pacer::new(None, true);
        let now = Instant::now();
        assert_eq!(pacer.slot(now, far(now)).map(|slot| slot.at), Some(now));
        pacer.refused(now, now, Some(Duration::from_secs(3)));
        assert_eq!(
            pacer.slot(now, far(now)).map(|slot| slot.at),
            Some(now + Duration::from_secs(3))
        );
        assert_eq!(
            pacer.slot(now, far(now)).map(|slot| slot.at),
            Some(now + Duration::from_secs(3) + FIRST_SPACE),
            "the next one is spaced"
        );
        (0..1000).for_each(|_| pacer.accepted());
        assert_eq!(pacer.slot(now, far(now)).map(|slot| slot.at), Some(now));
    }

    #[test]
    fn a_call_that_cannot_wait_takes_no_slot() {
        let pacer = Pacer::new(None, true);
        let now = Instant::now();
        pacer.refused(now, now, Some(Duration::from_secs(3)));
        for _ in 0..100 {
            assert_eq!(pacer.slot(now, now + Duration::from_secs(3)), None);
        }
        assert_eq!(
            pacer.slot(now, far(now)).map(|slot| slot.at),
            Some(now + Duration::from_secs(3))
        );
    }

    #[test]
    fn an_excessive_wait_of_one_call_does_not_stop_the_others() {
        let pacer = Pacer::new(None, true);
        let now = Instant::now();
        pacer.refused(now, now, Some(Duration::MAX));
        assert_eq!(
            pacer.slot(now, far(now)).map(|slot| slot.at),
            Some(now + FIRST_SPACE)
        );
    }

    #[test]
    fn a_client_that_is_not_adaptive_ignores_refusals() {
        let pacer = Pacer::new(None, false);
        let now = Instant::now();
        pacer.refused(now, now, Some(Duration::from_secs(3)));
        assert_eq!(pacer.slot(now, far(now)).map(|slot| slot.at), Some(now));
    }

    #[test]
    fn concurrent_refusals_widen_the_space_once() {
        let pacer = Pacer::new(None, true);
        let now = Instant::now();
        let later = now + Duration::from_millis(50);
        (0..64).for_each(|_| pacer.refused(now, later, None));
        assert_eq!(pacer.lock().space, FIRST_SPACE);
        pacer.refused(later, later, None);
        assert_eq!(pacer.lock().space, FIRST_SPACE.mul_f64(WIDEN));
        for n in 0..100 {
            let now = later + Duration::from_secs(n);
            pacer.refused(now, now, None);
        }
        assert_eq!(pacer.lock().space, WIDEST_SPACE);
    }

    #[test]
    fn a_server_that_asks_for_no_wait_does_not_slow_the_client_down() {
        let pacer = Pacer::new(None, true);
        let now = Instant::now();
        for _ in 0..100 {
            pacer.refused(now, now, Some(Duration::ZERO));
        }
        assert_eq!(pacer.slot(now, far(now)).map(|slot| slot.at), Some(now));
    }

    #[test]
    fn a_fixed_limit_allows_a_burst_and_then_its_rate() {
        let limit = RateLimit {
            per_second: 10.0,
            burst: 3,
        };
        let pacer = Pacer::new(Some(limit), true);
        let now = Instant::now();
        let waits: Vec<_> = (0..6)
            .map(|_| (pacer.slot(now, far(now)).unwrap().at - now).as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        let later = now + Duration::from_secs(10);
        let waits: Vec<_> = (0..4)
            .map(|_| {
                pacer
                    .slot(later, far(later))
                    .map_or(0, |slot| (slot.at - later).as_millis())
            })
            .collect();
        assert_eq!(
            waits,
            [0, 0, 0, 100],
            "what was not used is no more than a burst"
        );
        (0..1000).for_each(|_| pacer.accepted());
        assert!(
            pacer.slot(later, far(later)).unwrap().at > later,
            "successes do not lift it"
        );
    }
}
