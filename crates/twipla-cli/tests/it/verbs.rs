//! All nouns and verbs except subscriptions.

use serde_json::json;

use crate::support::{Stage, assert_runs};

#[tokio::test]
async fn customers_and_websites_are_created_listed_and_deleted() {
    let stage = Stage::start().await;
    assert_runs!(
        stage,
        "customers_and_websites",
        "customers create cust-2 cust-2@example.com --website site-2 --domain example.org --website-package pro",
        "websites create cust-2 site-3 example.net --free-trial",
        "websites create cust-2 site-4 example.net --package Pro --free-trial",
        "websites list --customer cust-2 --fields website,domain,package",
        "websites delete site-2 site-3 --yes",
        "websites list --fields website",
        "customers delete cust-2 --yes",
        "customers list --fields customer -o csv",
    );
    let twipla_id = stage.client().website("site-1").get().await.unwrap().id;
    let found = stage
        .run(&format!("websites get --twipla-id {twipla_id} -o json"))
        .await
        .ok()
        .json();
    assert_eq!(found["intpWebsiteId"], "site-1");
}

#[tokio::test]
async fn packages_are_named_created_and_assigned() {
    let stage = Stage::start().await;
    assert_runs!(
        stage,
        "packages",
        "packages create 'Shop M' --touchpoints 20000 --price 14.99 --currency eur --period monthly --restricted",
        "packages get 'shop m' --fields package,touchpoints,price,currency,visibility",
        "packages rename 'Shop M' 'Shop L'",
        "packages assign 'Shop L' --website site-1",
        "packages list --website site-1 --fields package -o csv",
        "packages unassign 'Shop L' --website site-1",
        "packages assign 'Shop L' --customer cust-1",
        "packages assign 'Shop L'",
    );
}

#[tokio::test]
async fn the_team_is_listed_and_changed() {
    let stage = Stage::start().await;
    let create = stage
        .client()
        .customers()
        .create("cust-2", "cust-2@example.com");
    create.await.unwrap();
    assert_runs!(
        stage,
        "team",
        "team add site-1 cust-2 watcher",
        "team list site-1",
        "team get site-1 cust-2 -o json",
        "team remove site-1 cust-2 --yes",
        "team get site-1 cust-2",
    );
}

#[tokio::test]
async fn domains_are_added_and_removed() {
    let stage = Stage::start().await;
    assert_runs!(
        stage,
        "domains",
        "domains add site-1 shop.example.com blog.example.com",
        "domains list site-1",
        "domains remove site-1 blog.example.com --yes",
        "domains list site-1 -o json",
        "domains add site-1 'not a domain'",
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_secret_of_a_key_is_only_written_to_its_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let stage = Stage::start().await;
    for format in ["table", "json", "yaml", "csv"] {
        let file = format!("{format}.key");
        let line = format!(
            "keys create site-1 reports --secret-file {file} --comment nightly -o {format}"
        );
        let run = stage.run(&line).await.ok();
        let secret = std::fs::read_to_string(stage.path(&file)).unwrap();
        assert!(secret.starts_with("twpl-"), "{secret}");
        assert!(!format!("{run:?}").contains(secret.trim()), "{run:?}");
        let mode = std::fs::metadata(stage.path(&file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let keys = stage.run("keys list site-1 -o json").await.ok().json();
    let old = keys[0]["id"].as_str().unwrap().to_owned();
    let line = format!("keys rotate site-1 {old} --secret-file new.key --yes -o json");
    let new = stage.run(&line).await.ok().json();
    assert_eq!(
        (&new["name"], &new["comment"]),
        (&json!("reports"), &json!("nightly"))
    );
    assert!(stage.path("new.key").exists());
    let after = stage.run("keys list site-1 -o json").await.ok().stdout;
    assert!(!after.contains(&old) && after.contains(new["id"].as_str().unwrap()));
    let id = new["id"].as_str().unwrap();
    stage.run(&format!("keys get site-1 {id}")).await.ok();
    stage
        .run(&format!("keys delete site-1 {id} --yes"))
        .await
        .ok();
    // If the secret cannot be stored, no key is created.
    let before = stage.sandbox.commits().len();
    let run = stage
        .run("keys create site-1 lost --secret-file no/folder/x.key")
        .await;
    assert_eq!(
        (run.code, stage.sandbox.commits().len()),
        (Some(1), before),
        "{run:?}"
    );
}

#[tokio::test]
async fn a_dashboard_url_is_for_the_owner() {
    let stage = Stage::start().await;
    let run = stage
        .run("dashboard site-1 --locale de --from 2026-01-01 --to 2026-01-31")
        .await
        .ok();
    assert!(run.stdout.starts_with(stage.sandbox.base_url()), "{run:?}");
    assert!(
        run.stdout
            .contains("externalWebsiteId=site-1&locale=de&startDate=2026-01-01"),
        "{run:?}"
    );
    assert!(run.stderr.starts_with("valid until 20"), "{run:?}");
    assert_eq!(
        stage.run("dashboard site-1 --locale xx").await.code,
        Some(2)
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_dashboard_is_opened_in_the_browser() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut stage = Stage::start().await;
    let browser = stage.path("xdg-open");
    std::fs::write(&browser, "#!/bin/sh\necho \"$1\" > opened\n").unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    stage.set(
        "PATH",
        format!("{}:/usr/bin:/bin", stage.home.path().display()),
    );
    let run = stage.run("dashboard site-1 --open").await.ok();
    assert_eq!(run.stdout, "");
    let opened = std::fs::read_to_string(stage.path("opened")).unwrap();
    assert!(opened.contains("externalWebsiteId=site-1"), "{opened}");
}

#[tokio::test]
async fn both_snippets_are_printed_unchanged() {
    let stage = Stage::start().await;
    let website = stage.client().website("site-1").get().await.unwrap();
    let usual = stage.run("snippet site-1").await.ok().stdout;
    let private = stage.run("snippet site-1 --max-privacy").await.ok().stdout;
    assert_eq!(usual.trim_end(), website.visa_tracking_code.unwrap());
    assert_eq!(
        private.trim_end(),
        website.visa_max_privacy_mode_tracking_code.unwrap()
    );
    assert_ne!(usual, private);
}

#[tokio::test]
async fn any_request_can_be_sent() {
    let stage = Stage::start().await;
    let page = stage
        .run("api get /v2/3as/customers -q page=0 -q pageSize=5")
        .await
        .ok()
        .json();
    assert_eq!(page[0]["intpCustomerId"], "cust-1");
    let package = stage
        .client()
        .packages()
        .find("Basic yearly")
        .await
        .unwrap()
        .id;
    std::fs::write(stage.path("rename.json"), r#"{"name": "Shop"}"#).unwrap();
    let run = stage
        .run(&format!(
            "api PATCH /v2/3as/packages/{package} -d @rename.json"
        ))
        .await
        .ok();
    assert_eq!(run.json()["name"], "Shop");
    assert!(
        run.stderr.starts_with("send PATCH /v2/3as/packages/"),
        "{run:?}"
    );
    let body = r#"{"name": "Shop 2"}"#;
    let run = stage
        .run_with(
            &format!("api PATCH /v2/3as/packages/{package} -d - -o yaml"),
            body,
        )
        .await
        .ok();
    assert!(run.stdout.contains("name: Shop 2\n"), "{run:?}");
    assert_runs!(
        stage,
        "api_errors",
        "api DELETE /v2/3as/customers/cust-1",
        "api GET customers",
        "api POST /v2/3as/customers -d {}",
        "api POST /v2/3as/customers -d @no.json",
    );
}
