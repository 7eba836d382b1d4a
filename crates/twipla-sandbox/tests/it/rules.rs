//! Rules for which the behaviour of the real server is not known.

use reqwest::Method;
use serde_json::{Value, json};

use twipla_api::PackageId;
use twipla_sandbox::Sandbox;

use crate::support::{Client, payload};

#[tokio::test]
async fn second_trial_becomes_an_upgrade_without_a_trial() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox, sandbox.account_partner());
    let packages = sandbox.packages(sandbox.account_partner().id());
    let id_of = |name: &str| packages.iter().find(|(known, _)| known == name).unwrap().1;
    let customer = json!({"intpCustomerId": "c", "email": "c@example.com"});
    let created = client.post("/v2/3as/customers", &customer).await.unwrap();
    assert_eq!(created.status(), 201);

    let upgrade = async |package: PackageId| {
        let body = json!({"intpcId": "c", "packageId": package, "trial": true});
        let path = "/v3/3as/intpc-subscriptions/upgrade";
        let response = client.post(path, &body).await.unwrap();
        assert_eq!(response.status(), 201);
        response.json::<Value>().await.unwrap()["payload"].take()
    };

    let first = upgrade(id_of("Basic")).await;
    assert_eq!(
        (&first["inTrial"], &first["hadTrial"]),
        (&json!(true), &json!(true))
    );
    let second = upgrade(id_of("Pro")).await;
    assert_eq!(second["packageId"], id_of("Pro").to_string());
    assert_eq!(
        (&second["inTrial"], &second["hadTrial"]),
        (&json!(false), &json!(true))
    );
}

/// All lookups are updated: by e-mail address, owner, id and key.
#[tokio::test]
async fn deleted_customer_is_removed_from_all_lookups() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let other = json!({
        "intpCustomerId": "d", "email": "d@example.com",
        "website": {"intpWebsiteId": "x", "domain": "example.com"},
    });
    client.post("/v2/3as/customers", &other).await.unwrap();
    let role = json!({"intpCustomerId": "c", "role": "editor"});
    let contributors = "/v3/3as/websites/x/contributors";
    assert_eq!(
        client.post(contributors, &role).await.unwrap().status(),
        204
    );
    let keys = "/v2/3as/websites/w/api-keys";
    let created = client.post(keys, &json!({"name": "k"})).await.unwrap();
    let created: Value = created.json().await.unwrap();
    let site: Value = payload(&client, "/v2/3as/websites/w").await;
    let by_id = format!("/v2/3as/internal/websites/{}", site["id"].as_str().unwrap());
    assert_eq!(payload(&client, &by_id).await["intpWebsiteId"], "w");
    let login = json!({"apiKey": created["payload"]["apiKey"], "websiteId": site["id"]});
    let try_login = async || {
        let response = client.post("/v2/3as/api-keys/login", &login).await;
        response.unwrap().status()
    };
    assert_eq!(try_login().await, 201);

    let deleted = client.delete("/v2/3as/customers/c").await.unwrap();
    assert_eq!(deleted.status(), 200);

    assert_eq!(try_login().await, 401);
    assert_eq!(client.get(&by_id).await.unwrap().status(), 404);
    let of_owner = "/v2/3as/websites?externalCustomerId=c";
    assert_eq!(payload(&client, of_owner).await, json!([]));
    let left = payload(&client, contributors).await;
    assert_eq!(left["contributors"]["editor"], json!([]));

    let again = json!({
        "intpCustomerId": "c", "email": "C@example.com",
        "website": {"intpWebsiteId": "w", "domain": "example.com"},
    });
    let again = client.post("/v2/3as/customers", &again).await.unwrap();
    assert_eq!(again.status(), 201);
    let left = payload(&client, contributors).await;
    assert_eq!(left["contributors"]["editor"], json!([]));
    let twice = json!({"intpCustomerId": "e", "email": "c@EXAMPLE.com"});
    let twice = client.post("/v2/3as/customers", &twice).await.unwrap();
    assert_eq!(twice.status(), 400);
}

/// A filter matches the visits that satisfy all conditions, and conditions that
/// the sandbox does not support are rejected, not ignored.
#[tokio::test]
async fn analytics_filter_matches_all_conditions() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let keys = "/v2/3as/websites/w/api-keys";
    let created = client.post(keys, &json!({"name": "k"})).await.unwrap();
    let created: Value = created.json().await.unwrap();
    let key = created["payload"]["apiKey"].as_str().unwrap();
    let id = payload(&client, "/v2/3as/websites/w").await["id"].take();
    let id = id.as_str().unwrap();
    let send = async |path: String, body: Value| {
        let sent = client.send_with_key(Method::POST, &path, Some(&body), Some(key));
        let sent = sent.await.unwrap();
        (sent.status().as_u16(), sent.json::<Value>().await.unwrap())
    };
    let graph = async |body: Value| {
        let days = "from=2026-06-01T00:00:00.000Z&until=2026-06-03T00:00:00.000Z";
        let path = format!("/v2/websites/{id}/visits/graph?{days}&unit=day&type=time-series");
        send(path, body).await
    };
    let rows = async |filter: Value| {
        let query = json!({
            "metrics": ["visitCount"], "dimensions": ["countryCode"], "where": filter,
            "dateRange": {"start": "2026-06-01T00:00:00.000Z", "end": "2026-06-03T00:00:00.000Z"},
        });
        send(format!("/v2/websites/{id}/analytics/sessions"), query).await
    };
    let on = |member: &str, values: &[&str]| json!({"member": member, "operator": "eq", "values": values});
    let shop = on("pageUrl", &["https://example.com/shop"]);
    let about = on("pageUrl", &["https://example.com/about"]);
    let total = |(status, body): (u16, Value)| {
        assert_eq!(status, 200, "{body}");
        body["payload"]["datasets"][0]["total"].as_u64().unwrap()
    };

    let of_shop = total(graph(json!({"where": {"and": [shop]}})).await);
    assert!(of_shop > 0);
    let twice = graph(json!({"where": {"and": [shop, shop]}})).await;
    assert_eq!(total(twice), of_shop);
    let both = graph(json!({"where": {"and": [shop, about]}})).await;
    assert_eq!(total(both), 0);
    let elsewhere = on("pageUrl", &["https://elsewhere.test/shop"]);
    let elsewhere = graph(json!({"where": {"and": [elsewhere]}})).await;
    assert_eq!(total(elsewhere), 0);
    let once = rows(json!({"and": [shop]})).await;
    assert_eq!(rows(json!({"and": [shop, shop]})).await, once);
    assert_eq!(once.0, 200);

    for (body, expected) in [
        (
            json!({"where": {"and": [], "or": [shop]}}),
            "where.or is not known",
        ),
        (
            json!({"where": {"and": []}, "filter": []}),
            "filter is not known",
        ),
        (
            json!({"where": {"and": [on("pageUrl", &[])]}}),
            "at least one value",
        ),
    ] {
        let (status, rejected) = graph(body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(rejected.to_string().contains(expected), "{rejected}");
        if body.get("filter").is_none() {
            let (status, rejected) = rows(body["where"].clone()).await;
            assert_eq!(status, 400, "{body}");
            assert!(rejected.to_string().contains(expected), "{rejected}");
        }
    }
}

#[tokio::test]
async fn whole_numbers_are_stored_exactly_or_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox, sandbox.website_partner());
    let create = async |touchpoints: Value| {
        let package = json!({
            "name": "Own", "touchpoints": touchpoints, "price": 1, "currency": "EUR", "period": "monthly",
        });
        let response = client.post("/v2/3as/packages", &package).await.unwrap();
        (
            response.status().as_u16(),
            response.json::<Value>().await.unwrap(),
        )
    };
    for (sent, stored) in [
        (json!(9_007_199_254_740_993_i64), 9_007_199_254_740_993),
        (json!(i64::MAX), i64::MAX),
        (json!(100.0), 100),
    ] {
        let (status, package) = create(sent.clone()).await;
        assert_eq!(status, 201, "{sent}: {package}");
        assert_eq!(package["payload"]["touchpoints"], stored, "{sent}");
    }
    for (sent, expected) in [
        (
            json!(9_223_372_036_854_775_808_u64),
            "touchpoints is too large",
        ),
        (json!(1e300), "touchpoints is too large"),
        (json!(1.5), "touchpoints must be a whole number"),
        (json!(-1), "must not be negative"),
    ] {
        let (status, rejected) = create(sent.clone()).await;
        assert_eq!(status, 400, "{sent}");
        let message = rejected["message"].as_str().unwrap();
        assert!(message.contains(expected), "{sent}: {message}");
    }
}
