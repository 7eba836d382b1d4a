//! Hostile and careless input: a clear error or a correctly encoded request, never a request to another path.

use std::sync::Arc;

use twipla::{ErrorKind, PrivateKey, Twipla};
use twipla_tests::{Stage, client};

/// Ids that have redirected other clients' requests to other paths.
const HOSTILE: &[&str] = &[
    "a/b",
    "/",
    "a/../b",
    "../customers/c",
    "..%2f..",
    "\\",
    "a\\b",
    "..\\x",
    "?",
    "a?b=c",
    "#",
    "a#b",
    "%2f",
    "%2e%2e",
    "%00",
    "a\nb",
    "a\tb",
    "a b",
    " ",
    "\u{1F600}",
    "ü",
    "e\u{301}",
    "\u{202e}x",
    "a&b=c",
    "a;b",
    "a:b",
    "@",
    "+",
    "'\"",
    "{}",
    "<>",
    "|",
    "~",
    "...",
    "null",
    "\u{0}",
];

#[tokio::test]
async fn hostile_ids_arrive_unchanged() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    for (n, id) in HOSTILE.iter().enumerate() {
        let email = format!("c{n}@example.com");
        twipla
            .customers()
            .create(*id, email.as_str())
            .website(*id, "example.com")
            .await
            .unwrap();
        let found = twipla.customer(*id).get().await.unwrap();
        assert_eq!(
            (found.intp_customer_id.as_str(), found.email.as_str()),
            (*id, email.as_str())
        );
        assert_eq!(
            twipla.website(*id).get().await.unwrap().intp_website_id,
            *id
        );
        twipla.website(*id).contributors().list().await.unwrap();
        let of_one = twipla.websites().list().for_customer(*id).await.unwrap();
        assert_eq!(of_one.items.len(), 1, "{id:?} as a query parameter");
    }
    let operations: Vec<_> = stage
        .sandbox
        .requests()
        .into_iter()
        .map(|request| request.operation)
        .collect();
    assert!(
        operations.iter().all(Option::is_some),
        "every request went to an operation of the contract"
    );
    for id in HOSTILE {
        let gone = twipla.customer(*id).delete().await.unwrap();
        assert_eq!(gone.unwrap().intp_customer_id, *id);
    }
    assert!(twipla.customers().list().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn ids_that_no_path_can_contain_are_rejected_before_sending() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    for id in ["", ".", "..", &"x".repeat(10_000)] {
        for error in [
            twipla.customer(id).delete().await.unwrap_err(),
            twipla.website(id).get().await.unwrap_err(),
            twipla
                .websites()
                .create("c", id, "example.com")
                .await
                .unwrap_err(),
            twipla
                .website("w")
                .contributors()
                .remove(id)
                .await
                .unwrap_err(),
            twipla.website("w").api_keys().delete(id).await.unwrap_err(),
            twipla
                .customers()
                .create(id, "c@example.com")
                .await
                .unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert_eq!(error.attempts(), 0);
            assert!(error.operation().is_some(), "{error}");
            assert!(
                error.to_string().len() < 400,
                "a long id is not printed whole"
            );
        }
    }
    assert!(stage.sandbox.requests().is_empty());
}

#[tokio::test]
async fn other_invalid_input_is_rejected_before_sending() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let uuid = twipla::PackageId::from(uuid::Uuid::new_v4());
    let cases = [
        (twipla.package("pro").get().await.unwrap_err(), "pro"),
        (
            twipla
                .website("w")
                .subscription()
                .upgrade("")
                .await
                .unwrap_err(),
            "package id",
        ),
        (
            twipla
                .customers()
                .create("c", "no address")
                .await
                .unwrap_err(),
            "no address",
        ),
        (
            twipla
                .customers()
                .create("c", "c@example.com")
                .website("w", "")
                .await
                .unwrap_err(),
            "domain",
        ),
        (
            twipla
                .customers()
                .create("c", "c@example.com")
                .website_package(uuid)
                .await
                .unwrap_err(),
            "website(",
        ),
        (
            twipla.websites().create("c", "w", "a b").await.unwrap_err(),
            "a b",
        ),
        (
            twipla
                .websites()
                .create("c", "w", "example.com")
                .package(uuid)
                .unlimited_free_trial(true)
                .await
                .unwrap_err(),
            "exclude each other",
        ),
        (
            twipla
                .websites()
                .create("c", "w", "example.com")
                .billing_date(chrono::Utc::now())
                .await
                .unwrap_err(),
            "package",
        ),
        (
            twipla.customers().list().page_size(0).await.unwrap_err(),
            "page_size",
        ),
        (
            twipla
                .website("w")
                .api_keys()
                .create(" ")
                .await
                .unwrap_err(),
            "name",
        ),
        (twipla.package(uuid).rename("").await.unwrap_err(), "name"),
        (
            twipla
                .analytics("site-7", "twpl-x")
                .visits()
                .await
                .unwrap_err(),
            "site-7",
        ),
    ];
    for (error, names) in cases {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(names), "{names}: {error}");
    }
    assert!(stage.sandbox.requests().is_empty());
}

#[tokio::test]
async fn raw_requests_are_checked_too() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    for path in [
        "",
        "v2/3as/customers",
        "/v2/../v3",
        "/./v2",
        "/v2/.",
        "/v2/x/..",
        "/v2/%2e",
        "/v2/%2E%2e",
        "/v2?x=1",
        "/v2#x",
        "/v2\\x",
        "/v2\nx",
    ] {
        let error = twipla
            .raw_request(http::Method::GET, path)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?}: {error}");
    }
    assert!(stage.sandbox.requests().is_empty());
    let page = twipla
        .raw_request(http::Method::GET, "/v2/3as/customers")
        .query("page", 0)
        .query("pageSize", 10)
        .await
        .unwrap();
    assert_eq!(page, serde_json::json!([]));
    let error = twipla
        .raw_request(http::Method::GET, "/v2/3as/customers/nobody")
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[test]
fn error_of_an_invalid_private_key_has_a_remedy() {
    for (pem, says) in [
        ("", "openssl"),
        ("not a key", "openssl"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "public",
        ),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "encrypted",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            "openssl",
        ),
    ] {
        let error = PrivateKey::from_pem(pem).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

#[tokio::test]
async fn client_is_not_built_with_an_invalid_setting() {
    let stage = Stage::start().await;
    let partner = stage.sandbox.website_partner();
    let builder = || client(&stage.sandbox, &partner);
    for (built, says) in [
        (Twipla::builder().build(), "partner"),
        (
            Twipla::builder()
                .partner(
                    "no-uuid",
                    PrivateKey::from_pem(partner.private_key_pem()).unwrap(),
                )
                .build(),
            "no-uuid",
        ),
        (
            builder().base_url("http://example.com").build(),
            "plain http",
        ),
        (builder().base_url("example.com").build(), "example.com"),
        (
            builder()
                .token_lifetime(std::time::Duration::from_secs(1))
                .build(),
            "token_lifetime",
        ),
        (builder().user_agent("shop\n1.4").build(), "user_agent"),
    ] {
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn calls_are_send_and_clones_share_the_token() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let stage = Stage::start().await;
    let twipla = Arc::new(stage.website_model.clone());
    let copy = Arc::clone(&twipla);
    tokio::spawn(send(async move {
        copy.customers().create("c", "c@example.com").await
    }))
    .await
    .unwrap()
    .unwrap();
    let first = stage.website_model.partner_token().await.unwrap();
    let second = twipla.partner_token().await.unwrap();
    assert_eq!(first.expose(), second.expose(), "clones share the token");
}
