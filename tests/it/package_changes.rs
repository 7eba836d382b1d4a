//! Moving to a package in either direction, and finding one by its name.

use chrono::Duration;
use serde_json::json;
use twipla::resources::PackageChange;
use twipla::types::{BillingInterval, Currency, SubscriptionStatus};
use twipla::{ChangeState, ErrorKind};
use twipla_sandbox::{Fault, FaultKind};
use twipla_tests::{Stage, price_list, respond};

#[tokio::test]
async fn change_to_upgrades_downgrades_resumes_or_does_nothing() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();

    let change = subscription.change_to(prices[2].id).await.unwrap();
    let PackageChange::Upgraded(now) = change else {
        panic!("{change:?}")
    };
    assert_eq!(now.package_id, prices[2].id);

    let before = stage.sandbox.commits().len();
    let change = subscription.change_to(prices[2].id).await.unwrap();
    assert_eq!(change, PackageChange::Unchanged);
    assert_eq!(change.subscription(), None);
    assert_eq!(stage.sandbox.commits().len(), before, "nothing is sent");

    subscription.cancel().await.unwrap();
    let change = subscription.change_to(prices[2].id).await.unwrap();
    let PackageChange::Resumed(now) = change else {
        panic!("{change:?}")
    };
    assert_eq!(now.status, SubscriptionStatus::Active);

    let change = subscription.change_to(prices[0].id).await.unwrap();
    let PackageChange::DowngradePlanned(now) = &change else {
        panic!("{change:?}")
    };
    assert_eq!(now.planned_downgrade_package_id, Some(prices[0].id));
    assert_eq!(change.subscription(), Some(now));
    let again = subscription.change_to(prices[0].id).await.unwrap();
    assert_eq!(again, PackageChange::Unchanged, "it is planned already");

    let error = subscription.change_to(prices[2].id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(
        error.to_string().contains("cannot stay on package"),
        "{error}"
    );

    stage.sandbox.advance(Duration::days(40));
    let site = twipla.website("w").get().await.unwrap();
    assert_eq!(site.package_id, prices[0].id);
}

#[tokio::test]
async fn change_to_reports_applied_because_it_read_the_state_before() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    stage.lose_request("upgrade_website_subscription");
    let error = subscription.change_to(prices[3].id).await.unwrap_err();
    assert_eq!(
        error.change_state(),
        Some(ChangeState::NotApplied),
        "{error}"
    );
    assert!(error.is_ambiguous(), "{error}");

    stage.lose_response("upgrade_website_subscription");
    let error = subscription.change_to(prices[3].id).await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::Applied), "{error}");
    stage.lose_response("downgrade_website_subscription");
    let error = subscription.change_to(prices[0].id).raw().await;
    let error = error.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::Applied), "{error}");
    subscription.cancel().await.unwrap();
    stage.lose_response("resume_website_subscription");
    let error = subscription.change_to(prices[3].id).await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::Applied), "{error}");
    assert!(!error.is_ambiguous(), "{error}");
}

// The clock only advances when everything waits, so only the deadlines decide.
#[tokio::test(start_paused = true)]
async fn timeout_of_change_to_covers_all_of_its_calls() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    let limit = std::time::Duration::from_secs(8);
    // Each read takes two seconds, and the change gets no response.
    let slow = FaultKind::Delay(std::time::Duration::from_secs(2));
    for operation in ["get_website", "get_package"] {
        stage
            .sandbox
            .inject(Fault::new(slow.clone()).operation(operation));
    }
    let hang = Fault::new(FaultKind::Hang).operation("upgrade_website_subscription");
    stage.sandbox.inject(hang);
    let started = tokio::time::Instant::now();
    let error = subscription.change_to(prices[2].id).timeout(limit).await;
    let error = error.unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error}");
    assert!(error.to_string().contains("8.000 s"), "{error}");
    let took = started.elapsed();
    assert!(
        took <= limit + std::time::Duration::from_millis(10),
        "{took:?}"
    );

    let started = tokio::time::Instant::now();
    let short = std::time::Duration::from_secs(5);
    let error = subscription.change_to(prices[2].id).timeout(short).await;
    let error = error.unwrap_err();
    assert!(
        error.is_timeout() && !error.is_ambiguous(),
        "only reads were sent: {error}"
    );
    assert!(error.to_string().contains("5.000 s"), "{error}");
    let took = started.elapsed();
    assert!(
        took <= short + std::time::Duration::from_millis(10),
        "{took:?}"
    );
}

// The clock only advances when everything waits, so only the deadlines decide.
#[tokio::test(start_paused = true)]
async fn timeout_covers_the_list_that_is_read_before_a_create() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let keys = twipla.website("w").api_keys();
    let old = keys.create("reports").await.unwrap();
    let limit = std::time::Duration::from_secs(8);
    let slow = FaultKind::Delay(std::time::Duration::from_secs(3));
    for operation in ["list_api_keys", "list_packages"] {
        stage
            .sandbox
            .inject(Fault::new(slow.clone()).operation(operation));
    }
    for operation in ["create_api_key", "create_package"] {
        stage
            .sandbox
            .inject(Fault::new(FaultKind::Hang).operation(operation));
    }
    let timed_out = |started: tokio::time::Instant, error: twipla::Error| {
        assert!(error.is_timeout() && error.is_ambiguous(), "{error}");
        assert!(error.to_string().contains("8.000 s"), "{error}");
        let took = started.elapsed();
        assert!(
            took <= limit + std::time::Duration::from_millis(10),
            "{took:?}"
        );
    };
    let started = tokio::time::Instant::now();
    timed_out(
        started,
        keys.create("other").timeout(limit).await.unwrap_err(),
    );
    let started = tokio::time::Instant::now();
    timed_out(
        started,
        keys.rotate(&old.id).timeout(limit).await.unwrap_err(),
    );
    let started = tokio::time::Instant::now();
    let (currency, period) = (Currency::Eur, BillingInterval::Monthly);
    let create = twipla.packages().create("Shop", 500, 5.0, currency, period);
    timed_out(started, create.timeout(limit).await.unwrap_err());

    stage.sandbox.clear_faults();
    let started = tokio::time::Instant::now();
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("list_packages"));
    let error = twipla.packages().find("Shop").timeout(limit).await;
    let error = error.unwrap_err();
    assert!(error.is_timeout() && !error.is_ambiguous(), "{error}");
    assert!(started.elapsed() <= limit + std::time::Duration::from_millis(10));
}

#[tokio::test]
async fn change_to_passes_trial_and_pro_rata_to_the_upgrade() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let change = twipla.website("w").subscription().change_to(prices[2].id);
    let change = change.trial(true).pro_rate(false).await.unwrap();
    assert!(change.subscription().unwrap().in_trial);
}

#[tokio::test]
async fn change_to_any_package_is_an_upgrade_of_the_unlimited_trial() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let unlimited = twipla.packages().list().await.unwrap();
    let unlimited = unlimited
        .iter()
        .find(|package| package.touchpoints.is_unlimited())
        .unwrap();
    let create = twipla.websites().create("c", "v", "v.example.com");
    create.unlimited_free_trial(true).await.unwrap();
    let site = twipla.website("v").get().await.unwrap();
    assert_eq!(site.package_id, unlimited.id);
    let change = twipla
        .website("v")
        .subscription()
        .change_to(prices[2].id)
        .await
        .unwrap();
    assert!(matches!(change, PackageChange::Upgraded(_)), "{change:?}");
}

#[tokio::test]
async fn change_to_of_a_customer_reads_its_first_website() {
    let stage = Stage::start().await;
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    let create = twipla
        .customers()
        .create("c", "c@example.com")
        .package(prices[1].id);
    create.await.unwrap();
    let subscription = twipla.customer("c").subscription();

    let error = subscription.change_to(prices[2].id).await.unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("no website"),
        "{error}"
    );

    twipla
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    let change = subscription.change_to(prices[2].id).raw().await.unwrap();
    assert_eq!(change["packageId"], prices[2].id.to_string());
    assert!(
        subscription
            .change_to(prices[2].id)
            .raw()
            .await
            .unwrap()
            .is_null()
    );
}

#[tokio::test]
async fn website_of_another_customer_is_ignored() {
    let stage = Stage::start().await;
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    for (id, package) in [("c", prices[1].id), ("d", prices[3].id)] {
        let create = twipla.customers().create(id, format!("{id}@example.com"));
        create.package(package).await.unwrap();
        let site = format!("w-{id}");
        let create = twipla.websites().create(id, site, "example.com");
        create.await.unwrap();
    }
    let theirs = twipla.website("w-d").get().raw().await.unwrap();
    let body = json!({ "payload": [theirs], "meta": { "page": 0, "pageSize": 1, "pageTotal": 1, "total": 1 } });
    let ignores_the_filter = respond(200, &[], &body.to_string());
    stage
        .sandbox
        .inject(Fault::new(ignores_the_filter).operation("list_websites"));
    stage.sandbox.clear_requests();

    let error = twipla.customer("c").websites().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    let subscription = twipla.customer("c").subscription();
    let error = subscription.change_to(prices[2].id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert_eq!(stage.requests("downgrade_intpc_subscription"), 0);

    stage.lose_response("upgrade_intpc_subscription");
    let error = subscription.upgrade(prices[3].id).await.unwrap_err();
    assert_eq!(error.change_state(), None, "{error}");
    assert!(error.is_ambiguous(), "{error}");
}

#[tokio::test]
async fn change_to_does_not_treat_a_deactivated_subscription_as_active() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let package = price_list(twipla).await.unwrap()[2].id;
    let subscription = twipla.website("w").subscription();
    subscription.upgrade(package).await.unwrap();
    subscription.deactivate().await.unwrap();
    let error = subscription.change_to(package).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.message().contains("is inactive"), "{error}");
}

#[tokio::test]
async fn package_is_found_by_its_name_and_period() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let packages = || twipla.packages();
    for period in [BillingInterval::Monthly, BillingInterval::Yearly] {
        packages()
            .create("Shop", 500, 5.0, Currency::Eur, period)
            .await
            .unwrap();
    }
    let monthly = packages()
        .find("shop")
        .period(BillingInterval::Monthly)
        .await
        .unwrap();
    assert_eq!(
        (monthly.name.as_str(), &monthly.period),
        ("Shop", &BillingInterval::Monthly)
    );

    let error = packages().find("Shop").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.to_string().contains(&monthly.id.to_string()),
        "{error}"
    );

    let error = packages().find("Nothing").await.unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("Shop"),
        "{error}"
    );

    let raw = packages()
        .find("SHOP")
        .period(BillingInterval::Yearly)
        .raw()
        .await
        .unwrap();
    assert_eq!(raw["period"], "yearly");
}

#[tokio::test]
async fn raw_package_has_unknown_fields() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let mut list = twipla.packages().list().raw().await.unwrap();
    list[2]["seats"] = json!(25);
    let name = list[2]["name"].as_str().unwrap();
    let body = json!({ "payload": &list }).to_string();
    stage.fault_once("list_packages", respond(200, &[], &body));
    let found = twipla.packages().find(name).raw().await.unwrap();
    assert_eq!(found, list[2]);

    stage.fault_once("list_packages", respond(200, &[], r#"{"payload": [{}]}"#));
    let error = twipla.packages().find(name).raw().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}
