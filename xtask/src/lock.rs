//! `openapi/openapi.lock`: the versions of the contract in the repository, and which one is current.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::document;
use crate::layout::Layout;

/// `openapi/openapi.lock`: the current version, and the origin of each one.
#[derive(Debug, Clone, Deserialize)]
pub struct Lock {
    /// Name of the current version.
    pub current: String,
    /// Every version in the repository, the oldest first.
    pub versions: Vec<Version>,
    /// Versions of the tools that check the contract.
    #[serde(default)]
    pub tools: BTreeMap<String, String>,
}

/// One published document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its `info.version` and the start of its hash, because a version number may be published more than once.
    pub name: String,
    /// Path below `openapi/`.
    pub file: String,
    /// Where it was fetched from.
    pub source: String,
    /// When it was published, if known.
    pub published: Option<String>,
    /// When it was fetched.
    pub retrieved: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

impl Lock {
    /// The path of the lock file.
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

    /// Returns the version of this name.
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

    /// Returns the pinned version of a tool.
    pub fn tool(&self, name: &str) -> Result<&str> {
        self.tools.get(name).map(String::as_str).with_context(|| {
            format!("openapi/openapi.lock has no version of {name}: add it under [tools]")
        })
    }
}

/// Loads the current version and checks its hash.
pub fn load_current(layout: &Layout) -> Result<Value> {
    let lock = Lock::load(layout)?;
    load_version(layout, lock.version(&lock.current)?)
}

/// Loads a version and checks its hash.
pub fn load_version(layout: &Layout, version: &Version) -> Result<Value> {
    let path = layout.openapi().join(&version.file);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", layout.show(&path)))?;
    let found = document::sha256(&bytes);
    if !found.eq_ignore_ascii_case(&version.sha256) {
        bail!(
            "{} does not match openapi/openapi.lock: its sha256 is {found}, not {}; corrections belong \
             into openapi/overlays, and a new document is stored by `cargo xtask fetch`",
            layout.show(&path),
            version.sha256,
        );
    }
    document::parse(&bytes).with_context(|| layout.show(&path).to_string())
}
