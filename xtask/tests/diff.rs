//! Tests every rule of `diff` with a patch and its reverse, and that no change goes unreported.
//!
//! `diff/base.json` is the document that is patched. `diff/rules.json` has a patch for each rule about the parts of a
//! document, with the findings of the patch and of its reverse. `diff/aspects.json` has the changes of a schema; each is
//! applied in every position of a schema. `GOLDEN=write cargo test -p xtask --test diff` rewrites the findings, which must
//! be reviewed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xtask::diff::rules::{SchemaPosition, rule, rules};
use xtask::diff::{Accepted, Direction, Finding, Format, Level, Report, Runtime, RustApi, compare};

#[derive(Serialize, Deserialize)]
struct Case {
    patch: json_patch::Patch,
    /// The findings of the patch, one per line.
    #[serde(default)]
    forward: Vec<String>,
    /// The findings of its reverse.
    #[serde(default)]
    reverse: Vec<String>,
}

#[derive(Deserialize)]
struct AspectCase {
    aspect: String,
    from: Value,
    to: Value,
    /// The location of the finding, inside the schema.
    at: String,
}

/// A position for a schema, required and not shared.
const SLOTS: [(SchemaPosition, &str); 6] = [
    (
        SchemaPosition::Parameter,
        "/paths/~1slots/post/parameters/0/schema",
    ),
    (
        SchemaPosition::RequestBody,
        "/paths/~1slots/post/requestBody/content/application~1json/schema",
    ),
    (
        SchemaPosition::RequestProperty,
        "/paths/~1slots/put/requestBody/content/application~1json/schema/properties/slot",
    ),
    (
        SchemaPosition::ResponseBody,
        "/paths/~1slots/post/responses/200/content/application~1json/schema",
    ),
    (
        SchemaPosition::ResponseProperty,
        "/paths/~1slots/put/responses/200/content/application~1json/schema/properties/slot",
    ),
    (
        SchemaPosition::ResponseHeader,
        "/paths/~1slots/post/responses/200/headers/X-Slot/schema",
    ),
];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/diff")
        .join(name)
}

fn base() -> Value {
    serde_json::from_str(&fs::read_to_string(file("base.json")).unwrap()).unwrap()
}

fn golden() -> IndexMap<String, Case> {
    serde_json::from_str(&fs::read_to_string(file("rules.json")).unwrap()).unwrap()
}

fn aspects() -> Vec<AspectCase> {
    serde_json::from_str(&fs::read_to_string(file("aspects.json")).unwrap()).unwrap()
}

fn line(finding: &Finding) -> String {
    format!(
        "{:?} {}, client {:?}, Rust {:?}: {} at {}: {} -> {}",
        finding.level,
        finding.id,
        finding.runtime,
        finding.rust_api,
        finding.operations.join(" "),
        finding.location,
        finding.old,
        finding.new
    )
}

#[test]
fn each_patch_and_its_reverse_give_mirrored_findings() {
    let base = base();
    let mut cases = golden();
    let mut wrong = Vec::new();
    for (name, case) in &mut cases {
        let mut patched = base.clone();
        json_patch::patch(&mut patched, &case.patch)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let forward = compare(&base, &patched).unwrap();
        let reverse = compare(&patched, &base).unwrap();
        if rule(name).is_some() {
            assert!(
                forward.iter().any(|finding| finding.id == *name),
                "{name}: {forward:#?}"
            );
        }
        mirrored(name, &forward, &reverse);
        mirrored(name, &reverse, &forward);
        let found = [&forward, &reverse].map(|list| list.iter().map(line).collect::<Vec<_>>());
        if found != [case.forward.clone(), case.reverse.clone()] {
            wrong.push(format!("{name}: {found:#?}"));
            let [forward, reverse] = found;
            case.forward = forward;
            case.reverse = reverse;
        }
    }
    if std::env::var("GOLDEN").is_ok_and(|value| value == "write") {
        let text = serde_json::to_string_pretty(&cases).unwrap() + "\n";
        fs::write(file("rules.json"), text).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that every finding of one direction has its mirror in the other.
fn mirrored(name: &str, findings: &[Finding], back: &[Finding]) {
    for finding in findings {
        let mirrors = &rule(&finding.id).unwrap().mirrors;
        let found = back.iter().any(|other| {
            mirrors.contains(&other.id) && other.old == finding.new && other.new == finding.old
        });
        assert!(found, "{name}: nothing mirrors {finding:#?} in {back:#?}");
    }
}

#[test]
fn schema_change_is_found_in_every_position() {
    for case in aspects() {
        for (subject, slot) in SLOTS {
            let [from, to] = [&case.from, &case.to].map(|schema| {
                let mut document = base();
                *document.pointer_mut(slot).unwrap() = schema.clone();
                document
            });
            let id = format!("{}-{}", subject.prefix(), case.aspect);
            let forward = compare(&from, &to).unwrap();
            let [finding] = &forward[..] else {
                panic!("{id}: {forward:#?}");
            };
            assert_eq!(finding.id, id);
            assert_eq!(finding.location, format!("{slot}/{}", case.at));
            assert_eq!(finding.direction, subject.direction());
            let reverse = compare(&to, &from).unwrap();
            assert_eq!(reverse.len(), 1, "{id}: {reverse:#?}");
            mirrored(&id, &forward, &reverse);
            balanced(finding, &reverse[0]);
        }
    }
}

/// Checks that a change that narrows in one direction widens in the other, and at most one of them is harmless.
fn balanced(finding: &Finding, back: &Finding) {
    let levels = [finding.level, back.level];
    match finding.action {
        "narrowed" | "widened" | "added" | "removed" => {
            let harmless = levels.iter().filter(|level| **level == Level::Info).count();
            let always = [
                "default",
                "deprecation",
                "sunset",
                "read-only",
                "write-only",
            ];
            assert!(
                harmless == 1 || always.contains(&finding.kind),
                "{finding:#?} {back:#?}"
            );
        }
        _ => assert_eq!(levels[0], levels[1], "{finding:#?}"),
    }
}

#[test]
fn every_rule_has_a_case() {
    let mut covered: BTreeSet<String> = golden()
        .values()
        .flat_map(|case| case.forward.iter().chain(&case.reverse))
        .map(|line| line.split([' ', ',']).nth(1).unwrap().to_owned())
        .collect();
    for case in aspects() {
        for subject in SchemaPosition::ALL {
            let id = format!("{}-{}", subject.prefix(), case.aspect);
            covered.extend(rule(&id).expect(&id).mirrors.clone());
            covered.insert(id);
        }
    }
    let missing: Vec<&str> = rules()
        .map(|rule| rule.id.as_str())
        // It is found by generating, see `rust_api.rs`.
        .filter(|id| !covered.contains(*id) && *id != "rust-api-changed")
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn tolerated_changes_work_for_this_client() {
    let with = |slot: usize, schema: Value| {
        let mut document = base();
        *document.pointer_mut(SLOTS[slot].1).unwrap() = schema;
        document
    };
    let one = |from: Value, to: Value| {
        let mut findings = compare(&from, &to).unwrap();
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    };
    // A new enum value in a response: open enums accept it, and get a variant for it.
    let finding = one(
        with(4, json!({"type": "string", "enum": ["a"]})),
        with(4, json!({"type": "string", "enum": ["a", "b"]})),
    );
    assert_eq!(
        (finding.runtime, finding.rust_api),
        (Runtime::Works, RustApi::Minor)
    );
    // Null for a value that was always present.
    let finding = one(
        with(4, json!({"type": "string"})),
        with(4, json!({"type": "string", "nullable": true})),
    );
    assert_eq!(
        (finding.runtime, finding.rust_api),
        (Runtime::Breaks, RustApi::Major)
    );
    // A format without a Rust type.
    let finding = one(
        with(4, json!({"type": "string", "format": "email"})),
        with(4, json!({"type": "string"})),
    );
    assert_eq!(
        (finding.runtime, finding.rust_api),
        (Runtime::Works, RustApi::None)
    );
    // A format with a Rust type.
    let finding = one(
        with(4, json!({"type": "string", "format": "uuid"})),
        with(4, json!({"type": "string"})),
    );
    assert_eq!(
        (finding.runtime, finding.rust_api),
        (Runtime::Breaks, RustApi::Major)
    );
    // Null for a value that could already be absent.
    let mut optional = base();
    let slot = "/components/schemas/Thing/properties/note";
    let before = optional.clone();
    *optional.pointer_mut(slot).unwrap() = json!({"type": "string", "nullable": true});
    let finding = one(before, optional);
    assert_eq!(finding.level, Level::Breaking);
    assert_eq!(
        (finding.runtime, finding.rust_api),
        (Runtime::Works, RustApi::None)
    );
    assert_eq!(
        finding.operations,
        ["list_things", "create_thing", "get_thing"]
    );
}

#[test]
fn the_fingerprint_does_not_depend_on_the_rest_of_the_document() {
    let base = base();
    let change = |document: &mut Value| {
        *document
            .pointer_mut("/components/schemas/NewThing/properties/size/type")
            .unwrap() = json!("string");
    };
    let mut one = base.clone();
    change(&mut one);
    let mut other = one.clone();
    other["paths"]["/things"]["get"]["parameters"]
        .as_array_mut()
        .unwrap()
        .remove(0);
    other["info"]["version"] = json!("2");
    let find = |new: &Value| {
        let findings = compare(&base, new).unwrap();
        let found = findings
            .into_iter()
            .find(|finding| finding.id == "request-property-type-changed");
        found.unwrap().fingerprint
    };
    assert_eq!(find(&one), find(&other));
}

#[test]
fn equivalent_openapi_3_0_and_3_1_have_no_findings() {
    let with = |schema: Value| {
        let mut document = base();
        *document.pointer_mut(SLOTS[4].1).unwrap() = schema;
        document
    };
    let one =
        with(json!({"type": "number", "nullable": true, "minimum": 1, "exclusiveMinimum": true}));
    let other = with(json!({"type": ["number", "null"], "exclusiveMinimum": 1}));
    let findings = compare(&one, &other).unwrap();
    let told: Vec<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
    assert!(
        told.iter().all(|id| *id == "document-rewritten"),
        "{findings:#?}"
    );
}

#[test]
fn invalid_contract_is_an_error_with_the_reason() {
    let base = base();
    for (document, reason) in [
        (json!({}), "expected `openapi: 3"),
        (json!({"swagger": "2.0"}), "convert it to OpenAPI 3"),
        (
            json!({"openapi": "4.0.0", "paths": {}}),
            "expected 3.0 or 3.1",
        ),
        (json!({"openapi": "3.0.3"}), "expected `paths`"),
        (
            json!({"openapi": "3.0.3", "paths": {"/a": {"$ref": "other.json"}}}),
            "bundle it first",
        ),
        (
            json!({"openapi": "3.0.3", "paths": {}, "components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}}}}),
            "does not exist",
        ),
    ] {
        let error = format!("{:#}", compare(&base, &document).unwrap_err());
        assert!(
            error.starts_with("new: ") && error.contains(reason),
            "{error}"
        );
    }
    let mut endless = base.clone();
    endless["components"]["schemas"]["A"] = json!({"$ref": "#/components/schemas/A"});
    endless["paths"]["/slots"]["post"]["parameters"][0]["schema"] =
        json!({"$ref": "#/components/schemas/A"});
    let error = format!("{:#}", compare(&base, &endless).unwrap_err());
    assert!(error.contains("does not end"), "{error}");
}

#[test]
fn directions_and_levels_have_names_in_json() {
    assert_eq!(
        json!([
            Direction::Request,
            Level::Info,
            Runtime::Works,
            RustApi::None
        ]),
        json!(["request", "info", "works", "none"])
    );
}

#[test]
fn text_of_a_contract_is_escaped_in_every_report() {
    let base = base();
    let evil = "x\u{1b}[2K\r\n\n# Approved `a` <img src=x> @everyone [b](http://c)";
    for at in [
        "/paths/~1things/get/operationId",
        "/paths/~1things/get/parameters/0/name",
        "/paths/~1things/get/tags/0",
        "/servers/0/url",
        "/components/schemas/NewThing/required/0",
    ] {
        let mut new = base.clone();
        *new.pointer_mut(at).unwrap() = json!(evil);
        let report = Report::new(("old", &base), (evil, &new), &Accepted::default()).unwrap();
        let text = anstream::adapter::strip_str(&report.print(Format::Text).unwrap()).to_string();
        let markdown = report.print(Format::Markdown).unwrap();
        for printed in [&text, &markdown] {
            assert!(!printed.contains(['\u{1b}', '\r']), "{at}: {printed}");
            assert!(!printed.contains("\n# Approved"), "{at}: {printed}");
        }
        // Outside of code there is no markup, and nothing ends code early.
        for line in markdown.lines() {
            assert_eq!(line.matches('`').count() % 2, 0, "{at}: {line}");
            let outside: String = line.split('`').step_by(2).collect();
            for markup in ["<img", "@everyone", " [b]("] {
                assert!(!outside.contains(markup), "{at}: {line}");
            }
        }
    }
}
