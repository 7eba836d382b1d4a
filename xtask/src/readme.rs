//! The generated parts of READMEs: the table of operations, that of generators, and what a comparison looks like.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::document::{Operation, entries, operations};

/// A README with its table of operations replaced by that of `contract`.
///
/// # Errors
///
/// Where the markers of the table are gone.
pub fn with_table(readme: &str, contract: &Value) -> Result<String> {
    with(readme, "operations", &table(contract))
}

/// A README with `excerpt` in place of the comparison that it shows.
///
/// # Errors
///
/// Where the markers around it are gone.
pub fn with_excerpt(readme: &str, excerpt: &str) -> Result<String> {
    with(readme, "diff", excerpt)
}

/// The README of the contract with `rows` as its table of generators.
pub(crate) fn with_bindings(readme: &str, rows: &str) -> Result<String> {
    between(readme, "bindings", "lint-contract", rows)
}

/// Replaces what `regen` writes between two markers.
fn with(readme: &str, name: &str, text: &str) -> Result<String> {
    between(readme, name, "regen", text)
}

/// Replaces what stands between two markers.
fn between(readme: &str, name: &str, command: &str, text: &str) -> Result<String> {
    let start = format!("<!-- {name}: made by `cargo xtask {command}` -->\n");
    let end = format!("<!-- /{name} -->");
    let missing = || {
        format!("the markers {start:?} and {end:?} are missing: put them around the generated part")
    };
    let (before, rest) = readme.split_once(&start).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{before}{start}\n{text}\n{end}{after}"))
}

/// One row per operation, grouped by tag in the order of the contract.
fn table(contract: &Value) -> String {
    let mut rows = vec!["| | operation | request | stands |\n|---|---|---|---|".to_owned()];
    let tags = entries(&contract["tags"]).iter();
    for tag in tags.filter_map(|tag| tag["name"].as_str()) {
        let mut shown = tag;
        for operation in operations(contract) {
            let Operation {
                id, path, value, ..
            } = operation;
            if id.is_empty() || value["tags"][0] != tag {
                continue;
            }
            let basis = value["x-provenance"]["basis"].as_str().unwrap_or_default();
            let method = operation.method.to_uppercase();
            rows.push(format!(
                "| {shown} | `{id}` | `{method} {path}` | {basis} |"
            ));
            shown = "";
        }
    }
    rows.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_replaced_and_nothing_else() {
        let contract = serde_json::json!({
            "tags": [{"name": "sites"}],
            "paths": {"/s": {
                "get": {"operationId": "list", "tags": ["sites"], "x-provenance": {"basis": "documented"}},
                "post": {"operationId": "make", "tags": ["sites"], "x-provenance": {"basis": "sdk"}},
            }},
        });
        let readme =
            "a\n<!-- operations: made by `cargo xtask regen` -->\nold\n<!-- /operations -->\nb\n";
        let new = with_table(readme, &contract).unwrap();
        assert!(new.starts_with("a\n") && new.ends_with("-->\nb\n"));
        assert!(
            new.contains(
                "| sites | `list` | `GET /s` | documented |\n|  | `make` | `POST /s` | sdk |\n"
            ),
            "{new}"
        );
        assert!(!new.contains("old"));
        assert_eq!(
            with_table(&new, &contract).unwrap(),
            new,
            "twice is the same as once"
        );
    }

    #[test]
    fn a_readme_without_markers_is_an_error() {
        assert!(with_table("nothing", &Value::Null).is_err());
    }
}
