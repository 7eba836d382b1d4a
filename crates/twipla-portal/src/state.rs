//! The state that all handlers share.

use std::sync::Arc;

use tokio::sync::Notify;
use twipla::Twipla;

use crate::settings::Settings;
use crate::store::Store;

/// One client and one database for the whole program. Clones share them: their connections, and the token.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) twipla: Twipla,
    pub(crate) store: Store,
    pub(crate) settings: Arc<Settings>,
    /// Wakes the worker when an entry is added to the outbox.
    pub(crate) wake: Arc<Notify>,
}
