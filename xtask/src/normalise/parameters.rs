//! Parameters that the client cannot send as they are.

use serde_json::{Value, json};

use super::log::{Kind, Log};
use crate::document::{escape, fields, is_method, resolve};

/// Returns why the client leaves out a parameter, or `None` if it sends it.
pub(super) fn left_out(document: &Value, parameter: &Value) -> Option<&'static str> {
    let schema = resolve(document, &parameter["schema"]).unwrap_or(&Value::Null);
    if parameter["required"] == true || is_comma_list(document, parameter) {
        return None;
    }
    match parameter["in"].as_str()? {
        "cookie" => Some("a cookie"),
        _ if parameter.get("content").is_some() => Some("a document inside a parameter"),
        "query" | "header" if schema["type"] == "array" => {
            Some("a list, and the client sends single values")
        }
        "query" if schema["type"] == "object" => {
            Some("an object, and the client sends plain values")
        }
        _ => None,
    }
}

/// Reports whether a parameter is a comma-separated list.
pub(super) fn is_comma_list(document: &Value, parameter: &Value) -> bool {
    let is_list = resolve(document, &parameter["schema"])
        .is_ok_and(|schema| schema["type"] == "array" && schema["items"]["type"] != "object");
    let is_form = matches!(parameter["style"].as_str(), None | Some("form"));
    is_list && is_form && parameter["in"] == "query" && parameter["explode"] == false
}

/// Replaces comma-separated lists by text, and removes optional parameters that cannot be sent.
pub(super) fn rewrite(document: &mut Value, log: &mut Log) {
    let resolved = document.clone();
    for (path, item) in fields(&resolved["paths"]) {
        for (method, operation) in fields(item).filter(|(key, _)| is_method(key)) {
            let at = format!(
                "operation {}",
                operation["operationId"].as_str().unwrap_or_default()
            );
            let pointer = format!("/paths/{}/{method}/parameters", escape(path));
            let Some(list) = document.pointer_mut(&pointer).and_then(Value::as_array_mut) else {
                continue;
            };
            list.retain_mut(|parameter| {
                let found = resolve(&resolved, parameter)
                    .unwrap_or(&Value::Null)
                    .clone();
                let name = &found["name"];
                if let Some(why) = left_out(&resolved, &found) {
                    log.add(
                        Kind::LeftOut,
                        &at,
                        format!("{name} is optional, and is {why}"),
                    );
                    return false;
                }
                if is_comma_list(&resolved, &found) {
                    *parameter = found.clone();
                    parameter["schema"] = json!({ "type": "string" });
                    let text = found["description"].as_str().unwrap_or_default();
                    let text = format!("{text} Values are separated by commas.");
                    parameter["description"] = json!(text.trim_start());
                    log.add(
                        Kind::CommaList,
                        &at,
                        format!("{name} is comma-separated text"),
                    );
                }
                true
            });
        }
    }
}
