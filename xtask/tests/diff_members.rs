//! Variants of each kind of change, each with its reverse.
//!
//! `diff/members.json` lists them by kind: the value at a place of `diff/base.json` before and after, with the findings of
//! the change and of its reverse. `GOLDEN=write cargo test -p xtask --test diff_members` rewrites the findings, which must
//! be reviewed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

use std::fs;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xtask::diff::rules::rule;
use xtask::diff::{Finding, compare};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    /// A JSON pointer into the base, or one of [`PLACES`].
    at: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    old: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    new: Value,
    /// Components in both documents.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    schemas: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    old_schemas: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    new_schemas: Map<String, Value>,
    /// Whether the documents are OpenAPI 3.1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    openapi_3_1: bool,
    #[serde(default)]
    forward: Vec<String>,
    #[serde(default)]
    reverse: Vec<String>,
}

const PLACES: [(&str, &str); 3] = [
    (
        "request",
        "/paths/~1slots/post/requestBody/content/application~1json/schema",
    ),
    (
        "response",
        "/paths/~1slots/post/responses/200/content/application~1json/schema",
    ),
    ("query", "/paths/~1slots/post/parameters/0/schema"),
];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/diff")
        .join(name)
}

impl Member {
    fn documents(&self, base: &Value) -> [Value; 2] {
        [
            (&self.old, &self.old_schemas),
            (&self.new, &self.new_schemas),
        ]
        .map(|(node, schemas)| {
            let mut document = base.clone();
            if self.openapi_3_1 {
                document["openapi"] = "3.1.0".into();
            }
            let at = PLACES
                .iter()
                .find(|(name, _)| *name == self.at)
                .map_or(self.at.as_str(), |(_, at)| at);
            let (parent, key) = at.rsplit_once('/').expect("a pointer");
            let key = key.replace("~1", "/").replace("~0", "~");
            match document.pointer_mut(parent).expect(at) {
                Value::Object(fields) if node.is_null() => {
                    fields.shift_remove(&key);
                }
                Value::Object(fields) => {
                    fields.insert(key, node.clone());
                }
                list => list[key.parse::<usize>().unwrap()] = node.clone(),
            }
            let components = document["components"]["schemas"].as_object_mut().unwrap();
            components.extend(self.schemas.clone());
            components.extend(schemas.clone());
            document
        })
    }
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
fn each_variant_and_its_reverse_give_mirrored_findings() {
    let base: Value =
        serde_json::from_str(&fs::read_to_string(file("base.json")).unwrap()).unwrap();
    let mut kinds: IndexMap<String, IndexMap<String, Member>> =
        serde_json::from_str(&fs::read_to_string(file("members.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for (kind, members) in &mut kinds {
        for (name, member) in members {
            let name = format!("{kind}: {name}");
            let [old, new] = member.documents(&base);
            let forward = compare(&old, &new).unwrap_or_else(|error| panic!("{name}: {error:#}"));
            let reverse = compare(&new, &old).unwrap_or_else(|error| panic!("{name}: {error:#}"));
            mirrored(&name, &forward, &reverse);
            mirrored(&name, &reverse, &forward);
            let found = [&forward, &reverse].map(|list| list.iter().map(line).collect::<Vec<_>>());
            if found != [member.forward.clone(), member.reverse.clone()] {
                wrong.push(format!("{name}: {found:#?}"));
                let [forward, reverse] = found;
                member.forward = forward;
                member.reverse = reverse;
            }
        }
    }
    if std::env::var("GOLDEN").is_ok_and(|value| value == "write") {
        fs::write(file("members.json"), written(&kinds)).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns a line for each schema and each finding.
fn written(kinds: &IndexMap<String, IndexMap<String, Member>>) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, members)| {
            let members: Vec<String> = members
                .iter()
                .map(|(name, member)| {
                    let member = serde_json::to_value(member).unwrap();
                    let fields: Vec<String> = member
                        .as_object()
                        .unwrap()
                        .iter()
                        .map(|(key, value)| format!("      {}: {}", quoted(key), lines(value)))
                        .collect();
                    format!("    {}: {{\n{}\n    }}", quoted(name), fields.join(",\n"))
                })
                .collect();
            format!("  {}: {{\n{}\n  }}", quoted(kind), members.join(",\n"))
        })
        .collect();
    format!("{{\n{}\n}}\n", kinds.join(",\n"))
}

fn lines(value: &Value) -> String {
    match value.as_array() {
        Some(list) if list.iter().any(Value::is_string) && list.len() > 1 => {
            let list: Vec<String> = list.iter().map(|line| format!("        {line}")).collect();
            format!("[\n{}\n      ]", list.join(",\n"))
        }
        _ => value.to_string(),
    }
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
