//! `cargo xtask fetch`: takes a published document into the repository.
//!
//! Everything is checked before the first byte is written: a document that
//! cannot be read, or is not a contract, changes nothing. What is stored is never
//! overwritten; the lock is written last.

mod page;
mod source;

use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

pub use self::page::embedded;
pub use self::source::{DEFAULT, LIMIT, Source};

use crate::document::{self, Contract};
use crate::layout::{self, Layout};
use crate::lock::{Lock, Version};

/// How much of the hash goes into the name of a version.
const SHORT: usize = 8;

/// A document that was read, not yet stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What is stored.
    pub text: String,
    /// `json` or `yaml`.
    pub extension: &'static str,
    /// What the text says.
    pub value: Value,
}

/// What storing a document did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchOutcome {
    /// A version that was not there yet; it is the current one now.
    New {
        /// What was current before.
        before: Version,
        /// What is current now.
        now: Version,
    },
    /// A version that the repository had already.
    Known {
        /// Its entry in the lock.
        version: Version,
        /// What was current before, where that was another one.
        before: Option<Version>,
    },
}

/// Reads the document at a source, following a page to the document that it shows.
///
/// # Errors
///
/// Where the source cannot be read, is larger than [`LIMIT`], or holds no OpenAPI document.
pub async fn read(source: &Source) -> Result<Document> {
    let bytes = source.read().await?;
    let document = match document(&bytes) {
        Ok(document) => document,
        Err(error) => linked(source, &bytes, error).await?,
    };
    Contract::read(&document.value)
        .and_then(Contract::operations)
        .with_context(|| format!("{source} holds a document that cannot be read"))?;
    Ok(document)
}

/// Stores a document and makes it the current version.
///
/// # Errors
///
/// Where its version is not a valid file name, or a file of that name exists with other content.
pub fn store(
    layout: &Layout,
    document: &Document,
    source: &Source,
    today: &str,
) -> Result<FetchOutcome> {
    let lock = Lock::load(layout)?;
    let before = lock.version(&lock.current)?.clone();
    let sha256 = document::sha256(document.text.as_bytes());
    if let Some(known) = lock.versions.iter().find(|known| known.sha256 == sha256) {
        let changed = known.name != lock.current;
        if changed {
            edit_lock(layout, |lock| {
                lock["current"] = toml_edit::value(&known.name);
                Ok(())
            })?;
        }
        return Ok(FetchOutcome::Known {
            version: known.clone(),
            before: changed.then_some(before),
        });
    }
    let number = version_number(&document.value)?;
    let name = format!("{number}-{}", &sha256[..SHORT]);
    let version = Version {
        file: format!("versions/{name}.{}", document.extension),
        name,
        source: source.to_string(),
        published: None,
        retrieved: today.to_owned(),
        sha256,
    };
    let path = layout.openapi().join(&version.file);
    write_new(layout, &path, &document.text)?;
    let written = edit_lock(layout, |lock| add_version(lock, &version));
    if let Err(error) = written {
        // Without its entry the file is litter.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(FetchOutcome::New {
        before,
        now: version,
    })
}

/// The document in some bytes: JSON, YAML, or embedded in a page.
pub fn document(bytes: &[u8]) -> Result<Document> {
    let text = std::str::from_utf8(bytes)
        .context("invalid text: expected UTF-8")?
        .to_owned();
    if text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
    {
        let value = embedded(&text).context(
            "the page has no OpenAPI document in it: neither `__redoc_state` nor `__redoc_definition` holds one",
        )?;
        return Ok(Document {
            text: document::to_text(&value)?,
            extension: "json",
            value,
        });
    }
    let value = document::parse(bytes)?;
    ensure!(
        page::is_document(&value),
        "not a valid OpenAPI document: there are no `openapi` and `paths`"
    );
    let json = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{');
    Ok(Document {
        text,
        extension: if json { "json" } else { "yaml" },
        value,
    })
}

/// What a page links to, where it holds no document itself.
async fn linked(source: &Source, bytes: &[u8], error: anyhow::Error) -> Result<Document> {
    let nothing = || format!("cannot fetch a contract from {source}");
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(error.context(nothing()));
    };
    if !text.trim_start().starts_with('<') {
        return Err(error.context(nothing()));
    }
    for link in page::links(text) {
        // One dead link of several is no reason to give up.
        if let Some(bytes) = source.follow(&link).await
            && let Ok(document) = document(&bytes)
        {
            return Ok(document);
        }
    }
    Err(error.context(nothing()))
}

fn version_number(document: &Value) -> Result<&str> {
    let number = document["info"]["version"]
        .as_str()
        .context("the document has no info.version, which names its file")?;
    ensure!(
        !number.is_empty()
            && number.len() <= 40
            && !number.starts_with('.')
            && number
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+')),
        "invalid info.version {number:?}: expected a name for a file, of letters, digits and any of . - _ +"
    );
    Ok(number)
}

fn write_new(layout: &Layout, path: &std::path::Path, text: &str) -> Result<()> {
    let shown = layout.show(path);
    let folder = path
        .parent()
        .with_context(|| format!("{shown} has no folder"))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder
        .tempfile_in(folder)
        .with_context(|| format!("cannot write {shown}"))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {shown}"))?;
    file.persist_noclobber(path)
        .map_err(|error| error.error)
        .with_context(|| format!("{shown} exists, but is not in openapi.lock: move it away"))?;
    Ok(())
}

fn edit_lock(
    layout: &Layout,
    edit: impl FnOnce(&mut toml_edit::DocumentMut) -> Result<()>,
) -> Result<()> {
    let path = Lock::path(layout);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", layout.show(&path)))?;
    let mut lock: toml_edit::DocumentMut = text
        .parse()
        .with_context(|| format!("{} is not valid TOML", layout.show(&path)))?;
    edit(&mut lock)?;
    layout::write_atomically(&path, &lock.to_string())
}

fn add_version(lock: &mut toml_edit::DocumentMut, version: &Version) -> Result<()> {
    lock["current"] = toml_edit::value(&version.name);
    let mut table = toml_edit::Table::new();
    for (key, value) in [
        ("name", &version.name),
        ("file", &version.file),
        ("source", &version.source),
        ("retrieved", &version.retrieved),
        ("sha256", &version.sha256),
    ] {
        table[key] = toml_edit::value(value);
    }
    let versions = lock["versions"]
        .as_array_of_tables_mut()
        .context("openapi/openapi.lock: versions is not a list of tables")?;
    // Beside the other versions, not at the end of the file.
    table.set_position(versions.iter().last().and_then(toml_edit::Table::position));
    versions.push(table);
    Ok(())
}
