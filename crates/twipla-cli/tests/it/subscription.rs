//! Subscriptions of websites and of accounts.

use crate::support::Stage;

#[tokio::test]
async fn subscription_of_a_website_from_upgrade_to_deactivation() {
    let stage = Stage::start().await;
    let show = async || {
        let run = stage
            .run("subscription show --website site-1 -o json")
            .await
            .ok();
        let website = run.json();
        let text = |name: &str| website[name].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {}",
            text("packageName"),
            text("status"),
            text("plannedDowngradePackageName")
        )
    };
    stage
        .run("subscription upgrade --website site-1 Pro --pro-rate")
        .await
        .ok();
    assert_eq!(show().await, "Pro active -");
    stage
        .run("subscription downgrade --website site-1 basic")
        .await
        .ok();
    assert_eq!(show().await, "Pro active Basic");
    let run = stage
        .run("subscription set --website site-1 Executive")
        .await
        .ok();
    assert!(run.stderr.contains("\nupgraded\n"), "{run:?}");
    let run = stage
        .run("subscription set --website site-1 Executive")
        .await
        .ok();
    assert!(
        run.stderr.contains("nothing to do") && run.stdout.is_empty(),
        "{run:?}"
    );
    stage.run("subscription cancel --website site-1").await.ok();
    assert_eq!(show().await, "Executive canceled Free");
    stage.run("subscription resume --website site-1").await.ok();
    assert_eq!(show().await, "Executive active -");
    let refused = stage.run("subscription deactivate --website site-1").await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    stage
        .run("subscription deactivate --website site-1 --yes")
        .await
        .ok();
    assert_eq!(show().await, "Executive inactive -");
}

#[tokio::test]
async fn subscription_of_an_account_from_upgrade_to_deactivation() {
    let stage = Stage::start_account().await;
    let run = stage
        .run("subscription upgrade --customer cust-1 Pro -o json --fields status,type")
        .await
        .ok();
    assert_eq!(
        run.json(),
        serde_json::json!({"status": "active", "type": "intpc"})
    );
    let run = stage
        .run("subscription show --customer cust-1 --fields package -o csv")
        .await
        .ok();
    assert_eq!(run.stdout, "packageName\nPro\n");
    stage
        .run("subscription cancel --customer cust-1")
        .await
        .ok();
    stage
        .run("subscription resume --customer cust-1")
        .await
        .ok();
    stage
        .run("subscription downgrade --customer cust-1 Basic")
        .await
        .ok();
    stage
        .run("subscription deactivate --customer cust-1 --yes")
        .await
        .ok();
    assert_eq!(stage.run("customers get cust-1").await.code, Some(3));
}
