//! The document: clock, faults, requests and partners, with security headers.

use chrono::SubsecRound as _;
use maud::{DOCTYPE, Markup, html};
use twipla_api::operations;

use super::actions::KINDS;
use super::data::{self, View};
use super::requests;
use super::text;
use crate::fault::FaultKind;
use crate::faults::FaultStatus;
use crate::input::Query;
use crate::reply::{ApiError, Body, Reply};
use crate::state::World;

/// Only our own script and style are allowed, and no parent page, to prevent clickjacking.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

/// Redirects to the page, so that a reload does not repeat the action.
const BACK: &[(&str, &str)] = &[("location", "/__sandbox/"), ("cache-control", "no-store")];

pub(super) fn script() -> Reply {
    file(
        200,
        "text/javascript; charset=utf-8",
        include_str!("console.js").to_owned(),
    )
}

pub(super) fn style() -> Reply {
    file(
        200,
        "text/css; charset=utf-8",
        include_str!("console.css").to_owned(),
    )
}

/// Responds to a successful action.
pub(super) fn back() -> Reply {
    Reply {
        status: 303,
        body: Body::File {
            content_type: "text/plain",
            headers: BACK,
            text: String::new(),
        },
    }
}

/// Renders the page, with the error of a rejected action.
pub(super) fn show(world: &World, query: &Query, error: Option<&ApiError>) -> Reply {
    let view = View::of(query);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Sandbox console" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/__sandbox/console.css";
                script src="/__sandbox/console.js" defer {}
            }
            body {
                header {
                    h1 { "Sandbox console" }
                    nav aria-label="Parts of this page" {
                        a href="#clock" { "Clock" }
                        a href="#faults" { "Faults" }
                        a href="#requests" { "Requests" }
                        a href="#data" { "Partners" }
                    }
                    p #live role="status" { "Reload to see changes" }
                }
                main {
                    div #message role="alert" { @if let Some(error) = error { p { (error.message()) } } }
                    div.pair {
                        (clock(world))
                        (state(world))
                    }
                    (faults(world))
                    (requests::show(world))
                    (data::show(world, &view))
                }
            }
        }
    };
    let status = error.map_or(200, |error| error.status);
    file(status, "text/html; charset=utf-8", page.into_string())
}

fn clock(world: &World) -> Markup {
    let now = world.clock.now();
    let time = |time: chrono::DateTime<chrono::Utc>| {
        let time = time.trunc_subsecs(0);
        html! { time datetime=(time.to_rfc3339()) { (time.format("%Y-%m-%d %H:%M:%S")) " UTC" } }
    };
    let form = html! {
        div.field { label for="days" { "Days" } input #days name="days" type="number" min="0" value="1" required; }
        div.field { label for="hours" { "Hours" } input #hours name="hours" type="number" min="0" value="0"; }
        button { "Advance the clock" }
    };
    html! {
        section #clock.card aria-labelledby="clock-heading" {
            h2 #clock-heading { "Clock" }
            dl #clock-times data-live {
                dt { "For tokens" } dd { (time(now)) }
                dt { "For subscriptions" } dd { (time(world.clock.billing_time(now))) }
                dt { "Advanced by" } dd { (world.clock.advanced().num_hours() / 24) " days " (world.clock.advanced().num_hours() % 24) " hours" }
            }
            (action(world, "advance", &form))
        }
    }
}

fn state(world: &World) -> Markup {
    html! {
        section.card aria-labelledby="state-heading" {
            h2 #state-heading { "State" }
            p { a.button href="/__sandbox/state" download="sandbox-state.json" { "Download the state" } }
            p.quiet { "Customers, websites, subscriptions and packages of all partners, without secrets." }
            details #reset {
                summary { "Reset the sandbox …" }
                p { "Deletes every customer, website, request and fault, and sets the clock back." }
                (action(world, "reset", &html! { button.danger { "Reset and delete everything" } }))
            }
        }
    }
}

fn faults(world: &World) -> Markup {
    let report = world.faults.report();
    let numbers = world.faults.numbers();
    html! {
        section #faults.card aria-labelledby="faults-heading" {
            h2 #faults-heading { "Faults" }
            div #active-faults data-live {
                @if report.faults.is_empty() {
                    p.quiet { "No active faults." }
                } @else {
                    div.scrolls tabindex="0" role="region" aria-labelledby="faults-heading" {
                        table {
                            thead { tr {
                                th scope="col" { "Fault" }
                                th scope="col" { "Operation" }
                                th.number scope="col" { "Struck" }
                                th.number scope="col" { "Left" }
                                th scope="col" { span.hidden { "Action" } }
                            } }
                            tbody {
                                @for (fault, number) in report.faults.iter().zip(numbers) {
                                    (fault_row(world, fault, number))
                                }
                            }
                        }
                    }
                    @if report.pending_commits > 0 {
                        p { (report.pending_commits) " late commits are pending" }
                    }
                    (action(world, "clear-faults", &html! { button { "Clear all faults" } }))
                }
            }
            (inject_form(world))
        }
    }
}

fn fault_row(world: &World, status: &FaultStatus, number: u64) -> Markup {
    let fault = &status.fault;
    let clear = html! {
        input type="hidden" name="number" value=(number);
        button { "Clear" span.hidden { " " (text::line(&kind(&fault.kind))) } }
    };
    html! {
        tr {
            th scope="row" {
                code { (text::line(&kind(&fault.kind))) }
                @if let Some(probability) = fault.probability { ", at " (probability * 100.0) " %" }
            }
            td { (fault.operation.as_deref().unwrap_or("all")) }
            td.number { (status.struck) }
            td.number { @match status.remaining { Some(left) => (left), None => "∞" } }
            td { (action(world, "clear-fault", &clear)) }
        }
    }
}

/// Returns a kind and its value as the control endpoint accepts them.
fn kind(kind: &FaultKind) -> String {
    serde_json::to_value(kind)
        .map(|kind| match kind {
            serde_json::Value::String(name) => name,
            other => other.to_string(),
        })
        .unwrap_or_default()
}

fn inject_form(world: &World) -> Markup {
    let fields = html! {
        div.field {
            label for="kind" { "What goes wrong" }
            select #kind name="kind" {
                @for (name, what, _) in KINDS { option value=(name) { (name) ": " (what) } }
            }
        }
        div.field {
            label for="value" { "Value" }
            input #value name="value" aria-describedby="value-hint";
        }
        div.field {
            label for="operation" { "Operation" }
            select #operation name="operation" {
                option value="" { "all" }
                @for operation in operations::ALL { option value=(operation.id) { (operation.id) } }
            }
        }
        div.field { label for="times" { "Times" } input #times name="times" type="number" min="1" placeholder="always"; }
        div.field {
            label for="probability" { "Probability" }
            input #probability name="probability" type="number" min="0" max="1" step="any" placeholder="1";
        }
        div.field {
            label for="moment" { "Moment" }
            select #moment name="moment" {
                option value="" { "default" }
                option value="beforeCommit" { "before the commit" }
                option value="afterCommit" { "after the commit" }
                option value="either" { "either, at random" }
            }
        }
        button { "Inject the fault" }
    };
    html! {
        details #inject {
            summary { "Inject a fault" }
            (action(world, "inject", &fields))
            p #value-hint.quiet {
                "The value is "
                @for (index, (name, _, value)) in KINDS.iter().filter(|(_, _, value)| !value.is_empty()).enumerate() {
                    @if index > 0 { "; " }
                    "for " code { (name) } ", " (value)
                }
                ". The other kinds have no value."
            }
        }
    }
}

/// Renders a form with the token that every change needs.
fn action(world: &World, name: &str, fields: &Markup) -> Markup {
    html! {
        form.action method="post" action={ "/__sandbox/console/" (name) } {
            input type="hidden" name="token" value=(world.console_token);
            (fields)
        }
    }
}

fn file(status: u16, content_type: &'static str, text: String) -> Reply {
    Reply {
        status,
        body: Body::File {
            content_type,
            headers: HEADERS,
            text,
        },
    }
}
