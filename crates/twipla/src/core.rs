//! The state that all clones of a client share.

use std::fmt;
use std::sync::Arc;

use twipla_api::{BaseUrl, Server};
use url::Url;

use crate::auth::Minter;
use crate::connection::Connections;
use crate::options::CallOptions;
use crate::pace::Pacers;
use crate::retry::Budget;

pub(crate) struct Core {
    pub(crate) connections: Connections,
    pub(crate) urls: BaseUrls,
    pub(crate) minter: Arc<Minter>,
    pub(crate) options: CallOptions,
    pub(crate) budget: Budget,
    pub(crate) pacers: Pacers,
}

/// Validated base URLs.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrls {
    pub(crate) management: BaseUrl,
    pub(crate) data: BaseUrl,
    pub(crate) dashboard: Url,
}

impl BaseUrls {
    pub(crate) fn of(&self, server: Server) -> &BaseUrl {
        match server {
            Server::Management => &self.management,
            Server::Data => &self.data,
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("urls", &self.urls)
            .field("minter", &self.minter)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
