//! Gives fields that are marked `x-secret` in the contract the type `Secret`.
//!
//! serde serialises a secret as `[redacted]`. In a request body it must be sent in full, which an attribute of the field
//! selects. A schema that is both sent and received cannot do both and is rejected.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use heck::ToSnakeCase as _;
use serde_json::{Value, json};
use syn::visit_mut::{self, VisitMut};
use syn::{Field, Item, ItemStruct, Type, parse_quote};

use crate::document::{SCHEMAS, fields, operations, target, type_name};

use super::syntax::{self_type, types_module};

/// Gives every marked field the type `Secret`.
pub(super) fn secret_types(file: &mut syn::File, contract: &Value) -> Result<()> {
    let mut marked = marked(contract);
    let (sent, received) = sent_and_received(contract)?;
    for item in types_module(file)? {
        let Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        let Some(secrets) = marked.remove(&name) else {
            continue;
        };
        let is_sent = sent.contains(&name);
        ensure!(
            !(is_sent && received.contains(&name)),
            "{name} has a secret and is both sent and received: add a separate schema for the request by an overlay"
        );
        mark_fields(item, secrets, is_sent)?;
    }
    ensure!(
        marked.is_empty(),
        "the secrets {marked:?} of the contract are in no generated type"
    );
    Ok(())
}

/// Returns the marked fields, by type.
fn marked(contract: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut marked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, schema) in fields(&contract["components"]["schemas"]) {
        for (field, property) in fields(&schema["properties"]) {
            if property.get("x-secret") == Some(&json!(true)) {
                marked
                    .entry(type_name(name))
                    .or_default()
                    .insert(field.to_snake_case());
            }
        }
    }
    marked
}

fn mark_fields(item: &mut ItemStruct, mut secrets: BTreeSet<String>, is_sent: bool) -> Result<()> {
    let name = item.ident.clone();
    for field in &mut item.fields {
        let ident = field.ident.as_ref().map(ToString::to_string);
        if let Some(ident) = ident
            && secrets.remove(&ident)
        {
            mark_field(field, is_sent).with_context(|| format!("{name} has a secret {ident}"))?;
        }
    }
    ensure!(
        secrets.is_empty(),
        "{name} has no field {secrets:?}, which the contract marks as secret"
    );
    Ok(())
}

fn mark_field(field: &mut Field, is_sent: bool) -> Result<()> {
    let mut texts = Texts { replaced: 0 };
    texts.visit_type_mut(&mut field.ty);
    ensure!(texts.replaced == 1, "invalid secret: expected text");
    if is_sent {
        let kind = self_type(&field.ty);
        ensure!(
            matches!(kind.as_str(), "Secret" | "Option"),
            "cannot send a secret in {kind}: expected text"
        );
        field
            .attrs
            .push(parse_quote!(#[serde(serialize_with = "crate::secret::plain")]));
    }
    Ok(())
}

/// Replaces text by `Secret`, also inside an option or a list.
struct Texts {
    replaced: usize,
}

impl VisitMut for Texts {
    fn visit_type_mut(&mut self, node: &mut Type) {
        if matches!(self_type(node).as_str(), "String" | "Uuid") {
            *node = parse_quote!(crate::Secret);
            self.replaced += 1;
        } else {
            visit_mut::visit_type_mut(self, node);
        }
    }
}

/// Returns the types used in request bodies, and those used in responses.
fn sent_and_received(contract: &Value) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let (mut sent, mut received) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations(contract) {
        schemas_in(contract, &operation.value["requestBody"], &mut sent)?;
        schemas_in(contract, &operation.value["responses"], &mut received)?;
    }
    Ok((sent, received))
}

/// Adds the types of all schemas that are referred to, directly or not.
fn schemas_in(contract: &Value, from: &Value, types: &mut BTreeSet<String>) -> Result<()> {
    let mut open = vec![from];
    let mut seen = BTreeSet::new();
    while let Some(node) = open.pop() {
        match node {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str)
                    && seen.insert(reference)
                {
                    if let Some(name) = reference.strip_prefix(SCHEMAS) {
                        types.insert(type_name(name));
                    }
                    open.push(target(contract, reference)?.value);
                }
                open.extend(fields.values());
            }
            Value::Array(entries) => open.extend(entries),
            _ => {}
        }
    }
    Ok(())
}
