//! The numbers, dates and texts of a dashboard.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use twipla_api::operations;

use super::site::{Site, address, between};
use crate::support::{Client, payload};

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
