//! What time it is for the server.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The largest difference that a `Date` header may teach. A larger one is more
/// likely a broken proxy, and following it would mint tokens that are valid in
/// some far future.
const MAX_SKEW: TimeDelta = TimeDelta::hours(24);

/// A clock that goes on steadily and can be set by the server's.
///
/// It advances with tokio's clock, so that tests on paused time move it.
#[derive(Debug)]
pub(super) struct Clock {
    started: DateTime<Utc>,
    ticks: Instant,
    skew_ms: AtomicI64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            started: Utc::now(),
            ticks: Instant::now(),
            skew_ms: AtomicI64::new(0),
        }
    }

    /// The server's time, as far as it is known.
    pub(super) fn now(&self) -> DateTime<Utc> {
        later(self.local(), self.skew())
    }

    /// How far the server is ahead of this machine.
    pub(super) fn skew(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.skew_ms.load(Ordering::Relaxed))
    }

    /// Sets the clock by a `Date` header. Returns whether it was believed.
    ///
    /// Small differences count too: a header is cut to the second, so the clock
    /// ends up to a second behind the server, and no token is issued in its future.
    pub(super) fn learn(&self, server: DateTime<Utc>) -> bool {
        let skew = server.signed_duration_since(self.local());
        let believed = skew.abs() <= MAX_SKEW;
        if believed {
            self.skew_ms
                .store(skew.num_milliseconds(), Ordering::Relaxed);
        }
        believed
    }

    /// Tokio's clock stands still while a machine sleeps, the system's does not
    /// but may be set back: the one that went further is right.
    fn local(&self) -> DateTime<Utc> {
        let ticked = self.ticks.elapsed();
        let passed = Utc::now()
            .signed_duration_since(self.started)
            .to_std()
            .unwrap_or(Duration::ZERO);
        later(
            self.started,
            TimeDelta::from_std(ticked.max(passed)).unwrap_or(TimeDelta::MAX),
        )
    }
}

/// `time + delta` that stays in range.
pub(super) fn later(time: DateTime<Utc>, delta: TimeDelta) -> DateTime<Utc> {
    time.checked_add_signed(delta)
        .unwrap_or(if delta < TimeDelta::zero() {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_follows_the_paused_clock() {
        let clock = Clock::new();
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(600)).await;
        let passed = clock.now() - before;
        assert!(
            (passed - TimeDelta::seconds(600)).abs() < TimeDelta::seconds(1),
            "{passed}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_learns_what_is_believable() {
        let clock = Clock::new();
        for hours in [2, -2, 0, 23, -23] {
            let server = later(clock.local(), TimeDelta::hours(hours));
            assert!(clock.learn(server), "{hours}");
            assert!((clock.now() - server).abs() < TimeDelta::seconds(1));
        }
        let before = clock.now();
        for odd in [
            DateTime::<Utc>::UNIX_EPOCH,
            DateTime::<Utc>::MAX_UTC,
            DateTime::<Utc>::MIN_UTC,
        ] {
            assert!(!clock.learn(odd));
        }
        assert!((clock.now() - before).abs() < TimeDelta::seconds(1));
    }

    #[test]
    fn it_works_outside_a_runtime_and_stays_in_range() {
        let clock = Clock::new();
        assert!((clock.now() - Utc::now()).abs() < TimeDelta::seconds(5));
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
