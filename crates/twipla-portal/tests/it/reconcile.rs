//! Each difference between TWIPLA and the database, and what becomes of it.

use reqwest::Client;
use serde_json::json;
use twipla::types::ContributorRole;
use twipla_sandbox::FaultKind;

use crate::stage::{Browser, Stage, settings};

/// Ada with a site on Pro.
async fn with_site() -> (Stage, Browser, String) {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    let id = site.strip_prefix("/sites/").unwrap().to_owned();
    (stage, ada, id)
}

#[track_caller]
fn mended(report: &serde_json::Value, text: &str) {
    let lines = report["mended"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{report}");
    assert!(lines[0].as_str().unwrap().contains(text), "{report}");
    assert_eq!(report["noted"], json!([]));
}

#[track_caller]
fn noted(report: &serde_json::Value, text: &str) {
    let lines = report["noted"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{report}");
    assert!(lines[0].as_str().unwrap().contains(text), "{report}");
    assert_eq!(report["mended"], json!([]));
}

async fn nothing_is_left(stage: &Stage) {
    stage.settle().await;
    let report = stage.reconcile().await;
    assert_eq!(report, json!({"mended": [], "noted": [], "open": 0}));
}

#[tokio::test]
async fn website_that_the_portal_lacks_is_adopted() {
    let (stage, ada, _) = with_site().await;
    let create = stage
        .twipla
        .websites()
        .create("ada", "by-support", "second.example.com");
    create.await.unwrap();
    mended(
        &stage.reconcile().await,
        "website by-support of ada was not here",
    );
    ada.open("/sites").await.says("second.example.com");
    ada.open("/sites/by-support").await.says("Tracking code");
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn website_that_twipla_lacks_is_created_again_on_its_package() {
    let (stage, _, id) = with_site().await;
    stage.twipla.website(&id).delete().await.unwrap();
    mended(
        &stage.reconcile().await,
        "is missing at TWIPLA: it will be created again",
    );
    stage.settle().await;
    let website = stage.twipla.website(&id).get().await.unwrap();
    assert_eq!(website.package_name, "Pro");
    assert_eq!(website.intp_customer_id, "ada");
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn canceled_website_that_twipla_lacks_is_not_paid_for_again() {
    let (stage, _, id) = with_site().await;
    let website = stage.twipla.website(&id);
    website.subscription().cancel().await.unwrap();
    stage.reconcile().await;
    website.delete().await.unwrap();
    noted(&stage.reconcile().await, "is missing at TWIPLA");
    assert!(website.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn customer_that_twipla_lacks_is_created_again_with_the_sites() {
    let (stage, _, id) = with_site().await;
    stage.twipla.customer("ada").delete().await.unwrap();
    mended(&stage.reconcile().await, &id);
    stage.settle().await;
    assert_eq!(
        stage.twipla.customer("ada").get().await.unwrap().email,
        "ada@example.com"
    );
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn subscription_is_as_twipla_says() {
    let (stage, ada, id) = with_site().await;
    let site = format!("/sites/{id}");
    let subscription = stage.twipla.website(&id).subscription();
    subscription
        .upgrade(stage.package("Executive"))
        .await
        .unwrap();
    mended(
        &stage.reconcile().await,
        "is active on Executive at TWIPLA, and was active on Pro here",
    );
    ada.open(&site)
        .await
        .says("<p class=\"figure\">Executive</p>");

    subscription
        .downgrade(stage.package("Basic"))
        .await
        .unwrap();
    mended(&stage.reconcile().await, &id);
    ada.open(&site).await.says("A smaller plan follows");

    subscription.cancel().await.unwrap();
    mended(&stage.reconcile().await, "is canceled on Executive");
    ada.open(&site).await.says("Canceled");

    // Nobody changes anything: the period ends.
    stage.sandbox.advance(chrono::Duration::days(40));
    mended(&stage.reconcile().await, "is active on Free");
    ada.open(&site).await.says("<p class=\"figure\">Free</p>");

    subscription.deactivate().await.unwrap();
    mended(&stage.reconcile().await, "is inactive");
    ada.open(&site).await.says("Inactive");
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn role_that_was_lost_is_given_again_and_another_is_taken_over() {
    let (stage, ada, id) = with_site().await;
    let site = format!("/sites/{id}");
    let invitation = [("email", "grace@example.com"), ("role", "editor")];
    ada.submit(&site, &format!("{site}/contributors"), &invitation)
        .await;
    stage.settle().await;

    let contributors = stage.twipla.website(&id).contributors();
    contributors.remove("grace").await.unwrap();
    mended(&stage.reconcile().await, "grace has no role");
    stage.settle().await;
    let shown = contributors.list().await.unwrap().contributors;
    assert_eq!(shown.editor[0].intp_customer_id, "grace");

    contributors
        .add("grace", ContributorRole::Watcher)
        .await
        .unwrap();
    mended(&stage.reconcile().await, "grace is watcher");
    ada.open(&site).await.says("watcher, active");
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn role_from_before_a_refused_one_is_shown() {
    let (stage, ada, id) = with_site().await;
    let site = format!("/sites/{id}");
    let invite = async |role: &str| {
        let invitation = [("email", "grace@example.com"), ("role", role)];
        ada.submit(&site, &format!("{site}/contributors"), &invitation)
            .await;
        stage.settle().await;
    };
    invite("watcher").await;
    let refusal = FaultKind::Status {
        code: 400,
        headers: Vec::new(),
        body: String::new(),
    };
    stage.fault_once("add_contributor", refusal);
    invite("editor").await;
    ada.open(&site).await.says("editor, refused");
    mended(&stage.reconcile().await, "grace is watcher");
    ada.open(&site).await.says("watcher, active");
    nothing_is_left(&stage).await;
}

#[tokio::test]
async fn what_nobody_can_decide_is_noted_and_left_alone() {
    let (stage, _, id) = with_site().await;
    let create = stage.twipla.customers().create("eve", "eve@example.com");
    create.website("eves", "eve.example.com").await.unwrap();
    noted(
        &stage.reconcile().await,
        "belongs to eve, whom the portal does not know",
    );
    stage.twipla.customer("eve").delete().await.unwrap();

    stage.twipla.website(&id).delete().await.unwrap();
    let create = stage
        .twipla
        .customers()
        .create("grace", "grace@example.com");
    create.website(&*id, "ada.example.com").await.unwrap();
    noted(
        &stage.reconcile().await,
        "belongs to grace at TWIPLA and to ada here",
    );
    assert_eq!(stage.texts("SELECT customer_id FROM sites").await, ["ada"]);
}

#[tokio::test]
async fn what_is_being_changed_is_left_to_the_outbox() {
    let mut stage = Stage::start().await;
    stage.crash();
    let silent = twipla_portal::Settings {
        sends: false,
        ..settings()
    };
    stage.restart(silent.clone()).await;
    let ada = stage.browser("ada").await;
    ada.submit("/sites", "/sites", &[("domain", "ada.example.com")])
        .await;
    let left_alone = json!({"mended": [], "noted": [], "open": 1});
    assert_eq!(stage.reconcile().await, left_alone);
    assert_eq!(stage.commits("create_website"), 0);

    stage.crash();
    stage.restart(settings()).await;
    stage.settle().await;
    stage.crash();
    stage.restart(silent).await;
    let ada = stage.browser("ada").await;
    let id = stage.texts("SELECT id FROM sites").await.remove(0);
    let site = format!("/sites/{id}");
    ada.buy(&site, &stage.package("Pro")).await;
    let subscription = stage.twipla.website(&id).subscription();
    subscription.upgrade(stage.package("Basic")).await.unwrap();
    assert_eq!(stage.reconcile().await, left_alone);
    ada.open(&site)
        .await
        .says("<p class=\"figure\">Free trial</p>");
}

#[tokio::test]
async fn reconciling_runs_by_itself() {
    let mut stage = Stage::start().await;
    stage.crash();
    let mut often = settings();
    often.pace.reconcile = std::time::Duration::from_millis(50);
    stage.restart(often).await;
    let create = stage.twipla.customers().create("ada", "ada@example.com");
    create
        .website("by-support", "ada.example.com")
        .await
        .unwrap();
    crate::stage::until("the site is here", async || {
        stage
            .count("SELECT COUNT(*) FROM sites WHERE snippet IS NOT NULL")
            .await
            == 1
    })
    .await;
}

#[tokio::test]
async fn only_the_operator_may_reconcile() {
    let stage = Stage::start().await;
    let url = format!("{}/reconcile", stage.url());
    for request in [
        Client::new().post(&url),
        Client::new().post(&url).bearer_auth("guess"),
        Client::new().post(&url).bearer_auth(""),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 404);
    }
    // One who is signed in is no operator, and a portal without a token has none.
    let ada = stage.browser("ada").await;
    assert_eq!(ada.post("/reconcile", &[]).await.status, 404);
    let mut settings = settings();
    settings.operator_token = None;
    let stage = Stage::with(settings).await;
    let url = format!("{}/reconcile", stage.url());
    let answer = Client::new()
        .post(url)
        .bearer_auth("")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn site_under_any_id_of_twiplas_can_be_opened() {
    let (stage, ada, _) = with_site().await;
    let id = "Laden / 7? ü%2F#x";
    let create = stage
        .twipla
        .websites()
        .create("ada", id, "second.example.com");
    create.await.unwrap();
    stage.reconcile().await;
    let sites = ada.open("/sites").await;
    let link = sites.html.split("second.example.com").next().unwrap();
    let link = link.rsplit("href=\"").next().unwrap();
    let site = link.split('"').next().unwrap();
    ada.open(site).await.says("Tracking code");
    ada.open(&format!("{site}/analytics")).await.says("<iframe");
    ada.buy(site, &stage.package("Executive"))
        .await
        .says("second.example.com");
    ada.wait(site).await;
    ada.submit(site, &format!("{site}/cancel"), &[])
        .await
        .says("second.example.com");
}
