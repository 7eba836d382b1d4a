//! The sandbox's dashboard, alone and in a frame of another origin.

use std::sync::Arc;

use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use twipla::{DashboardUrl, IframeMessage, Twipla};
use twipla_api::types::BillingMode;
use twipla_sandbox::{Model, PartnerConfig, Sandbox};
use twipla_tests::{client, package_named};
use uuid::Uuid;

use crate::harness::{Tools, scenario};
use crate::page::Page;

pub(crate) fn scenarios(tools: Option<&Tools>) -> Vec<Trial> {
    vec![
        scenario("dashboard_shows_charts", tools, shows_charts),
        scenario(
            "dashboard_shows_the_selected_days",
            tools,
            shows_the_selected_days,
        ),
        scenario(
            "dashboard_posts_the_upgrade_button_to_another_origin",
            tools,
            posts_the_upgrade_button,
        ),
        scenario(
            "dashboard_posts_a_completed_upgrade",
            tools,
            posts_a_completed_upgrade,
        ),
        scenario(
            "dashboard_message_of_a_foreign_origin_is_rejected",
            tools,
            rejects_a_foreign_message,
        ),
        scenario(
            "dashboard_reports_an_expired_token",
            tools,
            reports_an_expired_token,
        ),
    ]
}

async fn shows_charts(page: Page) {
    let stage = Stage::new(BillingMode::CompanyManaged).await;
    let url = stage.url().await;
    page.goto(url.as_str()).await;
    page.see("h1", "example.com").await;
    // Nothing is drawn if the policy blocks a style or script.
    let drawn = page
        .browser
        .execute(
            "const size = (css) => [...document.querySelectorAll(css)].map((element) => element.getBoundingClientRect());
             return {
               days: size('.line circle').filter((box) => box.width > 0).length,
               line: size('.line .stroke').every((box) => box.width > 500 && box.height > 50),
               parts: size('.ring .part').filter((box) => box.width > 0).length,
               bars: size('.bar rect:not(.track)').filter((box) => box.width > 0).length,
               styled: getComputedStyle(document.querySelector('.line .stroke')).fill,
             };",
            Vec::new(),
        )
        .await
        .unwrap();
    assert_eq!(
        drawn.json(),
        &serde_json::json!({ "days": 30, "line": true, "parts": 3, "bars": 13, "styled": "none" })
    );
    page.assert_accessible().await;
    page.screenshot("dashboard").await;
    page.color_scheme("dark").await;
    page.screenshot("dashboard-dark").await;
    page.print_figures("dashboard").await;
    page.assert_quiet().await;
}

async fn shows_the_selected_days(page: Page) {
    let stage = Stage::new(BillingMode::CompanyManaged).await;
    page.goto(stage.url().await.as_str()).await;
    let choose = "document.querySelector('[name=startDate]').value = '2026-03-01';
                  document.querySelector('[name=endDate]').value = '2026-03-07';";
    page.browser.execute(choose, Vec::new()).await.unwrap();
    page.click("form.dates button").await;
    page.see("header", "1. März 2026 – 7. März 2026").await;
    page.click("summary").await;
    page.see("tbody tr:last-child", "7. März 2026").await;
    page.assert_accessible().await;
    page.assert_quiet().await;
}

async fn posts_the_upgrade_button(page: Page) {
    let stage = Stage::new(BillingMode::CompanyManaged).await;
    let url = stage.url().await;
    let parent = Parent::around(url.as_str()).await;
    page.goto(&parent.address).await;
    page.browser.enter_frame(0).await.unwrap();
    page.click("#upgrade").await;
    page.see("[role=status]", "weitergegeben").await;
    page.browser.enter_default_frame().await.unwrap();

    let (origin, message) = received(&page).await;
    assert!(IframeMessage::is_trusted_origin(&origin, url.as_str()));
    let IframeMessage::UpgradeButtonClicked {
        intp_website_id,
        intp_customer_id,
        package_name,
        package_id,
        in_trial,
        expires_at,
        billing_interval,
        ..
    } = IframeMessage::parse(&message).unwrap()
    else {
        panic!("{message}");
    };
    let site = stage.twipla.website("w").get().await.unwrap();
    assert_eq!(intp_website_id, Some(site.intp_website_id));
    assert_eq!(intp_customer_id, Some(site.intp_customer_id));
    assert_eq!(package_name, Some(site.package_name));
    assert_eq!(package_id, Some(site.package_id));
    assert_eq!(in_trial, Some(site.in_trial));
    assert_eq!(expires_at, Some(site.expires_at));
    assert_eq!(
        billing_interval.as_deref(),
        Some(site.billing_interval.as_ref())
    );
    page.assert_quiet().await;
}

async fn posts_a_completed_upgrade(page: Page) {
    let stage = Stage::new(BillingMode::PlatformManaged).await;
    let url = stage.url().await;
    let parent = Parent::around(url.as_str()).await;
    page.goto(&parent.address).await;
    page.browser.enter_frame(0).await.unwrap();
    page.click("#upgrade").await;
    page.see("h1", "Paket wählen").await;
    page.screenshot("dashboard-upgrade").await;
    page.click(".offers li:nth-child(5) .button").await;
    page.see("dl", "Pro").await;
    page.click("button[type=submit]").await;
    page.see("h1", "Ihr Paket wurde erweitert").await;
    page.browser.enter_default_frame().await.unwrap();

    let (origin, message) = received(&page).await;
    assert!(IframeMessage::is_trusted_origin(&origin, url.as_str()));
    let IframeMessage::SubscriptionUpgraded { data, .. } = IframeMessage::parse(&message).unwrap()
    else {
        panic!("{message}");
    };
    let site = stage.twipla.website("w").get().await.unwrap();
    assert_eq!(data["packageId"], site.package_id.to_string());
    assert_eq!(data["packageName"], site.package_name);
    assert_eq!(site.package_name, "Pro");
    page.assert_quiet().await;

    // The accessibility of the pages on their own.
    let upgrade = url.as_str().replace("/?", "/upgrade?");
    for address in [
        upgrade.clone(),
        format!("{upgrade}&upgradePackageId={}", stage.unicorn().await),
    ] {
        page.goto(&address).await;
        page.find("main").await;
        page.assert_accessible().await;
    }
}

async fn rejects_a_foreign_message(page: Page) {
    let stage = Stage::new(BillingMode::CompanyManaged).await;
    let url = stage.url().await;
    let forger = Parent::serving(
        "<!doctype html><title>forger</title><script>
         parent.postMessage({ type: 'SUBSCRIPTION_UPGRADED', data: { packageName: 'Unicorn' } }, '*');
         </script>"
            .to_owned(),
    )
    .await;
    let parent = Parent::around(&forger.address).await;
    page.goto(&parent.address).await;
    let (origin, message) = received(&page).await;
    assert!(
        IframeMessage::parse(&message).is_ok(),
        "only the origin gives it away"
    );
    assert!(!IframeMessage::is_trusted_origin(&origin, url.as_str()));
}

async fn reports_an_expired_token(page: Page) {
    let stage = Stage::new(BillingMode::CompanyManaged).await;
    let url = stage.url().await;
    // The same partner an hour later, so that the test need not wait.
    let id = stage.twipla.partner_id();
    let mut partners = stage.sandbox.partners().iter();
    let partner = partners.find(|partner| partner.id() == id).unwrap();
    let same =
        PartnerConfig::new(id.into(), Model::Website).private_key_pem(partner.private_key_pem());
    let later = Sandbox::builder()
        .partner(same)
        .clock_offset(chrono::Duration::hours(1))
        .start()
        .await
        .unwrap();
    let expired = url
        .as_str()
        .replace(stage.sandbox.base_url(), later.base_url());
    page.goto(&expired).await;
    page.see("[role=alert]", "Das Token ist abgelaufen.").await;
    page.assert_accessible().await;
    page.screenshot("dashboard-expired").await;
    let errors = page.console_errors().await;
    assert!(errors.len() == 1 && errors[0].contains("401"), "{errors:?}");
    assert!(page.foreign_requests().await.is_empty());
}

/// A sandbox with a partner whose customer `c` has website `w`.
struct Stage {
    sandbox: Sandbox,
    twipla: Twipla,
}

impl Stage {
    async fn new(billing: BillingMode) -> Self {
        let id = Uuid::new_v4();
        let config = PartnerConfig::new(id, Model::Website).billing_mode(billing);
        let sandbox = Sandbox::builder().partner(config).start().await.unwrap();
        let mut partners = sandbox.partners().iter();
        let partner = partners.find(|partner| partner.id() == id.into()).unwrap();
        let twipla = client(&sandbox, partner).build().unwrap();
        let create = twipla.customers().create("c", "c@example.com");
        create.website("w", "example.com").await.unwrap();
        Self { sandbox, twipla }
    }

    async fn url(&self) -> DashboardUrl {
        let url = self.twipla.dashboard("c", "w").locale("de");
        url.timezone("Europe/Berlin")
            .allow_upgrade(true)
            .await
            .unwrap()
    }

    async fn unicorn(&self) -> String {
        let package = package_named(&self.twipla, "Unicorn").await;
        package.unwrap().unwrap().to_string()
    }
}

/// A server for one page under its own origin.
struct Parent {
    address: String,
    server: JoinHandle<()>,
}

impl Parent {
    /// Serves a page that frames a URL like a partner's page, and keeps the
    /// messages posted to it.
    async fn around(address: &str) -> Self {
        let address = address.replace('&', "&amp;");
        Self::serving(format!(
            "<!doctype html><html lang=en><title>parent</title><link rel=icon href=data:,><script>
             window.received = [];
             addEventListener('message', (event) => received.push([event.origin, JSON.stringify(event.data)]));
             </script>
             <iframe title=dashboard width=1200 height=800 sandbox='allow-scripts allow-forms allow-same-origin'
             src=\"{address}\"></iframe>"
        ))
        .await
    }

    async fn serving(html: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let html: Arc<str> = html.into();
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let html = Arc::clone(&html);
                tokio::spawn(async move {
                    // A browser's request fits into one read.
                    let _ = stream.read(&mut [0; 8192]).await;
                    let length = html.len();
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close";
                    let response = format!("{head}\r\nContent-Length: {length}\r\n\r\n{html}");
                    let _ = stream.write_all(response.as_bytes()).await;
                });
            }
        });
        Self { address, server }
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Returns the origin and text of the only message received by the parent page.
async fn received(page: &Page) -> (String, String) {
    let wait = "const done = arguments[0];
                const check = () => received.length ? done(received) : setTimeout(check, 20);
                check();";
    let messages = page.browser.execute_async(wait, Vec::new()).await.unwrap();
    let messages: Vec<(String, String)> =
        serde_json::from_value::<Vec<_>>(messages.json().clone()).unwrap();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.into_iter().next().unwrap()
}
