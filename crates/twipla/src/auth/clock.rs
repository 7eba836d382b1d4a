//! The server's time, as far as it is known.
//!
//! It is this machine's time, until the server rejects a token and its `Date`
//! header shows another time. Such a correction is on trial until the server
//! accepts a token that was issued by it. If it rejects that token too, the
//! correction is undone. A later `Date` header that agrees with this machine's
//! time undoes it as well.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The largest difference that is learned from a `Date` header. A larger one is
/// more likely a broken proxy. Even with a wrong header, no token outlives its
/// configured lifetime by more than this.
const MAX_SKEW: TimeDelta = TimeDelta::hours(24);

/// Clocks this far apart explain a rejected token. A `Date` header is accurate to
/// about a second.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// What the clock shows at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerTime {
    pub(super) now: DateTime<Utc>,
    /// How far the server is ahead of this machine, as learned from it.
    skew: TimeDelta,
    /// How far `now` is ahead of a steady clock that nobody can set.
    offset: TimeDelta,
}

impl ServerTime {
    /// Returns whether the clock was corrected or set since `earlier`, or the machine was
    /// suspended.
    pub(super) fn moved_since(self, earlier: Self) -> bool {
        differ(self.offset, earlier.offset)
    }

    /// Returns whether the clock was put back since `earlier`.
    pub(super) fn moved_back_since(self, earlier: Self) -> bool {
        self.moved_since(earlier) && self.offset < earlier.offset
    }
}

/// This machine's clock, and how far the server is ahead of it.
pub(super) struct Clock {
    local: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    started: (DateTime<Utc>, Instant),
    skew_ms: AtomicI64,
    /// The skew with which a token was last accepted; zero before that.
    confirmed_ms: AtomicI64,
}

impl Clock {
    /// Creates a clock that shows what `local` returns, until it is corrected.
    pub(super) fn new(local: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self {
            started: (local(), Instant::now()),
            local: Box::new(local),
            skew_ms: AtomicI64::new(0),
            confirmed_ms: AtomicI64::new(0),
        }
    }

    /// Returns the server's time, as far as it is known.
    pub(super) fn time(&self) -> ServerTime {
        let skew = millis(&self.skew_ms);
        let now = later((self.local)(), skew);
        let (started, instant) = self.started;
        let steady = TimeDelta::from_std(instant.elapsed()).unwrap_or(TimeDelta::MAX);
        ServerTime {
            now,
            skew,
            offset: now.signed_duration_since(later(started, steady)),
        }
    }

    /// Returns whether the clock differs from this machine's, or did when it was last confirmed.
    pub(super) fn is_corrected(&self) -> bool {
        self.skew_ms.load(Ordering::Relaxed) != 0 || self.confirmed_ms.load(Ordering::Relaxed) != 0
    }

    /// Changes the clock after the server rejected a token that should have been
    /// valid. `date` is the `Date` header of its response.
    pub(super) fn learn_from_rejection(&self, date: Option<DateTime<Utc>>) {
        let (skew, confirmed) = (millis(&self.skew_ms), millis(&self.confirmed_ms));
        if skew != confirmed {
            set(&self.skew_ms, confirmed);
            return;
        }
        let learned = date.map(|date| self.skew_at(date));
        if let Some(skew) = learned.filter(|skew| skew.abs() <= MAX_SKEW) {
            // Small differences count too: the header is truncated to the second, so the clock
            // runs up to a second behind the server, and no token is issued in its future.
            set(&self.skew_ms, skew);
            return;
        }
        if let Some(skew) = learned {
            tracing::warn!(
                hours = skew.num_hours(),
                "ignoring the server's Date header: it is more than a day off"
            );
        }
        // This machine's clock may have been set right since it was confirmed to be wrong.
        set(&self.skew_ms, TimeDelta::zero());
        set(&self.confirmed_ms, TimeDelta::zero());
    }

    /// Checks a correction after the server accepted a token that was issued at
    /// `issued`. Returns whether the clock was changed.
    ///
    /// The clock only moves towards this machine's time: no wrong header of a
    /// successful response can extend the life of a token.
    pub(super) fn learn_from_success(&self, issued: ServerTime, date: DateTime<Utc>) -> bool {
        let (old, new) = (millis(&self.skew_ms), self.skew_at(date));
        if differ(new, old) && new.abs() < old.abs() {
            let agrees = new.abs() < TOLERANCE;
            set(&self.skew_ms, if agrees { TimeDelta::zero() } else { new });
            return true;
        }
        if !differ(issued.skew, old) {
            set(&self.confirmed_ms, old);
        }
        false
    }

    /// Returns how far the server is ahead of this machine if it is `date` there.
    fn skew_at(&self, date: DateTime<Utc>) -> TimeDelta {
        date.signed_duration_since((self.local)())
    }
}

fn millis(skew: &AtomicI64) -> TimeDelta {
    TimeDelta::milliseconds(skew.load(Ordering::Relaxed))
}

fn set(skew: &AtomicI64, value: TimeDelta) {
    skew.store(value.num_milliseconds(), Ordering::Relaxed);
}

fn differ(one: TimeDelta, other: TimeDelta) -> bool {
    (one - other).abs() >= TOLERANCE
}

/// Returns `time + delta`, saturating.
pub(super) fn later(time: DateTime<Utc>, delta: TimeDelta) -> DateTime<Utc> {
    time.checked_add_signed(delta)
        .unwrap_or(if delta < TimeDelta::zero() {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
}

#[cfg(test)]
pub(super) mod testing {
    use std::sync::Arc;

    use super::*;

    /// This machine's clock in a test: it follows paused time, and can be set.
    #[derive(Clone)]
    pub(in crate::auth) struct LocalClock {
        started: (DateTime<Utc>, Instant),
        suspended_ms: Arc<AtomicI64>,
        ahead_ms: Arc<AtomicI64>,
    }

    impl LocalClock {
        pub(in crate::auth) fn new() -> Self {
            Self {
                started: (Utc::now(), Instant::now()),
                suspended_ms: Arc::default(),
                ahead_ms: Arc::default(),
            }
        }

        /// Sets the clock this far ahead of the true time.
        pub(in crate::auth) fn set_ahead(&self, delta: TimeDelta) {
            self.ahead_ms
                .store(delta.num_milliseconds(), Ordering::Relaxed);
        }

        /// Lets time pass while tokio's clock stands still.
        pub(in crate::auth) fn suspend(&self, delta: TimeDelta) {
            self.suspended_ms
                .fetch_add(delta.num_milliseconds(), Ordering::Relaxed);
        }

        /// Returns the time of a server whose clock is right.
        pub(in crate::auth) fn true_time(&self) -> DateTime<Utc> {
            let suspended = TimeDelta::milliseconds(self.suspended_ms.load(Ordering::Relaxed));
            self.started.0 + self.started.1.elapsed() + suspended
        }

        pub(in crate::auth) fn clock(&self) -> Clock {
            let local = self.clone();
            Clock::new(move || {
                let ahead = TimeDelta::milliseconds(local.ahead_ms.load(Ordering::Relaxed));
                later(local.true_time(), ahead)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::testing::LocalClock;
    use super::*;

    /// Returns a clock, and that of the machine behind it, which is this far ahead.
    fn clock(ahead: TimeDelta) -> (Clock, LocalClock) {
        let local = LocalClock::new();
        local.set_ahead(ahead);
        (local.clock(), local)
    }

    #[track_caller]
    fn assert_shows(clock: &Clock, expected: DateTime<Utc>) {
        let difference = clock.time().now - expected;
        assert!(difference.abs() < TimeDelta::seconds(1), "{difference}");
    }

    const HOUR: TimeDelta = TimeDelta::hours(1);

    #[tokio::test(start_paused = true)]
    async fn rejection_teaches_differences_of_up_to_a_day() {
        for (hours, learned) in [
            (2, true),
            (-2, true),
            (23, true),
            (-23, true),
            (25, false),
            (-25, false),
        ] {
            let (clock, local) = clock(HOUR * hours);
            clock.learn_from_rejection(Some(local.true_time()));
            let behind = if learned { 0 } else { hours };
            assert_shows(&clock, local.true_time() + HOUR * behind);
        }
        let (clock, local) = clock(TimeDelta::zero());
        for date in [
            DateTime::<Utc>::UNIX_EPOCH,
            DateTime::<Utc>::MAX_UTC,
            DateTime::<Utc>::MIN_UTC,
        ] {
            clock.learn_from_rejection(Some(date));
            assert_shows(&clock, local.true_time());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rejection_teaches_differences_below_the_tolerance() {
        let (clock, local) = clock(TimeDelta::seconds(3));
        clock.learn_from_rejection(Some(local.true_time()));
        assert_shows(&clock, local.true_time());
    }

    #[tokio::test(start_paused = true)]
    async fn correction_that_is_rejected_too_is_undone() {
        let (clock, local) = clock(TimeDelta::zero());
        let wrong = || Some(local.true_time() + HOUR * 3);
        clock.learn_from_rejection(wrong());
        assert_shows(&clock, local.true_time() + HOUR * 3);
        clock.learn_from_rejection(wrong());
        assert_shows(&clock, local.true_time());
    }

    #[tokio::test(start_paused = true)]
    async fn confirmed_correction_survives_a_rejection() {
        let (clock, local) = clock(HOUR);
        clock.learn_from_rejection(Some(local.true_time()));
        assert!(!clock.learn_from_success(clock.time(), local.true_time()));
        clock.learn_from_rejection(Some(local.true_time()));
        assert_shows(&clock, local.true_time());
        // A correction of it that does not help is undone.
        clock.learn_from_rejection(Some(local.true_time() + HOUR * 3));
        assert_shows(&clock, local.true_time() + HOUR * 3);
        clock.learn_from_rejection(None);
        assert_shows(&clock, local.true_time());
    }

    #[tokio::test(start_paused = true)]
    async fn confirmed_correction_is_undone_if_nothing_supports_it() {
        for date in [None, Some(DateTime::<Utc>::UNIX_EPOCH)] {
            let (clock, local) = clock(HOUR);
            clock.learn_from_rejection(Some(local.true_time()));
            clock.learn_from_success(clock.time(), local.true_time());
            local.set_ahead(TimeDelta::zero());
            clock.learn_from_rejection(date);
            assert_shows(&clock, local.true_time());
            assert!(!clock.is_corrected());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn success_of_an_earlier_token_does_not_confirm_a_correction() {
        let (clock, local) = clock(TimeDelta::zero());
        let before = clock.time();
        let wrong = local.true_time() + HOUR;
        clock.learn_from_rejection(Some(wrong));
        clock.learn_from_success(before, wrong);
        clock.learn_from_rejection(Some(wrong));
        assert_shows(&clock, local.true_time());
    }

    #[tokio::test(start_paused = true)]
    async fn success_moves_the_clock_only_towards_local_time() {
        // (learned skew, skew of the successful response, skew after it) in hours
        for (learned, success, after) in [
            (3, 0, 0),
            (-3, 0, 0),
            (3, 1, 1),
            (3, -1, -1),
            (3, 3, 3),
            (3, 4, 3),
            (3, -4, 3),
            (-3, -20, -3),
        ] {
            let (clock, local) = clock(TimeDelta::zero());
            clock.learn_from_rejection(Some(local.true_time() + HOUR * learned));
            // The header is truncated to the second.
            let date = local.true_time() + HOUR * success - TimeDelta::milliseconds(700);
            let changed = clock.learn_from_success(clock.time(), date);
            assert_eq!(changed, after != learned);
            assert_shows(&clock, local.true_time() + HOUR * after);
            assert_eq!(clock.is_corrected(), after != 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn clock_that_only_advances_has_not_moved() {
        let (clock, _) = clock(TimeDelta::zero());
        let before = clock.time();
        advance(Duration::from_secs(600)).await;
        let after = clock.time();
        assert!(!after.moved_since(before));
        assert_eq!((after.now - before.now).num_seconds(), 600);
    }

    #[tokio::test(start_paused = true)]
    async fn clock_that_is_set_or_corrected_has_moved() {
        for seconds in [6, -6, 86_400 * 3, -86_400 * 3] {
            let (clock, local) = clock(TimeDelta::zero());
            let before = clock.time();
            local.set_ahead(TimeDelta::seconds(seconds));
            assert!(clock.time().moved_since(before), "set by {seconds} s");
            assert_eq!(clock.time().moved_back_since(before), seconds < 0);
        }
        let (clock, local) = clock(TimeDelta::zero());
        let before = clock.time();
        clock.learn_from_rejection(Some(local.true_time() + HOUR));
        assert!(clock.time().moved_since(before), "corrected");
    }

    #[test]
    fn clock_works_outside_a_runtime_and_saturates() {
        let clock = Clock::new(Utc::now);
        assert_shows(&clock, Utc::now());
        assert_eq!(
            later(DateTime::<Utc>::MAX_UTC, TimeDelta::days(1)),
            DateTime::<Utc>::MAX_UTC
        );
        assert_eq!(
            later(DateTime::<Utc>::MIN_UTC, TimeDelta::days(-1)),
            DateTime::<Utc>::MIN_UTC
        );
    }
}
