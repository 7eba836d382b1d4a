//! Subscriptions, of websites and of customers.

use chrono::Duration;
use twipla::types::{SubscriptionStatus, SubscriptionType};
use twipla::{ChangeState, Error};
use twipla_sandbox::FaultKind;
use twipla_tests::{Stage, package_named, price_list};

fn refused(error: &Error) {
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(500),
        "{error}"
    );
    assert_eq!(error.attempts(), 1, "a 500 is not retried: {error}");
    assert!(!error.is_ambiguous(), "the server answered: {error}");
}

#[tokio::test]
async fn every_change_of_a_website_subscription_works() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();

    let up = subscription
        .upgrade(prices[2].id)
        .pro_rate(true)
        .await
        .unwrap();
    assert_eq!(
        (up.package_id, up.status, up.type_),
        (
            prices[2].id,
            SubscriptionStatus::Active,
            SubscriptionType::Website
        )
    );

    let down = subscription.downgrade(prices[0].id).await.unwrap();
    assert_eq!(
        down.package_id, prices[2].id,
        "the package stays until the period ends"
    );
    assert_eq!(down.planned_downgrade_package_id, Some(prices[0].id));
    let site = twipla.website("w").get().await.unwrap();
    assert_eq!(
        site.planned_downgrade_package_name.as_deref(),
        Some(prices[0].name.as_str())
    );

    let canceled = subscription.cancel().await.unwrap();
    assert_eq!(canceled.status, SubscriptionStatus::Canceled);
    assert_eq!(canceled.expires_at, down.expires_at);
    let free = package_named(twipla, "free").await.unwrap().unwrap();
    assert_eq!(canceled.planned_downgrade_package_id, Some(free));

    let resumed = subscription.resume().await.unwrap();
    assert_eq!(
        (resumed.status, resumed.planned_downgrade_package_id),
        (SubscriptionStatus::Active, None)
    );

    let before = subscription.deactivate().await.unwrap();
    assert_eq!(
        before.status,
        SubscriptionStatus::Active,
        "the reply shows the state before"
    );
    assert_eq!(
        twipla.website("w").get().await.unwrap().status,
        SubscriptionStatus::Inactive
    );
}

#[tokio::test]
async fn planned_change_takes_effect_when_the_period_ends() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    twipla
        .website("w")
        .subscription()
        .downgrade(prices[0].id)
        .await
        .unwrap();
    stage.sandbox.advance(Duration::days(40));
    let site = twipla.website("w").get().await.unwrap();
    assert_eq!(
        (site.package_id, site.planned_downgrade_package_id),
        (prices[0].id, None)
    );

    twipla.website("w").subscription().cancel().await.unwrap();
    stage.sandbox.advance(Duration::days(40));
    assert_eq!(
        twipla
            .website("w")
            .get()
            .await
            .unwrap()
            .package_name
            .to_lowercase(),
        "free"
    );
}

#[tokio::test]
async fn second_trial_is_upgraded_without_a_trial() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    let first = subscription.upgrade(prices[2].id).trial(true);
    assert!(first.await.unwrap().in_trial);
    let second = subscription.upgrade(prices[3].id).trial(true);
    let second = second.await.unwrap();
    assert_eq!(second.package_id, prices[3].id);
    assert!(!second.in_trial, "there is one trial");
    let site = twipla.website("w").get().await.unwrap();
    assert_eq!((site.in_trial, site.had_trial), (false, true));
    assert_eq!(site.package_id, prices[3].id);
}

#[tokio::test]
async fn rejected_website_change_is_a_500_and_not_retried() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    refused(&subscription.upgrade(prices[1].id).await.unwrap_err());
    refused(&subscription.upgrade(prices[0].id).await.unwrap_err());
    refused(&subscription.downgrade(prices[2].id).await.unwrap_err());
    refused(&subscription.resume().await.unwrap_err());
    let site = twipla.website("w").get().await.unwrap();
    assert_eq!(
        (site.package_id, site.planned_downgrade_package_id),
        (prices[1].id, None),
        "nothing changed"
    );

    subscription.cancel().await.unwrap();
    let up = subscription.upgrade(prices[2].id).await.unwrap();
    assert_eq!(
        up.status,
        SubscriptionStatus::Active,
        "a canceled website may go up"
    );
}

#[tokio::test]
async fn every_change_of_a_customer_subscription_works() {
    let stage = Stage::with_website().await;
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.customer("c").subscription();

    let up = subscription.upgrade(prices[2].id).await.unwrap();
    assert_eq!(
        (up.package_id, up.type_, up.website_id),
        (prices[2].id, SubscriptionType::Intpc, None)
    );
    let down = subscription.downgrade(prices[0].id).await.unwrap();
    assert_eq!(down.planned_downgrade_package_id, Some(prices[0].id));
    assert_eq!(
        subscription.cancel().await.unwrap().status,
        SubscriptionStatus::Canceled
    );
    refused(&subscription.upgrade(prices[3].id).await.unwrap_err());
    assert_eq!(
        subscription.resume().await.unwrap().status,
        SubscriptionStatus::Active
    );
    refused(&subscription.resume().await.unwrap_err());

    subscription.deactivate().await.unwrap();
    assert!(twipla.customer("c").get().await.unwrap_err().is_not_found());
    assert!(twipla.website("w").get().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn changes_under_the_other_model_are_rejected() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let error = twipla
        .customer("c")
        .subscription()
        .upgrade(prices[3].id)
        .await
        .unwrap_err();
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(400),
        "{error}"
    );
}

#[tokio::test]
async fn change_is_read_back_after_a_lost_response() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    let sites = || async { twipla.website("w").get().await.unwrap() };
    for (kind, state) in [
        (FaultKind::ResetBeforeCommit, ChangeState::NotApplied),
        (FaultKind::ResetAfterCommit, ChangeState::InForce),
    ] {
        let fault = |operation: &str| stage.fault_once(operation, kind.clone());
        let done = state != ChangeState::NotApplied;
        let told = |error: Error| {
            assert_eq!(error.change_state(), Some(state), "{error}");
            let late = !done;
            assert!(
                error.is_ambiguous() == late && error.attempts() == 1,
                "{error}"
            );
        };
        fault("upgrade_website_subscription");
        told(subscription.upgrade(prices[2].id).await.unwrap_err());
        assert_eq!(sites().await.package_id == prices[2].id, done);
        fault("downgrade_website_subscription");
        told(subscription.downgrade(prices[0].id).await.unwrap_err());
        assert_eq!(sites().await.planned_downgrade_package_id.is_some(), done);
        fault("cancel_website_subscription");
        told(subscription.cancel().await.unwrap_err());
        if !done {
            subscription.cancel().await.unwrap();
        }
        fault("resume_website_subscription");
        told(subscription.resume().await.unwrap_err());
        if !done {
            subscription.resume().await.unwrap();
        }
        fault("deactivate_website_subscription");
        told(subscription.deactivate().await.unwrap_err());
    }
    assert_eq!(sites().await.status, SubscriptionStatus::Inactive);
}

#[tokio::test]
async fn account_change_is_read_back_from_its_websites() {
    let stage = Stage::with_website().await;
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    twipla
        .customers()
        .create("d", "d@example.com")
        .package(prices[1].id)
        .await
        .unwrap();
    stage.lose_response("upgrade_intpc_subscription");
    let error = twipla
        .customer("c")
        .subscription()
        .upgrade(prices[2].id)
        .await
        .unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
    stage.lose_response("upgrade_intpc_subscription");
    let error = twipla
        .customer("d")
        .subscription()
        .upgrade(prices[2].id)
        .await
        .unwrap_err();
    assert!(
        error.change_state().is_none() && error.is_ambiguous(),
        "no website shows it: {error}"
    );
    stage.lose_response("deactivate_intpc_subscription");
    let error = twipla
        .customer("d")
        .subscription()
        .deactivate()
        .await
        .unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
}

#[tokio::test]
async fn deactivate_returns_none_on_204() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.account_model;
    stage.fault_once("deactivate_intpc_subscription", FaultKind::NoContent);
    assert_eq!(
        twipla
            .customer("c")
            .subscription()
            .deactivate()
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn downgrade_of_a_cancellation_is_not_mistaken_for_the_requested_one() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let subscription = twipla.website("w").subscription();
    let free = package_named(twipla, "free").await.unwrap().unwrap();
    subscription.cancel().await.unwrap();
    stage.lose_request("downgrade_website_subscription");
    let error = subscription.downgrade(free).await.unwrap_err();
    assert_eq!(
        error.change_state(),
        Some(ChangeState::NotApplied),
        "{error}"
    );
}

#[tokio::test]
async fn unknown_status_leaves_a_change_ambiguous() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    stage.lose_response("upgrade_website_subscription");
    stage.fault_once("get_website", FaultKind::UnknownEnumValue);
    let upgrade = twipla.website("w").subscription().upgrade(prices[2].id);
    let error = upgrade.await.unwrap_err();
    assert_eq!(error.change_state(), None, "{error}");
    assert!(error.is_ambiguous(), "{error}");
}
