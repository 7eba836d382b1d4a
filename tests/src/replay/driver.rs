//! A binding in another language: a program that is told what to do, a line at a time.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Case, Error, Signing, folder};

/// A case that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A driver that runs.
#[derive(Debug)]
pub struct Program {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    key: tempfile::NamedTempFile,
}

impl Program {
    /// Starts a driver.
    ///
    /// # Errors
    ///
    /// Where there is no such program.
    pub fn start(command: &[String], signing: &Signing, base_url: &str) -> Result<Self, Error> {
        let [program, arguments @ ..] = command else {
            return Err("no driver is named: give its command after --".into());
        };
        let key = tempfile::NamedTempFile::new()?;
        std::fs::write(key.path(), &signing.private_pem)?;
        let mut child = Command::new(program)
            .args(arguments)
            .env("TWIPLA_PARTNER_ID", signing.partner.to_string())
            .env("TWIPLA_PRIVATE_KEY_FILE", key.path())
            .env("TWIPLA_BASE_URL", base_url)
            .env("TWIPLA_DASHBOARD_URL", base_url)
            .env("TWIPLA_VECTORS", folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
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

    /// Has it do a case, and reads its answer.
    ///
    /// # Errors
    ///
    /// Where it ended, hangs, or says what is no JSON.
    pub async fn answer(&mut self, file: &str, case: &Case) -> Result<Value, Error> {
        let mut line = json!({
            "file": file,
            "case": case.name,
            "do": case.action.as_str(),
            "call": case.call,
        })
        .to_string();
        line.push('\n');
        self.input.write_all(line.as_bytes()).await?;
        self.input.flush().await?;
        let answer = tokio::time::timeout(PATIENCE, self.output.next_line())
            .await
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))??;
        let Some(answer) = answer else {
            return Err("the driver ended before it was done".into());
        };
        serde_json::from_str(&answer)
            .map_err(|error| format!("the driver said {answer:?}: {error}").into())
    }

    /// Lets it end.
    ///
    /// # Errors
    ///
    /// Where it ends with a failure.
    pub async fn finish(mut self) -> Result<(), Error> {
        drop(self.input);
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        drop(self.key);
        if status.success() {
            Ok(())
        } else {
            Err(format!("the driver ended with {status}").into())
        }
    }
}
