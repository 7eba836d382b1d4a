//! Finds what the generator does not support, before it runs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use heck::ToSnakeCase as _;
use serde_json::{Value, json};

use super::parameters;
use crate::document::{
    Operation, each_schema, entries, escape, fields, is_success, object, operations, resolve,
    type_name,
};

/// Combines all problems into one error, so that they can be fixed together.
pub(super) fn fail(problems: &[anyhow::Error]) -> Result<()> {
    let mut texts: Vec<String> = problems
        .iter()
        .map(|problem| format!("{problem:#}"))
        .collect();
    texts.dedup();
    match texts.as_slice() {
        [] => Ok(()),
        [one] => bail!("{one}"),
        all => bail!("{} refusals:\n- {}", all.len(), all.join("\n- ")),
    }
}

/// Returns the problems of the document as a whole.
pub(super) fn document(document: &Value) -> Vec<anyhow::Error> {
    let mut problems = Vec::new();
    let version = document["openapi"].as_str().unwrap_or_default();
    if !version.starts_with("3.0.") {
        problems.push(anyhow!(
            "/openapi: the document is OpenAPI {version:?}, the generator reads 3.0 only: publish it as 3.0.3"
        ));
    }
    for (path, item) in fields(&document["paths"]) {
        let at = format!("/paths/{}", escape(path));
        if item.get("$ref").is_some() {
            problems.push(anyhow!(
                "{at}: a path cannot be a $ref: write the operations out"
            ));
        }
        for (key, _) in fields(item) {
            if matches!(key, "options" | "trace") {
                problems.push(anyhow!(
                    "{at}/{key}: the client cannot send this method: remove it by an overlay"
                ));
            }
        }
    }
    problems
}

/// Returns the problems of each operation.
pub(super) fn all_operations(document: &Value) -> Vec<anyhow::Error> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for operation in operations(document) {
        problems.extend(check_id(operation, &mut seen).err());
        let checked = check_operation(document, operation);
        problems.extend(
            checked
                .with_context(|| format!("operation {}", operation.id))
                .err(),
        );
    }
    problems
}

fn check_id<'a>(operation: Operation<'a>, seen: &mut BTreeMap<&'a str, String>) -> Result<()> {
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
    if let Some(other) = seen.insert(id, at.clone()) {
        bail!("{at}/operationId: {id} names the operation at {other} already");
    }
    Ok(())
}

pub(super) fn check_operation(document: &Value, operation: Operation<'_>) -> Result<()> {
    let at = operation.pointer();
    ensure!(
        operation.value.get("callbacks").is_none(),
        "{at}/callbacks: the client cannot receive callbacks"
    );
    for (key, _) in fields(operation.value) {
        ensure!(
            !key.starts_with("x-dropshot-"),
            "{at}/{key}: changes the behaviour of the generator: remove it"
        );
    }
    check_parameters(document, operation)?;
    if let Some(body) = operation.value.get("requestBody") {
        let at = format!("{at}/requestBody");
        let body = resolve(document, body).context(at.clone())?;
        ensure!(
            body["required"] == json!(true),
            "{at}: an optional body would always be sent: make it required"
        );
        check_content(body, &at)?;
    }
    check_responses(document, operation)
}

pub(super) fn check_parameters(document: &Value, operation: Operation<'_>) -> Result<()> {
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
        if parameters::left_out(document, parameter).is_some() {
            continue;
        }
        let style = parameter["style"].as_str();
        let known = match place {
            "path" | "header" => matches!(style, None | Some("simple")),
            "query" => matches!(style, None | Some("form")),
            "cookie" => bail!(
                "{at}: {name} is a cookie, which the client cannot send: remove it by an overlay"
            ),
            other => bail!("{at}/in: invalid location {other:?}: expected path, query or header"),
        };
        ensure!(
            known,
            "{at}/style: {} is not supported for a {place} parameter: remove it by an overlay",
            style.unwrap_or_default()
        );
        ensure!(
            parameter.get("content").is_none(),
            "{at}/content: give {name} a schema instead, by an overlay"
        );
        let schema = parameter
            .get("schema")
            .with_context(|| format!("{at}: {name} has no schema"))?;
        let schema = resolve(document, schema).context(at.clone())?;
        ensure!(
            schema["type"] != json!("object"),
            "{at}/schema: {name} is an object, which has no standard form outside a body"
        );
        ensure!(
            schema["type"] != json!("array") || parameters::is_comma_list(document, parameter),
            "{at}/schema: {name} is a list, and the client sends single values: remove it by an overlay"
        );
        if let Some(other) = names.insert(name.to_snake_case(), at.clone()) {
            bail!(
                "{at}/name: {name} clashes with {other}: only one of them would be sent, remove the other by an overlay"
            );
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

/// Returns the parameters of a path template. Each fills a whole segment, so that the path guard can check it.
pub(super) fn path_parameters(path: &str) -> Result<BTreeSet<String>> {
    let Some(rest) = path.strip_prefix('/') else {
        bail!("the path must start with a slash")
    };
    let mut names = BTreeSet::new();
    ensure!(
        !rest.contains(['?', '#']),
        "the path contains a query or a fragment: replace it by described parameters in an overlay"
    );
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
                "{segment} occurs twice in the path"
            );
        } else {
            ensure!(
                !segment.contains(['{', '}']),
                "{segment} is a parameter only in part: the client fills whole segments, remove it by an overlay"
            );
            ensure!(
                !segment.is_empty(),
                "the path has an empty segment: remove it by an overlay"
            );
        }
    }
    Ok(names)
}

pub(super) fn check_responses(document: &Value, operation: Operation<'_>) -> Result<()> {
    let at = format!("{}/responses", operation.pointer());
    let responses = &operation.value["responses"];
    ensure!(
        responses.get("default").is_none(),
        "{at}/default: would also match successes: list the statuses"
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
            .is_some_and(|content| !object(content).is_empty())
        {
            let schema = check_content(response, &at)?;
            bodies.push((status, schema));
        }
    }
    ensure!(
        successes > 0,
        "{at}: no response is a success, so the client would return a raw stream"
    );
    if let [(first, schema), rest @ ..] = bodies.as_slice() {
        for (status, other) in rest {
            ensure!(
                schema == other,
                "{at}: {first} and {status} have different bodies, the client has one type for both: remove one of them by an \
                 overlay"
            );
        }
    }
    Ok(())
}

/// Returns the schema of a body that is JSON and nothing else.
pub(super) fn check_content<'a>(body: &'a Value, at: &str) -> Result<&'a Value> {
    let content = object(&body["content"]);
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
        "{at}/content: {name} is not JSON, the client would return it unparsed: remove the operation by an overlay"
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

pub(super) fn check_type_names(document: &Value) -> Result<()> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (name, _) in fields(&document["components"]["schemas"]) {
        if let Some(other) = seen.insert(type_name(name), name) {
            bail!(
                "/components/schemas/{name}: gets the same Rust name as {other}, and one would hide the other: rename one of \
                 them otherwise under [schemas] in openapi/names.toml"
            );
        }
    }
    Ok(())
}

/// Returns the problems of each schema.
pub(super) fn all_schemas(document: &Value) -> Vec<anyhow::Error> {
    let mut problems = Vec::new();
    each_schema(document, &mut |at, schema| {
        let checked = check_schema(document, schema);
        problems.extend(checked.with_context(|| explain(document, at)).err());
    });
    problems
}

pub(super) fn check_schema(document: &Value, schema: &Value) -> Result<()> {
    let fields = object(schema);
    if fields.contains_key("$ref") {
        resolve(document, schema)?;
        let extra = fields.keys().find(|key| *key != "$ref");
        ensure!(
            extra.is_none(),
            "{} next to $ref is ignored: wrap the $ref in allOf",
            extra.map_or("", String::as_str)
        );
        return Ok(());
    }
    ensure!(
        schema["type"].is_string() || schema.get("type").is_none(),
        "invalid type: expected a single type, a list of types is OpenAPI 3.1"
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
            "invalid enum value: expected a string (for null, set nullable where the enum is used)"
        );
        ensure!(
            schema["nullable"] != json!(true),
            "an enum is nullable: set nullable where it is used"
        );
    }
    if schema["type"] == json!("array") {
        ensure!(fields.contains_key("items"), "an array has no items");
    }
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for property in object(&schema["properties"]).keys() {
        if let Some(other) = names.insert(property.to_snake_case(), property) {
            bail!(
                "the properties {other} and {property} get the same Rust name: remove one of them by an overlay"
            );
        }
    }
    Ok(())
}

/// Returns the problems of the remaining schemas, which must become one plain Rust type each.
pub(super) fn kept_schemas(document: &Value) -> Vec<anyhow::Error> {
    let mut problems = Vec::new();
    each_schema(document, &mut |at, schema| {
        let mut reject = |cause: &str| problems.push(anyhow!("{}: {cause}", explain(document, at)));
        if entries(&schema["allOf"]).len() > 1 {
            reject(
                "allOf of several schemas is merged in ways that lose fields: write a single schema",
            );
        }
    });
    problems
}

/// Returns a pointer, with its operation if it has one.
pub(super) fn explain(document: &Value, at: &str) -> String {
    let inside = operations(document)
        .into_iter()
        .find(|operation| at.starts_with(&format!("{}/", operation.pointer())));
    inside.map_or_else(
        || at.to_owned(),
        |operation| format!("operation {}: {at}", operation.id),
    )
}
