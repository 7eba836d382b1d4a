//! A sandbox as a test starts, observes and stops it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::Duration;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use twipla_api::{PackageId, PartnerId};
use uuid::Uuid;

use crate::account::{Account, Model};
use crate::clock::Clock;
use crate::commits::Commit;
use crate::error::Error;
use crate::fault::Fault;
use crate::faults::FaultReport;
use crate::partner::{Partner, PartnerConfig};
use crate::record::RecordedRequest;
use crate::server::{Server, Settings};
use crate::state::{SharedWorld, World};

/// Configures a [`Sandbox`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    listen: SocketAddr,
    partners: Vec<PartnerConfig>,
    clock_offset: Duration,
    settings: Settings,
}

impl Builder {
    /// The address to listen on; by default this machine only, on a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds a partner to the two that every sandbox has.
    pub fn partner(mut self, partner: PartnerConfig) -> Self {
        self.partners.push(partner);
        self
    }

    /// How far the server's clock is from the machine's.
    pub fn clock_offset(mut self, offset: Duration) -> Self {
        self.clock_offset = offset;
        self
    }

    /// How long the server keeps a connection that waits for a request, and
    /// waits for the rest of a request that has begun; 75 seconds by default.
    pub fn idle_timeout(mut self, timeout: std::time::Duration) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// A host name under which the control endpoints may be used, besides
    /// `localhost` and IP addresses; for instance the name of a container.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.settings.allowed_hosts.push(name.into());
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// If the address is taken, a public key is invalid, two partners have the
    /// same id, or the clock is off by more than a hundred years.
    pub async fn start(self) -> Result<Sandbox, Error> {
        if self.clock_offset.abs() > Clock::MAX_OFFSET {
            return Err(Error::new(format!(
                "invalid clock offset {}: expected at most a hundred years either way",
                self.clock_offset
            )));
        }
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            Error::new(format!(
                "cannot listen on {}: choose another address or a free port (0)",
                self.listen
            ))
            .with_source(error)
        })?;
        let address = listener.local_addr().map_err(|error| {
            Error::new("cannot tell which port the sandbox listens on").with_source(error)
        })?;
        let mut world = World::new(Clock::new(self.clock_offset));
        let presets =
            [Model::Website, Model::Account].map(|model| PartnerConfig::new(Uuid::new_v4(), model));
        let mut partners = Vec::new();
        for config in presets.into_iter().chain(self.partners) {
            partners.push(add_partner(&mut world, config)?);
        }
        let world = Arc::new(SharedWorld::new(world));
        let (stop, stopped) = watch::channel(false);
        let server = Server::new(Arc::clone(&world), self.settings);
        let task = tokio::spawn(server.serve(listener, stopped));
        Ok(Sandbox {
            base_url: format!("http://{address}"),
            world,
            partners,
            stop,
            task: Some(task),
        })
    }
}

/// A running server. Dropping it stops it.
pub struct Sandbox {
    base_url: String,
    world: Arc<SharedWorld>,
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
    /// If no port is free.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Configures a server before it starts.
    pub fn builder() -> Builder {
        Builder {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            partners: Vec::new(),
            clock_offset: Duration::zero(),
            settings: Settings {
                idle_timeout: std::time::Duration::from_secs(75),
                allowed_hosts: Vec::new(),
            },
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
        self.world.lock().requests.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.world.lock().requests.clear();
    }

    /// The changes that the sandbox carried out, oldest first, up to 250,000.
    ///
    /// Each request that changed something has one entry, whatever its caller
    /// was told: also if the response was lost or a late commit carried it out.
    /// Two entries with the same operation, ids and name mean that something
    /// was done twice, unless it was undone in between. Reads, logins, refused
    /// requests and those that changed nothing (a domain that is already on the
    /// list, a subscription that is already canceled) have no entry; neither has
    /// what comes due as time passes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), twipla_sandbox::Error> {
    /// let sandbox = twipla_sandbox::Sandbox::start().await?;
    /// // ... a client creates the website "site-7" while connections are lost ...
    /// let created = sandbox.commits().into_iter().filter(|commit| {
    ///     commit.operation == "create_website" && commit.ids["intpWebsiteId"] == "site-7"
    /// });
    /// assert!(created.count() <= 1);
    /// # Ok(()) }
    /// ```
    pub fn commits(&self) -> Vec<Commit> {
        self.world.lock().commits.all()
    }

    /// Forgets the changes so far; the sequence numbers go on.
    pub fn clear_commits(&self) {
        self.world.lock().commits.clear();
    }

    /// Adds a fault.
    ///
    /// # Panics
    ///
    /// If the fault is one that [`Sandbox::try_inject`] refuses: a test with a
    /// fault that never strikes would pass for the wrong reason.
    #[allow(clippy::panic, reason = "a mistake in a test has to stop the test")]
    pub fn inject(&self, fault: Fault) {
        if let Err(error) = self.try_inject(fault) {
            panic!("{error}");
        }
    }

    /// Adds a fault that was not written by hand.
    ///
    /// # Errors
    ///
    /// If the operation is not in the contract, a number is out of range, the
    /// moment does not fit the kind, or a thousand faults are in force.
    pub fn try_inject(&self, fault: Fault) -> Result<(), Error> {
        self.world.lock().faults.add(fault)
    }

    /// How often each fault has struck since the last clearing, and what is pending.
    pub fn faults(&self) -> FaultReport {
        self.world.lock().faults.report()
    }

    /// Removes all faults. Tokens that one of them refused are accepted again;
    /// late commits that are pending still happen.
    pub fn clear_faults(&self) {
        self.world.lock().clear_faults();
    }

    /// Moves time on for subscriptions, trials and API keys, so that planned
    /// changes take effect. Tokens and the `Date` header keep their clock.
    /// A negative time, and one outside the calendar (after the year 9000),
    /// changes nothing.
    pub fn advance(&self, by: Duration) {
        let _ = self.world.lock().clock.advance(by);
    }

    /// The customers, websites, subscriptions and packages of all partners, without secrets.
    pub fn snapshot(&self) -> Value {
        self.world.lock().snapshot()
    }

    /// Names and ids of the packages of a partner.
    pub fn packages(&self, partner: PartnerId) -> Vec<(String, PackageId)> {
        let world = self.world.lock();
        let packages = world
            .accounts
            .get(partner.as_uuid())
            .into_iter()
            .flat_map(|account| account.packages.values());
        packages
            .map(|package| (package.name.clone(), package.id))
            .collect()
    }

    /// Stops accepting connections, and gives open ones half a second to end.
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

fn add_partner(world: &mut World, config: PartnerConfig) -> Result<Partner, Error> {
    let (id, billing_mode) = (config.id(), config.mode());
    if world.accounts.contains_key(&id) {
        return Err(Error::new(format!("the partner {id} is named twice")));
    }
    let (partner, key) = config.into_partner()?;
    let account = Account::new(
        id,
        partner.name().to_owned(),
        partner.model(),
        billing_mode,
        world.clock.billing_time(world.clock.now()),
    );
    world.accounts.insert(id, account);
    world.keys.insert(id, key);
    Ok(partner)
}
