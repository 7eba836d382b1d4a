//! One site: its plan, its tracking code, its team.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Html;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{layout, own_site, team};
use crate::format;
use crate::outbox::{self, Change, Pending};
use crate::problem::Problem;
use crate::session::{Session, SignedIn};
use crate::state::App;
use crate::store::{Order, Site};

pub(crate) async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    // Read before the site: if no change is open, the site already shows the result.
    let pending = outbox::pending(&app.store, &id).await?;
    let site = own_site(&app, &who, &id).await?;
    let order = app.store.last_order_of(&id).await?;
    let refusal = outbox::last_refusal(&app.store, &id).await?;
    let team = app.store.contributors_of(&id).await?;
    let is_live = site.is_live();
    let main = html! {
        nav aria-label="Breadcrumb" { a href="/sites" { "Your sites" } " / " (site.domain) }
        div.title {
            h1 { (site.domain) }
            (badge(&site))
            @if is_live {
                a.button href={ (site.address()) "/analytics" } { "Open analytics" }
            }
        }
        // The script polls this address until no change is open, and then reloads the page.
        div role="status" data-pending=[pending.as_ref().map(|_| site.address() + "/pending")] {
            @if let Some(pending) = &pending {
                (notice(pending))
            } @else if let Some(refused) = &refusal {
                p.notice.bad {
                    strong { "The last change was not possible. " }
                    @if let Change::MoveTo { .. } = refused { "What you paid for it is on its way back. " }
                    "We have been told why it failed."
                }
            }
        }
        div.columns {
            (plan_card(&site, order.as_ref(), pending.is_some(), &who.session))
            @if is_live { (team::card(&site, &team, &who.session)) }
        }
        @if let Some(snippet) = site.snippet.as_deref().filter(|_| is_live) {
            (snippet_card(snippet))
        }
    };
    Ok(layout::page(&site.domain, &who, &main))
}

/// Reports to the script whether a change of the site is open.
pub(crate) async fn pending(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    own_site(&app, &who, &id).await?;
    let pending = outbox::pending(&app.store, &id).await?;
    Ok(Json(json!({ "pending": pending.is_some() })))
}

/// Whether there is something to cancel.
fn is_paid(site: &Site) -> bool {
    !site.in_trial && site.package_name.as_deref() != Some("Free")
}

/// Returns the status as shown.
pub(crate) fn badge(site: &Site) -> Markup {
    let (class, text) = match site.status.as_str() {
        "new" => ("badge wait", "Being set up"),
        "refused" => ("badge bad", "Could not be set up"),
        "active" if site.in_trial => ("badge good", "Trial"),
        "active" => ("badge good", "Active"),
        "canceled" => ("badge wait", "Canceled"),
        "inactive" => ("badge bad", "Inactive"),
        _ => ("badge", "Unknown"),
    };
    html! { span class=(class) { (text) } }
}

/// Returns the name of a plan as shown.
pub(crate) fn plan_name(package: &str) -> &str {
    match package {
        "unlimited_30_day_free_trial" => "Free trial",
        name => name,
    }
}

fn notice(pending: &Pending) -> Markup {
    let what = match &pending.change {
        Change::AddSite { .. } => "Your site is being set up.",
        Change::MoveTo { .. } => {
            "Thank you, your order is paid. The new plan is being switched on."
        }
        Change::Cancel { .. } => "Your cancellation is being carried out.",
        Change::Resume { .. } => "Your subscription is being resumed.",
        Change::Invite { .. } => "Your invitation is on its way.",
    };
    html! {
        p.notice.wait {
            strong { (what) } " "
            @if pending.is_uncertain {
                "We did not hear back, and are checking whether it went through. You need not do it again, and are not charged twice."
            } @else {
                "This takes a few seconds."
            }
        }
    }
}

fn plan_card(site: &Site, order: Option<&Order>, is_busy: bool, session: &Session) -> Markup {
    let plan = site.package_name.as_deref().map_or("–", plan_name);
    let until = site.expires_at.map(format::day);
    html! {
        section.card aria-labelledby="plan" {
            h2 id="plan" { "Plan" }
            p.figure { (plan) }
            @if let Some(until) = until.filter(|_| site.is_live()) {
                p {
                    @if site.status == "canceled" {
                        "Ends on " (until) ", and the free plan follows. You can resume until then."
                    } @else if site.planned_package_id.is_some() {
                        "A smaller plan follows on " (until) "."
                    } @else if site.in_trial {
                        "Your trial lasts until " (until) "."
                    } @else if is_paid(site) {
                        "Renews on " (until) "."
                    }
                }
            }
            @if let Some(order) = order {
                p.muted {
                    "Last order: " (order.package_name) " for " (format::money(order.amount, &order.currency)) ", "
                    @match order.state.as_str() {
                        "fulfilled" => "paid and switched on",
                        "returned" => "money returned",
                        _ => "paid",
                    }
                    "."
                }
            }
            @if site.is_live() && !is_busy {
                div.buttons {
                    @if site.status == "canceled" {
                        (button(site, "resume", "Resume subscription", session))
                    } @else {
                        a.button href={ (site.address()) "/plans" } { "Change plan" }
                        @if is_paid(site) {
                            (button(site, "cancel", "Cancel subscription", session))
                        }
                    }
                }
            }
        }
    }
}

fn button(site: &Site, action: &str, text: &str, session: &Session) -> Markup {
    html! {
        form method="post" action={ (site.address()) "/" (action) } {
            (layout::csrf(session))
            button.quiet { (text) }
        }
    }
}

fn snippet_card(snippet: &str) -> Markup {
    html! {
        section.card aria-labelledby="snippet" {
            h2 id="snippet" { "Tracking code" }
            p { "Put this into the " code { "<head>" } " of every page that you want to count." }
            pre tabindex="0" aria-label="Tracking code" { code id="tracking-code" { (snippet) } }
            div.buttons {
                button type="button" data-copy="tracking-code" { "Copy" }
                span role="status" data-copied {}
            }
        }
    }
}
