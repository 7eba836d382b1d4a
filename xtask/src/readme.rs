//! The README's table of operations, made from the contract.

use anyhow::{Context as _, Result};
use serde_json::Value;

const START: &str = "<!-- operations: made by `cargo xtask regen` -->\n";
const END: &str = "<!-- /operations -->";

/// The README with its table replaced by one of `contract`.
///
/// # Errors
///
/// Where the markers of the table are gone.
pub fn with_table(readme: &str, contract: &Value) -> Result<String> {
    let missing = || {
        format!(
            "the README lacks the marker {START:?} or {END:?}: put them around its table of operations"
        )
    };
    let (before, rest) = readme.split_once(START).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!(
        "{before}{START}\n{}\n{END}{after}",
        table(contract)
    ))
}

/// One row per operation, grouped by tag in the order of the contract.
fn table(contract: &Value) -> String {
    let mut rows = vec!["| | operation | request | stands |\n|---|---|---|---|".to_owned()];
    let tags = contract["tags"].as_array().into_iter().flatten();
    for tag in tags.filter_map(|tag| tag["name"].as_str()) {
        let mut shown = tag;
        for (path, method, operation) in operations(contract) {
            if operation["tags"][0] != tag {
                continue;
            }
            let id = operation["operationId"].as_str().unwrap_or_default();
            let basis = operation["x-provenance"]["basis"]
                .as_str()
                .unwrap_or_default();
            let method = method.to_uppercase();
            rows.push(format!(
                "| {shown} | `{id}` | `{method} {path}` | {basis} |"
            ));
            shown = "";
        }
    }
    rows.join("\n") + "\n"
}

fn operations(contract: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    contract["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(path, item)| {
            item.as_object()
                .into_iter()
                .flatten()
                .filter(|(_, operation)| operation.get("operationId").is_some())
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
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
        let readme = format!("a\n{START}old\n{END}\nb\n");
        let new = with_table(&readme, &contract).unwrap();
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
