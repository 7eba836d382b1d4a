//! The console: a page at `/__sandbox/` that shows the state of the sandbox, with forms that change
//! it.

mod actions;
mod data;
mod page;
mod requests;
mod text;

use crate::input::Query;
use crate::message::HttpRequest;
use crate::reply::Reply;
use crate::state::World;

/// Handles a request below the prefix of the control endpoints; `None` if the path is not the
/// console's.
pub(crate) fn handle(world: &mut World, request: &HttpRequest, endpoint: &str) -> Option<Reply> {
    match (request.method.as_str(), endpoint) {
        ("GET", "") => Some(page::show(world, &Query::parse(&request.query), None)),
        ("GET", "console.js") => Some(page::script()),
        ("GET", "console.css") => Some(page::style()),
        ("POST", _) => {
            let action = endpoint.strip_prefix("console/")?;
            let form = Query::parse(&String::from_utf8_lossy(&request.body));
            Some(match actions::carry_out(world, action, &form) {
                Ok(()) => page::back(),
                Err(error) => page::show(world, &Query::parse(""), Some(&error)),
            })
        }
        _ => None,
    }
}
