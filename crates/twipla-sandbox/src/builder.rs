//! Configuration of a sandbox: its address, partners, clock and files.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Duration;
use indexmap::IndexMap;
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use crate::account::{Account, Model};
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::partner::{Partner, PartnerConfig};
use crate::sandbox::Sandbox;
use crate::seed::Seed;
use crate::server::{Server, Settings};
use crate::state::{SharedWorld, World};
use crate::state_file::{State, StateFile};
use crate::tls::Authority;

/// Configures a [`Sandbox`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    listen: SocketAddr,
    partners: Vec<PartnerConfig>,
    clock_offset: Duration,
    credentials: Option<PathBuf>,
    state: Option<PathBuf>,
    seed: Option<PathBuf>,
    is_tls: bool,
    settings: Settings,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            partners: Vec::new(),
            clock_offset: Duration::zero(),
            credentials: None,
            state: None,
            seed: None,
            is_tls: false,
            settings: Settings {
                idle_timeout: std::time::Duration::from_secs(75),
                allowed_hosts: Vec::new(),
                remote_console: false,
                tls: None,
            },
        }
    }

    /// The address to listen on. The default is a free port on the loopback
    /// interface.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds a partner to the two that every sandbox has, or replaces the
    /// partner with the same id.
    pub fn partner(mut self, partner: PartnerConfig) -> Self {
        self.partners.push(partner);
        self
    }

    /// The offset of the server's clock from the machine's.
    pub fn clock_offset(mut self, offset: Duration) -> Self {
        self.clock_offset = offset;
        self
    }

    /// How long an idle connection is kept open, and how long the server waits
    /// for the rest of a request. The default is 75 seconds.
    pub fn idle_timeout(mut self, timeout: std::time::Duration) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// Allows a host name for the control endpoints, besides `localhost` and IP
    /// addresses; for instance the name of a container.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.settings.allowed_hosts.push(name.into());
        self
    }

    /// Allows browsers on other machines to use the console at `/__sandbox/`,
    /// which shows and changes all data of the sandbox. By default, only this
    /// machine can.
    pub fn remote_console(mut self, allow: bool) -> Self {
        self.settings.remote_console = allow;
        self
    }

    /// A folder for `sandbox.json`, the keys of the partners, and shell files
    /// with environment variables. It is created if it does not exist. If it
    /// contains the files of an earlier start, the sandbox has the same
    /// partners, with the same ids, keys and package ids.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("twipla-sandbox-doc-{}", std::process::id()));
    /// use twipla_sandbox::Sandbox;
    ///
    /// let first = Sandbox::builder().credentials(&folder).start().await?;
    /// let (partner, packages) = (first.website_partner(), first.packages(first.website_partner().id()));
    /// first.stop().await;
    ///
    /// let second = Sandbox::builder().credentials(&folder).start().await?;
    /// assert_eq!(second.website_partner().private_key_pem(), partner.private_key_pem());
    /// assert_eq!(second.packages(partner.id()), packages);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(()) }
    /// ```
    pub fn credentials(mut self, folder: impl Into<PathBuf>) -> Self {
        self.credentials = Some(folder.into());
        self
    }

    /// A file that keeps the partners' data and keys, and how far
    /// [`Sandbox::advance`] has advanced the clock. If it exists, the sandbox
    /// continues from it; otherwise it is created.
    /// Changes are written within a second, and when the sandbox stops; the
    /// file is replaced atomically. Only one sandbox at a time can use it: it
    /// holds a lock on an empty file next to it, whose name ends with `.lock`.
    /// Logins, faults and logs are not kept. The file contains private keys and
    /// the secrets of API keys, so only its owner can read it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("twipla-sandbox-doc-{}.json", std::process::id()));
    /// use twipla_sandbox::Sandbox;
    ///
    /// let first = Sandbox::builder().state(&file).start().await?;
    /// // ... a client creates customers and websites ...
    /// let before = first.snapshot();
    /// first.stop().await;
    ///
    /// let second = Sandbox::builder().state(&file).start().await?;
    /// assert_eq!(second.snapshot(), before);
    /// # drop(second);
    /// # std::fs::remove_file(&file)?;
    /// # Ok(()) }
    /// ```
    pub fn state(mut self, file: impl Into<PathBuf>) -> Self {
        self.state = Some(file.into());
        self
    }

    /// A file with the initial data, which [`Sandbox::reset`] restores. If the
    /// file of [`Builder::state`] exists, it takes precedence. The README of
    /// this crate documents the format.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("twipla-sandbox-seed-{}.json", std::process::id()));
    /// use twipla_sandbox::Sandbox;
    ///
    /// std::fs::write(&file, r#"{"partners": [{"model": "website", "customers": [
    ///     {"intpCustomerId": "cust-42", "email": "owner@example.com", "websites": [
    ///         {"intpWebsiteId": "site-7", "domain": "example.com", "subscription": {"package": "Pro"}}
    ///     ]}
    /// ]}]}"#)?;
    /// let sandbox = Sandbox::builder().seed(&file).start().await?;
    /// assert!(sandbox.snapshot().to_string().contains("site-7"));
    /// # std::fs::remove_file(&file)?;
    /// # Ok(()) }
    /// ```
    pub fn seed(mut self, file: impl Into<PathBuf>) -> Self {
        self.seed = Some(file.into());
        self
    }

    /// Serves https instead of http, with a certificate for the host names of
    /// the real servers, `localhost`, the listening address and the names of
    /// [`Builder::allow_host`]. It is signed by a certificate authority of the
    /// sandbox: clients must trust [`Sandbox::ca_certificate_pem`], which
    /// [`Builder::credentials`] writes to `ca.pem`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), twipla_sandbox::Error> {
    /// let sandbox = twipla_sandbox::Sandbox::builder().tls(true).start().await?;
    /// assert!(sandbox.base_url().starts_with("https://127.0.0.1:"));
    /// let trusted = sandbox.ca_certificate_pem().unwrap_or_default();
    /// assert!(trusted.starts_with("-----BEGIN CERTIFICATE-----"));
    /// # Ok(()) }
    /// ```
    pub fn tls(mut self, on: bool) -> Self {
        self.is_tls = on;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// If the address is in use, a key is invalid, two partners have the same
    /// id, the clock offset exceeds a hundred years, or a file cannot be used.
    pub async fn start(mut self) -> Result<Sandbox, Error> {
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
            Error::new("cannot determine the port of the sandbox").with_source(error)
        })?;
        let scheme = if self.is_tls { "https" } else { "http" };
        let base_url = format!("{scheme}://{address}");

        let credentials = self.credentials.as_deref().map(Credentials::open);
        let credentials = credentials.transpose()?;
        let authority = match &credentials {
            _ if !self.is_tls => None,
            Some(credentials) => Some(credentials.authority()?),
            None => Some(Authority::generate()?),
        };
        if let Some(authority) = &authority {
            let config = authority.server_config(address, &self.settings.allowed_hosts)?;
            self.settings.tls = Some(config);
        }
        let of_credentials = match &credentials {
            Some(credentials) => credentials.partners()?,
            None => None,
        };
        let lock = self.state.as_deref().map(StateFile::lock).transpose()?;
        let state = match &self.state {
            Some(file) => State::read(file)?,
            None => None,
        };
        let of_state = state.as_ref().map(State::partners);
        let kept = kept_partners(of_credentials, of_state)?;
        let mut world = World::new(Clock::new(self.clock_offset));
        let mut partners = Vec::new();
        let mut configs = all_partners(kept, &self.partners)?;
        let seed = self.seed.as_deref().map(Seed::read).transpose()?;
        if let Some(seed) = &seed {
            seed.adjust(&mut configs);
        }
        for config in &configs {
            partners.push(add_partner(&mut world, config.clone())?);
        }
        if let Some(seed) = &seed {
            seed.plant(&mut world, &configs)?;
        }
        world.origin.clone_from(&world.accounts);
        if let Some(state) = state {
            state.restore(&mut world)?;
        }
        if let Some(credentials) = &credentials {
            let described: Vec<_> = partners
                .iter()
                .map(|partner| (partner.clone(), packages(&world, partner)))
                .collect();
            credentials.write(&base_url, self.is_tls, &described)?;
        }

        let world = Arc::new(SharedWorld::new(world));
        let state = self.state.zip(lock);
        let state = state.map(|(path, lock)| Arc::new(StateFile::new(path, lock, &partners)));
        if let Some(state) = &state {
            // Written immediately, to detect now if the file cannot be written.
            state.save(&world)?;
            tokio::spawn(Arc::clone(state).keep_saving(Arc::downgrade(&world)));
        }
        let (stop, stopped) = watch::channel(false);
        let server = Server::new(Arc::clone(&world), self.settings);
        let task = tokio::spawn(server.serve(listener, stopped));
        Ok(Sandbox {
            base_url,
            world,
            partners,
            credentials: credentials.map(|credentials| credentials.file()),
            state,
            ca_certificate: authority.map(|authority| authority.certificate_pem().to_owned()),
            stop,
            task: Some(task),
        })
    }
}

impl Sandbox {
    /// Starts a server on a free port of this machine, with one partner for
    /// each subscription model.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Returns a builder to configure a server before it starts.
    pub fn builder() -> Builder {
        Builder::new()
    }
}

/// Loads the partners from the credentials folder and the state file, which
/// must agree: with other keys, nobody could authenticate as the partners of
/// the state.
fn kept_partners(
    of_credentials: Option<Vec<PartnerConfig>>,
    of_state: Option<Vec<PartnerConfig>>,
) -> Result<Vec<PartnerConfig>, Error> {
    let (partners, of_state) = match (of_credentials, of_state) {
        (None, None) => return Ok(Vec::new()),
        (Some(partners), None) | (None, Some(partners)) => return Ok(partners),
        (Some(partners), Some(of_state)) => (partners, of_state),
    };
    for config in of_state {
        let Some(partner) = partners.iter().find(|partner| partner.id() == config.id()) else {
            return Err(Error::new(format!(
                "the state has partner {}, which is not in the credentials: use the folder and the file of the same sandbox, or remove one of them",
                config.id()
            )));
        };
        if !partner.has_the_key_of(&config) {
            return Err(Error::new(format!(
                "the state and the credentials have different keys of partner {}: use the folder and the file of the same sandbox, or remove one of them",
                config.id()
            )));
        }
    }
    Ok(partners)
}

/// Combines the loaded partners, or one for each model, with the configured
/// ones.
fn all_partners(
    mut partners: Vec<PartnerConfig>,
    wanted: &[PartnerConfig],
) -> Result<Vec<PartnerConfig>, Error> {
    add_missing_models(&mut partners);
    for (index, config) in wanted.iter().enumerate() {
        let id = config.id();
        if wanted[..index].iter().any(|earlier| earlier.id() == id) {
            return Err(Error::new(format!("duplicate partner {id}")));
        }
        match partners.iter_mut().find(|partner| partner.id() == id) {
            Some(partner) => *partner = config.clone(),
            None => partners.push(config.clone()),
        }
    }
    // A configured partner may have replaced a default one and be under the
    // other model.
    add_missing_models(&mut partners);
    Ok(partners)
}

fn add_missing_models(partners: &mut Vec<PartnerConfig>) {
    for model in [Model::Website, Model::Account] {
        if !partners.iter().any(|partner| partner.model() == model) {
            partners.push(PartnerConfig::new(Uuid::new_v4(), model));
        }
    }
}

fn add_partner(world: &mut World, config: PartnerConfig) -> Result<Partner, Error> {
    let (partner, key) = config.into_partner()?;
    let id = *partner.id().as_uuid();
    let account = Account::new(
        id,
        partner.name().to_owned(),
        partner.model(),
        partner.billing_mode().clone(),
        world.clock.billing_time(world.clock.now()),
    );
    world.accounts.insert(id, account);
    world.keys.insert(id, key);
    Ok(partner)
}

fn packages(world: &World, partner: &Partner) -> IndexMap<String, Uuid> {
    let account = world.accounts.get(partner.id().as_uuid());
    account
        .into_iter()
        .flat_map(|account| account.packages.values())
        .map(|package| (package.name.clone(), *package.id.as_uuid()))
        .collect()
}
