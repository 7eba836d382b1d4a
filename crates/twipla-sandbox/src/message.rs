//! HTTP requests and responses inside the sandbox.

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// A complete request.
#[derive(Clone)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    /// Still percent-encoded.
    pub(crate) path: String,
    /// Without the question mark, still percent-encoded.
    pub(crate) query: String,
    /// Names are lower-case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl HttpRequest {
    /// Returns the first header with this lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the bearer token of the `Authorization` header.
    pub(crate) fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }
}

/// A response to be sent.
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The connection closes after this many bytes of the body.
    pub(crate) cut_at: Option<usize>,
    /// The `Date` header, by the sandbox's clock.
    pub(crate) date: DateTime<Utc>,
}

/// How a request is answered.
pub(crate) enum Delivery {
    Response(HttpResponse),
    /// The connection closes without a response.
    Reset,
    /// The connection stays open without a response.
    Hang,
    /// A stream of server-sent events, one for each change.
    Events,
}

impl Delivery {
    /// The status that the client sees; 0 if there is no response.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Response(response) => response.status,
            Self::Events => 200,
            Self::Reset | Self::Hang => 0,
        }
    }
}

/// Completes when the connection of a request has ended.
#[derive(Clone)]
pub(crate) struct ConnectionEnd(watch::Receiver<()>);

/// Held while a connection is open.
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
