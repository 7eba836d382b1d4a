//! A released client: what it sends, and how it reads responses.

use std::cell::{LazyCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Draft;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use twipla_api::{PackageId, types};

use super::sample::{SHAPES, Way, sample};

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];
/// The number of branches and enum values that are tried.
const PICKS: usize = 6;

/// The client that was generated from a document.
pub(crate) struct Client {
    calls: Vec<Call>,
    /// Operations for which no request or response could be generated.
    untried: RefCell<BTreeSet<String>>,
}

struct Call {
    operation: String,
    method: &'static str,
    /// Without the names of its parameters, which are filled in.
    path: String,
    /// Name, location and values of each parameter that is sent.
    parameters: Vec<(String, String, Vec<Value>)>,
    /// The bodies that are sent; empty if the operation has no body.
    bodies: Vec<Value>,
    servers: Vec<String>,
    security: Value,
    /// The operation with everything that it refers to, to detect changes.
    whole: Value,
}

impl Client {
    pub(crate) fn of(document: &Value) -> Self {
        let calls = operations(document)
            .into_iter()
            .map(|found| Call::of(document, &found))
            .collect();
        Self {
            calls,
            untried: RefCell::default(),
        }
    }

    pub(crate) fn operations(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn untried(&self) -> BTreeSet<String> {
        self.untried.borrow().clone()
    }

    /// Returns what fails for the client at a server with this document, by operation. Skips operations that did not
    /// change.
    pub(crate) fn meets(&self, document: &Value) -> BTreeMap<String, String> {
        self.problems(document, |call, found| found.whole(document) != call.whole)
    }

    /// Like [`meets`](Self::meets), for every operation.
    pub(crate) fn meets_everywhere(&self, document: &Value) -> BTreeMap<String, String> {
        self.problems(document, |_, _| true)
    }

    fn problems(
        &self,
        document: &Value,
        is_tried: impl Fn(&Call, &Found<'_>) -> bool,
    ) -> BTreeMap<String, String> {
        let server: BTreeMap<_, _> = operations(document)
            .into_iter()
            .map(|found| ((found.method, found.shape.clone()), found))
            .collect();
        let root = LazyCell::new(|| json_schemas(document));
        let mut broken = BTreeMap::new();
        for call in &self.calls {
            let key = (call.method, call.path.clone());
            let problem = match server.get(&key) {
                None => Some("the operation was removed".to_owned()),
                Some(found) if is_tried(call, found) => self.problem(call, found, document, &root),
                Some(_) => None,
            };
            if let Some(problem) = problem {
                broken.insert(call.operation.clone(), problem);
            }
        }
        broken
    }

    fn problem(
        &self,
        call: &Call,
        found: &Found<'_>,
        document: &Value,
        root: &Value,
    ) -> Option<String> {
        if found.security(document) != call.security {
            return Some("another authentication is required".to_owned());
        }
        let servers = found.servers(document);
        if !call.servers.iter().all(|server| servers.contains(server)) {
            return Some(format!("it is at {servers:?} now"));
        }
        for parameter in found.parameters(document) {
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = parameter["in"].as_str().unwrap_or_default();
            let sent = call.parameters.iter().find(|(sent, at, _)| {
                place == "path" && at == "path" || sent == name && at == place
            });
            match sent {
                None if parameter["required"] == true => {
                    return Some(format!("{place} parameter {name} is not sent"));
                }
                // Path parameters are filled in by position.
                Some((_, at, _)) if at == "path" => {}
                Some((_, _, values)) => {
                    if let Some(refused) = refused(root, &parameter["schema"], values) {
                        return Some(format!("parameter {name}: {refused}"));
                    }
                }
                None => {}
            }
        }
        let body = &found.operation["requestBody"];
        let body = follow(document, body);
        if call.bodies.is_empty() && body["required"] == true {
            return Some("a body is required".to_owned());
        }
        if !call.bodies.is_empty() && !body.is_null() {
            let Some(schema) = json_content(body) else {
                return Some("the body is no longer JSON".to_owned());
            };
            if let Some(refused) = refused(root, schema, &call.bodies) {
                return Some(format!("the body: {refused}"));
            }
        }
        self.unreadable(call, found, document, root)
    }

    /// Returns a response of the document that the old types cannot decode.
    fn unreadable(
        &self,
        call: &Call,
        found: &Found<'_>,
        document: &Value,
        root: &Value,
    ) -> Option<String> {
        let decode = decoder(&call.operation)?;
        let mut tried = false;
        for (status, response) in found.successes(document) {
            let Some(schema) = json_content(response) else {
                if body_may_be_missing(&call.operation) {
                    continue;
                }
                return Some(format!("{status} has no JSON"));
            };
            let Some(admits) = validator(root, schema) else {
                continue;
            };
            for shape in SHAPES {
                for pick in 0..PICKS {
                    let value = sample(document, schema, Way::Response, shape, pick);
                    if !admits.is_valid(&value) {
                        continue;
                    }
                    tried = true;
                    if let Err(error) = decode(value.clone()) {
                        return Some(format!("{status} cannot be read, {error}: {value}"));
                    }
                }
            }
        }
        if !tried {
            self.untried.borrow_mut().insert(call.operation.clone());
        }
        None
    }
}

impl Call {
    fn of(document: &Value, found: &Found<'_>) -> Self {
        let root = json_schemas(document);
        let values = |schema: &Value| {
            let mut values = Vec::new();
            for shape in SHAPES {
                for pick in 0..PICKS {
                    let value = sample(document, schema, Way::Request, shape, pick);
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
            let admits = validator(&root, schema).expect("a schema of the contract");
            values.retain(|value| admits.is_valid(value));
            assert!(!values.is_empty(), "no value of {schema}");
            values
        };
        let parameters = found
            .parameters(document)
            .into_iter()
            .map(|parameter| {
                let text = |name: &str| parameter[name].as_str().unwrap().to_owned();
                (text("name"), text("in"), values(&parameter["schema"]))
            })
            .collect();
        let body = follow(document, &found.operation["requestBody"]);
        Self {
            operation: found.operation["operationId"].as_str().unwrap().to_owned(),
            method: found.method,
            path: found.shape.clone(),
            parameters,
            bodies: json_content(body).map(values).unwrap_or_default(),
            servers: found.servers(document),
            security: found.security(document),
            whole: found.whole(document),
        }
    }
}

/// An operation and its location.
struct Found<'a> {
    method: &'static str,
    shape: String,
    item: &'a Value,
    operation: &'a Value,
}

fn operations(document: &Value) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let segments: Vec<_> = path
            .split('/')
            .map(|segment| {
                if segment.starts_with('{') {
                    "{}"
                } else {
                    segment
                }
            })
            .collect();
        for method in METHODS {
            if item[method].is_object() {
                found.push(Found {
                    method,
                    shape: segments.join("/"),
                    item,
                    operation: &item[method],
                });
            }
        }
    }
    found
}

impl<'a> Found<'a> {
    fn parameters(&self, document: &'a Value) -> Vec<&'a Value> {
        let own = self.operation["parameters"].as_array();
        let shared = self.item["parameters"].as_array();
        own.into_iter()
            .chain(shared)
            .flatten()
            .map(|parameter| follow(document, parameter))
            .collect()
    }

    fn servers(&self, document: &Value) -> Vec<String> {
        let servers = [self.operation, self.item, document]
            .into_iter()
            .find_map(|place| place["servers"].as_array())
            .cloned()
            .unwrap_or_default();
        let url = |server: &Value| server["url"].as_str().map(str::to_owned);
        servers.iter().filter_map(url).collect()
    }

    /// Returns the effective security requirement, with the schemes inlined.
    fn security(&self, document: &Value) -> Value {
        let asked = [self.operation, document]
            .into_iter()
            .find_map(|place| place.get("security"))
            .cloned()
            .unwrap_or_default();
        let schemes: Vec<_> = asked
            .as_array()
            .into_iter()
            .flatten()
            .map(|alternative| {
                let names = alternative.as_object().into_iter().flatten();
                names
                    .map(|(name, _)| {
                        let scheme = &document["components"]["securitySchemes"][name];
                        let field = |field: &str| scheme[field].clone();
                        json!([field("type"), field("scheme"), field("in"), field("name")])
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        json!(schemes)
    }

    fn successes(&self, document: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let responses = self.operation["responses"].as_object();
        responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(status, response)| (status.as_str(), follow(document, response)))
            .collect()
    }

    /// Returns the operation with everything that it refers to.
    fn whole(&self, document: &Value) -> Value {
        json!([
            inlined(document, self.operation, 0),
            inlined(document, &self.item["parameters"], 0),
            self.servers(document),
            self.security(document),
        ])
    }
}

fn inlined(document: &Value, value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(fields) => {
            if depth < 12
                && let Some(target) = fields.get("$ref").and_then(Value::as_str)
                && let Some(target) = document.pointer(target.trim_start_matches('#'))
            {
                return inlined(document, target, depth + 1);
            }
            let inline = |value: &Value| inlined(document, value, depth);
            fields
                .iter()
                .map(|(key, value)| (key.clone(), inline(value)))
                .collect()
        }
        Value::Array(items) => items
            .iter()
            .map(|item| inlined(document, item, depth))
            .collect(),
        other => other.clone(),
    }
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"]
        .as_str()
        .and_then(|target| document.pointer(target.trim_start_matches('#')))
        .unwrap_or(value)
}

fn json_content(body: &Value) -> Option<&Value> {
    let content = body["content"].as_object()?;
    content
        .iter()
        .find(|(kind, _)| kind.starts_with("application/json"))
        .map(|(_, media)| &media["schema"])
}

/// Returns the first of the values that a schema rejects, with the reason.
fn refused(root: &Value, schema: &Value, values: &[Value]) -> Option<String> {
    let admits = validator(root, schema)?;
    values.iter().find_map(|value| {
        let error = admits.validate(value).err()?;
        Some(format!("{error} at `{}`", error.instance_path()))
    })
}

/// Returns `None` if the edit left no valid schema.
fn validator(root: &Value, schema: &Value) -> Option<jsonschema::Validator> {
    let mut whole = root.as_object()?.clone();
    whole.insert("allOf".to_owned(), json!([as_json_schema(schema)]));
    jsonschema::options()
        .with_draft(Draft::Draft4)
        .with_format("uuid", |text| text.parse::<PackageId>().is_ok())
        .should_validate_formats(true)
        .build(&Value::Object(whole))
        .ok()
}

/// Returns the components as JSON Schema, for references to them.
fn json_schemas(document: &Value) -> Value {
    json!({ "components": { "schemas": as_json_schema(&document["components"]["schemas"]) } })
}

/// Converts `nullable` of OpenAPI 3.0 to a type of JSON Schema.
fn as_json_schema(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let converted: Map<_, _> = fields
                .iter()
                .filter(|(key, _)| *key != "example" && *key != "default")
                .map(|(key, value)| (key.clone(), as_json_schema(value)))
                .collect();
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                return json!({ "anyOf": [converted, { "enum": [null] }] });
            }
            Value::Object(converted)
        }
        Value::Array(items) => items.iter().map(as_json_schema).collect(),
        other => other.clone(),
    }
}

/// Reports whether the facade accepts a response without a body, because it needs none or reads back what was created.
fn body_may_be_missing(operation: &str) -> bool {
    matches!(
        operation,
        "create_website" | "delete_customer" | "delete_website" | "deactivate_intpc_subscription"
    )
}

type Decode = fn(Value) -> Result<(), String>;

/// Returns the decoder for the response of an operation, or `None` if the facade ignores the body.
fn decoder(operation: &str) -> Option<Decode> {
    fn read<T: DeserializeOwned>(value: Value) -> Result<(), String> {
        serde_json::from_value::<T>(value)
            .map(drop)
            .map_err(|error| error.to_string())
    }
    Some(match operation {
        "delete_api_key"
        | "remove_contributor"
        | "add_contributor"
        | "assign_package"
        | "unassign_package"
        | "add_whitelisted_domain"
        | "remove_whitelisted_domain" => return None,
        "list_api_keys" => read::<types::ApiKeyListResponse>,
        "create_api_key" => read::<types::CreatedApiKeyResponse>,
        "login_with_api_key" => read::<types::DashboardTokensResponse>,
        "deactivate_intpc_subscription" => read::<types::DeactivatedIntpcSubscriptionResponse>,
        "list_contributors" => read::<types::WebsiteContributorsResponse>,
        "list_customers" => read::<types::IntpcListResponse>,
        "create_customer" => read::<types::CreatedIntpcResponse>,
        "get_customer" | "delete_customer" => read::<types::IntpcResponse>,
        "list_packages" => read::<types::PackageListResponse>,
        "create_package" | "get_package" | "rename_package" => read::<types::PackageResponse>,
        "list_websites" => read::<types::WebsiteListResponse>,
        "create_website"
        | "create_website_flat"
        | "get_website"
        | "delete_website"
        | "get_website_by_id" => read::<types::WebsiteResponse>,
        "list_whitelisted_domains" => read::<types::WhitelistedDomainListResponse>,
        "get_company_details" => read::<types::CompanyDetailsResponse>,
        "query_session_analytics" | "query_page_analytics" | "query_raw_sessions" => {
            read::<types::AnalyticsResponse>
        }
        "query_visits_graph" | "query_bounce_rate_graph" | "query_page_view_duration_graph" => {
            read::<types::GraphResponse>
        }
        "query_traffic_share" => read::<types::Graph>,
        subscription if subscription.ends_with("_subscription") => {
            read::<types::SubscriptionResponse>
        }
        other => panic!("which type has the response of {other}?"),
    })
}
