//! From the prepared contract to the source text of the client.
//!
//! progenitor writes the client. A few passes over its types make them ones that
//! the API can outgrow: enums stay open, and secrets stay out of `Debug`. Its
//! async methods become functions that prepare requests. Every pass counts what
//! it changed and fails where that is not what the contract asks for.

mod print;
mod requests;
mod schemas;
mod types;

pub use self::print::print;

use anyhow::{Context as _, Result, ensure};
use proc_macro2::Span;
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use serde_json::Value;
use syn::{Attribute, Expr, Ident, Item, Type};

use crate::normalise::type_name;

/// The schemas whose types are written by hand, and those types.
pub(crate) const REPLACED: [(&str, &str); 8] = [
    ("ApiKeyId", "crate::ApiKeyId"),
    ("Count", "crate::Count"),
    ("IntpCustomerId", "crate::CustomerId"),
    ("IntpId", "crate::PartnerId"),
    ("IntpWebsiteId", "crate::WebsiteId"),
    ("PackageId", "crate::PackageId"),
    ("TwiplaWebsiteId", "crate::TwiplaWebsiteId"),
    ("paginationMeta", "crate::PaginationMeta"),
];

/// The generated files of the raw client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// A type for each schema.
    pub types: String,
    /// A function for each operation.
    pub requests: String,
}

/// Generates the client from a normalised contract.
pub fn generate(contract: &Value) -> Result<Generated> {
    let document: openapiv3::OpenAPI = serde_json::from_value(contract.clone())
        .context("the prepared contract is not OpenAPI 3.0")?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_derive("PartialEq")
        .with_map_type("::std::collections::BTreeMap");
    for (schema, with) in REPLACED {
        let impls = [TypeImpl::Display, TypeImpl::FromStr];
        settings.with_replacement(type_name(schema), with, impls.into_iter());
    }
    let tokens = Generator::new(&settings)
        .generate_tokens(&document)
        .context("progenitor refuses the contract")?;
    let mut file: syn::File =
        syn::parse2(tokens).context("progenitor wrote something that is not valid Rust")?;

    check_replacements(&file, contract)?;
    let mut requests = requests::functions(&file, contract)?;
    types::open_enums(&mut file, contract)?;
    types::redact_secrets(&mut file, contract)?;
    schemas::json_schemas(&mut file, contract)?;
    types::remove_unused_error(&mut file)?;
    let mut types = types::as_file(&mut file)?;
    for file in [&mut types, &mut requests] {
        print::short_names(file, contract)?;
    }
    Ok(Generated {
        types: print(&mut types),
        requests: print(&mut requests),
    })
}

fn types_module(file: &mut syn::File) -> Result<&mut Vec<Item>> {
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

/// A replacement that names nothing is ignored by progenitor.
fn check_replacements(file: &syn::File, contract: &Value) -> Result<()> {
    let text = quote!(#file).to_string().replace(' ', "");
    for (schema, with) in REPLACED {
        ensure!(
            contract["components"]["schemas"].get(schema).is_some(),
            "the schema {schema}, whose type is written by hand, is not in the contract"
        );
        ensure!(
            text.contains(with),
            "the hand-written type {with} of the schema {schema} is used nowhere"
        );
        let own = format!("struct{}", type_name(schema));
        ensure!(
            !text.contains(&own),
            "progenitor wrote a type for {schema} in spite of the hand-written one"
        );
    }
    Ok(())
}

/// A name for generated code.
pub fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The text of a doc comment.
fn doc_text(attribute: &Attribute) -> Option<String> {
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

fn self_type(of: &Type) -> String {
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
