//! API keys, the login with one, contributors, and whitelisted domains.

use chrono::{Days, Duration, Utc};
use twipla::types::ContributorRole;
use twipla::{ErrorKind, Metric, Twipla};
use twipla_tests::{Stage, respond};

async fn stage() -> (Stage, twipla::types::Website) {
    let stage = Stage::with_website().await;
    let site = stage.website_model.website("w").get().await.unwrap();
    (stage, site)
}

/// Checks whether the key can read the data of the website.
async fn works(twipla: &Twipla, website: twipla::TwiplaWebsiteId, key: &str) -> twipla::Result<()> {
    let today = Utc::now().date_naive();
    let query = twipla
        .analytics(website, key)
        .sessions()
        .metrics([Metric::VisitCount]);
    query
        .date_range(today - Days::new(3)..=today)
        .await
        .map(drop)
}

#[tokio::test]
async fn api_key_shows_its_secret_once_and_works_until_deleted() {
    let (stage, site) = stage().await;
    let twipla = &stage.website_model;
    let keys = twipla.website("w").api_keys();
    let key = keys.create("reports").comment("nightly").await.unwrap();
    assert!(key.api_key.expose().starts_with("twpl-"));
    assert_eq!(key.comment.as_deref(), Some("nightly"));
    works(twipla, site.id, key.api_key.expose()).await.unwrap();

    let listed = keys.list().await.unwrap();
    assert_eq!((listed.len(), listed[0].id.clone()), (1, key.id.clone()));
    assert!(
        !keys
            .list()
            .raw()
            .await
            .unwrap()
            .to_string()
            .contains(key.api_key.expose())
    );

    keys.delete(&key.id).await.unwrap();
    assert!(
        works(twipla, site.id, key.api_key.expose())
            .await
            .unwrap_err()
            .is_auth()
    );
    assert!(keys.delete(&key.id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn api_key_expires() {
    let (stage, site) = stage().await;
    let twipla = &stage.website_model;
    let at = Utc::now() + Duration::days(2);
    let key = twipla
        .website("w")
        .api_keys()
        .create("short")
        .expires_at(at)
        .await
        .unwrap();
    works(twipla, site.id, key.api_key.expose()).await.unwrap();
    stage.sandbox.advance(Duration::days(3));
    assert!(
        works(twipla, site.id, key.api_key.expose())
            .await
            .unwrap_err()
            .is_auth()
    );
}

#[tokio::test]
async fn api_key_whose_secret_was_lost_is_named_and_not_created_twice() {
    let (stage, _) = stage().await;
    let keys = stage.website_model.website("w").api_keys();
    stage.lose_response("create_api_key");
    let error = keys.create("reports").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretLost, "{error}");
    let listed = keys.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(
        error.to_string().contains(&listed[0].id.to_string()),
        "{error}"
    );

    stage.lose_request("create_api_key");
    let error = keys.create("other").await.unwrap_err();
    assert!(
        error.is_ambiguous(),
        "nothing was made, or not yet: {error}"
    );
    assert_eq!(keys.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn rotation_whose_response_was_lost_never_names_the_old_key() {
    let (stage, _) = stage().await;
    let keys = stage.website_model.website("w").api_keys();
    let old = keys.create("reports").await.unwrap();

    stage.lose_request("create_api_key");
    let error = keys.rotate(&old.id).await.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    assert!(!error.to_string().contains(old.id.as_str()), "{error}");

    stage.lose_response("create_api_key");
    let error = keys.rotate(&old.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretLost, "{error}");
    assert!(!error.to_string().contains(old.id.as_str()), "{error}");
}

#[tokio::test]
async fn rotation_keeps_the_old_key_until_confirmed() {
    let (stage, site) = stage().await;
    let twipla = &stage.website_model;
    let keys = twipla.website("w").api_keys();
    let old = keys.create("reports").comment("nightly").await.unwrap();

    let rotation = keys.rotate(old.id).await.unwrap();
    let new = rotation.new_key().clone();
    assert_eq!(
        (new.name.as_str(), new.comment.as_deref()),
        ("reports", Some("nightly"))
    );
    works(twipla, site.id, old.api_key.expose()).await.unwrap();
    works(twipla, site.id, new.api_key.expose()).await.unwrap();
    stage.fault_once("delete_api_key", respond(500, &[], ""));
    rotation.confirm().await.unwrap_err();
    assert_eq!(
        rotation.new_key().api_key,
        new.api_key,
        "the new secret is still there"
    );
    rotation.confirm().await.unwrap();
    rotation.confirm().await.unwrap();
    assert!(
        works(twipla, site.id, old.api_key.expose())
            .await
            .unwrap_err()
            .is_auth()
    );
    works(twipla, site.id, new.api_key.expose()).await.unwrap();

    keys.rotate(&new.id).await.unwrap().abandon().await.unwrap();
    let left = keys.list().await.unwrap();
    assert_eq!((left.len(), left[0].id.clone()), (1, new.id.clone()));

    let error = keys
        .rotate(uuid::Uuid::new_v4().to_string())
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn login_with_an_api_key_opens_the_dashboard() {
    let (stage, site) = stage().await;
    let twipla = &stage.website_model;
    let key = twipla
        .website("w")
        .api_keys()
        .create("login")
        .await
        .unwrap();
    let tokens = twipla
        .login_with_api_key(site.id, &key.api_key)
        .await
        .unwrap();
    assert!(!tokens.refresh_token.is_empty());
    let url = twipla
        .dashboard_from_login(tokens.refresh_token)
        .await
        .unwrap();
    assert_eq!(reqwest::get(url.as_str()).await.unwrap().status(), 200);

    let path = twipla_api::operations::LOGIN_WITH_API_KEY.path;
    let same = twipla
        .login_with_api_key(site.id, &key.api_key)
        .path(path)
        .await
        .unwrap();
    assert!(!same.token.is_empty());
    let wrong = twipla
        .login_with_api_key(site.id, "twpl-wrong")
        .await
        .unwrap_err();
    assert!(wrong.is_auth(), "{wrong}");
}

#[tokio::test]
async fn contributors_have_one_role_each() {
    let (stage, site) = stage().await;
    let twipla = &stage.website_model;
    twipla
        .customers()
        .create("d", "d@example.com")
        .await
        .unwrap();
    let contributors = twipla.website("w").contributors();
    contributors
        .add("d", ContributorRole::Watcher)
        .await
        .unwrap();
    contributors
        .add("d", ContributorRole::Editor)
        .await
        .unwrap();
    let team = contributors.list().await.unwrap();
    assert_eq!(team.owner.intp_customer_id, site.intp_customer_id);
    let roles = team.contributors;
    assert_eq!(
        (
            roles.editor.len(),
            roles.watcher.len(),
            roles.dashboard.len()
        ),
        (1, 0, 0)
    );
    assert_eq!(roles.editor[0].email, "d@example.com");

    let url = twipla.dashboard("d", "w").await.unwrap();
    assert_eq!(reqwest::get(url.as_str()).await.unwrap().status(), 200);
    contributors.remove("d").await.unwrap();
    assert!(
        contributors
            .list()
            .await
            .unwrap()
            .contributors
            .editor
            .is_empty()
    );
    assert_ne!(
        reqwest::get(url.as_str()).await.unwrap().status(),
        200,
        "access is gone at once"
    );
    assert!(
        contributors
            .add("nobody", ContributorRole::Editor)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn domains_are_whitelisted_and_removed() {
    let (stage, _) = stage().await;
    let domains = stage.website_model.website("w").whitelisted_domains();
    domains.add("a.example.com").await.unwrap();
    domains.add("b.example.com").await.unwrap();
    assert_eq!(
        domains.list().await.unwrap(),
        ["a.example.com", "b.example.com"]
    );
    domains.remove("a.example.com").await.unwrap();
    domains.remove("never.example.com").await.unwrap();
    assert_eq!(domains.list().await.unwrap(), ["b.example.com"]);
}
