//! Keeps what a document leaves out and the contract still needs: test hosts, the licence, and descriptions.

use serde_json::{Value, json};

use super::log::{Kind, Log};
use crate::document::{entries, escape, fields};

pub(super) fn keep(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    let Some(previous) = previous else { return };
    servers(document, previous, log);
    if let Some(license) = previous["info"].get("license")
        && document["info"].get("license").is_none()
    {
        document["info"]["license"] = license.clone();
        log.add(Kind::Kept, "/info/license", "is left out");
    }
}

/// Keeps descriptions and examples that the document leaves out, for schemas and fields that it still has.
pub(super) fn texts(document: &mut Value, previous: Option<&Value>, log: &mut Log) {
    let Some(previous) = previous else { return };
    for (name, before) in fields(&previous["components"]["schemas"]) {
        let at = format!("/components/schemas/{}", escape(name));
        let Some(now) = document.pointer_mut(&at) else {
            continue;
        };
        text(now, before, &at, log);
        for (field, before) in fields(&before["properties"]) {
            if let Some(now) = now["properties"].get_mut(field) {
                let at = format!("{at}/properties/{}", escape(field));
                text(now, before, &at, log);
            }
        }
    }
}

fn text(now: &mut Value, before: &Value, at: &str, log: &mut Log) {
    // Nothing is allowed next to a reference, and another type needs other examples.
    if now.get("$ref").is_some() {
        return;
    }
    let fits = before.get("type").is_none() || before["type"] == now["type"];
    for key in ["description", "example"] {
        if let Some(text) = before.get(key)
            && now.get(key).is_none()
            && (key == "description" || fits)
        {
            now[key] = text.clone();
            log.add(Kind::Kept, at, format!("{key} is left out"));
        }
    }
}

/// Keeps the additional servers of the previous version if the first one is unchanged.
fn servers(document: &mut Value, previous: &Value, log: &mut Log) {
    let before = entries(&previous["servers"]);
    let same = |one: &Value, other: &Value| {
        let url = |server: &Value| {
            server["url"]
                .as_str()
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_owned()
        };
        url(one) == url(other)
    };
    let mut servers = entries(&document["servers"]).to_vec();
    // Another URL of the whole API is a change, which the diff reports. A relative URL says nothing about the host.
    let is_relative = |server: &Value| {
        !server["url"]
            .as_str()
            .is_some_and(|url| url.contains("://"))
    };
    if servers.iter().all(is_relative) && !before.is_empty() {
        log.add(Kind::Kept, "/servers", "are left out");
        document["servers"] = json!(before);
        return;
    }
    if servers.len() != 1 || !before.first().is_some_and(|first| same(first, &servers[0])) {
        return;
    }
    for server in &before[1..] {
        log.add(
            Kind::Kept,
            "/servers",
            format!("{} is left out", server["url"]),
        );
        servers.push(server.clone());
    }
    document["servers"] = json!(servers);
}
