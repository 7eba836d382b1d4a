//! Creates after an ambiguous failure.

use twipla::ErrorKind;
use twipla::types::{BillingInterval, Currency};
use twipla_sandbox::{Fault, FaultKind};
use twipla_tests::{Stage, price_list, respond};

use super::status;

#[tokio::test]
async fn create_that_failed_with_500_is_read_back_and_not_retried() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let create = |id: &'static str| twipla.customers().create(id, format!("{id}@example.com"));

    stage
        .sandbox
        .inject(status(500).operation("create_customer"));
    let error = create("a").await.unwrap_err();
    assert!(!error.is_ambiguous() && error.attempts() == 1, "{error}");
    assert!(twipla.customer("a").get().await.unwrap_err().is_not_found());

    stage
        .sandbox
        .inject(status(500).after_commit().operation("create_customer"));
    assert_eq!(create("a").await.unwrap().intp_customer_id, "a");

    for code in [520, 530] {
        let id = if code == 520 { "b" } else { "d" };
        stage
            .sandbox
            .inject(status(code).operation("create_customer"));
        assert_eq!(create(id).await.unwrap().intp_customer_id, id, "{code}");
    }
    assert_eq!(stage.commits("create_customer"), 3);
}

#[tokio::test]
async fn conflict_of_a_create_names_the_difference() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let websites = twipla.websites();
    for (create, expected) in [
        (
            websites.create("c", "w", "other.example"),
            "for example.com of customer c",
        ),
        (
            websites
                .create("c", "w", "example.com")
                .package(prices[0].id),
            "on another package",
        ),
        (
            websites
                .create("c", "w", "example.com")
                .unlimited_free_trial(true),
            "without a trial",
        ),
    ] {
        let error = create.await.unwrap_err();
        assert!(
            error.is_conflict() && !error.exists_as_requested(),
            "{error}"
        );
        assert!(error.message().contains(expected), "{error}");
    }
    let same = websites
        .create("c", "w", "example.com")
        .package(prices[1].id);
    let error = same.await.unwrap_err();
    assert!(
        error.is_conflict() && error.exists_as_requested(),
        "{error}"
    );

    let customers = twipla.customers();
    for (create, expected) in [
        (
            customers.create("c", "d@example.com"),
            "another e-mail address",
        ),
        (
            customers
                .create("c", "c@example.com")
                .website("v", "example.com"),
            "without this website",
        ),
        (
            customers
                .create("c", "c@example.com")
                .website("w", "example.com")
                .website_package(prices[0].id),
            "on another package",
        ),
        (
            customers
                .create("d", "d@example.com")
                .website("w", "example.com"),
            "another website",
        ),
    ] {
        let error = create.await.unwrap_err();
        assert!(
            error.is_conflict() && !error.exists_as_requested(),
            "{error}"
        );
        assert!(error.message().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn ambiguous_create_does_not_adopt_a_deactivated_website() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let create = || twipla.websites().create("c", "w", "example.com");
    let lost = || stage.lose_request("create_website");
    lost();
    create().await.unwrap();
    twipla
        .website("w")
        .subscription()
        .deactivate()
        .await
        .unwrap();
    lost();
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous() && error.is_conflict(), "{error}");
    assert!(error.message().contains("status inactive"), "{error}");

    // An unknown status leaves it open.
    lost();
    stage.fault_once("get_website", FaultKind::UnknownEnumValue);
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous() && !error.is_conflict(), "{error}");
    assert_eq!(stage.requests("create_website"), 3);
}

#[tokio::test]
async fn ambiguous_create_of_a_customer_with_an_invisible_package_stays_ambiguous() {
    let stage = Stage::start().await;
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    let create = || {
        let create = twipla.customers().create("c", "c@example.com");
        create.package(prices[1].id)
    };
    stage.lose_response("create_customer");
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous() && !error.is_conflict(), "{error}");
    assert!(error.message().contains("no website shows"), "{error}");

    stage.sandbox.clear_requests();
    twipla.customer("c").delete().await.unwrap();
    stage.lose_response("create_customer");
    let created = create().website("w", "example.com").await.unwrap();
    assert_eq!(created.website.unwrap().package_id, prices[1].id);
    assert_eq!(stage.requests("list_websites"), 0, "the website shows it");
}

#[tokio::test]
async fn duplicate_is_a_success_only_after_an_ambiguous_attempt() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    for code in [400, 409] {
        let (id, domain) = (format!("w{code}"), format!("{code}.example.com"));
        let create = |domain: &str| twipla.websites().create("c", &id, domain);
        let refuse = || {
            stage
                .sandbox
                .inject(status(code).operation("create_website"));
        };

        refuse();
        let error = create(&domain).await.unwrap_err();
        assert_eq!(error.is_conflict(), code == 409, "nothing exists: {error}");
        assert!(!error.is_ambiguous() && error.attempts() == 1, "{error}");

        create(&domain).await.unwrap();
        refuse();
        let error = create(&domain).await.unwrap_err();
        assert!(
            error.is_conflict() && error.exists_as_requested(),
            "{error}"
        );
        assert!(error.message().contains("out of order"), "{error}");
        refuse();
        let error = create("other.example.com").await.unwrap_err();
        assert!(error.is_conflict() && !error.is_ambiguous(), "{error}");
        assert!(error.message().contains(&domain), "{error}");
        twipla.website(&id).delete().await.unwrap();

        // The first attempt is carried out but not visible yet, so the second is rejected.
        stage.lose_response("create_website");
        stage.fault_once("get_website", respond(404, &[], "{}"));
        refuse();
        let created = create(&domain).await.unwrap();
        assert_eq!(created.intp_website_id, id.as_str());
    }
}

#[tokio::test]
async fn trial_of_a_package_is_not_the_requested_package() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let create = || twipla.websites().create("c", "w", "example.com");
    let upgrade = twipla.website("w").subscription().upgrade(prices[2].id);
    upgrade.trial(true).await.unwrap();
    for create in [
        create().unlimited_free_trial(true),
        create().package(prices[2].id),
    ] {
        let error = create.await.unwrap_err();
        let is_as_requested = error.exists_as_requested();
        assert!(error.is_conflict() && !is_as_requested, "{error}");
        assert!(error.message().contains("in a trial of Pro"), "{error}");
    }

    let create = || twipla.websites().create("c", "v", "v.example.com");
    let on_trial = create().unlimited_free_trial(true).await.unwrap();
    for create in [
        create().unlimited_free_trial(true),
        create().package(on_trial.package_id),
    ] {
        let error = create.await.unwrap_err();
        assert!(error.exists_as_requested(), "{error}");
    }
}

// The clock only advances when everything waits, so only the deadlines decide.

#[tokio::test]
async fn existing_package_or_key_of_the_same_name_is_not_the_new_one() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let create = || {
        let (currency, period) = (Currency::Eur, BillingInterval::Monthly);
        twipla.packages().create("Shop", 500, 5.0, currency, period)
    };
    let keys = twipla.website("w").api_keys();
    let old_package = create().await.unwrap();
    let old_key = keys.create("reports").await.unwrap();

    stage.lose_request("create_package");
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    stage.lose_response("create_package");
    assert_ne!(create().await.unwrap().id, old_package.id);

    stage.lose_request("create_api_key");
    let error = keys.create("reports").await.unwrap_err();
    assert!(
        error.is_ambiguous() && error.kind() != ErrorKind::SecretLost,
        "{error}"
    );
    stage.lose_response("create_api_key");
    let error = keys.create("reports").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretLost, "{error}");
    let is_named = |id: &str| error.message().contains(id);
    assert!(!is_named(old_key.id.as_str()), "{error}");
    let all = keys.list().await.unwrap();
    assert_eq!(
        all.iter().filter(|key| is_named(key.id.as_str())).count(),
        1
    );
}

#[tokio::test]
async fn incomparable_new_package_leaves_its_create_ambiguous() {
    let stage = Stage::start().await;
    let unknown = Fault::new(FaultKind::UnknownEnumValue);
    stage.sandbox.inject(unknown.operation("list_packages"));
    let boom = status(500).after_commit();
    stage.sandbox.inject(boom.operation("create_package"));
    let packages = stage.website_model.packages();
    let create = packages.create("Shop", 500, 5.0, Currency::Eur, BillingInterval::Monthly);
    let error = create.await.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    assert_eq!(stage.commits("create_package"), 1);
}
