//! The console, requested as by a browser.

use std::time::Duration;

use reqwest::{Response, StatusCode, header};
use serde_json::json;
use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::support::Client;

struct Console {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Console {
    async fn new() -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let sandbox = Sandbox::start().await.unwrap();
        Self { sandbox, http }
    }

    async fn get(&self, path: &str) -> Response {
        let url = format!("{}/__sandbox/{path}", self.sandbox.base_url());
        self.http.get(url).send().await.unwrap()
    }

    async fn page(&self) -> String {
        self.get("").await.text().await.unwrap()
    }

    async fn token(&self) -> String {
        let page = self.page().await;
        let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Submits a form like a browser, with the token of the page.
    async fn send(&self, action: &str, fields: &[(&str, &str)]) -> Response {
        let token = self.token().await;
        let mut fields = fields.to_vec();
        fields.push(("token", &token));
        self.send_without_token(action, &fields).await
    }

    async fn send_without_token(&self, action: &str, fields: &[(&str, &str)]) -> Response {
        let base = self.sandbox.base_url();
        let body: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.http
            .post(format!("{base}/__sandbox/console/{action}"))
            .header(header::ORIGIN, base)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.join("&"))
            .send()
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn page_shows_the_state_of_the_sandbox() {
    let console = Console::new().await;
    let client = Client::with_website(&console.sandbox).await;
    console.sandbox.inject(
        Fault::new(FaultKind::Gateway(524))
            .operation("get_package")
            .times(3),
    );
    let created = client
        .post("/v2/3as/websites/w/api-keys", &json!({ "name": "reports" }))
        .await
        .unwrap();
    let created: serde_json::Value = created.json().await.unwrap();
    let secret = created["payload"]["apiKey"].as_str().unwrap();
    let page = console.page().await;
    for expected in [
        "c@example.com",
        "example.com",
        "{&quot;gateway&quot;:524}",
        "<b>POST</b> /v2/3as/customers",
        "Unicorn",
        "website model",
        "account model",
        "reports",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains(secret), "the secret of an API key is shown");
    assert!(page.contains(&secret[secret.len() - 4..]), "{page}");
    assert!(!page.contains(&client.token), "a token is shown");
    assert!(page.contains("&lt;redacted&gt;"), "{page}");
}

#[tokio::test]
async fn token_in_a_dashboard_query_is_redacted() {
    let console = Console::new().await;
    let base = console.sandbox.base_url();
    let url = format!("{base}/?intpc_token=s3cret&websiteToken=s3cret&externalWebsiteId=w");
    console.http.get(url).send().await.unwrap();
    let page = console.page().await;
    assert!(page.contains("intpc_token=&lt;redacted&gt;"), "{page}");
    assert!(page.contains("externalWebsiteId=w"), "{page}");
    assert!(!page.contains("s3cret"), "{page}");
}

#[tokio::test]
async fn credentials_with_encoded_names_or_in_other_headers_are_redacted() {
    let console = Console::new().await;
    let url = format!("{}/?intpc%5Ftoken=s3cret", console.sandbox.base_url());
    let request = console.http.get(url);
    let request = request
        .header("cookie", "session=s3cret")
        .header("proxy-authorization", "Basic s3cret");
    request.send().await.unwrap();
    let recorded = serde_json::to_string(&console.sandbox.requests()).unwrap();
    assert!(recorded.contains("intpc%5Ftoken=<redacted>"), "{recorded}");
    for shown in [recorded, console.page().await] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[tokio::test]
async fn hostile_text_is_escaped() {
    let console = Console::new().await;
    let client = Client::new(&console.sandbox, console.sandbox.website_partner());
    let body =
        json!({ "intpCustomerId": "<script>alert(1)</script>", "email": "\"><img@example.com" });
    client.post("/v2/3as/customers", &body).await.unwrap();
    let url = format!("{}/<b>?<i>", console.sandbox.base_url());
    console.http.get(url).send().await.unwrap();
    let page = console.get("?search=<script>").await.text().await.unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(
        !page.contains("<script>alert") && !page.contains("<img"),
        "{page}"
    );
}

#[tokio::test]
async fn page_has_security_headers() {
    let response = Console::new().await.get("").await;
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let page = response.text().await.unwrap();
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="));
    assert_eq!(page.matches("<script").count(), 1, "the one with a src");
}

#[tokio::test]
async fn actions_change_the_sandbox() {
    let console = Console::new().await;
    let response = console
        .send("advance", &[("days", "2"), ("hours", "3")])
        .await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[header::LOCATION], "/__sandbox/");
    assert!(console.page().await.contains("2 days 3 hours"));

    let fault = [
        ("kind", "gateway"),
        ("value", "524"),
        ("operation", "get_website"),
        ("times", "2"),
        ("probability", "0.5"),
        ("moment", "afterCommit"),
    ];
    assert_eq!(
        console.send("inject", &fault).await.status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        console.send("inject", &[("kind", "hang")]).await.status(),
        StatusCode::SEE_OTHER
    );
    let report = console.sandbox.faults();
    let expected = Fault::new(FaultKind::Gateway(524))
        .operation("get_website")
        .times(2)
        .probability(0.5, 0)
        .after_commit();
    assert_eq!(report.faults[0].fault, expected);

    let cleared = console.send("clear-fault", &[("number", "1")]).await;
    assert_eq!(cleared.status(), StatusCode::SEE_OTHER);
    let left = console.sandbox.faults().faults;
    assert_eq!(
        (left.len(), &left[0].fault),
        (1, &Fault::new(FaultKind::Hang))
    );
    let again = console.send("clear-fault", &[("number", "1")]).await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    console.send("clear-faults", &[]).await;
    assert_eq!(console.sandbox.faults().faults, []);

    let fresh = Sandbox::start().await.unwrap().snapshot()["partners"]
        .as_array()
        .unwrap()
        .len();
    Client::with_website(&console.sandbox).await;
    console.send("reset", &[]).await;
    assert!(
        !console
            .sandbox
            .snapshot()
            .to_string()
            .contains("c@example.com")
    );
    assert_eq!(
        console.sandbox.snapshot()["partners"]
            .as_array()
            .unwrap()
            .len(),
        fresh
    );
    assert!(console.page().await.contains("0 days 0 hours"));
}

#[tokio::test]
async fn invalid_input_shows_an_error_on_the_page() {
    let console = Console::new().await;
    for (action, fields, expected) in [
        (
            "advance",
            &[("days", "soon")][..],
            "invalid days &quot;soon&quot;: expected a whole number",
        ),
        (
            "advance",
            &[("days", "-1")],
            "invalid time: expected days and hours that are not negative",
        ),
        ("advance", &[("days", "99999999999")], "invalid time"),
        (
            "inject",
            &[("kind", "gateway"), ("value", "x")],
            "invalid value &quot;x&quot;: expected a number",
        ),
        (
            "inject",
            &[("kind", "gateway"), ("value", "418")],
            "invalid gateway status 418: expected 502",
        ),
        (
            "inject",
            &[("kind", "fire")],
            "invalid fault: unknown variant `fire`",
        ),
        ("inject", &[], "invalid fault: unknown variant ``"),
        (
            "inject",
            &[("kind", "hang"), ("times", "0")],
            "invalid times 0: expected at least 1",
        ),
    ] {
        let response = console.send(action, fields).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{fields:?}");
        let page = response.text().await.unwrap();
        let (_, message) = page.split_once("role=\"alert\">").unwrap();
        assert!(
            message.starts_with(&format!("<p>{expected}")),
            "{fields:?}: {}",
            &message[..200]
        );
    }
    assert_eq!(console.sandbox.faults().faults, []);
}

#[tokio::test]
async fn changes_require_the_token_of_the_page() {
    let console = Console::new().await;
    Client::with_website(&console.sandbox).await;
    console
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("get_package"));
    let before = console.sandbox.snapshot();
    let other = Console::new().await.token().await;
    for action in ["advance", "inject", "clear-fault", "clear-faults", "reset"] {
        for token in ["", "0", other.as_str()] {
            let fields = [
                ("token", token),
                ("days", "40"),
                ("kind", "hang"),
                ("number", "1"),
            ];
            let response = console.send_without_token(action, &fields).await;
            assert_eq!(
                response.status(),
                StatusCode::FORBIDDEN,
                "{action} with {token:?}"
            );
        }
    }
    let base = console.sandbox.base_url();
    for (method, endpoint) in [
        ("POST", "reset"),
        ("DELETE", "faults"),
        ("DELETE", "requests"),
    ] {
        for browser in [("origin", base), ("sec-fetch-site", "same-origin")] {
            let request = |token: &str| {
                console
                    .http
                    .request(
                        method.parse().unwrap(),
                        format!("{base}/__sandbox/{endpoint}"),
                    )
                    .header(browser.0, browser.1)
                    .header("x-sandbox-token", token)
                    .header("content-type", "application/json")
                    .body("{}")
                    .send()
            };
            let response = request(&other).await.unwrap();
            assert_eq!(
                response.status(),
                StatusCode::FORBIDDEN,
                "{endpoint} from {browser:?}"
            );
        }
    }
    assert_eq!(console.sandbox.snapshot(), before);
    assert_eq!(console.sandbox.faults().faults.len(), 1);
    assert!(!console.sandbox.requests().is_empty());

    let token = console.token().await;
    let response = console
        .http
        .delete(format!("{base}/__sandbox/faults"))
        .header("origin", base)
        .header("x-sandbox-token", token)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn get_changes_nothing() {
    let console = Console::new().await;
    Client::with_website(&console.sandbox).await;
    console
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("get_package"));
    let before = console.sandbox.snapshot();
    let token = console.token().await;
    for endpoint in ["advance", "inject", "clear-fault", "clear-faults", "reset"] {
        for path in [endpoint.to_owned(), format!("console/{endpoint}")] {
            let response = console
                .get(&format!("{path}?token={token}&days=40&kind=hang&number=1"))
                .await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
    assert_eq!(console.sandbox.snapshot(), before);
    assert_eq!(console.sandbox.faults().faults.len(), 1);
}

#[tokio::test]
async fn pages_of_other_origins_are_rejected() {
    let console = Console::new().await;
    let base = console.sandbox.base_url();
    for (headers, status) in [
        (&[("sec-fetch-site", "cross-site")][..], 403),
        (
            &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
            403,
        ),
        (&[("origin", "https://evil.example")], 403),
        (&[("host", "evil.example")], 403),
        // A link to the console, the address bar, and the console's own pages.
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
            200,
        ),
        (
            &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
            200,
        ),
        (
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
            ],
            200,
        ),
    ] {
        for path in ["", "state", "events"] {
            let mut request = console.http.get(format!("{base}/__sandbox/{path}"));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), status, "{path} with {headers:?}");
        }
    }
}

#[tokio::test]
async fn every_change_sends_an_event() {
    let console = Console::new().await;
    let mut events = console.get("events").await;
    assert_eq!(events.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(events.chunk().await.unwrap().unwrap(), ": hello\n\n");
    let client = Client::with_website(&console.sandbox).await;
    let event = "event: change\ndata:\n\n";
    assert_eq!(
        events.chunk().await.unwrap().unwrap(),
        event,
        "after a create"
    );
    console
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("get_package"));
    assert_eq!(
        events.chunk().await.unwrap().unwrap(),
        event,
        "after a fault was injected in code"
    );
    console.send("advance", &[("days", "1")]).await;
    assert_eq!(
        events.chunk().await.unwrap().unwrap(),
        event,
        "after an action of the console"
    );
    client.get("/v2/3as/websites/w").await.unwrap();
    assert_eq!(
        events.chunk().await.unwrap().unwrap(),
        event,
        "after a read, which is listed on the page"
    );
}

#[tokio::test]
async fn event_stream_ends_when_the_sandbox_stops() {
    let console = Console::new().await;
    let mut events = console.get("events").await;
    events.chunk().await.unwrap();
    console.sandbox.stop().await;
    assert_eq!(events.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn page_stays_small_with_much_data() {
    let console = Console::new().await;
    let client = Client::with_website(&console.sandbox).await;
    for n in 0..120 {
        let body = json!({
            "website": { "id": format!("w{n:03}"), "domain": format!("{n}.example.org") },
            "intpc": { "id": "c" },
        });
        let response = client.post("/v3/3as/websites", &body).await.unwrap();
        assert!(response.status().is_success(), "{response:?}");
    }
    let rows = |page: &str| page.matches(".example.org</td>").count();
    let first = console.page().await;
    assert_eq!(rows(&first), 49, "and example.com");
    assert!(
        first.contains("?search=&amp;page=1#data\">Next websites"),
        "{first}"
    );
    let last = console.get("?page=2").await.text().await.unwrap();
    assert_eq!(rows(&last), 21);
    assert!(!last.contains("Next websites") && last.contains("Previous websites"));
    let found = console.get("?search=w11").await.text().await.unwrap();
    assert_eq!(rows(&found), 10);
    let page = console.get("?page=nonsense").await;
    assert_eq!(page.status(), StatusCode::OK);
}

#[tokio::test]
async fn page_stays_small_with_long_texts() {
    let console = Console::new().await;
    let client = Client::with_website(&console.sandbox).await;
    let before = console.page().await.len();
    for n in 0..60 {
        let package = json!({
            "name": format!("Package {n:02}"), "touchpoints": 1000, "price": 1, "currency": "EUR", "period": "monthly",
        });
        let response = client.post("/v2/3as/packages", &package).await.unwrap();
        assert!(response.status().is_success(), "{response:?}");
    }
    for n in 0..8 {
        let key = json!({ "name": format!("key {n}") });
        let path = "/v2/3as/websites/w/api-keys";
        let response = client.post(path, &key).await.unwrap();
        assert!(response.status().is_success(), "{response:?}");
    }
    let long = "long".repeat(10_000);
    let customer = json!({ "intpCustomerId": long, "email": format!("{long}@example.com") });
    let response = client.post("/v2/3as/customers", &customer).await.unwrap();
    assert_eq!(response.status(), 201);
    let text = &long[..10_000];
    let url = format!("{}/{text}?{text}", console.sandbox.base_url());
    for _ in 0..50 {
        let request = console.http.post(&url).header(text, text);
        request.json(&json!([long])).send().await.unwrap();
    }
    let body =
        json!({ "kind": { "status": { "code": 500, "body": long } }, "operation": "get_package" });
    console
        .sandbox
        .inject(serde_json::from_value(body).unwrap());
    let page = console.page().await;
    assert!(page.contains("key 4") && !page.contains("key 5"), "{page}");
    assert!(page.contains("and 3 more"), "{page}");
    assert!(page.contains("Next packages") && !page.contains("Package 59"));
    let weight = page.len() - before;
    assert!(weight < 500_000, "{weight} bytes");
}
