//! `twipla plan` and `twipla apply`.

use futures_util::TryStreamExt as _;
use twipla_sandbox::{Fault, FaultKind};

use crate::support::{Stage, assert_runs};

/// An existing customer with another package, and two new ones.
const WANTED: &str = "\
customer,email,website,domain,package
cust-1,cust-1@example.com,site-1,example.com,Pro
cust-2,cust-2@example.com,site-2,example.org,Basic
cust-3,cust-3@example.com,,,
";

async fn stage() -> Stage {
    let stage = Stage::start().await;
    std::fs::write(stage.path("wanted.csv"), WANTED).unwrap();
    stage
}

async fn websites(stage: &Stage) -> usize {
    let websites = stage.client().websites().list().stream();
    websites.try_collect::<Vec<_>>().await.unwrap().len()
}

#[tokio::test]
async fn a_file_is_planned_and_applied_and_then_nothing_is_left_to_do() {
    let stage = stage().await;
    assert_runs!(
        stage,
        "plan_and_apply",
        "plan wanted.csv",
        "plan wanted.csv --out plan.json -o json",
        "apply plan.json",
        "apply plan.json",
        "plan wanted.csv",
        "apply wanted.csv",
    );
    assert_eq!(websites(&stage).await, 2);
}

#[tokio::test]
async fn deletions_need_confirmation_and_many_need_force() {
    let stage = stage().await;
    let gone = "customer,email\ncust-3,cust-3@example.com\n";
    std::fs::write(stage.path("gone.csv"), gone).unwrap();
    assert_runs!(
        stage,
        "plan_deletions",
        "apply gone.csv --prune",
        "apply gone.csv --prune --yes",
        "apply gone.csv --prune --yes --force",
    );
    let customers = stage
        .client()
        .customers()
        .list()
        .stream()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0].intp_customer_id.as_str(), "cust-3");
}

#[tokio::test]
async fn errors_in_a_file_are_reported_before_anything_is_sent() {
    let stage = stage().await;
    std::fs::write(stage.path("bad.toml"), "customers = [{ id = \"a\" }]").unwrap();
    let unknown = WANTED.replace("Pro", "Gold");
    std::fs::write(stage.path("unknown.csv"), unknown).unwrap();
    std::fs::write(stage.path("cut.json"), "{\"twipla_plan\":1}\n").unwrap();
    assert_runs!(
        stage,
        "plan_errors",
        "plan missing.csv",
        "plan wanted.txt",
        "plan bad.toml",
        "plan unknown.csv",
        "plan wanted.csv --shard 4/4",
        "apply cut.json",
        "apply",
    );
    assert_eq!(websites(&stage).await, 1);
}

#[tokio::test]
async fn failed_actions_are_listed_and_done_by_the_next_run() {
    let stage = stage().await;
    stage.run("plan wanted.csv --out plan.json").await;
    let fault = Fault::new(FaultKind::Status {
        code: 422,
        headers: Vec::new(),
        body: String::new(),
    })
    .operation("create_customer");
    stage.sandbox.inject(fault.times(1));
    let run = stage.run("apply plan.json --in-flight 1 -o csv").await;
    assert_eq!(run.code, Some(6), "{run:#?}");
    assert!(
        run.stdout
            .starts_with("outcome,customer,action,reason\nfailed,cust-2,"),
        "{run:#?}"
    );
    let run = stage.run("apply plan.json -o json").await.ok();
    let report = run.json();
    assert_eq!(
        (&report["earlier"], &report["done"]),
        (&2.into(), &2.into()),
        "{report}"
    );
}
