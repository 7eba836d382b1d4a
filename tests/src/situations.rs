//! Situations in which callers were once told what was not so, played again: what was told then
//! (a fixed text) and what is told now.

use std::fmt::Write as _;
use std::time::Duration;

use twipla::types::{BillingInterval, Currency};
use twipla::{Error, Result};
use twipla_sandbox::{Fault, FaultKind};

use crate::setup::{Stage, price_list, respond};

/// The table, as Markdown.
///
/// # Errors
///
/// If the price list cannot be read, or a preparation fails.
///
/// # Panics
///
/// If a sandbox does not start.
pub async fn table() -> Result<String> {
    let rows = [
        (
            "an upgrade to the package in force is refused with 500",
            "told that it was applied",
            refused_upgrade().await?,
        ),
        (
            "a package of a name that is taken, the request lost",
            "the older package is returned",
            lost_package().await?,
        ),
        (
            "an API key of a name that is taken, the request lost",
            "told to delete the older key",
            lost_key().await?,
        ),
        (
            "a create, 524 from a gateway after the work",
            "certain that it failed",
            create(Fault::new(FaultKind::Gateway(524)).after_commit()).await?,
        ),
        (
            "a create, 500 before the work",
            "certain, and not looked at",
            create(Fault::new(respond(500, &[], r#"{"message":"boom"}"#))).await?,
        ),
        (
            "`errors: [{message}]` with a 400",
            "the reason is not shown",
            create(Fault::new(respond(
                400,
                &[],
                r#"{"errors":[{"message":"no such plan"}]}"#,
            )))
            .await?,
        ),
        (
            "`change_to` with 400 ms, the server hangs at the change",
            "the limit of each call, not of all",
            slow_change().await?,
        ),
    ];
    let mut table = String::from("| situation | then | now |\n|---|---|---|\n");
    for (situation, before, now) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {situation} | {before} | {now} |");
    }
    Ok(table)
}

async fn refused_upgrade() -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let package = price_list(twipla).await?[2].id;
    let subscription = twipla.website("w").subscription();
    subscription.upgrade(package).await?;
    Ok(told(&subscription.upgrade(package).await))
}

async fn lost_package() -> Result<String> {
    let stage = Stage::start().await;
    let create = || {
        let packages = stage.website_model.packages();
        packages.create("Shop", 500, 5.0, Currency::Eur, BillingInterval::Monthly)
    };
    create().await?;
    stage.lose_request("create_package");
    Ok(told(&create().await))
}

async fn lost_key() -> Result<String> {
    let stage = Stage::with_website().await;
    let keys = stage.website_model.website("w").api_keys();
    keys.create("reports").await?;
    stage.lose_request("create_api_key");
    Ok(told(&keys.create("reports").await))
}

/// The create of a website that a fault strikes once.
async fn create(fault: Fault) -> Result<String> {
    let stage = Stage::with_customer().await;
    let fault = fault.operation("create_website").times(1);
    stage.sandbox.inject(fault);
    let websites = stage.website_model.websites();
    Ok(told(&websites.create("c", "v", "example.com").await))
}

async fn slow_change() -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let package = price_list(twipla).await?[2].id;
    let hang = Fault::new(FaultKind::Hang).operation("upgrade_website_subscription");
    stage.sandbox.inject(hang);
    let change = twipla.website("w").subscription().change_to(package);
    Ok(told(&change.timeout(Duration::from_millis(400)).await))
}

fn told<T>(result: &Result<T>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(error) => format!("`{:?}`: {}{error}", error.kind(), certainty(error)),
    }
}

fn certainty(error: &Error) -> &'static str {
    if error.is_ambiguous() {
        "ambiguous, "
    } else {
        "certain, "
    }
}
