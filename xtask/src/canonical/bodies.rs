//! Normalises bodies: a single JSON body under one status.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use crate::document::{Operation, escape, fields, is_success, operations};

const JSON: &str = "application/json";

/// Other names of JSON.
const NAMES: [&str; 6] = [
    JSON,
    "text/json",
    "application/x-json",
    "application/*",
    "application/*+json",
    "*/*",
];

pub(super) fn settle(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    let known: BTreeMap<String, String> = previous
        .into_iter()
        .flat_map(operations)
        .filter_map(|operation| {
            let (status, _) =
                fields(&operation.value["responses"]).find(|(status, _)| is_success(status))?;
            Some((operation.shape(), status.to_owned()))
        })
        .collect();
    let all: Vec<(String, String)> = operations(document)
        .iter()
        .map(|operation| (operation.pointer(), success(*operation, &known)))
        .collect();
    for (at, status) in all {
        if let Some(operation) = document.pointer_mut(&at).and_then(Value::as_object_mut) {
            let at = format!("{at}/requestBody");
            match operation.get_mut("requestBody") {
                Some(body) if fields(&body["content"]).next().is_some() => request(body, &at, log),
                Some(_) => {
                    operation.shift_remove("requestBody");
                    log.add(Kind::Dropped, at, "has no content");
                }
                None => {}
            }
            operation.entry("responses").or_insert_with(|| json!({}));
        }
        if let Some(responses) = document
            .pointer_mut(&format!("{at}/responses"))
            .and_then(Value::as_object_mut)
        {
            statuses(responses, &format!("{at}/responses"), &status, log);
            for (status, response) in responses
                .iter_mut()
                .filter(|(status, _)| is_success(status))
            {
                body_of_response(response, &format!("{at}/responses/{}", escape(status)), log);
            }
        }
    }
    for (name, response) in document
        .pointer_mut("/components/responses")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        one_type(
            response,
            &format!("/components/responses/{}", escape(name)),
            log,
        );
    }
}

/// Returns the status that replaces `2XX` and `default`.
fn success(operation: Operation<'_>, known: &BTreeMap<String, String>) -> String {
    let usual = if operation.method == "post" {
        "201"
    } else {
        "200"
    };
    known
        .get(&operation.shape())
        .map_or(usual, String::as_str)
        .to_owned()
}

fn request(body: &mut Value, at: &str, log: &mut Log) {
    one_type(body, at, log);
    any_value(body, at, log);
    if let Some(media) = body["content"].get_mut(JSON).and_then(Value::as_object_mut) {
        // Only forms are encoded field by field.
        media.shift_remove("encoding");
    }
    if body["required"] != true {
        body["required"] = json!(true);
        log.add(Kind::Lowered, at, "an optional body is always sent");
    }
}

/// Gives a success its number, and removes other ranges.
///
/// An operation without a documented success gets one, whose body is not read.
fn statuses(responses: &mut Map<String, Value>, at: &str, usual: &str, log: &mut Log) {
    let is_number = |status: &String| status.parse::<u16>().is_ok() && is_success(status);
    let has_number = responses.keys().any(is_number);
    let range = responses
        .keys()
        .find(|status| is_success(status) && !is_number(status))
        .cloned();
    for status in range.into_iter().chain(["default".to_owned()]) {
        let Some(index) = responses.keys().position(|other| *other == status) else {
            continue;
        };
        let Some(response) = responses.shift_remove(&status) else {
            continue;
        };
        if has_number || responses.keys().any(is_number) {
            log.add(
                Kind::Dropped,
                format!("{at}/{status}"),
                "a failure arrives with status and body intact",
            );
        } else {
            responses.shift_insert(index, usual.to_owned(), response);
            log.add(
                Kind::Lowered,
                format!("{at}/{status}"),
                format!("becomes {usual}"),
            );
        }
    }
    if !responses.keys().any(is_number) {
        responses.insert(usual.to_owned(), json!({ "description": "" }));
        log.add(
            Kind::Lowered,
            at,
            "no success is described: its body is not read",
        );
    }
}

fn body_of_response(response: &mut Value, at: &str, log: &mut Log) {
    one_type(response, at, log);
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else {
        return;
    };
    // The client reads JSON, whatever its content type.
    if let [name] = content.keys().cloned().collect::<Vec<_>>().as_slice()
        && name.ends_with("+json")
        && let Some(media) = content.shift_remove(name)
    {
        content.insert(JSON.to_owned(), media);
        log.add(
            Kind::Lowered,
            format!("{at}/content/{}", escape(name)),
            format!("is read as {JSON}"),
        );
    }
    any_value(response, at, log);
}

/// Allows any value for JSON without a schema.
fn any_value(body: &mut Value, at: &str, log: &mut Log) {
    let media = body
        .get_mut("content")
        .and_then(|content| content.get_mut(JSON));
    if let Some(media) = media.and_then(Value::as_object_mut)
        && !media.contains_key("schema")
    {
        media.insert("schema".to_owned(), json!({}));
        log.add(
            Kind::Lowered,
            format!("{at}/content"),
            "has no schema, and may be any value",
        );
    }
}

/// Selects JSON among several content types, under its usual name.
fn one_type(body: &mut Value, at: &str, log: &mut Log) {
    let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) else {
        return;
    };
    let is_json = |name: &str| {
        let name = name.split(';').next().unwrap_or_default().trim();
        NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let Some(name) = content.keys().find(|name| is_json(name)).cloned() else {
        return;
    };
    for other in content.keys().filter(|other| **other != name) {
        log.add(
            Kind::Dropped,
            format!("{at}/content/{}", escape(other)),
            format!("the client uses {JSON}"),
        );
    }
    if (content.len() > 1 || name != JSON)
        && let Some(media) = content.shift_remove(&name)
    {
        *content = Map::from_iter([(JSON.to_owned(), media)]);
    }
}
