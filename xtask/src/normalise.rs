//! Prepares the contract for the generator.
//!
//! progenitor panics on some documents, and is silently wrong about others.
//! [`normalise`] rewrites what can be said in a way that it understands, logs
//! each rewrite, and refuses the rest with the operation and the JSON pointer.
//! It is pure: a document in, a document and its log out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result, bail, ensure};
use heck::{ToPascalCase as _, ToSnakeCase as _};
use serde_json::{Map, Value, json};

/// Methods of a path item that the generated client can send.
const METHODS: [&str; 6] = ["get", "put", "post", "delete", "head", "patch"];
/// Limits that the server checks; a client that refuses a reply for them is no help.
const LIMITS: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];
const SCHEMAS: &str = "#/components/schemas/";

/// One change that prepares the contract for the generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What kind of change.
    pub kind: Kind,
    /// JSON pointer of the node, in the document as it was when the step ran.
    pub pointer: String,
    /// What was done.
    pub text: String,
}

/// Kinds of [`Rewrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A schema without a name got one.
    Hoisted,
    /// The success of an operation stands for every 2xx.
    Success,
    /// A second success was dropped.
    DroppedSuccess,
    /// Failures were dropped: they arrive with status, headers and body intact.
    DroppedFailures,
    /// A component that nothing refers to any more was dropped.
    DroppedComponent,
    /// A whole number became an integer.
    Integer,
    /// A limit or a default was dropped.
    DroppedLimit,
    /// An optional field of a response may be null, too.
    Nullable,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hoisted => "hoisted",
            Self::Success => "success",
            Self::DroppedSuccess => "dropped-success",
            Self::DroppedFailures => "dropped-failures",
            Self::DroppedComponent => "dropped-component",
            Self::Integer => "integer",
            Self::DroppedLimit => "dropped-limit",
            Self::Nullable => "nullable",
        })
    }
}

impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.pointer, self.text)
    }
}

/// Prepares a contract for the generator, or says what cannot be carried over.
pub fn normalise(contract: &Value) -> Result<(Value, Vec<Rewrite>)> {
    let mut document = contract.clone();
    let mut log = Log::default();
    check_document(&document)?;
    check_operations(&document)?;
    hoist(&mut document, &mut log)?;
    check_type_names(&document)?;
    check_schemas(&document)?;
    one_success(&mut document, &mut log)?;
    drop_unused(&mut document, &mut log)?;
    check_kept_schemas(&document)?;
    integers(&mut document, &mut log);
    limits(&mut document, &mut log);
    nullable_responses(&mut document, &mut log)?;
    Ok((document, log.0))
}

/// An operation with where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// Its id; empty where it has none.
    pub id: &'a str,
    /// Path template.
    pub path: &'a str,
    /// Method, in lower case.
    pub method: &'a str,
    /// The operation object.
    pub value: &'a Value,
    /// Parameters of the whole path.
    pub shared: &'a [Value],
}

impl Operation<'_> {
    /// JSON pointer of the operation.
    pub fn pointer(&self) -> String {
        format!("/paths/{}/{}", escape(self.path), self.method)
    }
}

/// The operations of a document, in its order.
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in fields(&document["paths"]) {
        for (method, value) in fields(item) {
            if METHODS.contains(&method.as_str()) {
                found.push(Operation {
                    id: value["operationId"].as_str().unwrap_or_default(),
                    path,
                    method,
                    value,
                    shared: entries(&item["parameters"]),
                });
            }
        }
    }
    found
}

/// The node that a local `$ref` names, or the node itself.
pub fn resolve<'a>(document: &'a Value, node: &'a Value) -> Result<&'a Value> {
    let mut node = node;
    for _ in 0..16 {
        let Some(reference) = node.get("$ref").and_then(Value::as_str) else {
            return Ok(node);
        };
        let pointer = reference.strip_prefix('#').with_context(|| {
            format!("{reference} leads out of the document: put it under components")
        })?;
        node = document
            .pointer(pointer)
            .with_context(|| format!("{reference} does not exist"))?;
    }
    bail!("a chain of $ref does not end")
}

/// The Rust name that the generator gives to a component schema.
pub fn type_name(schema: &str) -> String {
    schema.to_pascal_case()
}

/// Whether a status is a success: 200 to 299, or the range `2XX`.
pub fn is_success(status: &str) -> bool {
    status.len() == 3 && status.starts_with('2')
}

#[derive(Debug, Default)]
struct Log(Vec<Rewrite>);

impl Log {
    fn add(&mut self, kind: Kind, pointer: impl Into<String>, text: impl Into<String>) {
        self.0.push(Rewrite {
            kind,
            pointer: pointer.into(),
            text: text.into(),
        });
    }
}

// Checks of what the generator panics on or is silently wrong about.

fn check_document(document: &Value) -> Result<()> {
    let version = document["openapi"].as_str().unwrap_or_default();
    ensure!(
        version.starts_with("3.0."),
        "/openapi: the document is OpenAPI {version:?}, the generator reads 3.0 only: publish it as 3.0.3"
    );
    for (path, item) in fields(&document["paths"]) {
        let at = format!("/paths/{}", escape(path));
        ensure!(
            item.get("$ref").is_none(),
            "{at}: a path cannot be a $ref: write the operations out"
        );
        for (key, _) in fields(item) {
            ensure!(
                !matches!(key.as_str(), "options" | "trace"),
                "{at}/{key}: the client cannot send this method"
            );
        }
    }
    Ok(())
}

fn check_operations(document: &Value) -> Result<()> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for operation in operations(document) {
        let at = operation.pointer();
        let id = operation.id;
        ensure!(
            !id.is_empty(),
            "{at}: operationId is missing: the method of the client is named after it"
        );
        ensure!(
            id == id.to_snake_case() && id.starts_with(|first: char| first.is_ascii_lowercase()),
            "{at}/operationId: {id:?} is not snake_case, as in list_websites"
        );
        if let Some(other) = seen.insert(id.to_owned(), at.clone()) {
            bail!("{at}/operationId: {id} names the operation at {other} already");
        }
        check_operation(document, operation).with_context(|| format!("operation {id}"))?;
    }
    Ok(())
}

fn check_operation(document: &Value, operation: Operation<'_>) -> Result<()> {
    let at = operation.pointer();
    ensure!(
        operation.value.get("callbacks").is_none(),
        "{at}/callbacks: the client cannot receive calls"
    );
    for (key, _) in fields(operation.value) {
        ensure!(
            !key.starts_with("x-dropshot-"),
            "{at}/{key}: changes what the generator does: remove it"
        );
    }
    check_parameters(document, operation)?;
    if let Some(body) = operation.value.get("requestBody") {
        let at = format!("{at}/requestBody");
        let body = resolve(document, body).context(at.clone())?;
        ensure!(
            body["required"] == json!(true),
            "{at}: an optional body is always sent: say required"
        );
        check_content(body, &at)?;
    }
    check_responses(document, operation)
}

fn check_parameters(document: &Value, operation: Operation<'_>) -> Result<()> {
    let at = operation.pointer();
    let in_path = path_parameters(operation.path).context(at.clone())?;
    let mut names: BTreeMap<String, String> =
        BTreeMap::from([("body".to_owned(), "the request body".to_owned())]);
    let mut found = BTreeSet::new();
    let own = entries(&operation.value["parameters"]);
    let listed = own
        .iter()
        .enumerate()
        .map(|(index, parameter)| (format!("{at}/parameters/{index}"), parameter));
    let shared = operation.shared.iter().enumerate();
    let shared = shared.map(|(index, parameter)| {
        (
            format!("/paths/{}/parameters/{index}", escape(operation.path)),
            parameter,
        )
    });
    for (at, parameter) in listed.chain(shared) {
        let parameter = resolve(document, parameter).context(at.clone())?;
        let name = parameter["name"].as_str().unwrap_or_default();
        let place = parameter["in"].as_str().unwrap_or_default();
        let style = parameter["style"].as_str();
        let known = match place {
            "path" | "header" => matches!(style, None | Some("simple")),
            "query" => matches!(style, None | Some("form")),
            "cookie" => bail!("{at}: {name} is a cookie, which the client cannot send"),
            other => bail!("{at}/in: {other:?} is no place for a parameter"),
        };
        ensure!(
            known,
            "{at}/style: {} is not supported for a {place} parameter",
            style.unwrap_or_default()
        );
        ensure!(
            parameter.get("content").is_none(),
            "{at}/content: give {name} a schema instead"
        );
        let schema = parameter
            .get("schema")
            .with_context(|| format!("{at}: {name} has no schema"))?;
        let schema = resolve(document, schema).context(at.clone())?;
        ensure!(
            schema["type"] != json!("object"),
            "{at}/schema: {name} is an object, which has no agreed form outside a body"
        );
        ensure!(
            schema["type"] != json!("array")
                || (place == "query" && parameter["explode"] != json!(false)),
            "{at}: the list {name} must be in the query and explode, its values are sent one by one"
        );
        if let Some(other) = names.insert(name.to_snake_case(), at.clone()) {
            bail!("{at}/name: {name} clashes with {other}: only one of them would be sent");
        }
        if place == "path" {
            ensure!(
                parameter["required"] == json!(true),
                "{at}: the path parameter {name} must be required"
            );
            ensure!(
                in_path.contains(name),
                "{at}: {name} is not in the path {}",
                operation.path
            );
            found.insert(name.to_owned());
        }
    }
    if let Some(missing) = in_path.difference(&found).next() {
        bail!("{at}: no parameter describes {{{missing}}}");
    }
    Ok(())
}

/// The parameters of a path template; each fills a whole segment, so that the path guard can check it.
fn path_parameters(path: &str) -> Result<BTreeSet<String>> {
    let Some(rest) = path.strip_prefix('/') else {
        bail!("the path must start with a slash")
    };
    let mut names = BTreeSet::new();
    for segment in rest.split('/') {
        if let Some(name) = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            ensure!(
                !name.contains(['{', '}']),
                "{segment} is more than one parameter"
            );
            ensure!(
                names.insert(name.to_owned()),
                "{segment} stands twice in the path"
            );
        } else {
            ensure!(
                !segment.contains(['{', '}']),
                "{segment} is only in part a parameter"
            );
            ensure!(!segment.is_empty(), "the path has an empty segment");
        }
    }
    Ok(names)
}

fn check_responses(document: &Value, operation: Operation<'_>) -> Result<()> {
    let at = format!("{}/responses", operation.pointer());
    let responses = &operation.value["responses"];
    ensure!(
        responses.get("default").is_none(),
        "{at}/default: would be read as a success, too: name the statuses"
    );
    let mut bodies: Vec<(&str, &Value)> = Vec::new();
    let mut successes = 0;
    for (status, response) in fields(responses) {
        if status.starts_with("x-") || !is_success(status) {
            continue;
        }
        successes += 1;
        let at = format!("{at}/{status}");
        let response = resolve(document, response).context(at.clone())?;
        if response
            .get("content")
            .is_some_and(|content| !fields_of(content).is_empty())
        {
            let schema = check_content(response, &at)?;
            bodies.push((status, schema));
        }
    }
    ensure!(
        successes > 0,
        "{at}: there is no success, and the reply would come as a raw stream"
    );
    if let [(first, schema), rest @ ..] = bodies.as_slice() {
        for (status, other) in rest {
            ensure!(
                schema == other,
                "{at}: {first} and {status} have different bodies, the client has one type for both"
            );
        }
    }
    Ok(())
}

/// The schema of a body that is JSON and nothing else.
fn check_content<'a>(body: &'a Value, at: &str) -> Result<&'a Value> {
    let content = fields_of(&body["content"]);
    ensure!(
        content.len() == 1,
        "{at}/content: there are {} content types ({}), the client reads one",
        content.len(),
        content
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    );
    let Some((name, media)) = content.iter().next() else {
        bail!("{at}/content: is empty")
    };
    ensure!(
        name == "application/json" || name.starts_with("application/json;"),
        "{at}/content: {name} is not JSON, the client would hand it over unread"
    );
    let at = format!("{at}/content/{}", escape(name));
    ensure!(
        media.get("encoding").is_none(),
        "{at}/encoding: is not supported"
    );
    media
        .get("schema")
        .with_context(|| format!("{at}: has no schema"))
}

fn check_type_names(document: &Value) -> Result<()> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (name, _) in fields(&document["components"]["schemas"]) {
        if let Some(other) = seen.insert(type_name(name), name) {
            bail!(
                "/components/schemas/{name}: gets the same Rust name as {other}, and one would hide the other"
            );
        }
    }
    Ok(())
}

fn check_schemas(document: &Value) -> Result<()> {
    let mut problem = Ok(());
    each_schema(document, &mut |at, schema| {
        if problem.is_ok() {
            problem = check_schema(document, schema).with_context(|| explain(document, at));
        }
    });
    problem
}

fn check_schema(document: &Value, schema: &Value) -> Result<()> {
    let fields = fields_of(schema);
    if fields.contains_key("$ref") {
        resolve(document, schema)?;
        let extra = fields.keys().find(|key| *key != "$ref");
        ensure!(
            extra.is_none(),
            "{} beside $ref is ignored: wrap the $ref in allOf",
            extra.map_or("", String::as_str)
        );
        return Ok(());
    }
    ensure!(
        schema["type"].is_string() || schema.get("type").is_none(),
        "type is not one word: a list of types is OpenAPI 3.1"
    );
    let composed = ["allOf", "oneOf", "anyOf"]
        .iter()
        .any(|key| fields.contains_key(*key));
    if schema["nullable"] == json!(true) {
        ensure!(
            fields.contains_key("type") || composed,
            "nullable without a type has no meaning"
        );
    }
    if let Some(values) = schema.get("enum") {
        ensure!(
            schema["type"] == json!("string"),
            "an enum must be of type string"
        );
        ensure!(
            entries(values).iter().all(Value::is_string),
            "an enum holds something that is no string: for null, say nullable where the enum is used"
        );
        ensure!(
            schema["nullable"] != json!(true),
            "an enum is nullable: say so where it is used"
        );
    }
    if schema["type"] == json!("array") {
        ensure!(fields.contains_key("items"), "an array has no items");
    }
    Ok(())
}

/// What is left over must be something that becomes one plain Rust type.
fn check_kept_schemas(document: &Value) -> Result<()> {
    let mut problem = Ok(());
    each_schema(document, &mut |at, schema| {
        if problem.is_err() {
            return;
        }
        for key in ["oneOf", "anyOf", "not", "discriminator"] {
            if schema.get(key).is_some() {
                problem = Err(anyhow::anyhow!(
                    "{key} has no plain Rust type: name one schema, or leave the schema open"
                ))
                .with_context(|| explain(document, at));
                return;
            }
        }
        if entries(&schema["allOf"]).len() > 1 {
            problem = Err(anyhow::anyhow!(
                "allOf of several schemas is merged in ways that lose fields: write them out"
            ))
            .with_context(|| explain(document, at));
        }
    });
    problem
}

/// A pointer, with the operation it belongs to where there is one.
fn explain(document: &Value, at: &str) -> String {
    let inside = operations(document)
        .into_iter()
        .find(|operation| at.starts_with(&format!("{}/", operation.pointer())));
    inside.map_or_else(
        || at.to_owned(),
        |operation| format!("operation {}: {at}", operation.id),
    )
}

// Rewrites.

/// Gives a name to every object and enum that has none.
fn hoist(document: &mut Value, log: &mut Log) -> Result<()> {
    let mut named: Map<String, Value> = fields_of(&document["components"]["schemas"]).clone();
    let mut taken: BTreeMap<String, String> = named
        .keys()
        .map(|name| (type_name(name), name.clone()))
        .collect();
    let components: Vec<String> = named.keys().cloned().collect();
    let mut hoister = Hoister {
        taken: &mut taken,
        new: Map::new(),
        log,
    };
    for name in components {
        let at = format!("/components/schemas/{}", escape(&name));
        let base = type_name(&name);
        if let Some(schema) = named.get_mut(&name) {
            hoister.children(schema, &at, &base)?;
        }
    }
    let ids: Vec<(String, String, String)> = operations(document)
        .iter()
        .map(|operation| {
            (
                operation.id.to_pascal_case(),
                operation.path.to_owned(),
                operation.method.to_owned(),
            )
        })
        .collect();
    for (base, path, method) in ids {
        let at = format!("/paths/{}/{method}", escape(&path));
        let Some(operation) = document.pointer_mut(&at) else {
            continue;
        };
        if let Some(body) = operation.get_mut("requestBody") {
            hoister.content(
                body,
                &format!("{at}/requestBody"),
                &format!("{base}Request"),
            )?;
        }
        if let Some(responses) = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut)
        {
            for (status, response) in responses {
                let name = if is_success(status) {
                    format!("{base}Response")
                } else {
                    format!("{base}Error{status}")
                };
                hoister.content(response, &format!("{at}/responses/{status}"), &name)?;
            }
        }
        if let Some(parameters) = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut)
        {
            for (index, parameter) in parameters.iter_mut().enumerate() {
                let name = format!(
                    "{base}{}",
                    parameter["name"]
                        .as_str()
                        .unwrap_or_default()
                        .to_pascal_case()
                );
                if let Some(schema) = parameter.get_mut("schema") {
                    hoister.schema(schema, &format!("{at}/parameters/{index}/schema"), &name)?;
                }
            }
        }
    }
    for (kind, suffix) in [("responses", "Response"), ("requestBodies", "Request")] {
        if let Some(bodies) = document
            .pointer_mut(&format!("/components/{kind}"))
            .and_then(Value::as_object_mut)
        {
            for (name, body) in bodies {
                let at = format!("/components/{kind}/{}", escape(name));
                hoister.content(body, &at, &format!("{}{suffix}", type_name(name)))?;
            }
        }
    }
    named.extend(hoister.new);
    if !named.is_empty() {
        document["components"]["schemas"] = Value::Object(named);
    }
    Ok(())
}

struct Hoister<'a> {
    taken: &'a mut BTreeMap<String, String>,
    new: Map<String, Value>,
    log: &'a mut Log,
}

impl Hoister<'_> {
    fn content(&mut self, body: &mut Value, at: &str, name: &str) -> Result<()> {
        if let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) {
            for (media, value) in content {
                if let Some(schema) = value.get_mut("schema") {
                    self.schema(
                        schema,
                        &format!("{at}/content/{}/schema", escape(media)),
                        name,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Hoists the schema itself, if it needs a name, or else what is in it.
    fn schema(&mut self, schema: &mut Value, at: &str, name: &str) -> Result<()> {
        self.children(schema, at, name)?;
        let is_enum = schema.get("enum").is_some();
        let is_object = schema.get("properties").is_some();
        let is_merged = entries(&schema["allOf"]).len() > 1;
        if !(is_enum || is_object || is_merged) {
            return Ok(());
        }
        if let Some(other) = self.taken.insert(name.to_owned(), at.to_owned()) {
            bail!(
                "{at}: the schema has no name, and the derived one, {name}, is taken by {other}: name it in the contract"
            );
        }
        let mut hoisted = std::mem::take(schema);
        // Null is a matter of the place, not of the type.
        let nullable = hoisted
            .as_object_mut()
            .and_then(|fields| fields.shift_remove("nullable"));
        let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
        *schema = match nullable {
            Some(nullable) => json!({ "allOf": [reference], "nullable": nullable }),
            None => reference,
        };
        self.new.insert(name.to_owned(), hoisted);
        self.log.add(Kind::Hoisted, at, format!("named {name}"));
        Ok(())
    }

    fn children(&mut self, schema: &mut Value, at: &str, base: &str) -> Result<()> {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for (name, property) in properties {
                let at = format!("{at}/properties/{}", escape(name));
                self.schema(property, &at, &format!("{base}{}", name.to_pascal_case()))?;
            }
        }
        if let Some(items) = schema.get_mut("items") {
            self.schema(items, &format!("{at}/items"), &format!("{base}Item"))?;
        }
        if let Some(values) = schema
            .get_mut("additionalProperties")
            .filter(|values| values.is_object())
        {
            self.schema(
                values,
                &format!("{at}/additionalProperties"),
                &format!("{base}Value"),
            )?;
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            if let Some(parts) = schema.get_mut(key).and_then(Value::as_array_mut) {
                for (index, part) in parts.iter_mut().enumerate() {
                    self.schema(
                        part,
                        &format!("{at}/{key}/{index}"),
                        &format!("{base}{}", index + 1),
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Keeps one success for each operation, standing for all of 2xx, and nothing else.
fn one_success(document: &mut Value, log: &mut Log) -> Result<()> {
    let resolved = document.clone();
    for operation in operations(&resolved) {
        let at = format!("{}/responses", operation.pointer());
        let mut kept: Option<(&str, &Value, bool)> = None;
        let mut failures = Vec::new();
        for (status, response) in fields(&operation.value["responses"]) {
            if status.starts_with("x-") {
                continue;
            }
            if !is_success(status) {
                failures.push(status.as_str());
                continue;
            }
            let response = resolve(&resolved, response)?;
            let has_body = response
                .get("content")
                .is_some_and(|content| !fields_of(content).is_empty());
            match kept {
                Some((other, _, other_has_body)) => {
                    let (dropped, stays) = if has_body && !other_has_body {
                        (other, status.as_str())
                    } else {
                        (status.as_str(), other)
                    };
                    let why = if has_body == other_has_body {
                        "the same body"
                    } else {
                        "no body"
                    };
                    log.add(
                        Kind::DroppedSuccess,
                        format!("{at}/{dropped}"),
                        format!("{why}, {stays} stands for it"),
                    );
                    if stays == status {
                        kept = Some((status, response, has_body));
                    }
                }
                None => kept = Some((status, response, has_body)),
            }
        }
        let Some((status, response, has_body)) = kept else {
            bail!("operation {}: {at}: there is no success", operation.id);
        };
        let what = if has_body { "" } else { ", without a body" };
        if status != "2XX" {
            log.add(
                Kind::Success,
                format!("{at}/{status}"),
                format!("stands for 2XX{what}"),
            );
        }
        if !failures.is_empty() {
            log.add(Kind::DroppedFailures, at.clone(), failures.join(", "));
        }
        if let Some(responses) = document.pointer_mut(&at) {
            *responses = json!({ "2XX": response });
        }
    }
    Ok(())
}

/// Drops the components that no operation reaches.
fn drop_unused(document: &mut Value, log: &mut Log) -> Result<()> {
    let mut used = BTreeSet::new();
    let mut open = vec![&document["paths"]];
    while let Some(node) = open.pop() {
        for reference in references(node) {
            if used.insert(reference.to_owned()) {
                open.push(resolve(
                    document,
                    document.pointer(&reference[1..]).unwrap_or(&Value::Null),
                )?);
            }
        }
    }
    if let Some(components) = document
        .get_mut("components")
        .and_then(Value::as_object_mut)
    {
        for kind in [
            "schemas",
            "responses",
            "parameters",
            "requestBodies",
            "headers",
            "examples",
            "links",
            "callbacks",
        ] {
            let Some(named) = components.get_mut(kind).and_then(Value::as_object_mut) else {
                continue;
            };
            named.retain(|name, _| {
                let keep = used.contains(&format!("#/components/{kind}/{name}"));
                if !keep {
                    log.add(
                        Kind::DroppedComponent,
                        format!("/components/{kind}/{}", escape(name)),
                        "nothing sent or decoded refers to it",
                    );
                }
                keep
            });
        }
    }
    Ok(())
}

/// `number` in steps of 1 is an integer; as a number it would be sent as `0.0`.
fn integers(document: &mut Value, log: &mut Log) {
    each_schema_mut(document, &mut |at, schema| {
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        let whole = fields.get("type") == Some(&json!("number"))
            && fields
                .get("multipleOf")
                .and_then(Value::as_f64)
                .is_some_and(|step| (step - 1.0).abs() < f64::EPSILON);
        if whole {
            fields.insert("type".to_owned(), json!("integer"));
            fields.insert("format".to_owned(), json!("int64"));
            fields.shift_remove("multipleOf");
            log.add(Kind::Integer, at, "number in steps of 1, now int64");
        }
    });
}

/// Limits and defaults are the server's business.
///
/// A limit would become a wrapper type that refuses replies, and a default
/// would be sent with every request that leaves the field out.
fn limits(document: &mut Value, log: &mut Log) {
    each_schema_mut(document, &mut |at, schema| {
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        for key in LIMITS.iter().chain(["default"].iter()) {
            if let Some(value) = fields.shift_remove(*key) {
                log.add(
                    Kind::DroppedLimit,
                    at,
                    format!("{key} {value} is checked by the server"),
                );
            }
        }
    });
}

/// An optional field of a response may be absent or null.
///
/// The generator gives most optional fields an `Option`, but lists and maps a
/// bare type that refuses null.
fn nullable_responses(document: &mut Value, log: &mut Log) -> Result<()> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Value> = operations(document)
        .iter()
        .map(|operation| &operation.value["responses"])
        .collect();
    while let Some(node) = open.pop() {
        for reference in references(node) {
            if let Some(name) = reference.strip_prefix(SCHEMAS)
                && reached.insert(name.to_owned())
            {
                open.push(resolve(document, &document["components"]["schemas"][name])?);
            }
        }
    }
    let resolved = document.clone();
    for name in reached {
        let at = format!("/components/schemas/{}", escape(&name));
        let Some(schema) = document.pointer_mut(&at) else {
            continue;
        };
        let required: BTreeSet<String> = entries(&schema["required"])
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            continue;
        };
        for (field, property) in properties {
            if required.contains(field) || property["nullable"] == json!(true) {
                continue;
            }
            let target = match entries(&property["allOf"]) {
                [only] => resolve(&resolved, only)?,
                _ => resolve(&resolved, property)?,
            };
            let bare = target["type"] == json!("array")
                || (target.get("properties").is_none()
                    && target.get("additionalProperties").is_some());
            if !bare {
                continue;
            }
            if property.get("$ref").is_some() {
                *property = json!({ "allOf": [property.take()], "nullable": true });
            } else {
                property["nullable"] = json!(true);
            }
            log.add(
                Kind::Nullable,
                format!("{at}/properties/{}", escape(field)),
                "optional in a response, so null is fine",
            );
        }
    }
    Ok(())
}

// Walks.

/// Calls `visit` with every schema and its pointer, outer ones first.
fn each_schema(document: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    let mut copy = document.clone();
    each_schema_mut(&mut copy, &mut |at, schema| visit(at, schema));
}

fn each_schema_mut(document: &mut Value, visit: &mut dyn FnMut(&str, &mut Value)) {
    if let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        for (name, schema) in schemas {
            walk_schema(
                schema,
                &format!("/components/schemas/{}", escape(name)),
                visit,
            );
        }
    }
    for kind in ["responses", "requestBodies", "parameters"] {
        if let Some(holders) = document
            .pointer_mut(&format!("/components/{kind}"))
            .and_then(Value::as_object_mut)
        {
            for (name, holder) in holders {
                walk_holder(
                    holder,
                    &format!("/components/{kind}/{}", escape(name)),
                    visit,
                );
            }
        }
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for (path, item) in paths {
        let at = format!("/paths/{}", escape(path));
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        for (method, operation) in item {
            if method == "parameters" {
                walk_list(operation, &format!("{at}/parameters"), visit);
                continue;
            }
            let at = format!("{at}/{method}");
            if let Some(parameters) = operation.get_mut("parameters") {
                walk_list(parameters, &format!("{at}/parameters"), visit);
            }
            if let Some(body) = operation.get_mut("requestBody") {
                walk_holder(body, &format!("{at}/requestBody"), visit);
            }
            if let Some(responses) = operation
                .get_mut("responses")
                .and_then(Value::as_object_mut)
            {
                for (status, response) in responses {
                    walk_holder(response, &format!("{at}/responses/{status}"), visit);
                }
            }
        }
    }
}

fn walk_list(holders: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
    for (index, holder) in holders.as_array_mut().into_iter().flatten().enumerate() {
        walk_holder(holder, &format!("{at}/{index}"), visit);
    }
}

/// Something with a schema of its own, or with one for each content type.
fn walk_holder(holder: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
    if let Some(schema) = holder.get_mut("schema") {
        walk_schema(schema, &format!("{at}/schema"), visit);
    }
    for (media, value) in holder
        .get_mut("content")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if let Some(schema) = value.get_mut("schema") {
            walk_schema(
                schema,
                &format!("{at}/content/{}/schema", escape(media)),
                visit,
            );
        }
    }
}

fn walk_schema(schema: &mut Value, at: &str, visit: &mut dyn FnMut(&str, &mut Value)) {
    visit(at, schema);
    for (name, property) in schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        walk_schema(
            property,
            &format!("{at}/properties/{}", escape(name)),
            visit,
        );
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = schema.get_mut(key).filter(|inner| inner.is_object()) {
            walk_schema(inner, &format!("{at}/{key}"), visit);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for (index, part) in schema
            .get_mut(key)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .enumerate()
        {
            walk_schema(part, &format!("{at}/{key}/{index}"), visit);
        }
    }
}

/// Every `$ref` in a node. Examples are data, not references.
fn references(node: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(reference)) => found.push(reference.as_str()),
                        ("example" | "examples", _) => {}
                        _ => open.push(value),
                    }
                }
            }
            Value::Array(entries) => open.extend(entries),
            _ => {}
        }
    }
    found
}

/// One step of a JSON pointer.
fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

fn fields(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.as_object().into_iter().flatten()
}

fn fields_of(node: &Value) -> &Map<String, Value> {
    static EMPTY: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();
    node.as_object()
        .unwrap_or_else(|| EMPTY.get_or_init(Map::new))
}

fn entries(node: &Value) -> &[Value] {
    node.as_array().map_or(&[], Vec::as_slice)
}
