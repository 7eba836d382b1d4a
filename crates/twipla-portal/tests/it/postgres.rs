//! The same on Postgres: of the server that `TWIPLA_PORTAL_POSTGRES` names, in a database for each test.
//! `.ci/portal-postgres` starts one and runs these.

use sqlx::{AnyPool, AssertSqlSafe, Executor as _};
use twipla_portal::Portal;
use uuid::Uuid;

use crate::stage::{Stage, settings};
use crate::{crash, story};

const VARIABLE: &str = "TWIPLA_PORTAL_POSTGRES";

/// A stage on a database of its own; `None`, and a word about it, where there is no server.
async fn stage() -> Option<Stage> {
    let Ok(server) = std::env::var(VARIABLE) else {
        eprintln!("skipped: {VARIABLE} names no server, such as postgres://postgres@localhost");
        return None;
    };
    sqlx::any::install_default_drivers();
    let name = format!("portal_{}", Uuid::new_v4().simple());
    let admin = AnyPool::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    admin.execute(create).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    Some(
        Stage::on(format!("{server}/{name}"), folder, settings(), |client| {
            client
        })
        .await,
    )
}

#[tokio::test]
async fn customer_goes_all_the_way_on_postgres() {
    if let Some(stage) = stage().await {
        story::whole(&stage).await;
    }
}

#[tokio::test]
async fn crash_before_sending_loses_nothing_on_postgres() {
    if let Some(mut stage) = stage().await {
        crash::before_sending(&mut stage).await;
    }
}

#[tokio::test]
async fn two_portals_share_one_outbox_on_postgres() {
    let Some(stage) = stage().await else {
        return;
    };
    let second = Portal::start(stage.twipla.clone(), stage.store().await, settings());
    let second = second.await.unwrap();
    let ada = stage.browser("ada").await;
    let mut pages = Vec::new();
    for n in 0..30 {
        let domain = format!("{n}.example.com");
        pages.push(
            ada.submit("/sites", "/sites", &[("domain", &domain)])
                .await
                .path,
        );
    }
    stage.settle().await;
    for page in &pages {
        ada.buy(page, &stage.package("Pro")).await;
    }
    stage.settle().await;
    assert_eq!(stage.commits("create_customer"), 1);
    assert_eq!(stage.commits("create_website"), 30);
    assert_eq!(stage.commits("upgrade_website_subscription"), 30);
    // Neither of them took what the other had.
    assert_eq!(stage.count("SELECT MAX(attempts) FROM outbox").await, 1);
    second.stop().await;
}
