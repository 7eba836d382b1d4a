//! Checks `rust_api` of findings against generated code: edits of the contract, generated on both sides.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

use std::sync::LazyLock;

use serde_json::{Value, json};
use xtask::diff::{Accepted, Report, RustApi, RustVerdict};
use xtask::layout::Layout;
use xtask::overlay;

static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| overlay::contract(&Layout::here().unwrap()).unwrap());

fn edited(edit: impl FnOnce(&mut Value)) -> Report {
    let mut new = CONTRACT.clone();
    edit(&mut new);
    Report::new(("old", &CONTRACT), ("new", &new), &Accepted::default()).unwrap()
}

fn worst(report: &Report) -> RustApi {
    let parts = report.findings.iter().map(|finding| finding.rust_api);
    parts.max().unwrap_or(RustApi::None)
}

#[track_caller]
fn gives(expected: RustApi, edit: impl FnOnce(&mut Value)) {
    let report = edited(edit);
    assert_eq!(report.rust, RustVerdict::Generated);
    let found: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("{} {:?}: {}", finding.id, finding.rust_api, finding.text))
        .collect();
    assert_eq!(worst(&report), expected, "{found:#?}");
}

fn schema<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    &mut document["components"]["schemas"][name]
}

#[test]
fn changes_that_the_generator_ignores_need_no_release() {
    gives(RustApi::None, |new| {
        schema(new, "WebsiteListResponse")["properties"]["meta"]["externalDocs"] =
            json!({"url": "https://docs.example.com"});
    });
    gives(RustApi::None, |new| {
        schema(new, "Package")["properties"]["name"]["maxLength"] = json!(3);
    });
}

#[test]
fn changed_descriptions_are_a_patch() {
    gives(RustApi::Patch, |new| {
        schema(new, "Package")["properties"]["name"]["description"] = json!("Other words.");
    });
    gives(RustApi::Patch, |new| {
        schema(new, "SubscriptionType")["x-extensible-enum"]
            .as_array_mut()
            .unwrap()
            .reverse();
    });
}

#[test]
fn additions_are_minor() {
    gives(RustApi::Minor, |new| {
        schema(new, "SubscriptionType")["x-extensible-enum"]
            .as_array_mut()
            .unwrap()
            .push(json!("other"));
    });
    gives(RustApi::Minor, |new| {
        let mut operation = new["paths"]["/v2/3as/packages"]["get"].clone();
        operation["operationId"] = json!("list_other_packages");
        new["paths"]["/v2/3as/other-packages"] = json!({"get": operation});
    });
}

#[test]
fn changes_that_break_callers_are_major() {
    gives(RustApi::Major, |new| {
        schema(new, "Package")["properties"]["more"] = json!({"type": "string"});
    });
    gives(RustApi::Major, |new| {
        schema(new, "Package")["properties"]["name"]["type"] = json!("boolean");
    });
    // Inlined, where it had its own type.
    gives(RustApi::Major, |new| {
        let count = schema(new, "BillingInterval").clone();
        schema(new, "CreatePackageRequest")["properties"]["period"] = count;
    });
    // The name of a map is the name of a type.
    gives(RustApi::Major, |new| {
        let text = new
            .to_string()
            .replace("RawSessionsQuery", "RawSessionsQueryRenamed");
        *new = serde_json::from_str(&text).unwrap();
    });
}

#[test]
fn finding_only_has_its_own_rust_changes() {
    let report = edited(|new| {
        schema(new, "Package")["properties"]["more"] = json!({"type": "string"});
        schema(new, "Graph")["properties"]["labels"]["maxItems"] = json!(3);
    });
    for finding in &report.findings {
        let expected = if finding.location.contains("/Package/") {
            RustApi::Major
        } else {
            RustApi::None
        };
        assert_eq!(finding.rust_api, expected, "{}", finding.text);
    }
}

#[test]
fn contract_that_cannot_be_generated_is_reported_with_the_reason() {
    let report = edited(|new| {
        new["paths"]["/v2/3as/packages"]["trace"] = new["paths"]["/v2/3as/packages"]["get"].clone();
    });
    let RustVerdict::Refused(reason) = &report.rust else {
        panic!("{:?}", report.rust);
    };
    assert!(reason.contains("cannot send this method"), "{reason}");
    assert!(
        report
            .summary_line()
            .contains("The generator rejects the contract")
    );
    assert_eq!(worst(&report), RustApi::Refused);
}
