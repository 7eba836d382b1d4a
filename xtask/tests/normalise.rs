//! The rewrites that prepare a contract for the generator, one by one and on the real contract.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use serde_json::{Value, json};
use xtask::layout::Layout;
use xtask::normalise::{Kind, normalise};
use xtask::overlay;

/// A contract with one operation and two schemas; each test bends it.
fn contract() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Test", "version": "1" },
        "paths": {
            "/things/{thingId}": {
                "get": {
                    "operationId": "get_thing",
                    "parameters": [
                        { "name": "thingId", "in": "path", "required": true, "schema": { "type": "string" } },
                        { "name": "page", "in": "query", "schema": { "type": "number" } },
                    ],
                    "responses": {
                        "200": { "description": "ok", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                        "404": { "$ref": "#/components/responses/NotFound" },
                    },
                },
            },
        },
        "components": {
            "schemas": {
                "Thing": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
                "Problem": { "type": "object", "properties": { "error": { "type": "string" } } },
            },
            "responses": {
                "NotFound": { "description": "gone", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } } },
            },
        },
    })
}

/// The contract with the node at a pointer replaced or added.
fn bent(changes: &[(&str, Value)]) -> Value {
    let mut document = contract();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        match document.pointer_mut(parent).unwrap() {
            Value::Array(entries) => entries[name.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[name] = value.clone(),
        }
    }
    document
}

const GET: &str = "/paths/~1things~1{thingId}/get";
const THING: &str = "/components/schemas/Thing";

fn at(base: &str, rest: &str) -> String {
    format!("{base}{rest}")
}

fn log(document: &Value, kind: Kind) -> Vec<String> {
    let (_, log) = normalise(document).unwrap();
    log.into_iter()
        .filter(|rewrite| rewrite.kind == kind)
        .map(|rewrite| rewrite.to_string())
        .collect()
}

fn json_body(schema: &str) -> Value {
    json!({ "description": "ok", "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } })
}

#[test]
fn the_real_contract() {
    let contract = overlay::contract(&Layout::here().unwrap()).unwrap();
    let (_, log) = normalise(&contract).unwrap();
    let lines: Vec<_> = log.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("rewrites", lines.join("\n"));
}

#[test]
fn what_is_dropped_is_told_in_one_order() {
    let contract = overlay::contract(&Layout::here().unwrap()).unwrap();
    let mut other = contract.clone();
    for part in ["schemas", "responses"] {
        let part = other["components"][part].as_object_mut().unwrap();
        *part = std::mem::take(part).into_iter().rev().collect();
    }
    assert_eq!(
        log(&contract, Kind::DroppedComponent),
        log(&other, Kind::DroppedComponent)
    );
}

#[test]
fn a_contract_that_is_normal_stays_as_it_is() {
    let (once, _) = normalise(&contract()).unwrap();
    let (twice, log) = normalise(&once).unwrap();
    assert_eq!(once, twice);
    assert_eq!(log, []);
}

#[test]
fn one_success_stands_for_all() {
    let (document, _) = normalise(&contract()).unwrap();
    let responses = document.pointer(&at(GET, "/responses")).unwrap();
    assert_eq!(
        responses.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["2XX"]
    );
    assert_eq!(
        log(&contract(), Kind::Success),
        [format!("success {GET}/responses/200: stands for 2XX")]
    );
    assert_eq!(
        log(&contract(), Kind::DroppedFailures),
        [format!("dropped-failures {GET}/responses: 404")]
    );
}

#[test]
fn a_success_without_a_body_gives_way() {
    for statuses in [
        json!({ "204": { "description": "done" }, "201": json_body("Thing") }),
        json!({ "201": json_body("Thing"), "204": { "description": "done" } }),
    ] {
        let document = bent(&[(&at(GET, "/responses"), statuses)]);
        assert_eq!(
            log(&document, Kind::DroppedSuccess),
            [format!(
                "dropped-success {GET}/responses/204: no body, 201 stands for it"
            )]
        );
        let (document, _) = normalise(&document).unwrap();
        assert!(
            document
                .pointer(&at(GET, "/responses/2XX/content"))
                .is_some()
        );
    }
    let document = bent(&[(
        &at(GET, "/responses"),
        json!({ "204": { "description": "done" } }),
    )]);
    assert_eq!(
        log(&document, Kind::Success),
        [format!(
            "success {GET}/responses/204: stands for 2XX, without a body"
        )]
    );
}

#[test]
fn two_successes_with_one_body_are_one() {
    let document = bent(&[(
        &at(GET, "/responses"),
        json!({ "200": json_body("Thing"), "201": json_body("Thing") }),
    )]);
    assert_eq!(
        log(&document, Kind::DroppedSuccess),
        [format!(
            "dropped-success {GET}/responses/201: the same body, 200 stands for it"
        )]
    );
}

#[test]
fn components_of_failures_go() {
    assert_eq!(
        log(&contract(), Kind::DroppedComponent),
        [
            "dropped-component /components/schemas/Problem: nothing sent or decoded refers to it",
            "dropped-component /components/responses/NotFound: nothing sent or decoded refers to it",
        ]
    );
}

#[test]
fn schemas_without_a_name_get_one() {
    let document = bent(&[(
        &at(THING, "/properties"),
        json!({
            "name": { "type": "string" },
            "colour": { "type": "string", "enum": ["red"], "nullable": true },
            "parts": { "type": "array", "items": { "type": "object", "properties": { "size": { "type": "object", "properties": {} } } } },
        }),
    )]);
    assert_eq!(
        log(&document, Kind::Hoisted),
        [
            format!("hoisted {THING}/properties/colour: named ThingColour"),
            format!(
                "hoisted {THING}/properties/parts/items/properties/size: named ThingPartsItemSize"
            ),
            format!("hoisted {THING}/properties/parts/items: named ThingPartsItem"),
        ]
    );
    let (document, _) = normalise(&document).unwrap();
    assert_eq!(
        document.pointer(&at(THING, "/properties/colour")),
        Some(
            &json!({ "allOf": [{ "$ref": "#/components/schemas/ThingColour" }], "nullable": true })
        )
    );
    assert_eq!(
        document.pointer("/components/schemas/ThingColour"),
        Some(&json!({ "type": "string", "enum": ["red"] }))
    );
}

#[test]
fn whole_numbers_become_integers() {
    let document = bent(&[(
        &at(THING, "/properties/name"),
        json!({ "type": "number", "multipleOf": 1 }),
    )]);
    let (document, _) = normalise(&document).unwrap();
    assert_eq!(
        document.pointer(&at(THING, "/properties/name")),
        Some(&json!({ "type": "integer", "format": "int64" }))
    );
    let (document, _) = normalise(&bent(&[(
        &at(THING, "/properties/name"),
        json!({ "type": "number" }),
    )]))
    .unwrap();
    assert_eq!(
        document.pointer(&at(THING, "/properties/name")),
        Some(&json!({ "type": "number" }))
    );
}

#[test]
fn values_that_meet_in_one_name_stay_open() {
    let document = bent(&[(
        &at(THING, "/properties/name"),
        json!({ "type": "string", "enum": ["monthly", "Monthly", "unknown", "<", ">"] }),
    )]);
    assert_eq!(
        log(&document, Kind::OpenValue),
        ["Monthly", "unknown", ">"].map(|value| format!(
            "open-value /components/schemas/ThingName: {value:?} has no name of its own, and is Unknown({value:?})"
        ))
    );
    let (document, _) = normalise(&document).unwrap();
    assert_eq!(
        document.pointer("/components/schemas/ThingName/enum"),
        Some(&json!(["monthly", "<"]))
    );
}

/// The parameter `page`, which cannot be left out.
fn required(place: &str, schema: impl Into<Value>) -> Value {
    json!({ "name": "page", "in": place, "required": true, "schema": schema.into() })
}

#[test]
fn optional_parameters_that_cannot_be_sent_are_left_out_and_lists_with_commas_are_text() {
    for (mut parameter, kind, left) in [
        (required("cookie", json!({})), Kind::LeftOut, 1),
        (
            required("query", json!({ "type": "array", "items": {} })),
            Kind::LeftOut,
            1,
        ),
        (
            required("query", json!({ "type": "object" })),
            Kind::LeftOut,
            1,
        ),
        (
            json!({ "name": "page", "in": "query", "explode": false, "schema": { "type": "array", "items": { "type": "string" } } }),
            Kind::CommaList,
            2,
        ),
    ] {
        parameter["required"] = json!(false);
        let document = bent(&[(&at(GET, "/parameters/1"), parameter)]);
        assert_eq!(log(&document, kind).len(), 1, "{kind}");
        let (document, _) = normalise(&document).unwrap();
        let parameters = document.pointer(&at(GET, "/parameters")).unwrap();
        assert_eq!(parameters.as_array().unwrap().len(), left, "{kind}");
        if kind == Kind::CommaList {
            assert_eq!(parameters[1]["schema"], json!({ "type": "string" }));
            assert_eq!(
                parameters[1]["description"],
                "Values are separated by commas."
            );
        }
    }
}

#[test]
fn a_choice_is_the_type_that_all_have_or_any_value() {
    let object = json!({ "$ref": "#/components/schemas/Problem" });
    let text = json!({ "type": "string" });
    for (schema, becomes, says) in [
        (
            json!({ "oneOf": [object, text], "nullable": true, "description": "d" }),
            json!({ "description": "d" }),
            "oneOf is any value",
        ),
        (
            json!({ "anyOf": [{ "type": "string", "format": "uuid" }, text] }),
            text.clone(),
            "anyOf is a string",
        ),
        (
            json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }] }),
            json!({ "type": "number" }),
            "oneOf is a number",
        ),
        (
            json!({ "type": "string", "anyOf": [{ "required": ["a"] }] }),
            text.clone(),
            "anyOf is left out, and what is beside it stays",
        ),
        (
            json!({ "type": "string", "not": { "enum": ["a"] } }),
            text.clone(),
            "not is checked by the server",
        ),
    ] {
        let document = bent(&[(&at(THING, "/properties/name"), schema)]);
        let logged = log(&document, Kind::Choice);
        assert_eq!(logged, [format!("choice {THING}/properties/name: {says}")]);
        let (document, _) = normalise(&document).unwrap();
        let found = document.pointer(&at(THING, "/properties/name"));
        assert_eq!(found, Some(&becomes), "{says}");
    }
    // A parameter is sent as text, whatever it may be.
    let document = bent(&[(
        &at(GET, "/parameters/1/schema"),
        json!({ "anyOf": [{ "type": "array", "items": text }, { "type": "string" }] }),
    )]);
    let (document, _) = normalise(&document).unwrap();
    let found = document.pointer(&at(GET, "/parameters/1/schema"));
    assert_eq!(found, Some(&text));
}

#[test]
fn all_problems_are_told_at_once() {
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
fn limits_and_defaults_go() {
    let document = bent(&[(
        &at(THING, "/properties/name"),
        json!({ "type": "string", "minLength": 1, "default": "x" }),
    )]);
    assert_eq!(
        log(&document, Kind::DroppedLimit),
        [
            format!("dropped-limit {THING}/properties/name: minLength 1 is checked by the server"),
            format!(
                "dropped-limit {THING}/properties/name: default \"x\" is checked by the server"
            ),
        ]
    );
}

#[test]
fn optional_lists_and_maps_of_responses_may_be_null() {
    let document = bent(&[
        (
            "/components/schemas/Names",
            json!({ "type": "array", "items": { "type": "string" } }),
        ),
        (&at(THING, "/required"), json!(["needed"])),
        (
            &at(THING, "/properties"),
            json!({
                "needed": { "type": "array", "items": { "type": "string" } },
                "list": { "type": "array", "items": { "type": "string" } },
                "map": { "type": "object", "additionalProperties": { "type": "string" } },
                "named": { "$ref": "#/components/schemas/Names" },
                "text": { "type": "string" },
            }),
        ),
    ]);
    assert_eq!(
        log(&document, Kind::Nullable),
        ["list", "map", "named"].map(|name| format!(
            "nullable {THING}/properties/{name}: optional in a response, so null is fine"
        ))
    );
    let (document, _) = normalise(&document).unwrap();
    assert_eq!(
        document.pointer(&at(THING, "/properties/named/nullable")),
        Some(&json!(true))
    );
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn what_cannot_be_carried_over_is_refused() {
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
            "cannot receive calls",
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
            "a-{b} is only in part a parameter",
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
            "say required",
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
            "/responses/default: would be read as a success",
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
            "nullable beside $ref",
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
            "say so where it is used",
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
fn a_derived_name_that_is_taken_is_refused() {
    let document = bent(&[
        (
            "/components/schemas/ThingColour",
            json!({ "type": "string" }),
        ),
        (
            &at(THING, "/properties/colour"),
            json!({ "type": "string", "enum": ["red"] }),
        ),
    ]);
    let error = format!("{:#}", normalise(&document).unwrap_err());
    assert_eq!(
        error,
        format!(
            "{THING}/properties/colour: the schema has no name, and the derived one, ThingColour, is taken by ThingColour: name it in the contract"
        )
    );
}

#[test]
fn a_failure_names_the_operation() {
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
