//! The worker: takes due entries from the outbox, sends them and records the results.

use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use twipla::Twipla;

use crate::outbox::{self, Entry};
use crate::send::{Verdict, send};
use crate::settings::Pace;
use crate::store::Store;

/// A worker.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) twipla: Twipla,
    pub(crate) store: Store,
    pub(crate) pace: Pace,
    /// Wakes the worker when an entry is added.
    pub(crate) wake: Arc<Notify>,
}

impl Worker {
    /// Runs until told to stop, and then finishes what it has begun.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut sending = JoinSet::new();
        while !*stop.borrow() {
            let free = self.pace.senders - sending.len();
            match outbox::take(&self.store, free, self.pace.lease).await {
                Ok(entries) => {
                    for entry in entries {
                        sending.spawn(carry_out(self.clone(), entry));
                    }
                }
                Err(error) => tracing::error!("cannot read the outbox: {error:#}"),
            }
            let is_full = sending.len() == self.pace.senders;
            tokio::select! {
                _ = sending.join_next(), if !sending.is_empty() => {}
                () = self.wake.notified(), if !is_full => {}
                () = tokio::time::sleep(self.pace.poll) => {}
                _ = stop.changed() => {}
            }
        }
        while sending.join_next().await.is_some() {}
    }
}

/// Sends an entry. A crash at any point is harmless: the entry stays open and is taken again when
/// its lease is over.
async fn carry_out(worker: Worker, entry: Entry) {
    let Worker {
        twipla,
        store,
        pace,
        ..
    } = worker;
    let verdict = send(&twipla, &store, &entry, &pace).await;
    let (id, change) = (&entry.id, &entry.change);
    let written = match &verdict {
        Verdict::Done(website, read_at) => {
            tracing::info!(%id, ?change, "done");
            outbox::done(&store, &entry, website.as_deref(), *read_at).await
        }
        Verdict::Later(wait, open, why) => {
            tracing::warn!(%id, ?change, ?wait, ?open, "not yet: {why}");
            outbox::postpone(&store, &entry, *wait, *open, why).await
        }
        Verdict::Refused(why) => {
            tracing::error!(%id, ?change, "refused: {why}");
            outbox::refused(&store, &entry, why).await
        }
    };
    if let Err(error) = written {
        tracing::error!(%id, "cannot record the result of a change: {error:#}");
    }
}
