//! `twipla sandbox`

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;

use clap::Args;
use tokio::process::Command;
use twipla_sandbox::Sandbox;

use crate::cli::Model;
use crate::context::{self, Context};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::terminal;

/// Start a server of the API on this machine, and run a command or a shell that talks to it
///
/// The command finds the server, the partner and the key in the variables TWIPLA_BASE_URL, TWIPLA_PARTNER_ID and
/// TWIPLA_PRIVATE_KEY_FILE. When it ends, the server ends, nothing is kept, and this program ends with its exit code.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla sandbox                                   # a shell
  twipla sandbox -- twipla packages list
  twipla sandbox --model account --examples -- cargo test")]
pub(crate) struct SandboxCommand {
    /// Subscription model of the partner
    #[arg(long, default_value = "website", hide_possible_values = true)]
    model: Model,
    /// Begin with a few customers and websites
    #[arg(long)]
    examples: bool,
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
                    "no command to run in the sandbox, and no terminal for a shell",
                    "give one after --, as in `twipla sandbox -- twipla packages list`",
                ));
            }
        };
        let builder = Sandbox::builder().listen(self.listen);
        let sandbox = context::start_sandbox(builder).await?;
        let partner = context::partner_of(&sandbox, self.model);
        if self.examples {
            let twipla = context::sandbox_client(&sandbox, &partner)?.build()?;
            context::examples(&twipla, self.model).await?;
        }
        let key = key_file(partner.private_key_pem())?;
        let child = Command::new(&program)
            .args(arguments)
            .env("TWIPLA_BASE_URL", sandbox.base_url())
            .env("TWIPLA_PARTNER_ID", partner.id().to_string())
            .env("TWIPLA_PRIVATE_KEY_FILE", key.path())
            .env("TWIPLA_PROFILE", "")
            .env_remove("TWIPLA_ENVIRONMENT")
            .env_remove("TWIPLA_PRIVATE_KEY")
            .kill_on_drop(true)
            .spawn();
        let mut child = child.map_err(|error| {
            Failure::usage(
                format!("cannot run {program}: {error}"),
                "check the name of the command",
            )
        })?;
        if self.command.is_empty() {
            let name = Path::new(&program).display();
            terminal::note(&format!(
                "{name} with a sandbox at {}; `exit` ends both",
                sandbox.base_url()
            ));
        }
        // A Ctrl-C reaches the command, too, which then decides. A request to terminate does not.
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

fn shell() -> String {
    let (variable, usual) = if cfg!(windows) {
        ("COMSPEC", "cmd.exe")
    } else {
        ("SHELL", "/bin/sh")
    };
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

/// A file that only this user can read, and that is gone when the command ends.
fn key_file(pem: &str) -> Result<tempfile::NamedTempFile> {
    let written = tempfile::Builder::new()
        .prefix("twipla-sandbox-")
        .suffix(".key")
        .tempfile()
        .and_then(|mut file| file.write_all(pem.as_bytes()).map(|()| file));
    written.map_err(|error| {
        Failure::new(
            format!("cannot store the key of the sandbox: {error}"),
            "set TMPDIR to a folder that can be written",
        )
    })
}

/// The code of a command, and of one that a signal ended, what shells make of it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(1);
    }
    u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)
}
