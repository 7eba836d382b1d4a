//! Customers, under both subscription models.

use std::future::IntoFuture as _;

use futures_util::TryStreamExt as _;
use twipla::types::{SubscriptionStatus, SubscriptionType};
use twipla_tests::{Stage, price_list, respond};

#[tokio::test]
async fn customer_is_created_read_and_deleted() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;

    let made = twipla
        .customers()
        .create("c", "c@example.com")
        .await
        .unwrap();
    assert_eq!(
        (made.intp_customer_id.as_str(), made.email.as_str()),
        ("c", "c@example.com")
    );
    assert!(made.website.is_none());
    assert_eq!(twipla.customer("c").get().await.unwrap().id, made.id);

    let gone = twipla.customer("c").delete().await.unwrap();
    assert_eq!(gone.map(|gone| gone.id), Some(made.id));
    let error = twipla.customer("c").get().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.operation(), Some("get_customer"));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
}

#[tokio::test]
async fn customer_is_created_with_a_website_on_a_package() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let basic = price_list(twipla).await.unwrap().remove(0);

    let made = twipla
        .customers()
        .create("c", "c@example.com")
        .website("w", "example.com")
        .website_package(basic.id)
        .await
        .unwrap();
    let site = made.website.expect("the reply shows the website");
    assert_eq!(site.package_id, basic.id);
    assert_eq!(site.status, SubscriptionStatus::Active);
    assert_eq!(site.domain, "example.com");
    assert_eq!(twipla.website("w").get().await.unwrap().id, site.id);
}

#[tokio::test]
async fn first_website_starts_on_the_unlimited_trial_by_default() {
    let stage = Stage::start().await;
    let made = stage
        .website_model
        .customers()
        .create("c", "c@example.com")
        .website("w", "example.com")
        .await
        .unwrap();
    let site = made.website.unwrap();
    assert!(site.in_trial);
    assert_eq!(site.package_name, "unlimited_30_day_free_trial");
}

#[tokio::test]
async fn account_model_assigns_the_package_to_the_customer() {
    let stage = Stage::start().await;
    let twipla = &stage.account_model;
    let basic = price_list(twipla).await.unwrap().remove(0);

    let made = twipla
        .customers()
        .create("c", "c@example.com")
        .package(basic.id)
        .website("w", "example.com")
        .await
        .unwrap();
    assert_eq!(made.intp_customer_id, "c");
    let site = twipla.website("w").get().await.unwrap();
    assert_eq!(site.subscription_type, Some(SubscriptionType::Intpc));
    assert_eq!(
        site.consumption.unwrap().stp_limit.get(),
        -1,
        "the website draws on the pool of its account"
    );
}

#[tokio::test]
async fn package_under_the_other_model_is_rejected() {
    let stage = Stage::start().await;
    let basic = price_list(&stage.website_model).await.unwrap().remove(0);
    let error = stage
        .website_model
        .customers()
        .create("c", "c@example.com")
        .package(basic.id)
        .await
        .unwrap_err();
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(400),
        "{error}"
    );
    assert!(!error.is_conflict(), "nothing is in use: {error}");

    let basic = price_list(&stage.account_model).await.unwrap().remove(0);
    let error = stage
        .account_model
        .customers()
        .create("c", "c@example.com")
        .website("w", "example.com")
        .website_package(basic.id)
        .await
        .unwrap_err();
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(400),
        "{error}"
    );
}

#[tokio::test]
async fn customer_id_in_use_is_a_conflict_although_the_server_says_400() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let error = twipla
        .customers()
        .create("c", "other@example.com")
        .await
        .unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    let error = twipla
        .customers()
        .create("d", "c@example.com")
        .await
        .unwrap_err();
    assert!(
        !error.is_conflict(),
        "the id is free, the address is not: {error}"
    );
    twipla
        .websites()
        .create("c", "w", "example.com")
        .await
        .unwrap();
    let create = twipla.customers().create("e", "e@example.com");
    let error = create.website("w", "example.com").await.unwrap_err();
    assert!(
        error.is_conflict(),
        "the website is somebody else's: {error}"
    );
}

#[tokio::test]
async fn one_of_several_identical_creates_succeeds() {
    let stage = Stage::start().await;
    let creates: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn(
                stage
                    .website_model
                    .customers()
                    .create("c", "c@example.com")
                    .into_future(),
            )
        })
        .collect();
    let mut made = 0;
    for create in creates {
        match create.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(error.is_conflict(), "{error}"),
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    for n in 0..7 {
        let create = twipla
            .customers()
            .create(format!("c{n}"), format!("c{n}@example.com"));
        create
            .website(format!("w{n}"), "example.com")
            .await
            .unwrap();
    }
    twipla
        .websites()
        .create("c3", "extra", "example.com")
        .await
        .unwrap();

    let page = twipla
        .customers()
        .list()
        .page(1)
        .page_size(3)
        .await
        .unwrap();
    let meta = page.meta.expect("customers come with paging data");
    assert_eq!(
        (
            page.items.len(),
            meta.page,
            meta.page_size,
            meta.pages,
            meta.total
        ),
        (3, Some(1), Some(3), Some(3), Some(7))
    );

    stage.sandbox.clear_requests();
    let all: Vec<_> = twipla
        .customers()
        .list()
        .page_size(3)
        .stream()
        .try_collect()
        .await
        .unwrap();
    let mut ids: Vec<_> = all
        .into_iter()
        .map(|customer| customer.intp_customer_id)
        .collect();
    ids.sort();
    assert_eq!(ids, ["c0", "c1", "c2", "c3", "c4", "c5", "c6"]);
    assert_eq!(
        stage.sandbox.requests().len(),
        3,
        "one request a page, and none to find the end"
    );

    let sites: Vec<_> = twipla
        .websites()
        .list()
        .page_size(2)
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(sites.len(), 8);
    let of_one: Vec<_> = twipla
        .customer("c3")
        .websites()
        .page_size(1)
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(of_one.len(), 2);
    let pages: Vec<_> = twipla
        .websites()
        .list()
        .for_customer("c0")
        .pages()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(pages.len(), 1);
    assert!(
        twipla
            .customers()
            .list()
            .page(9)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn partners_do_not_see_each_other() {
    let stage = Stage::start().await;
    stage
        .website_model
        .customers()
        .create("c", "c@example.com")
        .website("w", "example.com")
        .await
        .unwrap();
    for error in [
        stage.account_model.customer("c").get().await.unwrap_err(),
        stage
            .account_model
            .customer("c")
            .delete()
            .await
            .unwrap_err(),
        stage.account_model.website("w").get().await.unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error}");
    }
    assert!(
        stage
            .account_model
            .customers()
            .list()
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert!(stage.website_model.customer("c").get().await.is_ok());
}

#[tokio::test]
async fn customer_created_between_two_read_backs_is_found() {
    let stage = Stage::start().await;
    let customers = stage.website_model.customers();
    stage.lose_response("create_customer");
    stage.fault_once("get_customer", respond(404, &[], "{}"));
    let create = customers.create("c", "c@example.com");
    let created = create.website("w", "example.com").await.unwrap();
    assert_eq!(created.intp_customer_id, "c");
    assert_eq!(created.website.unwrap().intp_website_id, "w");
    assert_eq!(stage.requests("create_customer"), 1);
}
