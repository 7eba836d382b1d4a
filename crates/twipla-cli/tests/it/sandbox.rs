//! A server of one's own, for one command or for many.

use crate::support::{Stage, TWIPLA, assert_runs};

#[tokio::test]
async fn the_first_try_needs_no_account() {
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
    // Several commands, one server; and the exit code of the command.
    let script = format!(
        "{TWIPLA} customers create a a@example.com && {TWIPLA} customers get a -o csv && exit 7"
    );
    let run = stage.run(&format!("sandbox -- sh -c '{script}'")).await;
    assert_eq!(run.code, Some(7), "{run:?}");
    assert!(run.stdout.contains("a,a@example.com"), "{run:?}");
    let run = stage.run("sandbox -- sh -c 'kill -9 $$'").await;
    assert_eq!(run.code, Some(137), "{run:?}");
}

#[tokio::test]
async fn the_key_of_the_sandbox_is_gone_afterwards() {
    let stage = Stage::start().await.without_variables();
    let run = stage
        .run("sandbox -- sh -c 'ls -l $TWIPLA_PRIVATE_KEY_FILE; echo $TWIPLA_PRIVATE_KEY_FILE'")
        .await
        .ok();
    let mut lines = run.stdout.lines();
    assert!(lines.next().unwrap().starts_with("-rw-------"), "{run:?}");
    assert!(
        !std::path::Path::new(lines.next().unwrap()).exists(),
        "{run:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_run_is_an_error() {
    let stage = Stage::start().await.without_variables();
    assert_runs!(
        stage,
        "sandbox_errors",
        "sandbox",
        "sandbox -- no-such-program-here"
    );
}
