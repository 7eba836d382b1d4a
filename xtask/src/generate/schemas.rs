//! The feature `schemars` of the raw client: every generated type has a JSON Schema with its name in the contract.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use heck::ToSnakeCase as _;
use serde_json::{Value, json};
use syn::{Attribute, Item, ItemStruct, parse_quote};

use crate::document::{fields, type_name};

use super::replaced::REPLACED;
use super::syntax::{doc_text, types_module};

/// Implements `JsonSchema` for every generated type: structs by a derive, open enums by an impl, which no derive can write.
pub(super) fn json_schemas(file: &mut syn::File, contract: &Value) -> Result<()> {
    let mut expected: BTreeMap<String, (&str, &Value)> = fields(&contract["components"]["schemas"])
        .filter(|(name, _)| REPLACED.iter().all(|(replaced, _)| replaced != name))
        .map(|(name, schema)| (type_name(name), (name, schema)))
        .collect();
    let items = types_module(file)?;
    let mut result = Vec::with_capacity(items.len());
    // The impl is inserted after the existing impls of the type.
    let mut pending: Option<Item> = None;
    for mut item in std::mem::take(items) {
        if !matches!(item, Item::Impl(_)) {
            result.extend(pending.take());
        }
        match &mut item {
            Item::Struct(item) => {
                let (name, schema) = take(&mut expected, &item.ident.to_string())?;
                derive(item, name, schema)?;
            }
            Item::Enum(item) => {
                let ident = &item.ident;
                let (name, _) = take(&mut expected, &ident.to_string())?;
                let description = description(&item.attrs)
                    .with_context(|| format!("the enum {ident} has no description"))?;
                pending = Some(parse_quote! {
                    #[cfg(feature = "schemars")]
                    impl ::schemars::JsonSchema for #ident {
                        fn schema_name() -> ::std::borrow::Cow<'static, str> {
                            ::std::borrow::Cow::Borrowed(#name)
                        }
                        fn schema_id() -> ::std::borrow::Cow<'static, str> {
                            ::std::borrow::Cow::Borrowed(concat!(module_path!(), "::", #name))
                        }
                        fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                            let known = Self::KNOWN.iter().map(Self::as_str);
                            crate::open_enum::json_schema(#description, known)
                        }
                    }
                });
            }
            _ => {}
        }
        result.push(item);
    }
    result.extend(pending);
    *items = result;
    ensure!(
        expected.is_empty(),
        "progenitor wrote no type for the schemas {:?}",
        expected.keys()
    );
    Ok(())
}

fn take<'a>(
    expected: &mut BTreeMap<String, (&'a str, &'a Value)>,
    ident: &str,
) -> Result<(&'a str, &'a Value)> {
    let Some(found) = expected.remove(ident) else {
        bail!("progenitor wrote the type {ident}, which is not a schema of the contract");
    };
    Ok(found)
}

/// Adds the derive, the name if it differs in Rust, and the marks of secrets.
fn derive(item: &mut ItemStruct, name: &str, schema: &Value) -> Result<()> {
    item.attrs.push(if item.ident == name {
        parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))])
    } else {
        parse_quote! {
            #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema), schemars(rename = #name))]
        }
    });
    let mut secrets: BTreeSet<String> = fields(&schema["properties"])
        .filter(|(_, property)| property.get("x-secret") == Some(&json!(true)))
        .map(|(field, _)| field.to_snake_case())
        .collect();
    for field in &mut item.fields {
        let ident = field.ident.as_ref().map(ToString::to_string);
        if ident.is_some_and(|ident| secrets.remove(&ident)) {
            field.attrs.push(parse_quote! {
                #[cfg_attr(feature = "schemars", schemars(extend("x-secret" = true)))]
            });
        }
    }
    ensure!(
        secrets.is_empty(),
        "{} has no field {secrets:?}, which the contract marks as secret",
        item.ident
    );
    Ok(())
}

fn description(attributes: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes.iter().filter_map(doc_text).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
