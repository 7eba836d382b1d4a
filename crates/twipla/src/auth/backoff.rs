//! Growing pauses between attempts at something that keeps failing.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How often something failed in a row, and when it may be tried again.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    last: Option<Instant>,
    pause: Duration,
}

impl Backoff {
    /// Records a failure. The pause after it is twice the last one, up to `longest`,
    /// minus a random part of up to a half.
    pub(super) fn record(&mut self, now: Instant, longest: Duration) {
        self.pause = FIRST_PAUSE
            .saturating_mul(1 << self.failures.min(8))
            .min(longest)
            .mul_f64(0.5 + fastrand::f64() / 2.0);
        self.failures = self.failures.saturating_add(1);
        self.last = Some(now);
    }

    /// Returns how often it failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns whether it should not be tried yet.
    pub(super) fn is_pausing(&self, now: Instant) -> bool {
        self.has_failed_within(self.pause, now)
    }

    /// Returns whether it failed less than `time` ago.
    pub(super) fn has_failed_within(&self, time: Duration, now: Instant) -> bool {
        self.last.is_some_and(|last| now < last + time)
    }
}
