//! Settings of a portal.

use std::net::SocketAddr;
use std::time::Duration;

/// Settings of a portal. [`Default`] suits a demonstration on this machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether browsers use https, through a proxy: cookies are then marked `Secure`.
    pub https: bool,
    /// Token that `POST /reconcile` requires. Without one, the route does not exist.
    pub operator_token: Option<String>,
    /// Whether this process sends changes. Off in crash tests, and if another process does it.
    pub sends: bool,
    /// How long requests may take to end when the portal stops.
    pub grace: Duration,
    /// Intervals and limits of the outbox.
    pub pace: Pace,
}

/// Intervals and limits of the outbox.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How often the outbox is polled; new entries wake the worker at once.
    pub poll: Duration,
    /// How many changes are sent in parallel.
    pub senders: usize,
    /// How long a worker keeps an entry. Sending takes at most half of it.
    pub lease: Duration,
    /// How long after an ambiguous failure TWIPLA is read again; longer than a request can be in flight.
    pub quiet: Duration,
    /// The delay after the first failure. It doubles up to `longest_delay`.
    pub first_delay: Duration,
    /// The longest delay.
    pub longest_delay: Duration,
    /// How often the database is compared with TWIPLA.
    pub reconcile: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            https: false,
            operator_token: None,
            sends: true,
            grace: Duration::from_secs(10),
            pace: Pace::default(),
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            senders: 16,
            lease: Duration::from_mins(4),
            quiet: Duration::from_secs(30),
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_mins(5),
            reconcile: Duration::from_mins(10),
        }
    }
}

impl Pace {
    /// Returns the delay after this many failures.
    pub(crate) fn delay(&self, attempts: i64) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or_default();
        let delay = self.first_delay.saturating_mul(1 << doublings);
        delay.min(self.longest_delay)
    }
}
