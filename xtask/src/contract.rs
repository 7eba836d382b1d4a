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

    /// The generated client.
    pub fn client(&self) -> PathBuf {
        self.root.join("crates/twipla-api/src/generated.rs")
    }

    /// The generated operation table.
    pub fn operations(&self) -> PathBuf {
        self.root
            .join("crates/twipla-api/src/generated_operations.rs")
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
    /// Every version kept in the repository.
    pub versions: BTreeMap<String, Version>,
    /// Versions of the tools that read the contract.
    #[serde(default)]
    pub tools: BTreeMap<String, String>,
}

/// One published document.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Path below `openapi/`.
    pub file: String,
    /// Where it came from.
    pub source: String,
    /// When it was fetched.
    pub retrieved: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

impl Lock {
    /// Reads `openapi/openapi.lock`.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.openapi().join("openapi.lock");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", layout.show(&path)))?;
        toml::from_str(&text)
            .with_context(|| format!("{} is not the lock file it should be", layout.show(&path)))
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
    let Some(version) = lock.versions.get(&lock.current) else {
        bail!(
            "openapi/openapi.lock: current = {:?}, but there is no [versions.{:?}]",
            lock.current,
            lock.current
        );
    };
    let path = layout.openapi().join(&version.file);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", layout.show(&path)))?;
    let found = hex(&Sha256::digest(&bytes));
    if !found.eq_ignore_ascii_case(&version.sha256) {
        bail!(
            "{} is not the document that openapi/openapi.lock names: its sha256 is {found}, not {}; corrections belong \
             into openapi/overlays, and a document fetched anew needs its new sha256 under [versions.{:?}]",
            layout.show(&path),
            version.sha256,
            lock.current,
        );
    }
    serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is not valid JSON", layout.show(&path)))
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

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
