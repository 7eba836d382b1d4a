//! Applies the faults that corrupt a response.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::fault::FaultKind;
use crate::message::Delivery;
use crate::reply::{Body, Reply};

/// The enum fields of all replies, which get an unknown value.
const ENUM_FIELDS: &[&str] = &[
    "status",
    "billingInterval",
    "plannedDowngradeBillingInterval",
    "billingMode",
    "subscriptionType",
    "period",
    "currency",
    "visibility",
    "type",
];

/// Applies a fault to a reply, and reports whether that changed anything: a
/// field that is missing anyway cannot be removed, for instance.
pub(crate) fn delivery(fault: &FaultKind, reply: &Reply, date: DateTime<Utc>) -> (Delivery, bool) {
    let mut edited = reply.clone();
    edit(fault, &mut edited);
    let is_edited = edited != *reply;
    let mut response = edited.into_response(date);
    match fault {
        FaultKind::EmptyBody => response.content_type = Some("application/json"),
        FaultKind::InvalidJson => response.body = b"{\"payload\": {".to_vec(),
        FaultKind::TruncatedBody if response.body.is_empty() => return (Delivery::Reset, true),
        FaultKind::TruncatedBody => response.cut_at = Some(response.body.len() / 2),
        _ => return (Delivery::Response(response), is_edited),
    }
    (Delivery::Response(response), true)
}

fn edit(fault: &FaultKind, reply: &mut Reply) {
    match fault {
        FaultKind::HtmlBody => {
            let page = "<html><body><h1>It works!</h1></body></html>";
            reply.body = Body::Html(page.to_owned());
        }
        FaultKind::EmptyBody => reply.body = Body::Empty,
        FaultKind::NoContent if reply.status < 300 => *reply = Reply::done(),
        FaultKind::MissingField(name) => edit_payload(reply, |entry| remove(entry, name)),
        FaultKind::UnknownEnumValue => edit_payload(reply, use_unknown_values),
        _ => {}
    }
}

/// Edits the payload of a successful reply.
fn edit_payload(reply: &mut Reply, edit: impl FnOnce(&mut Value)) {
    if let (200..=299, Body::Json(body)) = (reply.status, &mut reply.body) {
        match body.get_mut("payload") {
            Some(payload) => edit(payload),
            None => edit(body),
        }
    }
}

fn remove(value: &mut Value, name: &str) {
    match value {
        Value::Object(fields) => drop(fields.shift_remove(name)),
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, name)),
        _ => {}
    }
}

fn use_unknown_values(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if ENUM_FIELDS.contains(&name.as_str()) => {
                        *text = format!("future-{text}");
                    }
                    inner => use_unknown_values(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(use_unknown_values),
        _ => {}
    }
}
