//! Turns a panic of the generator into an error that names its input.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use crate::document::{SCHEMAS, fields, operations, references};

thread_local! {
    /// Whether a panic of this thread is turned into an error.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs the generator. If it panics, finds the operation or schema that causes it.
pub(super) fn guarded<T>(contract: &Value, generate: impl Fn(&Value) -> Result<T>) -> Result<T> {
    match caught(|| generate(contract)) {
        Ok(result) => result,
        Err(message) => {
            let panics = |document: &Value| caught(|| generate(document)).is_err();
            let culprit =
                culprit(contract, panics).unwrap_or_else(|| "the document as a whole".to_owned());
            Err(anyhow!(
                "{culprit}: the generator does not support it ({message}): simplify it by an overlay, and report it to \
                 progenitor"
            ))
        }
    }
}

/// Returns the first operation that panics on its own, or else the first schema.
fn culprit(contract: &Value, panics: impl Fn(&Value) -> bool) -> Option<String> {
    let mut bare = contract.clone();
    bare["paths"] = json!({});
    // Start with the schema that refers to the fewest others, so that the cause is named rather than what contains it.
    let mut schemas: Vec<(&str, Value)> = fields(&contract["components"]["schemas"])
        .map(|(name, _)| (name, with_references(contract, name)))
        .collect();
    schemas.sort_by_key(|(_, found)| fields(found).count());
    for (name, found) in schemas {
        let mut alone = bare.clone();
        alone["components"]["schemas"] = found;
        if panics(&alone) {
            return Some(format!("{}{name}", &SCHEMAS[1..]));
        }
    }
    for operation in operations(contract) {
        let mut alone = bare.clone();
        alone["paths"] = json!({ operation.path: { operation.method: operation.value } });
        if panics(&alone) {
            return Some(format!(
                "operation {} ({})",
                operation.id,
                operation.request()
            ));
        }
    }
    None
}

/// Returns a schema with those that it refers to.
fn with_references(contract: &Value, name: &str) -> Value {
    let schemas = &contract["components"]["schemas"];
    let mut found = json!({});
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        let Some(schema) = schemas.get(name).filter(|_| found.get(name).is_none()) else {
            continue;
        };
        found[name] = schema.clone();
        open.extend(
            references(schema)
                .into_iter()
                .filter_map(|name| name.strip_prefix(SCHEMAS)),
        );
    }
    found
}

/// Returns the result of a function, or the message of its panic.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                before(info);
            }
        }));
    });
    CAUGHT.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CAUGHT.set(false);
    result.map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_names_its_operation_or_schema() {
        let contract = json!({
            "paths": { "/a": { "get": { "operationId": "get_a" } }, "/b": { "get": { "operationId": "get_b" } } },
            "components": { "schemas": {
                "Outer": { "properties": { "odd": { "$ref": "#/components/schemas/Odd" } } },
                "Odd": { "type": "odd" },
            } },
        });
        for (word, want) in [
            ("get_b", "operation get_b (GET /b)"),
            ("odd", "/components/schemas/Odd"),
        ] {
            let generate = |document: &Value| {
                assert!(!document.to_string().contains(word), "met {word}");
                Ok(())
            };
            let error = format!("{:#}", guarded(&contract, generate).unwrap_err());
            assert!(
                error.starts_with(want) && error.contains(&format!("met {word}")),
                "{error}"
            );
        }
        assert_eq!(guarded(&contract, |_| Ok(1)).unwrap(), 1);
    }
}
