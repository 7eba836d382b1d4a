//! Helpers to read the syntax tree that progenitor writes.

use anyhow::{Context as _, Result};
use proc_macro2::Span;
use syn::{Attribute, Expr, Ident, Item, Type};

/// Returns the items of the module `types`.
pub(super) fn types_module(file: &mut syn::File) -> Result<&mut Vec<Item>> {
    file.items
        .iter_mut()
        .find_map(|item| match item {
            Item::Mod(module) if module.ident == "types" => {
                module.content.as_mut().map(|(_, items)| items)
            }
            _ => None,
        })
        .context("progenitor wrote no module `types`")
}

/// Returns an identifier for generated code.
pub fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// Returns the text of a doc comment.
pub(super) fn doc_text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            path,
            value: Expr::Lit(literal),
            ..
        }) if path.is_ident("doc") => match &literal.lit {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the last segment of the path of a type, or an empty string.
pub(super) fn self_type(of: &Type) -> String {
    match of {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}
