//! The log of changes.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::support::Client;

/// Operation and ids of each change, followed by the name or domain.
fn changes(sandbox: &Sandbox) -> Vec<String> {
    let commits = sandbox.commits();
    let sequences: Vec<_> = commits.iter().map(|commit| commit.sequence).collect();
    assert!(
        sequences.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "{sequences:?}"
    );
    commits
        .iter()
        .map(|commit| {
            assert_eq!(commit.partner, sandbox.website_partner().id());
            let ids = commit.ids.iter().map(|(key, id)| format!(" {key}={id}"));
            let name = commit.name.iter().map(|name| format!(" {name:?}"));
            let parts: Vec<_> = ids.chain(name).collect();
            format!("{}{}", commit.operation, parts.concat())
        })
        .collect()
}

#[tokio::test]
async fn each_change_is_logged_with_its_ids() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let packages = sandbox.packages(sandbox.website_partner().id());
    let id_of = |name: &str| {
        let (_, id) = packages.iter().find(|(known, _)| known == name).unwrap();
        id.to_string()
    };
    let (pro, basic) = (id_of("Pro"), id_of("Basic"));
    let send = async |method: Method, path: &str, body: Value| {
        let response = client.send(method, path, Some(&body)).await.unwrap();
        assert!(response.status().is_success(), "{path}");
        // Some responses have no body.
        response.json::<Value>().await.unwrap_or_default()["payload"].take()
    };
    let post = async |path: &str, body: Value| send(Method::POST, path, body).await;
    let delete = async |path: &str| send(Method::DELETE, path, Value::Null).await;

    post(
        "/v2/3as/customers",
        json!({"intpCustomerId": "d", "email": "d@example.com"}),
    )
    .await;
    let new = json!({"website": {"id": "v", "domain": "example.com"}, "intpc": {"id": "d"}});
    post("/v3/3as/websites", new).await;
    let flat = json!({"intpWebsiteId": "u", "intpCustomerId": "d", "domain": "example.com"});
    post("/v2/3as/websites", flat).await;
    let key = post("/v2/3as/websites/w/api-keys", json!({"name": "k"})).await;
    let key = key["id"].as_str().unwrap();
    delete(&format!("/v2/3as/websites/w/api-keys/{key}")).await;
    for (action, package) in [
        ("upgrade", Some(&pro)),
        ("downgrade", Some(&basic)),
        ("cancel", None),
        ("resume", None),
        ("deactivate", None),
    ] {
        let change = format!("/v3/3as/website-subscriptions/{action}");
        post(&change, json!({"intpWebsiteId": "w", "packageId": package})).await;
    }
    let contributor = json!({"intpCustomerId": "d", "role": "watcher"});
    post("/v3/3as/websites/w/contributors", contributor).await;
    delete("/v3/3as/websites/w/contributors/d").await;
    let package = json!({
        "name": "p", "touchpoints": 1, "price": 1, "currency": "EUR", "period": "monthly",
        "visibility": "restricted",
    });
    let package = post("/v2/3as/packages", package).await;
    let package = package["id"].as_str().unwrap();
    let renamed = format!("/v2/3as/packages/{package}");
    send(Method::PATCH, &renamed, json!({"name": "q"})).await;
    let (domains, domain) = (
        "/v2/3as/websites/w/whitelisted-domains",
        json!({"domain": "shop.example.com"}),
    );
    post(domains, domain.clone()).await;
    send(Method::PATCH, domains, domain).await;
    let assignment = format!("/v3/3as/packages/{package}/assignments/v");
    send(Method::PUT, &assignment, Value::Null).await;
    delete(&assignment).await;
    delete("/v2/3as/websites/v").await;
    delete("/v2/3as/customers/d").await;

    assert_eq!(
        changes(&sandbox),
        [
            "create_customer intpCustomerId=c intpWebsiteId=w",
            "create_customer intpCustomerId=d",
            "create_website intpWebsiteId=v",
            "create_website_flat intpWebsiteId=u",
            &format!("create_api_key apiKeyId={key} intpWebsiteId=w \"k\""),
            &format!("delete_api_key apiKeyId={key} intpWebsiteId=w"),
            &format!("upgrade_website_subscription intpWebsiteId=w packageId={pro}"),
            &format!("downgrade_website_subscription intpWebsiteId=w packageId={basic}"),
            "cancel_website_subscription intpWebsiteId=w",
            "resume_website_subscription intpWebsiteId=w",
            "deactivate_website_subscription intpWebsiteId=w",
            "add_contributor intpCustomerId=d intpWebsiteId=w",
            "remove_contributor intpCustomerId=d intpWebsiteId=w",
            &format!("create_package packageId={package} \"p\""),
            &format!("rename_package packageId={package} \"q\""),
            "add_whitelisted_domain intpWebsiteId=w \"shop.example.com\"",
            "remove_whitelisted_domain intpWebsiteId=w \"shop.example.com\"",
            &format!("assign_package intpWebsiteId=v packageId={package}"),
            &format!("unassign_package intpWebsiteId=v packageId={package}"),
            "delete_website intpWebsiteId=v",
            "delete_customer intpCustomerId=d",
        ]
    );
}

#[tokio::test]
async fn requests_without_effect_are_not_logged() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    let cancel = json!({"intpWebsiteId": "w"});
    client
        .post("/v3/3as/website-subscriptions/cancel", &cancel)
        .await
        .unwrap();
    sandbox.clear_commits();

    assert_eq!(
        client.get("/v2/3as/websites/w").await.unwrap().status(),
        200
    );
    assert_eq!(
        client.delete("/v2/3as/websites/x").await.unwrap().status(),
        404
    );
    let again = client
        .post("/v3/3as/website-subscriptions/cancel", &cancel)
        .await
        .unwrap();
    assert_eq!(again.status(), 201);
    let duplicate = json!({"intpWebsiteId": "w", "intpCustomerId": "c", "domain": "example.com"});
    let duplicate = client.post("/v2/3as/websites", &duplicate).await.unwrap();
    assert_eq!(duplicate.status(), 400);
    sandbox.inject(Fault::new(FaultKind::ResetBeforeCommit).times(1));
    client.delete("/v2/3as/websites/w").await.unwrap_err();
    assert_eq!(changes(&sandbox), [""; 0]);

    client.delete("/v2/3as/websites/w").await.unwrap();
    assert_eq!(sandbox.commits()[0].sequence, 3, "the numbers continue");
}

#[tokio::test]
async fn changes_with_lost_or_late_responses_are_logged() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::with_website(&sandbox).await;
    sandbox.clear_commits();
    sandbox.inject(Fault::new(FaultKind::ResetAfterCommit).times(1));
    let late = Duration::from_millis(50);
    sandbox.inject(Fault::new(FaultKind::LateCommit(late)).times(1));
    let create_key = async || {
        let path = "/v2/3as/websites/w/api-keys";
        client.post(path, &json!({"name": "k"})).await.unwrap_err();
    };
    create_key().await;
    create_key().await;
    assert_eq!(sandbox.commits().len(), 1);
    tokio::time::sleep(4 * late).await;

    let commits: Value = client
        .get("/__sandbox/commits")
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let doubled = commits.as_array().unwrap().iter().filter(|commit| {
        commit["operation"] == "create_api_key"
            && commit["name"] == "k"
            && commit["ids"]["intpWebsiteId"] == "w"
    });
    assert_eq!(doubled.count(), 2, "{commits}");
}
