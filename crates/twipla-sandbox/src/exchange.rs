//! Handles one request, including faults.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::corrupt;
use crate::execute::execute;
use crate::fault::FaultKind;
use crate::faults::Strike;
use crate::message::{ConnectionEnd, Delivery, HttpRequest, HttpResponse};
use crate::record::RecordedRequest;
use crate::reply::{ApiError, Body, Reply};
use crate::routes::{Route, allowed_methods};
use crate::state::{SharedWorld, World};

/// Handles a request and records it.
pub(crate) async fn exchange(
    world: &Arc<SharedWorld>,
    request: &HttpRequest,
    connection: ConnectionEnd,
) -> Delivery {
    let started = Instant::now();
    let at = world.lock().clock.now();
    let route = Route::find(&request.method, &request.path);
    let strike = world
        .lock()
        .faults
        .next_fault(route.operation_id(), Instant::now());
    let mut delivery = if let Some(strike) = strike {
        deliver_with_fault(world, request, &route, connection, strike).await
    } else {
        let now = world.lock().clock.now();
        Delivery::Response(work(world, request, &route, now).into_response(now))
    };
    if let Delivery::Response(response) = &mut delivery
        && response.status == 405
    {
        let allow = ("allow".to_owned(), allowed_methods(&request.path));
        response.headers.push(allow);
    }
    let record = RecordedRequest::new(
        request,
        route.operation_id(),
        delivery.status(),
        at,
        started.elapsed(),
    );
    world.lock().requests.add(record);
    world.notify();
    delivery
}

async fn deliver_with_fault(
    world: &Arc<SharedWorld>,
    request: &HttpRequest,
    route: &Route,
    connection: ConnectionEnd,
    strike: Strike,
) -> Delivery {
    let now = world.lock().clock.now();
    let work = |now| work(world, request, route, now);
    let committed = strike.after_commit.then(|| work(now));
    match strike.kind {
        FaultKind::Status {
            code,
            headers,
            body,
        } => Delivery::Response(status(code, headers, body, now)),
        FaultKind::Gateway(code) => {
            let page = format!("<html><body><h1>Error {code}</h1></body></html>");
            Delivery::Response(status(code, Vec::new(), page, now))
        }
        FaultKind::Hang => Delivery::Hang,
        FaultKind::Delay(delay) => {
            tokio::time::sleep(delay).await;
            let reply = committed.unwrap_or_else(|| work(now));
            Delivery::Response(reply.into_response(now))
        }
        FaultKind::ResetBeforeCommit => Delivery::Reset,
        FaultKind::ResetAfterCommit => {
            work(now);
            Delivery::Reset
        }
        FaultKind::LateCommit(after) => {
            work_later(world, request, connection, after, now);
            Delivery::Reset
        }
        FaultKind::CommitAfterHangUp(after) => {
            work_later(world, request, connection, after, now);
            Delivery::Hang
        }
        FaultKind::ExpiredToken => {
            if let Some(token) = request.bearer_token() {
                world.lock().rejected_tokens.add(token);
            }
            Delivery::Response(ApiError::token().into_reply().into_response(now))
        }
        FaultKind::ClockSkew(seconds) => {
            let now = now + TimeDelta::try_seconds(seconds).unwrap_or_default();
            Delivery::Response(work(now).into_response(now))
        }
        kind => {
            let (delivery, is_changed) = corrupt::delivery(&kind, &work(now), now);
            if !is_changed {
                world.lock().faults.take_back(strike.fault);
            }
            delivery
        }
    }
}

/// Carries out the request.
fn work(world: &SharedWorld, request: &HttpRequest, route: &Route, now: DateTime<Utc>) -> Reply {
    execute(&mut world.lock(), request, route, now).unwrap_or_else(ApiError::into_reply)
}

/// Carries out the request once the connection has ended and the delay has
/// passed. Its token is validated with the time of its arrival.
fn work_later(
    world: &Arc<SharedWorld>,
    request: &HttpRequest,
    connection: ConnectionEnd,
    after: Duration,
    now: DateTime<Utc>,
) {
    let (world, request) = (Arc::clone(world), request.clone());
    let resets = {
        let mut world = world.lock();
        world.faults.pending_commits += 1;
        world.resets
    };
    tokio::spawn(async move {
        connection.wait().await;
        tokio::time::sleep(after).await;
        let route = Route::find(&request.method, &request.path);
        carry_out_late(&mut world.lock(), &request, &route, now, resets);
        world.notify();
    });
}

fn carry_out_late(
    world: &mut World,
    request: &HttpRequest,
    route: &Route,
    now: DateTime<Utc>,
    resets: u64,
) {
    // The request was received before a reset and must not change the state
    // after it.
    if world.resets == resets {
        let _ = execute(world, request, route, now);
    }
    world.faults.pending_commits -= 1;
}

fn status(
    code: u16,
    headers: Vec<(String, String)>,
    body: String,
    now: DateTime<Utc>,
) -> HttpResponse {
    let body = match serde_json::from_str(&body) {
        Ok(json) => Body::Json(json),
        Err(_) if body.is_empty() => Body::Empty,
        Err(_) => Body::Html(body),
    };
    let mut response = Reply { status: code, body }.into_response(now);
    response.headers = headers;
    response
}
