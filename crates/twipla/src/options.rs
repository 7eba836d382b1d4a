//! The settings of a call: the client's defaults, unless a call overrides them.

use std::time::Duration;

use tokio::time::Instant;

use crate::retry::RetryPolicy;
use crate::time::later;

/// Default settings of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallOptions {
    /// How long the call may take in all.
    pub(crate) timeout: Duration,
    /// How long one attempt may take.
    pub(crate) attempt_timeout: Duration,
    pub(crate) retry: RetryPolicy,
    /// The largest response that is read, in bytes.
    pub(crate) max_body: usize,
    /// The deadline of several calls that share a timeout.
    pub(crate) ends_at: Option<Instant>,
}

impl CallOptions {
    /// Returns options for several calls, one after another, that together take no
    /// longer than `timeout` from now on.
    pub(crate) fn shared(mut self) -> Self {
        self.ends_at = Some(later(Instant::now(), self.timeout));
        self
    }
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(90),
            attempt_timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            max_body: 16 * 1024 * 1024,
            ends_at: None,
        }
    }
}
