//! The program: what it prints, keeps, refuses, and survives.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use twipla_sandbox::Sandbox;

use crate::stage::{Browser, browser_at};

/// The program, without what the machine has in its environment.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twipla-portal"));
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for variable in [
        "TWIPLA_PARTNER_ID",
        "TWIPLA_PROFILE",
        "PORTAL_DATABASE",
        "PORTAL_OPERATOR_TOKEN",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Starts it on a free port. Returns it, the address of the portal, and what it says of the other side.
async fn start(mut command: Command) -> (Child, String, String) {
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let portal = lines.next_line().await.unwrap().unwrap();
    let other = lines.next_line().await.unwrap().unwrap();
    let url = portal.strip_prefix("Portal:  ").unwrap().to_owned();
    (child, url, other)
}

async fn refusal(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// The variables of a client of the sandbox's partner, with the key in a file.
fn account(command: &mut Command, sandbox: &Sandbox, folder: &Path) {
    let partner = sandbox.website_partner();
    let key = folder.join("partner.key");
    std::fs::write(&key, partner.private_key_pem()).unwrap();
    command
        .env("TWIPLA_BASE_URL", sandbox.base_url())
        .env("TWIPLA_PARTNER_ID", partner.id().to_string())
        .env("TWIPLA_PRIVATE_KEY_FILE", key);
}

async fn bakery(url: &str) -> Browser {
    let browser = browser_at(url);
    browser.sign_in("demo-nova").await;
    browser
}

#[tokio::test]
async fn program_shows_a_history_and_keeps_nothing() {
    for _ in 0..2 {
        let (mut child, url, other) = start(program(&["--listen", "127.0.0.1:0"])).await;
        assert!(other.starts_with("Sandbox: http://127.0.0.1:"), "{other}");
        assert!(other.ends_with("/__sandbox/"), "{other}");
        let page = bakery(&url).await.open("/sites").await;
        page.says("bakery-nova.example");
        page.does_not_say("second.example.com");
        bakery(&url).await.add_site("second.example.com").await;
        child.kill().await.unwrap();
    }
}

#[tokio::test]
async fn program_goes_on_from_its_folder_after_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new");
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--data",
        folder.to_str().unwrap(),
    ];
    let (mut child, url, _) = start(program(&arguments)).await;
    let site = bakery(&url).await.add_site("second.example.com").await;
    child.kill().await.unwrap();

    let (mut child, url, _) = start(program(&arguments)).await;
    let browser = bakery(&url).await;
    browser.open("/sites").await.says("second.example.com");
    // Whatever a killed sandbox had not saved yet, reconciling creates again.
    browser.wait(&site).await;
    browser.open(&site).await.says("Tracking code");
    child.kill().await.unwrap();
}

#[tokio::test]
async fn program_serves_and_reconciles_an_account_of_its_own() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut command = program(&["--listen", "127.0.0.1:0", "--data", data]);
    account(&mut command, &sandbox, folder.path());
    let (mut child, url, other) = start(command).await;
    let partner = sandbox.website_partner().id();
    assert!(
        other.starts_with(&format!("Account: partner {partner} at ")),
        "{other}"
    );
    bakery(&url).await.add_site("first.example.com").await;
    child.kill().await.unwrap();

    // Nothing of the demonstration went to the account: one customer, one website, both wanted.
    assert_eq!(sandbox.commits().len(), 2);
    sandbox.reset();
    let mut command = program(&["reconcile", "--data", data]);
    account(&mut command, &sandbox, folder.path());
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["open"], 1, "{report}");
    assert!(
        report["mended"][0]
            .as_str()
            .unwrap()
            .contains("is missing at TWIPLA"),
        "{report}"
    );
}

#[tokio::test]
async fn program_refuses_what_would_lose_or_expose_an_account() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut command = program(&["--listen", "127.0.0.1:0"]);
    account(&mut command, &sandbox, folder.path());
    let says = refusal(&mut command).await;
    assert!(says.contains("give --database or --data"), "{says}");

    let mut command = program(&["--listen", "0.0.0.0:0", "--data", data]);
    account(&mut command, &sandbox, folder.path());
    let says = refusal(&mut command).await;
    assert!(
        says.contains("cannot listen on 0.0.0.0:0 with a real account"),
        "{says}"
    );

    let says = refusal(&mut program(&["reconcile", "--data", data])).await;
    assert!(says.contains("name the account with --profile"), "{says}");

    // A password may be in the URL.
    let says = refusal(&mut program(&["--database", "mysql://me:secret@localhost"])).await;
    assert!(
        says.contains("expected sqlite:FILE or postgres://"),
        "{says}"
    );
    assert!(!says.contains("secret"), "{says}");
}
