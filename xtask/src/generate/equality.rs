//! Derives `Eq` and `Hash` for the types that support them.

use std::collections::BTreeSet;

use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::{Attribute, Fields, Item, Meta};

use super::syntax::types_module;

/// Types without a total equality or without a hash.
const WITHOUT: [&str; 3] = ["f32", "f64", "Secret"];

/// Derives both for each struct whose fields all have them.
pub(super) fn derive_equality(file: &mut syn::File) -> Result<()> {
    let items = types_module(file)?;
    let mut without: BTreeSet<String> = WITHOUT.map(str::to_owned).into();
    // A type lacks them if one of its fields does, so repeat until nothing changes.
    loop {
        let before = without.len();
        for item in items.iter() {
            if let Some((name, fields)) = fields_of(item)
                && names(fields).iter().any(|name| without.contains(name))
            {
                without.insert(name);
            }
        }
        if without.len() == before {
            break;
        }
    }
    for item in items.iter_mut() {
        if let Item::Struct(item) = item
            && !without.contains(&item.ident.to_string())
            && let Some(derived) = item.attrs.iter_mut().find_map(derived)
        {
            derived.extend(quote!(, Eq, Hash));
        }
    }
    Ok(())
}

/// Returns the list in a `derive` attribute.
fn derived(attribute: &mut Attribute) -> Option<&mut TokenStream> {
    match &mut attribute.meta {
        Meta::List(list) if list.path.is_ident("derive") => Some(&mut list.tokens),
        _ => None,
    }
}

fn fields_of(item: &Item) -> Option<(String, TokenStream)> {
    match item {
        Item::Struct(item) => Some((item.ident.to_string(), field_types(&item.fields))),
        Item::Enum(item) => Some((
            item.ident.to_string(),
            item.variants
                .iter()
                .map(|variant| field_types(&variant.fields))
                .collect(),
        )),
        _ => None,
    }
}

fn field_types(fields: &Fields) -> TokenStream {
    fields
        .iter()
        .map(|field| field.ty.to_token_stream())
        .collect()
}

/// Returns every name in a type, including its arguments.
fn names(tokens: TokenStream) -> BTreeSet<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(name) => BTreeSet::from([name.to_string()]),
            TokenTree::Group(group) => names(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => BTreeSet::new(),
        })
        .collect()
}
