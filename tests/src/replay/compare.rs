//! Compares the requests and the answer of a binding with a vector.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::{Map, Value};

use super::{
    Action, Allow, Case, DASHBOARD_URL, More, Outcome, Recorded, Request, Server, Signing,
};

/// The tolerance for times in tokens: the clocks are the same, but a run takes time.
const CLOCK_SECONDS: i64 = 60;
/// The tolerance for a `Retry-After` that was given as a date.
const RETRY_SECONDS: f64 = 2.0;
/// The tolerance for a request that is too early: timers and the two clocks are not exact.
const WAIT_SECONDS: f64 = 0.05;
/// The limit of additional requests; a binding that sends more never stops.
const MOST_MORE: usize = 10;
/// Headers with credentials. They are absent unless a request names them.
const CREDENTIALS: [&str; 2] = ["authorization", "x-api-key"];

/// Returns the problems of the requests and the answer of a binding.
///
/// `answer` is `{"ok": …}` or `{"error": {…}}`.
pub fn compare(case: &Case, sent: &[Recorded], answer: &Value, signing: &Signing) -> Vec<String> {
    let mut problems = Vec::new();
    requests(case, sent, signing, &mut problems);
    match case.action {
        Action::Call | Action::ListAll => outcome(case, sent, answer, &mut problems),
        // A token that cannot be signed is a failure.
        _ if case.result.is_some() => outcome(case, sent, answer, &mut problems),
        Action::Token => match answer["ok"].as_str() {
            Some(token) => {
                let wanted = case.token.as_ref().unwrap_or(&Value::Null);
                match verified(token, signing) {
                    Ok((header, claims)) => {
                        members("header", &wanted["header"], &header, signing, &mut problems);
                        members("claims", &wanted["claims"], &claims, signing, &mut problems);
                    }
                    Err(problem) => problems.push(format!("the token {problem}")),
                }
            }
            None => problems.push(format!("no token, but {answer}")),
        },
        Action::DashboardUrl => match answer["ok"].as_str().map(Url::parse) {
            Some(Ok(url)) => dashboard(case, &url, signing, &mut problems),
            _ => problems.push(format!("no address, but {answer}")),
        },
    }
    problems
}

fn requests(case: &Case, sent: &[Recorded], signing: &Signing, problems: &mut Vec<String>) {
    let (count, wanted) = (sent.len(), case.exchanges.len());
    if count < wanted || (count > wanted && case.more.is_none()) {
        problems.push(format!("{count} requests were sent instead of {wanted}"));
    }
    if count > wanted + MOST_MORE {
        problems.push(format!("{count} requests were sent, without an end"));
    }
    for (index, recorded) in sent.iter().enumerate() {
        let mut found = Vec::new();
        if recorded.server != case.server {
            let path = &recorded.path;
            found.push(match recorded.server {
                Server::Api => format!("{path} was sent to TWIPLA_BASE_URL"),
                Server::Data => format!("{path} was sent to TWIPLA_DATA_URL"),
                Server::Elsewhere => format!("{path} was sent to another host"),
            });
        }
        match (case.exchanges.get(index), case.exchanges.last(), &case.more) {
            (Some(exchange), ..) => {
                request(
                    case.server,
                    &exchange.request,
                    recorded,
                    signing,
                    &mut found,
                );
            }
            (None, Some(last), Some(more)) => {
                let before = &sent[index - 1];
                later(
                    case.server,
                    &last.request,
                    more,
                    before,
                    recorded,
                    signing,
                    &mut found,
                );
            }
            _ => found.push(format!("{} {} was sent", recorded.method, recorded.path)),
        }
        problems.extend(
            found
                .into_iter()
                .map(|problem| format!("request {}: {problem}", index + 1)),
        );
    }
}

/// Reports whether a later request only reads, as opposed to repeating the last one.
fn is_read(last: &Request, more: &More, sent: &Recorded) -> bool {
    sent.method == "GET" && (last.method != "GET" || more.allow == Allow::Reads)
}

/// Checks a request that a binding may additionally send.
fn later(
    server: Server,
    last: &Request,
    more: &More,
    before: &Recorded,
    sent: &Recorded,
    signing: &Signing,
    problems: &mut Vec<String>,
) {
    if is_read(last, more, sent) {
        credentials(last, sent, signing, problems);
        return;
    }
    if more.allow == Allow::Reads {
        problems.push(format!("{} {} was sent again", sent.method, sent.path));
        return;
    }
    request(server, last, sent, signing, problems);
    let waited = sent.at.duration_since(before.at).as_secs_f64();
    if let Some(wait) = more.wait.filter(|wait| waited < wait - WAIT_SECONDS) {
        problems.push(format!("it came after {waited:.3} s instead of {wait}"));
    }
}

fn request(
    server: Server,
    wanted: &Request,
    sent: &Recorded,
    signing: &Signing,
    problems: &mut Vec<String>,
) {
    if sent.method != wanted.method {
        problems.push(format!(
            "the method is {}, not {}",
            sent.method, wanted.method
        ));
    }
    let path = format!("{}{}", server.base_path(), wanted.path);
    if segments(&sent.path) != segments(&path) {
        problems.push(format!("the path is {}, not {path}", sent.path));
    }
    let is_free = |name: &str| {
        wanted
            .query
            .get(name)
            .is_some_and(|value| value["any"] == true)
    };
    let mut query: Vec<(String, String)> = form(&sent.query);
    query.retain(|(name, _)| !is_free(name));
    let mut expected: Vec<(String, String)> = wanted
        .query
        .iter()
        .filter(|(name, _)| !is_free(name))
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    query.sort();
    expected.sort();
    if query != expected {
        problems.push(format!("the query is {query:?}, not {expected:?}"));
    }
    for (name, matcher) in &wanted.headers {
        if !CREDENTIALS.contains(&name.as_str()) {
            named_header(name, matcher, sent, signing, problems);
        }
    }
    credentials(wanted, sent, signing, problems);
    body(wanted, sent, problems);
}

/// Checks the headers with credentials: exactly those that the request has.
fn credentials(wanted: &Request, sent: &Recorded, signing: &Signing, problems: &mut Vec<String>) {
    for name in CREDENTIALS {
        let absent = serde_json::json!({ "absent": true });
        let matcher = wanted.headers.get(name).unwrap_or(&absent);
        named_header(name, matcher, sent, signing, problems);
    }
}

fn named_header(
    name: &str,
    matcher: &Value,
    sent: &Recorded,
    signing: &Signing,
    problems: &mut Vec<String>,
) {
    let found: Vec<&str> = sent
        .headers
        .iter()
        .filter(|(other, _)| other == name)
        .map(|(_, value)| value.as_str())
        .collect();
    if let Some(problem) = header(matcher, &found, signing) {
        problems.push(format!("the header {name} {problem}"));
    }
}

fn body(wanted: &Request, sent: &Recorded, problems: &mut Vec<String>) {
    if wanted.body.is_null() {
        // An empty list or object is equivalent to no body; some servers require it.
        if !matches!(&sent.body[..], b"" | b"[]" | b"{}") {
            let sent = String::from_utf8_lossy(&sent.body);
            problems.push(format!("unexpected body: {sent}"));
        }
        return;
    }
    match serde_json::from_slice::<Value>(&sent.body) {
        // In both directions: nothing else may be sent.
        Ok(body) if same(&wanted.body, &body) && same(&body, &wanted.body) => {}
        Ok(body) => problems.push(format!("the body is {body}, not {}", wanted.body)),
        Err(error) => problems.push(format!("the body is not valid JSON: {error}")),
    }
}

fn header(matcher: &Value, found: &[&str], signing: &Signing) -> Option<String> {
    if matcher["absent"] == true {
        return (!found.is_empty()).then(|| "is unexpected".to_owned());
    }
    let [value] = found else {
        return Some(format!("occurs {} times", found.len()));
    };
    if let Some(role) = matcher["bearer"].as_str() {
        let Some(token) = value.strip_prefix("Bearer ") else {
            return Some("is not a bearer token".to_owned());
        };
        return match verified(token, signing) {
            Ok((_, claims)) if claims["roles"] == serde_json::json!([role]) => None,
            Ok((_, claims)) => Some(format!("has the roles {}", claims["roles"])),
            Err(problem) => Some(problem),
        };
    }
    let wanted = text(matcher);
    // Parameters such as a charset are up to the binding.
    let plain = value.split(';').next().unwrap_or_default().trim();
    (plain != wanted).then(|| format!("is {value:?}, not {wanted:?}"))
}

fn outcome(case: &Case, sent: &[Recorded], answer: &Value, problems: &mut Vec<String>) {
    match later_result(case, sent).or(case.result.as_ref()) {
        Some(Outcome::Ok(wanted)) => match answer.get("ok") {
            Some(found) if same(wanted, found) => {}
            Some(found) => problems.push(format!("the result is {found}, not {wanted}")),
            None => problems.push(format!("no success, but {answer}")),
        },
        Some(Outcome::Error(wanted)) => match answer.get("error") {
            Some(found) => failure(wanted, found, problems),
            None => problems.push(format!("no failure, but {answer}")),
        },
        None => problems.push("the case has no result".to_owned()),
    }
}

/// Returns the result of a case, given the additional requests.
fn later_result<'a>(case: &'a Case, sent: &[Recorded]) -> Option<&'a Outcome> {
    let more = case.more.as_ref()?;
    let last = &case.exchanges.last()?.request;
    let mut later = sent
        .iter()
        .skip(case.exchanges.len() + more.first.iter().len());
    // A read does not count if only a retry would succeed.
    let counts = |sent| more.allow == Allow::Reads || !is_read(last, more, sent);
    more.result.as_ref().filter(|_| later.any(counts))
}

/// Compares the properties of a failure, all of which must be reported.
fn failure(wanted: &Map<String, Value>, found: &Value, problems: &mut Vec<String>) {
    for (key, value) in wanted {
        let told = &found[key];
        let fits = match key.as_str() {
            "retryAfter" => match (value.as_f64(), told.as_f64()) {
                (Some(wanted), Some(told)) => (wanted - told).abs() <= RETRY_SECONDS,
                _ => false,
            },
            "code" => !told.is_null() && text(value) == text(told),
            _ => value == told,
        };
        if !fits {
            problems.push(format!("the failure has {key} {told}, not {value}"));
        }
    }
}

fn dashboard(case: &Case, url: &Url, signing: &Signing, problems: &mut Vec<String>) {
    let wanted = case.url.as_ref().unwrap_or(&Value::Null);
    let origin = url.origin().ascii_serialization();
    if origin != DASHBOARD_URL {
        problems.push(format!("the host is {origin}, not {DASHBOARD_URL}"));
    }
    if wanted["path"] != url.path() {
        problems.push(format!(
            "the path is {}, not {}",
            url.path(),
            wanted["path"]
        ));
    }
    let found = form(url.query().unwrap_or_default());
    let empty = Map::new();
    let expected = wanted["query"].as_object().unwrap_or(&empty);
    for (name, _) in found
        .iter()
        .filter(|(name, _)| !expected.contains_key(name))
    {
        problems.push(format!("the query has {name}"));
    }
    for (name, matcher) in expected {
        let values: Vec<&String> = found
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value)
            .collect();
        match (&values[..], matcher.get("token")) {
            ([value], Some(claims)) => match verified(value, signing) {
                Ok((_, found)) => members(name, claims, &found, signing, problems),
                Err(problem) => problems.push(format!("{name} {problem}")),
            },
            ([value], None) if **value == text(matcher) => {}
            _ => problems.push(format!("{name} is {values:?}, not {matcher}")),
        }
    }
}

/// Returns header and claims of a token, if the partner of this run signed it.
fn verified(token: &str, signing: &Signing) -> Result<(Value, Value), String> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(format!("has {} parts", parts.len()));
    };
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| "is not base64url without padding".to_owned())
    };
    let key = DecodingKey::from_rsa_pem(signing.public_pem.as_bytes())
        .map_err(|error| error.to_string())?;
    // Passed explicitly, because the global provider panics if two are compiled in.
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &key)
        .map_err(|error| error.to_string())?;
    let message = &token[..header.len() + 1 + claims.len()];
    verifier
        .verify(message.as_bytes(), &decode(signature)?)
        .map_err(|_| "is not signed by the key of the partner".to_owned())?;
    let json = |part: &str| {
        serde_json::from_slice::<Value>(&decode(part)?)
            .map_err(|_| "does not contain JSON".to_owned())
    };
    let (header, claims) = (json(header)?, json(claims)?);
    if claims["intp_id"] != signing.partner.to_string() {
        return Err(format!("is for the partner {}", claims["intp_id"]));
    }
    Ok((header, claims))
}

/// Compares the expected members of an object, each with a value or a matcher.
fn members(
    what: &str,
    wanted: &Value,
    found: &Value,
    signing: &Signing,
    problems: &mut Vec<String>,
) {
    for (name, matcher) in wanted.as_object().into_iter().flatten() {
        let value = &found[name];
        let fits = if matcher["partner"] == true {
            *value == signing.partner.to_string()
        } else if matcher["now"] == true {
            value
                .as_i64()
                .is_some_and(|at| (at - Utc::now().timestamp()).abs() <= CLOCK_SECONDS)
        } else if let Some(range) = matcher.get("afterIat") {
            let span = value.as_i64().zip(found["iat"].as_i64());
            let bound = |index: usize| range[index].as_i64().unwrap_or_default();
            span.is_some_and(|(exp, iat)| (bound(0)..=bound(1)).contains(&(exp - iat)))
        } else {
            value == matcher
        };
        if !fits {
            problems.push(format!("{what}: {name} is {value}, not {matcher}"));
        }
    }
}

/// Compares JSON by its meaning: numbers by value, times by instant, null as absent.
///
/// The found value may have additional fields: a binding may keep those that the contract does not know.
fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(one), Value::Object(other)) => one
            .iter()
            .all(|(key, value)| same(value, other.get(key).unwrap_or(&Value::Null))),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::String(one), Value::String(other)) => {
            one == other
                || matches!(
                    (DateTime::parse_from_rfc3339(one), DateTime::parse_from_rfc3339(other)),
                    (Ok(one), Ok(other)) if one == other
                )
        }
        (one, other) => one == other,
    }
}

/// Returns the decoded segments of a path: which characters are encoded is up to the binding, except for separators.
fn segments(path: &str) -> Vec<Vec<u8>> {
    path.split('/')
        .map(|segment| percent_decode_str(segment).collect())
        .collect()
}

fn form(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |part: &str| {
                percent_decode_str(&part.replace('+', " "))
                    .decode_utf8_lossy()
                    .into_owned()
            };
            (decode(name), decode(value))
        })
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
