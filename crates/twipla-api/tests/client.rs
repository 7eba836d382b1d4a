//! The generated client as its users see it, with a transport that only listens.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use serde_json::json;
use twipla_api::{Client, Error, Operation, Sending, Session, StaticToken, Transport, types};

/// What was sent: the operation, the method, the URL, the headers, the body.
type Sent = (&'static str, String, String, http::HeaderMap, String);

/// Keeps what is sent, and answers with what it was given.
struct Ear {
    status: StatusCode,
    body: String,
    sent: Mutex<Vec<Sent>>,
}

impl Ear {
    fn with(status: u16, body: &serde_json::Value) -> Arc<Self> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        Arc::new(Self {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            body,
            sent: Mutex::default(),
        })
    }

    fn sent(&self) -> Vec<Sent> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Transport for Ear {
    fn send<'a>(
        &'a self,
        _: &'a reqwest::Client,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Sending<'a> {
        let body = request
            .body()
            .and_then(|body| body.as_bytes())
            .unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        let sent = (
            operation.id,
            request.method().to_string(),
            request.url().to_string(),
            request.headers().clone(),
            body,
        );
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sent);
        let mut response = http::Response::new(self.body.clone());
        *response.status_mut() = self.status;
        Box::pin(async move { Ok(response.into()) })
    }
}

fn client(ear: &Arc<Ear>) -> Client {
    let session = Session::new(Arc::clone(ear) as Arc<dyn Transport>);
    Client::new_with_client(
        "https://api.example.com/base",
        reqwest::Client::new(),
        session,
    )
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
async fn a_call_from_end_to_end() {
    let ear = Ear::with(200, &json!({ "payload": website() }));
    let reply = client(&ear).get_website("site/7 é").await.unwrap();
    assert_eq!(reply.status(), 200);
    let website = reply.into_inner().payload;
    assert_eq!(website.status, types::SubscriptionStatus::Active);
    assert_eq!(
        website.billing_interval,
        types::BillingInterval::Unknown("fortnightly".to_owned())
    );
    assert_eq!(website.planned_downgrade_package_id, None);
    let sent = ear.sent();
    let [(id, method, url, headers, _)] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!((*id, method.as_str()), ("get_website", "GET"));
    assert_eq!(
        url,
        "https://api.example.com/base/v2/3as/websites/site%2F7%20%C3%A9"
    );
    let names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["accept"], "no api-version, no credentials");
}

#[tokio::test]
async fn hostile_ids_send_nothing_or_stay_in_their_segment() {
    for id in ["..", ".", ""] {
        let ear = Ear::with(200, &json!({ "payload": website() }));
        let error = client(&ear).delete_website(id).await.unwrap_err();
        let Error::InvalidRequest(message) = &error else {
            panic!("{id:?}: {error}")
        };
        assert!(
            message.starts_with("delete_website: the path parameter intpWebsiteId"),
            "{message}"
        );
        assert_eq!(ear.sent(), [], "{id:?}");
    }
    for id in [
        "a/b",
        "../customers",
        "\\",
        "..\\..",
        "?x",
        "#x",
        "%2f",
        "\n",
        "😀",
    ] {
        let ear = Ear::with(200, &json!({ "payload": website() }));
        let _ = client(&ear).delete_website(id).await;
        let sent = ear.sent();
        let url: reqwest::Url = sent[0].2.parse().unwrap();
        assert_eq!(url.path_segments().unwrap().count(), 5, "{id:?}: {url}");
        assert!(
            url.path().starts_with("/base/v2/3as/websites/"),
            "{id:?}: {url}"
        );
        assert_eq!((url.query(), url.fragment()), (None, None), "{id:?}: {url}");
    }
}

#[tokio::test]
async fn replies_outside_success_keep_their_body() {
    let ear = Ear::with(500, &json!({ "error": { "message": "refused" } }));
    let error = client(&ear).get_website("site-7").await.unwrap_err();
    let Error::UnexpectedResponse(response) = error else {
        panic!("{error}")
    };
    assert_eq!(response.status(), 500);
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"error":{"message":"refused"}}"#
    );
}

#[tokio::test]
async fn any_success_will_do() {
    for status in [200, 201, 204, 299] {
        let ear = Ear::with(status, &serde_json::Value::Null);
        let reply = client(&ear)
            .delete_api_key("site-7", "key-1")
            .await
            .unwrap();
        assert_eq!(reply.status(), status);
    }
}

#[tokio::test]
async fn optional_fields_are_left_out() {
    let ear = Ear::with(500, &serde_json::Value::Null);
    let id = "471cc1d4-ec27-4504-b7c2-949af95662bc".parse().unwrap();
    let body = types::UpgradeWebsiteSubscriptionRequest {
        intp_website_id: "site-7".to_owned(),
        package_id: id,
        trial: None,
        pro_rate: Some(true),
    };
    let _ = client(&ear).upgrade_website_subscription(&body).await;
    let sent: serde_json::Value = serde_json::from_str(&ear.sent()[0].4).unwrap();
    assert_eq!(
        sent,
        json!({ "intpWebsiteId": "site-7", "packageId": id, "proRate": true })
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
fn secrets_do_not_show() {
    let created: types::CreatedApiKey = serde_json::from_value(json!({
        "id": "7128840a-5347-49a4-8dfa-9022d8dad21a",
        "name": "reports",
        "apiKey": "s3cr3t",
        "createdAt": "2023-08-22T08:14:03+00:00",
        "intpWebsiteId": "site-7",
        "intpCustomerId": "cust-42",
    }))
    .unwrap();
    assert_eq!(created.api_key, "s3cr3t");
    let shown = format!(
        "{:?} {:#?}",
        created,
        types::CreatedApiKeyResponse {
            payload: created.clone()
        }
    );
    assert!(
        !shown.contains("s3cr3t") && shown.contains("[redacted]") && shown.contains("reports"),
        "{shown}"
    );
    let tokens = types::DashboardTokens {
        token: "s3cr3t".into(),
        refresh_token: "s3cr3t".into(),
    };
    assert!(!format!("{tokens:?}").contains("s3cr3t"));

    let transport = StaticToken::new("s3cr3t")
        .unwrap()
        .with_api_key("s3cr3t")
        .unwrap();
    assert_eq!(
        format!("{transport:?}"),
        "StaticToken { token: true, api_key: true }"
    );
    assert_eq!(format!("{:?}", Session::from(transport)), "Session { .. }");
    let error = StaticToken::new("s3cr3t\n").unwrap_err().to_string();
    assert!(
        !error.contains("s3cr3t") && error.contains("line break"),
        "{error}"
    );
}

#[test]
fn futures_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let ear = Ear::with(200, &serde_json::Value::Null);
    let client = client(&ear);
    is_send(&client.get_website("site-7"));
    is_send(&client);
}
