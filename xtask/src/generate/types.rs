//! Changes the generated types: makes their enums open.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use quote::quote;
use serde_json::Value;
use syn::{Fields, Item, ItemEnum, parse_quote};

use crate::document::{fields, type_name};

use super::syntax::{self_type, types_module};

/// The name of the variant for a value that this version does not know.
const UNKNOWN: &str = "Unknown";

/// Gives every string enum a variant for values that this version does not know.
pub(super) fn open_enums(file: &mut syn::File, contract: &Value) -> Result<()> {
    let expected: BTreeMap<String, Vec<String>> = fields(&contract["components"]["schemas"])
        .filter_map(|(name, schema)| {
            let values = schema.get("enum")?.as_array()?;
            let values = values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            Some((type_name(name), values))
        })
        .collect();
    let items = types_module(file)?;
    let mut changed = BTreeSet::new();
    let mut result = Vec::with_capacity(items.len());
    for item in std::mem::take(items) {
        match item {
            Item::Enum(item) => {
                let name = item.ident.to_string();
                let Some(values) = expected.get(&name) else {
                    bail!(
                        "progenitor wrote the enum {name}, which is not a string enum of the contract"
                    );
                };
                result.extend(open_enum(item, values)?);
                changed.insert(name);
            }
            // A conversion of a closed enum.
            Item::Impl(item)
                if item.trait_.is_some() && expected.contains_key(&self_type(&item.self_ty)) => {}
            other => result.push(other),
        }
    }
    *items = result;
    let missing: Vec<_> = expected
        .keys()
        .filter(|name| !changed.contains(*name))
        .collect();
    ensure!(
        missing.is_empty(),
        "progenitor wrote no enum for {missing:?}"
    );
    Ok(())
}

pub(super) fn open_enum(mut item: ItemEnum, values: &[String]) -> Result<Vec<Item>> {
    let name = item.ident.clone();
    ensure!(
        item.variants.len() == values.len(),
        "the enum {name} has {} variants for {} values of the contract",
        item.variants.len(),
        values.len()
    );
    let mut idents = Vec::new();
    for (variant, value) in item.variants.iter_mut().zip(values) {
        ensure!(
            matches!(variant.fields, Fields::Unit),
            "the variant {name}::{} has fields",
            variant.ident
        );
        ensure!(
            variant.ident != UNKNOWN,
            "the enum {name} has a value {value:?}, which has the name of the open variant"
        );
        variant
            .attrs
            .retain(|attribute| !attribute.path().is_ident("serde"));
        let doc = format!("`{value}`");
        variant.attrs.push(parse_quote!(#[doc = #doc]));
        idents.push(variant.ident.clone());
    }
    item.attrs
        .retain(|attribute| !attribute.path().is_ident("derive"));
    item.attrs
        .push(parse_quote!(#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]));
    item.attrs.push(parse_quote!(#[non_exhaustive]));
    item.variants.push(parse_quote! {
        /// A value that this version does not know, as it was received or is to be sent.
        Unknown(String)
    });
    let implementation: syn::File = parse_quote! {
        impl #name {
            /// The values that this version knows.
            pub const KNOWN: &'static [Self] = &[#(Self::#idents),*];

            /// The value as it travels.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#idents => #values,)*
                    Self::Unknown(value) => value,
                }
            }

            fn known(value: &str) -> Option<Self> {
                match value {
                    #(#values => Some(Self::#idents),)*
                    _ => None,
                }
            }
        }
        impl From<&str> for #name {
            fn from(value: &str) -> Self {
                Self::known(value).unwrap_or_else(|| Self::Unknown(value.to_owned()))
            }
        }
        impl From<String> for #name {
            fn from(value: String) -> Self {
                Self::known(&value).unwrap_or(Self::Unknown(value))
            }
        }
        impl ::std::str::FromStr for #name {
            type Err = ::std::convert::Infallible;
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(value))
            }
        }
        impl AsRef<str> for #name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
        impl ::std::fmt::Display for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::open_enum::deserialize(deserializer)
            }
        }
    };
    Ok(std::iter::once(Item::Enum(item))
        .chain(implementation.items)
        .collect())
}

/// Removes the error type of fallible conversions, which is unused because all enums are open.
pub(super) fn remove_unused_error(file: &mut syn::File) -> Result<()> {
    let items = types_module(file)?;
    let is_error = |item: &Item| matches!(item, Item::Mod(module) if module.ident == "error");
    let used = items
        .iter()
        .filter(|item| !is_error(item))
        .any(|item| quote!(#item).to_string().contains("ConversionError"));
    if !used {
        items.retain(|item| !is_error(item));
    }
    Ok(())
}

/// Returns the types as a file.
pub(super) fn as_file(file: &mut syn::File) -> Result<syn::File> {
    let items = std::mem::take(types_module(file)?);
    Ok(parse_quote! {
        //! A type for each schema of the contract.

        #(#items)*
    })
}
