//! What a customer does from the first site to the last.

use crate::stage::{Stage, until};

/// On the database of the stage: SQLite here, Postgres in `postgres`.
pub(crate) async fn whole(stage: &Stage) {
    let ada = stage.browser("ada").await;
    ada.open("/sites").await.says("You have no site yet");

    // Customer and website are made at TWIPLA, and the tracking code is shown.
    let site = ada.add_site("ada.example.com").await;
    let page = ada.open(&site).await;
    page.says("Tracking code");
    page.says("sandbox tracking code for ada.example.com");
    page.says("data-copy=\"tracking-code\"");
    page.says("Free trial");
    let id = site.strip_prefix("/sites/").unwrap();
    let website = stage.twipla.website(id).get().await.unwrap();
    assert_eq!(website.intp_customer_id, "ada");
    assert_eq!(website.domain, "ada.example.com");

    // The dashboard in a frame of its own.
    let page = ada.open(&format!("{site}/analytics")).await;
    page.says("<iframe class=\"dashboard\"");
    page.says("sandbox=\"allow-scripts allow-same-origin");

    // A plan with its price, paid, and the new plan.
    let pro = stage.package("Pro");
    ada.open(&format!("{site}/plans"))
        .await
        .says("€39.99 a month");
    let checkout = ada.open(&format!("{site}/checkout?package={pro}")).await;
    checkout.says("Pay €39.99");
    let page = ada.buy(&site, &pro).await;
    assert_eq!(page.path, site);
    ada.wait(&site).await;
    let page = ada.open(&site).await;
    page.says("<p class=\"figure\">Pro</p>");
    page.says("Pro for €39.99, paid and switched on");
    let website = stage.twipla.website(id).get().await.unwrap();
    assert_eq!(website.package_id.to_string(), pro);

    // Canceled, and resumed.
    ada.submit(&site, &format!("{site}/cancel"), &[]).await;
    ada.wait(&site).await;
    let page = ada.open(&site).await;
    page.says("Canceled");
    page.says("You can resume until then");
    ada.submit(&site, &format!("{site}/resume"), &[]).await;
    ada.wait(&site).await;
    ada.open(&site).await.says("Renews on");

    // Grace, who was never at TWIPLA, gets a role.
    let invitation = [("email", "Grace@example.com"), ("role", "editor")];
    let page = ada
        .submit(&site, &format!("{site}/contributors"), &invitation)
        .await;
    page.says("Grace");
    stage.settle().await;
    ada.open(&site).await.says("editor, active");
    let shown = stage
        .twipla
        .website(id)
        .contributors()
        .list()
        .await
        .unwrap();
    assert_eq!(shown.contributors.editor[0].intp_customer_id, "grace");

    // Each of them once.
    for operation in [
        "create_website",
        "upgrade_website_subscription",
        "cancel_website_subscription",
        "resume_website_subscription",
        "add_contributor",
    ] {
        assert_eq!(stage.commits(operation), 1, "{operation}");
    }
    assert_eq!(stage.commits("create_customer"), 2);
    let report = stage.reconcile().await;
    assert_eq!(
        report,
        serde_json::json!({"mended": [], "noted": [], "open": 0})
    );
}

#[tokio::test]
async fn customer_goes_all_the_way() {
    let stage = Stage::start().await;
    whole(&stage).await;
}

#[tokio::test]
async fn form_that_is_sent_twice_counts_once() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let mut form = ada.open("/sites").await.hidden_fields();
    form.push(("domain".to_owned(), "ada.example.com".to_owned()));
    let first = ada.post("/sites", &form).await;
    let second = ada.post("/sites", &form).await;
    assert_eq!(first.path, second.path);
    stage.settle().await;
    assert_eq!(stage.count("SELECT COUNT(*) FROM sites").await, 1);

    let site = first.path;
    let checkout = format!("{site}/checkout?package={}", stage.package("Pro"));
    let form = ada.open(&checkout).await.hidden_fields();
    ada.post(&format!("{site}/orders"), &form).await;
    stage.settle().await;
    ada.post(&format!("{site}/orders"), &form).await;
    stage.settle().await;
    assert_eq!(stage.count("SELECT COUNT(*) FROM orders").await, 1);
    assert_eq!(stage.commits("upgrade_website_subscription"), 1);
}

#[tokio::test]
async fn second_change_waits_for_the_first() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let slow = twipla_sandbox::FaultKind::Delay(std::time::Duration::from_secs(2));
    stage.fault_once("get_website", slow);
    let page = ada.buy(&site, &stage.package("Pro")).await;
    page.says("The new plan is being switched on");
    let page = ada.buy(&site, &stage.package("Basic")).await;
    assert_eq!(page.status, 409);
    page.says("Nothing was charged");
    ada.wait(&site).await;
    assert_eq!(
        stage.texts("SELECT package_name FROM orders").await,
        ["Pro"]
    );
}

#[tokio::test]
async fn smaller_plan_follows_at_the_end_of_the_period() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    ada.buy(&site, &stage.package("Basic")).await;
    ada.wait(&site).await;
    ada.open(&site).await.says("A smaller plan follows on");
    stage.sandbox.advance(chrono::Duration::days(32));
    stage.reconcile().await;
    ada.open(&site).await.says("<p class=\"figure\">Basic</p>");
}

#[tokio::test]
async fn portal_that_is_stopped_ends_what_it_began() {
    let mut stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let slow = twipla_sandbox::FaultKind::Delay(std::time::Duration::from_millis(700));
    stage.fault_once("create_website", slow);
    ada.submit("/sites", "/sites", &[("domain", "ada.example.com")])
        .await;
    until("the customer is created", async || {
        stage.commits("create_customer") == 1
    })
    .await;
    stage.stop().await;
    assert_eq!(stage.texts("SELECT state FROM outbox").await, ["done"]);
    assert_eq!(stage.texts("SELECT status FROM sites").await, ["active"]);
}

#[tokio::test]
async fn page_without_a_change_under_way_shows_what_came_of_it() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    // Somebody looks at the page while it is written, whenever that is.
    for _ in 0..20 {
        for (action, badge) in [("cancel", "Canceled"), ("resume", "Active")] {
            let mut page = ada.submit(&site, &format!("{site}/{action}"), &[]).await;
            while page.html.contains("data-pending") {
                page = ada.open(&site).await;
            }
            page.says(&format!(">{badge}</span>"));
        }
    }
}

#[tokio::test]
async fn request_that_never_ends_does_not_keep_the_portal_from_ending() {
    let mut stage = Stage::with(twipla_portal::Settings {
        grace: std::time::Duration::from_millis(50),
        ..crate::stage::settings()
    })
    .await;
    let address = stage.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let half = b"POST /sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, half)
        .await
        .unwrap();
    // Another connection that was answered says that the first one was accepted.
    stage.stranger().open("/health").await;
    let stopped = tokio::time::timeout(std::time::Duration::from_mins(1), stage.stop());
    stopped.await.expect("the portal does not end");
}
