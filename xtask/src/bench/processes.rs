//! The processes of a benchmark: one server, and clients that run one after the other.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::layout::Layout;

/// The file with the private key.
const KEY: &str = "partner.key";
/// The file with the certificates that clients trust.
const CERTIFICATES: &str = "certificates.pem";

/// The server and the files that its clients need.
pub(super) struct Processes {
    program: PathBuf,
    server: Child,
    addresses: Value,
    /// The key, and the certificates to trust.
    files: tempfile::TempDir,
}

/// The protocol between client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1.1 without TLS.
    Http,
    /// HTTP/1.1 over TLS.
    HttpsHttp1,
    /// HTTP/2 over TLS.
    HttpsHttp2,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::HttpsHttp1 => "https-http1",
            Self::HttpsHttp2 => "https-http2",
        }
    }
}

impl Processes {
    /// Builds the program in release mode, generates a key, and starts the server.
    pub(super) fn start(layout: &Layout) -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .current_dir(layout.root())
            .args(["build", "--release", "--package", "twipla-bench"])
            .args(["--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        ensure!(output.status.success(), "the benchmark does not compile");
        let messages = String::from_utf8_lossy(&output.stdout);
        let program = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == "twipla-bench")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .context("cargo printed no path of the program")?;
        let files = tempfile::tempdir().context("cannot make a temporary folder")?;
        std::fs::write(files.path().join(KEY), private_key()?)?;
        let certificate = files.path().join(CERTIFICATES);
        let mut server = Command::new(&program)
            .arg("server")
            .arg("--certificate")
            .arg(&certificate)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let mut addresses = String::new();
        let output = server.stdout.take();
        // From here on the server is stopped on drop, even after an error.
        let mut processes = Self {
            program,
            server,
            addresses: Value::Null,
            files,
        };
        let output = output.context("the server has no output")?;
        BufReader::new(output).read_line(&mut addresses)?;
        processes.addresses = serde_json::from_str(&addresses)
            .context("invalid first line from the server: expected JSON")?;
        trust_system_too(&certificate)?;
        Ok(processes)
    }

    /// Runs a client to its end and returns its output.
    pub(super) fn client(&self, protocol: Protocol, arguments: &[&str]) -> Result<Value> {
        let output = self
            .command(protocol, arguments)?
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start a client")?;
        ensure!(output.status.success(), "{} failed", arguments.join(" "));
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{} did not print JSON", arguments.join(" ")))
    }

    /// Returns how long a client takes, from its start to its end.
    pub(super) fn time(&self, protocol: Protocol, arguments: &[&str]) -> Result<Duration> {
        let mut command = self.command(protocol, arguments)?;
        command.stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().context("cannot start a client")?;
        let time = start.elapsed();
        ensure!(status.success(), "{} failed", arguments.join(" "));
        Ok(time)
    }

    /// Returns how many instructions a client executes, from its start to its end.
    pub(super) fn instructions(&self, protocol: Protocol, arguments: &[&str]) -> Result<f64> {
        let client = self.command(protocol, arguments)?;
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(client.get_program())
            .args(client.get_args());
        let output = command
            .output()
            .context("cannot start valgrind: install it with the system's package manager")?;
        let output_text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "valgrind failed: {output_text}");
        output_text
            .lines()
            .find_map(|line| line.split_once("Collected : "))
            .and_then(|(_, count)| count.trim().parse().ok())
            .with_context(|| format!("valgrind counted nothing: {output_text}"))
    }

    fn command(&self, protocol: Protocol, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        if arguments.first() != Some(&"decode") {
            let url = self.addresses[protocol.name()]
                .as_str()
                .with_context(|| format!("the server has no address for {}", protocol.name()))?;
            command
                .args(["--url", url])
                .arg("--key")
                .arg(self.files.path().join(KEY));
        }
        if protocol != Protocol::Http {
            command.env("SSL_CERT_FILE", self.files.path().join(CERTIFICATES));
        }
        Ok(command)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // The server runs until it is killed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where operating systems store the certificates that they trust.
const SYSTEM: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// Adds the certificates that the system trusts, so that a client reads as many at its start as in production.
fn trust_system_too(certificate: &Path) -> Result<()> {
    let mut all = std::fs::read(certificate).context("the server wrote no certificate")?;
    for system in SYSTEM {
        if let Ok(more) = std::fs::read(system) {
            all.extend_from_slice(&more);
            break;
        }
    }
    std::fs::write(certificate, all)?;
    Ok(())
}

/// Generates a key of 2048 bits, as the API reference requires.
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
