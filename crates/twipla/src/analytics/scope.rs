//! The website whose data is read, and its API key.

use std::sync::Arc;

use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::TwiplaWebsiteId;
use crate::secret::Secret;

#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) core: Arc<Core>,
    pub(super) website: DeferredId<TwiplaWebsiteId>,
    pub(super) key: Secret,
}
