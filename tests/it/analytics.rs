//! The data endpoints.

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use twipla::{Analytics, Dimension, ErrorKind, Filter, Metric, Order, Twipla};
use twipla_tests::Stage;

async fn stage() -> (Stage, Analytics) {
    let stage = Stage::start().await;
    let data = data(&stage.website_model, "c").await;
    (stage, data)
}

async fn data(twipla: &Twipla, name: &str) -> Analytics {
    let made = twipla
        .customers()
        .create(name, format!("{name}@example.com"))
        .website(name, "example.com")
        .await
        .unwrap();
    let key = twipla
        .website(name)
        .api_keys()
        .create("data")
        .await
        .unwrap();
    twipla.analytics(made.website.unwrap().id, key.api_key)
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[tokio::test]
async fn sessions_are_grouped_filtered_ordered_and_compared() {
    let (_stage, data) = stage().await;
    let march = day("2026-03-01")..=day("2026-03-31");
    let report = data
        .sessions()
        .metrics([
            Metric::VisitCount,
            Metric::BounceRate,
            Metric::PreviousVisitCount,
        ])
        .dimensions([Dimension::DeviceType])
        .order_by(Order::descending(Metric::VisitCount))
        .date_range(march.clone())
        .previous_date_range(day("2026-02-01")..=day("2026-02-28"))
        .timezone("Europe/Berlin")
        .trace("devices")
        .await
        .unwrap();
    assert_eq!(report.rows.len(), 3, "{report:?}");
    let visits: Vec<_> = report
        .rows
        .iter()
        .map(|row| row.number(&Metric::VisitCount).unwrap())
        .collect();
    assert!(visits.is_sorted_by(|a, b| a >= b), "{visits:?}");
    for row in &report.rows {
        assert!(
            (0.0..=100.0).contains(&row.number(&Metric::BounceRate).unwrap()),
            "{row:?}"
        );
        assert!(row.number(&Metric::PreviousVisitCount).is_some(), "{row:?}");
    }
    let again = data
        .sessions()
        .metrics([Metric::VisitCount])
        .dimensions([Dimension::DeviceType]);
    let phones = again
        .filter(Filter::eq(Dimension::DeviceType, ["mobile"]))
        .date_range(march)
        .await
        .unwrap();
    assert_eq!(phones.rows.len(), 1);
    assert_eq!(phones.rows[0].text(&Dimension::DeviceType), Some("mobile"));
}

#[tokio::test]
async fn pages_of_rows_are_counted_from_0_here_and_from_1_on_the_wire() {
    let (stage, data) = stage().await;
    let query = data
        .pages()
        .metrics([Metric::VisitCount])
        .dimensions([Dimension::PageUrl])
        .order_by(Order::descending(Metric::VisitCount))
        .date_range(day("2026-03-01")..=day("2026-03-31"));
    let all = query.clone().await.unwrap().rows;
    assert!(all.len() > 3, "{all:?}");
    let first = query.clone().page(0).page_size(2).await.unwrap().rows;
    let second = query.clone().page(1).page_size(2).await.unwrap().rows;
    assert_eq!([first, second].concat(), all[..4]);
    let sent = stage.sandbox.requests().pop().unwrap().body.unwrap();
    assert_eq!(sent["pagination"]["page"], 2);
    let streamed: Vec<_> = query.page_size(2).stream().try_collect().await.unwrap();
    assert_eq!(streamed, all);
}

#[tokio::test]
async fn graphs_have_a_value_for_each_day() {
    let (_stage, data) = stage().await;
    let week = day("2026-03-02")..=day("2026-03-08");
    for query in [data.visits(), data.bounce_rate(), data.page_view_duration()] {
        let graph = query
            .date_range(week.clone())
            .timezone("Europe/Berlin")
            .await
            .unwrap();
        assert_eq!(graph.labels.len(), 7, "{graph:?}");
        assert!(
            graph.series.iter().all(|series| series.data.len() == 7),
            "{graph:?}"
        );
    }
    let sources = data.traffic_share().date_range(week).await.unwrap();
    let labels: Vec<_> = sources
        .series
        .iter()
        .map(|series| series.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "direct",
            "search",
            "social",
            "email",
            "paid",
            "ai_traffic",
            "unknown"
        ]
    );
}

#[tokio::test]
async fn graphs_are_limited_to_the_pages_of_the_filter() {
    let (stage, data) = stage().await;
    let week = day("2026-03-02")..=day("2026-03-08");
    let of = |pages: &[&str]| Filter::eq(Dimension::PageUrl, pages.iter().copied());
    let shop = "https://example.com/shop";
    let visits = data.visits().date_range(week.clone());
    let site = visits.clone().await.unwrap();
    let sent = stage.sandbox.requests().pop().unwrap().body.unwrap();
    assert_eq!(sent, serde_json::json!({ "where": { "and": [] } }));

    let page = visits.clone().filter(of(&[shop])).await.unwrap();
    let sent = stage.sandbox.requests().pop().unwrap().body.unwrap();
    let condition = serde_json::json!({ "member": "pageUrl", "operator": "eq", "values": [shop] });
    assert_eq!(sent, serde_json::json!({ "where": { "and": [condition] } }));
    let both = of(&[shop, "https://example.com"]);
    let both = visits.clone().filter(both).await.unwrap();
    let none = of(&["https://example.com/nowhere"]);
    let none = visits.clone().filter(none).await.unwrap();
    let totals = [none, page, both, site].map(|graph| graph.series[0].total.unwrap());
    assert!(totals.is_sorted_by(|a, b| a < b), "{totals:?}");
    assert!(totals[0] == 0.0, "{totals:?}");

    for query in [
        data.bounce_rate(),
        data.page_view_duration(),
        data.traffic_share(),
    ] {
        let query = query.date_range(week.clone());
        let site = query.clone().await.unwrap();
        let page = query.filter(of(&[shop])).await.unwrap();
        assert_eq!(site.labels, page.labels);
        assert_ne!(site.series, page.series);
    }
}

#[tokio::test]
async fn invalid_filter_of_a_graph_is_rejected() {
    let (_stage, data) = stage().await;
    let visits = data
        .visits()
        .date_range(day("2026-03-02")..=day("2026-03-08"));
    for (filter, complaint) in [
        (Filter::eq(Dimension::PageUrl, ["/shop"]), "absolute URL"),
        (
            Filter::eq(Dimension::PageUrl, ["https://example.com/shop/"]),
            "trailing slash",
        ),
        (Filter::eq("mood", ["good"]), "dimension mood is not known"),
        (
            Filter::with_operator(Dimension::PageUrl, "like", ["https://example.com"]),
            "operator like is not known",
        ),
        (
            Filter::eq(Dimension::PageUrl, [] as [&str; 0]),
            "at least one value",
        ),
    ] {
        let error = visits.clone().filter(filter).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
        assert!(error.to_string().contains(complaint), "{error}");
    }
}

#[tokio::test]
async fn api_key_reads_only_its_own_website() {
    let (stage, _) = stage().await;
    let twipla = &stage.website_model;
    let other = data(twipla, "other").await;
    let days = day("2026-03-01")..=day("2026-03-02");
    other.visits().date_range(days.clone()).await.unwrap();

    let site = twipla.website("c").get().await.unwrap();
    let key = twipla
        .website("other")
        .api_keys()
        .create("x")
        .await
        .unwrap();
    let error = twipla
        .analytics(site.id, key.api_key)
        .visits()
        .date_range(days.clone())
        .await
        .unwrap_err();
    assert!(error.is_auth(), "{error}");
    let error = twipla
        .analytics(site.id, "twpl-wrong")
        .visits()
        .date_range(days)
        .await
        .unwrap_err();
    assert!(error.is_auth(), "{error}");
}

#[tokio::test]
async fn unknown_names_are_sent_and_rejected_by_the_server() {
    let (_stage, data) = stage().await;
    let days = day("2026-03-01")..=day("2026-03-02");
    let error = data
        .sessions()
        .metrics(["scrollDepth"])
        .date_range(days)
        .await
        .unwrap_err();
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(422),
        "{error}"
    );
    assert!(error.code().is_some(), "{error}");
}

#[tokio::test]
async fn invalid_queries_are_not_sent() {
    let (stage, data) = stage().await;
    stage.sandbox.clear_requests();
    let days = day("2026-03-01")..=day("2026-03-02");
    let sessions = || data.sessions().metrics([Metric::VisitCount]);
    for (query, says) in [
        (data.sessions().date_range(days.clone()), "missing metric"),
        (sessions(), "missing date range"),
        (
            sessions().date_range(day("2026-03-02")..=day("2026-03-01")),
            "invalid date range",
        ),
        (
            sessions().date_range(days.clone()).timezone("Mars/Olympus"),
            "invalid time zone",
        ),
        (
            sessions().date_range(days.clone()).page_size(0),
            "invalid page_size 0",
        ),
        (
            sessions()
                .metrics([Metric::PreviousVisitCount])
                .date_range(days.clone()),
            "previous_date_range",
        ),
    ] {
        let error = query.await.unwrap_err();
        assert!(
            error.is_invalid_input() && error.to_string().contains(says),
            "{error}"
        );
    }
    assert!(stage.sandbox.requests().is_empty());
}

#[tokio::test]
async fn raw_sessions_use_the_path_given_by_the_caller() {
    let (_stage, data) = stage().await;
    data.raw_sessions().await.unwrap();
    let error = data
        .raw_sessions()
        .path("/v2/no/such/path")
        .await
        .unwrap_err();
    assert!(error.is_not_found() || error.is_auth(), "{error}");
    let error = data.raw_sessions().body(&[1, 2]).await.unwrap_err();
    assert!(error.is_invalid_input(), "{error}");
}
