//! Every operation of the contract is called through the facade.

use std::collections::BTreeSet;

use chrono::Utc;
use twipla::types::{BillingInterval, ContributorRole, Currency, PackageVisibility};
use twipla::{Metric, Result};
use twipla_tests::{Stage, price_list};

/// Fails when an operation is added to the contract and nothing here calls it.
#[tokio::test]
async fn every_operation_of_the_contract_is_called_through_the_facade() {
    let stage = Stage::start().await;
    website_model(&stage).await.unwrap();
    account_model(&stage).await.unwrap();

    let called: BTreeSet<_> = stage
        .sandbox
        .requests()
        .into_iter()
        .filter(|request| (200..300).contains(&request.status))
        .filter_map(|request| request.operation)
        .collect();
    let all: BTreeSet<_> = twipla_api::operations::ALL
        .iter()
        .map(|operation| operation.id)
        .collect();
    let missing: Vec<_> = all.difference(&called).collect();
    assert!(
        missing.is_empty(),
        "no call of the facade reached: {missing:?}"
    );
    assert!(
        called.is_subset(&all),
        "the sandbox knows operations that the contract does not"
    );
}

async fn website_model(stage: &Stage) -> Result<()> {
    let twipla = &stage.website_model;
    twipla.company_details().await?;
    let prices = price_list(twipla).await?;
    let (customers, websites) = (twipla.customers(), twipla.websites());

    customers.create("c", "c@example.com").await?;
    customers.create("d", "d@example.com").await?;
    customers.list().await?;
    twipla.customer("c").get().await?;

    let site = websites
        .create("c", "w", "example.com")
        .package(prices[1].id)
        .await?;
    websites.create_flat("c", "v", "example.com").await?;
    websites.list().await?;
    websites.get_by_twipla_id(site.id).await?;
    let website = twipla.website("w");
    website.get().await?;

    let subscription = website.subscription();
    subscription.upgrade(prices[2].id).await?;
    subscription.downgrade(prices[0].id).await?;
    subscription.cancel().await?;
    subscription.resume().await?;

    let custom = twipla
        .packages()
        .create(
            "Custom",
            9_000,
            9.0,
            Currency::Eur,
            BillingInterval::Monthly,
        )
        .visibility(PackageVisibility::Restricted)
        .await?;
    let package = twipla.package(custom.id);
    package.get().await?;
    package.rename("Custom 9k").await?;
    package.assign_to_website("w").await?;
    package.unassign_from_website("w").await?;

    website
        .contributors()
        .add("d", ContributorRole::Dashboard)
        .await?;
    website.contributors().list().await?;
    website.contributors().remove("d").await?;

    website
        .whitelisted_domains()
        .add("shop.example.com")
        .await?;
    website.whitelisted_domains().list().await?;
    website
        .whitelisted_domains()
        .remove("shop.example.com")
        .await?;

    let key = website.api_keys().create("data").await?;
    website.api_keys().list().await?;
    twipla.login_with_api_key(site.id, &key.api_key).await?;
    let data = twipla.analytics(site.id, &key.api_key);
    let today = Utc::now().date_naive();
    data.sessions()
        .metrics([Metric::SessionCount])
        .date_range(today..=today)
        .await?;
    data.pages()
        .metrics([Metric::VisitCount])
        .date_range(today..=today)
        .await?;
    data.visits().date_range(today..=today).await?;
    data.bounce_rate().date_range(today..=today).await?;
    data.page_view_duration().date_range(today..=today).await?;
    data.traffic_share().date_range(today..=today).await?;
    data.raw_sessions().await?;
    website.api_keys().delete(key.id).await?;

    subscription.deactivate().await?;
    twipla.website("v").delete().await?;
    twipla.customer("c").delete().await?;
    Ok(())
}

async fn account_model(stage: &Stage) -> Result<()> {
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await?;
    twipla
        .customers()
        .create("c", "c@example.com")
        .package(prices[1].id)
        .await?;
    let subscription = twipla.customer("c").subscription();
    subscription.upgrade(prices[2].id).await?;
    subscription.downgrade(prices[0].id).await?;
    subscription.cancel().await?;
    subscription.resume().await?;
    subscription.deactivate().await?;
    Ok(())
}
