//! What the generator makes of small contracts, and what it refuses.

use serde_json::{Value, json};
use xtask::contract::Layout;
use xtask::generate::generate;
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
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        document["components"]["schemas"][name] = schema.clone();
    }
    document
}

fn generated(document: &Value) -> anyhow::Result<String> {
    generate(&normalise(document)?.0)
}

#[test]
fn the_passes_leave_their_marks() {
    let text = generated(&contract(&json!({}))).unwrap();
    for want in [
        "Unknown(String)",
        "\"dark-blue\" => Some(Self::DarkBlue)",
        "#[non_exhaustive]",
        "pub count: crate::Count",
        ".field(\"key\", &crate::wire::Redacted)",
        "use crate::path::encode_path;",
        "encode_path(thing_id)",
        "self.baseurl.join(format_args!(\"/",
        "baseurl: crate::base::Base::new(baseurl)",
        "header_map.append(\"X-Trace\"",
        ".headers(header_map)",
        "#[cfg_attr(feature = \"schemars\", derive(::schemars::JsonSchema))]\n    pub struct Thing",
        "schemars(extend(\"x-secret\" = true)))]\n        pub key: String",
        "impl ::schemars::JsonSchema for Colour",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
    for unwanted in [
        "api-version",
        "ConversionError",
        "pub fn new(",
        "unwrap()",
        "mod prelude",
        "progenitor_client::{encode_path",
        "format!(\"{}",
    ] {
        assert!(!text.contains(unwanted), "{unwanted} is in:\n{text}");
    }
    syn::parse_file(&text).unwrap();
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
    let text = generated(&contract(&schemas)).unwrap();
    let file = syn::parse_file(&text).unwrap();
    let types = file.items.iter().find_map(|item| match item {
        syn::Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
        _ => None,
    });
    let types = types
        .unwrap()
        .1
        .iter()
        .filter(|item| matches!(item, syn::Item::Struct(_) | syn::Item::Enum(_)));
    assert_eq!(
        (
            types.count(),
            text.matches("::schemars::JsonSchema").count()
        ),
        (4, 4)
    );
    for want in [
        "schemars(rename = \"otherThing\")",
        "Cow::Borrowed(\"sizeClass\")",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let layout = Layout::here().unwrap();
    let (first, _) = regen::outputs(&layout).unwrap();
    let (second, _) = regen::outputs(&layout).unwrap();
    assert_eq!(first, second);
}

#[test]
fn what_the_passes_cannot_do_is_refused() {
    for (schemas, want) in [
        (
            json!({ "Colour": { "type": "string", "enum": ["red", "unknown"] } }),
            "takes the name of the open variant",
        ),
        (
            json!({ "Option": { "type": "object", "properties": {} }, "Thing": { "type": "object", "required": ["count", "colour", "key"], "properties": {
                "count": { "$ref": "#/components/schemas/Count" }, "colour": { "$ref": "#/components/schemas/Colour" },
                "other": { "$ref": "#/components/schemas/Option" } } } }),
            "hides the one of Rust",
        ),
        (
            json!({ "Thing": { "type": "object", "properties": { "colour": { "$ref": "#/components/schemas/Colour" } } } }),
            "the schema Count",
        ),
    ] {
        let error = format!("{:#}", generated(&contract(&schemas)).unwrap_err());
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
}

#[test]
fn the_table_says_what_the_contract_says() {
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
        "pub const ALL: &[&Operation] = &[&PUT_THING];",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
}

#[test]
fn an_operation_that_says_too_little_is_refused() {
    for (field, value, want) in [
        ("x-provenance", json!(null), "x-provenance: say where"),
        (
            "x-provenance",
            json!({ "basis": "hearsay", "source": "x" }),
            "\"hearsay\"",
        ),
        ("tags", json!([]), "tags: name one"),
        (
            "security",
            json!([{ "customerToken": [] }]),
            "customerToken",
        ),
        (
            "security",
            json!([{ "partnerToken": [] }, { "apiKey": [] }]),
            "a choice of 2",
        ),
        ("x-server", json!("data"), "named by `servers`"),
        ("servers", json!([{ "url": "https://x" }]), "say which host"),
        (
            "responses",
            json!({ "2XX": { "description": "x" } }),
            "name the status itself",
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
