//! Reads OLD and NEW: a file, a pipe, a URL, a stored version, or a file in a revision.

use std::ffi::OsStr;
use std::path::{Path, absolute};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::canonical::{self, Names};
use crate::document::{self, Contract};
use crate::fetch::Source;
use crate::layout::Layout;
use crate::lock::{Lock, Version};
use crate::overlay;

/// A document to compare.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name in messages.
    pub name: String,
    /// Its file relative to the root of the repository, if it has one.
    pub file: Option<String>,
    /// Whether that file currently has this text, rather than a revision.
    pub is_checked_out: bool,
    /// The text as read.
    pub text: String,
    /// Its canonical form, which is compared; or the original, if one of the two has no canonical form.
    pub canonical: Value,
    /// Why it has no canonical form.
    pub refused: Option<String>,
}

/// The name of the contract with its overlays.
const CONTRACT: &str = "contract";

/// Reads the two documents of a comparison.
///
/// # Errors
///
/// If an argument names nothing, or something that is not a contract.
pub(super) fn pair(layout: &Layout, old: &str, new: &str) -> Result<(Input, Input)> {
    ensure!(
        old != "-" || new != "-",
        "OLD and NEW are both -: standard input has one document, name a file, a version or a revision for the other"
    );
    // A document takes its names from the current version. The contract has more of them, from its overlays.
    let names_of = if [old, new].contains(&CONTRACT) {
        overlay::contract(layout)?
    } else {
        canonical::current(layout)?.0
    };
    let mut old = Input::read(layout, old, &names_of)?;
    let mut new = Input::read(layout, new, &names_of)?;
    if old.refused.is_some() || new.refused.is_some() {
        old.canonical = old.written()?;
        new.canonical = new.written()?;
    }
    Ok((old, new))
}

impl Input {
    /// Parses the original text. This is done again for the few callers that need it, because the values of large documents
    /// take much memory.
    ///
    /// # Errors
    ///
    /// If the text is neither JSON nor YAML.
    pub(super) fn written(&self) -> Result<Value> {
        document::parse(self.text.as_bytes())
    }

    /// Reads what an argument names. An existing file takes precedence.
    ///
    /// # Errors
    ///
    /// If the argument names nothing, or something that is not a contract.
    fn read(layout: &Layout, argument: &str, names_of: &Value) -> Result<Self> {
        let path = Path::new(argument);
        ensure!(
            !path.is_dir(),
            "cannot read {argument}: it is a folder, expected a file in it"
        );
        if argument == "-" || path.exists() || argument.contains("://") {
            return Self::from_source(layout, argument, names_of);
        }
        if argument == CONTRACT {
            return Self::contract(layout);
        }
        let lock = Lock::load(layout)?;
        if let Some(version) = stored(&lock, argument)? {
            return Self::from_version(layout, version);
        }
        match revision(argument) {
            Some((revision, path)) => Self::from_git(layout, argument, revision, path, names_of),
            None => bail!(
                "{argument} is neither a file nor a version: the versions are {}; a file of a revision is written \
                 {argument}:openapi/twipla-3as.json",
                names(lock.versions.iter().collect())
            ),
        }
    }

    /// Reads a file, a pipe, standard input or a URL.
    fn from_source(layout: &Layout, argument: &str, names_of: &Value) -> Result<Self> {
        let path = Path::new(argument);
        let source = if argument != "-" && path.exists() {
            Source::File(path.to_owned())
        } else {
            argument.parse()?
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let (bytes, _) = runtime.block_on(source.read())?;
        let name = match source {
            Source::File(_) => argument.to_owned(),
            other => other.to_string(),
        };
        let file = path.is_file().then(|| shown(layout, path));
        Self::parsed(layout, name, file, true, bytes, names_of)
    }

    fn from_git(
        layout: &Layout,
        argument: &str,
        revision: &str,
        path: &str,
        names_of: &Value,
    ) -> Result<Self> {
        ensure!(
            !path.is_empty(),
            "invalid {argument}: expected a path after the revision, such as {argument}openapi/twipla-3as.json"
        );
        // Without a revision git uses the index.
        if !revision.is_empty() {
            let tree = format!("{revision}^{{tree}}");
            git(["rev-parse", "--verify", "--quiet", "--end-of-options", &tree]).with_context(|| {
                format!(
                    "{argument} is neither a file nor a version, and git does not know the revision {revision:?}: \
                     `git fetch` it; a workflow needs `fetch-depth: 0` for more than the newest"
                )
            })?;
        }
        let bytes = git(["cat-file", "blob", argument]).with_context(|| {
            let listed = if revision.is_empty() {
                "git ls-files --cached".to_owned()
            } else {
                format!("git ls-tree -r --name-only {revision}")
            };
            format!("cannot read {argument}: {revision:?} has no file {path:?}, `{listed}` lists its files")
        })?;
        // git's paths are relative to the root, unless they start with `./`.
        let file = match path.strip_prefix("./") {
            Some(here) => shown(layout, Path::new(here)),
            None => path.to_owned(),
        };
        Self::parsed(
            layout,
            argument.to_owned(),
            Some(file),
            false,
            bytes,
            names_of,
        )
    }

    fn from_version(layout: &Layout, version: &Version) -> Result<Self> {
        let path = layout.openapi().join(&version.file);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", layout.show(&path)))?;
        Ok(Self {
            name: version.name.clone(),
            file: Some(shown(layout, &path)),
            is_checked_out: true,
            text,
            canonical: canonical::version(layout, version)?.0,
            refused: None,
        })
    }

    /// Returns the contract with the current overlays, whether it was written or not.
    fn contract(layout: &Layout) -> Result<Self> {
        let path = layout.contract();
        let contract = overlay::contract(layout)?;
        Ok(Self {
            name: layout.show(&path).to_string(),
            file: Some(shown(layout, &path)),
            is_checked_out: true,
            text: document::to_text(&contract)?,
            canonical: contract,
            refused: None,
        })
    }

    fn parsed(
        layout: &Layout,
        name: String,
        file: Option<String>,
        is_checked_out: bool,
        bytes: Vec<u8>,
        names_of: &Value,
    ) -> Result<Self> {
        ensure!(
            !bytes.trim_ascii().is_empty(),
            "{name} is empty: expected an OpenAPI document"
        );
        let written = document::parse(&bytes).with_context(|| {
            format!("{name} is neither JSON nor YAML: expected an OpenAPI document")
        })?;
        let text = String::from_utf8(bytes).with_context(|| name.clone())?;
        Contract::read(&written).with_context(|| name.clone())?;
        let names = Names::load(layout)?;
        // A document of another API may lack something that regen needs, but can still be compared.
        let (canonical, refused) = match canonical::canonical(written, &names, Some(names_of)) {
            Ok((canonical, _)) => (canonical, None),
            Err(error) => (
                document::parse(text.as_bytes())?,
                Some(format!("{error:#}")),
            ),
        };
        Ok(Self {
            name,
            file,
            is_checked_out,
            text,
            canonical,
            refused,
        })
    }
}

/// Returns the version of this name, or the only one of this number.
fn stored<'a>(lock: &'a Lock, name: &str) -> Result<Option<&'a Version>> {
    let wanted = if name == "current" {
        lock.current.as_str()
    } else {
        name
    };
    if let Some(version) = lock.versions.iter().find(|version| version.name == wanted) {
        return Ok(Some(version));
    }
    let found: Vec<_> = lock
        .versions
        .iter()
        .filter(|version| {
            let rest = version.name.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.starts_with('-'))
        })
        .collect();
    match found[..] {
        [] => Ok(None),
        [version] => Ok(Some(version)),
        _ => bail!("there is more than one version {name}: {}", names(found)),
    }
}

fn names(versions: Vec<&Version>) -> String {
    let names: Vec<&str> = versions
        .into_iter()
        .map(|version| version.name.as_str())
        .collect();
    names.join(", ")
}

/// Splits REVISION:PATH. Returns `None` for a path that starts with a drive letter.
fn revision(argument: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    // A revision may contain a colon in braces: HEAD^{/fix: it}.
    let at = argument.find(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ':' && depth == 0
    })?;
    let (revision, path) = (&argument[..at], &argument[at + 1..]);
    let is_drive = revision.len() == 1
        && revision.starts_with(|c: char| c.is_ascii_alphabetic())
        && path.starts_with(['\\', '/']);
    (!is_drive).then_some((revision, path))
}

/// Returns the output of git.
fn git<const N: usize>(arguments: [&str; N]) -> Result<Vec<u8>> {
    let output = Command::new("git")
        .args(arguments.map(OsStr::new))
        .output()
        .context("cannot run git")?;
    let message = String::from_utf8_lossy(&output.stderr);
    let message = message.trim();
    ensure!(
        output.status.success(),
        "git failed: {}",
        if message.is_empty() {
            "no such object"
        } else {
            message
        }
    );
    Ok(output.stdout)
}

/// Returns the path of a file relative to the root of the repository, with slashes.
fn shown(layout: &Layout, path: &Path) -> String {
    let whole = absolute(path).unwrap_or_else(|_| path.to_owned());
    let from_root = whole.strip_prefix(layout.root()).unwrap_or(path);
    from_root.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_ends_at_the_first_colon_outside_braces() {
        for (argument, expected) in [
            ("HEAD~1:openapi/a.json", Some(("HEAD~1", "openapi/a.json"))),
            ("v1:a:b.json", Some(("v1", "a:b.json"))),
            (
                "HEAD^{/fix: it}:a.json",
                Some(("HEAD^{/fix: it}", "a.json")),
            ),
            (":a.json", Some(("", "a.json"))),
            ("HEAD:", Some(("HEAD", ""))),
            ("C:\\contracts\\a.json", None),
            ("C:/contracts/a.json", None),
            ("a.json", None),
        ] {
            assert_eq!(revision(argument), expected, "{argument}");
        }
    }
}
