//! The sandbox's console.

use std::time::Duration;

use libtest_mimic::Trial;
use thirtyfour::prelude::*;
use twipla::Twipla;
use twipla_sandbox::{Fault, FaultKind, Sandbox};
use twipla_tests::client;

use crate::harness::{Tools, scenario};
use crate::page::Page;

pub(crate) fn scenarios(tools: Option<&Tools>) -> Vec<Trial> {
    vec![
        scenario("console_shows_a_new_request", tools, shows_a_new_request),
        scenario("console_advances_the_clock", tools, advances_the_clock),
        scenario(
            "console_injects_and_clears_a_fault",
            tools,
            injects_and_clears_a_fault,
        ),
        scenario(
            "console_shows_why_a_fault_is_rejected",
            tools,
            shows_why_a_fault_is_rejected,
        ),
        scenario("console_confirms_a_reset", tools, confirms_a_reset),
        scenario("console_downloads_the_state", tools, downloads_the_state),
        scenario("console_keeps_details_open", tools, keeps_details_open),
        scenario(
            "console_reports_that_the_sandbox_is_unreachable",
            tools,
            reports_that_the_sandbox_is_unreachable,
        ),
        scenario(
            "console_reconnects_after_a_restart",
            tools,
            reconnects_after_a_restart,
        ),
        scenario("console_updates_the_clock", tools, updates_the_clock),
    ]
}

async fn shows_a_new_request(page: Page) {
    let stage = Stage::open(&page).await;
    page.see("#requests", "None yet").await;
    stage.create().await;
    page.see("#accounts", "site-7").await;
    page.see("#requests", "POST /v2/3as/customers").await;
    stage.sandbox.inject(
        Fault::new(FaultKind::Gateway(524))
            .operation("create_website")
            .times(3),
    );
    page.see("#active-faults", "create_website").await;
    page.assert_accessible().await;
    page.screenshot("console").await;
    page.color_scheme("dark").await;
    page.screenshot("console-dark").await;
    page.print_figures("console").await;
    page.assert_quiet().await;
}

async fn advances_the_clock(page: Page) {
    let stage = Stage::open(&page).await;
    page.fill("#days", "40").await;
    page.click("#clock button").await;
    page.see("#clock-times", "40 days 0 hours").await;
    let before = stage.sandbox.snapshot();
    stage.create().await;
    assert_ne!(stage.sandbox.snapshot(), before);
    page.assert_quiet().await;
}

async fn injects_and_clears_a_fault(page: Page) {
    let stage = Stage::open(&page).await;
    page.click("#inject summary").await;
    choose(&page, "#kind", "resetAfterCommit").await;
    choose(&page, "#operation", "create_customer").await;
    page.fill("#times", "2").await;
    page.click("#inject form button").await;
    page.see("#active-faults", "resetAfterCommit").await;
    stage.create().await;
    page.see("#active-faults td.number:nth-of-type(2)", "1")
        .await;
    page.click("#active-faults td button").await;
    page.see("#active-faults", "No active faults").await;
    assert_eq!(stage.sandbox.faults().faults, []);
    page.assert_quiet().await;
}

async fn shows_why_a_fault_is_rejected(page: Page) {
    let _stage = Stage::open(&page).await;
    page.click("#inject summary").await;
    choose(&page, "#kind", "gateway").await;
    page.fill("#value", "418").await;
    page.click("#inject form button").await;
    page.see(
        "#message",
        "invalid gateway status 418: expected 502 to 504",
    )
    .await;
    page.fill("#value", "524").await;
    page.click("#inject form button").await;
    page.see("#active-faults", "524").await;
    assert_eq!(page.find("#message").await.inner_html().await.unwrap(), "");
}

async fn confirms_a_reset(page: Page) {
    let stage = Stage::open(&page).await;
    stage.create().await;
    page.see("#accounts", "site-7").await;
    let button = page.find("#reset form button").await;
    assert!(
        !button.is_displayed().await.unwrap(),
        "one click would be enough"
    );
    page.click("#reset summary").await;
    page.click("#reset form button").await;
    page.see("#requests", "None yet").await;
    assert!(!stage.sandbox.snapshot().to_string().contains("site-7"));
    assert!(!button.is_displayed().await.unwrap(), "it is still open");
    page.assert_quiet().await;
}

async fn downloads_the_state(page: Page) {
    let stage = Stage::open(&page).await;
    stage.create().await;
    let link = page.find("a[download]").await;
    assert_eq!(
        link.attr("download").await.unwrap().as_deref(),
        Some("sandbox-state.json")
    );
    let fetched = page
        .browser
        .execute_async(
            "const done = arguments[1]; fetch(arguments[0]).then((response) => response.json()).then(done);",
            vec![serde_json::json!(link.prop("href").await.unwrap())],
        )
        .await
        .unwrap();
    assert_eq!(fetched.json(), &stage.sandbox.snapshot());
}

async fn keeps_details_open(page: Page) {
    let stage = Stage::open(&page).await;
    stage.create().await;
    page.click("#requests summary").await;
    page.see("#requests dl", "create_customer").await;
    stage.twipla.website("site-7").get().await.unwrap();
    page.see("#requests", "GET /v2/3as/websites/site-7").await;
    let open = page
        .browser
        .find_all(By::Css("#requests details[open]"))
        .await
        .unwrap();
    assert_eq!(open.len(), 1);
    assert!(open[0].text().await.unwrap().contains("create_customer"));
    page.assert_quiet().await;
}

async fn reports_that_the_sandbox_is_unreachable(page: Page) {
    let stage = Stage::open(&page).await;
    page.see("#live", "Live").await;
    stage.sandbox.stop().await;
    page.see("#live", "cannot be reached").await;
}

async fn reconnects_after_a_restart(page: Page) {
    let stage = Stage::open(&page).await;
    let address = stage.sandbox.base_url().strip_prefix("http://").unwrap();
    let address = address.parse().unwrap();
    stage.sandbox.stop().await;
    page.see("#live", "cannot be reached").await;
    let again = Sandbox::builder().listen(address).start().await.unwrap();
    page.see("#live", "Live").await;
    page.fill("#days", "40").await;
    page.click("#clock button").await;
    page.see("#clock-times", "40 days 0 hours").await;
    again.stop().await;
}

async fn updates_the_clock(page: Page) {
    let _stage = Stage::open(&page).await;
    let first = page.find("#clock-times time").await.text().await.unwrap();
    let changed = page
        .browser
        .query(By::Css("#clock-times time"))
        .with_filter(move |time: WebElement| {
            let first = first.clone();
            async move { Ok(time.text().await? != first) }
        })
        .wait(Duration::from_secs(20), Duration::from_millis(50))
        .exists()
        .await
        .unwrap();
    assert!(changed, "it stands still while nothing else changes");
    page.assert_quiet().await;
}

struct Stage {
    sandbox: Sandbox,
    twipla: Twipla,
}

impl Stage {
    /// A new sandbox, with its console on the page.
    async fn open(page: &Page) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let twipla = client(&sandbox, &sandbox.website_partner())
            .build()
            .unwrap();
        page.goto(&format!("{}/__sandbox/", sandbox.base_url()))
            .await;
        page.see("#live", "Live").await;
        Self { sandbox, twipla }
    }

    async fn create(&self) {
        self.twipla
            .customers()
            .create("cust-42", "owner@example.com")
            .website("site-7", "example.com")
            .await
            .unwrap();
    }
}

async fn choose(page: &Page, css: &str, value: &str) {
    let option = page.find(&format!("{css} option[value={value}]")).await;
    option.click().await.unwrap();
}
