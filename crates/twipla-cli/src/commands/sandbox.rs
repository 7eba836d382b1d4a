//! `twipla sandbox`

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use clap::Args;
use tokio::process::Command;
use twipla_sandbox::{Partner, Sandbox};

use crate::context::{self, Context};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::options::Model;
use crate::terminal;

/// Start a server of the API on this machine, and run a command or a shell that uses it
///
/// The variables TWIPLA_BASE_URL, TWIPLA_PARTNER_ID and TWIPLA_PRIVATE_KEY_FILE tell the command the server, the partner and
/// the key. When the command ends, the server ends, nothing is kept, and this program exits with the command's exit code.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla sandbox                                   # a shell
  twipla sandbox -- twipla packages list
  twipla sandbox --model account --examples -- cargo test
  twipla sandbox --seed world.json --tls -- twipla websites list")]
pub(crate) struct SandboxCommand {
    /// Subscription model of the partner
    #[arg(long, default_value = "website", hide_possible_values = true)]
    model: Model,
    /// Create a few customers and websites
    #[arg(long)]
    examples: bool,
    /// Load the state from this file, see the README of twipla-sandbox
    #[arg(long, value_name = "FILE", conflicts_with = "examples")]
    seed: Option<PathBuf>,
    /// Serve https
    ///
    /// SSL_CERT_FILE names the certificate to trust, which programs on Linux usually read.
    #[arg(long)]
    tls: bool,
    /// Address to listen on; a free port by default
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The command and its arguments; a shell by default
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl SandboxCommand {
    pub(crate) async fn run(self, _context: &mut Context) -> Result<Exit> {
        let (program, arguments) = match self.command.split_first() {
            Some((program, arguments)) => (program.clone(), arguments),
            None if std::io::stdin().is_terminal() => (shell(), &[][..]),
            None => {
                return Err(Failure::usage(
                    "missing command to run in the sandbox: there is no terminal for a shell",
                    "pass one after --, as in `twipla sandbox -- twipla packages list`",
                ));
            }
        };
        let mut builder = Sandbox::builder().listen(self.listen).tls(self.tls);
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        let sandbox = context::start_sandbox(builder).await?;
        let partner = context::partner_of(&sandbox, self.model);
        if self.examples {
            let twipla = context::sandbox_client(&sandbox, &partner)?.build()?;
            context::examples(&twipla, self.model).await?;
        }
        // Only this user can enter it, and it is deleted when the command ends.
        let folder = private_folder().map_err(|error| cannot_store(&error))?;
        let mut command = command(&program, &sandbox, &partner, folder.path())?;
        command.args(arguments);
        if self.command.is_empty() {
            let name = Path::new(&program).display();
            terminal::note(&format!(
                "{name} with a sandbox at {}; `exit` ends both",
                sandbox.base_url()
            ));
        }
        let child = command.spawn();
        let mut child = child.map_err(|error| {
            Failure::usage(
                format!("cannot run {program}: {error}"),
                "check the name of the command",
            )
        })?;
        // Ctrl-C also reaches the command, which decides what to do. A request to terminate does not.
        let ended = tokio::select! {
            ended = child.wait() => ended,
            () = interrupt::terminated() => match child.kill().await {
                Ok(()) => child.wait().await,
                Err(error) => Err(error),
            },
        };
        sandbox.stop().await;
        let ended = ended.map_err(|error| {
            Failure::new(format!("cannot wait for {program}: {error}"), "try again")
        })?;
        Ok(Exit::Other(code(ended)))
    }
}

/// Prepares a program with variables for the sandbox, with keys in files of `folder`.
fn command(program: &str, sandbox: &Sandbox, partner: &Partner, folder: &Path) -> Result<Command> {
    let store = |name: &str, content: &str| {
        let file = folder.join(name);
        let written = std::fs::write(&file, content);
        written.map(|()| file).map_err(|error| cannot_store(&error))
    };
    let mut command = Command::new(program);
    command
        .env("TWIPLA_BASE_URL", sandbox.base_url())
        .env("TWIPLA_PARTNER_ID", partner.id().to_string())
        .env(
            "TWIPLA_PRIVATE_KEY_FILE",
            store("partner.key", partner.private_key_pem())?,
        )
        .env("TWIPLA_PROFILE", "")
        .env_remove("TWIPLA_ENVIRONMENT")
        .env_remove("TWIPLA_PRIVATE_KEY")
        .kill_on_drop(true);
    if let Some(certificate) = sandbox.ca_certificate_pem() {
        command.env("SSL_CERT_FILE", store("ca.pem", certificate)?);
    }
    Ok(command)
}

fn shell() -> String {
    let (variable, usual) = if cfg!(windows) {
        ("COMSPEC", "cmd.exe")
    } else {
        ("SHELL", "/bin/sh")
    };
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let mut folder = tempfile::Builder::new();
    #[cfg(unix)]
    folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    folder.prefix("twipla-sandbox-").tempdir()
}

fn cannot_store(error: &std::io::Error) -> Failure {
    Failure::new(
        format!("cannot store the key of the sandbox: {error}"),
        "set TMPDIR to a writable folder",
    )
}

/// Returns the exit code of a command; for one ended by a signal, the code that shells use.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(1);
    }
    u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)
}
