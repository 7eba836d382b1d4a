//! The paths of files in the workspace, and how files are replaced.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The paths of the workspace that this tool reads and writes.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Returns the workspace that this tool was built in.
    pub fn here() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask has no parent directory")?;
        Ok(Self::at(root))
    }

    /// Returns a workspace at another path, for tests.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder `openapi`.
    pub fn openapi(&self) -> PathBuf {
        self.root.join("openapi")
    }

    /// The result of version and overlays, from which every client is generated.
    pub fn contract(&self) -> PathBuf {
        self.openapi().join("twipla-3as.json")
    }

    /// The operations of one host: `management` or `data`.
    pub fn contract_of(&self, host: &str) -> PathBuf {
        self.openapi().join(format!("twipla-3as-{host}.json"))
    }

    /// A file of the generated client: `types`, `requests` or `operations`.
    pub fn generated(&self, name: &str) -> PathBuf {
        self.root
            .join("crates/twipla-api/src/generated")
            .join(name)
            .with_extension("rs")
    }

    /// The changes from one version to the next.
    pub fn changelog(&self) -> PathBuf {
        self.openapi().join("CHANGELOG.md")
    }

    /// The list of rules of the diff.
    pub fn rules(&self) -> PathBuf {
        self.openapi().join("RULES.md")
    }

    /// The README of the contract: operations, generators, and an example of a comparison.
    pub fn contract_readme(&self) -> PathBuf {
        self.openapi().join("README.md")
    }

    /// The README of the raw client, which lists the operations.
    pub fn client_readme(&self) -> PathBuf {
        self.root.join("crates/twipla-api/README.md")
    }

    /// Returns a path relative to the root, as a user would type it.
    pub fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// Replaces a file atomically: after an error it is unchanged.
pub fn write_atomically(path: &Path, text: &str) -> Result<()> {
    let folder = path
        .parent()
        .with_context(|| format!("{} has no parent folder", path.display()))?;
    let write = || -> Result<()> {
        let mut builder = tempfile::Builder::new();
        // A temporary file is readable by its owner only, unlike a source file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
