//! The partner's portal, with the sandbox's dashboard in its frame.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use twipla::{Twipla, TwiplaBuilder};
use twipla_portal::{Pace, Portal, Settings, Store, demo, reconcile};
use twipla_sandbox::{Model, PartnerConfig, Sandbox};

use crate::harness::{Tools, scenario};
use crate::page::Page;

pub(crate) fn scenarios(tools: Option<&Tools>) -> Vec<Trial> {
    vec![
        scenario(
            "portal_creates_upgrades_cancels_and_resumes",
            tools,
            subscribe_and_cancel,
        ),
        scenario("portal_shows_a_customer_with_a_history", tools, history),
        scenario(
            "portal_ignores_messages_of_foreign_origins",
            tools,
            foreign_messages,
        ),
        scenario(
            "portal_asks_to_sign_in_when_the_session_has_ended",
            tools,
            session_over,
        ),
        scenario(
            "portal_shows_the_dashboard_error_for_an_expired_token",
            tools,
            expired_token,
        ),
        scenario("portal_shows_errors", tools, problems),
        scenario(
            "portal_frames_only_the_dashboard",
            tools,
            frames_only_the_dashboard,
        ),
    ]
}

async fn subscribe_and_cancel(page: Page) {
    let stage = Stage::start().await;
    page.goto(&stage.portal.url()).await;
    page.see("h1", "Sign in").await;
    page.assert_accessible().await;
    page.screenshot("portal-sign-in").await;
    page.click("input[value=demo-harbour]").await;
    page.click("main button").await;

    page.see("h1", "Your sites").await;
    page.see(".lead", "You have no site yet").await;
    page.assert_accessible().await;
    page.fill("#domain", "harbour.example").await;
    page.click("form[action='/sites'] button").await;

    // The page updates by itself once the website exists at TWIPLA.
    page.see("h1", "harbour.example").await;
    page.see("#tracking-code", "tracking code for harbour.example")
        .await;
    page.see(".figure", "Free trial").await;
    page.click("[data-copy]").await;
    page.see("[data-copied]", "ed").await;
    let copied = page.run("return getSelection().toString() || document.querySelector('[data-copied]').textContent").await;
    let copied = copied.as_str().unwrap();
    assert!(
        copied == "Copied." || copied.contains("tracking code"),
        "{copied}"
    );
    page.assert_accessible().await;
    page.screenshot("portal-site").await;
    let site = page.run("return location.pathname").await;
    let id = site
        .as_str()
        .unwrap()
        .strip_prefix("/sites/")
        .unwrap()
        .to_owned();
    assert_eq!(
        stage.twipla.website(&*id).get().await.unwrap().domain,
        "harbour.example"
    );

    // The dashboard posts the upgrade request, and the portal opens its plans.
    page.click("a[href$='/analytics']").await;
    page.browser.enter_frame(0).await.unwrap();
    page.see("h1", "harbour.example").await;
    page.click("#upgrade").await;
    page.browser.enter_default_frame().await.unwrap();
    page.see("dialog[open] h2", "Choose a plan").await;
    page.see("dialog[open] .plans", "€39.99 a month").await;
    page.assert_accessible().await;
    page.screenshot("portal-upgrade").await;
    page.color_scheme("dark").await;
    page.screenshot("portal-upgrade-dark").await;
    page.color_scheme("light").await;
    page.click("dialog[open] label:nth-of-type(2) input").await;
    page.click("dialog[open] [data-plans] button").await;

    page.see("h1", "Payment").await;
    page.see("dl", "Advanced").await;
    page.see("main button", "Pay €24.99").await;
    page.assert_accessible().await;
    page.screenshot("portal-payment").await;
    page.click("main button").await;
    page.see(".figure", "Advanced").await;
    page.see("main", "Advanced for €24.99, paid and switched on")
        .await;

    page.click("form[action$='/cancel'] button").await;
    page.see(".badge", "Canceled").await;
    page.see("main", "You can resume until then").await;
    page.assert_accessible().await;
    page.click("form[action$='/resume'] button").await;
    page.see(".badge", "Active").await;

    page.fill("#email", "studio@lindholm.example").await;
    page.click("form[action$='/contributors'] button").await;
    page.see(".people", "watcher, active").await;
    page.assert_accessible().await;
    let shown = stage
        .twipla
        .website(&*id)
        .contributors()
        .list()
        .await
        .unwrap();
    assert_eq!(
        shown.contributors.watcher[0].intp_customer_id,
        "demo-lindholm"
    );

    page.click(".account button").await;
    page.see("h1", "Sign in").await;
    page.quiet().await;
}

async fn history(page: Page) {
    let stage = Stage::start().await;
    stage.sign_in(&page, "demo-nova").await;
    page.see("tbody", "bakery-nova.example").await;
    page.see("tbody", "sourdough-diary.example").await;
    page.assert_accessible().await;
    page.screenshot("portal-sites").await;
    page.print_figures("portal").await;
    page.color_scheme("dark").await;
    page.screenshot("portal-sites-dark").await;
    page.click("tbody a[href$='demo-nova-shop']").await;
    page.see(".figure", "Basic").await;
    // The same plans as a page instead of a modal.
    page.click("a[href$='/plans']").await;
    page.see("h1", "Choose a plan").await;
    page.see(".badge", "Your plan").await;
    page.assert_accessible().await;
    page.screenshot("portal-plans").await;
    page.quiet().await;
}

async fn foreign_messages(page: Page) {
    let stage = Stage::start().await;
    stage.sign_in(&page, "demo-nova").await;
    let analytics = format!("{}/sites/demo-nova-shop/analytics", stage.portal.url());
    // A page of another origin opens the portal and posts the dashboard's message. Its host is that
    // of the sandbox: only the port differs from the dashboard's.
    let forger = Sandbox::start().await.unwrap();
    page.goto(&format!("{}/nothing", forger.base_url())).await;
    let opened = page.browser.window().await.unwrap();
    page.run(&format!("window.portal = window.open('{analytics}')"))
        .await;
    let windows = page.browser.windows().await.unwrap();
    let portal = windows
        .into_iter()
        .find(|window| *window != opened)
        .unwrap();
    page.browser.switch_to_window(portal.clone()).await.unwrap();
    page.find("iframe").await;
    page.see_ready().await;
    page.browser.switch_to_window(opened).await.unwrap();
    let message = json!({
        "type": "UPGRADE_BUTTON_CLICKED",
        "data": {"intpWebsiteId": "demo-nova-shop", "intpCustomerId": "demo-nova"},
    });
    page.run(&format!("window.portal.postMessage({message}, '*')"))
        .await;
    page.browser.switch_to_window(portal).await.unwrap();
    // Nor may the page itself, or a window that has the dashboard's origin and is not the frame.
    page.run(&format!("window.postMessage({message}, '*')"))
        .await;
    let dashboard = stage.twipla.dashboard_origin();
    let dispatched = |origin: &str, source: &str| {
        format!(
            "window.dispatchEvent(new MessageEvent('message', {{data: {message}, origin: '{origin}', source: {source}}}))"
        )
    };
    page.run(&dispatched(&dashboard, "window")).await;
    // What comes out of the frame is judged by the server: by its origin.
    let frame = "document.querySelector('iframe').contentWindow";
    page.run(&dispatched(forger.base_url(), frame)).await;
    assert_eq!(page.responses_to_messages(1).await, json!([204]));
    assert_eq!(
        page.run("return document.getElementById('upgrade').open")
            .await,
        false
    );
    // Messages that are not about an upgrade cause no request.
    page.run("window.postMessage({type: 'RESIZE'}, '*'); window.postMessage('x', '*')")
        .await;

    page.browser.enter_frame(0).await.unwrap();
    page.click("#upgrade").await;
    page.browser.enter_default_frame().await.unwrap();
    page.see("dialog[open]", "Choose a plan").await;
    assert_eq!(page.responses_to_messages(2).await, json!([204, 200]));
    let foreign = page.foreign_requests().await;
    assert!(foreign.is_empty(), "{foreign:?}");
}

async fn session_over(page: Page) {
    let stage = Stage::start().await;
    stage.sign_in(&page, "demo-nova").await;
    page.click("tbody a[href$='demo-nova-shop']").await;
    page.click("a[href$='/analytics']").await;
    page.browser.enter_frame(0).await.unwrap();
    page.find("#upgrade").await;
    page.browser.enter_default_frame().await.unwrap();
    page.browser.delete_all_cookies().await.unwrap();
    page.browser.enter_frame(0).await.unwrap();
    page.click("#upgrade").await;
    page.browser.enter_default_frame().await.unwrap();
    // As a page of its own, and not in the place of the plans.
    page.see("h1", "Sign in").await;
    assert_eq!(page.run("return location.pathname").await, "/sign-in");
    page.quiet().await;
}

async fn expired_token(page: Page) {
    // The dashboard's clock is an hour ahead of the API's, so the test need not wait for a token to
    // expire.
    let sandbox = Sandbox::start().await.unwrap();
    let partner = sandbox.website_partner();
    let same = PartnerConfig::new(partner.id().into(), Model::Website)
        .private_key_pem(partner.private_key_pem());
    let later = Sandbox::builder()
        .partner(same)
        .clock_offset(chrono::Duration::hours(1));
    let later = later.start().await.unwrap();
    let stage = Stage::with(sandbox, |client| client.dashboard_url(later.base_url())).await;
    stage.sign_in(&page, "demo-nova").await;
    page.goto(&format!(
        "{}/sites/demo-nova-shop/analytics",
        stage.portal.url()
    ))
    .await;
    page.browser.enter_frame(0).await.unwrap();
    page.see("[role=alert]", "expired").await;
    page.browser.enter_default_frame().await.unwrap();
    page.assert_accessible().await;
    page.screenshot("portal-expired").await;
    let errors = page.console_errors().await;
    assert!(errors.len() == 1 && errors[0].contains("401"), "{errors:?}");
}

async fn problems(page: Page) {
    let stage = Stage::start().await;
    stage.sign_in(&page, "demo-nova").await;
    let url = stage.portal.url();
    page.goto(&format!("{url}/sites/somebody-elses")).await;
    page.see("h1", "Not found").await;
    page.assert_accessible().await;
    let fault = twipla_sandbox::Fault::new(twipla_sandbox::FaultKind::Gateway(503));
    stage.sandbox.inject(fault.operation("list_packages"));
    page.goto(&format!("{url}/sites/demo-nova-shop/plans"))
        .await;
    page.see("h1", "The analytics service does not answer")
        .await;
    page.see(".lead", "Please try again in").await;
    page.assert_accessible().await;
    page.screenshot("portal-unavailable").await;
    stage.sandbox.clear_faults();
    page.goto(&format!("{url}/sites/demo-nova-shop/plans"))
        .await;
    page.see("h1", "Choose a plan").await;
    // One error in the console for each of the two failed responses.
    let errors = page.console_errors().await;
    assert_eq!(errors.len(), 2, "{errors:?}");
}

async fn frames_only_the_dashboard(page: Page) {
    let stage = Stage::start().await;
    stage.sign_in(&page, "demo-nova").await;
    page.goto(&format!(
        "{}/sites/demo-nova-shop/analytics",
        stage.portal.url()
    ))
    .await;
    page.browser.enter_frame(0).await.unwrap();
    page.see("h1", "bakery-nova.example").await;
    page.browser.enter_default_frame().await.unwrap();
    page.quiet().await;
    let forger = Sandbox::start().await.unwrap();
    page.run(&format!(
        "document.querySelector('iframe').src = '{}/'",
        forger.base_url()
    ))
    .await;
    let errors = page.errors(1).await;
    assert!(
        errors[0].contains("Content Security Policy") || errors[0].contains("frame-src"),
        "{errors:?}"
    );
}

/// The portal with its demonstration data: three customers, one of them with a
/// history.
struct Stage {
    sandbox: Sandbox,
    twipla: Twipla,
    portal: Portal,
}

impl Stage {
    async fn start() -> Self {
        Self::with(Sandbox::start().await.unwrap(), |client| client).await
    }

    async fn with(sandbox: Sandbox, adjust: impl Fn(TwiplaBuilder) -> TwiplaBuilder) -> Self {
        let twipla = adjust(demo::client(&sandbox).unwrap()).build().unwrap();
        let store = Store::open("sqlite::memory:").await.unwrap();
        demo::customers(&store).await.unwrap();
        demo::history(&twipla).await.unwrap();
        reconcile(&twipla, &store).await.unwrap();
        let settings = Settings {
            pace: Pace {
                poll: Duration::from_millis(50),
                ..Pace::default()
            },
            ..Settings::default()
        };
        let portal = Portal::start(twipla.clone(), store, settings)
            .await
            .unwrap();
        Self {
            sandbox,
            twipla,
            portal,
        }
    }

    async fn sign_in(&self, page: &Page, customer: &str) {
        page.goto(&format!("{}/sign-in", self.portal.url())).await;
        page.click(&format!("input[value={customer}]")).await;
        page.click("main button").await;
        page.see("h1", "Your sites").await;
    }
}

impl Page {
    /// Runs a script in the page and returns its result.
    async fn run(&self, script: &str) -> Value {
        let result = self.browser.execute(script, Vec::new()).await.unwrap();
        result.json().clone()
    }

    /// Waits until the page and its scripts have loaded.
    async fn see_ready(&self) {
        let wait = "const done = arguments[0];
                    const check = () => document.readyState === 'complete' ? done() : setTimeout(check, 20);
                    check();";
        self.browser.execute_async(wait, Vec::new()).await.unwrap();
    }

    /// Waits for this many responses of the portal to forwarded messages, and returns them.
    async fn responses_to_messages(&self, count: usize) -> Value {
        let wait = format!(
            "const done = arguments[0];
             const check = () => {{
               const all = performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/messages'));
               all.length >= {count} ? done(all.map((entry) => entry.responseStatus)) : setTimeout(check, 20);
             }};
             check();"
        );
        let responses = self.browser.execute_async(wait, Vec::new()).await.unwrap();
        responses.json().clone()
    }

    /// Waits for this many errors in the console, and returns them.
    async fn errors(&self, count: usize) -> Vec<String> {
        let mut errors = Vec::new();
        while errors.len() < count {
            errors.extend(self.console_errors().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        errors
    }

    /// Fails on errors in the browser and on requests to other machines.
    async fn quiet(&self) {
        assert_eq!(self.console_errors().await, Vec::<String>::new());
        assert_eq!(self.foreign_requests().await, Vec::<String>::new());
    }
}
