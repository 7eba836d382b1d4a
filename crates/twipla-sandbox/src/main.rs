//! The sandbox as a program.

use std::error::Error;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Map, Value, json};
use twipla_sandbox::{Model, Partner, PartnerConfig, Sandbox};
use uuid::Uuid;

/// A TWIPLA 3AS server in one process, for tests and experiments without an account.
///
/// It starts with two partners, one for each subscription model, writes their
/// private keys and a sandbox.json that names them into the credentials folder,
/// and prints one line of JSON when it listens. Nothing is kept when it stops.
#[derive(Parser)]
#[command(version, about, long_about)]
struct Args {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,

    /// Folder for the private keys and sandbox.json; created if it does not exist.
    #[arg(long)]
    credentials: PathBuf,

    /// Host name under which the control endpoints may be used, besides localhost and IP addresses
    #[arg(long = "allow-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,

    /// One more partner with a key of its own: id=UUID,model=website|account,public-key=FILE
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
    let mut builder = Sandbox::builder().listen(args.listen);
    for partner in args.partners {
        builder = builder.partner(partner);
    }
    for name in args.allowed_hosts {
        builder = builder.allow_host(name);
    }
    let sandbox = builder.start().await?;
    let file = write_credentials(&sandbox, &args.credentials).map_err(|error| {
        format!(
            "cannot write credentials into {}: {error}: choose a folder of your own that can be written, or a new one",
            args.credentials.display()
        )
    })?;
    println!(
        "{}",
        json!({ "listening": sandbox.base_url(), "credentials": file })
    );
    stop_requested().await;
    sandbox.stop().await;
    Ok(())
}

fn write_credentials(sandbox: &Sandbox, folder: &Path) -> std::io::Result<PathBuf> {
    create_private_folder(folder)?;
    // Whoever reads the file may run in another folder.
    let folder = &std::fs::canonicalize(folder)?;
    let mut partners = Vec::new();
    for partner in sandbox.partners() {
        partners.push(describe(sandbox, partner, folder)?);
    }
    let file = folder.join("sandbox.json");
    let text = format!(
        "{:#}\n",
        json!({ "baseUrl": sandbox.base_url(), "partners": partners })
    );
    write(&file, &text)?;
    Ok(file)
}

fn describe(sandbox: &Sandbox, partner: &Partner, folder: &Path) -> std::io::Result<Value> {
    let mut key = Value::Null;
    if !partner.private_key_pem().is_empty() {
        let file = folder.join(format!("{}.key", partner.id()));
        write(&file, partner.private_key_pem())?;
        key = json!(file);
    }
    let packages: Map<_, _> = sandbox
        .packages(partner.id())
        .into_iter()
        .map(|(name, id)| (name, json!(id)))
        .collect();
    Ok(json!({
        "id": partner.id(),
        "name": partner.name(),
        "model": partner.model().as_str(),
        "privateKeyFile": key,
        "packages": packages,
    }))
}

/// Creates a folder that only its owner can enter. One that is there already
/// must be like that: its mode may serve others, so it is not for us to change.
fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(std::io::Error::other(format!(
                "others have access to the folder (mode {mode:o}, expected 700)"
            )));
        }
    }
    Ok(())
}

/// Writes a file atomically, readable only by its owner.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;

    let draft = file.with_extension("draft");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&draft)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    std::fs::rename(&draft, file)
}

/// Reads `id=UUID,model=website|account,public-key=FILE`.
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
    let model = match take("model")? {
        "website" => Model::Website,
        "account" => Model::Account,
        other => {
            return Err(format!(
                "invalid model {other:?}: expected website or account"
            ));
        }
    };
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

async fn stop_requested() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
