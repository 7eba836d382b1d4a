//! Schemas: names, numbers, values, choices and limits.

use serde_json::json;
use xtask::normalise::{Kind, normalise};

use super::bent::{GET, THING, at, bent, log};

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
fn values_with_the_same_rust_name_stay_open() {
    let document = bent(&[(
        &at(THING, "/properties/name"),
        json!({ "type": "string", "enum": ["monthly", "Monthly", "unknown", "<", ">"] }),
    )]);
    assert_eq!(
        log(&document, Kind::OpenValue),
        ["Monthly", "unknown", ">"].map(|value| format!(
            "open-value /components/schemas/ThingName: {value:?} has no distinct name, and is Unknown({value:?})"
        ))
    );
    let (document, _) = normalise(&document).unwrap();
    assert_eq!(
        document.pointer("/components/schemas/ThingName/enum"),
        Some(&json!(["monthly", "<"]))
    );
}

#[test]
fn choice_becomes_the_common_type_or_any_value() {
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
            "anyOf is left out, and the keywords next to it stay",
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
    // Any parameter can be sent as text.
    let document = bent(&[(
        &at(GET, "/parameters/1/schema"),
        json!({ "anyOf": [{ "type": "array", "items": text }, { "type": "string" }] }),
    )]);
    let (document, _) = normalise(&document).unwrap();
    let found = document.pointer(&at(GET, "/parameters/1/schema"));
    assert_eq!(found, Some(&text));
}

#[test]
fn limits_and_defaults_are_dropped() {
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
fn derived_name_that_is_in_use_is_rejected() {
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
            "{THING}/properties/colour: the schema has no name, and the derived one, ThingColour, is used by ThingColour: name it in the contract"
        )
    );
}
