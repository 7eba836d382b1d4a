//! The command-line program.

use std::error::Error;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use twipla_sandbox::{Model, PartnerConfig, Sandbox};
use uuid::Uuid;

/// A local TWIPLA 3AS server, for tests and experiments without an account.
///
/// It starts with two partners, one for each subscription model, writes their
/// private keys and a sandbox.json into the credentials folder, and prints one
/// line of JSON when it starts listening. With the same folder, it has the same
/// partners again; their data is kept only with --state.
#[derive(Parser)]
#[command(version, about, long_about)]
struct Args {
    /// Address to listen on, such as localhost:8787; port 0 selects a free port
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: String,

    /// Folder for the keys, sandbox.json and sandbox.env; created if it does not exist, otherwise
    /// reused
    #[arg(long)]
    credentials: PathBuf,

    /// File that keeps the partners' data between starts; created if it does not exist
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// File with the initial data of the partners, which a reset restores
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,

    /// Serve https under the host names of the real servers, with a certificate signed by ca.pem in
    /// the credentials folder
    #[arg(long)]
    tls: bool,

    /// Additional host name for the control endpoints, besides localhost and IP addresses
    #[arg(long = "allow-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,

    /// Allow browsers on other machines to use the console at /__sandbox/
    #[arg(long)]
    remote_console: bool,

    /// Add a partner with its own key: id=UUID,model=website|account,public-key=FILE
    #[arg(long = "partner", value_parser = partner)]
    partners: Vec<PartnerConfig>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut line = format!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                line = format!("{line}: {cause}");
                source = cause.source();
            }
            eprintln!("{line}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let mut builder = Sandbox::builder()
        .listen(listen_address(&args.listen).await?)
        .tls(args.tls)
        .remote_console(args.remote_console)
        .credentials(args.credentials);
    if let Some(file) = args.state {
        builder = builder.state(file);
    }
    if let Some(file) = args.seed {
        builder = builder.seed(file);
    }
    for partner in args.partners {
        builder = builder.partner(partner);
    }
    for name in args.allowed_hosts {
        builder = builder.allow_host(name);
    }
    let stop = stop_requested()?;
    let sandbox = builder.start().await?;
    let console = format!("{}/__sandbox/", sandbox.base_url());
    println!(
        "{}",
        json!({ "listening": sandbox.base_url(), "credentials": sandbox.credentials_file(), "console": console })
    );
    stop.await;
    sandbox.try_stop().await?;
    Ok(())
}

/// Resolves a host and port; prefers IPv4, as most clients do.
async fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let found: Vec<_> = tokio::net::lookup_host(text)
        .await
        .map_err(|error| {
            format!("invalid address {text:?}: expected HOST:PORT, as in localhost:8787: {error}")
        })?
        .collect();
    found
        .iter()
        .find(|address| address.is_ipv4())
        .or_else(|| found.first())
        .copied()
        .ok_or_else(|| format!("invalid address {text:?}: the host has no address"))
}

/// Parses `id=UUID,model=website|account,public-key=FILE`.
fn partner(text: &str) -> Result<PartnerConfig, String> {
    let mut parts = std::collections::HashMap::new();
    for part in text.split(',') {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("invalid part {part:?}: expected name=value"))?;
        parts.insert(name, value);
    }
    let mut take = |name: &str| {
        parts
            .remove(name)
            .ok_or_else(|| format!("{name}= is missing"))
    };
    let id = take("id")?;
    let id = Uuid::parse_str(id).map_err(|_| format!("invalid id {id:?}: expected a UUID"))?;
    let model: Model = take("model")?
        .parse()
        .map_err(|error: twipla_sandbox::Error| error.to_string())?;
    let file = take("public-key")?;
    let pem = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read the public key {file}: {error}"))?;
    match parts.keys().next() {
        Some(unknown) => Err(format!(
            "unknown name {unknown:?}: expected id, model and public-key"
        )),
        None => Ok(PartnerConfig::new(id, model).public_key_pem(pem)),
    }
}

/// Completes when the program is asked to stop. The signal handlers are
/// installed immediately, so that no signal after the line on stdout is missed.
#[cfg(unix)]
fn stop_requested() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn stop_requested() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    let mut close = tokio::signal::windows::ctrl_close()?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = close.recv() => {}
        }
    })
}
