//! The rewrites that prepare a contract for the generator, individually and on the real contract.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

#[path = "normalise/bent.rs"]
mod bent;
#[path = "normalise/refusals.rs"]
mod refusals;
#[path = "normalise/replies.rs"]
mod replies;
#[path = "normalise/schemas.rs"]
mod schemas;

use serde_json::json;
use xtask::layout::Layout;
use xtask::normalise::{Kind, normalise};
use xtask::overlay;

use self::bent::{GET, at, bent, contract, log, required};

#[test]
fn the_real_contract() {
    let contract = overlay::contract(&Layout::here().unwrap()).unwrap();
    let (_, log) = normalise(&contract).unwrap();
    let lines: Vec<_> = log.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("rewrites", lines.join("\n"));
}

#[test]
fn dropped_components_are_logged_in_a_fixed_order() {
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
fn normalised_contract_stays_unchanged() {
    let (once, _) = normalise(&contract()).unwrap();
    let (twice, log) = normalise(&once).unwrap();
    assert_eq!(once, twice);
    assert_eq!(log, []);
}

#[test]
fn unsupported_optional_parameters_are_left_out_and_comma_lists_become_text() {
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
