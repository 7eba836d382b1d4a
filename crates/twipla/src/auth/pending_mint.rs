//! A token that is being signed.
//!
//! Everyone who needs it shares one future. A caller that is dropped loses
//! nothing: the minter keeps the future too, and if the first poll does not
//! finish it (as it does with a key in this process), the runtime drives it on.
//! It could be left to the next caller instead, but a future that nobody polls
//! may hold a lock of the signer's that others wait for.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::signer::SignerError;
use super::token::Token;

/// What became of a mint.
pub(super) type MintResult = Result<Arc<Token>, SignerError>;

/// A mint that has not finished.
pub(super) struct PendingMint {
    pub(super) serial: u64,
    /// The learned clock skew that its token is issued with.
    pub(super) skew: TimeDelta,
    pub(super) result: Shared<BoxFuture<'static, MintResult>>,
    /// Ends the task that drives it when nobody can want the token any more.
    task: Option<AbortOnDrop>,
}

impl PendingMint {
    pub(super) fn new(
        serial: u64,
        skew: TimeDelta,
        mint: impl Future<Output = MintResult> + Send + 'static,
    ) -> Self {
        Self {
            serial,
            skew,
            result: mint.boxed().shared(),
            task: None,
        }
    }

    pub(super) fn driven_by(&mut self, task: AbortOnDrop) {
        self.task = Some(task);
    }
}

/// A task that ends when this is dropped.
pub(super) struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Polls a new mint for the first time, and spawns a task for the rest of it.
/// `None` where no rest is left, or no runtime is there: those who wait drive it then.
pub(super) fn spawn(mint: &Shared<BoxFuture<'static, MintResult>>) -> Option<AbortOnDrop> {
    if mint.clone().now_or_never().is_some() {
        return None;
    }
    let runtime = Handle::try_current().ok()?;
    let task = runtime.spawn(mint.clone().map(drop));
    Some(AbortOnDrop(task.abort_handle()))
}
