//! One request and its response, with the fault that strikes it.

use chrono::{DateTime, Duration, Utc};

use crate::corrupt;
use crate::execute::execute;
use crate::faults::FaultKind;
use crate::message::{Delivery, HttpRequest, HttpResponse};
use crate::record::RecordedRequest;
use crate::reply::{ApiError, Body, Reply};
use crate::routes::{Route, allowed_methods};
use crate::state::SharedWorld;

/// Answers a request and records it.
pub(crate) async fn exchange(world: &SharedWorld, request: &HttpRequest) -> Delivery {
    let route = Route::find(&request.method, &request.path);
    let fault = world.lock().faults.next_fault(route.operation_id());
    let mut delivery = deliver(world, request, &route, fault).await;
    if let Delivery::Response(response) = &mut delivery
        && response.status == 405
    {
        let allow = ("allow".to_owned(), allowed_methods(&request.path));
        response.headers.push(allow);
    }
    let record = RecordedRequest::new(request, route.operation_id(), delivery.status());
    world.lock().requests.add(record);
    delivery
}

async fn deliver(
    world: &SharedWorld,
    request: &HttpRequest,
    route: &Route,
    fault: Option<FaultKind>,
) -> Delivery {
    let now = world.lock().clock.now();
    let execute =
        |now| execute(&mut world.lock(), request, route, now).unwrap_or_else(ApiError::into_reply);
    let Some(fault) = fault else {
        return Delivery::Response(execute(now).into_response(now));
    };
    match fault {
        FaultKind::Hang => Delivery::Hang,
        FaultKind::ResetBeforeCommit => Delivery::Reset,
        FaultKind::ResetAfterCommit => {
            execute(now);
            Delivery::Reset
        }
        FaultKind::ExpiredToken => {
            if let Some(token) = request.bearer_token() {
                world.lock().refused_tokens.add(token);
            }
            Delivery::Response(ApiError::token().into_reply().into_response(now))
        }
        FaultKind::Status {
            code,
            headers,
            body,
        } => Delivery::Response(status(code, headers, body, now)),
        FaultKind::Delay(delay) => {
            tokio::time::sleep(delay).await;
            Delivery::Response(execute(now).into_response(now))
        }
        FaultKind::ClockSkew(seconds) => {
            let now = now + Duration::try_seconds(seconds).unwrap_or_default();
            Delivery::Response(execute(now).into_response(now))
        }
        fault => Delivery::Response(corrupt::response(&fault, execute(now), now)),
    }
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
