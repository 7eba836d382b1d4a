//! The processes of a benchmark: built once, one server, clients one after the other.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::contract::Layout;

/// The server, and what its clients need.
pub(super) struct Processes {
    program: PathBuf,
    server: Child,
    url: String,
    key: tempfile::NamedTempFile,
}

impl Processes {
    /// Builds the program in release, makes a key, and starts the server.
    pub(super) fn start(layout: &Layout) -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .current_dir(layout.root())
            .args(["build", "--release", "--package", "twipla-bench"])
            .args(["--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        ensure!(output.status.success(), "the benchmark was not built");
        let messages = String::from_utf8_lossy(&output.stdout);
        let program = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == "twipla-bench")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .context("cargo named no program")?;
        let key = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
        std::fs::write(key.path(), private_key()?)?;
        let mut server = Command::new(&program)
            .arg("server")
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let mut url = String::new();
        let output = server.stdout.take().context("the server says nothing")?;
        BufReader::new(output).read_line(&mut url)?;
        let url = url.trim().to_owned();
        ensure!(url.starts_with("http://"), "the server did not start");
        Ok(Self {
            program,
            server,
            url,
            key,
        })
    }

    /// Runs a client to its end; gives what it says.
    pub(super) fn client(&self, arguments: &[&str]) -> Result<Value> {
        let output = self
            .command(arguments)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start a client")?;
        ensure!(output.status.success(), "{} failed", arguments.join(" "));
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{} said no JSON", arguments.join(" ")))
    }

    /// How long a client takes, from its start to its end.
    pub(super) fn time(&self, arguments: &[&str]) -> Result<Duration> {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().context("cannot start a client")?;
        let time = start.elapsed();
        ensure!(status.success(), "{} failed", arguments.join(" "));
        Ok(time)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        if arguments.first() != Some(&"decode") {
            command
                .args(["--url", &self.url])
                .arg("--key")
                .arg(self.key.path());
        }
        command
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // It serves until it is killed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A key of 2048 bits, as the reference page asks for.
fn private_key() -> Result<String> {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use base64::Engine as _;

    let pair = KeyPair::generate(KeySize::Rsa2048)
        .ok()
        .context("cannot make a key")?;
    let der: Pkcs8V1Der<'_> = pair.as_der().ok().context("cannot write the key")?;
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for (index, letter) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    Ok(pem)
}
