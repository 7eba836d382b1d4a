//! Arithmetic with instants that cannot overflow.

use std::time::Duration;

use tokio::time::Instant;

/// Returns the instant after a duration of any length; a very long one is capped.
pub(crate) fn later(now: Instant, time: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    now + time.min(FOR_EVER)
}
