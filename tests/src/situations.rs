//! Replays situations that were once reported incorrectly: the result then (a fixed text) and now.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use twipla::types::{BillingInterval, Currency};
use twipla::{Error, Result, RetryPolicy};
use twipla_sandbox::{Fault, FaultKind};

use crate::setup::{Stage, client, price_list, respond};

/// Returns the table as Markdown. Situations that need another kind of server (silent HTTP/2 connections, idle connections,
/// proxies, clocks that are set) are in the tests of connections and tokens.
///
/// # Errors
///
/// If the price list cannot be read, or a preparation fails.
///
/// # Panics
///
/// If a sandbox does not start.
#[allow(clippy::too_many_lines, reason = "a table")]
pub async fn table() -> Result<String> {
    let rows = [
        (
            "an upgrade to the current package is rejected with 500",
            "reported as applied",
            refused_upgrade().await?,
        ),
        (
            "a package of a name that is in use, the request lost",
            "the older package is returned",
            lost_package().await?,
        ),
        (
            "an API key of a name that is in use, the request lost",
            "the error says to delete the older key",
            lost_key().await?,
        ),
        (
            "a create, 524 from a gateway after the commit",
            "certain that it failed",
            create(Fault::new(FaultKind::Gateway(524)).after_commit()).await?,
        ),
        (
            "a create, 500 before the commit",
            "certain, and not read back",
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
        (
            "an upgrade, 499 from a gateway after the commit",
            "certain that it failed",
            upgrade(Fault::new(respond(499, &[], "")).after_commit()).await?,
        ),
        (
            "an upgrade, a body that is cut off",
            "certain that it failed",
            upgrade(Fault::new(FaultKind::TruncatedBody)).await?,
        ),
        (
            "a deactivated website, created again with the same properties",
            "mistaken for the requested one",
            deactivated().await?,
        ),
        (
            "a read, 530 from a gateway",
            "failed immediately",
            read(FaultKind::Gateway(530)).await?,
        ),
        (
            "a read, with another website in the response",
            "returned unchanged",
            foreign_website().await?,
        ),
        (
            "a read, a byte order mark before the JSON",
            "cannot be decoded",
            marked().await?,
        ),
        (
            "`message: {...}` with a 400",
            "the reason is not shown",
            read(respond(400, &[], r#"{"message":{"text":"no such thing"}}"#)).await?,
        ),
        (
            "a failure whose reason has control and bidirectional characters and a key",
            "shown unescaped",
            read(respond(
                400,
                &[],
                "{\"message\":\"a\\u001b[31m\\u202eb apiKey=twpl-1234\"}",
            ))
            .await?,
        ),
        (
            "429 with `Retry-After` to each of 40 reads",
            "the retry budget is used up, reads fail",
            throttled().await?,
        ),
        (
            "`Retry-After: 0.2` with a 503",
            "retried immediately",
            fraction().await?,
        ),
        (
            "a list whose page has the number of another",
            "accepted",
            list(&json!({ "page": 7, "pageSize": 20, "pageTotal": 1, "total": 1 })).await?,
        ),
        (
            "a list with fewer entries than its `total`",
            "silently cut",
            list(&json!({ "page": 0, "pageSize": 20, "pageTotal": 1, "total": 3 })).await?,
        ),
        (
            "a list whose counts are text",
            "cannot be decoded",
            list(&json!({ "page": "0", "pageSize": "20", "pageTotal": "1", "total": "1" })).await?,
        ),
        (
            "no server, shown by `unwrap()`",
            "the cause is not shown",
            no_server().await?,
        ),
        (
            "one response with a `Date` two hours off, then a correct one",
            "every later token is rejected",
            wrong_date().await?,
        ),
        (
            "two calls with `max_in_flight(1)`, the server hangs",
            "the second says that the server is slow",
            queue().await?,
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

/// Creates a website, with a fault for one request.
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

/// Makes an upgrade, with a fault for one request.
async fn upgrade(fault: Fault) -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let package = price_list(twipla).await?[2].id;
    let fault = fault.operation("upgrade_website_subscription").times(1);
    stage.sandbox.inject(fault);
    Ok(told(
        &twipla.website("w").subscription().upgrade(package).await,
    ))
}

async fn deactivated() -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    twipla.website("w").subscription().deactivate().await?;
    Ok(told(
        &twipla.websites().create("c", "w", "example.com").await,
    ))
}

/// Reads a website, with a fault for one request.
async fn read(kind: FaultKind) -> Result<String> {
    let stage = Stage::with_website().await;
    stage.fault_once("get_website", kind);
    Ok(told(&stage.website_model.website("w").get().await))
}

async fn foreign_website() -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let mut other = twipla.website("w").get().raw().await?;
    other["intpWebsiteId"] = json!("somebody-elses");
    let body = json!({ "payload": other }).to_string();
    stage.fault_once("get_website", respond(200, &[], &body));
    Ok(told(&twipla.website("w").get().await))
}

async fn marked() -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let site = twipla.website("w").get().raw().await?;
    let body = format!("\u{feff}{}", json!({ "payload": site }));
    stage.fault_once("get_website", respond(200, &[], &body));
    Ok(told(&twipla.website("w").get().await))
}

async fn throttled() -> Result<String> {
    let stage = Stage::with_website().await;
    let mut failed = 0;
    for _ in 0..40 {
        stage.fault_once("get_website", respond(429, &[("retry-after", "0")], ""));
        failed += usize::from(stage.website_model.website("w").get().await.is_err());
    }
    Ok(format!("{failed} of 40 failed"))
}

async fn fraction() -> Result<String> {
    let stage = Stage::with_website().await;
    stage.fault_once("get_website", respond(503, &[("retry-after", "0.2")], ""));
    let start = Instant::now();
    stage.website_model.website("w").get().await?;
    let waited = start.elapsed() >= Duration::from_millis(200);
    let asked = if waited { "as long as" } else { "less than" };
    Ok(format!("done, {asked} requested later"))
}

/// Reads a list of the one website, with these counts.
async fn list(meta: &Value) -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let site = twipla.website("w").get().raw().await?;
    let body = json!({ "payload": [site], "meta": meta }).to_string();
    let fault = Fault::new(respond(200, &[], &body)).operation("list_websites");
    stage.sandbox.inject(fault);
    let read: Result<Vec<_>> = twipla.websites().list().stream().try_collect().await;
    Ok(told(&read))
}

async fn no_server() -> Result<String> {
    let stage = Stage::start().await;
    let nowhere = client(&stage.sandbox, &stage.sandbox.website_partner())
        .base_url("http://127.0.0.1:1")
        .retry(RetryPolicy::none())
        .build()?;
    let error = nowhere.packages().list().await.err();
    let shown = format!("{error:?}");
    let names_it = shown.to_lowercase().contains("refused");
    let cause = if names_it { "shown" } else { "not shown" };
    Ok(format!("the cause is {cause}"))
}

async fn wrong_date() -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_hours(2));
    stage.fault_once("get_website", respond(401, &[("date", &date)], ""));
    let first = twipla.website("w").get().await;
    let mut failed = 0;
    for _ in 0..10 {
        failed += usize::from(twipla.website("w").get().await.is_err());
    }
    Ok(format!(
        "the first {}, {failed} of 10 later ones failed",
        told(&first)
    ))
}

async fn queue() -> Result<String> {
    let stage = Stage::with_website().await;
    let twipla = client(&stage.sandbox, &stage.sandbox.website_partner())
        .max_in_flight(1)
        .build()?;
    // With a cached token, the first call is the first in flight.
    twipla.website("w").get().await?;
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("get_website"));
    let get = |limit| {
        let call = twipla.website("w").get();
        call.timeout(Duration::from_millis(limit)).into_future()
    };
    let (_, second) = tokio::join!(get(600), get(300));
    Ok(told(&second))
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
