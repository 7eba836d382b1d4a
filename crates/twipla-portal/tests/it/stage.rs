//! A sandbox, a portal in front of it, and browsers.

use std::time::{Duration, Instant};

use reqwest::{Client, Response, StatusCode};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, Row as _};
use tempfile::TempDir;
use twipla::{RetryPolicy, Twipla, TwiplaBuilder};
use twipla_portal::{Customer, Pace, Portal, Settings, Store, demo};
use twipla_sandbox::{Fault, FaultKind, Sandbox};

/// Nothing here takes so long, whatever else the machine does.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) const TOKEN: &str = "operator";

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) twipla: Twipla,
    /// The database as others see it.
    pub(crate) rows: AnyPool,
    pub(crate) database: String,
    portal: Option<Portal>,
    _folder: TempDir,
}

impl Stage {
    /// A portal with the customers `ada` and `grace`, on a database in a file.
    pub(crate) async fn start() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("portal.db").display());
        Self::on(database, folder, settings, |client| client).await
    }

    pub(crate) async fn on(
        database: String,
        folder: TempDir,
        settings: Settings,
        adjust: impl Fn(TwiplaBuilder) -> TwiplaBuilder,
    ) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let retry = RetryPolicy::default().base_delay(Duration::from_millis(1));
        let client = demo::client(&sandbox).unwrap().retry(retry);
        let twipla = adjust(client).build().unwrap();
        let store = Store::open(&database).await.unwrap();
        for (id, name) in [("ada", "Ada"), ("grace", "Grace")] {
            add_customer(&store, id, name).await;
        }
        let rows = AnyPool::connect(&database).await.unwrap();
        let portal = Portal::start(twipla.clone(), store, settings)
            .await
            .unwrap();
        Self {
            sandbox,
            twipla,
            rows,
            database,
            portal: Some(portal),
            _folder: folder,
        }
    }

    /// Ends the portal as a crash does.
    pub(crate) fn crash(&mut self) {
        self.portal = None;
    }

    /// Starts the portal anew, on the same database.
    pub(crate) async fn restart(&mut self, settings: Settings) {
        let store = self.store().await;
        let portal = Portal::start(self.twipla.clone(), store, settings).await;
        self.portal = Some(portal.unwrap());
    }

    pub(crate) async fn stop(&mut self) {
        self.portal.take().unwrap().stop().await;
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.database).await.unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.portal.as_ref().unwrap().url()
    }

    /// A browser in which somebody is signed in.
    pub(crate) async fn browser(&self, customer: &str) -> Browser {
        let browser = self.stranger();
        browser.sign_in(customer).await;
        browser
    }

    /// A browser in which nobody is signed in.
    pub(crate) fn stranger(&self) -> Browser {
        browser_at(&self.url())
    }

    /// The values of a column of text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.rows);
        let text = |row: &AnyRow| row.try_get::<Option<String>, _>(0).unwrap();
        let rows = rows.await.unwrap();
        rows.iter()
            .map(|row| text(row).unwrap_or_default())
            .collect()
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&self.rows);
        row.await.unwrap().try_get(0).unwrap()
    }

    /// Waits until nothing is in the outbox.
    pub(crate) async fn settle(&self) {
        until("the outbox is empty", async || {
            self.count("SELECT COUNT(*) FROM outbox WHERE state = 'open'")
                .await
                == 0
        })
        .await;
    }

    pub(crate) fn commits(&self, operation: &str) -> usize {
        let commits = self.sandbox.commits();
        commits
            .iter()
            .filter(|commit| commit.operation == operation)
            .count()
    }

    /// How many requests of an operation the sandbox has received.
    pub(crate) fn requests(&self, operation: &str) -> usize {
        let requests = self.sandbox.requests();
        requests
            .iter()
            .filter(|request| request.operation == Some(operation))
            .count()
    }

    pub(crate) fn fault_once(&self, operation: &str, kind: FaultKind) {
        self.sandbox
            .inject(Fault::new(kind).operation(operation).times(1));
    }

    /// Compares the database with TWIPLA, as an operator does.
    pub(crate) async fn reconcile(&self) -> serde_json::Value {
        let answer = Client::new()
            .post(format!("{}/reconcile", self.url()))
            .bearer_auth(TOKEN)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// The id of the package that people know by this name.
    pub(crate) fn package(&self, name: &str) -> String {
        let packages = self.sandbox.packages(self.sandbox.website_partner().id());
        let mut packages = packages.into_iter();
        let (_, id) = packages.find(|(known, _)| known == name).unwrap();
        id.to_string()
    }
}

/// Settings for tests: what waits, waits less.
pub(crate) fn settings() -> Settings {
    Settings {
        operator_token: Some(TOKEN.to_owned()),
        pace: Pace {
            poll: Duration::from_millis(20),
            quiet: Duration::from_millis(400),
            first_delay: Duration::from_millis(20),
            longest_delay: Duration::from_millis(200),
            reconcile: Duration::from_hours(1),
            ..Pace::default()
        },
        ..Settings::default()
    }
}

pub(crate) async fn add_customer(store: &Store, id: &str, name: &str) {
    let customer = Customer {
        id: id.to_owned(),
        name: name.to_owned(),
        email: format!("{id}@example.com"),
    };
    store.add_customer(&customer).await.unwrap();
}

pub(crate) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !so().await {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A browser in which nobody is signed in, for the portal at an address.
pub(crate) fn browser_at(url: &str) -> Browser {
    Browser {
        url: url.to_owned(),
        // Without the system's certificates, which take a while to read: nothing here is https.
        client: Client::builder()
            .cookie_store(true)
            .tls_certs_only([])
            .build()
            .unwrap(),
    }
}

/// A person's browser: cookies, forms, and following where it is led.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) url: String,
    pub(crate) client: Client,
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) path: String,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) async fn sign_in(&self, customer: &str) {
        let page = self
            .submit("/sign-in", "/sign-in", &[("customer", customer)])
            .await;
        assert_eq!((page.status.as_u16(), &*page.path), (200, "/sites"));
    }

    pub(crate) async fn open(&self, path: &str) -> Page {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await;
        Page::read(answer.unwrap()).await
    }

    /// Opens a page and sends one of its forms: with its hidden fields, and these.
    pub(crate) async fn submit(&self, from: &str, to: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.open(from).await;
        let mut form = page.hidden_fields();
        form.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.post(to, &form).await
    }

    pub(crate) async fn post(&self, to: &str, form: &[(String, String)]) -> Page {
        let request = self.client.post(format!("{}{to}", self.url)).form(form);
        Page::read(request.send().await.unwrap()).await
    }

    /// Adds a site, and waits until it is at TWIPLA. Returns its path.
    pub(crate) async fn add_site(&self, domain: &str) -> String {
        let page = self.submit("/sites", "/sites", &[("domain", domain)]).await;
        assert!(page.status.is_success(), "{page:?}");
        self.wait(&page.path).await;
        page.path
    }

    /// Buys a package for a site.
    pub(crate) async fn buy(&self, site: &str, package: &str) -> Page {
        let checkout = format!("{site}/checkout?package={package}");
        self.submit(&checkout, &format!("{site}/orders"), &[]).await
    }

    /// Waits until no change of the site is under way, as the page's script does.
    pub(crate) async fn wait(&self, site: &str) {
        until("no change is under way", async || {
            let page = self.open(&format!("{site}/pending")).await;
            page.status.is_success() && page.html.contains("false")
        })
        .await;
    }
}

impl Page {
    async fn read(answer: Response) -> Self {
        Self {
            status: answer.status(),
            path: answer.url().path().to_owned(),
            html: answer.text().await.unwrap(),
        }
    }

    /// The hidden fields of all forms of the page, each name once.
    pub(crate) fn hidden_fields(&self) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for part in self.html.split("<input type=\"hidden\" name=\"").skip(1) {
            let (name, rest) = part.split_once("\" value=\"").unwrap();
            let (value, _) = rest.split_once('"').unwrap();
            if !fields.iter().any(|(known, _)| known == name) {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        fields
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.html.contains(text), "no {text:?} in {}", self.html);
    }

    #[track_caller]
    pub(crate) fn does_not_say(&self, text: &str) {
        assert!(!self.html.contains(text), "{text:?} in {}", self.html);
    }
}
