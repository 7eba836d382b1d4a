//! Packages: lists, filters, restricted ones, new ones.

use twipla::types::{BillingInterval, Currency, PackageVisibility};
use twipla_tests::Stage;

#[tokio::test]
async fn packages_are_created_renamed_and_read() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let made = twipla
        .packages()
        .create(
            "Shop",
            20_000,
            14.99,
            Currency::Eur,
            BillingInterval::Monthly,
        )
        .external_id("shop-1")
        .await
        .unwrap();
    assert_eq!((made.touchpoints.get(), made.price), (20_000, 14.99));
    let renamed = twipla.package(made.id).rename("Shop+").await.unwrap();
    assert_eq!(renamed.name, "Shop+");
    assert_eq!(twipla.package(made.id).get().await.unwrap(), renamed);
    assert!(twipla.packages().list().await.unwrap().contains(&renamed));

    let recommended = twipla
        .packages()
        .list()
        .await
        .unwrap()
        .into_iter()
        .find(|package| package.recommended);
    let error = twipla
        .package(recommended.unwrap().id)
        .rename("Mine")
        .await
        .unwrap_err();
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(400),
        "{error}"
    );
    let unknown = twipla::PackageId::from(uuid::Uuid::new_v4());
    assert!(
        twipla
            .package(unknown)
            .get()
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn restricted_package_is_listed_only_where_it_is_assigned() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let custom = twipla
        .packages()
        .create(
            "Custom",
            500_000,
            100.0,
            Currency::Eur,
            BillingInterval::Yearly,
        )
        .visibility(PackageVisibility::Restricted)
        .await
        .unwrap();
    let seen = async || {
        let offers = twipla.packages().list().for_website("w").await.unwrap();
        offers.iter().any(|offer| offer.id == custom.id)
    };
    assert!(!seen().await);
    twipla
        .package(custom.id)
        .assign_to_website("w")
        .await
        .unwrap();
    assert!(seen().await);
    let restricted = twipla
        .package(custom.id)
        .get()
        .await
        .unwrap()
        .restricted_to
        .unwrap_or_default();
    assert_eq!(restricted[0].intp_website_id.as_ref().unwrap(), "w");
    let up = twipla
        .website("w")
        .subscription()
        .upgrade(custom.id)
        .await
        .unwrap();
    twipla
        .package(custom.id)
        .unassign_from_website("w")
        .await
        .unwrap();
    assert!(!seen().await);
    assert_eq!(
        twipla.website("w").get().await.unwrap().package_id,
        up.package_id,
        "what runs goes on"
    );

    let public = twipla
        .packages()
        .list()
        .await
        .unwrap()
        .into_iter()
        .find(|package| package.visibility == PackageVisibility::Public);
    let error = twipla
        .package(public.unwrap().id)
        .assign_to_website("w")
        .await
        .unwrap_err();
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(400),
        "{error}"
    );
}

#[tokio::test]
async fn account_model_assigns_packages_to_customers() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.account_model;
    let custom = twipla
        .packages()
        .create(
            "Custom",
            500_000,
            100.0,
            Currency::Usd,
            BillingInterval::Monthly,
        )
        .visibility(PackageVisibility::Restricted)
        .await
        .unwrap();
    twipla
        .package(custom.id)
        .assign_to_customer("c")
        .await
        .unwrap();
    let offers = twipla.packages().list().for_customer("c").await.unwrap();
    assert!(offers.iter().any(|offer| offer.id == custom.id));
    twipla
        .package(custom.id)
        .unassign_from_customer("c")
        .await
        .unwrap();
    let offers = twipla.packages().list().for_customer("c").await.unwrap();
    assert!(!offers.iter().any(|offer| offer.id == custom.id));
}

#[tokio::test]
async fn package_is_found_after_a_lost_response_and_not_created_twice() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let create = || {
        twipla.packages().create(
            "Shop",
            20_000,
            14.99,
            Currency::Eur,
            BillingInterval::Monthly,
        )
    };
    let before = twipla.packages().list().await.unwrap().len();
    stage.lose_response("create_package");
    assert_eq!(create().await.unwrap().name, "Shop");
    assert_eq!(twipla.packages().list().await.unwrap().len(), before + 1);
}
