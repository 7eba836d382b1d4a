//! Safety checks: too many deletions, and state that changed since the plan.

use std::sync::{Arc, Mutex};

use twipla::{PrivateKey, Twipla};
use twipla_plan::{Apply, Error, Outcome, Report, Stop};

use crate::support::{Stage, contributor, customer, website};

fn many(customers: usize) -> Vec<twipla_plan::WantedCustomer> {
    (0..customers)
        .map(|n| customer(&format!("c{n}"), Vec::new()))
        .collect()
}

#[tokio::test]
async fn nothing_is_deleted_without_prune() {
    let stage = Stage::start().await;
    let mut site = website("w", "Pro");
    site.whitelisted_domains = Some(vec!["a.example.com".to_owned()]);
    site.contributors = Some(vec![contributor("d", "editor")]);
    stage
        .reach(&[
            customer("c", vec![site, website("v", "Pro")]),
            customer("d", Vec::new()),
        ])
        .await;
    let mut site = website("w", "Pro");
    (site.whitelisted_domains, site.contributors) = (Some(Vec::new()), Some(Vec::new()));
    let plan = stage.plan(&[customer("c", vec![site])]).await;
    assert!(plan.summary().is_empty());
    assert_eq!(plan.summary().unlisted_customers, 1);
    assert_eq!(plan.summary().unlisted_websites, 1);
    assert!(
        plan.summary().warnings[0]
            .contains("1 customer and 1 website on the server are not in the file")
    );
}

#[tokio::test]
async fn many_deletions_need_force() {
    let stage = Stage::start().await;
    stage.reach(&many(10)).await;
    for (left, refused) in [(7, false), (6, true)] {
        let plan = stage.prune(&many(left)).await;
        assert_eq!(plan.summary().needs_force(), refused, "{left}");
        assert_eq!(plan.summary().deletions(), 10 - left as u64);
        if refused {
            let error = stage.apply(&plan).run().await.unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{error}");
            assert!(error.to_string().contains("deletes 4 of the 10"), "{error}");
            assert_eq!(stage.commits("delete_customer"), 0);
        }
    }
    let plan = stage.prune(&many(6)).await;
    assert!(
        stage
            .apply(&plan)
            .force(true)
            .run()
            .await
            .unwrap()
            .is_complete()
    );
    assert_eq!(stage.commits("delete_customer"), 4);
}

#[tokio::test]
async fn a_hundred_deletions_always_need_force() {
    let stage = Stage::start().await;
    stage.reach(&many(400)).await;
    assert!(!stage.prune(&many(301)).await.summary().needs_force());
    assert!(stage.prune(&many(300)).await.summary().needs_force());
}

#[tokio::test]
async fn state_that_changed_since_the_plan_is_left_alone() {
    let stage = Stage::start().await;
    let mut shared = website("roles", "");
    shared.contributors = Some(vec![contributor("d", "editor")]);
    stage
        .reach(&[
            customer(
                "c",
                vec![website("moved", "Basic"), website("stays", "Basic"), shared],
            ),
            customer("d", Vec::new()),
            customer("old", vec![website("theirs", "Basic")]),
            customer("gone", Vec::new()),
        ])
        .await;
    let mut shared = website("roles", "");
    shared.contributors = Some(vec![contributor("d", "watcher")]);
    let wanted = [
        customer(
            "c",
            vec![website("moved", "Pro"), website("stays", "Pro"), shared],
        ),
        customer("d", Vec::new()),
    ];
    let plan = stage.prune(&wanted).await;
    assert_eq!(plan.summary().actions, 5);

    // Somebody else makes changes first.
    let twipla = &stage.twipla;
    twipla
        .website("moved")
        .subscription()
        .cancel()
        .await
        .unwrap();
    let contributors = twipla.website("roles").contributors();
    contributors
        .add("d", "dashboard".parse().unwrap())
        .await
        .unwrap();
    twipla
        .websites()
        .create("old", "new", "new.example.com")
        .await
        .unwrap();
    twipla.customer("gone").delete().await.unwrap();
    stage.sandbox.clear_commits();

    let report = stage.apply(&plan).force(true).run().await.unwrap();
    assert!(!report.is_complete());
    assert_eq!(report.progress.moved, 3, "{report:?}");
    assert_eq!(
        report.progress.already_so, 1,
        "a deleted customer needs no deletion"
    );
    assert_eq!(report.progress.done, 1);
    assert_eq!(stage.sandbox.commits().len(), 1);
    let why = |action: &str| {
        let open = report
            .open
            .iter()
            .find(|open| open.action.contains(action))
            .unwrap();
        assert!(open.moved && !open.in_doubt);
        open.reason.clone()
    };
    assert_eq!(
        why("upgrade website moved"),
        "it was Basic (active) and is Basic, then Free (canceled)"
    );
    assert_eq!(why("make d watcher"), "the role is dashboard now");
    assert_eq!(
        why("delete the customer"),
        "the customer has another website now, new"
    );

    // With refresh, changes start from the current state, but no website is deleted unseen.
    let report = stage
        .apply(&plan)
        .force(true)
        .refresh(true)
        .run()
        .await
        .unwrap();
    assert_eq!(report.progress.earlier, 2);
    assert_eq!(
        (report.progress.done, report.progress.moved),
        (2, 1),
        "{report:?}"
    );
    let now = stage.snapshot();
    assert_eq!(now["websites"]["roles"]["contributors"]["d"], "watcher");
    assert_eq!(now["websites"]["moved"]["subscription"]["status"], "active");
    assert!(now["customers"].as_object().unwrap().contains_key("old"));
}

#[tokio::test]
async fn moved_subscription_is_decided_again_with_refresh() {
    let stage = Stage::start().await;
    stage
        .reach(&[customer("c", vec![website("w", "Basic")])])
        .await;
    let wanted = [customer("c", vec![website("w", "Pro")])];
    let plan = stage.plan(&wanted).await;
    // The planned upgrade would be a downgrade now.
    let subscription = stage.twipla.website("w").subscription();
    subscription.upgrade(stage.id("Executive")).await.unwrap();
    let report = stage.apply(&plan).run().await.unwrap();
    assert_eq!(report.progress.moved, 1);
    let report = stage.apply(&plan).refresh(true).run().await.unwrap();
    assert!(report.is_complete());
    assert_eq!(stage.commits("downgrade_website_subscription"), 1);
    assert!(stage.plan(&wanted).await.summary().is_empty());
}

#[tokio::test]
async fn resources_created_by_others_count_as_done_or_fail() {
    let stage = Stage::start().await;
    let wanted = [
        customer("c", vec![website("same", "Pro"), website("other", "Pro")]),
        customer("d", vec![website("w", "")]),
    ];
    let plan = stage.plan(&wanted).await;
    let twipla = &stage.twipla;
    twipla
        .customers()
        .create("c", "c@example.com")
        .await
        .unwrap();
    let websites = twipla.websites();
    websites
        .create("c", "same", "same.example.com")
        .package(stage.id("Pro"))
        .await
        .unwrap();
    websites
        .create("c", "other", "elsewhere.example.com")
        .await
        .unwrap();
    twipla
        .customers()
        .create("d", "someone.else@example.com")
        .await
        .unwrap();
    let report = stage.apply(&plan).run().await.unwrap();
    assert_eq!(
        (report.progress.done, report.progress.already_so),
        (0, 2),
        "{report:?}"
    );
    assert_eq!(report.progress.failed, 3);
    let reasons: Vec<_> = report
        .open
        .iter()
        .map(|open| open.reason.as_str())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|why| why.contains("by a website for elsewhere")),
        "{reasons:?}"
    );
    assert!(
        reasons.contains(&"an earlier action that it depends on is not done"),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn plan_of_another_partner_is_rejected() {
    let stage = Stage::start().await;
    let plan = stage.plan(&[customer("c", Vec::new())]).await;
    let other = stage.sandbox.account_partner();
    let key = PrivateKey::from_pem(other.private_key_pem()).unwrap();
    let twipla = Twipla::builder()
        .partner(other.id(), key)
        .base_url(stage.sandbox.base_url());
    let twipla = twipla.build().unwrap();
    let error = Apply::new(&twipla, &plan, stage.path("other.journal"))
        .run()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert!(stage.sandbox.commits().is_empty());
    assert!(!stage.path("other.journal").exists());
}

#[tokio::test]
async fn stopped_run_is_continued_by_the_next_one() {
    let stage = Stage::start().await;
    let plan = stage.plan(&many(30)).await;
    let stop = Stop::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (asked, events) = (stop.clone(), Arc::clone(&seen));
    let apply = stage
        .apply(&plan)
        .in_flight(2)
        .stop(&stop)
        .on_progress(move |event| {
            assert!(matches!(event.outcome, Outcome::Done));
            events
                .lock()
                .unwrap()
                .push((event.customer.to_string(), event.progress));
            if event.progress.ended() == 10 {
                asked.request();
            }
        });
    let report = apply.run().await.unwrap();
    assert_eq!(report.stopped.as_deref(), Some("stop was requested"));
    assert!((10..=11).contains(&report.progress.done), "{report:?}");
    {
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len() as u64, report.progress.done);
        assert_eq!(seen.last().unwrap().1.total, 30);
        assert!(seen.last().unwrap().1.time_left().is_some());
    }
    let first = report.progress.done;
    let report = stage.apply(&plan).run().await.unwrap();
    assert!(report.is_complete());
    assert_eq!(
        (report.progress.earlier, report.progress.done),
        (first, 30 - first)
    );
    assert_eq!(stage.commits("create_customer"), 30);
    assert_eq!(stage.requests("create_customer"), 30);
}

#[tokio::test]
async fn run_ends_if_no_call_can_succeed() {
    let stage = Stage::start().await;
    let plan = stage.plan(&many(50)).await;
    let fault = twipla_sandbox::FaultKind::Status {
        code: 403,
        headers: Vec::new(),
        body: "{}".to_owned(),
    };
    stage
        .sandbox
        .inject(twipla_sandbox::Fault::new(fault).operation("create_customer"));
    let report: Report = stage.apply(&plan).in_flight(3).run().await.unwrap();
    assert!(
        report.stopped.as_ref().unwrap().contains("403"),
        "{report:?}"
    );
    assert!(report.progress.failed <= 3);
    stage.sandbox.clear_faults();
    assert!(stage.apply(&plan).run().await.unwrap().is_complete());
}

#[tokio::test]
async fn no_more_customers_are_in_flight_than_allowed() {
    let stage = Stage::start().await;
    let delay = twipla_sandbox::FaultKind::Delay(std::time::Duration::from_millis(3));
    stage.sandbox.inject(twipla_sandbox::Fault::new(delay));
    let wanted: Vec<_> = (0..12)
        .map(|n| customer(&format!("c{n}"), vec![website(&format!("w{n}"), "")]))
        .collect();
    let plan = stage.plan(&wanted).await;
    assert!(
        stage
            .apply(&plan)
            .in_flight(3)
            .run()
            .await
            .unwrap()
            .is_complete()
    );
    // Each line of the journal is written before and after a call.
    let journal = std::fs::read_to_string(stage.path("plan.journal")).unwrap();
    let (mut open, mut most) = (0, 0);
    for line in journal.lines().skip(1) {
        open += if line.starts_with("{\"start\"") {
            1
        } else {
            -1
        };
        most = most.max(open);
    }
    assert_eq!((open, most), (0, 3));
}

#[tokio::test]
async fn no_role_is_set_on_a_website_that_still_belongs_to_another_customer() {
    let stage = Stage::start().await;
    stage
        .reach(&[
            customer("old", vec![website("w", "")]),
            customer("d", Vec::new()),
        ])
        .await;
    let mut site = website("w", "");
    site.contributors = Some(vec![contributor("d", "editor")]);
    site.whitelisted_domains = Some(vec!["shop.example.com".to_owned()]);
    let wanted = [customer("new", vec![site]), customer("d", Vec::new())];
    let plan = stage.prune(&wanted).await;
    let fault = twipla_sandbox::FaultKind::Status {
        code: 500,
        headers: Vec::new(),
        body: "{}".to_owned(),
    };
    let fault = twipla_sandbox::Fault::new(fault);
    stage
        .sandbox
        .inject(fault.operation("delete_customer").times(1));
    let report = stage.apply(&plan).force(true).run().await.unwrap();
    assert_eq!(
        (report.progress.done, report.progress.failed),
        (1, 4),
        "{report:?}"
    );
    let now = stage.snapshot();
    assert_eq!(now["websites"]["w"]["intpCustomerId"], "old");
    assert_eq!(now["websites"]["w"]["contributors"], serde_json::json!({}));
    assert_eq!(
        stage.requests("add_contributor") + stage.requests("add_whitelisted_domain"),
        0
    );
    let report = stage.apply(&plan).force(true).run().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(
        stage.snapshot()["websites"]["w"]["contributors"]["d"],
        "editor"
    );
}

#[tokio::test]
async fn run_ends_if_the_server_is_down() {
    let stage = Stage::start().await;
    let plan = stage.plan(&many(60)).await;
    let down = twipla_sandbox::Fault::new(twipla_sandbox::FaultKind::ResetBeforeCommit);
    stage.sandbox.inject(down.operation("create_customer"));
    let report = stage.apply(&plan).in_flight(1).run().await.unwrap();
    let why = report.stopped.as_deref();
    assert_eq!(
        why,
        Some("the server did not respond to 20 actions in a row")
    );
    assert_eq!(report.progress.ended(), 20);
    stage.sandbox.clear_faults();
    assert!(stage.apply(&plan).run().await.unwrap().is_complete());
    assert_eq!(stage.commits("create_customer"), 60);
}

#[tokio::test]
async fn run_keeps_to_the_rate_of_the_server() {
    let stage = Stage::start().await;
    let plan = stage.plan(&many(40)).await;
    let limit = twipla_sandbox::FaultKind::RateLimit {
        per_second: 50.0,
        burst: 5,
    };
    stage.sandbox.inject(twipla_sandbox::Fault::new(limit));
    let report = stage.apply(&plan).in_flight(20).run().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(
        (report.progress.done, stage.commits("create_customer")),
        (40, 40)
    );
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::start().await;
    let plan = stage.plan(&many(1)).await;
    assert!(stage.apply(&plan).run().await.unwrap().is_complete());
    for name in ["plan.json", "plan.journal"] {
        let mode = std::fs::metadata(stage.path(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
