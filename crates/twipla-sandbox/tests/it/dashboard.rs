//! The dashboard, requested as by a browser.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use twipla_api::operations;
use twipla_api::types::BillingMode;
use twipla_sandbox::{Model, PartnerConfig, Sandbox};
use uuid::Uuid;

use crate::support::{Client, now, payload, sign};

/// A partner with customer `c` and their website `w`.
struct Site {
    sandbox: Sandbox,
    client: Client,
}

impl Site {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let client = Client::with_website(&sandbox).await;
        Self { sandbox, client }
    }

    /// Under platform-managed billing. The website is on Basic.
    async fn platform_managed(model: Model) -> Self {
        let id = Uuid::new_v4();
        let config = PartnerConfig::new(id, model).billing_mode(BillingMode::PlatformManaged);
        let sandbox = Sandbox::builder().partner(config).start().await.unwrap();
        let partner = sandbox
            .partners()
            .iter()
            .find(|partner| partner.id() == id.into());
        let client = Client::new(&sandbox, partner.unwrap().clone());
        let site = Self { sandbox, client };
        let basic = site.package("Basic");
        let mut customer = json!({"intpCustomerId": "c", "email": "c@example.com"});
        match model {
            Model::Website => {
                customer["website"] =
                    json!({"intpWebsiteId": "w", "domain": "example.com", "packageId": basic});
                site.post("/v2/3as/customers", &customer).await;
            }
            Model::Account => {
                customer["packageId"] = json!(basic);
                site.post("/v2/3as/customers", &customer).await;
                site.add_website("w", "example.com").await;
            }
        }
        site
    }

    async fn post(&self, path: &str, body: &Value) {
        let response = self.client.post(path, body).await.unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.text().await.unwrap()
        );
    }

    /// Adds a website of `c`.
    async fn add_website(&self, id: &str, domain: &str) {
        let body = json!({"website": {"id": id, "domain": domain}, "intpc": {"id": "c"}});
        self.post("/v3/3as/websites", &body).await;
    }

    fn package(&self, name: &str) -> String {
        let packages = self.sandbox.packages(self.client.partner().id());
        let found = packages.into_iter().find(|(known, _)| known == name);
        found.unwrap().1.to_string()
    }

    /// Creates a token of a customer that expires in this many seconds.
    fn token(&self, customer: &str, expires_in: i64) -> String {
        let partner = self.client.partner();
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": partner.id()});
        let claims = json!({
            "roles": ["intpc"], "intp_id": partner.id(), "intpc_id": customer,
            "iat": now() - 1000, "exp": now() + expires_in,
        });
        sign(partner, &header, &claims)
    }

    /// Returns a dashboard URL for `c` and `w`, with additional parameters.
    fn address(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let token = self.token("c", 600);
        let mut all = vec![("intpc_token", token.as_str()), ("externalWebsiteId", "w")];
        all.extend(parameters);
        address(path, &all)
    }

    /// Fetches a page that must be shown.
    async fn page(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let (status, page) = self.open(&self.address(path, parameters)).await;
        assert_eq!(status, 200, "{page}");
        page
    }

    async fn open(&self, address: &str) -> (StatusCode, String) {
        let response = self.client.get(address).await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn submit(&self, address: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        let body = self::address("", form);
        let response = reqwest::Client::new()
            .post(format!("{}{address}", self.sandbox.base_url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.trim_start_matches('?').to_owned())
            .send()
            .await
            .unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn api_key(&self) -> String {
        let path = "/v2/3as/websites/w/api-keys";
        let response = self.client.post(path, &json!({"name": "k"})).await.unwrap();
        let key = response.json::<Value>().await.unwrap();
        key["payload"]["apiKey"].as_str().unwrap().to_owned()
    }

    async fn package_of_website(&self) -> String {
        let site = payload(&self.client, "/v2/3as/websites/w").await;
        site["packageName"].as_str().unwrap().to_owned()
    }
}

fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Returns every part of a text between two delimiters.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .map(|rest| rest.split(after).next().unwrap())
        .collect()
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[tokio::test]
async fn every_error_page_shows_the_reason() {
    let site = Site::new().await;
    let customer = json!({"intpCustomerId": "d", "email": "d@example.com"});
    site.post("/v2/3as/customers", &customer).await;
    site.add_website("off", "off.example").await;
    let body = json!({"intpWebsiteId": "off"});
    site.post("/v3/3as/website-subscriptions/deactivate", &body)
        .await;

    let (owner, stranger) = (site.token("c", 600), site.token("d", 600));
    let (unknown, expired) = (site.token("nobody", 600), site.token("c", -60));
    let tampered = format!("{}AAAA", &owner[..owner.len() - 4]);
    let partner = site.client.token.clone();
    for (status, expected, parameters) in [
        (401, "The URL contains no token.", vec![]),
        (
            401,
            "The token is not valid.",
            vec![("intpc_token", tampered.as_str())],
        ),
        (
            401,
            "The token has expired.",
            vec![("intpc_token", &expired), ("externalWebsiteId", "w")],
        ),
        (
            401,
            "belongs to a partner",
            vec![("intpc_token", &partner), ("externalWebsiteId", "w")],
        ),
        (
            401,
            "The customer does not exist.",
            vec![("intpcToken", &unknown), ("externalWebsiteId", "w")],
        ),
        (
            401,
            "The login has expired.",
            vec![
                ("websiteToken", "x"),
                ("intpc_token", &owner),
                ("externalWebsiteId", "w"),
            ],
        ),
        (
            404,
            "does not name a website",
            vec![("intpc_token", &owner)],
        ),
        (
            404,
            "The website does not exist.",
            vec![("intpc_token", &owner), ("externalWebsiteId", "x")],
        ),
        (
            403,
            "You do not have access to this website",
            vec![("intpc_token", &stranger), ("externalWebsiteId", "w")],
        ),
        (
            403,
            "The website is inactive.",
            vec![("intpc_token", &owner), ("externalWebsiteId", "off")],
        ),
    ] {
        let (got, page) = site.open(&address("/", &parameters)).await;
        assert!(
            got == status && page.contains(expected),
            "{expected}: {got} {page}"
        );
        assert!(
            page.contains("role=\"alert\"") && !page.contains("example.com"),
            "{page}"
        );
    }
    for (expected, name, value) in [
        ("The time zone is not known", "timezone", "Berlin"),
        ("The dates are not valid", "startDate", "2026-02-30"),
        ("The dates are not valid", "startDate", "2026-2-03"),
        ("The dates are not valid", "endDate", "tomorrow"),
        ("The dates are not valid", "startDate", "9999-01-01"),
        ("The dates are not valid", "startDate", "1999-01-01"),
        ("The dates are not valid", "endDate", "-262143-01-01"),
    ] {
        let (got, page) = site.open(&site.address("/", &[(name, value)])).await;
        assert!(
            got == 400 && page.contains(expected),
            "{value}: {got} {page}"
        );
    }
}

#[tokio::test]
async fn expired_token_error_is_shown_in_the_requested_language() {
    let site = Site::new().await;
    let expired = site.token("c", -60);
    for (locale, expected) in [
        ("en", "The token has expired."),
        ("de", "Das Token ist abgelaufen."),
        ("fr", "Le jeton a expiré."),
        ("es", "El token ha caducado."),
    ] {
        for path in ["/", "/upgrade"] {
            let parameters = [
                ("intpc_token", expired.as_str()),
                ("externalWebsiteId", "w"),
                ("locale", locale),
            ];
            let (status, page) = site.open(&address(path, &parameters)).await;
            assert!(
                status == 401 && page.contains(expected),
                "{locale}: {status} {page}"
            );
        }
    }
}

#[tokio::test]
async fn text_of_clients_is_escaped() {
    let site = Site::new().await;
    let domain = "\"><script>alert('1')</script>&amp;.example";
    site.add_website("<b>\"", domain).await;
    let token = site.token("c", 600);
    let parameters = [
        ("intpc_token", token.as_str()),
        ("externalWebsiteId", "<b>\""),
        ("allowUpgrade", "true"),
        ("locale", "\"><script>alert(2)</script>"),
    ];
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert!(!page.contains("<b>"), "{page}");
    let title = between(&page, "<h1>", "</h1>")[0];
    assert_eq!(unescape(title), domain);
    let message: Value =
        serde_json::from_str(&unescape(between(&page, "data-post=\"", "\"")[0])).unwrap();
    assert_eq!(message["data"]["intpWebsiteId"], "<b>\"");
}

#[tokio::test]
async fn pages_allow_any_parent_and_no_inline_script() {
    let site = Site::platform_managed(Model::Website).await;
    let pro = site.package("Pro");
    let pages = [
        site.address("/", &[("allowUpgrade", "true")]),
        site.address("/upgrade", &[]),
        site.address("/upgrade", &[("upgradePackageId", &pro)]),
        "/".to_owned(),
    ];
    for address in pages {
        let response = site.client.get(&address).await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors *"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert!(!response.headers().contains_key("x-frame-options"));
        let page = response.text().await.unwrap();
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert_eq!(
            page.matches("<script src=\"/dashboard/").count(),
            1,
            "{page}"
        );
        for inline in ["<style", " style=", " onclick=", " onload=", "javascript:"] {
            assert!(!page.contains(inline), "{inline} in {page}");
        }
    }
    for (path, content_type) in [
        (
            "/dashboard/assets/dashboard.js",
            "text/javascript; charset=utf-8",
        ),
        ("/dashboard/assets/dashboard.css", "text/css; charset=utf-8"),
    ] {
        let response = site.client.get(path).await.unwrap();
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["content-type"]
            ),
            (200, &content_type.parse().unwrap())
        );
    }
}

#[tokio::test]
async fn pages_allow_only_get() {
    let site = Site::new().await;
    for (path, allow) in [
        ("/", "GET"),
        ("/dashboard/overview", "GET"),
        ("/upgrade/x", "GET"),
        ("/upgrade", "GET, POST"),
    ] {
        let response = site.client.delete(path).await.unwrap();
        assert_eq!(response.status(), 405, "{path}");
        assert_eq!(response.headers()["allow"], allow, "{path}");
    }
    let (status, _) = site.submit("/", &[]).await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn numbers_match_the_analytics_api() {
    let site = Site::new().await;
    // Both time zones change their offset within these days.
    for (timezone, first, last, from, until) in [
        (
            "Europe/Berlin",
            "2026-03-20",
            "2026-04-10",
            "2026-03-20T00:00:00+01:00",
            "2026-04-10T23:59:59+02:00",
        ),
        (
            "America/New_York",
            "2026-10-20",
            "2026-11-20",
            "2026-10-20T00:00:00-04:00",
            "2026-11-20T23:59:59-05:00",
        ),
    ] {
        let parameters = [
            ("timezone", timezone),
            ("startDate", first),
            ("endDate", last),
        ];
        let page = site.page("/", &parameters).await;
        let analytics = Analytics::new(&site, from, until).await;

        let visits = analytics.graph(&operations::QUERY_VISITS_GRAPH).await;
        let days: Vec<_> = between(&page, "<time datetime=\"", "\"")
            .into_iter()
            .map(Value::from)
            .collect();
        assert_eq!(json!(days), visits["labels"], "{timezone}");
        let shown = between(&page, "</time></th><td class=\"number\">", "</td>");
        let shown: Vec<_> = shown.into_iter().map(number).collect();
        let set = &visits["datasets"][0];
        let expected: Vec<_> = set["data"].as_array().unwrap().iter().map(float).collect();
        assert_eq!(shown, expected, "{timezone}");

        let visitors = analytics.rows("visitorCount", json!([])).await;
        let bounces = analytics.graph(&operations::QUERY_BOUNCE_RATE_GRAPH).await;
        let durations = analytics
            .graph(&operations::QUERY_PAGE_VIEW_DURATION_GRAPH)
            .await;
        let figures = between(&page, "<p class=\"figure\">", "</p>");
        let figures: Vec<_> = figures.into_iter().map(number).collect();
        assert_eq!(
            figures,
            [
                float(&set["total"]),
                float(&visitors[0]["visitorCount"]),
                float(&bounces["datasets"][0]["totalAverage"]),
                float(&durations["datasets"][0]["totalAverage"]),
            ]
        );

        for (section, dimension) in [("pages", "pageUrl"), ("devices", "deviceType")] {
            let rows = analytics.rows("visitCount", json!([dimension])).await;
            let rows = rows.as_array().unwrap().iter();
            let expected: Vec<_> = rows
                .map(|row| {
                    let name = row[dimension]
                        .as_str()
                        .unwrap()
                        .trim_start_matches("https://example.com");
                    let name = if name.is_empty() { "/" } else { name };
                    (name.to_lowercase(), float(&row["visitCount"]))
                })
                .collect();
            assert_eq!(table(&page, section), expected, "{section}");
        }
        let sources = analytics.graph(&operations::QUERY_TRAFFIC_SHARE).await;
        let sources = sources["datasets"].as_array().unwrap().iter();
        let expected: Vec<_> = sources.map(|set| float(&set["total"])).collect();
        let shown: Vec<_> = table(&page, "sources")
            .into_iter()
            .map(|(_, visits)| visits)
            .collect();
        assert_eq!(shown, expected);
    }
}

/// Queries the analytics API of a website for some days.
struct Analytics<'a> {
    client: &'a Client,
    key: String,
    website: String,
    from: &'a str,
    until: &'a str,
}

impl<'a> Analytics<'a> {
    async fn new(site: &'a Site, from: &'a str, until: &'a str) -> Self {
        let website = payload(&site.client, "/v2/3as/websites/w").await;
        Self {
            client: &site.client,
            key: site.api_key().await,
            website: website["id"].as_str().unwrap().to_owned(),
            from,
            until,
        }
    }

    async fn graph(&self, operation: &twipla_api::Operation) -> Value {
        let query = [
            ("from", self.from),
            ("until", self.until),
            ("unit", "day"),
            ("type", "time-series"),
        ];
        let path = address(operation.path, &query);
        let mut reply = self.ask(&path, json!({"where": {"and": []}})).await;
        match reply.get_mut("payload") {
            Some(payload) => payload.take(),
            None => reply,
        }
    }

    async fn rows(&self, metric: &str, dimensions: Value) -> Value {
        let range = json!({"start": self.from, "end": self.until});
        let body = json!({"metrics": [metric], "dimensions": dimensions, "dateRange": range});
        self.ask(operations::QUERY_SESSION_ANALYTICS.path, body)
            .await["payload"]
            .take()
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let path = path.replace("{websiteId}", &self.website);
        let sent = self
            .client
            .send_with_key(Method::POST, &path, Some(&body), Some(&self.key));
        let response = sent.await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }
}

/// Returns the rows of a section's table: names in lower case, and visits.
fn table(page: &str, section: &str) -> Vec<(String, f64)> {
    let section = between(page, &format!("id=\"{section}\""), "</section>")[0];
    between(section, "<th scope=\"row\">", "</tr>")
        .into_iter()
        .map(|row| {
            let name = between(row, "<span>", "</span>")[0];
            (
                name.to_lowercase(),
                number(between(row, "<td class=\"number\">", "</td>")[0]),
            )
        })
        .collect()
}

/// Parses a number in English format, with or without a unit.
fn number(text: &str) -> f64 {
    let digits: String = text
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    digits.parse().unwrap()
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[tokio::test]
async fn texts_numbers_and_dates_follow_the_language() {
    let site = Site::new().await;
    let mut totals = BTreeMap::new();
    for (locale, lang, title, from, digits) in [
        ("en", "en", "Visits over time", "1 Mar 2026", ','),
        ("de", "de", "Besuche im Zeitverlauf", "1. März 2026", '.'),
        (
            "fr",
            "fr",
            "Visites au fil du temps",
            "1 mars 2026",
            '\u{202f}',
        ),
        (
            "es",
            "es",
            "Visitas a lo largo del tiempo",
            "1 mar 2026",
            '.',
        ),
        ("ja", "en", "Visits over time", "1 Mar 2026", ','),
        ("", "en", "Visits over time", "1 Mar 2026", ','),
    ] {
        let parameters = [
            ("locale", locale),
            ("startDate", "2026-03-01"),
            ("endDate", "2026-06-08"),
        ];
        let page = site.page("/", &parameters).await;
        assert!(
            page.contains(&format!("<html lang=\"{lang}\">")),
            "{locale}"
        );
        assert!(
            page.contains(&format!("<h2>{title}</h2>")) && page.contains(from),
            "{locale}: {page}"
        );
        let total = between(&page, "<p class=\"figure\">", "</p>")[0];
        assert_eq!(
            total
                .chars()
                .filter(|c| !c.is_ascii_digit())
                .collect::<String>(),
            digits.to_string(),
            "{locale}: {total}"
        );
        totals.insert(total.replace(digits, ""), locale);
    }
    assert_eq!(
        totals.len(),
        1,
        "the same number in every language: {totals:?}"
    );
}

#[tokio::test]
async fn default_range_ends_today_in_the_time_zone() {
    let site = Site::new().await;
    let last = async |timezone: &str| {
        let page = site.page("/", &[("timezone", timezone)]).await;
        let days = between(&page, "<time datetime=\"", "\"").len();
        assert_eq!(days, 30);
        between(&page, "<time datetime=\"", "\"")
            .pop()
            .unwrap()
            .to_owned()
    };
    // The time zones are 25 hours apart, so their dates always differ.
    assert!(last("Pacific/Kiritimati").await > last("Pacific/Niue").await);
    let before = last("UTC").await;
    site.sandbox.advance(chrono::Duration::days(3));
    assert!(last("UTC").await > before, "the advanced clock is used");
}

#[tokio::test]
async fn chart_shows_one_day_and_ten_years() {
    let site = Site::new().await;
    for (first, last, days, dots) in [
        ("2026-03-01", "2026-03-01", 1, 1),
        ("2026-03-01", "2026-03-02", 2, 2),
        ("2016-03-01", "2026-03-08", 3660, 0),
    ] {
        let parameters = [("startDate", first), ("endDate", last)];
        let page = site.page("/", &parameters).await;
        assert_eq!(between(&page, "<time datetime=\"", "\"").len(), days);
        let chart = between(&page, "<svg class=\"line\"", "</svg>")[0];
        assert_eq!(chart.matches("<circle").count(), dots, "{first} to {last}");
        assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
    }
    let parameters = [("startDate", "2016-03-01"), ("endDate", "2026-03-09")];
    let (status, _) = site.open(&site.address("/", &parameters)).await;
    assert_eq!(status, 400, "one day more than the API allows");
}

#[tokio::test]
async fn upgrade_button_has_the_documented_message() {
    let site = Site::new().await;
    let page = site.page("/", &[("allowUpgrade", "true")]).await;
    let message: Value =
        serde_json::from_str(&unescape(between(&page, "data-post=\"", "\"")[0])).unwrap();
    let website = payload(&site.client, "/v2/3as/websites/w").await;
    assert_eq!(
        message,
        json!({
            "type": "UPGRADE_BUTTON_CLICKED",
            "data": {
                "intpWebsiteId": "w", "intpCustomerId": "c", "inTrial": true, "billingInterval": "monthly",
                "packageName": website["packageName"], "packageId": website["packageId"], "expiresAt": website["expiresAt"],
            },
        })
    );
    for parameters in [
        &[][..],
        &[("allowUpgrade", "false")],
        &[("allowUpgrade", "1")],
    ] {
        assert!(!site.page("/", parameters).await.contains("id=\"upgrade\""));
    }
}

#[tokio::test]
async fn contributor_cannot_upgrade() {
    let site = Site::platform_managed(Model::Website).await;
    let customer = json!({"intpCustomerId": "d", "email": "d@example.com"});
    site.post("/v2/3as/customers", &customer).await;
    let role = json!({"intpCustomerId": "d", "role": "editor"});
    site.post("/v3/3as/websites/w/contributors", &role).await;
    let token = site.token("d", 600);
    let parameters = [
        ("intpc_token", token.as_str()),
        ("externalWebsiteId", "w"),
        ("allowUpgrade", "true"),
    ];
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert!(
        status == 200 && !page.contains("id=\"upgrade\""),
        "{status} {page}"
    );
    let (status, page) = site.open(&address("/upgrade", &parameters)).await;
    assert!(
        status == 403 && page.contains("Only the owner"),
        "{status} {page}"
    );
}

#[tokio::test]
async fn upgrade_page_exists_only_under_platform_managed_billing() {
    let site = Site::new().await;
    let pro = site.package("Pro");
    let address = site.address("/upgrade", &[("upgradePackageId", &pro)]);
    for (status, page) in [
        site.open(&address).await,
        site.submit(&address, &[("packageId", &pro)]).await,
    ] {
        assert!(
            status == 403 && page.contains("Packages are not sold here"),
            "{status} {page}"
        );
    }
    let site = Site::platform_managed(Model::Website).await;
    let page = site
        .page(
            "/",
            &[
                ("allowUpgrade", "true"),
                ("locale", "de"),
                ("upgradePackageId", &pro),
            ],
        )
        .await;
    assert!(!page.contains("data-post"), "{page}");
    let link = unescape(between(&page, "id=\"upgrade\" href=\"", "\"")[0]);
    assert!(
        link.starts_with("/upgrade?")
            && link.contains("locale=de")
            && link.contains("upgradePackageId="),
        "{link}"
    );
}

#[tokio::test]
async fn upgrade_page_lists_available_packages() {
    let site = Site::platform_managed(Model::Website).await;
    for (name, assigned) in [("Secret", false), ("Mine", true)] {
        let package = json!({
            "name": name, "touchpoints": 90_000, "price": 5, "currency": "EUR", "period": "monthly", "visibility": "restricted",
        });
        let response = site
            .client
            .post("/v2/3as/packages", &package)
            .await
            .unwrap();
        let id = response.json::<Value>().await.unwrap()["payload"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        if assigned {
            let path = format!("/v3/3as/packages/{id}/assignments/w");
            let response = site.client.send(Method::PUT, &path, None).await.unwrap();
            assert!(
                response.status().is_success(),
                "{}",
                response.text().await.unwrap()
            );
        }
    }
    let page = site.page("/upgrade", &[]).await;
    let names = between(&page, "<h2>", "</h2>");
    assert!(
        names.contains(&"Advanced") && names.contains(&"Unicorn yearly") && names.contains(&"Mine"),
        "{names:?}"
    );
    for other in [
        "Free",
        "unlimited_30_day_free_trial",
        "Basic",
        "Basic yearly",
        "Secret",
    ] {
        assert!(!names.contains(&other), "{other}");
    }
    // Each package links to its checkout.
    let link = unescape(between(&page, "class=\"button\" href=\"", "\"")[0]);
    let (status, page) = site.open(&link).await;
    assert!(
        status == 200 && page.contains("<strong>Advanced</strong>"),
        "{status} {page}"
    );
}

#[tokio::test]
async fn checkout_changes_the_subscription_and_posts_a_message() {
    for model in [Model::Website, Model::Account] {
        let site = Site::platform_managed(model).await;
        let pro = site.package("Pro");
        let address = site.address("/upgrade", &[("upgradePackageId", &pro)]);
        let (_, page) = site.open(&address).await;
        let action = unescape(between(&page, "method=\"post\" action=\"", "\"")[0]);
        let token = form_token(&page);
        let form = [("packageId", pro.as_str()), ("formToken", token.as_str())];
        site.sandbox.clear_commits();
        let (status, page) = site.submit(&action, &form).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(site.package_of_website().await, "Pro");
        assert_eq!(site.sandbox.commits().len(), 1);
        let message: Value =
            serde_json::from_str(&unescape(between(&page, "data-post=\"", "\"")[0])).unwrap();
        assert_eq!(message["type"], "SUBSCRIPTION_UPGRADED");
        assert_eq!(
            (
                &message["data"]["packageId"],
                &message["data"]["packageName"]
            ),
            (&json!(pro), &json!("Pro"))
        );

        // Submit it again, like a reload of the page.
        let (status, _) = site.submit(&action, &form).await;
        assert_eq!((status.as_u16(), site.sandbox.commits().len()), (400, 1));
    }
}

#[tokio::test]
async fn forged_or_reused_form_is_rejected() {
    let site = Site::platform_managed(Model::Website).await;
    let (pro, basic, unicorn) = (
        site.package("Pro"),
        site.package("Basic"),
        site.package("Unicorn"),
    );
    let other = Site::platform_managed(Model::Website).await.package("Pro");
    let address = site.address("/upgrade", &[("upgradePackageId", &pro)]);
    let (_, page) = site.open(&address).await;
    let token = form_token(&page);
    // A form created for another session.
    let elsewhere = site.token("c", 500);
    let parameters = [
        ("intpc_token", elsewhere.as_str()),
        ("externalWebsiteId", "w"),
        ("upgradePackageId", &pro),
    ];
    let (_, page) = site.open(&self::address("/upgrade", &parameters)).await;
    let of_another_session = form_token(&page);
    assert_ne!(token, of_another_session);
    for (status, package, form_token) in [
        (403, &pro, None),
        (403, &pro, Some("")),
        (403, &pro, Some("AAAA")),
        (403, &pro, Some(of_another_session.as_str())),
        (403, &unicorn, Some(&token)),
        (400, &basic, Some(&token)),
        (400, &other, Some(&token)),
        (400, &"Pro".to_owned(), Some(&token)),
        (400, &String::new(), Some(&token)),
    ] {
        let mut form = vec![("packageId", package.as_str())];
        form.extend(form_token.map(|token| ("formToken", token)));
        let (got, page) = site.submit(&address, &form).await;
        assert_eq!(got, status, "{form:?}: {page}");
        assert_eq!(site.package_of_website().await, "Basic", "{form:?}");
    }
    for id in [&basic, &other, &"Pro".to_owned()] {
        let (status, _) = site
            .open(&site.address("/upgrade", &[("upgradePackageId", id)]))
            .await;
        assert_eq!(status, 400, "{id}");
    }
}

fn form_token(page: &str) -> String {
    between(page, "name=\"formToken\" value=\"", "\"")[0].to_owned()
}

#[tokio::test]
async fn login_opens_the_dashboard_until_it_expires() {
    let site = Site::platform_managed(Model::Website).await;
    let key = site.api_key().await;
    let id = payload(&site.client, "/v2/3as/websites/w").await["id"].take();
    let login = json!({"apiKey": key, "websiteId": id});
    let response = site
        .client
        .post(operations::LOGIN_WITH_API_KEY.path, &login)
        .await
        .unwrap();
    let reply = response.json::<Value>().await.unwrap();
    let token = reply["payload"]["refreshToken"].as_str().unwrap();
    let pro = site.package("Pro");
    let parameters = [("websiteToken", token), ("upgradePackageId", pro.as_str())];
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert!(
        status == 200 && page.contains("<h1>example.com</h1>"),
        "{status} {page}"
    );
    let checkout = address("/upgrade", &parameters);
    let (_, page) = site.open(&checkout).await;
    let form = [
        ("packageId", pro.as_str()),
        ("formToken", &form_token(&page)),
    ];
    assert_eq!(site.submit(&checkout, &form).await.0, 200);
    assert_eq!(site.package_of_website().await, "Pro");

    site.sandbox.advance(chrono::Duration::minutes(16));
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert!(
        status == 401 && page.contains("The login has expired."),
        "{status} {page}"
    );
}
