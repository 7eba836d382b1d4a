//! Persistence: the state between starts, and resets.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use twipla_sandbox::{Fault, FaultKind, Model, PartnerConfig, Sandbox};

use crate::support::{Client, Folder};

const WEBSITE: &str = "/v2/3as/websites/w";

/// Starts a sandbox with a state file.
async fn sandbox(file: &PathBuf) -> Sandbox {
    Sandbox::builder().state(file).start().await.unwrap()
}

/// Creates a folder, and returns a file path in it.
fn state_file(name: &str) -> (Folder, PathBuf) {
    let folder = Folder::new(name);
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("state.json");
    (folder, file)
}

/// Creates one of everything that a website can have. Returns its API key and
/// id.
async fn fill(sandbox: &Sandbox) -> (String, String) {
    let client = Client::with_website(sandbox).await;
    let packages = sandbox.packages(sandbox.website_partner().id());
    let id_of = |name: &str| packages.iter().find(|(known, _)| known == name).unwrap().1;
    let guest = json!({"intpCustomerId": "guest", "email": "guest@example.com"});
    let package = json!({
        "name": "Own", "touchpoints": 7, "price": 1.5, "currency": "EUR", "period": "yearly", "visibility": "restricted",
    });
    let key = json!({"name": "k", "expiresAt": "2099-01-01T00:00:00.000Z"});
    let mut responses = Vec::new();
    for (path, body) in [
        ("/v2/3as/customers", guest),
        ("/v2/3as/packages", package),
        (
            "/v3/3as/website-subscriptions/upgrade",
            json!({"intpWebsiteId": "w", "packageId": id_of("Pro")}),
        ),
        (
            "/v3/3as/website-subscriptions/downgrade",
            json!({"intpWebsiteId": "w", "packageId": id_of("Basic")}),
        ),
        (
            "/v3/3as/websites/w/contributors",
            json!({"intpCustomerId": "guest", "role": "watcher"}),
        ),
        (
            "/v2/3as/websites/w/whitelisted-domains",
            json!({"domain": "shop.example.com"}),
        ),
        ("/v2/3as/websites/w/api-keys", key),
    ] {
        let response = client.post(path, &body).await.unwrap();
        assert!(response.status().is_success(), "{path}: {response:?}");
        responses.push(response.text().await.unwrap());
    }
    let of = |text: &str| serde_json::from_str::<Value>(text).unwrap()["payload"].take();
    let own = of(&responses[1])["id"].as_str().unwrap().to_owned();
    let assignment = format!("/v3/3as/packages/{own}/assignments/w");
    let assigned = client.send(reqwest::Method::PUT, &assignment, None).await;
    assert_eq!(assigned.unwrap().status(), 204);
    let site: Value = client.get(WEBSITE).await.unwrap().json().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(&of(&responses[6])["apiKey"]),
        text(&site["payload"]["id"]),
    )
}

#[tokio::test]
async fn restart_with_a_state_loses_nothing() {
    let (_folder, file) = state_file("state");
    let first = sandbox(&file).await;
    let (key, website) = fill(&first).await;
    let before = first.snapshot();
    let listed = list(&first).await;
    first.stop().await;

    let second = sandbox(&file).await;
    assert_eq!(second.snapshot(), before);
    assert_eq!(list(&second).await, listed);
    // The index is restored, too: lookups by owner, address, id and secret
    // work.
    let client = Client::new(&second, second.website_partner());
    let twice = json!({"intpCustomerId": "other", "email": "GUEST@example.com"});
    let twice = client.post("/v2/3as/customers", &twice).await.unwrap();
    assert_eq!(twice.status(), 400);
    let by_id = format!("/v2/3as/internal/websites/{website}");
    assert_eq!(client.get(&by_id).await.unwrap().status(), 200);
    let login = json!({"apiKey": key, "websiteId": website});
    let login = client.post("/v2/3as/api-keys/login", &login).await.unwrap();
    assert_eq!(login.status(), 201);
    client.delete("/v2/3as/customers/guest").await.unwrap();
    assert_eq!(contributors(&second), json!({}));

    // The planned downgrade still takes effect, and the time is still advanced.
    second.advance(chrono::Duration::days(40));
    let before = second.snapshot();
    second.stop().await;
    let third = sandbox(&file).await;
    assert_eq!(third.snapshot(), before);
    let packages = third.packages(third.website_partner().id());
    let basic = packages.iter().find(|(name, _)| name == "Basic").unwrap().1;
    let client = Client::new(&third, third.website_partner());
    let site: Value = client.get(WEBSITE).await.unwrap().json().await.unwrap();
    assert_eq!(site["payload"]["packageId"], basic.to_string());
}

async fn list(sandbox: &Sandbox) -> Vec<Value> {
    let client = Client::new(sandbox, sandbox.website_partner());
    let mut lists = Vec::new();
    for path in [
        "/v2/3as/websites?externalCustomerId=c",
        "/v2/3as/packages",
        "/v2/3as/websites/w/api-keys",
        "/v3/3as/websites/w/contributors",
    ] {
        lists.push(client.get(path).await.unwrap().json().await.unwrap());
    }
    lists
}

fn contributors(sandbox: &Sandbox) -> Value {
    let seen = sandbox.snapshot();
    let partners = seen["partners"].as_array().unwrap();
    let mut sites = partners.iter().map(|partner| &partner["websites"]["w"]);
    sites.find(|site| site.is_object()).unwrap()["contributors"].clone()
}

#[tokio::test]
async fn changes_are_in_the_file_before_the_sandbox_stops() {
    let (_folder, file) = state_file("running");
    let sandbox = sandbox(&file).await;
    let client = Client::with_website(&sandbox).await;
    let written = || std::fs::read_to_string(&file).unwrap();
    let wait_for = async |what: &dyn Fn(&str) -> bool| {
        for _ in 0..100 {
            if what(&written()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    };
    assert!(wait_for(&|text| text.contains("c@example.com")).await);
    client.delete("/v2/3as/customers/c").await.unwrap();
    assert!(wait_for(&|text| !text.contains("c@example.com")).await);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the file contains keys");
    }
}

#[tokio::test]
async fn unusable_state_is_named_and_not_modified() {
    let (folder, file) = state_file("unusable");
    let start = async || {
        let started = Sandbox::builder().state(&file).start().await;
        started.unwrap_err().to_string()
    };
    for (text, expected) in [
        ("{", "EOF"),
        ("{}", "it has no version"),
        (r#"{"version": 2}"#, "expected version 1"),
        (r#"{"version": 1, "advancedMillis": 0}"#, "missing field"),
        (
            "{\"version\": 1,\n\"advancedMillis\": \"0\"}",
            "advancedMillis: invalid type",
        ),
        (
            "{\"version\": 1,\n\"advancedMillis\": \"0\"}",
            "at line 2 column",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = start().await;
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.contains("state.json"), "{error}");
        assert!(error.contains("remove this one"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }

    let nowhere = folder.0.join("no-such-folder/state.json");
    let started = Sandbox::builder().state(&nowhere).start().await;
    let error = started.unwrap_err().to_string();
    assert!(error.contains("no-such-folder"), "{error}");
}

#[tokio::test]
async fn second_sandbox_cannot_use_the_state() {
    let (_folder, file) = state_file("locked");
    let first = sandbox(&file).await;
    let started = Sandbox::builder().state(&file).start().await;
    let error = started.unwrap_err().to_string();
    assert!(
        error.contains("state.json: another sandbox uses it"),
        "{error}"
    );
    assert!(error.contains("stop that one"), "{error}");

    Client::with_website(&first).await;
    let before = first.snapshot();
    first.stop().await;
    let second = sandbox(&file).await;
    assert_eq!(second.snapshot(), before);
    drop(second);
    assert_eq!(sandbox(&file).await.snapshot(), before);
}

#[tokio::test]
async fn stop_returns_an_error_if_the_last_changes_are_lost() {
    let (folder, file) = state_file("lost");
    let sandbox = sandbox(&file).await;
    std::fs::remove_dir_all(&folder.0).unwrap();
    sandbox.advance(chrono::Duration::days(1));
    let error = sandbox.try_stop().await.unwrap_err().to_string();
    assert!(error.contains("cannot write the state to"), "{error}");
    assert!(error.contains("state.json"), "{error}");
}

#[tokio::test]
async fn state_that_contradicts_the_credentials_is_rejected() {
    let (folder, file) = state_file("mismatch");
    let start = |credentials: &str| {
        let builder = Sandbox::builder().state(&file);
        builder.credentials(folder.0.join(credentials)).start()
    };
    start("a").await.unwrap().stop().await;
    start("a").await.unwrap().stop().await;
    let before = std::fs::read_to_string(&file).unwrap();
    Sandbox::builder()
        .credentials(folder.0.join("b"))
        .start()
        .await
        .unwrap();
    let error = start("b").await.unwrap_err().to_string();
    assert!(error.contains("remove one of them"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    let key_in = |folder_name: &str| {
        let file = folder.0.join(folder_name).join("sandbox.json");
        let text = std::fs::read_to_string(file).unwrap();
        let described: Value = serde_json::from_str(&text).unwrap();
        PathBuf::from(described["partners"][0]["privateKeyFile"].as_str().unwrap())
    };
    let own = std::fs::read_to_string(key_in("a")).unwrap();
    std::fs::copy(key_in("b"), key_in("a")).unwrap();
    let error = start("a").await.unwrap_err().to_string();
    assert!(error.contains("different keys"), "{error}");
    std::fs::write(key_in("a"), own).unwrap();
    start("a").await.unwrap();
    // A deleted credentials folder is restored from the state.
    start("c").await.unwrap().stop().await;
    let of = |folder_name: &str| {
        let file = folder.0.join(folder_name).join("sandbox.json");
        let text = std::fs::read_to_string(file).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["partners"][0]["id"].take()
    };
    assert_eq!(of("c"), of("a"));
}

#[tokio::test]
async fn state_with_another_model_is_rejected() {
    let (_folder, file) = state_file("other-model");
    let first = sandbox(&file).await;
    let id = *first.website_partner().id().as_uuid();
    first.stop().await;
    let other = PartnerConfig::new(id, Model::Account);
    let builder = Sandbox::builder().state(&file).partner(other);
    let error = builder.start().await.unwrap_err().to_string();
    assert!(error.contains("under the website model"), "{error}");
}

#[tokio::test]
async fn sandbox_always_has_a_partner_of_each_model() {
    let folder = Folder::new("each-model");
    let first = Sandbox::builder().credentials(&folder.0).start().await;
    let id = *first.unwrap().website_partner().id().as_uuid();
    let other = PartnerConfig::new(id, Model::Account);
    let second = Sandbox::builder().credentials(&folder.0).partner(other);
    let second = second.start().await.unwrap();
    assert_eq!(second.website_partner().model(), Model::Website);
    assert_eq!(*second.partners()[0].id().as_uuid(), id);
    assert_eq!(second.partners()[0].model(), Model::Account);
}

#[tokio::test]
async fn configured_private_key_is_used() {
    let first = Sandbox::start().await.unwrap();
    let key = first.website_partner().private_key_pem().to_owned();
    let id = uuid::Uuid::new_v4();
    let config = PartnerConfig::new(id, Model::Website).private_key_pem(key.as_str());
    let second = Sandbox::builder().partner(config).start().await.unwrap();
    let partner = second.partners().last().unwrap().clone();
    assert_eq!(partner.private_key_pem(), key);
    let client = Client::new(&second, partner);
    let response = client.get("/v2/3as/packages").await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn reset_over_http_keeps_only_the_partners() {
    let (_folder, file) = state_file("reset");
    let first = sandbox(&file).await;
    let fresh = first.snapshot();
    fill(&first).await;
    first.advance(chrono::Duration::days(40));
    let late = FaultKind::LateCommit(Duration::from_millis(200));
    first.inject(Fault::new(late).operation("create_website_flat").times(1));
    let client = Client::new(&first, first.website_partner());
    let website = json!({"intpWebsiteId": "late", "intpCustomerId": "c", "domain": "example.com"});
    client.post("/v2/3as/websites", &website).await.unwrap_err();

    let unknown = json!({"only": "faults"});
    let rejected = client.post("/__sandbox/reset", &unknown).await.unwrap();
    assert_eq!(rejected.status(), 400);
    let reset = client.post("/__sandbox/reset", &json!({})).await.unwrap();
    assert_eq!(reset.status(), 204);

    assert_eq!(first.snapshot(), fresh);
    assert!(first.commits().is_empty() && first.requests().is_empty());
    assert!(first.faults().faults.is_empty());
    let customer = json!({"intpCustomerId": "c", "email": "c@example.com"});
    let again = client.post("/v2/3as/customers", &customer).await.unwrap();
    assert_eq!(again.status(), 201);
    while first.faults().pending_commits > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let late = client.get("/v2/3as/websites/late").await.unwrap();
    assert_eq!(late.status(), 404, "requested before the reset");

    first.stop().await;
    // The reset is the only change since the state was written.
    let second = sandbox(&file).await;
    assert_ne!(second.snapshot(), fresh);
    second.reset();
    second.stop().await;
    assert_eq!(
        sandbox(&file).await.snapshot(),
        fresh,
        "the state file was reset, too"
    );
}
