//! The canonical form of a document: the same API as any tool may have written it, as this repository writes it.
//!
//! OpenAPI 3.0, every schema under our names, every operation under our id, references resolved, authentication
//! explicit. [`canonical`] is pure: a document, the decisions of `openapi/names.toml` and the previous version in, a
//! document and the log of what was done out. Overlays, the diff and the generator see canonical forms only, so a new
//! form of the same API is no change.

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

/// The canonical form of a document, and what was done to reach it.
///
/// `previous` is the canonical form of the version before it, which lends its names.
///
/// # Errors
///
/// Where it is not an OpenAPI 3.0 or 3.1 document, or holds what cannot be carried over; all refusals at once.
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

/// The canonical form of a version, made of all versions before it.
///
/// # Errors
///
/// As for [`canonical`], and where a file cannot be read or is not the one that the lock names.
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

/// The canonical form of the current version.
///
/// # Errors
///
/// As for [`version`].
pub fn current(layout: &Layout) -> Result<(Value, Vec<Change>)> {
    let lock = Lock::load(layout)?;
    version(layout, lock.version(&lock.current)?)
}
