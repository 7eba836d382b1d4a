//! The portal under fire: many customers at once, and a network and a server that fail.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use twipla_sandbox::{Fault, FaultKind};

use crate::stage::{Browser, Stage, add_customer, settings, until};

const CUSTOMERS: usize = 500;
/// Share of the requests that a fault strikes.
const RATE: f64 = 0.3;

fn faults() -> Vec<Fault> {
    let status = |code, headers: &[(&str, &str)], body: &str| FaultKind::Status {
        code,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
    };
    let soon = &[("retry-after", "0")];
    vec![
        Fault::new(FaultKind::ResetBeforeCommit),
        Fault::new(FaultKind::ResetAfterCommit),
        Fault::new(FaultKind::LateCommit(Duration::from_millis(100))),
        Fault::new(FaultKind::TruncatedBody),
        Fault::new(FaultKind::HtmlBody),
        Fault::new(FaultKind::EmptyBody),
        Fault::new(FaultKind::InvalidJson),
        Fault::new(FaultKind::NoContent),
        Fault::new(FaultKind::Delay(Duration::from_millis(50))),
        Fault::new(FaultKind::Gateway(502)).before_or_after_commit(),
        Fault::new(FaultKind::Gateway(524)).before_or_after_commit(),
        Fault::new(status(429, soon, "")),
        Fault::new(status(503, soon, "")),
        Fault::new(status(500, &[], r#"{"message":"boom"}"#)).before_or_after_commit(),
    ]
}

/// What one customer does, as fast as the portal lets them.
async fn customer(stage: &Stage, n: usize, package: &str) {
    let browser = stage.stranger();
    browser.sign_in(&format!("customer-{n}")).await;
    let page = browser
        .submit(
            "/sites",
            "/sites",
            &[("domain", &format!("{n}.example.com"))],
        )
        .await;
    let site = page.path;
    wait(&browser, &site).await;
    let refused = stage
        .texts("SELECT note FROM outbox WHERE state = 'refused'")
        .await;
    assert!(refused.is_empty(), "{refused:?}");
    // The price list is a read: while it fails, the page says so, and people load it again.
    let checkout = format!("{site}/checkout?package={package}");
    until("the price is shown", async || {
        browser.open(&checkout).await.status == 200
    })
    .await;
    until("the order is taken", async || {
        let form = browser.open(&checkout).await;
        if form.status != 200 {
            return false;
        }
        let page = browser
            .post(&format!("{site}/orders"), &form.hidden_fields())
            .await;
        assert!(matches!(page.status.as_u16(), 200 | 503), "{page:?}");
        page.status == 200
    })
    .await;
    wait(&browser, &site).await;
    if n.is_multiple_of(2) {
        let page = browser.submit(&site, &format!("{site}/cancel"), &[]).await;
        assert_eq!(page.status, 200);
        wait(&browser, &site).await;
    }
    if n.is_multiple_of(4) {
        let page = browser.submit(&site, &format!("{site}/resume"), &[]).await;
        assert_eq!(page.status, 200);
        wait(&browser, &site).await;
    }
}

/// As often as the page's script does.
async fn wait(browser: &Browser, site: &str) {
    until("no change is under way", async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let page = browser.open(&format!("{site}/pending")).await;
        page.status.is_success() && page.html.contains("false")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn database_and_twipla_agree_after_500_customers_and_30_percent_faults() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("portal.db").display());
    let impatient = |client: twipla::TwiplaBuilder| client.attempt_timeout(Duration::from_secs(5));
    let mut settings = settings();
    settings.pace.senders = 32;
    let stage = Stage::on(database, folder, settings, impatient).await;
    let store = stage.store().await;
    for n in 0..CUSTOMERS {
        add_customer(&store, &format!("customer-{n}"), &format!("Customer {n}")).await;
    }
    let packages = ["Basic", "Advanced", "Pro"].map(|name| (name, stage.package(name)));
    // Each fault strikes its share of what the ones before it let through.
    let faults = faults();
    #[allow(clippy::cast_precision_loss, reason = "a dozen")]
    let share = 1.0 - (1.0 - RATE).powf(1.0 / faults.len() as f64);
    for (seed, fault) in (1..).zip(faults) {
        stage.sandbox.inject(fault.probability(share, seed));
    }
    stream::iter(0..CUSTOMERS)
        .for_each_concurrent(None, |n| customer(&stage, n, &packages[n % 3].1))
        .await;
    stage.settle().await;
    let report = stage.sandbox.faults();
    let struck: u64 = report.faults.iter().map(|fault| fault.struck).sum();
    stage.sandbox.clear_faults();
    until("nothing is under way in the sandbox", async || {
        stage.sandbox.faults().pending_commits == 0
    })
    .await;

    // Nothing lost: everybody has what they asked for, here and there.
    let snapshot = stage.sandbox.snapshot();
    let partner = stage.twipla.partner_id().to_string();
    let websites = websites_of(&snapshot, &partner);
    assert_eq!(websites.len(), CUSTOMERS);
    for n in 0..CUSTOMERS {
        let sql = format!(
            "SELECT id || ' ' || status || ' ' || package_name FROM sites WHERE customer_id = 'customer-{n}'"
        );
        let rows = stage.texts(&sql).await;
        let status = if n.is_multiple_of(2) && !n.is_multiple_of(4) {
            "canceled"
        } else {
            "active"
        };
        let (package, _) = packages[n % 3];
        assert_eq!(rows.len(), 1, "{n}");
        let id = rows[0].split(' ').next().unwrap();
        assert_eq!(rows[0], format!("{id} {status} {package}"), "{n}");
        assert_eq!(
            websites[id],
            (
                format!("customer-{n}"),
                status.to_owned(),
                package.to_owned()
            )
        );
    }
    // Nothing done twice: one change at TWIPLA for each thing that somebody wanted.
    for (operation, wanted) in [
        ("create_customer", CUSTOMERS),
        ("create_website", CUSTOMERS),
        ("upgrade_website_subscription", CUSTOMERS),
        ("cancel_website_subscription", CUSTOMERS / 2),
        ("resume_website_subscription", CUSTOMERS / 4),
    ] {
        assert_eq!(stage.commits(operation), wanted, "{operation}");
    }
    let orders = "SELECT COUNT(*) FROM orders WHERE state = 'fulfilled'";
    assert_eq!(stage.count(orders).await, i64::try_from(CUSTOMERS).unwrap());
    assert_eq!(
        stage.count("SELECT COUNT(*) FROM orders").await,
        i64::try_from(CUSTOMERS).unwrap()
    );
    // And reconciling finds nothing to do.
    let report = stage.reconcile().await;
    assert_eq!(
        report,
        serde_json::json!({"mended": [], "noted": [], "open": 0})
    );
    assert!(struck > 1000, "only {struck} faults struck");
}

/// Owner, status and package of each website of a partner in the sandbox, by its id.
fn websites_of(snapshot: &Value, partner: &str) -> HashMap<String, (String, String, String)> {
    let partners = snapshot["partners"].as_array().unwrap();
    let partner = partners
        .iter()
        .find(|known| known["id"] == partner)
        .unwrap();
    let packages: HashMap<&str, &str> = partner["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            (
                package["id"].as_str().unwrap(),
                package["name"].as_str().unwrap(),
            )
        })
        .collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let websites = partner["websites"].as_object().unwrap().iter();
    websites
        .map(|(id, website)| {
            let subscription = &website["subscription"];
            let package = packages[subscription["packageId"].as_str().unwrap()];
            let shown = (
                text(&website["intpCustomerId"]),
                text(&subscription["status"]),
                package.to_owned(),
            );
            (id.clone(), shown)
        })
        .collect()
}
