//! `openapi/names.toml`: the vendor's names, our names for them, and the reasons.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use heck::ToSnakeCase as _;
use serde::Deserialize;

use crate::layout::Layout;

/// Decisions that cannot be derived from a document.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// The name or title of a schema, and our name for it.
    schemas: BTreeMap<String, Name>,
    /// The id of an operation, or its method and path, and our id for it.
    operations: BTreeMap<String, Name>,
    /// Method and path of an operation, or `document`, and its authentication.
    security: BTreeMap<String, Security>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Security {
    scheme: Scheme,
    reason: String,
}

/// How an operation is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Scheme {
    /// With the token signed by the partner.
    #[serde(rename = "partnerToken")]
    PartnerToken,
    /// With the key of one website.
    #[serde(rename = "apiKey")]
    ApiKey,
    /// None.
    #[serde(rename = "none")]
    None,
}

impl Names {
    /// Reads `openapi/names.toml`. Without the file there are no decisions.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or an entry has an invalid name or no reason.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.openapi().join("names.toml");
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).with_context(|| layout.show(&path).to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", layout.show(&path))),
        }
    }

    /// Parses the text of the file.
    ///
    /// # Errors
    ///
    /// As for [`Names::load`].
    pub fn parse(text: &str) -> Result<Self> {
        let names: Self = toml::from_str(text)?;
        for (table, theirs, entry) in names
            .schemas
            .iter()
            .map(|(theirs, entry)| ("schemas", theirs, entry))
            .chain(
                names
                    .operations
                    .iter()
                    .map(|(theirs, entry)| ("operations", theirs, entry)),
            )
        {
            ensure!(
                !entry.reason.trim().is_empty(),
                "{table}.{theirs:?}: expected a reason"
            );
            if table == "operations" && entry.name != entry.name.to_snake_case() {
                bail!(
                    "{table}.{theirs:?}: invalid name {:?}: expected snake_case",
                    entry.name
                );
            }
        }
        for (what, entry) in &names.security {
            ensure!(
                !entry.reason.trim().is_empty(),
                "security.{what:?}: expected a reason"
            );
        }
        Ok(names)
    }

    pub(super) fn schema(&self, theirs: &str) -> Option<&str> {
        self.schemas.get(theirs).map(|entry| entry.name.as_str())
    }

    /// Returns the id for an operation, by its operationId, or else by method and path.
    pub(super) fn operation(&self, id: &str, request: &str) -> Option<&str> {
        let entry = self
            .operations
            .get(id)
            .or_else(|| self.operations.get(request))?;
        Some(&entry.name)
    }

    pub(super) fn security(&self, request: &str) -> Option<Scheme> {
        self.security.get(request).map(|entry| entry.scheme)
    }
}
