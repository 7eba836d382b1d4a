//! Crashes between the database and TWIPLA, lost answers, and refusals.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use twipla_portal::{Pace, Settings};
use twipla_sandbox::{Fault, FaultKind};

use crate::stage::{Stage, add_customer, settings, until};

/// Entries of a portal that died are taken again after this time.
fn with_lease(lease: Duration) -> Settings {
    let settings = settings();
    let pace = Pace {
        lease,
        ..settings.pace
    };
    Settings { pace, ..settings }
}

/// Of a portal that dies before it sends what it wrote down.
pub(crate) async fn before_sending(stage: &mut Stage) {
    stage.crash();
    let silent = Settings {
        sends: false,
        ..settings()
    };
    stage.restart(silent).await;
    let ada = stage.browser("ada").await;
    let page = ada
        .submit("/sites", "/sites", &[("domain", "ada.example.com")])
        .await;
    page.says("Your site is being set up");
    assert_eq!(stage.commits("create_website"), 0);

    stage.crash();
    stage.restart(settings()).await;
    stage.settle().await;
    assert_eq!(stage.commits("create_website"), 1);
    assert_eq!(stage.texts("SELECT status FROM sites").await, ["active"]);
}

#[tokio::test]
async fn crash_before_sending_loses_nothing() {
    before_sending(&mut Stage::start().await).await;
}

#[tokio::test]
async fn crash_after_sending_doubles_nothing() {
    let mut stage = Stage::with(with_lease(Duration::from_secs(4))).await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    // TWIPLA does it and answers late: by then, the portal is gone.
    let late = Fault::new(FaultKind::Delay(Duration::from_secs(30)));
    let late = late.after_commit().times(1);
    stage
        .sandbox
        .inject(late.operation("upgrade_website_subscription"));
    ada.buy(&site, &stage.package("Pro")).await;
    until("the upgrade arrived", async || {
        stage.commits("upgrade_website_subscription") == 1
    })
    .await;
    stage.crash();
    assert_eq!(
        stage.texts("SELECT state FROM outbox ORDER BY id").await,
        ["done", "open"]
    );

    stage.sandbox.clear_requests();
    stage.restart(with_lease(Duration::from_secs(4))).await;
    stage.settle().await;
    // Whoever took it over read first, and had nothing to send.
    assert_eq!(stage.requests("upgrade_website_subscription"), 0);
    assert_eq!(stage.commits("upgrade_website_subscription"), 1);
    assert_eq!(stage.texts("SELECT state FROM orders").await, ["fulfilled"]);
    assert_eq!(stage.texts("SELECT package_name FROM sites").await, ["Pro"]);
}

#[tokio::test]
async fn portal_that_crashes_all_the_time_loses_and_doubles_nothing() {
    let lease = Duration::from_secs(1);
    let mut stage = Stage::with(with_lease(lease)).await;
    let store = stage.store().await;
    let customers: Vec<_> = (0..12).map(|n| format!("customer-{n}")).collect();
    for id in &customers {
        add_customer(&store, id, id).await;
    }
    let mut dice = rand::rngs::StdRng::seed_from_u64(19);
    let mut sites = Vec::new();
    for id in &customers {
        let browser = stage.browser(id).await;
        let domain = format!("{id}.example.com");
        let page = browser
            .submit("/sites", "/sites", &[("domain", &domain)])
            .await;
        sites.push((id, page.path));
    }
    let crash = async |stage: &mut Stage, dice: &mut rand::rngs::StdRng| {
        for _ in 0..6 {
            let alive = dice.random_range(1..120);
            tokio::time::sleep(Duration::from_millis(alive)).await;
            stage.crash();
            stage.restart(with_lease(lease)).await;
        }
    };
    crash(&mut stage, &mut dice).await;
    stage.settle().await;
    for (id, site) in &sites {
        let browser = stage.browser(id).await;
        browser.buy(site, &stage.package("Pro")).await;
    }
    crash(&mut stage, &mut dice).await;
    stage.settle().await;
    for operation in [
        "create_customer",
        "create_website",
        "upgrade_website_subscription",
    ] {
        assert_eq!(stage.commits(operation), 12, "{operation}");
    }
    let paid = "SELECT COUNT(*) FROM orders JOIN sites ON sites.id = site_id
                WHERE state = 'fulfilled' AND sites.package_name = 'Pro'";
    assert_eq!(stage.count(paid).await, 12);
    let report = stage.reconcile().await;
    assert_eq!(
        report,
        serde_json::json!({"mended": [], "noted": [], "open": 0})
    );
}

#[tokio::test]
async fn lost_answer_stays_open_until_it_is_known_what_happened() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    // The request seems lost, is not there when it is read back, and arrives afterwards.
    let late = FaultKind::LateCommit(Duration::from_millis(250));
    stage.fault_once("upgrade_website_subscription", late);
    ada.buy(&site, &stage.package("Pro")).await;
    until("the portal says that it does not know", async || {
        let page = ada.open(&site).await;
        page.html
            .contains("We did not hear back, and are checking whether it went through")
    })
    .await;
    assert_eq!(stage.texts("SELECT state FROM orders").await, ["paid"]);
    ada.wait(&site).await;
    ada.open(&site).await.says("<p class=\"figure\">Pro</p>");
    // Read, and not sent again.
    assert_eq!(stage.requests("upgrade_website_subscription"), 1);
    assert_eq!(stage.texts("SELECT state FROM orders").await, ["fulfilled"]);
}

#[tokio::test]
async fn what_never_arrived_is_sent_again_after_a_look() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    stage.fault_once("upgrade_website_subscription", FaultKind::ResetBeforeCommit);
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    ada.open(&site).await.says("<p class=\"figure\">Pro</p>");
    assert_eq!(stage.commits("upgrade_website_subscription"), 1);
}

#[tokio::test]
async fn refused_order_is_returned_and_said() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let id = site.strip_prefix("/sites/").unwrap();
    stage.twipla.website(id).delete().await.unwrap();
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    let page = ada.open(&site).await;
    page.says("The last change was not possible");
    page.says("money returned");
    assert_eq!(stage.texts("SELECT state FROM orders").await, ["returned"]);
}

#[tokio::test]
async fn domain_that_twipla_refuses_is_said() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let refusal = FaultKind::Status {
        code: 400,
        headers: Vec::new(),
        body: r#"{"message":"not this one"}"#.to_owned(),
    };
    stage.fault_once("create_website", refusal);
    let site = ada.add_site("ada.example.com").await;
    ada.open(&site).await.says("Could not be set up");
    let notes = stage.texts("SELECT note FROM outbox").await;
    assert!(notes[0].contains("not this one"), "{notes:?}");
}

#[tokio::test]
async fn outage_is_waited_out() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    stage.sandbox.inject(Fault::new(FaultKind::Gateway(503)));
    let page = ada
        .submit("/sites", "/sites", &[("domain", "ada.example.com")])
        .await;
    until("it was tried a few times", async || {
        stage.count("SELECT MAX(attempts) FROM outbox").await > 3
    })
    .await;
    stage.sandbox.clear_faults();
    ada.wait(&page.path).await;
    assert_eq!(stage.texts("SELECT status FROM sites").await, ["active"]);
    assert_eq!(stage.commits("create_website"), 1);
}
