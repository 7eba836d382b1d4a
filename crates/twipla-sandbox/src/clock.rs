//! The sandbox's time: a clock for tokens and the `Date` header, and how far
//! subscriptions, trials and API keys have been moved ahead of it.

use chrono::{DateTime, Datelike as _, Duration, SubsecRound as _, Utc};

/// Time can be moved on up to this year; dates of later years are written differently.
const LAST_YEAR: i32 = 9000;

/// The clock of one sandbox.
pub(crate) struct Clock {
    /// How far the server's clock is from the machine's.
    offset: Duration,
    /// Not for tokens: no client trusts a clock that is this far off.
    advanced: Duration,
}

impl Clock {
    /// The largest offset either way: a hundred years.
    pub(crate) const MAX_OFFSET: Duration = Duration::days(100 * 365);

    pub(crate) fn new(offset: Duration) -> Self {
        Self {
            offset,
            advanced: Duration::zero(),
        }
    }

    /// How far the billing time has been moved ahead.
    pub(crate) fn advanced(&self) -> Duration {
        self.advanced
    }

    /// Moves the billing time back to the server's clock.
    pub(crate) fn reset(&mut self) {
        self.advanced = Duration::zero();
    }

    /// The server's clock, which judges tokens and fills the `Date` header.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        // Some clients cannot parse more digits than milliseconds.
        (Utc::now() + self.offset).trunc_subsecs(3)
    }

    /// The time by which subscriptions, trials and API keys go, when the
    /// server's clock shows `now`.
    pub(crate) fn billing_time(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.advanced
    }

    /// Moves the billing time on; `None` (and no change) if it would go back or
    /// leave the calendar.
    pub(crate) fn advance(&mut self, by: Duration) -> Option<()> {
        if by < Duration::zero() {
            return None;
        }
        let advanced = self.advanced.checked_add(&by)?;
        self.now()
            .checked_add_signed(advanced)
            .filter(|time| time.year() < LAST_YEAR)?;
        self.advanced = advanced;
        Some(())
    }
}
