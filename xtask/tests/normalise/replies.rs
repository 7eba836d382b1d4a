//! Responses: one success represents all, and optional fields may be null.

use serde_json::json;
use xtask::normalise::{Kind, normalise};

use super::bent::{GET, THING, at, bent, contract, json_body, log};

#[test]
fn one_success_represents_all() {
    let (document, _) = normalise(&contract()).unwrap();
    let responses = document.pointer(&at(GET, "/responses")).unwrap();
    assert_eq!(
        responses.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["2XX"]
    );
    assert_eq!(
        log(&contract(), Kind::Success),
        [format!("success {GET}/responses/200: represents 2XX")]
    );
    assert_eq!(
        log(&contract(), Kind::DroppedFailures),
        [format!("dropped-failures {GET}/responses: 404")]
    );
}

#[test]
fn success_without_a_body_is_dropped_if_there_is_one_with_a_body() {
    for statuses in [
        json!({ "204": { "description": "done" }, "201": json_body("Thing") }),
        json!({ "201": json_body("Thing"), "204": { "description": "done" } }),
    ] {
        let document = bent(&[(&at(GET, "/responses"), statuses)]);
        assert_eq!(
            log(&document, Kind::DroppedSuccess),
            [format!(
                "dropped-success {GET}/responses/204: no body, 201 represents it"
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
            "success {GET}/responses/204: represents 2XX, without a body"
        )]
    );
}

#[test]
fn two_successes_with_the_same_body_become_one() {
    let document = bent(&[(
        &at(GET, "/responses"),
        json!({ "200": json_body("Thing"), "201": json_body("Thing") }),
    )]);
    assert_eq!(
        log(&document, Kind::DroppedSuccess),
        [format!(
            "dropped-success {GET}/responses/201: the same body, 200 represents it"
        )]
    );
}

#[test]
fn components_of_failures_are_dropped() {
    assert_eq!(
        log(&contract(), Kind::DroppedComponent),
        [
            "dropped-component /components/schemas/Problem: no request or response refers to it",
            "dropped-component /components/responses/NotFound: no request or response refers to it",
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
            "nullable {THING}/properties/{name}: optional in a response, so null is allowed"
        ))
    );
    let (document, _) = normalise(&document).unwrap();
    assert_eq!(
        document.pointer(&at(THING, "/properties/named/nullable")),
        Some(&json!(true))
    );
}
