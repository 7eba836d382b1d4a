//! The effect of regenerating on the Rust API: both contracts are generated, and their public items compared.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use heck::ToSnakeCase as _;
use quote::ToTokens as _;
use serde_json::{Value, json};
use syn::{Attribute, Fields, ImplItem, Item, ItemEnum, ItemStruct, Visibility};

use super::finding::{ChangeLocation, Finding, Findings, SeverityOverride};
use super::rules::{RustApi, rule};
use crate::document::{operations, type_name};
use crate::{generate, normalise};

/// Ten times as many values as the contract has. The generator takes minutes for more.
const MOST_VALUES: usize = 60_000;
/// The same for the fields of a struct.
const MOST_FIELDS: usize = 500;
/// The maximum number of items that a finding names.
const NAMED: usize = 5;

/// A change of a public item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemChange {
    /// The type, function or constant, and the field, variant, method or trait of it.
    pub(super) item: String,
    pub(super) part: RustApi,
}

/// How the change of the Rust API was determined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RustVerdict {
    /// Both were generated. The findings have the actual effects.
    Generated,
    /// The generator rejects one of them, for this reason.
    Refused(String),
    /// Too large to be generated. The findings have the worst case of their rules.
    TooLarge,
}

/// Replaces the worst case of the rules by the actual changes.
pub(super) fn judge(old: &Value, new: &Value, findings: &mut Vec<Finding>) -> RustVerdict {
    if [old, new].into_iter().any(is_too_large) {
        return RustVerdict::TooLarge;
    }
    let changes = match changes(old, new) {
        Ok(changes) => changes,
        Err(error) => {
            for finding in findings.iter_mut() {
                if finding.rust_api != RustApi::None {
                    finding.rust_api = RustApi::Refused;
                }
            }
            return RustVerdict::Refused(format!("{error:#}"));
        }
    };
    let mut explained = vec![RustApi::None; changes.len()];
    for finding in findings.iter_mut() {
        let worst = rule(&finding.id).map_or(RustApi::None, |rule| rule.rust_api);
        finding.rust_api = RustApi::None;
        for (change, explained) in changes.iter().zip(&mut explained) {
            if concerns(finding, &change.item) {
                let part = change.part.min(worst);
                finding.rust_api = finding.rust_api.max(part);
                *explained = (*explained).max(part);
            }
        }
    }
    // A type that is added or removed with its user is part of that finding.
    let worst = findings.iter().map(|finding| finding.rust_api).max();
    let unexplained: Vec<&ItemChange> = changes
        .iter()
        .zip(&explained)
        .filter(|(change, explained)| change.part > **explained && Some(change.part) > worst)
        .map(|(change, _)| change)
        .collect();
    findings.extend(rest(&unexplained));
    RustVerdict::Generated
}

/// Returns findings for the changes that no other finding explains.
fn rest(unexplained: &[&ItemChange]) -> Vec<Finding> {
    let Some(part) = unexplained.iter().map(|change| change.part).max() else {
        return Vec::new();
    };
    let mut items: Vec<&str> = unexplained
        .iter()
        .filter(|change| change.part == part)
        .map(|change| change.item.split("::").next().unwrap_or_default())
        .collect();
    items.dedup();
    let more = items.len().saturating_sub(NAMED);
    items.truncate(NAMED);
    let mut named = items.join(", ");
    if more > 0 {
        named = format!("{named} and {more} more");
    }
    let mut findings = Findings::default();
    let location = ChangeLocation {
        subject: "generated code".to_owned(),
        ..ChangeLocation::default()
    };
    let severity = SeverityOverride {
        rust_api: Some(part),
        ..SeverityOverride::default()
    };
    findings.add(
        "rust-api-changed",
        location,
        Value::Null,
        json!(named),
        severity,
    );
    findings.sorted(&std::collections::HashMap::new())
}

/// Reports whether a finding is about an item: its schema or property, or its operation.
fn concerns(finding: &Finding, item: &str) -> bool {
    let (owner, member) = item.split_once("::").unwrap_or((item, ""));
    let mut segments = finding.location.split('/').skip(1);
    let schema = match (segments.next(), segments.next(), segments.next()) {
        (Some("components"), Some("schemas"), Some(name)) => Some(name),
        _ => None,
    };
    if let Some(name) = schema {
        let is_renamed = finding.id == "schema-name-changed"
            && [&finding.old, &finding.new]
                .iter()
                .any(|name| name.as_str().is_some_and(|name| type_name(name) == owner));
        let property = finding
            .location
            .split_once("/properties/")
            .map(|(_, rest)| rest.split('/').next().unwrap_or_default().to_snake_case());
        // Traits of a type depend on its fields.
        let is_trait = member.starts_with("impl ");
        let is_member = property.is_none_or(|name| member.is_empty() || member == name || is_trait);
        return is_renamed || (type_name(name) == owner && is_member);
    }
    finding
        .operations
        .iter()
        .any(|operation| operation.to_snake_case() == owner.to_snake_case())
}

fn is_too_large(document: &Value) -> bool {
    let mut open = vec![document];
    let mut count = 0;
    while let Some(value) = open.pop() {
        count += 1;
        match value {
            Value::Object(fields) if fields.len() > MOST_FIELDS => return true,
            Value::Object(fields) => open.extend(fields.values()),
            Value::Array(entries) => open.extend(entries),
            _ => {}
        }
    }
    count > MOST_VALUES
}

/// Reports whether the overlays were applied: they add the provenance of each operation.
fn is_corrected(contract: &Value) -> bool {
    operations(contract)
        .iter()
        .any(|operation| operation.value.get("x-provenance").is_some())
}

/// Returns the public items that differ.
pub(super) fn changes(old: &Value, new: &Value) -> Result<Vec<ItemChange>> {
    let is_corrected = is_corrected(old) && is_corrected(new);
    let before = items(old, is_corrected).context("old")?;
    let after = items(new, is_corrected).context("new")?;
    let mut changes = Vec::new();
    let mut add = |item: &str, part: RustApi| {
        changes.push(ItemChange {
            item: item.to_owned(),
            part,
        });
    };
    for (name, was) in &before {
        match after.get(name) {
            None => add(name, RustApi::Major),
            Some(is) if is.signature != was.signature => add(name, RustApi::Major),
            Some(is) if is.is_deprecated != was.is_deprecated => add(name, RustApi::Minor),
            Some(is) if is != was => add(name, RustApi::Patch),
            Some(_) => {}
        }
    }
    for (name, is) in &after {
        if before.contains_key(name) {
            continue;
        }
        let owner = name.split_once("::").map(|(owner, _)| owner);
        let is_old = owner.is_some_and(|owner| before.contains_key(owner));
        // Code that constructs the struct or matches the enum must change.
        add(
            name,
            if is_old && is.is_exhaustive {
                RustApi::Major
            } else {
                RustApi::Minor
            },
        );
    }
    Ok(changes)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PublicItem {
    /// The part that callers depend on.
    signature: String,
    /// The rest of the source: docs, attributes, bodies.
    rest: String,
    is_deprecated: bool,
    /// Whether a new field or variant breaks callers.
    is_exhaustive: bool,
}

/// Returns the public items of the client that is generated from a contract.
fn items(contract: &Value, is_corrected: bool) -> Result<BTreeMap<String, PublicItem>> {
    let (prepared, _) = normalise::normalise(contract)?;
    let (client, table) = if is_corrected {
        let table = crate::operations::generate(contract)?;
        (generate::generate(&prepared)?, table)
    } else {
        (generate::generate_uncorrected(&prepared)?, String::new())
    };
    let mut found = BTreeMap::new();
    for text in [&client.types, &client.requests, &table] {
        let file = syn::parse_file(text).context("the generated source is not valid Rust")?;
        for item in &file.items {
            collect(item, &mut found);
        }
    }
    Ok(found)
}

fn collect(item: &Item, found: &mut BTreeMap<String, PublicItem>) {
    match item {
        Item::Struct(item) => collect_struct(item, found),
        Item::Enum(item) => collect_enum(item, found),
        Item::Fn(item) if matches!(item.vis, Visibility::Public(_)) => {
            let body = item.block.to_token_stream().to_string();
            let signature = item.sig.to_token_stream().to_string();
            add(
                found,
                item.sig.ident.to_string(),
                signature,
                &item.attrs,
                &body,
                false,
            );
        }
        Item::Impl(item) => {
            let owner = item.self_ty.to_token_stream().to_string().replace(' ', "");
            if let Some((of, _)) = &item.trait_ {
                let key = format!(
                    "{owner}::impl {}",
                    of.to_token_stream().to_string().replace(' ', "")
                );
                let body: String = item
                    .items
                    .iter()
                    .map(|inner| inner.to_token_stream().to_string())
                    .collect();
                add(found, key, String::new(), &item.attrs, &body, false);
                return;
            }
            for inner in &item.items {
                if let ImplItem::Fn(method) = inner
                    && matches!(method.vis, Visibility::Public(_))
                {
                    let key = format!("{owner}::{}()", method.sig.ident);
                    let signature = method.sig.to_token_stream().to_string();
                    let body = method.block.to_token_stream().to_string();
                    add(found, key, signature, &method.attrs, &body, false);
                }
            }
        }
        Item::Const(item) => {
            let value = item.expr.to_token_stream().to_string();
            let kind = item.ty.to_token_stream().to_string();
            add(
                found,
                item.ident.to_string(),
                kind,
                &item.attrs,
                &value,
                false,
            );
        }
        Item::Type(item) => {
            let kind = item.ty.to_token_stream().to_string();
            add(found, item.ident.to_string(), kind, &item.attrs, "", false);
        }
        _ => {}
    }
}

fn collect_struct(item: &ItemStruct, found: &mut BTreeMap<String, PublicItem>) {
    let name = item.ident.to_string();
    let generics = item.generics.to_token_stream().to_string();
    let kind = format!("struct {generics}");
    add(found, name.clone(), kind, &item.attrs, "", false);
    derives(&name, &item.attrs, found);
    for (index, field) in item.fields.iter().enumerate() {
        if !matches!(field.vis, Visibility::Public(_)) {
            continue;
        }
        let field_name = field
            .ident
            .as_ref()
            .map_or_else(|| index.to_string(), ToString::to_string);
        let key = format!("{name}::{field_name}");
        let kind = field.ty.to_token_stream().to_string();
        add(found, key, kind, &field.attrs, "", !is_open(&item.attrs));
    }
}

fn collect_enum(item: &ItemEnum, found: &mut BTreeMap<String, PublicItem>) {
    let name = item.ident.to_string();
    let open = if is_open(&item.attrs) {
        "open"
    } else {
        "closed"
    };
    let kind = format!("{open} enum");
    add(found, name.clone(), kind, &item.attrs, "", false);
    derives(&name, &item.attrs, found);
    for (index, variant) in item.variants.iter().enumerate() {
        let held = match &variant.fields {
            Fields::Unit => String::new(),
            fields => fields.to_token_stream().to_string(),
        };
        let key = format!("{name}::{}", variant.ident);
        let place = index.to_string();
        add(
            found,
            key,
            held,
            &variant.attrs,
            &place,
            !is_open(&item.attrs),
        );
    }
}

fn add(
    found: &mut BTreeMap<String, PublicItem>,
    name: String,
    signature: String,
    attributes: &[Attribute],
    body: &str,
    is_exhaustive: bool,
) {
    let rest: Vec<String> = attributes
        .iter()
        .filter(|attribute| !attribute.path().is_ident("derive"))
        .map(|attribute| attribute.to_token_stream().to_string())
        .collect();
    let item = PublicItem {
        signature,
        rest: rest.join(" ") + body,
        is_deprecated: attributes
            .iter()
            .any(|attribute| attribute.path().is_ident("deprecated")),
        is_exhaustive,
    };
    found.insert(name, item);
}

/// Adds the derived traits, which are public items like an `impl`.
fn derives(name: &str, attributes: &[Attribute], found: &mut BTreeMap<String, PublicItem>) {
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
    {
        let syn::Meta::List(list) = &attribute.meta else {
            continue;
        };
        for derived in list.tokens.to_string().split(',') {
            let derived = derived.replace(' ', "");
            add(
                found,
                format!("{name}::impl {derived}"),
                String::new(),
                &[],
                "",
                false,
            );
        }
    }
}

fn is_open(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("non_exhaustive"))
}
