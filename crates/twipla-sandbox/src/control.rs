//! The control endpoints of the sandbox; the documentation of the crate lists them.

use chrono::{Duration, Utc};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::message::{Delivery, HttpRequest};
use crate::reply::{ApiError, ApiResult, Reply};
use crate::state::World;

/// Prefix of every control path.
pub(crate) const PREFIX: &str = "/__sandbox/";

pub(crate) fn answer(world: &mut World, request: &HttpRequest) -> Delivery {
    let reply = run(world, request).unwrap_or_else(ApiError::into_reply);
    // The machine's clock: these endpoints are not part of the server that is simulated.
    Delivery::Response(reply.into_response(Utc::now()))
}

fn run(world: &mut World, request: &HttpRequest) -> ApiResult {
    let endpoint = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let body = || {
        serde_json::from_slice::<Value>(&request.body)
            .map_err(|error| ApiError::bad(format!("the body is not valid JSON: {error}")))
    };
    match (request.method.as_str(), endpoint) {
        ("GET", "health") => Reply::json(200, &json!({ "status": "ok" })),
        ("GET", "state") => Reply::json(200, &world.snapshot()),
        ("GET", "requests") => Reply::json(200, &world.requests.all()),
        ("DELETE", "requests") => {
            world.requests.clear();
            Ok(Reply::done())
        }
        ("GET", "faults") => Reply::json(200, &world.faults.report()),
        ("POST", "faults") => {
            let fault: Fault = serde_json::from_value(body()?)
                .map_err(|error| ApiError::bad(format!("invalid fault: {error}")))?;
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
        ("POST", "advance") => {
            let seconds = body()?["seconds"].as_i64();
            seconds
                .and_then(Duration::try_seconds)
                .and_then(|by| world.advance(by))
                .ok_or_else(|| {
                    ApiError::bad(
                        "invalid seconds: expected a whole number that stays within the calendar",
                    )
                })?;
            Ok(Reply::done())
        }
        _ => Err(ApiError::new(404, "the control endpoint is unknown")),
    }
}
