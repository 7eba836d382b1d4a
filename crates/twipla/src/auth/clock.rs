//! The server's time, as far as it is known.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The largest difference that is learned from a `Date` header. A larger one is
/// more likely a broken proxy, and following it would mint tokens that are valid
/// in the far future.
const MAX_SKEW: TimeDelta = TimeDelta::hours(24);

/// Clocks this far apart explain a rejected token. A `Date` header is accurate to
/// about a second.
const CLOCK_MOVED: TimeDelta = TimeDelta::seconds(5);

/// What the clock shows at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerTime {
    pub(super) now: DateTime<Utc>,
    /// How far the server is ahead of this machine, as learned from it.
    skew: TimeDelta,
}

impl ServerTime {
    /// Whether the clock was corrected since `earlier`.
    pub(super) fn moved_since(self, earlier: Self) -> bool {
        (self.skew - earlier.skew).abs() >= CLOCK_MOVED
    }
}

/// A steady clock that can be set by the server's.
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
    pub(super) fn time(&self) -> ServerTime {
        let skew = TimeDelta::milliseconds(self.skew_ms.load(Ordering::Relaxed));
        ServerTime {
            now: later(self.local(), skew),
            skew,
        }
    }

    /// Sets the clock by a `Date` header. Returns `false` if it is too far off.
    ///
    /// Small differences count too: the header is cut to the second, so the clock
    /// runs up to a second behind the server, and no token is issued in its future.
    pub(super) fn learn(&self, server: DateTime<Utc>) -> bool {
        let skew = server.signed_duration_since(self.local());
        let plausible = skew.abs() <= MAX_SKEW;
        if plausible {
            self.skew_ms
                .store(skew.num_milliseconds(), Ordering::Relaxed);
        }
        plausible
    }

    /// Tokio's clock stands still while a machine sleeps. The system's does not,
    /// but may be set back. The one that advanced further is right.
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

/// `time + delta`, saturating.
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
    async fn clock_follows_paused_time() {
        let clock = Clock::new();
        let before = clock.time().now;
        tokio::time::advance(Duration::from_secs(600)).await;
        let passed = clock.time().now - before;
        assert!(
            (passed - TimeDelta::seconds(600)).abs() < TimeDelta::seconds(1),
            "{passed}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn clock_learns_differences_of_up_to_a_day() {
        let clock = Clock::new();
        for hours in [2, -2, 0, 23, -23] {
            let server = later(clock.local(), TimeDelta::hours(hours));
            assert!(clock.learn(server), "{hours}");
            assert!((clock.time().now - server).abs() < TimeDelta::seconds(1));
        }
        let before = clock.time().now;
        for odd in [
            DateTime::<Utc>::UNIX_EPOCH,
            DateTime::<Utc>::MAX_UTC,
            DateTime::<Utc>::MIN_UTC,
        ] {
            assert!(!clock.learn(odd));
        }
        assert!((clock.time().now - before).abs() < TimeDelta::seconds(1));
    }

    #[test]
    fn clock_works_outside_a_runtime_and_saturates() {
        let clock = Clock::new();
        assert!((clock.time().now - Utc::now()).abs() < TimeDelta::seconds(5));
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
