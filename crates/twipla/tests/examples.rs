//! Each small example completes its task, against a sandbox set in the environment.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use twipla::{PrivateKey, Twipla};
use twipla_sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn examples_complete_their_tasks() {
    let stage = Stage::start().await;
    let first = ["cust-1", "owner@example.com", "site-1", "example.com"];
    stage.run("create_customer", &first, "created cust-1");
    stage.run("create_customer", &first, "cust-1 exists already");
    stage.run(
        "create_customer",
        &["cust-2", "friend@example.com", "site-2", "2.example.com"],
        "<script",
    );
    stage.run("change_package", &["site-1", "Pro"], "on Pro until ");
    stage.run("change_package", &["site-1", "Pro"], "Unchanged");
    stage.run(
        "dashboard_url",
        &["cust-1", "site-1"],
        "externalWebsiteId=site-1",
    );
    stage.run("analytics_report", &["site-1"], " visits\n");
    stage.run_with_input(
        "bulk_import",
        &["cust-1"],
        "site-3 3.example.com\nsite-1 example.com\n",
        "site-3: created\nsite-1: exists already\n",
    );
    stage.run("list_websites", &[], "site-3\t3.example.com\t");
    stage.run(
        "invite_contributor",
        &["site-1", "cust-2"],
        "watcher: friend@example.com",
    );
    stage.run("raw_request", &["/v2/3as/packages"], "\"Pro\"");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reports.key");
    let rotate = ["site-1", "reports", file.to_str().unwrap()];
    stage.run("rotate_api_key", &rotate, "created reports");
    let before = std::fs::read_to_string(&file).unwrap();
    stage.run("rotate_api_key", &rotate, "replaced reports");
    assert_ne!(std::fs::read_to_string(&file).unwrap(), before);
    let keys = stage
        .twipla
        .website("site-1")
        .api_keys()
        .list()
        .await
        .unwrap();
    assert_eq!(
        keys.len(),
        1,
        "the key of the report is deleted, and one of two is left: {keys:?}"
    );
}

#[test]
fn every_example_is_run() {
    let this = include_str!("examples.rs");
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let name = file
            .unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        // `.ci/run` runs this one.
        assert!(
            name == "onboarding" || this.contains(&format!("\"{name}\"")),
            "{name}"
        );
    }
}

struct Stage {
    sandbox: Sandbox,
    twipla: Twipla,
}

impl Stage {
    async fn start() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let partner = sandbox.website_partner();
        let key = PrivateKey::from_pem(partner.private_key_pem()).unwrap();
        let twipla = Twipla::builder()
            .partner(partner.id(), key)
            .base_url(sandbox.base_url())
            .build()
            .unwrap();
        Self { sandbox, twipla }
    }

    fn run(&self, name: &str, arguments: &[&str], expected: &str) {
        self.run_with_input(name, arguments, "", expected);
    }

    fn run_with_input(&self, name: &str, arguments: &[&str], input: &str, expected: &str) {
        let partner = self.sandbox.website_partner();
        let mut child = Command::new(program(name))
            .args(arguments)
            .env("TWIPLA_PARTNER_ID", partner.id().to_string())
            .env("TWIPLA_PRIVATE_KEY", partner.private_key_pem())
            .env("TWIPLA_BASE_URL", self.sandbox.base_url())
            .env_remove("TWIPLA_PRIVATE_KEY_FILE")
            .env_remove("TWIPLA_ENVIRONMENT")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("cannot run {name}: {error} (`cargo test -p twipla` builds it)")
            });
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && said.contains(expected),
            "{name} {arguments:?}: expected {expected:?}\n{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Returns the path of a compiled example in the target folder of this test.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    folder
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION)
}
