//! The types of the client that are written by hand instead of generated.

use anyhow::{Result, ensure};
use quote::quote;
use serde_json::Value;

use crate::document::type_name;

/// Schemas with hand-written types, and those types.
pub(super) const REPLACED: [(&str, &str); 8] = [
    ("ApiKeyId", "crate::ApiKeyId"),
    ("Count", "crate::Count"),
    ("IntpCustomerId", "crate::CustomerId"),
    ("IntpId", "crate::PartnerId"),
    ("IntpWebsiteId", "crate::WebsiteId"),
    ("PackageId", "crate::PackageId"),
    ("TwiplaWebsiteId", "crate::TwiplaWebsiteId"),
    ("paginationMeta", "crate::PaginationMeta"),
];

/// Checks the replacements, because progenitor ignores those that match nothing.
pub(super) fn check_replacements(file: &syn::File, contract: &Value) -> Result<()> {
    let text = quote!(#file).to_string().replace(' ', "");
    for (schema, with) in REPLACED {
        ensure!(
            contract["components"]["schemas"].get(schema).is_some(),
            "the contract has no schema {schema}, whose type is written by hand"
        );
        ensure!(
            text.contains(with),
            "the hand-written type {with} of the schema {schema} is unused"
        );
        let own = format!("struct{}", type_name(schema));
        ensure!(
            !text.contains(&own),
            "progenitor wrote a type for {schema} despite the hand-written one"
        );
    }
    Ok(())
}
