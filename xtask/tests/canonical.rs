//! The canonical form of documents as the vendor's tools may write them.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use xtask::canonical::{Kind, Names, canonical, current, version};
use xtask::diff::{Level, compare};
use xtask::document;
use xtask::generate::generate;
use xtask::layout::Layout;
use xtask::lock::{Lock, load_version};
use xtask::normalise::normalise;
use xtask::overlay;
use xtask::regen::difference;

/// The same API in other forms, as tools write it: everything inline, without ids, in 3.0 and in 3.1.
const FORMS: [&str; 2] = ["inline-30.json", "inline-31.json"];

fn form(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/canonical")
        .join(name);
    document::parse(&fs::read(path).unwrap()).unwrap()
}

/// Returns the canonical form of the document as the version after the current one.
fn next(document: &Value) -> anyhow::Result<Value> {
    let layout = Layout::here()?;
    let (before, _) = current(&layout)?;
    Ok(canonical(document.clone(), &Names::load(&layout)?, Some(&before))?.0)
}

/// Returns the error for a document that is rejected.
fn refused(document: &Value) -> String {
    format!("{:#}", next(document).unwrap_err())
}

#[test]
fn the_versions_of_the_repository_are_canonical() {
    let layout = Layout::here().unwrap();
    for kept in Lock::load(&layout).unwrap().versions {
        let document = load_version(&layout, &kept).unwrap();
        let (form, log) = version(&layout, &kept).unwrap();
        let (again, _) =
            canonical(form.clone(), &Names::load(&layout).unwrap(), Some(&form)).unwrap();
        assert_eq!(again, form, "{}", kept.name);
        // Hosts and shared failures that a version leaves out are kept from the previous one.
        if log.iter().all(|change| change.kind == Kind::Kept) {
            assert_eq!(form["paths"], document["paths"], "{}", kept.name);
        }
    }
}

#[test]
fn another_form_of_the_same_api_is_not_a_change() {
    let layout = Layout::here().unwrap();
    let (before, _) = current(&layout).unwrap();
    for name in FORMS {
        let now = next(&form(name)).unwrap();
        let findings = compare(&before, &now).unwrap();
        let breaking: Vec<_> = findings
            .iter()
            .filter(|finding| finding.level == Level::Breaking)
            .collect();
        assert!(breaking.is_empty(), "{name}: {breaking:#?}");
        assert_eq!(now["servers"], before["servers"], "{name}");
        assert_eq!(now["info"]["license"], before["info"]["license"], "{name}");
        assert!(findings.len() <= 10, "{name}: {findings:#?}");
    }
}

#[test]
fn another_form_of_the_same_api_gives_the_same_client() {
    let layout = Layout::here().unwrap();
    for name in FORMS {
        let contract = overlay::corrected(&layout, next(&form(name)).unwrap()).unwrap();
        let client = generate(&normalise(&contract).unwrap().0).unwrap();
        for (file, found) in [("types", client.types), ("requests", client.requests)] {
            let committed = fs::read_to_string(layout.generated(file)).unwrap();
            assert!(
                found == committed,
                "{name}: {}",
                difference(&committed, &found)
            );
        }
        let found = xtask::operations::generate(&contract).unwrap();
        assert_eq!(
            found,
            fs::read_to_string(layout.generated("operations")).unwrap(),
            "{name}"
        );
    }
}

/// Tests changes of the form only, for a document that names its schemas and for one that does not.
#[test]
fn names_servers_and_bundling_are_not_a_change() {
    let layout = Layout::here().unwrap();
    let (before, _) = current(&layout).unwrap();
    let replaced = |document: &Value, from: &str, to: &str| -> Value {
        serde_json::from_str(&document.to_string().replace(from, to)).unwrap()
    };
    let titled = |document: &Value| {
        let mut document = document.clone();
        let mut number = 0;
        document::each_schema_mut(&mut document, &mut |_, schema| {
            if schema.get("properties").is_some() {
                number += 1;
                schema["title"] = json!(format!("Thing{number}Dto"));
            }
        });
        document
    };
    let prefixed = |document: &Value| {
        let mut document = replaced(document, "\"/v2/3as/", "\"/3as/v2/");
        document = replaced(&document, "\"/v3/3as/", "\"/3as/v3/");
        document = replaced(&document, "\"/3as/v", "\"/v");
        document["servers"] = json!([{ "url": "https://{host}/{base}",
            "variables": { "host": { "default": "api-gateway.visitor-analytics.io" }, "base": { "default": "3as" } } }]);
        document
    };
    for document in [before.clone(), form(FORMS[0]), form(FORMS[1])] {
        let (plain, _) = canonical(document.clone(), &Names::default(), Some(&before)).unwrap();
        for (name, changed) in [
            (
                "path parameters",
                replaced(&document, "intpWebsiteId}", "id}"),
            ),
            ("titles", titled(&document)),
            (
                "no servers",
                replaced(&document, "\"servers\"", "\"x-servers\""),
            ),
            ("schemas", other_names(document.clone())),
            (
                "tags",
                replaced(&document, "\"Websites\"", "\"Website endpoints\""),
            ),
        ] {
            let changed = if name == "path parameters" {
                parameters_named(changed, "intpWebsiteId", "id")
            } else {
                changed
            };
            let (mut changed, _) =
                canonical(changed.clone(), &Names::default(), Some(&before)).unwrap();
            changed.as_object_mut().unwrap().shift_remove("x-servers");
            assert!(
                changed == plain,
                "{name}: {}",
                difference(&text(&plain), &text(&changed))
            );
        }
    }
    let (based, _) = canonical(prefixed(&before), &Names::default(), None).unwrap();
    assert_eq!(
        based["servers"],
        json!([{ "url": "https://api-gateway.visitor-analytics.io" }])
    );
    assert!(
        based["paths"]
            .as_object()
            .unwrap()
            .keys()
            .all(|path| path.starts_with("/3as/v"))
    );
}

/// Returns the document with every schema renamed.
fn other_names(mut document: Value) -> Value {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else {
        return document;
    };
    *schemas = std::mem::take(schemas)
        .into_iter()
        .map(|(name, schema)| (format!("Api.{name}.Dto"), schema))
        .collect();
    let names: Vec<String> = schemas.keys().cloned().collect();
    let mut text = document.to_string();
    for name in names {
        let ours = name.trim_start_matches("Api.").trim_end_matches(".Dto");
        text = text.replace(&format!("schemas/{ours}\""), &format!("schemas/{name}\""));
    }
    serde_json::from_str(&text).unwrap()
}

fn text(document: &Value) -> String {
    document::to_text(document).unwrap()
}

/// Renames the path parameters of every operation.
fn parameters_named(mut document: Value, from: &str, to: &str) -> Value {
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        for operation in item.as_object_mut().unwrap().values_mut() {
            for parameter in operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if parameter["in"] == "path" && parameter["name"] == from {
                    parameter["name"] = json!(to);
                }
            }
        }
    }
    document
}

#[test]
fn canonical_is_idempotent() {
    for name in FORMS {
        let once = next(&form(name)).unwrap();
        assert_eq!(next(&once).unwrap(), once, "{name}");
    }
}

#[test]
fn missing_descriptions_and_examples_are_kept_where_they_fit() {
    let (before, _) = current(&Layout::here().unwrap()).unwrap();
    let mut document = before.clone();
    let package = &mut document["components"]["schemas"]["Package"];
    for field in ["name", "price"] {
        let field = package["properties"][field].as_object_mut().unwrap();
        field.shift_remove("description");
        field.shift_remove("example");
    }
    package["properties"]["price"]["type"] = json!("string");
    package["properties"]["period"]["description"] = json!("Theirs.");
    let (form, _) = canonical(document.clone(), &Names::default(), Some(&before)).unwrap();
    let (now, was) = (
        &form["components"]["schemas"]["Package"]["properties"],
        &before["components"]["schemas"]["Package"]["properties"],
    );
    assert_eq!(now["name"]["description"], was["name"]["description"]);
    assert_eq!(now["name"]["example"], was["name"]["example"]);
    assert_eq!(now["price"]["description"], was["price"]["description"]);
    assert_eq!(now["price"].get("example"), None, "another type");
    assert_eq!(now["period"]["description"], "Theirs.");
}

#[test]
fn missing_security_never_disables_authentication() {
    let mut silent = form(FORMS[0]);
    silent.as_object_mut().unwrap().shift_remove("security");
    let error = refused(&silent);
    assert!(
        error.starts_with("/security: `security` is missing"),
        "{error}"
    );
    assert!(
        error.contains("\"document\" under [security] in openapi/names.toml"),
        "{error}"
    );

    let mut optional = form(FORMS[0]);
    optional["security"] = json!([{ "bearerAuth": [] }, {}]);
    assert!(refused(&optional).contains("authentication is optional"));

    let mut off = form(FORMS[0]);
    off["paths"]["/v2/3as/websites"]["get"]["security"] = json!([]);
    let error = refused(&off);
    assert!(
        error.contains("disabled") && error.contains("GET /v2/3as/websites"),
        "{error}"
    );
}

#[test]
fn all_refusals_are_reported_together() {
    let mut document = form(FORMS[0]);
    document["paths"]["/v2/3as/websites"]["get"]["security"] = json!([{}]);
    document["paths"]["/v2/3as/customers"]["get"]["security"] = json!([]);
    let error = refused(&document);
    assert!(error.starts_with("2 refusals"), "{error}");
}

#[test]
fn names_toml_overrides_derived_names() {
    let layout = Layout::here().unwrap();
    let (before, _) = current(&layout).unwrap();
    let mut document = form(FORMS[0]);
    document.as_object_mut().unwrap().shift_remove("security");
    let names = Names::parse(
        r#"
        [operations]
        "GET /v2/3as/websites" = { name = "all_websites", reason = "a test" }
        [security]
        document = { scheme = "partnerToken", reason = "a test" }
        "#,
    )
    .unwrap();
    let (form, log) = canonical(document.clone(), &names, Some(&before)).unwrap();
    assert_eq!(form["security"], json!([{ "partnerToken": [] }]));
    assert_eq!(
        form["paths"]["/v2/3as/websites"]["get"]["operationId"],
        "all_websites"
    );
    assert!(log.iter().any(|change| change.kind == Kind::Renamed));
    for (text, want) in [
        (
            r#"schemas.A = { name = "B", reason = " " }"#,
            "expected a reason",
        ),
        (
            r#"operations.a = { name = "listAll", reason = "a test" }"#,
            "expected snake_case",
        ),
        (
            r#"security.document = { scheme = "basic", reason = "a test" }"#,
            "basic",
        ),
    ] {
        let error = format!("{:#}", Names::parse(text).unwrap_err());
        assert!(error.contains(want), "{error}");
    }
}
