//! The control endpoints of the sandbox; the documentation of the crate lists them.

use std::net::IpAddr;

use chrono::{Duration, Utc};
use hyper::http::uri::Authority;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::fault::Fault;
use crate::message::{Delivery, HttpRequest};
use crate::reply::{ApiError, ApiResult, Reply};
use crate::state::World;

/// Prefix of every control path.
pub(crate) const PREFIX: &str = "/__sandbox/";

/// Answers a control request that came by `scheme`. `allowed_hosts` are host names that a `Host`
/// header may have besides those of this machine.
pub(crate) fn answer(
    world: &mut World,
    request: &HttpRequest,
    scheme: &str,
    allowed_hosts: &[String],
) -> Delivery {
    let reply = check_sender(request, scheme, allowed_hosts)
        .and_then(|()| run(world, request))
        .unwrap_or_else(ApiError::into_reply);
    // The machine's clock: these endpoints are not part of the server that is simulated.
    Delivery::Response(reply.into_response(Utc::now()))
}

fn run(world: &mut World, request: &HttpRequest) -> ApiResult {
    let endpoint = request.path.strip_prefix(PREFIX).unwrap_or_default();
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

/// Refuses requests that a web page of somebody else may have sent through the
/// browser of whoever runs the sandbox. Such a page reaches a local server
/// under a host name of its own (DNS rebinding), or sends an `Origin`.
fn check_sender(
    request: &HttpRequest,
    scheme: &str,
    allowed_hosts: &[String],
) -> Result<(), ApiError> {
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
