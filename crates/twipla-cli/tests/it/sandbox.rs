//! Temporary sandboxes, for one command or for many.

use crate::support::{Stage, TWIPLA, assert_runs};

#[tokio::test]
async fn a_sandbox_needs_no_account() {
    let stage = Stage::start().await.without_variables();
    assert_runs!(
        stage,
        "sandbox",
        "--sandbox customers list",
        "--sandbox websites list",
        "--sandbox=account subscription show --customer cust-1 --fields website,package,status",
        "--sandbox customers create cust-9 cust-9@example.com -o json",
        "--sandbox --profile shop customers list",
    );
}

#[tokio::test]
async fn a_sandbox_ignores_variables() {
    let mut stage = Stage::start().await;
    stage.set("TWIPLA_PROFILE", "nope");
    let run = stage.run("--sandbox customers list -o ndjson").await.ok();
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
}

#[tokio::test]
async fn a_command_runs_in_a_sandbox_with_its_variables() {
    let stage = Stage::start().await.without_variables();
    let run = stage
        .run("sandbox --examples -- twipla customers list -o ndjson")
        .await
        .ok();
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
    let run = stage.run("sandbox -- twipla customers list").await.ok();
    assert_eq!(run.stdout, "", "{run:?}");
    let model = stage
        .run("sandbox --model account -- twipla auth check --fields model -o csv")
        .await
        .ok();
    assert_eq!(model.stdout, "model\naccount\n");
    // Several commands use one server; the exit code is that of the command.
    let script = format!(
        "{TWIPLA} customers create a a@example.com && {TWIPLA} customers get a -o csv && exit 7"
    );
    let run = stage.run(&format!("sandbox -- sh -c '{script}'")).await;
    assert_eq!(run.code, Some(7), "{run:?}");
    assert!(run.stdout.contains("a,a@example.com"), "{run:?}");
    let run = stage.run("sandbox -- sh -c 'kill -9 $$'").await;
    assert_eq!(run.code, Some(137), "{run:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_key_of_the_sandbox_is_private_and_deleted_afterwards() {
    let stage = Stage::start().await.without_variables();
    let script = "ls -ld $(dirname $TWIPLA_PRIVATE_KEY_FILE); echo $TWIPLA_PRIVATE_KEY_FILE";
    let run = stage
        .run(&format!("sandbox -- sh -c '{script}'"))
        .await
        .ok();
    let mut lines = run.stdout.lines();
    assert!(lines.next().unwrap().starts_with("drwx------"), "{run:?}");
    let file = lines.next().unwrap();
    assert!(
        file.contains("/partner.key") && !std::path::Path::new(file).exists(),
        "{run:?}"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_sandbox_can_load_a_seed_and_serve_https() {
    let stage = Stage::start().await.without_variables();
    let seed = r#"{"partners": [{"model": "website", "customers": [
        {"intpCustomerId": "cust-42", "email": "owner@example.com", "websites": [
            {"intpWebsiteId": "site-7", "domain": "example.com", "subscription": {"package": "Pro"}}]}]}]}"#;
    std::fs::write(stage.path("world.json"), seed).unwrap();
    let list = "twipla websites list -o csv --fields website,package";
    let run = stage
        .run(&format!("sandbox --seed world.json --tls -- {list}"))
        .await
        .ok();
    assert_eq!(run.stdout, "intpWebsiteId,packageName\nsite-7,Pro\n");
    let check = stage
        .run("sandbox --tls --examples -- twipla auth check --fields server -o csv")
        .await
        .ok();
    assert!(check.stdout.starts_with("server\nhttps://"), "{check:?}");
    let run = stage.run("sandbox --seed no.json -- true").await;
    assert!(
        run.code == Some(1) && run.stderr.contains("no.json"),
        "{run:?}"
    );
}

#[tokio::test]
async fn a_command_that_cannot_be_run_is_an_error() {
    let stage = Stage::start().await.without_variables();
    assert_runs!(
        stage,
        "sandbox_errors",
        "sandbox",
        "sandbox -- no-such-program-here"
    );
}
