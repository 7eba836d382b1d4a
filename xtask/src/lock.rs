//! `openapi/openapi.lock`: which versions of the contract are kept, and which is current.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::document;
use crate::layout::Layout;

/// `openapi/openapi.lock`: which version is current, and where each came from.
#[derive(Debug, Clone, Deserialize)]
pub struct Lock {
    /// Name of the current version.
    pub current: String,
    /// Every version kept in the repository, the oldest first.
    pub versions: Vec<Version>,
    /// Versions of the tools that read the contract.
    #[serde(default)]
    pub tools: BTreeMap<String, String>,
}

/// One published document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its `info.version` and the start of its hash: one version may be published more than once.
    pub name: String,
    /// Path below `openapi/`.
    pub file: String,
    /// Where it came from.
    pub source: String,
    /// When it was published, where that is known.
    pub published: Option<String>,
    /// When it was fetched.
    pub retrieved: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

impl Lock {
    /// Where the lock is.
    pub fn path(layout: &Layout) -> PathBuf {
        layout.openapi().join("openapi.lock")
    }

    /// Reads `openapi/openapi.lock`.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = Self::path(layout);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", layout.show(&path)))?;
        toml::from_str(&text)
            .with_context(|| format!("{} is not a valid lock file", layout.show(&path)))
    }

    /// The version of this name.
    pub fn version(&self, name: &str) -> Result<&Version> {
        self.versions
            .iter()
            .find(|version| version.name == name)
            .with_context(|| {
                let known: Vec<&str> = self.versions.iter().map(|v| v.name.as_str()).collect();
                format!(
                    "openapi/openapi.lock has no version {name:?}: it has {}",
                    known.join(", ")
                )
            })
    }

    /// The pinned version of a tool.
    pub fn tool(&self, name: &str) -> Result<&str> {
        self.tools.get(name).map(String::as_str).with_context(|| {
            format!("openapi/openapi.lock names no version of {name}: add it under [tools]")
        })
    }
}

/// The current version of the contract, checked against its hash.
pub fn load_current(layout: &Layout) -> Result<Value> {
    let lock = Lock::load(layout)?;
    load_version(layout, lock.version(&lock.current)?)
}

/// A version of the contract, checked against its hash.
pub fn load_version(layout: &Layout, version: &Version) -> Result<Value> {
    let path = layout.openapi().join(&version.file);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", layout.show(&path)))?;
    let found = document::sha256(&bytes);
    if !found.eq_ignore_ascii_case(&version.sha256) {
        bail!(
            "{} is not the document that openapi/openapi.lock names: its sha256 is {found}, not {}; corrections belong \
             into openapi/overlays, and a new document is taken in by `cargo xtask fetch`",
            layout.show(&path),
            version.sha256,
        );
    }
    document::parse(&bytes).with_context(|| layout.show(&path).to_string())
}
