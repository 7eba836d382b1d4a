//! The format of responses, about which clients in typed languages are strict.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use twipla_api::operations;
use twipla_sandbox::Sandbox;

use crate::support::{Client, payload};

/// A request for every operation whose response has a body, in an order in
/// which all succeed. `PRO`, `BASIC`, `ID` and `KEY` stand for values that are
/// known only at run time.
fn requests(is_website: bool) -> Vec<(Method, &'static str, Value)> {
    let range =
        "from=2026-06-01T00:00:00.000Z&until=2026-06-03T00:00:00.000Z&unit=day&type=time-series";
    let whole_site = json!({"where": {"and": []}});
    let rows = json!({
        "metrics": ["visitCount", "bounceRate", "visitPercentOfTotal"], "dimensions": ["pageUrl", "deviceType"],
        "dateRange": {"start": "2026-06-01T00:00:00.000Z", "end": "2026-06-03T00:00:00.000Z"},
    });
    let get = |path| (Method::GET, path, Value::Null);
    let post = |path, body| (Method::POST, path, body);
    let graph = |path: &str| -> &'static str { format!("{path}?{range}").leak() };
    let (owner, id) = if is_website {
        ("intpWebsiteId", "w")
    } else {
        ("intpcId", "c")
    };
    let on = |package: &str| json!({owner: id, "packageId": package});
    let holder = if is_website { "website" } else { "intpc" };
    let family =
        |verb: &str| -> &'static str { format!("/v3/3as/{holder}-subscriptions/{verb}").leak() };
    let mut all = vec![
        post(
            "/v2/3as/packages",
            json!({"name": "Own", "touchpoints": 10, "price": 5, "currency": "EUR", "period": "monthly"}),
        ),
        // A date with the maximum number of digits in RFC 3339.
        post(
            "/v2/3as/websites/w/api-keys",
            json!({"name": "k", "expiresAt": "2099-01-01T00:00:00.123456789+02:00"}),
        ),
        get("/v2/3as/websites/w/api-keys"),
        get("/v2/3as/customers?page=0&pageSize=10"),
        get("/v2/3as/customers/c"),
        get("/v2/3as/packages"),
        get("/v2/3as/packages/PRO"),
        (
            Method::PATCH,
            "/v2/3as/packages/BASIC",
            json!({"name": "Basic, renamed"}),
        ),
        get("/v2/3as/websites/w/whitelisted-domains"),
        get("/v2/3as/websites"),
        get("/v2/3as/websites/w"),
        get("/v2/3as/internal/websites/ID"),
        get("/v2/3as/company-details"),
        get("/v3/3as/websites/w/contributors"),
        post(
            "/v3/3as/websites",
            json!({"website": {"id": "v3", "domain": "example.com"}, "intpc": {"id": "c"}}),
        ),
        post(family("upgrade"), on("PRO")),
        post(family("downgrade"), on("BASIC")),
        post(family("cancel"), on("PRO")),
        post(family("resume"), on("PRO")),
        post(
            "/v2/3as/api-keys/login",
            json!({"apiKey": "KEY", "websiteId": "ID"}),
        ),
        post("/v2/websites/ID/analytics/sessions", rows.clone()),
        post("/v2/websites/ID/analytics/pages", rows),
        post(graph("/v2/websites/ID/visits/graph"), whole_site.clone()),
        post(
            graph("/v2/websites/ID/stats/bounce-rate/graph"),
            whole_site.clone(),
        ),
        post(
            graph("/v2/websites/ID/stats/average-page-view-duration/graph"),
            whole_site.clone(),
        ),
        post(
            graph("/v2/websites/ID/traffic-api/traffic-share/in-depth"),
            whole_site,
        ),
        post("/v2/websites/ID/sessions", json!({})),
        post(family("deactivate"), on("PRO")),
        (Method::DELETE, "/v2/3as/websites/w", Value::Null),
        (Method::DELETE, "/v2/3as/customers/c", Value::Null),
    ];
    if is_website {
        all.push(post(
            "/v2/3as/customers",
            json!({"intpCustomerId": "c", "email": "c@example.com"}),
        ));
        all.push(post(
            "/v2/3as/websites",
            json!({"intpWebsiteId": "flat", "intpCustomerId": "c", "domain": "example.com", "billingDate": "2026-01-01T00:00:00Z"}),
        ));
    } else {
        // Deactivating the customer deleted both.
        all.truncate(all.len() - 2);
    }
    all
}

#[tokio::test]
async fn whole_numbers_have_no_fraction_and_times_have_milliseconds() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut covered = BTreeSet::new();
    for partner in sandbox.partners() {
        let client = Client::new(&sandbox, partner.clone());
        let customer = json!({
            "intpCustomerId": "c", "email": "c@example.com",
            "website": {"intpWebsiteId": "w", "domain": "example.com"},
        });
        let created = client.post("/v2/3as/customers", &customer).await.unwrap();
        check("create_customer", &created.text().await.unwrap());
        let packages = sandbox.packages(partner.id());
        let id_of = |name: &str| {
            let package = packages.iter().find(|(known, _)| known == name);
            package.unwrap().1.to_string()
        };
        let site = payload(&client, "/v2/3as/websites/w").await;
        let mut known = vec![
            ("PRO", id_of("Pro")),
            ("BASIC", id_of("Basic")),
            ("ID", site["id"].as_str().unwrap().to_owned()),
        ];
        let is_website = partner.model() == twipla_sandbox::Model::Website;
        for (method, path, body) in requests(is_website) {
            let fill = |text: &str| {
                let start = text.to_owned();
                known
                    .iter()
                    .fold(start, |text, (name, value)| text.replace(name, value))
            };
            let (path, body) = (fill(path), fill(&body.to_string()));
            let body: Value = serde_json::from_str(&body).unwrap();
            let body = (!body.is_null()).then_some(&body);
            let key = known.iter().find(|(name, _)| *name == "KEY");
            let key = key.map(|(_, key)| key.as_str());
            let response = client
                .send_with_key(method, &path, body, key)
                .await
                .unwrap();
            let status = response.status();
            let text = response.text().await.unwrap();
            assert!(
                status.is_success() && !text.is_empty(),
                "{path}: {status} {text}"
            );
            check(&path, &text);
            let json: Value = serde_json::from_str(&text).unwrap();
            if let Some(secret) = json["payload"]["apiKey"].as_str() {
                known.push(("KEY", secret.to_owned()));
            }
        }
        covered.extend(
            sandbox
                .requests()
                .iter()
                .filter(|request| request.status != 204)
                .filter_map(|request| request.operation),
        );
    }
    let silent: Vec<_> = operations::ALL
        .iter()
        .map(|operation| operation.id)
        .filter(|id| !covered.contains(id))
        .collect();
    let without_a_body = [
        "delete_api_key",
        "remove_contributor",
        "add_contributor",
        "assign_package",
        "unassign_package",
        "add_whitelisted_domain",
        "remove_whitelisted_domain",
    ];
    assert_eq!(silent, without_a_body, "all other operations are checked");
}

/// Checks every number and every time of a response.
fn check(what: &str, text: &str) {
    assert!(
        !text.contains(".0,") && !text.contains(".0}") && !text.contains(".0]"),
        "{what}: {text}"
    );
    check_times(what, &serde_json::from_str(text).unwrap());
}

fn check_times(what: &str, value: &Value) {
    match value {
        Value::Object(fields) => fields.values().for_each(|field| check_times(what, field)),
        Value::Array(items) => items.iter().for_each(|item| check_times(what, item)),
        Value::String(text) if chrono::DateTime::parse_from_rfc3339(text).is_ok() => {
            let digits = text.split_once('.').map(|(_, rest)| rest.len());
            assert_eq!(digits, Some("000Z".len()), "{what}: {text}");
        }
        _ => {}
    }
}

/// Strings of callers that look like times or numbers are not changed.
#[tokio::test]
async fn strings_of_callers_are_returned_unchanged() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let key = json!({"name": "2026-01-01T00:00:00Z", "comment": "5.0"});
    let path = "/v2/3as/websites/w/api-keys";
    assert_eq!(client.post(path, &key).await.unwrap().status(), 201);
    let keys = payload(&client, path).await;
    assert_eq!(
        (&keys[0]["name"], &keys[0]["comment"]),
        (&key["name"], &key["comment"])
    );
}

/// Returns the fields of an error body; nested fields contain a dot.
fn shape(body: &Value) -> Vec<String> {
    let fields = body.as_object().unwrap().iter();
    let names = fields.flat_map(|(name, field)| match field.as_object() {
        Some(inner) => inner.keys().map(|key| format!("{name}.{key}")).collect(),
        None => vec![name.clone()],
    });
    names.collect()
}

/// The error of one operation is representative of its family.
#[allow(clippy::too_many_lines, reason = "most of it is a table")]
#[tokio::test]
async fn errors_have_one_form_per_family() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let mut key = client
        .post("/v2/3as/websites/w/api-keys", &json!({"name": "k"}))
        .await
        .unwrap()
        .json::<Value>()
        .await
        .unwrap();
    let key = key["payload"]["apiKey"].take();
    let id = payload(&client, "/v2/3as/websites/w").await["id"].take();
    let data = |path: &str| format!("/v2/websites/{}/{path}", id.as_str().unwrap());
    let full = ["status", "message", "code", "error"].as_slice();
    let (short, plain) = (["error"].as_slice(), ["message"].as_slice());
    let coded = ["error.code", "error.message"].as_slice();
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let nothing = json!({});
    let role = json!({"intpCustomerId": "nobody", "role": "editor"});
    let query = json!({
        "metrics": ["luck"],
        "dateRange": {"start": "2026-06-01T00:00:00.000Z", "end": "2026-06-03T00:00:00.000Z"},
    });
    for (method, path, body, status, expected) in [
        (
            &get,
            "/v2/3as/websites/nothing".to_owned(),
            &nothing,
            404,
            full,
        ),
        (&get, "/v2/3as/customers".to_owned(), &nothing, 400, full),
        (&post, "/v2/3as/customers".to_owned(), &nothing, 400, full),
        (
            &post,
            "/v3/3as/website-subscriptions/resume".to_owned(),
            &json!({"intpWebsiteId": "w"}),
            500,
            full,
        ),
        (&get, "/v2/3as/nothing".to_owned(), &nothing, 404, full),
        (&put, "/v2/3as/customers".to_owned(), &nothing, 405, full),
        (
            &post,
            "/v2/3as/api-keys/login".to_owned(),
            &json!({"apiKey": "x", "websiteId": id}),
            401,
            full,
        ),
        (
            &delete,
            "/v2/3as/websites/w/api-keys/x".to_owned(),
            &nothing,
            404,
            short,
        ),
        (
            &post,
            "/v3/3as/websites/w/contributors".to_owned(),
            &role,
            404,
            short,
        ),
        (
            &post,
            "/v3/3as/websites/w/contributors".to_owned(),
            &nothing,
            400,
            short,
        ),
        (
            &delete,
            "/v3/3as/websites/w/contributors/x".to_owned(),
            &nothing,
            404,
            short,
        ),
        (
            &put,
            "/v3/3as/packages/x/assignments/w".to_owned(),
            &nothing,
            404,
            short,
        ),
        (
            &delete,
            "/v3/3as/packages/x/assignments/w".to_owned(),
            &nothing,
            404,
            short,
        ),
        (&post, data("analytics/sessions"), &nothing, 400, plain),
        (
            &post,
            "/v2/websites/x/analytics/sessions".to_owned(),
            &nothing,
            400,
            plain,
        ),
        (&post, data("visits/graph"), &nothing, 400, plain),
        (&post, data("analytics/sessions"), &query, 422, coded),
    ] {
        let sent = client.send_with_key(method.clone(), &path, Some(body), key.as_str());
        let response = sent.await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(shape(&body), expected, "{method} {path}: {body}");
        if expected == full {
            assert_eq!(body["status"], status, "{path}");
            let code = if status == 404 { 1004 } else { status };
            assert_eq!(body["code"], code, "{path}");
        }
    }
    let no_key = client.post(&data("analytics/sessions"), &query).await;
    let no_key = no_key.unwrap();
    assert_eq!(no_key.status(), 401);
    assert_eq!(
        no_key.json::<Value>().await.unwrap(),
        json!({"message": "Unauthorized"})
    );
}

/// The retired Go client sends trailing slashes, and an empty package for none,
/// and uses a subscription change that no other client has.
#[tokio::test]
async fn requests_of_older_clients_are_accepted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox, sandbox.website_partner());
    let customer = json!({
        "intpCustomerId": "c", "email": "c@example.com", "packageId": "",
        "website": {"intpWebsiteId": "w", "domain": "example.com", "packageId": ""},
    });
    let created = client.post("/v2/3as/customers", &customer).await.unwrap();
    assert_eq!(created.status(), 201);
    let flat = json!({"intpWebsiteId": "x", "intpCustomerId": "c", "domain": "example.com", "packageId": ""});
    let created = client.post("/v2/3as/websites", &flat).await.unwrap();
    assert_eq!(created.status(), 201);
    let site = payload(&client, "/v2/3as/websites/x").await;
    assert_eq!(site["inTrial"], true);
    assert_eq!(
        payload(&client, "/v2/3as/packages/").await,
        payload(&client, "/v2/3as/packages").await
    );
    // An empty id must not be treated as a list.
    let nobody = client.get("/v2/3as/customers/?page=0&pageSize=1").await;
    assert_eq!(nobody.unwrap().status(), 404);

    for family in [
        "v3/3as/website-subscriptions",
        "v3/3as/intpc-subscriptions",
        "v2/3as/notifications/subscriptions",
    ] {
        let path = format!("/{family}/reactivate");
        let response = client.post(&path, &json!({"intpWebsiteId": "w"})).await;
        let response = response.unwrap();
        assert_eq!(response.status(), 501, "{path}");
        let body: Value = response.json().await.unwrap();
        let message = body["message"].as_str().unwrap();
        assert!(message.contains("create it again"), "{message}");
    }
}

/// The PHP client declares the comment of a key as a non-null string.
#[tokio::test]
async fn api_key_always_has_a_comment() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let path = "/v2/3as/websites/w/api-keys";
    for (body, comment) in [
        (json!({"name": "a"}), ""),
        (json!({"name": "b", "comment": null}), ""),
        (
            json!({"name": "c", "comment": "for reports"}),
            "for reports",
        ),
    ] {
        let created = client.post(path, &body).await.unwrap();
        let created: Value = created.json().await.unwrap();
        assert_eq!(created["payload"]["comment"], comment);
        let listed = payload(&client, path).await;
        let listed = listed.as_array().unwrap().last().unwrap();
        assert_eq!(listed["comment"], comment);
    }
}

/// Page URLs are under the domain of the website, without a trailing slash, in
/// rows and in filters.
#[tokio::test]
async fn page_urls_use_the_domain_of_the_website() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    for (site, domain) in [
        ("a", "shop.example.com"),
        ("b", "https://other.example.com/"),
    ] {
        let new = json!({"intpWebsiteId": site, "intpCustomerId": "c", "domain": domain});
        client.post("/v2/3as/websites", &new).await.unwrap();
        let path = format!("/v2/3as/websites/{site}");
        let keys = format!("{path}/api-keys");
        let created = client.post(&keys, &json!({"name": "k"})).await.unwrap();
        let created: Value = created.json().await.unwrap();
        let key = created["payload"]["apiKey"].as_str().unwrap();
        let id = payload(&client, &path).await["id"].take();
        let path = format!("/v2/websites/{}/analytics/pages", id.as_str().unwrap());
        let rows = async |pages: &[String]| {
            let query = json!({
                "metrics": ["visitCount"], "dimensions": ["pageUrl"],
                "order": [{"member": "pageUrl", "direction": "asc"}],
                "where": {"and": if pages.is_empty() { json!([]) } else {
                    json!([{"member": "pageUrl", "operator": "eq", "values": pages}])
                }},
                "dateRange": {"start": "2026-06-01T00:00:00.000Z", "end": "2026-06-03T00:00:00.000Z"},
            });
            let sent = client.send_with_key(Method::POST, &path, Some(&query), Some(key));
            let rows: Value = sent.await.unwrap().json().await.unwrap();
            let rows = rows["payload"].as_array().unwrap().iter();
            rows.map(|row| row["pageUrl"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let home = format!(
            "https://{}",
            ["shop.example.com", "other.example.com"][usize::from(site == "b")]
        );
        let all = rows(&[]).await;
        assert_eq!(all.len(), 6, "{all:?}");
        assert_eq!(all[..2], [home.clone(), format!("{home}/about")]);
        let shop = format!("{home}/shop");
        assert_eq!(rows(&[shop.clone(), home.clone()]).await, [home, shop]);
        let elsewhere = "https://elsewhere.test/shop".to_owned();
        assert_eq!(rows(&[elsewhere]).await, [""; 0]);
    }
}
