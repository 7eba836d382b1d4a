//! The dashboard: the pages behind a dashboard URL, which any page may frame.

mod access;
mod address;
mod charts;
mod locale;
mod message;
mod overview;
mod page;
mod page_error;
mod texts;
mod upgrade;
mod view;

use chrono::{DateTime, Utc};

use crate::input::Query;
use crate::message::HttpRequest;
use crate::reply::Reply;
use crate::state::World;

/// Handles a request for one of the dashboard's paths.
pub(crate) fn handle(
    world: &mut World,
    request: &HttpRequest,
    query: &Query,
    now: DateTime<Utc>,
) -> Reply {
    if let Some(asset) = page::asset(&request.path) {
        return asset;
    }
    let locale = locale::Locale::of(query.get("locale"));
    let shown = if !request.path.starts_with("/upgrade") {
        overview::show(world, query, locale, now)
    } else if request.method == "POST" {
        upgrade::carry_out(world, query, &request.body, locale, now)
    } else {
        upgrade::show(world, query, locale, now)
    };
    match shown {
        Ok(page) => page::reply(200, page),
        Err(error) => page::reply(error.status(), error.show(locale)),
    }
}
