//! Test support: a sandbox, a separate home folder, and the program with variables for both.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use twipla::{PrivateKey, Twipla};
use twipla_sandbox::{Partner, Sandbox};

/// The program under test.
pub(crate) const TWIPLA: &str = env!("CARGO_BIN_EXE_twipla");

/// The environment of a test run.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: tempfile::TempDir,
    pub(crate) partner: Partner,
    vars: Vec<(String, String)>,
}

/// The output and exit code of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) line: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Stage {
    /// Starts a sandbox with the customer `cust-1` and its website `site-1` on Basic, under the website model.
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let partner = sandbox.website_partner();
        let stage = Self::of(sandbox, partner);
        let twipla = stage.client();
        let basic = twipla.packages().find("Basic").await.unwrap();
        let create = twipla.customers().create("cust-1", "cust-1@example.com");
        let create = create
            .website("site-1", "example.com")
            .website_package(basic.id);
        create.await.unwrap();
        stage
    }

    /// Starts a sandbox with the account model, with the customer `cust-1` and its website `site-1`.
    pub(crate) async fn start_account() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let partner = sandbox.account_partner();
        let stage = Self::of(sandbox, partner);
        let twipla = stage.client();
        let create = twipla.customers().create("cust-1", "cust-1@example.com");
        create.website("site-1", "example.com").await.unwrap();
        stage
    }

    /// Uses any sandbox, with the website model.
    pub(crate) fn on(sandbox: Sandbox) -> Self {
        let partner = sandbox.website_partner();
        Self::of(sandbox, partner)
    }

    fn of(sandbox: Sandbox, partner: Partner) -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = home.path().join("partner.key");
        std::fs::write(&key, partner.private_key_pem()).unwrap();
        let vars = [
            ("TWIPLA_BASE_URL", sandbox.base_url().to_owned()),
            ("TWIPLA_PARTNER_ID", partner.id().to_string()),
            ("TWIPLA_PRIVATE_KEY_FILE", key.display().to_string()),
        ];
        Self {
            vars: vars.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            sandbox,
            home,
            partner,
        }
    }

    /// Removes the variables, as for a user who has set up nothing.
    pub(crate) fn without_variables(mut self) -> Self {
        self.vars.clear();
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.vars.push((name.to_owned(), value.into()));
    }

    pub(crate) fn client(&self) -> Twipla {
        let key = PrivateKey::from_pem(self.partner.private_key_pem()).unwrap();
        let builder = Twipla::builder().partner(self.partner.id(), key);
        builder.base_url(self.sandbox.base_url()).build().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// Runs a line, split like in a shell.
    pub(crate) async fn run(&self, line: &str) -> Run {
        self.run_with(line, "").await
    }

    /// Runs a line with this standard input.
    pub(crate) async fn run_with(&self, line: &str, input: &str) -> Run {
        let mut command = Command::new(TWIPLA);
        self.prepare(command.as_std_mut());
        command.args(shlex::split(line).unwrap());
        run(command, line, input).await
    }

    /// Sets the variables and folders of this stage, and none of the machine.
    pub(crate) fn prepare(&self, command: &mut std::process::Command) {
        let folder = Path::new(TWIPLA).parent().unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.display());
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .envs(self.vars.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path());
    }

    /// Returns the run as text, without what differs from run to run.
    pub(crate) fn shown(&self, run: &Run) -> String {
        let text = format!(
            "$ twipla {}\n{}--- stderr ---\n{}--- exit code {}\n",
            run.line,
            run.stdout,
            run.stderr,
            run.code.unwrap()
        );
        text.replace(&self.home.path().display().to_string(), "[home]")
            .replace(self.sandbox.base_url(), "[server]")
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Runs a script in a shell that finds the program.
pub(crate) async fn run_script(stage: &Stage, script: &str) -> Run {
    let mut command = Command::new("sh");
    stage.prepare(command.as_std_mut());
    command.args(["-c", script]);
    run(command, script, "").await
}

async fn run(mut command: Command, line: &str, input: &str) -> Run {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that reads nothing may have ended by now.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Run {
        line: line.to_owned(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// Returns snapshot settings that replace ids and times.
pub(crate) fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[uuid]",
    );
    settings.add_filter(
        r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
        "[time]",
    );
    settings.add_filter(r"20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d UTC)?", "[time]");
    settings.add_filter(r"http://127\.0\.0\.1:\d+", "[server]");
    settings
}

/// Compares several runs with one snapshot.
macro_rules! assert_runs {
    ($stage:expr, $name:literal, $($line:expr),+ $(,)?) => {{
        let stage = &$stage;
        let mut text = String::new();
        $(
            let run = stage.run($line).await;
            text.push_str(&stage.shown(&run));
            text.push('\n');
        )+
        $crate::support::settings().bind(|| insta::assert_snapshot!($name, text));
    }};
}
pub(crate) use assert_runs;
