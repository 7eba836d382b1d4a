//! Requests as the official clients send them: the sandbox accepts them all.

use http::Method;
use serde_json::{Value, json};
use twipla::types::{BillingInterval, Currency, PackageVisibility};
use twipla_tests::Stage;

/// The Go client sends every object completely, with empty fields for what is not set.
#[tokio::test]
async fn empty_fields_count_as_absent() {
    let stage = Stage::with_customer().await;
    let body = |id: &str, uft: bool| {
        json!({
            "website": {"id": id, "domain": "example.com", "package": {"id": "", "billingDate": "2026-01-01T00:00:00Z"}},
            "intpc": {"id": "c"},
            "opts": {"uft": uft},
        })
    };
    let create = |twipla: &twipla::Twipla, body: Value| {
        twipla
            .raw_request(Method::POST, "/v3/3as/websites")
            .json(&body)
    };
    let free = create(&stage.website_model, body("a", false))
        .await
        .unwrap();
    assert_eq!(free["inTrial"], false);
    let trial = create(&stage.website_model, body("b", true)).await.unwrap();
    assert_eq!(trial["inTrial"], true);
    let pooled = create(&stage.account_model, body("a", false))
        .await
        .unwrap();
    assert_eq!(pooled["subscriptionType"], "intpc");

    let customer = json!({"intpCustomerId": "d", "email": "d@example.com", "website": {"intpWebsiteId": "", "domain": ""}});
    let made = stage
        .website_model
        .raw_request(Method::POST, "/v2/3as/customers")
        .json(&customer)
        .await
        .unwrap();
    assert!(made.get("website").is_none(), "{made}");
}

/// The Node client adds a slash to one path, the PHP client sends an empty list as a body and null for what is not set.
#[tokio::test]
async fn odd_paths_and_bodies_are_accepted() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let flat = json!({"intpWebsiteId": "w", "intpCustomerId": "c", "domain": "example.com", "packageId": null, "billingDate": null});
    twipla
        .raw_request(Method::POST, "/v2/3as/websites")
        .json(&flat)
        .await
        .unwrap();

    let domains = "/v2/3as/websites/w/whitelisted-domains";
    let domain = json!({"domain": "shop.example.com"});
    twipla
        .raw_request(Method::POST, domains)
        .json(&domain)
        .await
        .unwrap();
    twipla
        .raw_request(Method::PATCH, format!("{domains}/"))
        .json(&domain)
        .await
        .unwrap();
    assert_eq!(
        twipla.raw_request(Method::GET, domains).await.unwrap(),
        json!([])
    );

    let custom = twipla
        .packages()
        .create(
            "Custom",
            9_000,
            9.0,
            Currency::Eur,
            BillingInterval::Monthly,
        )
        .visibility(PackageVisibility::Restricted)
        .await
        .unwrap();
    let assignment = format!("/v3/3as/packages/{}/assignments/w", custom.id);
    let nothing = twipla
        .raw_request(Method::PUT, assignment)
        .json(&json!([]))
        .await
        .unwrap();
    assert_eq!(nothing, Value::Null);
    twipla.website("w").delete().await.unwrap();
    let left = twipla.package(custom.id).get().await.unwrap().restricted_to;
    assert_eq!(
        left.unwrap_or_default(),
        [],
        "what is deleted is assigned nothing"
    );
}

/// The older subscription calls still work.
#[tokio::test]
async fn older_subscription_paths_work() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    twipla
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    let cancel = twipla
        .raw_request(Method::POST, "/v2/3as/notifications/subscriptions/cancel")
        .json(&json!({"intpWebsiteId": "w"}))
        .await
        .unwrap();
    assert_eq!(cancel["status"], "canceled");
}

/// Two clients need an expiry for a key, and strict parsers at most milliseconds.
#[tokio::test]
async fn responses_suit_the_strictest_client() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    twipla
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    let key = twipla
        .website("w")
        .api_keys()
        .create("k")
        .raw()
        .await
        .unwrap();
    assert!(key["expiresAt"].is_string());
    let created = key["createdAt"].as_str().unwrap();
    let digits = created.split_once('.').map_or(0, |(_, rest)| {
        rest.chars().take_while(char::is_ascii_digit).count()
    });
    assert!(digits <= 3, "{created}");
}

#[tokio::test]
async fn advance_moves_time_within_the_calendar() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    twipla
        .websites()
        .create("c", "w", "example.com")
        .unlimited_free_trial(true)
        .await
        .unwrap();
    stage.sandbox.advance(chrono::Duration::days(40));
    let seen = stage.sandbox.snapshot();
    let site = seen["partners"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|partner| partner["websites"].get("w"));
    assert_eq!(
        site.unwrap()["subscription"]["inTrial"],
        false,
        "the snapshot shows it"
    );
    stage.sandbox.advance(chrono::Duration::days(100_000_000));
    assert!(
        twipla.website("w").get().await.is_ok(),
        "the server lives on"
    );
}
