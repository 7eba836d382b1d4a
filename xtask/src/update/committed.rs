//! The committed state, which an update is compared with, however often it runs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::document;
use crate::layout::Layout;
use crate::lock::Lock;

/// The committed contract, and the name of its version.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) version: String,
    pub(super) contract: Value,
}

impl Committed {
    pub(super) fn load(layout: &Layout) -> Result<Self> {
        let lock: Lock = toml::from_str(&text(layout, &Lock::path(layout))?)
            .context("the committed openapi/openapi.lock is not a valid lock file")?;
        let contract = document::parse(text(layout, &layout.contract())?.as_bytes())
            .context("the committed openapi/twipla-3as.json")?;
        Ok(Self {
            version: lock.current,
            contract,
        })
    }
}

/// Returns the text of a file in the last commit.
fn text(layout: &Layout, path: &Path) -> Result<String> {
    let name = layout.show(path).to_string();
    let output = Command::new("git")
        .current_dir(layout.root())
        .args(["show", &format!("HEAD:./{name}")])
        .output()
        .context("cannot run git")?;
    ensure!(
        output.status.success(),
        "cannot read the committed {name}, which an update is compared with: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).with_context(|| format!("the committed {name} is not UTF-8"))
}
