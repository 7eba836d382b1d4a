//! What the faults that corrupt a response make of it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::fault::FaultKind;
use crate::message::Delivery;
use crate::reply::{Body, Reply};

/// The enum fields that an unknown value is put into.
const ENUM_FIELDS: &[&str] = &[
    "status",
    "billingInterval",
    "period",
    "currency",
    "visibility",
    "type",
];

/// What the client gets of a reply; all of it if the fault corrupts no response.
pub(crate) fn delivery(fault: &FaultKind, mut reply: Reply, date: DateTime<Utc>) -> Delivery {
    match fault {
        FaultKind::HtmlBody => {
            let page = "<html><body><h1>It works!</h1></body></html>";
            reply.body = Body::Html(page.to_owned());
        }
        FaultKind::EmptyBody => {
            reply.body = Body::Empty;
            let mut response = reply.into_response(date);
            response.content_type = Some("application/json");
            return Delivery::Response(response);
        }
        FaultKind::InvalidJson => {
            let mut response = reply.into_response(date);
            response.body = b"{\"payload\": {".to_vec();
            return Delivery::Response(response);
        }
        FaultKind::TruncatedBody => {
            let mut response = reply.into_response(date);
            if response.body.is_empty() {
                return Delivery::Reset;
            }
            response.cut_at = Some(response.body.len() / 2);
            return Delivery::Response(response);
        }
        FaultKind::NoContent if reply.status < 300 => reply = Reply::done(),
        FaultKind::MissingField(name) => edit_payload(&mut reply, |entry| remove(entry, name)),
        FaultKind::UnknownEnumValue => edit_payload(&mut reply, use_unknown_values),
        _ => {}
    }
    Delivery::Response(reply.into_response(date))
}

/// Edits the payload of a success.
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
            for name in ENUM_FIELDS {
                if let Some(Value::String(text)) = fields.get_mut(*name) {
                    *text = format!("future-{text}");
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(use_unknown_values),
        _ => {}
    }
}
