//! What is paid for, and what is not.

use twipla_sandbox::{Fault, FaultKind};

use crate::stage::{Stage, until};

#[tokio::test]
async fn plan_that_the_site_has_is_not_sold_again() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let orders = format!("{site}/orders");
    for plan in ["Pro", "Basic"] {
        // Two tabs with the payment page: the second one pays when the first one is through.
        let checkout = format!("{site}/checkout?package={}", stage.package(plan));
        let first = ada.open(&checkout).await.hidden_fields();
        let second = ada.open(&checkout).await.hidden_fields();
        assert_eq!(ada.post(&orders, &first).await.status, 200);
        ada.wait(&site).await;
        // The same tab again is the same order.
        assert_eq!(ada.post(&orders, &first).await.path, site);
        let page = ada.post(&orders, &second).await;
        assert_eq!(page.status, 422, "{plan}");
        page.says("Nothing was charged");
    }
    stage.settle().await;
    let paid = stage.texts("SELECT package_name FROM orders ORDER BY created_at");
    assert_eq!(paid.await, ["Pro", "Basic"]);
}

#[tokio::test]
async fn plan_of_a_canceled_subscription_is_not_sold() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    ada.open(&site).await.says("Change plan");
    ada.submit(&site, &format!("{site}/cancel"), &[]).await;
    ada.wait(&site).await;
    ada.open(&site).await.does_not_say("Change plan");
    for plan in ["Pro", "Executive"] {
        let page = ada.buy(&site, &stage.package(plan)).await;
        assert_eq!(page.status, 422, "{plan}");
        page.says("Nothing was charged");
    }
    assert_eq!(stage.count("SELECT COUNT(*) FROM orders").await, 1);
}

#[tokio::test]
async fn one_failure_after_an_outage_is_no_refusal() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let answer = |code| FaultKind::Status {
        code,
        headers: Vec::new(),
        body: String::new(),
    };
    let upgrade = "upgrade_website_subscription";
    let away = Fault::new(answer(429)).operation(upgrade);
    stage.sandbox.inject(away);
    ada.buy(&site, &stage.package("Pro")).await;
    until("many attempts are over", async || {
        stage.count("SELECT MAX(attempts) FROM outbox").await > 11
    })
    .await;
    stage.sandbox.clear_faults();
    stage.fault_once(upgrade, answer(500));
    ada.wait(&site).await;
    ada.open(&site).await.says("paid and switched on");
}

#[tokio::test]
async fn refusal_speaks_of_money_only_where_some_was_paid() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    let back = "What you paid for it is on its way back";
    // Nobody can cancel what is not there any more.
    let id = site.strip_prefix("/sites/").unwrap();
    stage.twipla.website(id).delete().await.unwrap();
    ada.submit(&site, &format!("{site}/cancel"), &[]).await;
    ada.wait(&site).await;
    let page = ada.open(&site).await;
    page.says("The last change was not possible");
    page.does_not_say(back);
    ada.buy(&site, &stage.package("Executive")).await;
    ada.wait(&site).await;
    ada.open(&site).await.says(back);
}
