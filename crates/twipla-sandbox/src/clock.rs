//! The sandbox's time: a clock for tokens and the `Date` header, and the
//! billing time, which can be advanced, for subscriptions, trials and API keys.

use chrono::{DateTime, Datelike as _, Duration, SubsecRound as _, Utc};

/// The latest year that time can be advanced to; later years have a different
/// date format.
const LAST_YEAR: i32 = 9000;

/// The clock of one sandbox.
pub(crate) struct Clock {
    /// Offset of the server's clock from the machine's.
    offset: Duration,
    /// Not applied to tokens, because clients do not trust a clock that is this
    /// far off.
    advanced: Duration,
}

impl Clock {
    /// The largest offset in either direction: a hundred years.
    pub(crate) const MAX_OFFSET: Duration = Duration::days(100 * 365);

    pub(crate) fn new(offset: Duration) -> Self {
        Self {
            offset,
            advanced: Duration::zero(),
        }
    }

    /// Returns how far the billing time has been advanced.
    pub(crate) fn advanced(&self) -> Duration {
        self.advanced
    }

    /// Resets the billing time to the server's clock.
    pub(crate) fn reset(&mut self) {
        self.advanced = Duration::zero();
    }

    /// Returns the time of the server's clock, for tokens and the `Date`
    /// header.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        // Some clients cannot parse more than milliseconds.
        (Utc::now() + self.offset).trunc_subsecs(3)
    }

    /// Returns the billing time, for subscriptions, trials and API keys, when
    /// the server's clock shows `now`.
    pub(crate) fn billing_time(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.advanced
    }

    /// Advances the billing time. Returns `None`, without a change, if it would
    /// go back or leave the range of the calendar.
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
