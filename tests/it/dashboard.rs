//! Dashboard URLs, opened as a browser would.

use chrono::NaiveDate;
use twipla::IframeMessage;
use twipla::url::Url;
use twipla_tests::{Stage, client};

async fn stage() -> Stage {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    twipla
        .customers()
        .create("c", "c@example.com")
        .website("w", "example.com")
        .await
        .unwrap();
    twipla
        .customers()
        .create("stranger", "s@example.com")
        .await
        .unwrap();
    stage
}

#[tokio::test]
async fn dashboard_opens_for_the_owner_only() {
    let stage = stage().await;
    let twipla = &stage.website_model;
    let url = twipla.dashboard("c", "w").await.unwrap();
    assert_eq!(reqwest::get(url.as_str()).await.unwrap().status(), 200);
    let url = twipla.dashboard("stranger", "w").await.unwrap();
    assert_ne!(reqwest::get(url.as_str()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_button_of_the_sandbox_holds_a_message_that_is_read_whole() {
    let stage = stage().await;
    let twipla = &stage.website_model;
    let url = twipla
        .dashboard("c", "w")
        .allow_upgrade(true)
        .await
        .unwrap();
    let page = reqwest::get(url.as_str()).await.unwrap();
    let page = page.text().await.unwrap();
    let (_, message) = page.split_once("data-post=\"").expect("a button");
    let (message, _) = message.split_once('"').unwrap();
    let IframeMessage::UpgradeButtonClicked {
        intp_website_id,
        intp_customer_id,
        package_name,
        package_id,
        in_trial,
        expires_at,
        billing_interval,
        ..
    } = IframeMessage::parse(&message.replace("&quot;", "\"")).unwrap()
    else {
        panic!("{message}");
    };
    let site = twipla.website("w").get().await.unwrap();
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
}

#[tokio::test]
async fn every_option_is_in_the_url() {
    let stage = stage().await;
    let package = twipla::PackageId::from(uuid::Uuid::new_v4());
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let url = stage
        .website_model
        .dashboard("c", "w & co/é")
        .locale("de")
        .timezone("America/Argentina/Buenos_Aires")
        .date_range(day("2026-03-01")..=day("2026-03-31"))
        .upgrade_package(package)
        .allow_upgrade(true)
        .await
        .unwrap();
    let parsed = reqwest::Url::parse(url.as_str()).unwrap();
    let mut query: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
    let token = query
        .iter()
        .position(|(name, _)| name == "intpc_token")
        .expect("a token");
    assert_eq!(query.remove(token).1.split('.').count(), 3);
    query.sort();
    let package = package.to_string();
    let expected = [
        ("allowUpgrade", "true"),
        ("endDate", "2026-03-31"),
        ("externalWebsiteId", "w & co/é"),
        ("locale", "de"),
        ("startDate", "2026-03-01"),
        ("timezone", "America/Argentina/Buenos_Aires"),
        ("upgradePackageId", package.as_str()),
    ];
    assert_eq!(
        query,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert!(!format!("{url:?}").contains("eyJ"), "Debug shows no token");
}

#[tokio::test]
async fn invalid_dashboard_options_are_rejected() {
    let stage = stage().await;
    let dashboard = || stage.website_model.dashboard("c", "w");
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    for (builder, names) in [
        (dashboard().locale("xx-YY"), "xx-YY"),
        (dashboard().locale("DE"), "DE"),
        (dashboard().locale("zz"), "zz"),
        (dashboard().timezone("Berlin"), "Berlin"),
        (
            dashboard().date_range(day("2026-03-02")..=day("2026-03-01")),
            "2026-03-01",
        ),
        (dashboard().upgrade_package("pro"), "pro"),
        (stage.website_model.dashboard("", "w"), "customer"),
        (stage.website_model.dashboard("c", ""), "website"),
    ] {
        let error = builder.await.unwrap_err();
        assert!(
            error.is_invalid_input() && error.to_string().contains(names),
            "{names}: {error}"
        );
    }
}

#[tokio::test]
async fn client_returns_partner_and_base_urls_without_a_request() {
    let stage = stage().await;
    let twipla = &stage.website_model;
    let url = twipla.dashboard("c", "w").await.unwrap();
    stage.sandbox.clear_requests();
    assert!(IframeMessage::is_trusted_origin(
        &twipla.dashboard_origin(),
        url.as_str()
    ));
    let sandbox: Url = stage.sandbox.base_url().parse().unwrap();
    assert_eq!(twipla.base_url().authority(), sandbox.authority());
    assert_eq!(twipla.data_url().authority(), sandbox.authority());
    assert_eq!(twipla.partner_id(), stage.sandbox.website_partner().id());
    assert!(stage.sandbox.requests().is_empty());

    // No request is needed: two different hosts, and an origin without a path.
    let elsewhere = client(&stage.sandbox, &stage.sandbox.website_partner())
        .base_url("https://manage.example.com")
        .data_url("https://data.example.com:8443")
        .dashboard_url("https://app.example.com/embed")
        .build()
        .unwrap();
    assert_eq!(elsewhere.base_url().host_str(), Some("manage.example.com"));
    assert_eq!(elsewhere.data_url().port(), Some(8443));
    assert_eq!(elsewhere.dashboard_origin(), "https://app.example.com");
}

#[tokio::test]
async fn tokens_are_returned_with_their_expiry() {
    let stage = stage().await;
    let twipla = &stage.website_model;
    let token = twipla.partner_token().await.unwrap();
    let left = token.expires_at() - chrono::Utc::now();
    assert!((500..=600).contains(&left.num_seconds()), "{left}");
    let customer = twipla.customer_token("c").await.unwrap();
    assert_ne!(customer.expose(), token.expose());
    assert!(!format!("{token:?}{customer:?}").contains("eyJ"));
}
