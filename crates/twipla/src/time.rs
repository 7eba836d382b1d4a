//! Moments that are far away.

use std::time::Duration;

use tokio::time::Instant;

/// The moment after a time that may be as long as "for ever".
pub(crate) fn later(now: Instant, time: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    now + time.min(FOR_EVER)
}
