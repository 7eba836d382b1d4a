//! A binding in another language: a program that receives one case per line.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Case, DASHBOARD_URL, Error, Player, Signing, folder};

/// A running driver.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    key: tempfile::NamedTempFile,
}

impl Program {
    /// Starts a driver.
    pub(super) fn start(
        command: &[String],
        quiet: bool,
        signing: &Signing,
        player: &Player,
    ) -> Result<Self, Error> {
        let [program, arguments @ ..] = command else {
            return Err("missing driver: pass its command after --".into());
        };
        let key = tempfile::NamedTempFile::new()?;
        std::fs::write(key.path(), &signing.private_pem)?;
        let mut child = Command::new(program)
            .args(arguments)
            .env("TWIPLA_PARTNER_ID", signing.partner.to_string())
            .env("TWIPLA_PRIVATE_KEY_FILE", key.path())
            .env("TWIPLA_BASE_URL", player.base_url())
            .env("TWIPLA_DATA_URL", player.data_url())
            .env("TWIPLA_DASHBOARD_URL", DASHBOARD_URL)
            .env("TWIPLA_VECTORS", folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if quiet {
                Stdio::null()
            } else {
                Stdio::inherit()
            })
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot run {program}: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the driver has no standard input or output".into());
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output).lines(),
            key,
        })
    }

    /// Sends a case, and reads its answer. After an error the driver is unusable.
    pub(super) async fn answer(
        &mut self,
        file: &str,
        case: &Case,
        patience: Duration,
    ) -> Result<Value, Error> {
        let mut line = json!({
            "file": file,
            "case": case.name,
            "do": case.action.as_str(),
            "call": case.call,
        })
        .to_string();
        line.push('\n');
        // A driver that exited does not read it, which is reported below.
        let _ = self.input.write_all(line.as_bytes()).await;
        let _ = self.input.flush().await;
        let answer = tokio::time::timeout(patience, self.output.next_line())
            .await
            .map_err(|_| {
                format!(
                    "the driver hangs: no answer within {} s",
                    patience.as_secs()
                )
            })??;
        let Some(answer) = answer else {
            let status = tokio::time::timeout(patience, self.child.wait()).await??;
            return Err(format!("the driver exited with {status} before it answered").into());
        };
        serde_json::from_str(&answer)
            .map_err(|error| format!("invalid answer {answer:?}: expected JSON: {error}").into())
    }

    /// Closes the input of the driver, and waits until it exits.
    pub(super) async fn finish(mut self, patience: Duration) -> Result<(), Error> {
        drop(self.input);
        let status = tokio::time::timeout(patience, self.child.wait())
            .await
            .map_err(|_| "the driver does not exit at the end of its input")??;
        drop(self.key);
        if status.success() {
            Ok(())
        } else {
            Err(format!("the driver exited with {status}").into())
        }
    }
}
