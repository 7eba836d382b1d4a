//! The settings of a call: the client's, unless a call has its own.

use std::time::Duration;

use crate::retry::RetryPolicy;

/// Default settings of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallOptions {
    /// How long the call may take, retries included.
    pub(crate) timeout: Duration,
    /// How long one attempt may take.
    pub(crate) attempt_timeout: Duration,
    pub(crate) retry: RetryPolicy,
    /// The largest response that is read, in bytes.
    pub(crate) max_body: usize,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(90),
            attempt_timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            max_body: 16 * 1024 * 1024,
        }
    }
}
