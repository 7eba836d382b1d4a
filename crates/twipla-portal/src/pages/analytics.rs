//! The analytics of a site: TWIPLA's dashboard in an iframe, and its messages.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use maud::html;
use serde::Deserialize;
use serde_json::Value;
use twipla::IframeMessage;

use super::{layout, own_site, plan};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::App;

/// Permissions of the iframe. It keeps its own origin, which differs from ours, so that its messages
/// carry it. It cannot navigate the page around it.
const SANDBOX: &str = "allow-scripts allow-same-origin allow-forms allow-popups allow-downloads";

pub(crate) async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let site = own_site(&app, &who, &id).await?;
    if !site.is_live() {
        return Err(Problem::Busy);
    }
    // A new URL for each visit: its token admits anybody who has it until it expires.
    let url = app
        .twipla
        .dashboard(&*who.customer.id, &*site.id)
        .locale("en")
        .allow_upgrade(true)
        .await?;
    let main = html! {
        nav aria-label="Breadcrumb" { a href=(site.address()) { (site.domain) } " / Analytics" }
        h1.hidden { "Analytics of " (site.domain) }
        iframe.dashboard src=(url.as_str()) title={ "Analytics of " (site.domain) } sandbox=(SANDBOX)
            referrerpolicy="no-referrer" data-messages={ (site.address()) "/messages" }
            data-csrf=(who.session.csrf) {}
        dialog #upgrade aria-labelledby="upgrade-title" {
            div.title {
                h2 id="upgrade-title" { "Choose a plan" }
                form method="dialog" { button.quiet { "Close" } }
            }
            div data-plans {}
        }
    };
    Ok(layout::page("Analytics", &who, &main))
}

/// A message posted to the page, as the script forwards it.
#[derive(Debug, Deserialize)]
pub(crate) struct Posted {
    /// `event.origin`
    origin: String,
    /// `event.data`
    data: Value,
}

/// Answers a message: the plans to choose from if the dashboard asks for an upgrade of this site, and
/// 204 otherwise. Any window can post messages, so others are not errors.
pub(crate) async fn message(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(posted): Json<Posted>,
) -> Result<Response, Problem> {
    let token = headers.get("x-csrf-token");
    let token = token.and_then(|token| token.to_str().ok());
    who.session.check_csrf(token.unwrap_or_default())?;
    let site = own_site(&app, &who, &id).await?;
    let nothing = StatusCode::NO_CONTENT.into_response();
    if !IframeMessage::is_trusted_origin(&posted.origin, &app.twipla.dashboard_origin()) {
        tracing::warn!(origin = ?posted.origin, "a message of a foreign origin was ignored");
        return Ok(nothing);
    }
    match IframeMessage::from_value(posted.data) {
        // The message is only the user's intent: what is bought, and for which site, is decided by
        // the portal's own forms.
        Ok(IframeMessage::UpgradeButtonClicked {
            intp_website_id: Some(wanted),
            ..
        }) if wanted == *site.id => {
            let packages = plan::offered(&app.twipla).await?;
            Ok(Html(plan::chooser(&site, &packages).into_string()).into_response())
        }
        Ok(other) => {
            tracing::debug!(?other, "a message that the portal has no use for");
            Ok(nothing)
        }
        Err(error) => {
            tracing::debug!("a message that is not the dashboard's: {error}");
            Ok(nothing)
        }
    }
}
