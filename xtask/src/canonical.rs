//! The canonical form of a document: the same API, however a tool wrote it, in the form that this repository uses.
//!
//! OpenAPI 3.0, every schema under our name, every operation under our id, references resolved, authentication explicit.
//! [`canonical`] is pure: it takes a document, the decisions in `openapi/names.toml` and the previous version, and returns
//! a document and a log. Overlays, the diff and the generator only see canonical forms, so another way of writing the same
//! API is not a change.

mod bodies;
mod components;
mod compose;
mod inline;
mod kept;
mod log;
mod lower;
mod names;
mod operations;
mod parameters;
mod paths;
mod places;
mod references;
mod responses;
mod security;
mod shape;
mod slips;
mod tidy;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

pub use self::log::{Change, Kind};
pub use self::names::{Names, Scheme};

use self::log::Log;
use self::places::Known;
use crate::document::Contract;
use crate::layout::Layout;
use crate::lock::{self, Lock, Version};

/// Returns the canonical form of a document, and the log of what was done.
///
/// `previous` is the canonical form of the previous version, whose names are kept.
///
/// # Errors
///
/// If it is not an OpenAPI 3.0 or 3.1 document, or contains something that cannot be converted. The error lists all
/// problems.
pub fn canonical(
    mut document: Value,
    names: &Names,
    previous: Option<&Value>,
) -> Result<(Value, Vec<Change>)> {
    Contract::read(&document)?;
    let version = document["openapi"].as_str().unwrap_or_default();
    ensure!(
        version.starts_with("3.0") || version.starts_with("3.1"),
        "/openapi: unsupported OpenAPI version {version}: expected 3.0 or 3.1"
    );
    let mut log = Log::default();
    slips::mend(&mut document, previous, &mut log);
    references::resolve_references(&mut document, &mut log);
    parameters::settle(&mut document, previous, &mut log);
    lower::lower(&mut document, &mut log);
    compose::write_out(&mut document, &mut log);
    bodies::settle(&mut document, previous, &mut log);
    paths::name_paths(&mut document, previous, &mut log);
    kept::keep(&mut document, previous, &mut log);
    security::name_schemes(&mut document, names, previous, &mut log);
    operations::name_operations(&mut document, names, previous, &mut log);
    let known = Known::of(previous);
    components::rename_components(&mut document, names, &known, &mut log);
    inline::name_inline(&mut document, names, &known, &mut log);
    responses::share(&mut document, previous, &mut log);
    kept::texts(&mut document, previous, &mut log);
    tidy::tidy(&mut document, &mut log);
    let changes = log.finish()?;
    Ok((document, changes))
}

/// Returns the canonical form of a version. The names come from all versions before it.
///
/// # Errors
///
/// As for [`canonical`], and if a file cannot be read or does not have the hash in the lock.
pub fn version(layout: &Layout, version: &Version) -> Result<(Value, Vec<Change>)> {
    let lock = Lock::load(layout)?;
    let names = Names::load(layout)?;
    let mut previous: Option<(Value, Vec<Change>)> = None;
    for step in &lock.versions {
        let document = lock::load_version(layout, step)?;
        let form = canonical(
            document,
            &names,
            previous.as_ref().map(|(previous, _)| previous),
        )
        .with_context(|| format!("openapi/{}", step.file))?;
        if step.name == version.name {
            return Ok(form);
        }
        previous = Some(form);
    }
    bail!("openapi/openapi.lock has no version {:?}", version.name)
}

/// Returns the canonical form of the current version.
///
/// # Errors
///
/// As for [`version`].
pub fn current(layout: &Layout) -> Result<(Value, Vec<Change>)> {
    let lock = Lock::load(layout)?;
    version(layout, lock.version(&lock.current)?)
}
