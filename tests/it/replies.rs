//! Responses that differ from the contract.

use twipla::types::{BillingInterval, SubscriptionStatus};
use twipla::{ErrorKind, RetryPolicy, Twipla};
use twipla_sandbox::FaultKind;
use twipla_tests::{Stage, client, respond};

async fn stage(kind: FaultKind) -> (Stage, Twipla) {
    let stage = Stage::with_website().await;
    stage.fault_once("get_website", kind);
    // Retries of broken responses are tested elsewhere.
    let once = client(&stage.sandbox, &stage.sandbox.website_partner())
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    (stage, once)
}

#[tokio::test]
async fn missing_field_is_named_and_the_body_kept() {
    let (_stage, twipla) = stage(FaultKind::MissingField("domain".to_owned())).await;
    let error = twipla.website("w").get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.operation(), Some("get_website"));
    assert!(error.to_string().contains("`domain`"), "{error}");
    assert!(String::from_utf8_lossy(error.body().unwrap()).contains("intpWebsiteId"));
}

#[tokio::test]
async fn raw_returns_a_payload_that_does_not_fit_the_type() {
    let (stage, twipla) = stage(FaultKind::MissingField("domain".to_owned())).await;
    let json = twipla.website("w").get().raw().await.unwrap();
    assert_eq!(json["intpWebsiteId"], "w");
    assert!(json.get("domain").is_none());
    let list = stage.website_model.customers().list().raw().await.unwrap();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn unknown_enum_value_is_kept() {
    let (_stage, twipla) = stage(FaultKind::UnknownEnumValue).await;
    let site = twipla.website("w").get().await.unwrap();
    let unknown = matches!(site.status, SubscriptionStatus::Unknown(_))
        || matches!(site.billing_interval, BillingInterval::Unknown(_));
    assert!(unknown, "{site:?}");
}

#[tokio::test]
async fn body_that_is_not_json_is_an_error() {
    for (kind, message) in [
        (
            FaultKind::HtmlBody,
            "the response is not a whole JSON document (text/html; charset=utf-8)",
        ),
        (
            FaultKind::InvalidJson,
            "the response is not a whole JSON document (application/json)",
        ),
        (
            FaultKind::EmptyBody,
            "the response is empty where the contract has a body",
        ),
    ] {
        let (_stage, twipla) = stage(kind.clone()).await;
        let error = twipla.website("w").get().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{kind:?}: {error}");
        assert_eq!(error.operation(), Some("get_website"));
        assert_eq!(error.message(), message, "{kind:?}");
        assert_eq!(
            error.to_string(),
            format!("get_website: {message} (status 200)"),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn truncated_body_is_a_connection_error_and_retried() {
    let (_stage, twipla) = stage(FaultKind::TruncatedBody).await;
    let error = twipla.website("w").get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");

    let (stage, _) = stage(FaultKind::TruncatedBody).await;
    assert_eq!(
        stage.website_model.website("w").get().await.unwrap().domain,
        "example.com"
    );
}

#[tokio::test]
async fn response_over_the_limit_is_not_read() {
    let stage = Stage::start().await;
    let small = client(&stage.sandbox, &stage.sandbox.website_partner())
        .max_body(200)
        .build()
        .unwrap();
    let error = small.packages().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("200 bytes"), "{error}");
}

#[tokio::test]
async fn change_with_an_unusable_response_is_read_back() {
    for kind in [
        FaultKind::HtmlBody,
        FaultKind::InvalidJson,
        FaultKind::EmptyBody,
    ] {
        let (stage, twipla) = stage(FaultKind::Delay(std::time::Duration::ZERO)).await;
        let fault = |operation: &str| stage.fault_once(operation, kind.clone());
        fault("cancel_website_subscription");
        let error = twipla
            .website("w")
            .subscription()
            .cancel()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{kind:?}: {error}");
        assert_eq!(
            error.change_state(),
            Some(twipla::ChangeState::InForce),
            "{kind:?}: {error}"
        );
        fault("create_website");
        let site = twipla
            .websites()
            .create("c", "x", "example.com")
            .await
            .unwrap();
        assert_eq!(site.intp_website_id, "x", "{kind:?}");
    }
}

#[tokio::test]
async fn html_is_not_a_success_if_the_contract_has_no_body() {
    let (stage, twipla) = stage(FaultKind::Delay(std::time::Duration::ZERO)).await;
    let page = respond(200, &[], "<html>Please log in</html>");
    stage.fault_once("add_whitelisted_domain", page);
    let error = twipla
        .website("w")
        .whitelisted_domains()
        .add("a.example.com")
        .await
        .unwrap_err();
    assert!(
        error.kind() == ErrorKind::Decode && error.is_ambiguous(),
        "{error}"
    );
}

/// The website of the reference page, and what a later server may add to it or set to null.
#[test]
fn null_is_none_and_unknown_fields_are_ignored() {
    let required = serde_json::json!({
        "id": "7128840a-5347-49a4-8dfa-9022d8dad21a", "status": "paused", "intpId": "7128840a-5347-49a4-8dfa-9022d8dad21a",
        "intpWebsiteId": "w", "intpCustomerId": "c", "domain": "example.com",
        "packageId": "471cc1d4-ec27-4504-b7c2-949af95662bc", "packageName": "Pro", "billingInterval": "monhtly",
        "inTrial": false, "hadTrial": true, "createdAt": "2023-08-22T08:14:03+02:00", "expiresAt": "2023-09-22T08:14:03Z",
    });
    let bare: twipla::types::Website = serde_json::from_value(required.clone()).unwrap();
    assert_eq!(
        bare.status,
        SubscriptionStatus::Unknown("paused".to_owned())
    );
    assert_eq!(bare.billing_interval.as_str(), "monhtly");
    let mut full = required;
    for name in [
        "visaTrackingCode",
        "lastPackageChangeAt",
        "plannedDowngradePackageId",
        "plannedDowngradeBillingInterval",
        "stpResetAt",
        "consumption",
        "visaCustomerId",
        "billingMode",
        "subscriptionType",
    ] {
        full[name] = serde_json::Value::Null;
    }
    full["somethingNew"] = serde_json::json!({"deep": [1, 2]});
    let with_nulls: twipla::types::Website = serde_json::from_value(full).unwrap();
    assert_eq!(with_nulls, bare);

    let package = serde_json::json!({
        "id": "471cc1d4-ec27-4504-b7c2-949af95662bc", "name": "Pro", "touchpoints": "55000",
        "intpId": "7128840a-5347-49a4-8dfa-9022d8dad21a", "price": 39.99, "currency": "CHF", "period": "monthly",
        "recommended": true, "createdAt": "2023-08-22T08:14:03Z", "visibility": "public", "restrictedTo": null,
    });
    let package: twipla::types::Package = serde_json::from_value(package).unwrap();
    assert_eq!(
        (package.touchpoints.get(), package.restricted_to),
        (55_000, None)
    );
}
