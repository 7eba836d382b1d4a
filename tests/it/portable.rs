//! What generators of other languages need from the contract beyond OpenAPI.
//!
//! `cargo xtask lint-contract` generates clients with them. These tests find within seconds what would fail there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::reference::document::{Document, body_schema, elements, entries, schema_name};
use crate::reference::json_schema::Schemas;

type Rule = fn(&Document) -> Vec<String>;

const RULES: [(&str, Rule); 6] = [
    ("open replies", open_replies),
    ("null", null),
    ("numbers", numbers),
    ("defaults", defaults),
    ("bodies have examples", bodies_have_examples),
    ("examples are real", examples_are_real),
];

/// For each rule, a change of the contract that it must report.
const DOCTORED: &str = r#"
open replies         | /components/schemas/Currency/enum                               | ["EUR"]
open replies         | /components/schemas/Website/properties/billingMode/enum         | ["company_managed"]
null                 | /components/schemas/Package/properties/externalId/nullable      | false
null                 | /components/schemas/Website/properties/billingMode/type         | null
null                 | /components/schemas/Website/properties/consumption/nullable     | true
numbers              | /components/schemas/Count/type                                  | "number"
numbers              | /components/schemas/Package/properties/price/format             | null
numbers              | /paths/~1v2~13as~1customers/get/parameters/0/schema/format      | null
defaults             | /components/schemas/UpgradeWebsiteSubscriptionRequest/properties/trial/default | false
bodies have examples | /paths/~1v2~13as~1customers/post/requestBody/content/application~1json/example | null
bodies have examples | /paths/~1v2~13as~1customers/post/requestBody/content/application~1json/example | {"email":"owner@example.com"}
bodies have examples | /components/responses/NotFound/content/application~1json/example | null
examples are real    | /components/schemas/Website/properties/packageName/example      | "string"
"#;

#[test]
fn contract_follows_all_rules_for_generators() {
    let contract = Document::contract().unwrap();
    for (name, rule) in RULES {
        assert_eq!(rule(&contract), [""; 0], "{name}");
    }
    assert!(contract.root["info"]["contact"]["url"].is_string());
}

#[test]
fn every_rule_for_generators_reports_a_violation() {
    let mut tried = BTreeSet::new();
    for line in DOCTORED.trim().lines() {
        let mut columns = line.splitn(3, '|').map(str::trim);
        let [rule, pointer, value] = [(); 3].map(|()| columns.next().unwrap());
        let mut contract = Document::contract().unwrap();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let fields = contract.root.pointer_mut(parent).expect(line);
        match serde_json::from_str(value).expect(line) {
            Value::Null => drop(fields.as_object_mut().unwrap().shift_remove(key)),
            value => fields[key] = value,
        }
        let (_, complaints) = RULES.iter().find(|(name, _)| *name == rule).expect(line);
        assert!(!complaints(&contract).is_empty(), "not noticed: {line}");
        tried.insert(rule.to_owned());
    }
    assert_eq!(tried.len(), RULES.len(), "a rule is not tried");
}

/// With a closed `enum`, a new value in one entry makes a whole list unreadable.
fn open_replies(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    each_reply_schema(document, &mut |name, schema| {
        each_node(schema, name, &mut |at, node| {
            if node.get("enum").is_some() {
                complaints.push(format!("{at} is a closed list"));
            }
        });
    });
    complaints
}

/// A field that may be missing may be null, unless it is an object; and `nullable` has a type next to it.
fn null(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    each_reply_schema(document, &mut |name, schema| {
        let required: Vec<&Value> = elements(&schema["required"]).collect();
        for (field, node) in entries(&schema["properties"]) {
            let nullable = node["nullable"] == true;
            if nullable && (node.get("type").is_none() || node.get("allOf").is_some()) {
                complaints.push(format!("{name}.{field} has no type beside nullable"));
            }
            let is_object = document.resolve(node).get("properties").is_some();
            let anything = node.get("type").is_none() && node.get("allOf").is_none();
            let optional = !required.contains(&&json!(field));
            if optional && !nullable && !is_object && !anything {
                complaints.push(format!("{name}.{field} may be missing and not null"));
            }
        }
    });
    complaints
}

/// Integers have the type `integer`, and every number has its size.
fn numbers(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    each_node(&document.root, "", &mut |at, node| {
        let expected = match node["type"].as_str() {
            Some("integer") => "int64",
            Some("number") => "double",
            _ => return,
        };
        if node["format"] != expected || node.get("multipleOf").is_some() {
            complaints.push(format!("{at} is not of the format {expected}"));
        }
    });
    let touchpoints = &document.root["components"]["schemas"]["Count"];
    if touchpoints["type"] != "integer" {
        complaints.push("Count is not a whole number".to_owned());
    }
    complaints
}

/// openapi-typescript requires a field that has a default.
fn defaults(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    each_node(&document.root, "", &mut |at, node| {
        if node.get("default").is_some_and(Value::is_boolean) {
            complaints.push(format!("{at} has a default"));
        }
    });
    complaints
}

/// Every body has an example of the whole body that is valid.
fn bodies_have_examples(document: &Document) -> Vec<String> {
    let schemas = Schemas::of(document).unwrap();
    let mut complaints = Vec::new();
    each_node(&document.root, "", &mut |at, node| {
        let Some(media) = node.get("application/json") else {
            return;
        };
        let named = entries(&media["examples"]).map(|(_, example)| &example["value"]);
        let examples: Vec<&Value> = media.get("example").into_iter().chain(named).collect();
        if examples.is_empty() {
            complaints.push(format!("{at} has no example"));
        }
        for example in examples {
            let violations = schemas.violations(&media["schema"], example);
            for violation in violations.unwrap() {
                complaints.push(format!(
                    "{at}: {} at {}",
                    violation.message, violation.pointer
                ));
            }
        }
    });
    complaints
}

fn examples_are_real(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    each_node(&document.root, "", &mut |at, node| {
        if node.get("example") == Some(&json!("string")) {
            complaints.push(format!("{at} shows the name of its type"));
        }
    });
    complaints
}

/// Calls `visit` with every named schema that a response may contain.
fn each_reply_schema(document: &Document, visit: &mut dyn FnMut(&str, &Value)) {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    for operation in document.operations() {
        for (_, response) in document.responses(&operation) {
            open.extend(
                body_schema(response)
                    .and_then(schema_name)
                    .map(str::to_owned),
            );
        }
    }
    while let Some(name) = open.pop() {
        if !reached.insert(name.clone()) {
            continue;
        }
        let schema = &document.root["components"]["schemas"][&name];
        visit(&name, schema);
        each_node(schema, "", &mut |_, node| {
            let reference = node["$ref"].as_str();
            open.extend(
                reference
                    .and_then(|target| target.rsplit('/').next())
                    .map(str::to_owned),
            );
        });
    }
}

fn each_node(node: &Value, at: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(at, node);
    for (key, value) in entries(node) {
        // The content of an example is data.
        if key != "example" && key != "examples" {
            each_node(value, &format!("{at}/{}", key.replace('/', "~1")), visit);
        }
    }
    for (index, value) in elements(node).enumerate() {
        each_node(value, &format!("{at}/{index}"), visit);
    }
}
