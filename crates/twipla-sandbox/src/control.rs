//! The control endpoints; the README lists them.

use std::net::IpAddr;

use chrono::{Duration, Utc};
use hyper::http::uri::Authority;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::console;
use crate::fault::Fault;
use crate::message::{Delivery, HttpRequest};
use crate::reply::{ApiError, ApiResult, Reply};
use crate::state::World;

/// Prefix of all control paths.
pub(crate) const PREFIX: &str = "/__sandbox/";

/// Where a control request comes from, and which origins are allowed.
pub(crate) struct Origin<'a> {
    /// Whether the request came from this machine.
    pub(crate) is_local: bool,
    pub(crate) scheme: &'static str,
    /// Accepted values of the `Host` header, besides those of this machine.
    pub(crate) allowed_hosts: &'a [String],
    /// Whether browsers on other machines may use the console.
    pub(crate) remote_console: bool,
}

/// Handles a control request.
pub(crate) fn handle(world: &mut World, request: &HttpRequest, origin: &Origin<'_>) -> Delivery {
    let endpoint = request.path.strip_prefix(PREFIX).unwrap_or_default();
    if let Err(error) = check_sender(request, origin) {
        return respond(error.into_reply());
    }
    let is_console = endpoint.is_empty() || endpoint == "events" || endpoint.starts_with("console");
    if is_console && !origin.is_local && !origin.remote_console {
        let error = "only this machine may use the console: start the sandbox with --remote-console to allow others";
        return respond(ApiError::new(403, error).into_reply());
    }
    if (request.method.as_str(), endpoint) == ("GET", "events") {
        return Delivery::Events;
    }
    if let Some(reply) = console::handle(world, request, endpoint) {
        return respond(reply);
    }
    let reply = check_token(world, request)
        .and_then(|()| run(world, request, endpoint))
        .unwrap_or_else(ApiError::into_reply);
    respond(reply)
}

/// Uses the machine's clock, because the control endpoints are not part of the
/// simulated server.
fn respond(reply: Reply) -> Delivery {
    Delivery::Response(reply.into_response(Utc::now()))
}

fn run(world: &mut World, request: &HttpRequest, endpoint: &str) -> ApiResult {
    match (request.method.as_str(), endpoint) {
        ("GET", "health") => Reply::json(200, &json!({ "status": "ok" })),
        ("GET", "state") => Reply::json(200, &world.snapshot()),
        ("GET", "requests") => Reply::json(200, &world.requests.all()),
        ("DELETE", "requests") => {
            world.requests.clear();
            Ok(Reply::done())
        }
        ("GET", "commits") => Reply::json(200, &world.commits.all()),
        ("DELETE", "commits") => {
            world.commits.clear();
            Ok(Reply::done())
        }
        ("GET", "faults") => Reply::json(200, &world.faults.report()),
        ("POST", "faults") => {
            let fault: Fault = body(request)?;
            world
                .faults
                .add(fault)
                .map_err(|error| ApiError::bad(error.to_string()))?;
            Ok(Reply::done())
        }
        ("DELETE", "faults") => {
            world.clear_faults();
            Ok(Reply::done())
        }
        ("POST", "reset") => {
            let Nothing {} = body(request)?;
            world.reset();
            Ok(Reply::done())
        }
        ("POST", "advance") => {
            let Advance { seconds } = body(request)?;
            Duration::try_seconds(seconds)
                .and_then(|by| world.clock.advance(by))
                .ok_or_else(|| {
                    ApiError::bad(format!(
                        "invalid seconds {seconds}: expected a number that is not negative and stays within the calendar"
                    ))
                })?;
            Ok(Reply::done())
        }
        _ => Err(ApiError::new(404, "the control endpoint is unknown")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

fn body<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, ApiError> {
    let content_type = request.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(
            415,
            format!("invalid content-type {content_type:?}: expected application/json"),
        ));
    }
    serde_json::from_slice(&request.body)
        .map_err(|error| ApiError::bad(format!("invalid body: {error}")))
}

/// Rejects requests that a foreign web page may have sent through the user's
/// browser. Such a page reaches a local server under its own host name (DNS
/// rebinding), or the browser sends its origin in `Origin` and
/// `Sec-Fetch-Site`. Any page may contain a link to the console.
fn check_sender(request: &HttpRequest, origin: &Origin<'_>) -> Result<(), ApiError> {
    let Origin {
        scheme,
        allowed_hosts,
        ..
    } = origin;
    let host = request.header("host").unwrap_or_default();
    let is_allowed = host
        .parse::<Authority>()
        .is_ok_and(|authority| is_local(authority.host(), allowed_hosts));
    if !is_allowed {
        return Err(ApiError::new(
            403,
            format!(
                "invalid Host {host:?}: expected localhost, an IP address, or a name given with --allow-host"
            ),
        ));
    }
    let is_link = request.method == "GET" && request.header("sec-fetch-mode") == Some("navigate");
    match request.header("sec-fetch-site") {
        None | Some("same-origin" | "none") => {}
        Some(_) if is_link => {}
        Some(site) => {
            return Err(ApiError::new(
                403,
                format!("invalid Sec-Fetch-Site {site:?}: expected a page of the sandbox itself"),
            ));
        }
    }
    match request.header("origin") {
        Some(origin) if !origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")) => {
            Err(ApiError::new(
                403,
                format!("invalid Origin {origin:?}: expected none, or the sandbox itself"),
            ))
        }
        _ => Ok(()),
    }
}

/// Programs may change anything. Pages in a browser need the token of the
/// console, which pages of other origins cannot read; the sandbox also serves
/// other pages, such as the dashboard.
fn check_token(world: &World, request: &HttpRequest) -> Result<(), ApiError> {
    let is_browser = ["origin", "sec-fetch-site"]
        .iter()
        .any(|name| request.header(name).is_some());
    let is_known = request.header("x-sandbox-token") == Some(&world.console_token);
    if request.method == "GET" || !is_browser || is_known {
        return Ok(());
    }
    Err(ApiError::new(
        403,
        "invalid x-sandbox-token: expected the token of the console, because the request comes from a browser",
    ))
}

fn is_local(host: &str, allowed_hosts: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok()
        || allowed_hosts
            .iter()
            .any(|allowed| host.eq_ignore_ascii_case(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn console_is_local_unless_remote_access_is_enabled() {
        let mut world = World::new(Clock::new(Duration::zero()));
        let mut status = |path: &str, is_local, remote_console| {
            let request = HttpRequest {
                method: "GET".to_owned(),
                path: format!("{PREFIX}{path}"),
                query: String::new(),
                headers: vec![("host".to_owned(), "192.0.2.1".to_owned())],
                body: Vec::new(),
            };
            let origin = Origin {
                is_local,
                scheme: "http",
                allowed_hosts: &[],
                remote_console,
            };
            handle(&mut world, &request, &origin).status()
        };
        for path in ["", "console.js", "events"] {
            assert_eq!(status(path, true, false), 200, "{path} on this machine");
            assert_eq!(status(path, false, false), 403, "{path} from another one");
            assert_eq!(status(path, false, true), 200, "{path} where it is allowed");
        }
        // Programs in containers have another address.
        assert_eq!(status("state", false, false), 200);
    }
}
