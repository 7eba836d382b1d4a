//! Tests of the generated client through its public API.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may fail loudly, their helpers too"
)]

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use twipla_api::{
    ApiKeyId, BaseUrl, Client, Error, StaticToken, TwiplaWebsiteId, WebsiteId, operations,
    requests, types,
};

/// Starts a server that sends one response; returns its address and the request it received.
async fn answering(status: u16, body: &str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/base", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nx-id: 7\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let sent = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 16 * 1024];
        let length = connection.read(&mut request).await.unwrap();
        connection.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request[..length].to_vec()).unwrap()
    });
    (address, sent)
}

/// Returns an id as in a response.
fn site(id: &str) -> WebsiteId {
    WebsiteId::unchecked(id)
}

fn client(address: &str) -> Client {
    let token = StaticToken::new("to.ke.n")
        .unwrap()
        .with_api_key("twpl-key")
        .unwrap();
    Client::new(address, reqwest::Client::new(), token).unwrap()
}

fn website() -> serde_json::Value {
    json!({
        "id": "7128840a-5347-49a4-8dfa-9022d8dad21a",
        "status": "active",
        "intpId": "7128840a-5347-49a4-8dfa-9022d8dad21b",
        "intpWebsiteId": "site-7",
        "intpCustomerId": "cust-42",
        "domain": "example.com",
        "packageId": "471cc1d4-ec27-4504-b7c2-949af95662bc",
        "packageName": "Free",
        "billingInterval": "fortnightly",
        "inTrial": false,
        "hadTrial": true,
        "createdAt": "2023-08-22T08:14:03+00:00",
        "expiresAt": "2023-08-22T08:14:03.123Z",
        "plannedDowngradePackageId": null,
        "somethingNew": { "of": "tomorrow" },
    })
}

#[tokio::test]
async fn a_call_sends_the_request_and_decodes_the_response() {
    let (address, sent) = answering(201, &json!({ "payload": website() }).to_string()).await;
    let request = requests::get_website(&site("site/7 é")).unwrap();
    let response = client(&address).send(request).await.unwrap();
    assert_eq!(response.status(), 201, "any 2xx is a success");
    assert_eq!(response.headers()["x-id"], "7");
    let website = response.into_body().payload;
    assert_eq!(website.status, types::SubscriptionStatus::Active);
    assert_eq!(
        website.billing_interval,
        types::BillingInterval::Unknown("fortnightly".to_owned())
    );
    assert_eq!(website.planned_downgrade_package_id, None);
    let sent = sent.await.unwrap().to_lowercase();
    assert!(
        sent.starts_with("get /base/v2/3as/websites/site%2f7%20%c3%a9 http/1.1"),
        "{sent}"
    );
    assert!(sent.contains("authorization: bearer to.ke.n"), "{sent}");
    assert!(
        !sent.contains("x-api-key") && !sent.contains("api-version"),
        "{sent}"
    );
}

#[tokio::test]
async fn data_operations_use_the_api_key_and_the_data_host() {
    let (address, sent) = answering(200, r#"{"payload":{"labels":[],"datasets":[]}}"#).await;
    let request = requests::query_visits_graph(
        &TwiplaWebsiteId::from(uuid::Uuid::nil()),
        "a+b",
        "time-series",
        "day",
        "z",
        &types::GraphQuery {
            where_: types::AnalyticsFilter { and: Vec::new() },
        },
    )
    .unwrap();
    let client = client("http://127.0.0.1:1").data_url(&address).unwrap();
    client.send(request).await.unwrap();
    let sent = sent.await.unwrap().to_lowercase();
    assert!(
        sent.contains("x-api-key: twpl-key") && !sent.contains("authorization"),
        "{sent}"
    );
    assert!(
        sent.contains("/visits/graph?from=a%2bb&type=time-series&unit=day&until=z "),
        "{sent}"
    );
    assert!(sent.ends_with(r#"{"where":{"and":[]}}"#), "{sent}");
}

#[tokio::test]
async fn an_error_keeps_the_body_but_does_not_show_it() {
    for (status, body) in [
        (500, r#"{"error":"s3cr3t"}"#),
        (200, r#"{"payload":"s3cr3t"}"#),
    ] {
        let (address, _sent) = answering(status, body).await;
        let request = requests::get_website(&site("site-7")).unwrap();
        let error = client(&address).send(request).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        let (got, kept) = match error {
            Error::Status { status, body, .. } | Error::Decode { status, body, .. } => {
                (status, body)
            }
            other => panic!("{other}"),
        };
        assert_eq!((got.as_u16(), &kept[..]), (status, body.as_bytes()));
        assert!(
            shown.contains(&status.to_string()) && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}

#[test]
fn ids_stay_in_their_segment_or_nothing_is_sent() {
    for id in ["..", ".", ""] {
        let error = requests::delete_website(&site(id)).unwrap_err();
        assert_eq!(error.operation(), "delete_website");
        assert!(
            error
                .to_string()
                .starts_with("delete_website: invalid path parameter intpWebsiteId: must not be"),
            "{error}"
        );
    }
    let base = BaseUrl::new("https://api.example.com/base").unwrap();
    for id in [
        "a/b",
        "../customers",
        "\\",
        "..\\..",
        "?x",
        "#x",
        "%2f",
        "%2e%2e",
        "\n",
        "😀",
    ] {
        let url = requests::delete_website(&site(id)).unwrap().url(&base);
        assert_eq!(url.path_segments().unwrap().count(), 5, "{id:?}: {url}");
        assert!(
            url.path().starts_with("/base/v2/3as/websites/"),
            "{id:?}: {url}"
        );
        assert_eq!((url.query(), url.fragment()), (None, None), "{id:?}: {url}");
    }
}

#[test]
fn every_operation_is_found_by_its_id() {
    let ids: std::collections::BTreeSet<_> = operations::ALL
        .iter()
        .map(|operation| operation.id)
        .collect();
    assert_eq!(ids.len(), operations::ALL.len());
    for operation in operations::ALL {
        assert_eq!(operations::find(operation.id), Some(*operation));
        assert!(operation.path.starts_with('/'), "{operation}");
        let successes = operation.success;
        assert!(
            successes.iter().all(|status| (200..300).contains(status)),
            "{operation}"
        );
        let method = http::Method::from(operation.method);
        assert_eq!(method.as_str(), operation.method.as_str());
    }
    assert_eq!(operations::find("no_such_operation"), None);
}

#[test]
fn any_body_is_accepted_if_the_contract_has_none() {
    let request = requests::delete_api_key(&site("site-7"), &ApiKeyId::unchecked("key-1")).unwrap();
    for body in ["", "{}", "null", "<html>"] {
        request.decode(body.as_bytes()).unwrap();
    }
}

#[test]
fn optional_fields_and_parameters_are_left_out() {
    let id = "471cc1d4-ec27-4504-b7c2-949af95662bc".parse().unwrap();
    let body = types::UpgradeWebsiteSubscriptionRequest {
        intp_website_id: site("site-7"),
        package_id: id,
        trial: None,
        pro_rate: Some(true),
    };
    let request = requests::upgrade_website_subscription(&body).unwrap();
    let sent: serde_json::Value = serde_json::from_slice(request.body().unwrap()).unwrap();
    assert_eq!(
        sent,
        json!({ "intpWebsiteId": "site-7", "packageId": id, "proRate": true })
    );
    assert_eq!(request.headers()[CONTENT_TYPE], "application/json");

    let request = requests::list_websites(None, Some(3), None).unwrap();
    assert_eq!(request.target(), "/v2/3as/websites?page=3");
    assert_eq!(
        requests::list_websites(None, None, None).unwrap().target(),
        "/v2/3as/websites"
    );
}

#[test]
fn a_request_can_be_sent_with_any_http_client() {
    let base = BaseUrl::new("https://api.example.com").unwrap();
    let request = requests::get_website(&site("site-7"))
        .unwrap()
        .to_http(&base);
    assert_eq!(request.method(), http::Method::GET);
    assert_eq!(
        request.uri(),
        "https://api.example.com/v2/3as/websites/site-7"
    );
    assert_eq!(request.headers()[ACCEPT], "application/json");
    assert!(!request.headers().contains_key(AUTHORIZATION));
}

#[test]
fn an_inferred_path_can_be_replaced() {
    let body = types::LoginWithApiKeyRequest {
        api_key: "twpl-key".into(),
        website_id: uuid::Uuid::nil().into(),
    };
    let request = requests::login_with_api_key(&body).unwrap();
    let request = request.with_path("/v2/login").unwrap();
    assert_eq!(request.target(), "/v2/login");
    let error = request.with_path("/v2/../login").unwrap_err().to_string();
    assert!(
        error.starts_with("login_with_api_key: invalid path"),
        "{error}"
    );
}

#[test]
fn enums_are_open() {
    for (text, value) in [
        ("active", types::SubscriptionStatus::Active),
        (
            "on_hold",
            types::SubscriptionStatus::Unknown("on_hold".to_owned()),
        ),
        ("", types::SubscriptionStatus::Unknown(String::new())),
    ] {
        let wire = serde_json::Value::from(text);
        assert_eq!(
            serde_json::from_value::<types::SubscriptionStatus>(wire.clone()).unwrap(),
            value
        );
        assert_eq!(serde_json::to_value(&value).unwrap(), wire);
        assert_eq!(value.to_string(), text);
        assert_eq!(value.as_str(), text);
        assert_eq!(types::SubscriptionStatus::from(text), value);
        assert_eq!(types::SubscriptionStatus::from(text.to_owned()), value);
        assert_eq!(text.parse(), Ok(value));
    }
    assert!(serde_json::from_str::<types::SubscriptionStatus>("3").is_err());
    assert!(!types::SubscriptionStatus::KNOWN.is_empty());
}

#[test]
fn debug_and_errors_do_not_show_secrets() {
    let created: types::CreatedApiKey = serde_json::from_value(json!({
        "id": "7128840a-5347-49a4-8dfa-9022d8dad21a",
        "name": "reports",
        "apiKey": "s3cr3t",
        "createdAt": "2023-08-22T08:14:03+00:00",
        "intpWebsiteId": "site-7",
        "intpCustomerId": "cust-42",
    }))
    .unwrap();
    assert_eq!(created.api_key.expose(), "s3cr3t");
    let shown = format!(
        "{:?} {:#?}",
        created,
        types::CreatedApiKeyResponse {
            payload: created.clone()
        }
    );
    assert!(
        !shown.contains("s3cr3t") && shown.contains("Secret(..)") && shown.contains("reports"),
        "{shown}"
    );
    let tokens = types::DashboardTokens {
        token: "s3cr3t".into(),
        refresh_token: "s3cr3t".into(),
    };
    assert!(!format!("{tokens:?}").contains("s3cr3t"));

    let token = StaticToken::new("s3cr3t")
        .unwrap()
        .with_api_key("s3cr3t")
        .unwrap();
    assert_eq!(
        format!("{token:?}"),
        "StaticToken { token: true, api_key: true }"
    );
    let error = StaticToken::new("s3cr3t\n").unwrap_err().to_string();
    assert!(
        !error.contains("s3cr3t") && error.contains("line break"),
        "{error}"
    );
}

#[test]
fn futures_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let client = client("http://127.0.0.1:1");
    is_send(&client.send(requests::get_website(&site("site-7")).unwrap()));
    is_send(&client);
}
