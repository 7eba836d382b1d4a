//! Checks the schemas against serde: the schema of what is read allows exactly what serde reads, and what serde writes is
//! allowed by the schema of what is written and by the contract.

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use twipla::IframeMessage;

use super::table::{RustType, Way, rust_types};
use crate::reference::document::{Document, elements, entries};
use crate::reference::json_schema::Schemas;

/// Values that replace a valid value.
fn probes() -> Vec<Value> {
    let texts = [
        "",
        "text",
        "..",
        "twpl-x",
        "7",
        "7.5",
        "2023-08-22T08:14:03+02:00",
    ];
    let texts = texts.map(Value::from);
    let others = [
        json!(null),
        json!(true),
        json!(7),
        json!(-7.5),
        json!([]),
        json!({}),
    ];
    [texts.as_slice(), &others].concat()
}

#[test]
fn schema_allows_exactly_what_serde_reads() {
    let contract = Document::contract().unwrap();
    let mut tried = (0, 0);
    for rust_type in rust_types() {
        let Some(serde) = rust_type.serde else {
            continue;
        };
        let schema = validator(&rust_type.schema(Way::Read));
        for value in variants(&sample(&contract, &rust_type)) {
            let read = serde(&value);
            let allowed = schema.is_valid(&value);
            assert_eq!(
                read.is_ok(),
                allowed,
                "{}: {value}: {read:?}",
                rust_type.path
            );
            if allowed { tried.0 += 1 } else { tried.1 += 1 }
        }
    }
    assert!(tried.0 > 500 && tried.1 > 500, "{tried:?}");
}

#[test]
fn serialised_values_are_valid_in_schema_and_contract() {
    let contract = Document::contract().unwrap();
    let schemas = Schemas::of(&contract).unwrap();
    for rust_type in rust_types() {
        let Some(serde) = rust_type.serde else {
            continue;
        };
        let schema = validator(&rust_type.schema(Way::Written));
        let node = rust_type.in_contract(&contract).unwrap();
        let sample = sample(&contract, &rust_type);
        let written = serde(&sample).unwrap();
        assert_eq!(
            schemas.violations(node, &written).unwrap().len(),
            0,
            "{written}"
        );
        for value in variants(&sample) {
            let Ok(written) = serde(&value) else { continue };
            assert!(schema.is_valid(&written), "{}: {written}", rust_type.path);
        }
    }
}

#[test]
fn schema_of_a_message_allows_what_the_dashboard_posts() {
    const PACKAGE: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";
    let schema = schemars::schema_for!(IframeMessage).to_value();
    let schema = validator(&schema);
    let upgrade = json!({
        "intpWebsiteId": "site-7", "intpCustomerId": "cust-42", "packageName": "Pro", "packageId": PACKAGE,
        "inTrial": true, "expiresAt": "2026-03-01T12:00:00+01:00", "billingInterval": "monthly", "new": [1, 2],
    });
    for (message, good) in [
        (
            json!({ "type": "UPGRADE_BUTTON_CLICKED", "data": upgrade }),
            true,
        ),
        (
            json!({ "type": "UPGRADE_BUTTON_CLICKED", "data": {} }),
            true,
        ),
        (
            json!({ "type": "UPGRADE_BUTTON_CLICKED", "data": { "packageId": null } }),
            true,
        ),
        (json!({ "type": "UPGRADE_BUTTON_CLICKED" }), true),
        (json!({ "type": "SUBSCRIPTION_UPGRADED", "data": 5 }), true),
        (json!({ "type": "RESIZE", "height": 5 }), true),
        (
            json!({ "type": "UPGRADE_BUTTON_CLICKED", "data": [] }),
            false,
        ),
        (
            json!({ "type": "UPGRADE_BUTTON_CLICKED", "data": { "packageId": "pro" } }),
            false,
        ),
        (
            json!({ "type": "UPGRADE_BUTTON_CLICKED", "data": { "intpWebsiteId": ".." } }),
            false,
        ),
        (
            json!({ "type": "UPGRADE_BUTTON_CLICKED", "data": { "intpCustomerId": 5 } }),
            false,
        ),
        (json!({ "type": 5 }), false),
        (json!({}), false),
        (json!([]), false),
    ] {
        assert_eq!(schema.is_valid(&message), good, "{message}");
        assert_eq!(
            IframeMessage::from_value(message.clone()).is_ok(),
            good,
            "{message}"
        );
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .unwrap()
}

/// Returns a value, the value without each of its fields, and with a probe for each of them or for all of it.
fn variants(sample: &Value) -> Vec<Value> {
    let mut variants = probes();
    variants.push(sample.clone());
    for (name, _) in entries(sample) {
        let mut less = sample.clone();
        less.as_object_mut().unwrap().remove(name);
        variants.push(less);
        for probe in probes() {
            let mut other = sample.clone();
            other[name] = probe;
            variants.push(other);
        }
    }
    variants
}

/// Returns a value of the type, with every field that the contract has.
fn sample(contract: &Document, rust_type: &RustType) -> Value {
    value(contract, rust_type.in_contract(contract).unwrap())
}

fn value(contract: &Document, node: &Value) -> Value {
    let schema = contract.resolve(node);
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(first) = elements(&schema["enum"])
        .chain(elements(&schema["x-extensible-enum"]))
        .next()
    {
        return first.clone();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("object"), _) => entries(&schema["properties"])
            .map(|(name, property)| (name.to_owned(), value(contract, property)))
            .collect(),
        (Some("array"), _) => json!([value(contract, &schema["items"])]),
        (Some("string"), Some("uuid")) => json!("7128840a-5347-49a4-8dfa-9022d8dad21a"),
        (Some("string"), Some("date-time")) => json!("2023-08-22T08:14:03Z"),
        (Some("string"), _) => json!("x"),
        (Some("number" | "integer"), _) => json!(1),
        (Some("boolean"), _) => json!(true),
        other => panic!("no value of {other:?}: {schema}"),
    }
}
