//! `cargo xtask fetch`: takes a published document into the repository.
//!
//! Everything is checked before the first byte is written: a document that
//! cannot be read, or is not a contract, changes nothing. What is stored is never
//! overwritten; the lock is written last.

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

/// How much of the hash goes into the name of a version.
const SHORT: usize = 8;

/// What is fetched, and under which name it is kept.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// An address, a file, or - for standard input; the public reference page where there is none
    pub source: Option<Source>,
    /// A part of the title or address of the one to take, where a page shows several or another API
    #[arg(long, value_name = "TEXT")]
    pub pick: Option<String>,
    /// The number of the version in the name of its file; what the document says where there is none
    #[arg(long)]
    pub number: Option<String>,
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

/// Reads our document at a source, following a page to the documents that it shows.
///
/// With several, `pick` decides by a part of a title or an address.
///
/// # Errors
///
/// Where the source cannot be read, is larger than [`LIMIT`], or holds no OpenAPI document of ours.
pub async fn read(source: &Source, ours: &Ours, pick: Option<&str>) -> Result<Document> {
    let found = find(source, ours, pick).await?;
    let document = choose(found, ours, pick)
        .with_context(|| format!("cannot fetch a contract from {source}"))?;
    Contract::read(&document.value)
        .and_then(Contract::operations)
        .with_context(|| format!("{source} holds a document that cannot be read"))?;
    Ok(document)
}

/// Stores a document and makes it the current version.
///
/// # Errors
///
/// Where the number it is given is not a valid file name, or a file of that name exists with other content.
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
        // Without its entry the file is litter.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(FetchOutcome::New {
        before,
        now: version,
    })
}

/// The document in some bytes, JSON or YAML.
pub fn document(bytes: &[u8]) -> Result<Document> {
    let text = std::str::from_utf8(bytes)
        .context("invalid text: expected UTF-8")?
        .to_owned();
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

/// The documents that a page, or a script of one, holds in itself.
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

/// Every document at a source: itself, or those that a page holds and leads to.
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
        // One dead link of several is no reason to give up.
        let Some((bytes, from)) = base.follow(&link).await else {
            continue;
        };
        if let Ok(document) = document(&bytes) {
            add(&mut found, vec![document], &from);
        } else if let Ok(text) = std::str::from_utf8(&bytes)
            && !is_page(text)
        {
            // A script: what it names is relative to the page, as the browser has it.
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
        "cannot fetch a contract from {source}: the page{title} has no OpenAPI document in it and leads to none: where it asks \
         for a login, log in with a browser, save the page, and run `cargo xtask fetch FILE`"
    );
    Ok(found)
}

fn is_page(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
}

/// Adds the documents that were not found yet.
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

/// Where a document has no number.
const NO_NUMBER: &str = "unversioned";
/// Of a number that names a file.
const LONGEST_NUMBER: usize = 40;

/// The number of a document, as a name for its file: what cannot stand in one becomes a dash.
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

/// A number that somebody chose.
fn checked(number: &str) -> Result<&str> {
    ensure!(
        !number.is_empty()
            && number.len() <= LONGEST_NUMBER
            && !number.starts_with('.')
            && number.chars().all(may_name_file),
        "invalid --number {number:?}: expected a name for a file, of letters, digits and any of . - _ +"
    );
    Ok(number)
}

fn may_name_file(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+')
}

fn write_new(layout: &Layout, path: &std::path::Path, text: &str) -> Result<()> {
    let shown = layout.show(path);
    if fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
        // Left over from an update that was taken back by hand.
        return Ok(());
    }
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
