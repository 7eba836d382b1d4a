//! Websites: both forms of create, reading, deleting.

use std::future::IntoFuture as _;

use twipla::types::{SubscriptionStatus, SubscriptionType};
use twipla_sandbox::FaultKind;
use twipla_tests::{Stage, package_named, price_list};

#[tokio::test]
async fn website_starts_on_a_package_the_trial_or_the_free_plan() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let basic = price_list(twipla).await.unwrap().remove(0);

    let on_package = twipla
        .websites()
        .create("c", "a", "a.example.com")
        .package(basic.id)
        .await
        .unwrap();
    assert_eq!(
        (on_package.package_id, on_package.in_trial),
        (basic.id, false)
    );
    assert!(
        on_package
            .visa_tracking_code
            .unwrap()
            .contains(&on_package.id.to_string())
    );

    let on_trial = twipla
        .websites()
        .create("c", "b", "b.example.com")
        .unlimited_free_trial(true)
        .await
        .unwrap();
    assert!(on_trial.in_trial);

    let free = package_named(twipla, "free").await.unwrap().unwrap();
    let on_free = twipla
        .websites()
        .create("c", "d", "d.example.com")
        .privacy_level(0)
        .await
        .unwrap();
    assert_eq!((on_free.package_id, on_free.in_trial), (free, false));
}

#[tokio::test]
async fn flat_create_starts_on_the_unlimited_trial_by_default() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let basic = price_list(twipla).await.unwrap().remove(0);
    let on_trial = twipla
        .websites()
        .create_flat("c", "a", "a.example.com")
        .await
        .unwrap();
    assert!(on_trial.in_trial);
    let on_package = twipla
        .websites()
        .create_flat("c", "b", "b.example.com")
        .package(basic.id)
        .await
        .unwrap();
    assert_eq!(
        (on_package.package_id, on_package.in_trial),
        (basic.id, false)
    );
}

#[tokio::test]
async fn website_under_an_account_shares_its_pool() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.account_model;
    let site = twipla
        .websites()
        .create("c", "a", "a.example.com")
        .await
        .unwrap();
    assert_eq!(site.subscription_type, Some(SubscriptionType::Intpc));
    assert_eq!(
        (site.status, site.in_trial),
        (SubscriptionStatus::Active, false)
    );
    assert_eq!(site.consumption.unwrap().stp_limit.get(), -1);

    let basic = price_list(twipla).await.unwrap().remove(0);
    for refused in [
        twipla
            .websites()
            .create("c", "b", "b.example.com")
            .package(basic.id)
            .await,
        twipla
            .websites()
            .create("c", "b", "b.example.com")
            .unlimited_free_trial(true)
            .await,
    ] {
        let error = refused.unwrap_err();
        assert_eq!(
            error.status().map(|status| status.as_u16()),
            Some(400),
            "{error}"
        );
    }
}

#[tokio::test]
async fn create_returns_the_website_on_204() {
    let stage = Stage::with_customer().await;
    stage.fault_once("create_website", FaultKind::NoContent);
    let site = stage
        .website_model
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    assert_eq!(site.intp_website_id, "w");
    let seen: Vec<_> = stage
        .sandbox
        .requests()
        .iter()
        .filter_map(|request| request.operation)
        .collect();
    assert!(
        seen.ends_with(&["create_website", "get_website"]),
        "{seen:?}"
    );
}

#[tokio::test]
async fn website_id_in_use_is_a_conflict() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    twipla
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    for error in [
        twipla
            .websites()
            .create("c", "w", "example.com")
            .await
            .unwrap_err(),
        twipla
            .websites()
            .create_flat("c", "w", "example.com")
            .await
            .unwrap_err(),
    ] {
        assert!(error.is_conflict(), "{error}");
        assert!(error.to_string().contains("in use"), "{error}");
    }
    let creates: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn(
                twipla
                    .websites()
                    .create("c", "p", "example.com")
                    .into_future(),
            )
        })
        .collect();
    let mut made = 0;
    for create in creates {
        made += usize::from(create.await.unwrap().is_ok());
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn create_is_read_back_after_a_lost_response() {
    let stage = Stage::with_customer().await;
    let create = |id: &str| {
        stage
            .website_model
            .websites()
            .create("c", id, "example.com")
    };

    stage.lose_response("create_website");
    assert_eq!(create("w").await.unwrap().intp_website_id, "w");
    assert_eq!(
        stage.requests("create_website"),
        1,
        "it was read back, not sent again"
    );

    stage.lose_request("create_website");
    assert_eq!(create("x").await.unwrap().intp_website_id, "x");
    assert_eq!(
        stage.requests("create_website"),
        3,
        "nothing was there, so it was sent again"
    );

    create("y").await.unwrap();
    stage.lose_response("create_website");
    let error = stage
        .website_model
        .websites()
        .create("c", "y", "other.example.com")
        .await
        .unwrap_err();
    assert!(error.is_conflict(), "{error}");
}

#[tokio::test]
async fn website_is_found_by_either_id_until_deleted() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let made = twipla
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    assert_eq!(
        twipla
            .websites()
            .get_by_twipla_id(made.id)
            .await
            .unwrap()
            .intp_website_id,
        "w"
    );
    let gone = twipla.website("w").delete().await.unwrap();
    assert_eq!(gone.map(|gone| gone.id), Some(made.id));
    assert!(twipla.website("w").get().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn handle_acts_on_its_own_website_only() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    twipla
        .websites()
        .create("c", "a", "example.com")
        .await
        .unwrap();
    twipla
        .websites()
        .create("c", "b", "example.com")
        .await
        .unwrap();
    let (a, b) = (twipla.website("a"), twipla.website("b"));
    b.get().await.unwrap();
    a.delete().await.unwrap();
    assert!(b.get().await.is_ok(), "deleting a leaves b");
}

#[tokio::test]
async fn delete_returns_none_on_204() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    twipla
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    stage.fault_once("delete_website", FaultKind::NoContent);
    assert_eq!(twipla.website("w").delete().await.unwrap(), None);
    assert!(twipla.website("w").get().await.unwrap_err().is_not_found());
    stage.fault_once("delete_customer", FaultKind::NoContent);
    assert_eq!(twipla.customer("c").delete().await.unwrap(), None);
}
