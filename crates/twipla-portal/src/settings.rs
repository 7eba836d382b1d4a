//! What a portal is started with.

use std::net::SocketAddr;
use std::time::Duration;

/// Settings of a portal. [`Default`] is for a look at it on this machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether browsers reach it over https, by a proxy in front of it: cookies are only sent there then.
    pub https: bool,
    /// Who may `POST /reconcile`: whoever has this token. Nobody without one.
    pub operator_token: Option<String>,
    /// Whether changes are sent from this process. Off in tests of a crash, and where another process does it.
    pub sends: bool,
    /// How long requests get to end when the portal stops.
    pub grace: Duration,
    /// How fast things go.
    pub pace: Pace,
}

/// How fast the portal works through its outbox.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How often the outbox is looked at, besides when something was put into it.
    pub poll: Duration,
    /// How many changes are sent at once.
    pub senders: usize,
    /// How long an entry belongs to whoever took it. A change is sent for half of it at most.
    pub lease: Duration,
    /// How long after an ambiguous failure TWIPLA is read again. Longer than a request can be on its way.
    pub quiet: Duration,
    /// The wait after a first failure. It doubles, up to `longest_delay`.
    pub first_delay: Duration,
    /// The longest of these waits.
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
    /// The wait after so many failures.
    pub(crate) fn delay(&self, attempts: i64) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or_default();
        let delay = self.first_delay.saturating_mul(1 << doublings);
        delay.min(self.longest_delay)
    }
}
