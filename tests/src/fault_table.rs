//! What a caller sees of each fault: the table in `tests/README.md`.

use std::fmt::Write as _;
use std::time::Duration;

use http::Method;
use twipla::{ChangeState, Error, Result, RetryPolicy, Twipla};
use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::setup::{client, respond};

/// Returns the text between the markers of the table.
///
/// # Errors
///
/// If the sandbox does not start.
pub async fn table() -> std::result::Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut table = String::from(
        "| fault, once | a read | a create | a change of subscription |\n|---|---|---|---|\n",
    );
    for (name, fault) in faults() {
        let mut cells = Vec::new();
        for call in [Call::Read, Call::Create, Call::Change] {
            let (sandbox, twipla) = stage().await?;
            sandbox.clear_requests();
            let is_clock = fault == Fault::new(CLOCK);
            sandbox.inject(if is_clock {
                // A wrong clock affects every request.
                fault.clone()
            } else {
                fault.clone().operation(call.operation()).times(1)
            });
            let outcome = call.send(&twipla).await;
            cells.push(describe(&outcome, sandbox.requests().len()));
        }
        writeln!(table, "| {name} | {} |", cells.join(" | "))?;
    }
    table.push_str("\n| input | what happens |\n|---|---|\n");
    for (name, outcome) in inputs().await? {
        writeln!(table, "| {name} | {outcome} |")?;
    }
    Ok(table)
}

const CLOCK: FaultKind = FaultKind::ClockSkew(7200);

/// Returns each fault of the sandbox, and other failures that clients have encountered.
fn faults() -> Vec<(&'static str, Fault)> {
    let soon = [("retry-after", "0")];
    let status =
        |code, headers: &[(&str, &str)], body: &str| Fault::new(respond(code, headers, body));
    let boom = || status(500, &[], "{\"message\":\"boom\"}");
    let gateway = || Fault::new(FaultKind::Gateway(524));
    let late = FaultKind::LateCommit(Duration::from_millis(500));
    vec![
        ("429 with `Retry-After: 0`", status(429, &soon, "")),
        (
            "429 with `Retry-After: 3600`",
            status(429, &[("retry-after", "3600")], ""),
        ),
        ("500", boom()),
        ("500 after the commit", boom().after_commit()),
        (
            "502 with an HTML page",
            status(502, &[], "<html><h1>Bad Gateway</h1></html>"),
        ),
        ("503", status(503, &[], "")),
        ("503 with `Retry-After: 0`", status(503, &soon, "")),
        ("524 from a gateway", gateway()),
        (
            "524 from a gateway, after the commit",
            gateway().after_commit(),
        ),
        (
            "a redirect to another host",
            status(302, &[("location", "https://example.com/")], ""),
        ),
        (
            "connection lost before the commit",
            Fault::new(FaultKind::ResetBeforeCommit),
        ),
        (
            "connection lost after the commit",
            Fault::new(FaultKind::ResetAfterCommit),
        ),
        (
            "connection lost, the commit follows half a second later",
            Fault::new(late),
        ),
        ("the server hangs", Fault::new(FaultKind::Hang)),
        (
            "the response is late",
            Fault::new(FaultKind::Delay(Duration::from_millis(20))),
        ),
        ("the body is cut off", Fault::new(FaultKind::TruncatedBody)),
        ("HTML with a 2xx", Fault::new(FaultKind::HtmlBody)),
        ("an empty body with a 2xx", Fault::new(FaultKind::EmptyBody)),
        (
            "204 for a documented body",
            Fault::new(FaultKind::NoContent),
        ),
        ("broken JSON", Fault::new(FaultKind::InvalidJson)),
        (
            "a required field is missing",
            Fault::new(FaultKind::MissingField("status".to_owned())),
        ),
        ("no `payload`", status(200, &[], "{\"data\":{}}")),
        (
            "an unknown enum value",
            Fault::new(FaultKind::UnknownEnumValue),
        ),
        ("the clock is two hours off", Fault::new(CLOCK)),
        (
            "the token counts as expired",
            Fault::new(FaultKind::ExpiredToken),
        ),
    ]
}

/// One call of each kind.
#[derive(Clone, Copy)]
enum Call {
    Read,
    Create,
    Change,
}

impl Call {
    fn operation(self) -> &'static str {
        match self {
            Self::Read => "get_website",
            Self::Create => "create_website",
            Self::Change => "cancel_website_subscription",
        }
    }

    async fn send(self, twipla: &Twipla) -> Result<()> {
        match self {
            Self::Read => twipla.website("w").get().await.map(drop),
            Self::Create => twipla
                .websites()
                .create("c", "new", "example.com")
                .await
                .map(drop),
            Self::Change => twipla.website("w").subscription().cancel().await.map(drop),
        }
    }
}

async fn stage() -> std::result::Result<(Sandbox, Twipla), Box<dyn std::error::Error + Send + Sync>>
{
    let sandbox = Sandbox::start().await?;
    let twipla = client(&sandbox, &sandbox.website_partner())
        .attempt_timeout(Duration::from_secs(1))
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()?;
    twipla
        .customers()
        .create("c", "c@example.com")
        .website("w", "example.com")
        .await?;
    Ok((sandbox, twipla))
}

fn describe(outcome: &Result<()>, requests: usize) -> String {
    let plural = if requests == 1 { "request" } else { "requests" };
    match outcome {
        Ok(()) => format!("done ({requests} {plural})"),
        Err(error) => format!(
            "`{:?}`{} ({requests} {plural})",
            error.kind(),
            certainty(error)
        ),
    }
}

fn certainty(error: &Error) -> &'static str {
    match (error.change_state(), error.is_ambiguous()) {
        (Some(ChangeState::Applied), _) => ", reported as applied",
        (Some(ChangeState::InForce), _) => ", reported as in force",
        (Some(ChangeState::NotApplied), false) => ", reported as not applied",
        (Some(ChangeState::NotApplied), true) => ", reported as not applied yet",
        (_, true) => ", reported as ambiguous",
        _ => "",
    }
}

/// Ids that redirected the requests of other clients.
async fn inputs()
-> std::result::Result<Vec<(String, String)>, Box<dyn std::error::Error + Send + Sync>> {
    let mut rows = Vec::new();
    for id in ["../customers/x", "a?b", "a#b", "a\\b", "%2e%2e", "", ".."] {
        let (sandbox, twipla) = stage().await?;
        sandbox.clear_requests();
        let outcome = twipla.website(id).delete().await;
        let sent = sandbox.requests();
        let seen = match (sent.first(), &outcome) {
            (Some(request), Err(error)) if error.is_not_found() => {
                format!(
                    "`{} {}`: not found, as it should be",
                    Method::DELETE,
                    request.path
                )
            }
            (None, Err(error)) => format!("`{:?}`, nothing is sent", error.kind()),
            (_, other) => format!("unexpected: {other:?}"),
        };
        rows.push((format!("delete the website `{id}`"), seen));
    }
    Ok(rows)
}
