//! Runs a request against the state: authenticates it and calls the rule of the
//! operation.

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use twipla_api::{Auth, Operation};
use uuid::Uuid;

use crate::account::Website;
use crate::auth::Bearer;
use crate::dashboard;
use crate::input::{Fields, Query, parse_uuid};
use crate::message::HttpRequest;
use crate::page_urls;
use crate::reply::{ApiError, ApiResult};
use crate::routes::Route;
use crate::rules::context::OperationContext;
use crate::rules::{api_keys, dispatch_data, dispatch_management};
use crate::state::{Login, World};

/// How long the tokens of a login are valid; the real lifetime is not public.
const LOGIN_LIFETIME: Duration = Duration::minutes(15);

/// Runs a request; `now` is the time of the server's clock.
pub(crate) fn execute(
    world: &mut World,
    request: &HttpRequest,
    route: &Route,
    now: DateTime<Utc>,
) -> ApiResult {
    let query = Query::parse(&request.query);
    match route {
        Route::Operation(operation, path) => run(world, request, operation, path, &query, now),
        Route::Dashboard => Ok(dashboard::handle(world, request, &query, now)),
        Route::Reactivate => Err(ApiError::new(
            501,
            "the sandbox does not support reactivate: only a client that was retired in 2025 uses it, and its effect is \
             not known: delete the website or customer and create it again",
        )),
        Route::Malformed => Err(ApiError::bad("invalid path: expected UTF-8")),
        Route::WrongMethod => Err(ApiError::new(405, "the path does not allow this method")),
        Route::Unknown => Err(ApiError::new(404, "the path is unknown")),
    }
}

fn run(
    world: &mut World,
    request: &HttpRequest,
    operation: &Operation,
    path: &[String],
    query: &Query,
    now: DateTime<Utc>,
) -> ApiResult {
    let time = world.clock.billing_time(now);
    match operation.auth {
        Auth::PartnerToken => {
            let partner = partner(world, request, now).ok_or_else(ApiError::token)?;
            let body = json_body(request)?;
            let account = world
                .accounts
                .get_mut(&partner)
                .ok_or_else(ApiError::token)?;
            let context = OperationContext {
                account,
                now: time,
                path,
                query,
                body: body.as_ref(),
                commits: world.commits.recorder(operation.id, partner),
            };
            dispatch_management(operation, context)
        }
        Auth::ApiKey => {
            data(world, request, operation, path, query, time).map_err(ApiError::of_data)
        }
        Auth::None => login(world, json_body(request)?.as_ref(), time),
    }
}

fn data(
    world: &World,
    request: &HttpRequest,
    operation: &Operation,
    path: &[String],
    query: &Query,
    time: DateTime<Utc>,
) -> ApiResult {
    let site = website_of_request(world, request, path, time)?;
    let mut body = json_body(request)?;
    // The graphs check the URLs themselves.
    let has_rows = ["query_session_analytics", "query_page_analytics"].contains(&operation.id);
    if let Some(body) = body.as_mut().filter(|_| has_rows) {
        page_urls::to_paths(body, &site.domain);
    }
    let mut reply = dispatch_data(operation, site, query, body.as_ref())?;
    if has_rows {
        page_urls::to_addresses(&mut reply, &site.domain);
    }
    Ok(reply)
}

/// Returns the partner of the request's token.
fn partner(world: &World, request: &HttpRequest, now: DateTime<Utc>) -> Option<Uuid> {
    match world.bearer(request.bearer_token()?, now)? {
        Bearer::Partner(partner) => Some(partner),
        Bearer::Customer(..) => None,
    }
}

/// Returns the website of the path, if the request has one of its API keys.
fn website_of_request<'a>(
    world: &'a World,
    request: &HttpRequest,
    path: &[String],
    time: DateTime<Utc>,
) -> Result<&'a Website, ApiError> {
    let website = request
        .header("x-api-key")
        .and_then(|key| world.website_of_key(key, time))
        .ok_or_else(|| ApiError::data(401, "Unauthorized"))?;
    let requested = path.first().map(String::as_str).unwrap_or_default();
    match parse_uuid(requested) {
        None => Err(ApiError::bad("websiteId must be a uuid")),
        Some(id) if id == website.id => Ok(website),
        Some(_) => Err(ApiError::data(403, "Forbidden")),
    }
}

fn login(world: &mut World, body: Option<&Value>, time: DateTime<Utc>) -> ApiResult {
    let fields = Fields::of(body)?;
    let (key, website) = (fields.text("apiKey")?, fields.uuid("websiteId")?);
    let of_key = world.website_of_key(key, time);
    if of_key.is_none_or(|site| site.id != website) {
        return Err(ApiError::new(
            401,
            "the API key does not belong to this website",
        ));
    }
    let (refresh_token, reply) = api_keys::refresh_token();
    world.logins.retain(|login| login.until > time);
    world.logins.push(Login {
        refresh_token,
        website,
        until: time + LOGIN_LIFETIME,
    });
    reply
}

fn json_body(request: &HttpRequest) -> Result<Option<Value>, ApiError> {
    (!request.body.is_empty())
        .then(|| serde_json::from_slice(&request.body))
        .transpose()
        .map_err(|error| ApiError::bad(format!("the body is not valid JSON: {error}")))
}
