//! Moving to a package whichever way that is, and finding one by its name.

use chrono::Duration;
use twipla::ErrorKind;
use twipla::resources::PackageChange;
use twipla::types::{BillingInterval, Currency, SubscriptionStatus};
use twipla_tests::{Stage, price_list};

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
async fn change_to_passes_trial_and_pro_rata_on_to_the_upgrade() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let change = twipla.website("w").subscription().change_to(prices[2].id);
    let change = change.trial(true).pro_rate(false).await.unwrap();
    assert!(change.subscription().unwrap().in_trial);
}

#[tokio::test]
async fn change_to_takes_every_package_for_an_upgrade_of_the_unlimited_trial() {
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
async fn change_to_of_an_account_reads_its_first_website() {
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
async fn a_package_is_found_by_its_name_and_period() {
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
