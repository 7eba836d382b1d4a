//! Helpers to change a document, shared by many kinds.

use serde_json::{Value, json};

pub(crate) const WEBSITE: &str = "/v2/3as/websites/{intpWebsiteId}";
pub(crate) const WEBSITES: &str = "/v2/3as/websites";

/// A kind of change: its name, and a function that applies it to the canonical form of the current version.
pub(crate) type Kind = (&'static str, fn(&mut Value));

pub(crate) fn schemas(document: &mut Value) -> &mut Value {
    &mut document["components"]["schemas"]
}

pub(crate) fn schema<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    &mut schemas(document)[name]
}

/// Adds a field to a website.
pub(crate) fn property(document: &mut Value, name: &str, value: Value) {
    schema(document, "Website")["properties"][name] = value;
}

/// Adds values to the billing interval.
pub(crate) fn values(document: &mut Value, more: &[&str]) {
    extend(
        &mut schema(document, "BillingInterval")["enum"],
        json!(more),
    );
}

pub(crate) fn extend(list: &mut Value, mut more: Value) {
    list.as_array_mut()
        .unwrap()
        .append(more.as_array_mut().unwrap());
}

/// Adds a parameter to `GET /websites`.
pub(crate) fn parameter(document: &mut Value, parameter: Value) {
    let operation = &mut document["paths"][WEBSITES]["get"];
    if operation.get("parameters").is_none() {
        operation["parameters"] = json!([]);
    }
    extend(&mut operation["parameters"], json!([parameter]));
}

pub(crate) fn add(document: &mut Value, path: &str, method: &str, operation: Value) {
    document["paths"][path][method] = operation;
}

pub(crate) fn operation(id: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    json!({
        "operationId": id,
        "tags": ["websites"],
        "summary": "A thing",
        "description": "A thing.",
        "x-provenance": { "basis": "documented", "source": "page" },
        "parameters": parameters,
        "responses": { "200": { "description": "ok", "content": { "application/json": { "schema": {
            "type": "object", "required": ["payload"],
            "properties": { "payload": { "$ref": "#/components/schemas/Website" } } } } } } },
    })
}

/// Adds an operation that returns this schema.
pub(crate) fn reply(document: &mut Value, schema: Value) {
    let mut new = operation("get_things", &[]);
    new["responses"]["200"]["content"]["application/json"]["schema"] = schema;
    add(document, "/v3/3as/things", "get", new);
}

/// Adds a content type to a response.
pub(crate) fn media(document: &mut Value, name: &str) {
    let content = &mut document["paths"][WEBSITE]["get"]["responses"]["200"]["content"];
    *content = json!({ name: content["application/json"] });
}

pub(crate) fn rename(document: &mut Value, from: &str, to: &str) {
    let text = document.to_string();
    let text = text.replace(&format!("schemas/{from}\""), &format!("schemas/{to}\""));
    *document = serde_json::from_str(&text).unwrap();
    let all = schemas(document).as_object_mut().unwrap();
    *all = std::mem::take(all)
        .into_iter()
        .map(|(name, schema)| (if name == from { to.to_owned() } else { name }, schema))
        .collect();
}
