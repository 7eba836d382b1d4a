//! A token that is being signed, in its own task.
//!
//! The task outlives the call that started it, so a call that is dropped does
//! not lose the token. It runs on that call's Tokio runtime, and only calls on
//! the same runtime wait for it: another runtime may never be driven again.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::clock::ServerTime;
use super::signer::SignerError;
use super::token::Token;

/// A mint that takes longer is not driven any more: it asks at most two signers, and
/// each has 30 seconds.
const OVERDUE_AFTER: Duration = Duration::from_secs(60);

/// The result of a mint.
pub(super) type MintResult = Result<Arc<Token>, SignerError>;

/// A mint that has not finished. Dropping it ends its task.
pub(super) struct PendingMint {
    pub(super) serial: u64,
    /// Number of the signer that is asked first.
    pub(super) signer: u64,
    issued: ServerTime,
    runtime: runtime::Id,
    overdue_at: Instant,
    result: MintReceiver,
    task: AbortHandle,
}

impl PendingMint {
    /// Spawns `mint`, which signs a token that is issued at `issued`.
    pub(super) fn spawn(
        runtime: &Handle,
        serial: u64,
        signer: u64,
        issued: ServerTime,
        mint: impl Future<Output = MintResult> + Send + 'static,
    ) -> Self {
        let (sender, receiver) = watch::channel(None);
        let task = runtime.spawn(async move {
            let result = mint.await;
            // The receivers may all have been dropped.
            let _ = sender.send(Some(result));
        });
        Self {
            serial,
            signer,
            issued,
            runtime: runtime.id(),
            overdue_at: Instant::now() + OVERDUE_AFTER,
            result: MintReceiver(receiver),
            task: task.abort_handle(),
        }
    }

    /// Returns whether its result can still be expected: not if its runtime has ended, or is
    /// not driven.
    pub(super) fn is_alive(&self, now: Instant) -> bool {
        !self.task.is_finished() && now < self.overdue_at
    }

    /// Returns whether a mint that starts now would do the same.
    pub(super) fn is_current(&self, signer: u64, time: ServerTime) -> bool {
        self.signer == signer && !time.moved_since(self.issued)
    }

    /// Returns whether calls on `runtime` can wait for it.
    pub(super) fn runs_on(&self, runtime: &Handle) -> bool {
        self.runtime == runtime.id()
    }

    /// Returns a receiver of its result.
    pub(super) fn receiver(&self) -> MintReceiver {
        self.result.clone()
    }
}

impl Drop for PendingMint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The result of a mint, for a call that waits for it.
#[derive(Clone)]
pub(super) struct MintReceiver(watch::Receiver<Option<MintResult>>);

impl MintReceiver {
    /// Waits for the result; `None` if the task ended without one.
    pub(super) async fn wait(mut self) -> Option<MintResult> {
        let result = self.0.wait_for(Option::is_some).await.ok()?;
        result.clone()
    }
}
