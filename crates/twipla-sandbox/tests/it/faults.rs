//! Faults, as seen by a client.

use std::time::Duration;

use serde_json::{Value, json};

use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::support::Client;

const WEBSITE: &str = "/v2/3as/websites/w";

#[tokio::test]
async fn expired_token_is_rejected_every_time() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut client = Client::with_website(&sandbox).await;
    client.use_token_of_age(60);
    sandbox.inject(Fault::new(FaultKind::ExpiredToken).times(1));

    for attempt in 1..=3 {
        let response = client.get(WEBSITE).await.unwrap();
        assert_eq!(response.status(), 401, "attempt {attempt}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "invalid access token", "attempt {attempt}");
    }

    let rejected = client.token.clone();
    client.use_token_of_age(0);
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);
    client.token = rejected;
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 401);

    sandbox.clear_faults();
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);
}

#[tokio::test]
async fn expired_token_of_this_second_is_rejected_two_seconds_later() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut client = Client::with_website(&sandbox).await;
    sandbox.inject(Fault::new(FaultKind::ExpiredToken).times(1));

    client.use_token_of_age(0);
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 401);
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);

    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_body_ends_in_the_middle() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    sandbox.inject(Fault::new(FaultKind::TruncatedBody).times(1));
    let request = format!(
        "GET {WEBSITE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        client.token
    );
    let response = client.exchange_bytes(request.as_bytes());

    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let announced = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let announced: usize = announced.expect(head).parse().unwrap();
    assert!(body.starts_with(r#"{"payload":{"#), "{body}");
    assert_eq!(body.len(), announced / 2);
}

#[tokio::test]
async fn status_and_gateway_strike_before_or_after_the_commit() {
    for (kind, status) in [
        (FaultKind::Gateway(524), 524),
        (
            FaultKind::Status {
                code: 500,
                headers: Vec::new(),
                body: String::new(),
            },
            500,
        ),
    ] {
        for after_commit in [false, true] {
            let sandbox = Sandbox::start().await.unwrap();
            let client = Client::with_website(&sandbox).await;
            let fault = Fault::new(kind.clone()).times(1);
            sandbox.inject(if after_commit {
                fault.after_commit()
            } else {
                fault
            });
            assert_eq!(client.delete(WEBSITE).await.unwrap().status(), status);
            let left = if after_commit { 404 } else { 200 };
            assert_eq!(client.get(WEBSITE).await.unwrap().status(), left);
        }
    }
}

#[tokio::test]
async fn hang_after_the_commit_carries_out_the_request() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    sandbox.inject(Fault::new(FaultKind::Hang).times(1).after_commit());
    assert!(client.delete(WEBSITE).await.unwrap_err().is_timeout());
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 404);
}

#[tokio::test]
async fn late_commit_happens_after_the_attempt_has_ended() {
    let late = Duration::from_millis(400);
    for kind in [
        FaultKind::LateCommit(late),
        FaultKind::CommitAfterHangUp(late),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        let client = Client::with_website(&sandbox).await;
        sandbox.inject(
            Fault::new(kind.clone())
                .operation("delete_website")
                .times(1),
        );

        let error = client.delete(WEBSITE).await.unwrap_err();
        let hangs = matches!(kind, FaultKind::CommitAfterHangUp(_));
        assert_eq!(error.is_timeout(), hangs, "{kind:?}: {error}");
        assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200, "{kind:?}");
        assert_eq!(sandbox.faults().pending_commits, 1, "{kind:?}");

        tokio::time::sleep(2 * late).await;
        assert_eq!(client.get(WEBSITE).await.unwrap().status(), 404, "{kind:?}");
        assert_eq!(sandbox.faults().pending_commits, 0, "{kind:?}");
    }
}

#[tokio::test]
async fn rate_limit_returns_429_with_retry_after() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    sandbox.inject(Fault::new(FaultKind::RateLimit {
        per_second: 1.0,
        burst: 2,
    }));
    for status in [200, 200, 429] {
        assert_eq!(client.get(WEBSITE).await.unwrap().status(), status);
    }
    let rejected = client.delete(WEBSITE).await.unwrap();
    assert_eq!(rejected.status(), 429);
    assert_eq!(rejected.headers()["retry-after"], "1");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);
    assert_eq!(sandbox.faults().faults[0].struck, 2);
}

#[tokio::test]
async fn fault_without_effect_does_not_count() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    for (kind, unchanged) in [
        (
            FaultKind::MissingField("domain".to_owned()),
            "/v2/3as/packages",
        ),
        (FaultKind::UnknownEnumValue, "/v2/3as/customers/c"),
        (FaultKind::NoContent, "/v2/3as/websites/nobody"),
    ] {
        sandbox.clear_faults();
        sandbox.inject(Fault::new(kind.clone()).times(1));
        client.get(unchanged).await.unwrap();
        let report = sandbox.faults();
        let status = &report.faults[0];
        assert_eq!((status.struck, status.remaining), (0, Some(1)), "{kind:?}");
        client.get(WEBSITE).await.unwrap();
        assert_eq!(sandbox.faults().faults[0].struck, 1, "{kind:?}");
    }
}

#[tokio::test]
async fn every_enum_of_a_reply_gets_an_unknown_value() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let packages = sandbox.packages(sandbox.website_partner().id());
    let id_of = |name: &str| packages.iter().find(|(known, _)| known == name).unwrap().1;
    for (verb, package) in [("upgrade", "Pro"), ("downgrade", "Basic")] {
        let body = json!({"intpWebsiteId": "w", "packageId": id_of(package)});
        let path = format!("/v3/3as/website-subscriptions/{verb}");
        let changed = client.post(&path, &body).await.unwrap();
        assert!(changed.status().is_success(), "{verb}");
    }
    sandbox.inject(Fault::new(FaultKind::UnknownEnumValue));
    for (path, names) in [
        (
            WEBSITE,
            &[
                "status",
                "billingInterval",
                "plannedDowngradeBillingInterval",
                "billingMode",
                "subscriptionType",
            ][..],
        ),
        (
            "/v2/3as/company-details",
            &["billingMode", "subscriptionType"],
        ),
    ] {
        let body: Value = client.get(path).await.unwrap().json().await.unwrap();
        for name in names {
            let value = body["payload"][name].as_str().unwrap();
            assert!(value.starts_with("future-"), "{name} of {path}: {value}");
        }
    }
}

#[tokio::test]
async fn faults_are_added_listed_and_cleared_over_http() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let fault = json!({
        "kind": {"gateway": 521}, "operation": "get_website", "times": 2, "moment": "afterCommit",
    });
    let added = client.post("/__sandbox/faults", &fault).await.unwrap();
    assert_eq!(added.status(), 204);
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 521);

    let report: Value = client
        .get("/__sandbox/faults")
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(report["pendingCommits"], 0);
    let listed = &report["faults"][0];
    for name in ["kind", "operation", "times", "moment"] {
        assert_eq!(listed[name], fault[name]);
    }
    assert_eq!(
        (&listed["struck"], &listed["remaining"]),
        (&json!(1), &json!(1))
    );

    client.delete("/__sandbox/faults").await.unwrap();
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);
    assert!(sandbox.faults().faults.is_empty());
}

#[tokio::test]
async fn invalid_fault_is_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    for (fault, expected) in [
        (
            json!({"kind": "hang", "operation": "get_site"}),
            "unknown operation \"get_site\"",
        ),
        (json!({"kind": "hang", "tims": 1}), "unknown field `tims`"),
        (
            json!({"kind": {"status": {"code": 7}}}),
            "expected 200 to 599",
        ),
    ] {
        let rejected = client.post("/__sandbox/faults", &fault).await.unwrap();
        assert_eq!(rejected.status(), 400);
        let body: Value = rejected.json().await.unwrap();
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    let fault = Fault::new(FaultKind::HtmlBody).after_commit();
    let error = sandbox.try_inject(fault).unwrap_err().to_string();
    assert!(error.contains("invalid moment"), "{error}");
    assert!(sandbox.faults().faults.is_empty());
}

#[tokio::test]
#[should_panic(expected = "unknown operation \"get_site\"")]
async fn inject_panics_if_the_fault_would_never_strike() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.inject(Fault::new(FaultKind::Hang).operation("get_site"));
}

/// The endpoint accepts each kind in the README's table.
#[tokio::test]
async fn kinds_in_the_readme_are_accepted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let readme = include_str!("../../README.md");
    let (_, table) = readme.split_once("| `kind` | what happens |").unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut accepted = 0;
    for row in rows {
        let cell = row.split(" | ").next().unwrap();
        for kind in cell.split('`').skip(1).step_by(2) {
            let kind: Value = serde_json::from_str(kind).expect(kind);
            let fault = json!({ "kind": kind });
            let response = client.post("/__sandbox/faults", &fault).await.unwrap();
            assert_eq!(response.status(), 204, "{kind}");
            accepted += 1;
        }
    }
    assert_eq!(accepted, 18, "one for each kind");
}
