//! A page of the browser, and the checks of the scenarios.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::prelude::*;
use twipla::url::{Host, Url};

/// How long to wait for a page to show something, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The tab used by a scenario.
pub(crate) struct Page {
    /// For everything that has no method here.
    pub(crate) browser: WebDriver,
    axe: String,
}

impl Page {
    pub(crate) fn new(browser: WebDriver, axe: String) -> Self {
        Self { browser, axe }
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.browser.goto(url).await.unwrap();
    }

    /// Waits for the first element that matches the selector.
    pub(crate) async fn find(&self, css: &str) -> WebElement {
        self.browser
            .query(By::Css(css))
            .wait(PATIENCE, Duration::from_millis(50))
            .first()
            .await
            .unwrap_or_else(|error| panic!("{css} is not on the page: {error}"))
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await;
        element
            .wait_until()
            .wait(PATIENCE, Duration::from_millis(50))
            .clickable()
            .await
            .unwrap();
        element.click().await.unwrap();
    }

    /// Replaces the text of a field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Waits until the text of an element contains `expected`.
    pub(crate) async fn see(&self, css: &str, expected: &str) {
        let found = self
            .browser
            .query(By::Css(css))
            .with_filter({
                let expected = expected.to_owned();
                move |element: WebElement| {
                    let expected = expected.clone();
                    // An element that has been replaced in the meantime has no
                    // text.
                    async move {
                        Ok(element
                            .text()
                            .await
                            .is_ok_and(|text| text.contains(&expected)))
                    }
                }
            })
            .wait(PATIENCE, Duration::from_millis(50))
            .exists()
            .await
            .unwrap();
        if !found {
            let text = self.find("body").await.text().await.unwrap();
            panic!("{css} does not come to say {expected:?}; the page says:\n{text}");
        }
    }

    /// Emulates a `prefers-color-scheme`.
    pub(crate) async fn color_scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.browser
            .cdp()
            .send_raw("Emulation.setEmulatedMedia", features)
            .await
            .unwrap();
    }

    /// Fails if axe-core finds serious violations in light or dark mode.
    pub(crate) async fn assert_accessible(&self) {
        for scheme in ["light", "dark"] {
            self.color_scheme(scheme).await;
            let problems = self.accessibility_problems().await;
            assert!(problems.is_empty(), "in {scheme}: {problems:#?}");
        }
        self.color_scheme("light").await;
    }

    /// Returns the serious and critical violations found by axe-core, with the offending elements.
    pub(crate) async fn accessibility_problems(&self) -> Vec<String> {
        self.browser.execute(&self.axe, Vec::new()).await.unwrap();
        let found = self
            .browser
            .execute_async(
                "const done = arguments[0]; axe.run().then(done, (error) => done({ error: String(error) }));",
                Vec::new(),
            )
            .await
            .unwrap();
        let found = found.json();
        found["violations"]
            .as_array()
            .unwrap_or_else(|| panic!("axe-core failed: {found}"))
            .iter()
            .filter(|rule| rule["impact"] == "serious" || rule["impact"] == "critical")
            .map(|rule| format!("{}: {}", rule["id"], rule["nodes"]))
            .collect()
    }

    /// Fails on errors in the browser's console and on requests to other
    /// machines.
    pub(crate) async fn assert_quiet(&self) {
        assert_eq!(self.console_errors().await, Vec::<String>::new());
        assert_eq!(self.foreign_requests().await, Vec::<String>::new());
    }

    /// Returns the errors in the browser's console since the last call: from scripts, from the
    /// content security policy, and failed responses.
    pub(crate) async fn console_errors(&self) -> Vec<String> {
        self.browser
            .get_log("browser")
            .await
            .unwrap()
            .into_iter()
            .filter(|entry| entry.level == "SEVERE")
            .map(|entry| entry.message)
            .collect()
    }

    /// Returns the requests since the last call that were sent to other
    /// machines.
    pub(crate) async fn foreign_requests(&self) -> Vec<String> {
        self.browser
            .get_log("performance")
            .await
            .unwrap()
            .iter()
            .filter_map(|entry| {
                let event: Value = serde_json::from_str(&entry.message).unwrap();
                let event = &event["message"];
                (event["method"] == "Network.requestWillBeSent").then(|| {
                    event["params"]["request"]["url"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
            })
            .filter(|url| !stays_here(url))
            .collect()
    }

    /// Saves a screenshot of the page as `target/screenshots/NAME.png`.
    pub(crate) async fn screenshot(&self, name: &str) {
        let folder = Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../target/screenshots"
        ));
        std::fs::create_dir_all(folder).unwrap();
        self.browser
            .screenshot(&folder.join(format!("{name}.png")))
            .await
            .unwrap();
    }

    /// Prints the weight of the page as it was loaded last, and the milliseconds to its first paint.
    pub(crate) async fn print_figures(&self, name: &str) {
        let found = self
            .browser
            .execute_async(
                "const done = arguments[0];
                 const measure = () => {
                   const paint = performance.getEntriesByName('first-paint')[0];
                   if (!paint) return setTimeout(measure, 20);
                   const loaded = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
                   done([loaded.reduce((sum, entry) => sum + entry.transferSize, 0), loaded.length, paint.startTime]);
                 };
                 measure();",
                Vec::new(),
            )
            .await
            .unwrap();
        let (bytes, requests, first_paint): (u64, u64, f64) =
            serde_json::from_value(found.json().clone()).unwrap();
        eprintln!(
            "{name}: {bytes} bytes in {requests} requests, first paint after {first_paint:.0} ms"
        );
    }
}

fn stays_here(url: &str) -> bool {
    let url = Url::parse(url).unwrap();
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // `data:` and `blob:` URLs send no request.
        None => true,
    }
}
