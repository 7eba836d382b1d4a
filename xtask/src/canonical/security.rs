//! Normalises authentication: two schemes under our names, and never less than in the previous version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use super::names::{Names, Scheme};
use crate::document::{Operation, entries, fields, object, operations};

const PARTNER_TOKEN: &str = "partnerToken";
const API_KEY: &str = "apiKey";

pub(super) fn name_schemes(
    document: &mut Value,
    names: &Names,
    previous: Option<&Value>,
    log: &mut Log,
) {
    let schemes = rename(document, previous, log);
    let before: BTreeMap<String, Value> = previous
        .into_iter()
        .flat_map(|previous| {
            operations(previous)
                .into_iter()
                .map(move |operation| (operation, previous))
        })
        .map(|(operation, previous)| (operation.shape(), required(previous, operation)))
        .collect();

    let whole = match names.security("document") {
        Some(scheme) => Some(written(scheme)),
        None => document
            .get("security")
            .map(|security| translate(security, &schemes)),
    };
    let inherits = operations(document).iter().any(|operation| {
        operation.value.get("security").is_none() && names.security(&operation.request()).is_none()
    });
    // Reported once, not for each operation.
    let usable = !inherits
        || names.security("document").is_some()
        || check("/security", "document", whole.as_ref(), None, log);
    let requirements: Vec<(String, Option<Value>)> = operations(document)
        .into_iter()
        .map(|operation| {
            let request = operation.request();
            let decided = names.security(&request).map(written);
            let own = operation
                .value
                .get("security")
                .map(|security| translate(security, &schemes));
            let effective = decided
                .clone()
                .or_else(|| own.clone())
                .or_else(|| whole.clone());
            let at = format!("{} {}/security", request, operation.pointer());
            let old = before.get(&operation.shape());
            let of_all = own.is_none() && names.security("document").is_some();
            let old = old.filter(|_| !of_all);
            if decided.is_none() && (usable || own.is_some()) {
                check(&at, &request, effective.as_ref(), old, log);
            }
            (operation.pointer(), decided.or(own))
        })
        .collect();
    let (whole, requirements) = keep_document(requirements, whole.as_ref(), names, previous, log);
    if let Some(whole) = whole {
        document["security"] = whole;
    }
    for (pointer, security) in requirements {
        if let (Some(security), Some(operation)) = (security, document.pointer_mut(&pointer)) {
            operation["security"] = security;
        }
    }
}

/// Keeps the requirement of the whole document, which also applies to operations that overlays add.
///
/// If the vendor now requires something else, each of its operations states it.
fn keep_document(
    operations: Vec<(String, Option<Value>)>,
    whole: Option<&Value>,
    names: &Names,
    previous: Option<&Value>,
    log: &mut Log,
) -> (Option<Value>, Vec<(String, Option<Value>)>) {
    let before = previous.and_then(|previous| previous.get("security"));
    let Some(before) =
        before.filter(|before| Some(*before) != whole && names.security("document").is_none())
    else {
        return (whole.cloned(), operations);
    };
    log.add(Kind::Kept, "/security", "for operations without their own");
    let requirements = operations
        .into_iter()
        .map(|(pointer, own)| (pointer, own.or_else(|| whole.cloned())))
        .collect();
    (Some(before.clone()), requirements)
}

/// Renames the two schemes to our names. Returns the vendor's names.
fn rename(
    document: &mut Value,
    previous: Option<&Value>,
    log: &mut Log,
) -> BTreeMap<String, &'static str> {
    let mut schemes = BTreeMap::new();
    let mut renamed = Map::new();
    let kept = previous.map_or(
        &Value::Null,
        |previous| &previous["components"]["securitySchemes"],
    );
    for (name, scheme) in fields(&document["components"]["securitySchemes"]) {
        let is = |key: &str, value: &str| {
            scheme[key]
                .as_str()
                .is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        let header = scheme["name"].as_str().unwrap_or_default();
        let ours = if is("type", "http") && is("scheme", "bearer") {
            PARTNER_TOKEN
        } else if is("type", "apiKey")
            && is("in", "header")
            && header.to_lowercase().starts_with("auth")
        {
            // A bearer token that is described as a header.
            PARTNER_TOKEN
        } else if is("type", "apiKey") && is("in", "header") {
            API_KEY
        } else {
            // An operation that requires it is rejected later.
            log.add(
                Kind::Dropped,
                format!("/components/securitySchemes/{name}"),
                "is neither http bearer nor apiKey in a header",
            );
            continue;
        };
        if name != ours {
            log.add(
                Kind::Security,
                format!("/components/securitySchemes/{name}"),
                format!("is {ours}"),
            );
        }
        schemes.insert(name.to_owned(), ours);
        let mut scheme = if is("type", "http") || ours == API_KEY {
            scheme.clone()
        } else {
            json!({ "type": "http", "scheme": "bearer" })
        };
        for (key, value) in fields(&kept[ours]) {
            if scheme.get(key).is_none() {
                scheme[key] = value.clone();
                log.add(
                    Kind::Kept,
                    format!("/components/securitySchemes/{ours}/{key}"),
                    "is left out",
                );
            }
        }
        renamed.entry(ours).or_insert(scheme);
    }
    for (name, scheme) in fields(kept) {
        if !renamed.contains_key(name) {
            renamed.insert(name.to_owned(), scheme.clone());
            log.add(
                Kind::Kept,
                format!("/components/securitySchemes/{name}"),
                "is left out",
            );
        }
    }
    if !renamed.is_empty() && *object(&document["components"]["securitySchemes"]) != renamed {
        document["components"]["securitySchemes"] = Value::Object(renamed);
    }
    schemes
}

/// Translates a requirement to our names.
fn translate(security: &Value, schemes: &BTreeMap<String, &'static str>) -> Value {
    let mut choices: Vec<Value> = Vec::new();
    for choice in entries(security) {
        let named: Map<String, Value> = fields(choice)
            .map(|(name, _)| {
                (
                    schemes.get(name).map_or(name, |ours| ours).to_owned(),
                    json!([]),
                )
            })
            .collect();
        let choice = Value::Object(named);
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    Value::Array(choices)
}

fn written(scheme: Scheme) -> Value {
    match scheme {
        Scheme::PartnerToken => json!([{ PARTNER_TOKEN: [] }]),
        Scheme::ApiKey => json!([{ API_KEY: [] }]),
        Scheme::None => json!([]),
    }
}

fn required(document: &Value, operation: Operation<'_>) -> Value {
    let security = operation
        .value
        .get("security")
        .or_else(|| document.get("security"));
    security.cloned().unwrap_or_else(|| json!([]))
}

/// Rejects a requirement that is weaker than before, or ambiguous.
fn check(
    at: &str,
    entry: &str,
    found: Option<&Value>,
    before: Option<&Value>,
    log: &mut Log,
) -> bool {
    let choices = found.map(entries).unwrap_or_default();
    let first = choices.first().map(object);
    let other = first.and_then(|first| {
        first
            .keys()
            .find(|name| *name != PARTNER_TOKEN && *name != API_KEY)
    });
    let cause = if found.is_none() {
        "`security` is missing".to_owned()
    } else if choices.iter().any(|choice| object(choice).is_empty()) {
        "authentication is optional".to_owned()
    } else if choices.len() > 1 {
        format!(
            "there are {} alternative schemes, and the client supports one",
            choices.len()
        )
    } else if choices.is_empty() && before.is_some_and(|before| !entries(before).is_empty()) {
        "authentication is disabled, and was enabled in the previous version".to_owned()
    } else if first.is_some_and(|first| first.len() > 1) {
        "two schemes are required together".to_owned()
    } else if let Some(name) = other {
        format!("the client cannot authenticate with {name}")
    } else if let Some(before) = before.filter(|before| is_other(before, choices)) {
        format!(
            "authentication is by {}, and was by {} in the previous version",
            schemes(choices),
            schemes(entries(before))
        )
    } else {
        return true;
    };
    let remedy = format!(
        "set partnerToken, apiKey or none for {entry:?} under [security] in openapi/names.toml"
    );
    log.refuse(at, &cause, &remedy);
    false
}

/// Reports whether an operation was authenticated in another way.
fn is_other(before: &Value, choices: &[Value]) -> bool {
    let before = entries(before);
    !before.is_empty() && schemes(before) != schemes(choices)
}

/// Returns the names of the schemes.
fn schemes(choices: &[Value]) -> String {
    let names: Vec<&str> = choices
        .iter()
        .flat_map(fields)
        .map(|(name, _)| name)
        .collect();
    names.join(" or ")
}
