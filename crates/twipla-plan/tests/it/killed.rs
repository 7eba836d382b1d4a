//! A run that is killed, and the next one that continues it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use twipla_plan::{Apply, Plan, WantedCustomer};
use twipla_sandbox::{Fault, FaultKind};

use crate::support::{Stage, assert_nothing_doubled, client, contributor, customer, website};

/// The orders of the child process, as JSON.
const ORDERS: &str = "TWIPLA_PLAN_TEST_CHILD";

/// Not a test: the code of the child process, which is this program again.
#[tokio::test]
async fn child() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let text = |name: &str| orders[name].as_str().unwrap();
    let key = std::fs::read_to_string(text("key")).unwrap();
    let twipla = client(text("url"), text("partner"), &key);
    let plan = Plan::open(text("plan")).unwrap();
    let apply = Apply::new(&twipla, &plan, text("journal"))
        .in_flight(3)
        .force(true);
    let report = apply
        .on_progress(|_| println!("\nended"))
        .run()
        .await
        .unwrap();
    println!("\ncomplete {}", report.is_complete());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_runs_lead_to_the_same_state_as_an_undisturbed_one() {
    for seed in 0..3 {
        let mut random = Rng::with_seed(seed);
        let undisturbed = begin().await;
        let plan = undisturbed.prune(&wanted()).await;
        let report = undisturbed.apply(&plan).force(true).run().await.unwrap();
        assert!(report.is_complete());

        let stage = begin().await;
        stage.prune(&wanted()).await;
        for (fault, probability) in [
            (Fault::new(FaultKind::ResetAfterCommit), 0.03),
            (Fault::new(FaultKind::ResetBeforeCommit), 0.03),
            (
                Fault::new(FaultKind::LateCommit(Duration::from_millis(5))),
                0.03,
            ),
            (
                Fault::new(FaultKind::Gateway(502)).before_or_after_commit(),
                0.03,
            ),
        ] {
            stage
                .sandbox
                .inject(fault.probability(probability, random.u64(..)));
        }
        let mut kills = 0;
        while !run(&stage, random.usize(0..6)) {
            kills += 1;
            assert!(kills < 200, "seed {seed} does not end");
        }
        assert!(kills > 3, "seed {seed} was hardly killed: {kills}");
        while stage.sandbox.faults().pending_commits > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_nothing_doubled(&stage.sandbox);
        assert_eq!(
            essence(&stage.snapshot()),
            essence(&undisturbed.snapshot()),
            "seed {seed}"
        );
    }
}

/// Starts the child and kills it after this many actions. Returns true if it completed first.
fn run(stage: &Stage, actions: usize) -> bool {
    let mut child = start(stage);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut left = actions;
    let mut complete = false;
    for line in lines.by_ref() {
        let line = line.unwrap();
        complete |= line == "complete true";
        // The test harness prints that it has started.
        let is_step = line == "ended" || line.starts_with("running ");
        if is_step && left == 0 {
            // SIGKILL, which no process can catch.
            child.kill().unwrap();
        }
        left -= usize::from(is_step && left > 0);
    }
    child.wait().unwrap();
    complete
}

fn start(stage: &Stage) -> Child {
    let key = stage.file("partner.key", stage.partner.private_key_pem());
    let orders = json!({
        "url": stage.sandbox.base_url(),
        "partner": stage.partner.id(),
        "key": key,
        "plan": stage.path("plan.json"),
        "journal": stage.path("plan.journal"),
    });
    Command::new(std::env::current_exe().unwrap())
        .args(["killed::child", "--exact", "--nocapture"])
        .env(ORDERS, orders.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn begin() -> Stage {
    let stage = Stage::start().await;
    let before: Vec<_> = (0..6)
        .map(|n| {
            let sites = [format!("w{n}a"), format!("w{n}b")];
            customer(
                &format!("c{n}"),
                sites.map(|id| website(&id, "Basic")).to_vec(),
            )
        })
        .collect();
    stage.reach(&before).await;
    stage.sandbox.clear_commits();
    stage
}

/// Returns a state in which some customers are deleted, some stay with other packages, and some are new.
fn wanted() -> Vec<WantedCustomer> {
    (2..9)
        .map(|n| {
            let mut larger = website(&format!("w{n}a"), "Pro");
            larger.whitelisted_domains = Some(vec![format!("shop{n}.example.com")]);
            larger.contributors = Some(vec![contributor(
                &format!("c{}", 2 + (n + 1) % 7),
                "editor",
            )]);
            if n == 8 {
                larger.contributors = None;
            }
            customer(
                &format!("c{n}"),
                vec![larger, website(&format!("w{n}c"), "Free")],
            )
        })
        .collect()
}

/// Returns a snapshot without the differences between two sandboxes.
fn essence(snapshot: &Value) -> Value {
    let mut text = snapshot.to_string();
    for package in snapshot["packages"].as_array().unwrap() {
        text = text.replace(
            package["id"].as_str().unwrap(),
            package["name"].as_str().unwrap(),
        );
    }
    let mut essence: Value = serde_json::from_str(&text).unwrap();
    for kind in ["customers", "websites"] {
        for entry in essence[kind].as_object_mut().unwrap().values_mut() {
            entry["id"].take();
            if entry["subscription"].is_object() {
                entry["subscription"]["expiresAt"].take();
            }
        }
    }
    json!({ "customers": essence["customers"], "websites": essence["websites"] })
}
