//! Generates the source text of the client from the prepared contract.
//!
//! progenitor writes the client. A few passes then change its types so that they tolerate a newer API: enums stay open, and
//! secrets have the type `Secret`. Its async methods become functions that prepare requests. Every pass counts what it
//! changed and fails if that does not match the contract.

mod equality;
mod guard;
mod print;
mod replaced;
mod requests;
mod schemas;
mod secrets;
mod syntax;
mod types;

use anyhow::{Context as _, Result};
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle, TypeImpl};
use serde_json::Value;

pub use self::print::print;
pub use self::syntax::ident;

use self::replaced::REPLACED;
use crate::document::type_name;

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
    generated(contract, true)
}

/// Like [`generate`], for a version without its corrections, which lacks schemas whose types are written by hand.
pub fn generate_uncorrected(contract: &Value) -> Result<Generated> {
    generated(contract, false)
}

fn generated(contract: &Value, has_replacements: bool) -> Result<Generated> {
    let tokens = guard::guarded(contract, progenitor)?;
    let mut file: syn::File =
        syn::parse2(tokens).context("progenitor wrote something that is not valid Rust")?;

    if has_replacements {
        replaced::check_replacements(&file, contract)?;
    }
    let mut requests = requests::functions(&file, contract)?;
    types::open_enums(&mut file, contract)?;
    secrets::secret_types(&mut file, contract)?;
    schemas::json_schemas(&mut file, contract)?;
    types::remove_unused_error(&mut file)?;
    equality::derive_equality(&mut file)?;
    let mut types = types::as_file(&mut file)?;
    for file in [&mut types, &mut requests] {
        print::short_names(file, contract)?;
    }
    Ok(Generated {
        types: print(&mut types),
        requests: print(&mut requests),
    })
}

/// Returns the output of progenitor.
fn progenitor(contract: &Value) -> Result<TokenStream> {
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
    Generator::new(&settings)
        .generate_tokens(&document)
        .context("progenitor rejects the contract")
}
