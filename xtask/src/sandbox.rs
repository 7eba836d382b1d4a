//! Runs a sandbox for other programs to call.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Deserialize;
use serde_json::json;

use crate::layout::Layout;

/// How long the sandbox may take until it listens, once it is built.
const START: Duration = Duration::from_secs(20);
/// The lifetime of a token, longer than a run takes.
const TOKEN: Duration = Duration::from_secs(600);

/// Signs a partner token as the API reference describes it.
pub(crate) fn token(partner: &Partner) -> Result<String> {
    let path = partner.private_key_file.display();
    let pem = fs::read(&partner.private_key_file).with_context(|| format!("cannot read {path}"))?;
    let key = EncodingKey::from_rsa_pem(&pem)
        .with_context(|| format!("{path} is not a valid RSA key file"))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the system clock is before 1970")?;
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(partner.id.clone());
    let claims = json!({
        "roles": ["intp"],
        "intp_id": partner.id,
        "iat": now.as_secs(),
        "exp": (now + TOKEN).as_secs(),
    });
    jsonwebtoken::encode(&header, &claims, &key).context("cannot sign a token")
}

/// A running sandbox, which is stopped on drop.
pub(crate) struct Sandbox {
    process: Child,
    pub(crate) base_url: String,
    pub(crate) partners: Vec<Partner>,
}

/// A partner in `sandbox.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Partner {
    pub(crate) id: String,
    pub(crate) model: String,
    private_key_file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    base_url: String,
    partners: Vec<Partner>,
}

impl Sandbox {
    /// Builds and starts the sandbox, with its credentials below `scratch`.
    pub(crate) fn start(layout: &Layout, scratch: &Path) -> Result<Self> {
        let cargo = || {
            let mut command =
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            command.current_dir(layout.root());
            command
        };
        let built = cargo()
            .args(["build", "--quiet", "--package", "twipla-sandbox"])
            .status()
            .context("cannot run cargo")?;
        ensure!(built.success(), "the sandbox does not build");

        let folder = scratch.join("credentials");
        let mut process = cargo()
            .args([
                "run",
                "--quiet",
                "--package",
                "twipla-sandbox",
                "--",
                "--listen",
                "127.0.0.1:0",
                "--credentials",
            ])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the sandbox")?;
        let stdout = process.stdout.take();
        let mut sandbox = Self {
            process,
            base_url: String::new(),
            partners: Vec::new(),
        };
        let mut lines = BufReader::new(stdout.context("the sandbox has no output")?).lines();
        let ready = lines
            .next()
            .context("the sandbox exited before it listened")?
            .context("cannot read from the sandbox")?;
        // The rest of the output is not needed, but a full pipe would block the sandbox.
        std::thread::spawn(move || lines.for_each(drop));
        ensure!(
            ready.starts_with('{'),
            "invalid first line from the sandbox {ready:?}: expected JSON"
        );

        let path = folder.join("sandbox.json");
        let text = wait_for(&path)?;
        let credentials: Credentials =
            serde_json::from_str(&text).context("sandbox.json of the sandbox is not valid")?;
        ensure!(
            !credentials.partners.is_empty(),
            "sandbox.json has no partner"
        );
        credentials
            .base_url
            .trim_end_matches('/')
            .clone_into(&mut sandbox.base_url);
        sandbox.partners = credentials.partners;
        for partner in &mut sandbox.partners {
            partner.private_key_file = folder.join(&partner.private_key_file);
        }
        Ok(sandbox)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn wait_for(path: &Path) -> Result<String> {
    let end = Instant::now() + START;
    loop {
        match fs::read_to_string(path) {
            Ok(text) if !text.is_empty() => return Ok(text),
            _ if Instant::now() > end => bail!("the sandbox did not write {}", path.display()),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
