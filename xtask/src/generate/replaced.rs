//! The types of the client that are written by hand.

use anyhow::{Result, ensure};
use quote::quote;
use serde_json::Value;

use crate::document::type_name;

/// The schemas whose types are written by hand, and those types.
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

/// A replacement that names nothing is ignored by progenitor.
pub(super) fn check_replacements(file: &syn::File, contract: &Value) -> Result<()> {
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
