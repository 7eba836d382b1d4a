//! What the vendor's own end-to-end suite of June 2025 asserts, as far as it is
//! known, step by step on a fresh sandbox.
//!
//! The suite picks packages by their place in the monthly list, sorted by size,
//! and the free one by its name. One of its assertions does not hold here, and
//! is marked: it wants 204 from the nested create, which has answered with the
//! website since 2026.

use std::collections::BTreeMap;

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use twipla_sandbox::Sandbox;

use crate::support::{Client, payload};

/// The steps of one model, in the order of the file.
const SUITE: &str = include_str!("vendor_suite.json");

/// A request, and what the suite expects of its response. `$picked`,
/// `$smaller`, `$larger` and `$free` stand for the ids of packages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What the step is about.
    says: String,
    /// Method and path.
    send: String,
    body: Option<Value>,
    status: u16,
    /// Fields of the payload. `null` is a field that is null or missing,
    /// `"in a month"` a time, and `"as before"` what the step before had.
    #[serde(default)]
    fields: Map<String, Value>,
}

/// The steps of a model, with the ids of the packages of a partner.
async fn steps(client: &Client, model: &str) -> Vec<Step> {
    let list = payload(client, "/v2/3as/packages").await;
    let all = list.as_array().unwrap();
    let mut monthly: Vec<_> = all
        .iter()
        .filter(|package| package["period"] == "monthly")
        .collect();
    monthly.sort_by_key(|package| package["touchpoints"].as_i64().unwrap());
    let free = all.iter().find(|package| {
        let name = package["name"].as_str().unwrap();
        name.to_lowercase() == "free"
    });
    let mut suite = SUITE.to_owned();
    for (name, package) in [
        ("$smaller", monthly[3]),
        ("$picked", monthly[4]),
        ("$larger", monthly[5]),
        ("$free", free.unwrap()),
    ] {
        suite = suite.replace(name, package["id"].as_str().unwrap());
    }
    let mut suite: BTreeMap<String, Vec<Step>> = serde_json::from_str(&suite).unwrap();
    suite.remove(model).unwrap()
}

#[tokio::test]
async fn website_model_passes_the_suite() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox, sandbox.website_partner());
    run(&client, "website", 33).await;
    identical_creates(&client).await;
}

#[tokio::test]
async fn account_model_passes_the_suite() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox, sandbox.account_partner());
    run(&client, "account", 16).await;
}

/// Runs the steps of a model, of which there are so many.
async fn run(client: &Client, model: &str, count: usize) {
    let steps = steps(client, model).await;
    assert_eq!(steps.len(), count);
    let mut before = Value::Null;
    for step in steps {
        let (method, path) = step.send.split_once(' ').unwrap();
        let method = method.parse().unwrap();
        let response = client.send(method, path, step.body.as_ref()).await.unwrap();
        let (says, status) = (step.says, response.status());
        let text = response.text().await.unwrap();
        assert_eq!(status, step.status, "{says}: {text}");
        let mut json: Value = serde_json::from_str(&text).unwrap();
        let payload = json["payload"].take();
        for (name, expected) in step.fields {
            let pointer = format!("/{}", name.replace('.', "/"));
            let shown = payload.pointer(&pointer).unwrap_or(&Value::Null);
            match expected.as_str() {
                Some("in a month") => assert!(is_in_a_month(shown), "{says}: {name} {shown}"),
                Some("as before") => assert_eq!(shown, &before[&name], "{says}: {name}"),
                _ => assert_eq!(*shown, expected, "{says}: {name}"),
            }
        }
        if status.is_success() {
            before = payload;
        }
    }
}

fn is_in_a_month(time: &Value) -> bool {
    let time: DateTime<Utc> = time.as_str().unwrap().parse().unwrap();
    let expected = Utc::now().checked_add_months(Months::new(1)).unwrap();
    (time - expected).abs() < TimeDelta::minutes(5)
}

/// Of five identical creates at the same time, one succeeds.
async fn identical_creates(client: &Client) {
    for (path, body) in [
        (
            "/v2/3as/customers",
            json!({"intpCustomerId": "five", "email": "five@example.com"}),
        ),
        (
            "/v2/3as/websites",
            json!({"intpCustomerId": "c", "intpWebsiteId": "five-flat", "domain": "example.com"}),
        ),
        (
            "/v3/3as/websites",
            json!({"website": {"id": "five-nested", "domain": "example.com"}, "intpc": {"id": "c"}, "opts": {"uft": true}}),
        ),
    ] {
        let create = async || client.post(path, &body).await.unwrap().status().as_u16();
        let (first, second, third, fourth, fifth) =
            tokio::join!(create(), create(), create(), create(), create());
        let mut statuses = [first, second, third, fourth, fifth];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400, 400, 400, 400], "{path}");
    }
}
