//! The output of the generator for small contracts, and what it rejects.

use serde_json::{Value, json};
use xtask::generate::generate;
use xtask::layout::Layout;
use xtask::normalise::normalise;
use xtask::{operations, regen};

fn contract(schemas: &Value) -> Value {
    let mut document = json!({
        "openapi": "3.0.3",
        "info": { "title": "Test", "version": "1" },
        "security": [{ "partnerToken": [] }],
        "paths": {
            "/things/{thingId}": {
                "put": {
                    "operationId": "put_thing",
                    "summary": "Put a thing",
                    "tags": ["things"],
                    "x-provenance": { "basis": "sdk", "source": "test" },
                    "parameters": [
                        { "name": "thingId", "in": "path", "required": true, "schema": { "type": "string" } },
                        { "name": "X-Trace", "in": "header", "schema": { "type": "string" } },
                    ],
                    "responses": {
                        "200": { "description": "ok", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                        "500": { "description": "refused" },
                    },
                },
            },
        },
        "components": { "schemas": {
            "Thing": { "type": "object", "required": ["count", "colour", "key"], "properties": {
                "count": { "$ref": "#/components/schemas/Count" },
                "colour": { "$ref": "#/components/schemas/Colour" },
                "key": { "type": "string", "x-secret": true },
            } },
            "Colour": { "type": "string", "enum": ["red", "dark-blue"] },
            "Count": { "type": "number" },
        } },
    });
    // All hand-written types must be used.
    let ids = [
        "ApiKeyId",
        "IntpCustomerId",
        "IntpId",
        "IntpWebsiteId",
        "PackageId",
        "TwiplaWebsiteId",
    ];
    document["components"]["schemas"]["Ids"] = json!({ "type": "object", "properties": {} });
    for id in ids {
        let reference = json!({ "$ref": format!("#/components/schemas/{id}") });
        document["components"]["schemas"]["Ids"]["properties"][id] = reference;
        document["components"]["schemas"][id] = json!({ "type": "string" });
    }
    document["components"]["schemas"]["Ids"]["properties"]["meta"] =
        json!({ "$ref": "#/components/schemas/paginationMeta" });
    document["components"]["schemas"]["paginationMeta"] =
        json!({ "type": "object", "properties": { "total": { "type": "number" } } });
    document["paths"]["/ids"] = json!({ "get": {
        "operationId": "get_ids",
        "summary": "Get ids",
        "tags": ["things"],
        "x-provenance": { "basis": "sdk", "source": "test" },
        "responses": {
            "200": { "description": "ok", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Ids" } } } },
        },
    } });
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        document["components"]["schemas"][name] = schema.clone();
    }
    document
}

/// Returns types and requests.
fn generated(document: &Value) -> anyhow::Result<String> {
    let client = generate(&normalise(document)?.0)?;
    Ok(format!("{}{}", client.types, client.requests))
}

#[test]
fn generated_client_has_the_changes_of_every_pass() {
    let text = generated(&contract(&json!({}))).unwrap();
    for want in [
        "Unknown(String)",
        "\"dark-blue\" => Some(Self::DarkBlue)",
        "#[non_exhaustive]",
        "pub count: crate::Count",
        "/// Prepares `PUT /things/{thingId}`.",
        "pub fn put_thing(\n    thing_id: &str,\n    x_trace: Option<&str>,\n) -> Result<PreparedRequest<types::Thing>, InvalidRequest>",
        "RequestBuilder::new(&operations::PUT_THING, &[&thing_id])",
        ".header(\"x-trace\", x_trace)",
        "#[cfg_attr(feature = \"schemars\", derive(::schemars::JsonSchema))]\npub struct Thing",
        "schemars(extend(\"x-secret\" = true)))]\n    pub key: crate::Secret",
        "impl ::schemars::JsonSchema for Colour",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
    for unwanted in [
        "api-version",
        "ConversionError",
        "async",
        "unwrap()",
        "progenitor",
    ] {
        assert!(!text.contains(unwanted), "{unwanted} is in:\n{text}");
    }
    let client = generate(&normalise(&contract(&json!({}))).unwrap().0).unwrap();
    for text in [&client.types, &client.requests] {
        syn::parse_file(text).unwrap();
    }
}

#[test]
fn type_is_eq_and_hash_if_all_its_fields_are() {
    let text = generated(&contract(&json!({
        "Thing": { "type": "object", "properties": {
            "count": { "$ref": "#/components/schemas/Count" },
            "plain": { "$ref": "#/components/schemas/Plain" },
            "offer": { "$ref": "#/components/schemas/Offer" },
        } },
        "Plain": { "type": "object", "properties": { "colour": { "$ref": "#/components/schemas/Colour" } } },
        "Price": { "type": "object", "properties": { "amount": { "type": "number", "format": "double" } } },
        "Offer": { "type": "object", "properties": {
            "prices": { "type": "array", "items": { "$ref": "#/components/schemas/Price" } },
            "more": { "type": "array", "items": { "$ref": "#/components/schemas/Offer" } },
        } },
    })))
    .unwrap();
    let is_eq = |name: &str| {
        let (before, _) = text.split_once(&format!("pub struct {name} ")).unwrap();
        let (before, _) = before.rsplit_once("#[cfg_attr").unwrap();
        let (_, derived) = before.rsplit_once("derive(").unwrap();
        derived.contains("Eq,\n    Hash") || derived.contains("Eq, Hash")
    };
    assert!(is_eq("Plain"));
    assert!(!is_eq("Price"), "f64 is not Eq");
    assert!(!is_eq("Offer"), "what holds it is not either");
}

#[test]
fn secrets_are_serialised_only_in_request_bodies() {
    const PLAIN: &str = "serialize_with = \"crate::secret::plain\"";
    let login = |secret: Value| {
        let mut document = contract(&json!({
            "Login": { "type": "object", "properties": { "key": secret } },
        }));
        document["paths"]["/things/{thingId}"]["put"]["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Login" } } },
        });
        document
    };
    let received = generated(&contract(&json!({}))).unwrap();
    assert!(!received.contains(PLAIN), "{received}");
    let sent = generated(&login(json!({ "type": "string", "x-secret": true }))).unwrap();
    assert_eq!(sent.matches(PLAIN).count(), 1, "{sent}");
    assert!(sent.contains("pub key: Option<crate::Secret>"), "{sent}");

    // In a list, or if it is not text, it could not be sent.
    for secret in [
        json!({ "type": "array", "items": { "type": "string" }, "x-secret": true }),
        json!({ "type": "boolean", "x-secret": true }),
    ] {
        let error = format!("{:#}", generated(&login(secret)).unwrap_err());
        assert!(error.contains("Login has a secret key"), "{error}");
        assert!(error.contains("expected text"), "{error}");
    }
    // A schema for both directions cannot be sent in full and redacted when it is printed.
    let mut both = contract(&json!({}));
    both["paths"]["/things/{thingId}"]["put"]["requestBody"] = json!({
        "required": true,
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } },
    });
    let error = format!("{:#}", generated(&both).unwrap_err());
    assert!(error.contains("both sent and received"), "{error}");
}

#[test]
fn every_parameter_and_body_of_the_contract_is_sent() {
    let mut document = contract(&json!({}));
    document["components"]["schemas"]["Thing"]["properties"]["key"]["x-secret"] = json!(false);
    let operation = &mut document["paths"]["/things/{thingId}"]["put"];
    operation["parameters"] = json!([
        { "name": "thingId", "in": "path", "required": true, "schema": { "type": "string" } },
        { "name": "pageSize", "in": "query", "required": true, "schema": { "type": "integer" } },
        { "name": "type", "in": "query", "schema": { "type": "string" } },
        { "name": "X-Must", "in": "header", "required": true, "schema": { "type": "string" } },
    ]);
    operation["requestBody"] = json!({
        "required": true,
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } },
    });
    let text = generated(&document).unwrap();
    for want in [
        ".query(\"pageSize\", Some(page_size))",
        ".query(\"type\", type_)",
        ".header(\"x-must\", Some(x_must))",
        ".json(body)",
        "body: &types::Thing",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
}

#[test]
fn every_type_has_a_json_schema_under_its_name_in_the_contract() {
    let schemas = json!({
        "sizeClass": { "type": "string", "enum": ["s", "l"] },
        "Thing": { "type": "object", "required": ["count", "colour"], "properties": {
            "count": { "$ref": "#/components/schemas/Count" },
            "colour": { "$ref": "#/components/schemas/Colour" },
            "other": { "$ref": "#/components/schemas/otherThing" },
        } },
        "otherThing": { "type": "object", "properties": { "size": { "$ref": "#/components/schemas/sizeClass" } } },
    });
    let text = generate(&normalise(&contract(&schemas)).unwrap().0)
        .unwrap()
        .types;
    let file = syn::parse_file(&text).unwrap();
    let types = file
        .items
        .iter()
        .filter(|item| matches!(item, syn::Item::Struct(_) | syn::Item::Enum(_)));
    assert_eq!(
        (
            types.count(),
            text.matches("::schemars::JsonSchema").count()
        ),
        (5, 5)
    );
    for want in [
        "schemars(rename = \"otherThing\")",
        "Cow::Borrowed(\"sizeClass\")",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
}

#[test]
fn generating_is_deterministic() {
    let layout = Layout::here().unwrap();
    let first = regen::outputs(&layout).unwrap().files;
    let second = regen::outputs(&layout).unwrap().files;
    assert_eq!(first, second);
}

#[test]
fn contract_that_a_pass_does_not_support_is_rejected() {
    for (schemas, want) in [
        (
            json!({ "Option": { "type": "object", "properties": {} }, "Thing": { "type": "object", "required": ["count", "colour", "key"], "properties": {
                "count": { "$ref": "#/components/schemas/Count" }, "colour": { "$ref": "#/components/schemas/Colour" },
                "other": { "$ref": "#/components/schemas/Option" } } } }),
            "hides a name of Rust's prelude",
        ),
        (
            json!({ "Thing": { "type": "object", "properties": { "colour": { "$ref": "#/components/schemas/Colour" } } } }),
            "no schema Count",
        ),
    ] {
        let error = format!("{:#}", generated(&contract(&schemas)).unwrap_err());
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
}

#[test]
fn operation_table_matches_the_contract() {
    let text = operations::generate(&contract(&json!({}))).unwrap();
    for want in [
        "/// Put a thing: `PUT /things/{thingId}`.",
        "pub const PUT_THING: Operation",
        "auth: Auth::PartnerToken",
        "idempotency: Idempotency::Idempotent",
        "server: Server::Management",
        "provenance: Provenance::Sdk",
        "secret_response: true",
        "success: &[200]",
        "pub const ALL: &[&Operation] = &[&PUT_THING, &GET_IDS];",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
}

#[test]
fn incomplete_operation_is_rejected() {
    for (field, value, want) in [
        ("x-provenance", json!(null), "x-provenance is missing"),
        (
            "x-provenance",
            json!({ "basis": "hearsay", "source": "x" }),
            "\"hearsay\"",
        ),
        ("tags", json!([]), "tags: expected at least one"),
        (
            "security",
            json!([{ "customerToken": [] }]),
            "customerToken",
        ),
        (
            "security",
            json!([{ "partnerToken": [] }, { "apiKey": [] }]),
            "2 alternative schemes",
        ),
        ("x-server", json!("data"), "named by `servers`"),
        ("servers", json!([{ "url": "https://x" }]), "set `x-server`"),
        (
            "responses",
            json!({ "2XX": { "description": "x" } }),
            "expected a single status",
        ),
    ] {
        let mut document = contract(&json!({}));
        document["paths"]["/things/{thingId}"]["put"][field] = value;
        let error = format!("{:#}", operations::generate(&document).unwrap_err());
        assert!(error.contains(want), "{error:?} does not say {want:?}");
        assert!(
            error.starts_with("operation put_thing: /paths/~1things~1{thingId}/put: "),
            "{error}"
        );
    }
}

#[test]
fn differences_are_short_and_readable() {
    let found = "a\nb\nc\n";
    let wanted = "a\nB\nc\n";
    assert_eq!(
        regen::difference(found, wanted),
        "--- checked in\n+++ generated\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c"
    );
    let long = "line\n".repeat(500);
    let shown = regen::difference("", &long);
    assert_eq!(shown.lines().count(), 61);
    assert!(shown.ends_with("more lines"), "{shown}");
}
