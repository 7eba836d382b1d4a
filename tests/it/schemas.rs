//! The Rust types against the contract.
//!
//! With the feature `schemars` the model types have JSON Schemas. Each is compared, keyword by keyword, with its
//! counterpart in `openapi/twipla-3as.json`; differences are listed with reasons in `schemas/differences.toml`. A
//! difference that is not listed fails, and so does a listed one that no longer exists. Tests with values check that the
//! schemas match serde.

mod differences;
mod facts;
mod table;
mod values;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::reference::document::Document;
use differences::{Difference, List, Without, compare, missing};
use facts::facts;
use table::{RustType, Way, rust_types};

/// Changes of the contract that must be reported: the place, the new value (null removes), and the report.
const DOCTORED: &str = r##"
Package/properties/price/type                | "string"             | Package/properties/price type: contract "string", type "number"
Package/properties/price                     | null                 | Package/properties/price property: contract nothing, type true
Package/properties/trialDays                 | {"type":"number"}    | Package/properties/trialDays property: contract true, type nothing
Package/properties/createdAt/format          | "date"               | Package/properties/createdAt format: contract "date", type "date-time"
Package/properties/externalId/nullable       | false                | Package/properties/externalId nullable: contract nothing, type true
Package/properties/currency/allOf/0/$ref     | "#/x/SortDirection"  | Package/properties/currency ref: contract "SortDirection", type "Currency"
Package/properties/restrictedTo/items/$ref   | "#/x/Package"        | Package/properties/restrictedTo/items ref: contract "Package", type "PackageRestriction"
Contributor/required                         | ["email"]            | Contributor/properties/intpCustomerId required: contract nothing, type true
CreatedApiKey/properties/apiKey/x-secret     | null                 | CreatedApiKey/properties/apiKey x-secret: contract nothing, type true
Currency/x-extensible-enum/0                 | "CHF"                | Currency enum: contract ["CHF","RON","USD"], type ["EUR","RON","USD"]
Count/type                                   | "number"             | Count type: contract "number", type ["integer","string"] (read)
AnalyticsRow/additionalProperties            | {"type":"number"}    | AnalyticsRow/additionalProperties type: contract "number", type nothing
GraphDataset/properties/data/items/nullable  | null                 | GraphDataset/properties/data/items nullable: contract nothing, type true
IntpCustomerId/maxLength                     | 50                   | CustomerId maxLength: contract 50, type nothing
"##;

#[test]
fn every_difference_from_the_contract_is_listed() {
    let found = found(&Document::contract().unwrap(), &rust_types()).unwrap();
    let listed = List::read().unwrap().differences();
    let text = missing(&found, &listed);
    assert!(text.is_empty(), "not listed:\n{}", text.join("\n"));
    let text = missing(&listed, &found);
    assert!(text.is_empty(), "listed, but gone:\n{}", text.join("\n"));
}

#[test]
fn change_of_the_contract_is_reported() {
    let contract = Document::contract().unwrap();
    let types = rust_types();
    let listed = List::read().unwrap().differences();
    let cases: Vec<&str> = DOCTORED.trim().lines().collect();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let [place, value, said] = *case.split(" | ").map(str::trim).collect::<Vec<_>>() else {
            panic!("{case}");
        };
        let mut doctored = contract.clone();
        put(
            &mut doctored.root,
            place,
            serde_json::from_str(value).unwrap(),
        );
        let found = found(&doctored, &types).unwrap();
        let text = missing(&found, &listed);
        assert!(text.iter().any(|text| text == said), "{case}: {text:#?}");
    }
}

#[test]
fn outdated_list_of_differences_is_reported() {
    let found = List::read().unwrap().differences();
    let [first, rest @ ..] = found.as_slice() else {
        panic!("the list is empty");
    };
    assert_eq!(missing(&found, rest), [first.to_string()]);

    let gone = Difference {
        at: "Package/properties/name".to_owned(),
        ..first.clone()
    };
    for extra in [gone, first.clone()] {
        let listed = [found.as_slice(), std::slice::from_ref(&extra)].concat();
        assert_eq!(missing(&listed, &found), [extra.to_string()]);
    }
}

#[test]
fn every_schema_of_the_contract_has_a_type() {
    let contract = Document::contract().unwrap();
    let types = rust_types();
    let with: BTreeSet<&str> = types.iter().map(|it| it.place.as_str()).collect();
    let without = names(&List::read().unwrap().contract_only);
    for (name, _) in contract.schemas() {
        assert!(
            with.contains(name) != without.contains(name),
            "{name}: put its type into the table, or say in `contract_only` why it has none; not both"
        );
    }
    for name in without {
        assert!(
            contract.schemas().any(|(schema, _)| schema == name),
            "`contract_only` names {name}, which is not in the contract"
        );
    }
}

#[test]
fn every_public_type_of_the_facade_is_compared_or_listed() {
    let types = rust_types();
    let compared: BTreeSet<String> = types.iter().map(|it| it.path.to_owned()).collect();
    assert_eq!(compared.len(), types.len(), "a type is in the table twice");
    let listed = names(&List::read().unwrap().rust_only);
    let mut public = exports("lib.rs", "twipla");
    public.extend(exports("resources/mod.rs", "twipla::resources"));
    public.extend(exports("profile.rs", "twipla::profile"));
    assert!(public.contains("twipla::Twipla") && public.contains("twipla::types::Count"));
    for name in &public {
        assert!(
            compared.contains(name) != listed.contains(name),
            "{name}: put it into the table, or say in `rust_only` why not; not both"
        );
    }
    for name in listed {
        assert!(
            public.contains(&name),
            "`rust_only` names {name}, which is not public"
        );
    }
}

#[test]
fn every_entry_of_the_list_has_a_reason() {
    let list = List::read().unwrap();
    let reasons = list.reasons();
    assert!(reasons.len() > 10);
    for reason in reasons {
        assert!(reason.len() > 30 && reason.ends_with('.'), "{reason:?}");
    }
}

/// Returns all differences of all types.
fn found(contract: &Document, types: &[RustType]) -> Result<Vec<Difference>, String> {
    let mut all = Vec::new();
    for rust_type in types {
        let context = |why: String| format!("{}: {why}", rust_type.path);
        // A place that no longer exists is skipped.
        let schema = rust_type
            .in_contract(contract)
            .cloned()
            .unwrap_or_else(|| json!({}));
        let contract = facts(&schema).map_err(context)?;
        let read = facts(&rust_type.schema(Way::Read)).map_err(context)?;
        let written = facts(&rust_type.schema(Way::Written)).map_err(context)?;
        let name = rust_type.path.rsplit("::").next().unwrap_or_default();
        all.extend(compare(name, &contract, &read, &written));
    }
    Ok(all)
}

fn names(lists: &[Without]) -> BTreeSet<String> {
    lists.iter().flat_map(|list| list.names.clone()).collect()
}

/// Returns the types that a file of the facade makes public with `pub use`, as a user writes them.
fn exports(file: &str, module: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/twipla/src")
        .join(file);
    let source = std::fs::read_to_string(path).unwrap();
    let mut names = BTreeSet::new();
    for (before, statement) in source
        .match_indices("pub use ")
        .map(|(at, _)| source.split_at(at))
    {
        let inner = before.ends_with("    ");
        let statement = statement.split(';').next().unwrap_or_default();
        let words = statement.split(|c: char| !c.is_alphanumeric() && c != '_');
        for name in words.filter(|word| word.starts_with(char::is_uppercase)) {
            let module = if inner {
                format!("{module}::types")
            } else {
                module.to_owned()
            };
            names.insert(format!("{module}::{name}"));
        }
    }
    names
}

/// Sets a value in the schemas of a document; null removes what is there.
fn put(root: &mut Value, place: &str, value: Value) {
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = root
        .pointer_mut(&format!("/components/schemas/{parent}"))
        .unwrap();
    match parent {
        Value::Array(values) => values[key.parse::<usize>().unwrap()] = value,
        Value::Object(fields) if value.is_null() => {
            assert!(fields.shift_remove(key).is_some(), "{place}");
        }
        other => other[key] = value,
    }
}
