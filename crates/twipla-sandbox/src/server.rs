//! From HTTP to the rules and back: routes, tokens, faults, the record of requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use jsonwebtoken::DecodingKey;
use serde_json::Value;
use twipla_api::types::DashboardTokens;
use twipla_api::{Auth, Operation, operations};
use uuid::Uuid;

use crate::auth::{self, Bearer};
use crate::faults::{FaultKind, Faults};
use crate::input::Query;
use crate::record::{RecordedRequest, Records};
use crate::reply::{Answer, Body, Refusal, Reply};
use crate::rules::subscriptions::{Holder, Verb};
use crate::rules::{Call, api_keys, customers, packages, subscriptions, websites};
use crate::state::Account;
use crate::{analytics, control, dashboard, render};

/// The older family of subscription calls, still alive in 2025 (observed).
const LEGACY: &str = "/v2/3as/notifications/subscriptions/";
/// How long the tokens of a login last; the real time is not public.
const LOGIN_LASTS: Duration = Duration::minutes(15);

/// The server: everything behind its address.
pub(crate) struct Server {
    state: Mutex<State>,
    pub(crate) records: Records,
}

/// What the lock protects. One lock for everything: the rules are short, and
/// of identical creates at once exactly one must succeed.
pub(crate) struct State {
    pub(crate) accounts: HashMap<Uuid, Account>,
    pub(crate) keys: HashMap<Uuid, DecodingKey>,
    pub(crate) faults: Faults,
    /// How far the clock of this server is from the machine's.
    pub(crate) offset: Duration,
    /// How far subscriptions, trials and keys have been moved on besides. Not
    /// the tokens: no client could follow, for they trust no clock this far off.
    pub(crate) advanced: Duration,
    pub(crate) logins: Vec<Login>,
}

/// Dashboard tokens that were handed out for a key.
pub(crate) struct Login {
    pub(crate) tokens: DashboardTokens,
    pub(crate) website: Uuid,
    pub(crate) until: DateTime<Utc>,
}

/// A request, read to its end.
pub(crate) struct Incoming {
    pub(crate) method: String,
    /// As it came, still encoded.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Incoming {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What goes back over the wire.
pub(crate) enum Outgoing {
    Reply(Wire),
    /// The connection closes without an answer.
    Reset,
    /// No answer ever.
    Hang,
}

/// An answer as bytes.
pub(crate) struct Wire {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Only this much of the body is sent.
    pub(crate) cut_at: Option<usize>,
    /// The `Date` header: this server's clock.
    pub(crate) date: DateTime<Utc>,
}

impl Server {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            records: Records::default(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // The rules change state only when nothing can fail any more.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Incoming) -> Outgoing {
        if request.path.starts_with(control::PREFIX) {
            let reply = control::answer(self, &request).unwrap_or_else(Refusal::into_reply);
            return Outgoing::Reply(Self::wire(reply, Utc::now()));
        }
        let route = Route::find(&request.method, &request.path);
        let operation = route.operation().map(|operation| operation.id);
        let fault = self.lock().faults.strike(operation);
        let outgoing = self.with_fault(&request, &route, fault).await;
        let status = match &outgoing {
            Outgoing::Reply(wire) => wire.status,
            Outgoing::Reset | Outgoing::Hang => 0,
        };
        self.records
            .add(RecordedRequest::new(&request, operation, status));
        outgoing
    }

    async fn with_fault(
        &self,
        request: &Incoming,
        route: &Route,
        fault: Option<FaultKind>,
    ) -> Outgoing {
        let skew = match &fault {
            Some(FaultKind::ClockSkew(seconds)) => {
                Duration::try_seconds(*seconds).unwrap_or_default()
            }
            _ => Duration::zero(),
        };
        // Milliseconds are enough, and more digits than some clients read.
        let now = (Utc::now() + self.lock().offset + skew).trunc_subsecs(3);
        match &fault {
            Some(FaultKind::Hang) => return Outgoing::Hang,
            Some(FaultKind::ResetBeforeCommit) => return Outgoing::Reset,
            Some(FaultKind::ExpiredToken) => {
                return Outgoing::Reply(Self::wire(Refusal::token().into_reply(), now));
            }
            Some(FaultKind::Status {
                code,
                headers,
                body,
            }) => {
                let body = match serde_json::from_str(body) {
                    Ok(json) => Body::Json(json),
                    Err(_) if body.is_empty() => Body::Empty,
                    Err(_) => Body::Html(body.clone()),
                };
                let mut wire = Self::wire(
                    Reply {
                        status: *code,
                        body,
                    },
                    now,
                );
                wire.headers.clone_from(headers);
                return Outgoing::Reply(wire);
            }
            Some(FaultKind::Delay(delay)) => tokio::time::sleep(*delay).await,
            _ => {}
        }
        let reply = self
            .run(request, route, now)
            .unwrap_or_else(Refusal::into_reply);
        let spoil = |body: Body| Reply {
            status: reply.status,
            body,
        };
        let reply = match &fault {
            Some(FaultKind::ResetAfterCommit) => return Outgoing::Reset,
            Some(FaultKind::HtmlBody) => spoil(Body::Html(
                "<html><body><h1>It works!</h1></body></html>".to_owned(),
            )),
            Some(FaultKind::EmptyBody) => {
                let mut wire = Self::wire(spoil(Body::Empty), now);
                wire.content_type = Some("application/json");
                return Outgoing::Reply(wire);
            }
            Some(FaultKind::InvalidJson) => {
                let mut wire = Self::wire(reply, now);
                wire.body = b"{\"payload\": {".to_vec();
                return Outgoing::Reply(wire);
            }
            Some(FaultKind::TruncatedBody) => {
                let mut wire = Self::wire(reply, now);
                wire.cut_at = Some(wire.body.len() / 2);
                return Outgoing::Reply(wire);
            }
            Some(FaultKind::NoContent) if reply.status < 300 => Reply::done(),
            Some(FaultKind::MissingField(name)) => edit(reply, |payload| without(payload, name)),
            Some(FaultKind::UnknownEnumValue) => edit(reply, unknown_values),
            _ => reply,
        };
        Outgoing::Reply(Self::wire(reply, now))
    }

    fn run(&self, request: &Incoming, route: &Route, clock: DateTime<Utc>) -> Answer {
        let query = Query::parse(&request.query);
        let (operation, path) = match route {
            Route::Operation(operation, path) => (*operation, path),
            Route::Dashboard => return Ok(dashboard::page(&mut self.lock(), &query, clock)),
            Route::Malformed => return Err(Refusal::bad("the path is no UTF-8")),
            Route::WrongMethod => {
                return Err(Refusal::new(405, "the path does not take this method"));
            }
            Route::Unknown => return Err(Refusal::new(404, "no such path")),
        };
        let mut state = self.lock();
        let now = clock + state.advanced;
        let body = || {
            (!request.body.is_empty())
                .then(|| serde_json::from_slice::<Value>(&request.body))
                .transpose()
                .map_err(|error| Refusal::bad(format!("the body is no JSON: {error}")))
        };
        match operation.auth {
            Auth::PartnerToken => {
                let partner = state.partner(request, clock).ok_or_else(Refusal::token)?;
                let body = body()?;
                let account = state
                    .accounts
                    .get_mut(&partner)
                    .ok_or_else(Refusal::token)?;
                account.settle(now);
                let call = Call {
                    account,
                    now,
                    path,
                    query: &query,
                    body: body.as_ref(),
                };
                manage(operation, call)
            }
            Auth::ApiKey => {
                let website = state.website_of_key(request, path, now)?;
                data(operation, website, &query, body()?.as_ref())
            }
            Auth::None => login(&mut state, body()?.as_ref(), now),
        }
    }

    /// An answer to a request that never reached a rule.
    pub(crate) fn plain(&self, refusal: Refusal) -> Wire {
        let now = Utc::now() + self.lock().offset;
        Self::wire(refusal.into_reply(), now)
    }

    fn wire(reply: Reply, date: DateTime<Utc>) -> Wire {
        let (content_type, body) = match reply.body {
            Body::Empty => (None, Vec::new()),
            Body::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
            Body::Html(text) => (Some("text/html; charset=utf-8"), text.into_bytes()),
        };
        Wire {
            status: reply.status,
            content_type,
            headers: Vec::new(),
            body,
            cut_at: None,
            date,
        }
    }

    /// How long a connection may stay silent before it is closed.
    pub(crate) const IDLE: StdDuration = StdDuration::from_secs(75);
}

impl State {
    /// Moves subscriptions, trials and keys on; `None` where that leaves the calendar.
    pub(crate) fn advance(&mut self, by: Duration) -> Option<()> {
        let advanced = self.advanced.checked_add(&by)?;
        let now = (Utc::now() + self.offset)
            .checked_add_signed(advanced)
            .filter(|at| chrono::Datelike::year(at) < 9000)?;
        self.advanced = advanced;
        for account in self.accounts.values_mut() {
            account.settle(now);
        }
        Some(())
    }

    fn partner(&self, request: &Incoming, clock: DateTime<Utc>) -> Option<Uuid> {
        let (scheme, token) = request.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        match self.bearer(token, clock)? {
            Bearer::Partner(partner) => Some(partner),
            Bearer::Customer(..) => None,
        }
    }

    pub(crate) fn bearer(&self, token: &str, clock: DateTime<Utc>) -> Option<Bearer> {
        auth::verify(token, clock, |partner| self.keys.get(&partner).cloned())
    }

    /// The website that the path names, if the key of the request is one of its keys.
    fn website_of_key(
        &self,
        request: &Incoming,
        path: &[String],
        now: DateTime<Utc>,
    ) -> Result<Uuid, Refusal> {
        let unauthorized = || Refusal::data(401, "Unauthorized");
        let key = request.header("x-api-key").ok_or_else(unauthorized)?;
        let website = self.key(key, now).ok_or_else(unauthorized)?;
        let asked = path.first().map(String::as_str).unwrap_or_default();
        match crate::input::parse_uuid(asked) {
            None => Err(Refusal::bad("websiteId must be a uuid")),
            Some(id) if id == website => Ok(website),
            Some(_) => Err(Refusal::data(403, "Forbidden")),
        }
    }

    fn key(&self, secret: &str, now: DateTime<Utc>) -> Option<Uuid> {
        let websites = self
            .accounts
            .values()
            .flat_map(|account| account.websites.values());
        websites
            .flat_map(|site| site.api_keys.iter().map(move |key| (site, key)))
            .find(|(_, key)| key.secret == secret && render::live(key.shown.expires_at, now))
            .map(|(site, _)| site.id)
    }
}

fn login(state: &mut State, body: Option<&Value>, now: DateTime<Utc>) -> Answer {
    let fields = crate::input::Fields::of(body)?;
    let (key, website) = (fields.text("apiKey")?, fields.uuid("websiteId")?);
    if state.key(key, now) != Some(website) {
        return Err(Refusal::new(401, "the API key is not one of this website"));
    }
    let (tokens, reply) = api_keys::tokens();
    state.logins.retain(|login| login.until > now);
    state.logins.push(Login {
        tokens,
        website,
        until: now + LOGIN_LASTS,
    });
    reply
}

/// The operations that the partner's token opens.
fn manage(operation: &Operation, call: Call<'_>) -> Answer {
    use Holder::{Customer, Website};
    let subscription = subscriptions::change;
    match operation.id {
        "create_api_key" => api_keys::create(call),
        "list_api_keys" => api_keys::list(call),
        "delete_api_key" => api_keys::delete(call).map_err(Refusal::short),
        "upgrade_website_subscription" => subscription(call, Website, Verb::Upgrade),
        "downgrade_website_subscription" => subscription(call, Website, Verb::Downgrade),
        "cancel_website_subscription" => subscription(call, Website, Verb::Cancel),
        "resume_website_subscription" => subscription(call, Website, Verb::Resume),
        "deactivate_website_subscription" => subscription(call, Website, Verb::Deactivate),
        "upgrade_intpc_subscription" => subscription(call, Customer, Verb::Upgrade),
        "downgrade_intpc_subscription" => subscription(call, Customer, Verb::Downgrade),
        "cancel_intpc_subscription" => subscription(call, Customer, Verb::Cancel),
        "resume_intpc_subscription" => subscription(call, Customer, Verb::Resume),
        "deactivate_intpc_subscription" => subscription(call, Customer, Verb::Deactivate),
        "list_contributors" => websites::list_contributors(call),
        "add_contributor" => websites::add_contributor(call).map_err(Refusal::short),
        "remove_contributor" => websites::remove_contributor(call).map_err(Refusal::short),
        "create_customer" => customers::create(call),
        "list_customers" => customers::list(call),
        "get_customer" => customers::get(call),
        "delete_customer" => customers::delete(call),
        "list_packages" => packages::list(call),
        "get_package" => packages::get(call),
        "create_package" => packages::create(call),
        "rename_package" => packages::rename(call),
        "assign_package" => packages::assign(call).map_err(Refusal::short),
        "unassign_package" => packages::unassign(call).map_err(Refusal::short),
        "create_website" => websites::create(call),
        "create_website_flat" => websites::create_flat(call),
        "list_websites" => websites::list(call),
        "get_website" => websites::get(call),
        "get_website_by_id" => websites::get_by_id(call),
        "delete_website" => websites::delete(call),
        "list_whitelisted_domains" => websites::list_domains(call),
        "add_whitelisted_domain" => websites::add_domain(call),
        "remove_whitelisted_domain" => websites::remove_domain(call),
        "get_company_details" => Reply::payload(200, &render::company(call.account)),
        other => Err(Refusal::new(
            404,
            format!("the sandbox does not know the operation {other}"),
        )),
    }
}

/// The operations that the key of a website opens.
fn data(operation: &Operation, website: Uuid, query: &Query, body: Option<&Value>) -> Answer {
    use analytics::Graph;
    match operation.id {
        "query_session_analytics" | "query_page_analytics" => analytics::rows(website, body),
        "query_visits_graph" => analytics::graph(website, query, Graph::Visits),
        "query_bounce_rate_graph" => analytics::graph(website, query, Graph::BounceRate),
        "query_page_view_duration_graph" => {
            analytics::graph(website, query, Graph::PageViewDuration)
        }
        "query_traffic_share" => analytics::traffic_share(website, query),
        "query_raw_sessions" => analytics::raw_sessions(website, body),
        other => Err(Refusal::new(
            404,
            format!("the sandbox does not know the operation {other}"),
        )),
    }
}

/// `operationId` of a request, if its path has one.
pub(crate) fn operation_id(method: &str, path: &str) -> Option<&'static str> {
    Route::find(method, path)
        .operation()
        .map(|operation| operation.id)
}

/// The methods that a path takes, for the `Allow` header.
pub(crate) fn methods(path: &str) -> Vec<&'static str> {
    let taken = operations::ALL.iter().filter(|operation| {
        Route::find(operation.method.as_str(), path)
            .operation()
            .is_some_and(|found| found.id == operation.id)
    });
    taken.map(|operation| operation.method.as_str()).collect()
}

/// Where a request goes.
enum Route {
    /// An operation, with its path parameters decoded.
    Operation(&'static Operation, Vec<String>),
    Dashboard,
    WrongMethod,
    Malformed,
    Unknown,
}

impl Route {
    fn operation(&self) -> Option<&'static Operation> {
        match self {
            Self::Operation(operation, _) => Some(operation),
            _ => None,
        }
    }

    fn find(method: &str, path: &str) -> Self {
        if path == "/" || path.starts_with("/dashboard/") || path.starts_with("/upgrade") {
            return if method == "GET" {
                Self::Dashboard
            } else {
                Self::WrongMethod
            };
        }
        // The data endpoints live under /api on their real host.
        let path = path
            .strip_prefix("/api")
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path);
        if let Some(verb) = path.strip_prefix(LEGACY) {
            return Self::find(method, &format!("/v3/3as/website-subscriptions/{verb}"));
        }
        // One official client ends a path with a slash.
        let path = path
            .strip_suffix('/')
            .filter(|rest| rest.ends_with("/whitelisted-domains"))
            .unwrap_or(path);
        let mut seen = false;
        for operation in operations::ALL {
            match matches(operation.path, path) {
                None => {}
                Some(Err(())) => return Self::Malformed,
                Some(Ok(_)) if operation.method.as_str() != method => seen = true,
                Some(Ok(params)) => return Self::Operation(operation, params),
            }
        }
        if seen {
            Self::WrongMethod
        } else {
            Self::Unknown
        }
    }
}

/// The decoded parameters of a path that has the shape of a template; an error
/// where one of them is no UTF-8.
fn matches(template: &str, path: &str) -> Option<Result<Vec<String>, ()>> {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut params = Vec::new();
    for (expected, given) in template.into_iter().zip(path) {
        if expected.starts_with('{') {
            if given.is_empty() {
                return None;
            }
            params.push(
                percent_encoding::percent_decode_str(given)
                    .decode_utf8()
                    .map(std::borrow::Cow::into_owned),
            );
        } else if expected != given {
            return None;
        }
    }
    Some(params.into_iter().collect::<Result<_, _>>().map_err(|_| ()))
}

/// Changes the payload of a success.
fn edit(mut reply: Reply, change: impl FnOnce(&mut Value)) -> Reply {
    if let (200..=299, Body::Json(body)) = (reply.status, &mut reply.body) {
        match body.get_mut("payload") {
            Some(payload) => change(payload),
            None => change(body),
        }
    }
    reply
}

fn without(value: &mut Value, name: &str) {
    match value {
        Value::Object(fields) => drop(fields.shift_remove(name)),
        Value::Array(items) => items.iter_mut().for_each(|item| without(item, name)),
        _ => {}
    }
}

fn unknown_values(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in [
                "status",
                "billingInterval",
                "period",
                "currency",
                "visibility",
                "type",
            ] {
                if let Some(Value::String(text)) = fields.get_mut(name) {
                    *text = format!("future-{text}");
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unknown_values),
        _ => {}
    }
}
