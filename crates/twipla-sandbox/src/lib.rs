//! A faithful TWIPLA 3AS server in one process: tokens, both subscription
//! models, the rules and the odd status codes, data endpoints, a dashboard, and
//! faults on request.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), twipla_sandbox::Error> {
//! use twipla_sandbox::{Fault, FaultKind, Sandbox};
//!
//! let sandbox = Sandbox::start().await?;
//! let partner = sandbox.website_partner();
//! println!("{} signs with {} bytes of PEM", partner.id(), partner.private_key_pem().len());
//!
//! sandbox.inject(Fault::new(FaultKind::HtmlBody).operation("get_website").times(1));
//! sandbox.advance(chrono::Duration::days(40));   // planned downgrades take effect
//! assert!(sandbox.requests().is_empty());
//! sandbox.stop().await;
//! # Ok(()) }
//! ```
//!
//! The API, the data endpoints (also under `/api`) and the dashboard (`/`) share
//! one address. Where nothing is known of what the real server does, the
//! sandbox does this:
//!
//! - a canceled subscription falls back to an active free plan when its period ends;
//! - a trial is given to whoever had none, and an upgrade ends it;
//! - a deleted website is not found any more, and its id may be used again;
//! - an API key that never expires shows a date a hundred years ahead, because
//!   two official clients need one;
//! - nobody can go down to the unlimited trial, and the undocumented
//!   `reactivate` is unknown;
//! - the owner of a website cannot be its contributor, and removing somebody who is none is 404.
//!
//! ## Control endpoints
//!
//! For tests in other languages, `/__sandbox/` takes:
//!
//! | request | effect |
//! |---|---|
//! | `GET health`, `GET state`, `GET requests` | look |
//! | `DELETE requests`, `DELETE faults` | forget |
//! | `POST faults` with `{"kind": "hang", "operation": "get_website", "times": 1}` | add a fault (see [`Fault`]) |
//! | `POST advance` with `{"seconds": 3600}` | move time on for subscriptions and keys |

mod analytics;
mod auth;
mod control;
mod dashboard;
mod faults;
mod http;
mod input;
mod keys;
mod record;
mod render;
mod reply;
#[allow(
    clippy::needless_pass_by_value,
    reason = "each rule takes its call whole, so that all have one signature"
)]
mod rules;
mod server;
mod state;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{Duration, Utc};
use jsonwebtoken::DecodingKey;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use twipla_api::types::BillingMode;
use uuid::Uuid;

pub use faults::{Fault, FaultKind};
pub use record::RecordedRequest;

use server::{Server, State};
use state::Account;

/// Which subscription model a partner is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// Each website has a subscription.
    Website,
    /// Each customer has one for all of their websites.
    Account,
}

impl Model {
    /// `website` or `account`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::Account => "account",
        }
    }
}

/// A partner that the sandbox knows.
#[derive(Clone)]
pub struct Partner {
    id: Uuid,
    name: String,
    model: Model,
    private_key: String,
}

impl Partner {
    /// The id that TWIPLA would have issued.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Name of the company.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Subscription model.
    pub fn model(&self) -> Model {
        self.model
    }

    /// The private key as PKCS#8 PEM, made when the sandbox started. Empty for
    /// a partner that brought a public key of its own.
    pub fn private_key_pem(&self) -> &str {
        &self.private_key
    }
}

/// Shows no key.
impl fmt::Debug for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partner")
            .field("id", &self.id)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// A partner to be added to a sandbox.
#[derive(Debug, Clone)]
pub struct PartnerConfig {
    id: Uuid,
    name: String,
    model: Model,
    billing_mode: BillingMode,
    public_key: Option<String>,
}

impl PartnerConfig {
    /// A partner that does its own billing; its key is made at the start.
    pub fn new(id: Uuid, model: Model) -> Self {
        Self {
            id,
            name: format!("Sandbox partner, {} model", model.as_str()),
            model,
            billing_mode: BillingMode::CompanyManaged,
            public_key: None,
        }
    }

    /// Its own public key, as PEM, in place of one made at the start.
    #[must_use]
    pub fn public_key_pem(mut self, pem: impl Into<String>) -> Self {
        self.public_key = Some(pem.into());
        self
    }

    /// Who does the billing.
    #[must_use]
    pub fn billing_mode(mut self, mode: BillingMode) -> Self {
        self.billing_mode = mode;
        self
    }

    /// Name of the company.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

/// Sets up a [`Sandbox`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    listen: SocketAddr,
    partners: Vec<PartnerConfig>,
    offset: Duration,
}

impl Builder {
    /// The address to listen on; by default this machine only, on a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// One more partner besides the two that every sandbox has.
    pub fn partner(mut self, partner: PartnerConfig) -> Self {
        self.partners.push(partner);
        self
    }

    /// How far the clock of the server is from the machine's.
    pub fn clock_offset(mut self, offset: Duration) -> Self {
        self.offset = offset;
        self
    }

    /// Listens.
    ///
    /// # Errors
    ///
    /// Where the address is taken or a public key is none.
    pub async fn start(self) -> Result<Sandbox, Error> {
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            Error::new(format!(
                "cannot listen on {}: choose another address or a free port (0)",
                self.listen
            ))
            .with_source(error)
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| Error::new("cannot tell which port was given").with_source(error))?;
        let mut state = State {
            accounts: HashMap::new(),
            keys: HashMap::new(),
            faults: faults::Faults::default(),
            offset: self.offset,
            advanced: Duration::zero(),
            logins: Vec::new(),
        };
        let presets =
            [Model::Website, Model::Account].map(|model| PartnerConfig::new(Uuid::new_v4(), model));
        let mut partners = Vec::new();
        for config in presets.into_iter().chain(self.partners) {
            partners.push(add_partner(&mut state, config)?);
        }
        let server = Arc::new(Server::new(state));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(http::serve(listener, Arc::clone(&server), stopped));
        Ok(Sandbox {
            base_url: format!("http://{address}"),
            server,
            partners,
            stop,
            task: Some(task),
        })
    }
}

/// A running server. Dropping it stops it.
pub struct Sandbox {
    base_url: String,
    server: Arc<Server>,
    partners: Vec<Partner>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a server on a free port of this machine, with two partners, one
    /// for each subscription model.
    ///
    /// # Errors
    ///
    /// Where no port is free.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Sets up a server in more detail.
    pub fn builder() -> Builder {
        Builder {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            partners: Vec::new(),
            offset: Duration::zero(),
        }
    }

    /// Address of the API, the data endpoints and the dashboard.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The partner under the website model.
    pub fn website_partner(&self) -> Partner {
        self.partner(Model::Website)
    }

    /// The partner under the account model.
    pub fn account_partner(&self) -> Partner {
        self.partner(Model::Account)
    }

    /// All partners.
    pub fn partners(&self) -> &[Partner] {
        &self.partners
    }

    /// The requests so far, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.records.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.server.records.clear();
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.server.lock().faults.add(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.server.lock().faults.clear();
    }

    /// Moves time on for subscriptions, trials and API keys: what is planned
    /// takes effect. Tokens and the `Date` header stay with the clock.
    pub fn advance(&self, by: Duration) {
        // Time that leaves the calendar is no time: nothing happens then.
        let _ = self.server.lock().advance(by);
    }

    /// Everything that the server remembers, without secrets.
    pub fn snapshot(&self) -> Value {
        control::snapshot(&self.server.lock())
    }

    /// Names and ids of the packages of a partner.
    pub fn packages(&self, partner: Uuid) -> Vec<(String, Uuid)> {
        let state = self.server.lock();
        let packages = state
            .accounts
            .get(&partner)
            .into_iter()
            .flat_map(|account| account.packages.values());
        packages
            .map(|package| (package.name.clone(), package.id))
            .collect()
    }

    /// Stops: no new connections, and those under way get two seconds to end.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }

    fn partner(&self, model: Model) -> Partner {
        let preset = usize::from(model == Model::Account);
        self.partners[preset].clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("base_url", &self.base_url)
            .field("partners", &self.partners)
            .finish_non_exhaustive()
    }
}

/// Why a sandbox could not start.
#[derive(Debug)]
pub struct Error {
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

fn add_partner(state: &mut State, config: PartnerConfig) -> Result<Partner, Error> {
    if state.accounts.contains_key(&config.id) {
        return Err(Error::new(format!(
            "the partner {} is named twice",
            config.id
        )));
    }
    let pair = match config.public_key {
        Some(public) => keys::PemPair::public_only(public),
        None => keys::generate()?,
    };
    if pair.public.contains("PRIVATE KEY") {
        return Err(Error::new(format!(
            "the key of partner {} is a private one: make the public one with `openssl rsa -in KEY -pubout`",
            config.id
        )));
    }
    let key = DecodingKey::from_rsa_pem(pair.public.as_bytes()).map_err(|error| {
        Error::new(format!(
            "the public key of partner {} is none: make one with `openssl rsa -in KEY -pubout`",
            config.id
        ))
        .with_source(error)
    })?;
    let now = Utc::now() + state.offset + state.advanced;
    let account = Account::new(
        config.id,
        config.name.clone(),
        config.model,
        config.billing_mode,
        now,
    );
    state.accounts.insert(config.id, account);
    state.keys.insert(config.id, key);
    Ok(Partner {
        id: config.id,
        name: config.name,
        model: config.model,
        private_key: pair.private,
    })
}
