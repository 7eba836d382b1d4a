//! Documents that the generator does not support are rejected, with the place.

use serde_json::{Value, json};
use xtask::normalise::normalise;

use super::bent::{GET, THING, at, bent, contract, json_body, required};

#[test]
fn all_problems_are_reported_together() {
    let document = bent(&[
        (&at(GET, "/operationId"), json!("getThing")),
        (&at(GET, "/parameters/1"), required("cookie", json!({}))),
        (&at(THING, "/properties/name"), json!({ "type": "array" })),
    ]);
    let error = format!("{:#}", normalise(&document).unwrap_err());
    for want in [
        "3 refusals",
        "not snake_case",
        "is a cookie",
        "has no items",
    ] {
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn unsupported_documents_are_rejected() {
    let body = |content: Value| json!({ "required": true, "content": content });
    let json_content =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } });
    let text = json!({ "schema": { "type": "string" } });
    let cases: Vec<(&str, String, Value, &str)> = vec![
        (
            "3.1",
            "/openapi".into(),
            json!("3.1.0"),
            "/openapi: the document is OpenAPI \"3.1.0\"",
        ),
        (
            "path $ref",
            "/paths/~1x".into(),
            json!({ "$ref": "#/x" }),
            "/paths/~1x: a path cannot be a $ref",
        ),
        (
            "method",
            "/paths/~1x".into(),
            json!({ "trace": {} }),
            "/paths/~1x/trace: the client cannot send",
        ),
        (
            "no id",
            at(GET, "/operationId"),
            json!(""),
            "operationId is missing",
        ),
        (
            "id style",
            at(GET, "/operationId"),
            json!("getThing"),
            "\"getThing\" is not snake_case",
        ),
        (
            "same id",
            "/paths/~1x".into(),
            json!({ "get": contract().pointer(GET) }),
            "get_thing names the operation at",
        ),
        (
            "dropshot",
            at(GET, "/x-dropshot-websocket"),
            json!({}),
            "x-dropshot-websocket",
        ),
        (
            "callbacks",
            at(GET, "/callbacks"),
            json!({}),
            "cannot receive callbacks",
        ),
        (
            "path and id",
            at(GET, "/parameters/0"),
            json!({ "name": "id", "in": "path", "required": true, "schema": {} }),
            "id is not in the path",
        ),
        (
            "path parameter",
            at(GET, "/parameters/0"),
            json!({ "name": "id", "in": "query", "schema": {} }),
            "no parameter describes {thingId}",
        ),
        (
            "optional path",
            at(GET, "/parameters/0/required"),
            json!(false),
            "thingId must be required",
        ),
        (
            "part of a segment",
            "/paths/~1a-{b}".into(),
            json!({ "get": { "operationId": "x" } }),
            "a-{b} is a parameter only in part",
        ),
        (
            "empty segment",
            "/paths/~1a~1~1b".into(),
            json!({ "get": { "operationId": "x" } }),
            "empty segment",
        ),
        (
            "cookie",
            at(GET, "/parameters/1"),
            required("cookie", json!({})),
            "/parameters/1: page is a cookie",
        ),
        (
            "style",
            at(GET, "/parameters/1/style"),
            json!("deepObject"),
            "/parameters/1/style: deepObject is not supported",
        ),
        (
            "object",
            at(GET, "/parameters/1"),
            required("query", json!({ "type": "object" })),
            "page is an object",
        ),
        (
            "list in one",
            at(GET, "/parameters/1"),
            required("query", json!({ "type": "array", "items": {} })),
            "page is a list, and the client sends single values",
        ),
        (
            "content",
            at(GET, "/parameters/1"),
            json!({ "name": "page", "in": "query", "required": true, "content": {} }),
            "give page a schema instead",
        ),
        (
            "same Rust name",
            at(THING, "/properties/Name"),
            json!({ "type": "string" }),
            "the properties name and Name get the same Rust name",
        ),
        (
            "same name",
            at(GET, "/parameters/1/name"),
            json!("thing_id"),
            "thing_id clashes with",
        ),
        (
            "named body",
            at(GET, "/parameters/1/name"),
            json!("body"),
            "body clashes with the request body",
        ),
        (
            "optional body",
            at(GET, "/requestBody"),
            json!({ "content": json_content }),
            "make it required",
        ),
        (
            "two bodies",
            at(GET, "/requestBody"),
            body(json!({ "application/json": text, "text/plain": text })),
            "there are 2 content types",
        ),
        (
            "text body",
            at(GET, "/requestBody"),
            body(json!({ "text/plain": text })),
            "text/plain is not JSON",
        ),
        (
            "text reply",
            at(GET, "/responses/200/content"),
            json!({ "text/html": text }),
            "/responses/200/content: text/html is not JSON",
        ),
        (
            "no schema",
            at(GET, "/responses/200/content"),
            json!({ "application/json": {} }),
            "has no schema",
        ),
        (
            "default",
            at(GET, "/responses/default"),
            json!({ "description": "x" }),
            "/responses/default: would also match successes",
        ),
        (
            "no success",
            at(GET, "/responses"),
            json!({ "404": { "description": "x" } }),
            "no response is a success",
        ),
        (
            "two types",
            at(GET, "/responses/201"),
            json_body("Problem"),
            "200 and 201 have different bodies",
        ),
        (
            "dangling",
            at(GET, "/responses/200"),
            json_body("Nothing"),
            "#/components/schemas/Nothing\" does not exist",
        ),
        (
            "foreign",
            at(GET, "/responses/200"),
            json!({ "$ref": "other.json#/x" }),
            "points outside the document",
        ),
        (
            "beside $ref",
            at(THING, "/properties/name"),
            json!({ "$ref": "#/components/schemas/Problem", "nullable": true }),
            "nullable next to $ref",
        ),
        (
            "typeless",
            at(THING, "/properties/name"),
            json!({ "nullable": true }),
            "nullable without a type",
        ),
        (
            "type list",
            at(THING, "/properties/name"),
            json!({ "type": ["string", "null"] }),
            "OpenAPI 3.1",
        ),
        (
            "number enum",
            at(THING, "/properties/name"),
            json!({ "type": "integer", "enum": [1] }),
            "must be of type string",
        ),
        (
            "null enum",
            "/components/schemas/Colour".into(),
            json!({ "type": "string", "nullable": true, "enum": ["red"] }),
            "set nullable where it is used",
        ),
        (
            "null in enum",
            "/components/schemas/Colour".into(),
            json!({ "type": "string", "enum": ["red", null] }),
            "expected a string",
        ),
        (
            "array",
            at(THING, "/properties/name"),
            json!({ "type": "array" }),
            "no items",
        ),
        (
            "secret in a choice",
            at(THING, "/properties/name"),
            json!({ "oneOf": [{ "type": "string" }, { "properties": { "key": { "x-secret": true } } }] }),
            "/properties/name: oneOf has a secret in it",
        ),
        (
            "allOf",
            at(GET, "/responses/200"),
            json!({ "description": "", "content": { "application/json": { "schema": {
            "allOf": [{ "$ref": "#/components/schemas/Thing" }, { "$ref": "#/components/schemas/Problem" }] } } } }),
            "allOf of several",
        ),
        (
            "Rust name",
            "/components/schemas/thing".into(),
            json!({}),
            "the same Rust name as Thing",
        ),
    ];
    for (name, pointer, value, want) in cases {
        let error = match normalise(&bent(&[(&pointer, value)])) {
            Ok(_) => panic!("{name}: accepted"),
            Err(error) => format!("{error:#}"),
        };
        assert!(
            error.contains(want),
            "{name}: {error:?} does not say {want:?}"
        );
        assert!(error.contains('/'), "{name}: {error:?} names no place");
    }
}

#[test]
fn error_names_the_operation() {
    let document = bent(&[(
        &at(GET, "/responses/200/content/application~1json/schema"),
        json!({ "nullable": true }),
    )]);
    let error = format!("{:#}", normalise(&document).unwrap_err());
    assert!(
        error.starts_with(&format!(
            "operation get_thing: {GET}/responses/200/content/application~1json/schema: "
        )),
        "{error}"
    );
}
