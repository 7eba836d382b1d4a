//! `cargo xtask fetch`: stores a published document in the repository.
//!
//! Everything is checked before the first byte is written: a document that cannot be read, or is not a contract, changes
//! nothing. Stored documents are never overwritten. The lock is written last.

mod choice;
mod encoding;
mod page;
mod source;

use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

pub use self::choice::{Document, Ours};
pub use self::encoding::LIMIT;
pub use self::source::{DEFAULT, Source};

use self::choice::{Found, choose};
use crate::document::{self, Contract};
use crate::layout::{self, Layout};
use crate::lock::{Lock, Version};

/// The number of hash characters in the name of a version.
const SHORT: usize = 8;

/// What to fetch, and the name to store it under.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// A URL, a file, or - for standard input [default: the public reference page]
    pub source: Option<Source>,
    /// Part of the title or URL of the document to take, for a page that shows several, or only another API
    #[arg(long, value_name = "TEXT")]
    pub pick: Option<String>,
    /// The version number for the file name [default: the `info.version` of the document]
    #[arg(long)]
    pub number: Option<String>,
}

/// The result of storing a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchOutcome {
    /// A new version, which is the current one now.
    New {
        /// The version that was current before.
        before: Version,
        /// The version that is current now.
        now: Version,
    },
    /// A version that the repository already had.
    Known {
        /// Its entry in the lock.
        version: Version,
        /// The version that was current before, if it was a different one.
        before: Option<Version>,
    },
}

/// Reads our document from a source, following a page to the documents that it shows.
///
/// If there are several, `pick` selects one by a part of its title or URL.
///
/// # Errors
///
/// If the source cannot be read, is larger than [`LIMIT`], or has no OpenAPI document of our API.
pub async fn read(source: &Source, ours: &Ours, pick: Option<&str>) -> Result<Document> {
    let found = find(source, ours, pick).await?;
    let document = choose(found, ours, pick)
        .with_context(|| format!("cannot fetch a contract from {source}"))?;
    Contract::read(&document.value)
        .and_then(Contract::operations)
        .with_context(|| format!("{source} contains a document that cannot be read"))?;
    Ok(document)
}

/// Stores a document and makes it the current version.
///
/// # Errors
///
/// If its number is not a valid file name, or a file of that name exists with other content.
pub fn store(
    layout: &Layout,
    document: &Document,
    source: &Source,
    number: Option<&str>,
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
    let number = match number {
        Some(number) => checked(number)?.to_owned(),
        None => number_of(&document.value),
    };
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
        // Without its entry in the lock the file is of no use.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(FetchOutcome::New {
        before,
        now: version,
    })
}

/// Parses a document, JSON or YAML.
pub fn document(bytes: &[u8]) -> Result<Document> {
    let text = std::str::from_utf8(bytes)
        .context("invalid text: expected UTF-8")?
        .to_owned();
    let value = document::parse(bytes)?;
    ensure!(
        page::is_document(&value),
        "not a valid OpenAPI document: expected `openapi` and `paths`"
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

/// Returns the documents that are embedded in a page or one of its scripts.
pub fn embedded(page: &str) -> Result<Vec<Document>> {
    let document = |value| {
        Ok(Document {
            text: document::to_text(&value)?,
            extension: "json",
            value,
        })
    };
    page::embedded(page).into_iter().map(document).collect()
}

/// Returns every document at a source: the source itself, or those that a page embeds or links to.
async fn find(source: &Source, ours: &Ours, pick: Option<&str>) -> Result<Vec<Found>> {
    let (bytes, base) = source.read().await?;
    let page = match std::str::from_utf8(&bytes) {
        Ok(text) if is_page(text) => text,
        _ => {
            let document = document(&bytes)
                .with_context(|| format!("cannot fetch a contract from {source}"))?;
            let from = base.to_string();
            return Ok(vec![Found { from, document }]);
        }
    };
    let mut found = Vec::new();
    add(&mut found, embedded(page)?, &base.to_string());
    let is_ours = |one: &Found| pick.is_none() && ours.is_by_title(&one.document.value);
    if found.iter().any(is_ours) {
        return Ok(found);
    }
    let mut links = page::links(page);
    let mut next = 0;
    while let Some(link) = links.get(next).cloned() {
        next += 1;
        // One broken link of several is not an error.
        let Some((bytes, from)) = base.follow(&link).await else {
            continue;
        };
        if let Ok(document) = document(&bytes) {
            add(&mut found, vec![document], &from);
        } else if let Ok(text) = std::str::from_utf8(&bytes)
            && !is_page(text)
        {
            // What a script refers to is relative to the page, as in a browser.
            add(&mut found, embedded(text)?, &from);
            for link in page::links(text) {
                if !links.contains(&link) {
                    links.push(link);
                }
            }
        }
    }
    let title = page::title(page).map_or_else(String::new, |title| format!(" {title:?}"));
    ensure!(
        !found.is_empty(),
        "cannot fetch a contract from {source}: the page{title} neither contains an OpenAPI document nor links to one: if it requires \
         a login, log in with a browser, save the page, and run `cargo xtask fetch FILE`"
    );
    Ok(found)
}

fn is_page(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
}

/// Adds the documents that are not in the list yet.
fn add(found: &mut Vec<Found>, documents: Vec<Document>, from: &str) {
    for document in documents {
        if !found
            .iter()
            .any(|other| other.document.value == document.value)
        {
            let from = from.to_owned();
            found.push(Found { from, document });
        }
    }
}

/// Used if a document has no number.
const NO_NUMBER: &str = "unversioned";
/// The length limit of a number in a file name.
const LONGEST_NUMBER: usize = 40;

/// Returns the number of a document for use in a file name. Characters that a file name cannot contain become dashes.
fn number_of(document: &Value) -> String {
    let number = match &document["info"]["version"] {
        Value::String(number) => number.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let mut name = String::new();
    for c in number.chars().take(LONGEST_NUMBER) {
        if may_name_file(c) {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    match name.trim_matches(['-', '.']) {
        "" => NO_NUMBER.to_owned(),
        name => name.to_owned(),
    }
}

/// Checks a number given by the user.
fn checked(number: &str) -> Result<&str> {
    ensure!(
        !number.is_empty()
            && number.len() <= LONGEST_NUMBER
            && !number.starts_with('.')
            && number.chars().all(may_name_file),
        "invalid --number {number:?}: expected letters, digits and any of . - _ +"
    );
    Ok(number)
}

fn may_name_file(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+')
}

fn write_new(layout: &Layout, path: &std::path::Path, text: &str) -> Result<()> {
    let shown = layout.show(path);
    if fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
        // The file remains from an update that was undone by hand.
        return Ok(());
    }
    let folder = path
        .parent()
        .with_context(|| format!("{shown} has no parent folder"))?;
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
    // Next to the other versions, not at the end of the file.
    table.set_position(versions.iter().last().and_then(toml_edit::Table::position));
    versions.push(table);
    Ok(())
}
