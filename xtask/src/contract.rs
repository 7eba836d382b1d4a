//! Where the contract lives, and how its files are read and written.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::overlay::Overlay;

/// The paths of the workspace that this tool reads and writes.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The workspace that this tool was built in.
    pub fn here() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask has no parent directory")?;
        Ok(Self::at(root))
    }

    /// A workspace somewhere else, for tests.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the contract.
    pub fn openapi(&self) -> PathBuf {
        self.root.join("openapi")
    }

    /// The result of version and overlays, which every binding generates from.
    pub fn contract(&self) -> PathBuf {
        self.openapi().join("twipla-3as.json")
    }

    /// A file of the generated client: `types`, `requests` or `operations`.
    pub fn generated(&self, name: &str) -> PathBuf {
        self.root
            .join("crates/twipla-api/src/generated")
            .join(name)
            .with_extension("rs")
    }

    /// What changed from one version to the next.
    pub fn changelog(&self) -> PathBuf {
        self.openapi().join("CHANGELOG.md")
    }

    /// The README, which lists the operations.
    pub fn readme(&self) -> PathBuf {
        self.root.join("README.md")
    }

    /// A path as a reader types it: relative to the root.
    pub fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

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
            .with_context(|| format!("{} is not the lock file it should be", layout.show(&path)))
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
    let found = sha256(&bytes);
    if !found.eq_ignore_ascii_case(&version.sha256) {
        bail!(
            "{} is not the document that openapi/openapi.lock names: its sha256 is {found}, not {}; corrections belong \
             into openapi/overlays, and a new document is taken in by `cargo xtask fetch`",
            layout.show(&path),
            version.sha256,
        );
    }
    parse_document(&bytes).with_context(|| layout.show(&path).to_string())
}

/// Reads a document in JSON or YAML.
pub fn parse_document(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).context("this is no text in UTF-8")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(text).context("this is no valid JSON");
    }
    serde_saphyr::from_str(text).context("this is no valid YAML")
}

/// The hash by which a document is known.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The overlays with their file names, in the order in which they apply.
pub fn load_overlays(layout: &Layout) -> Result<Vec<(String, Overlay)>> {
    let folder = layout.openapi().join("overlays");
    let mut paths = Vec::new();
    for entry in
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", layout.show(&folder)))?
    {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", layout.show(&path)))?;
            let overlay: Overlay = serde_json::from_str(&text)
                .with_context(|| format!("{} is not an OpenAPI overlay", layout.show(&path)))?;
            Ok((layout.show(&path).to_string(), overlay))
        })
        .collect()
}

/// A document as it is checked in: two spaces, one newline at the end.
pub fn to_text(document: &Value) -> Result<String> {
    let mut text = serde_json::to_string_pretty(document).context("cannot print the contract")?;
    text.push('\n');
    Ok(text)
}

/// Replaces a file as a whole, or leaves it as it was.
pub fn write_atomically(path: &Path, text: &str) -> Result<()> {
    let folder = path
        .parent()
        .with_context(|| format!("{} has no folder", path.display()))?;
    let write = || -> Result<()> {
        let mut builder = tempfile::Builder::new();
        // A temporary file is for its owner alone; a source file is not.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
