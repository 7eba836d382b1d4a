//! `twipla-portal`: starts the portal, or reconciles once.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use twipla::{Twipla, TwiplaBuilder};
use twipla_portal::{Portal, Settings, Store, demo, reconcile};
use twipla_sandbox::Sandbox;

/// A hosting company's customer area with TWIPLA analytics in it, as an example
///
/// Without options it runs a sandbox of the API in the same process and keeps its database in memory. Both are lost when it
/// ends.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    place: Place,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Browsers use https, through a proxy: mark cookies as Secure
    #[arg(long)]
    https: bool,
    /// Token that POST /reconcile requires
    #[arg(
        long,
        value_name = "TOKEN",
        env = "PORTAL_OPERATOR_TOKEN",
        hide_env_values = true
    )]
    operator_token: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare the database with TWIPLA once, correct differences and print them
    Reconcile,
}

/// Database and account.
#[derive(Debug, Args)]
struct Place {
    /// Database: sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME; in memory by default
    #[arg(
        long,
        value_name = "URL",
        env = "PORTAL_DATABASE",
        hide_env_values = true,
        global = true
    )]
    database: Option<String>,
    /// Folder that keeps the database and the state of the sandbox between starts
    #[arg(long, value_name = "FOLDER", global = true)]
    data: Option<PathBuf>,
    /// Profile of a real account to use instead of the sandbox; TWIPLA_PARTNER_ID with its key does the same
    #[arg(long, value_name = "NAME", env = "TWIPLA_PROFILE", global = true)]
    profile: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,tower_http=info,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Reconcile) => reconcile_once(&arguments.place).await,
        None => run(arguments).await,
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let place = &arguments.place;
    let account = place.account()?;
    ensure!(
        account.is_none() || arguments.listen.ip().is_loopback(),
        "cannot listen on {} with a real account: anybody who reaches this portal can sign in as any customer: use a loopback address",
        arguments.listen
    );
    let store = place.store(account.is_some()).await?;
    demo::customers(&store).await?;
    // Kept until the end: dropping it stops it.
    let mut sandbox: Option<Sandbox> = None;
    let twipla = if let Some(account) = account {
        build(account)?
    } else {
        let started = demo::sandbox(place.data.as_deref()).await?;
        let twipla = build(demo::client(&started)?)?;
        demo::history(&twipla).await?;
        sandbox = Some(started);
        twipla
    };
    if let Err(error) = reconcile(&twipla, &store).await {
        tracing::error!("cannot reconcile yet: {error:#}");
    }
    let settings = Settings {
        listen: arguments.listen,
        https: arguments.https,
        operator_token: arguments.operator_token,
        ..Settings::default()
    };
    let portal = Portal::start(twipla.clone(), store, settings).await?;
    println!("Portal:  {}", portal.url());
    match &sandbox {
        Some(sandbox) => println!("Sandbox: {}/__sandbox/", sandbox.base_url()),
        None => println!(
            "Account: partner {} at {}",
            twipla.partner_id(),
            twipla.base_url()
        ),
    }
    interrupted().await?;
    tracing::info!("ending: requests and changes under way are carried out first");
    tokio::select! {
        () = portal.stop() => {}
        // A second Ctrl-C ends the program at once. The next start continues with the outbox.
        again = interrupted() => return again,
    }
    if let Some(sandbox) = sandbox {
        sandbox.try_stop().await?;
    }
    Ok(())
}

async fn reconcile_once(place: &Place) -> Result<()> {
    let Some(account) = place.account()? else {
        bail!("cannot reconcile with a sandbox that is gone: name the account with --profile");
    };
    let store = place.store(true).await?;
    let report = reconcile(&build(account)?, &store).await?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

/// One client for the whole program. Pages wait for its reads, so its timeout is short.
fn build(builder: TwiplaBuilder) -> Result<Twipla> {
    Ok(builder
        .user_agent(concat!("twipla-portal/", env!("CARGO_PKG_VERSION")))
        .timeout(Duration::from_secs(30))
        .attempt_timeout(Duration::from_secs(10))
        .build()?)
}

impl Place {
    /// Returns the real account, if one is named.
    fn account(&self) -> Result<Option<TwiplaBuilder>> {
        if let Some(name) = self.profile.as_deref().filter(|name| !name.is_empty()) {
            let profiles = twipla::profile::Profiles::load()?;
            return Ok(Some(profiles.get(name)?.builder()?));
        }
        if std::env::var_os("TWIPLA_PARTNER_ID").is_some() {
            return Ok(Some(TwiplaBuilder::from_env()?));
        }
        Ok(None)
    }

    async fn store(&self, is_real: bool) -> Result<Store> {
        let url = match (&self.database, &self.data) {
            (Some(url), _) => url.clone(),
            (None, Some(folder)) => in_folder(folder)?,
            // An outbox in memory would lose what customers were promised.
            (None, None) if is_real => {
                bail!("a real account needs a database that lasts: give --database or --data")
            }
            (None, None) => "sqlite::memory:".to_owned(),
        };
        Store::open(&url).await
    }
}

fn in_folder(folder: &Path) -> Result<String> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(format!("sqlite:{}", folder.join("portal.db").display()))
}

/// Waits for Ctrl-C or a request to terminate.
async fn interrupted() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.context("cannot wait for Ctrl-C"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c()
        .await
        .context("cannot wait for Ctrl-C")
}
