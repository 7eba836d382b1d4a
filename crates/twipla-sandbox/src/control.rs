//! The sandbox's own endpoints; the crate's documentation lists them.

use chrono::Duration;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::reply::{Answer, Refusal, Reply};
use crate::server::{Incoming, Server, State};

/// Start of every path here.
pub(crate) const PREFIX: &str = "/__sandbox/";

pub(crate) fn answer(server: &Server, request: &Incoming) -> Answer {
    let name = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let body = || {
        serde_json::from_slice::<Value>(&request.body)
            .map_err(|error| Refusal::bad(format!("the body is no JSON: {error}")))
    };
    match (request.method.as_str(), name) {
        ("GET", "health") => Reply::json(200, &json!({ "status": "ok" })),
        ("GET", "state") => Reply::json(200, &snapshot(&server.lock())),
        ("GET", "requests") => Reply::json(200, &server.records.all()),
        ("DELETE", "requests") => {
            server.records.clear();
            Ok(Reply::done())
        }
        ("POST", "faults") => {
            let fault: Fault = serde_json::from_value(body()?)
                .map_err(|error| Refusal::bad(format!("this is no fault: {error}")))?;
            server.lock().faults.add(fault);
            Ok(Reply::done())
        }
        ("DELETE", "faults") => {
            server.lock().faults.clear();
            Ok(Reply::done())
        }
        ("POST", "advance") => {
            let seconds = body()?["seconds"].as_i64();
            seconds
                .and_then(Duration::try_seconds)
                .and_then(|by| server.lock().advance(by))
                .ok_or_else(|| Refusal::bad("seconds must be a whole number, and not too many"))?;
            Ok(Reply::done())
        }
        _ => Err(Refusal::new(404, "the sandbox has no such endpoint")),
    }
}

pub(crate) fn snapshot(state: &State) -> Value {
    let mut accounts: Vec<_> = state.accounts.values().collect();
    accounts.sort_by_key(|account| account.id);
    json!({ "partners": accounts.iter().map(|account| account.snapshot()).collect::<Vec<_>>() })
}
