//! HTTP requests and responses, as everything inside the sandbox sees them.

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// A request, read to its end.
#[derive(Clone)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    /// Still percent-encoded.
    pub(crate) path: String,
    /// Without the question mark, still percent-encoded.
    pub(crate) query: String,
    /// Names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl HttpRequest {
    /// The first header of this name, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The token of the `Authorization` header.
    pub(crate) fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }
}

/// A response, ready to be sent.
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// After this much of the body, the connection closes.
    pub(crate) cut_at: Option<usize>,
    /// The `Date` header: the sandbox's clock.
    pub(crate) date: DateTime<Utc>,
}

/// What the client gets for a request.
pub(crate) enum Delivery {
    Response(HttpResponse),
    /// The connection closes without a response.
    Reset,
    /// The connection stays open, and nothing comes.
    Hang,
    /// The connection stays open, and an event comes with each change.
    Events,
}

impl Delivery {
    /// The status that the client sees; 0 if it sees none.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Response(response) => response.status,
            Self::Events => 200,
            Self::Reset | Self::Hang => 0,
        }
    }
}

/// Tells when the connection of a request has ended.
#[derive(Clone)]
pub(crate) struct ConnectionEnd(watch::Receiver<()>);

/// Held for as long as a connection is open.
pub(crate) struct ConnectionGuard {
    _open: watch::Sender<()>,
}

impl ConnectionEnd {
    pub(crate) fn new() -> (ConnectionGuard, Self) {
        let (open, end) = watch::channel(());
        (ConnectionGuard { _open: open }, Self(end))
    }

    /// Waits until the guard is dropped.
    pub(crate) async fn wait(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
