//! The place of a change: document, file, line and column.

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::finding::Finding;
use super::input::Input;
use super::origin::Origin;
use crate::document::{Position, positions};

/// One of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The older one.
    Old,
    /// The newer one.
    New,
}

/// A place in one of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Which document.
    pub document: Side,
    /// Its file relative to the root of the repository, or `None` for a pipe or a URL.
    pub file: Option<String>,
    /// Line and column.
    #[serde(flatten)]
    pub position: Position,
}

/// The places of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// The place of the change: in the new document, or in the old one if it was removed.
    pub(super) exact: Place,
    /// The place to annotate in the files of the checkout. A line of an old revision would annotate something else, so for
    /// what was removed this is the nearest remaining node around it.
    pub(super) marked: Place,
}

/// Returns the places of findings, in their order.
///
/// # Errors
///
/// If a text cannot be parsed again.
pub(super) fn places(findings: &[Finding], old: &Input, new: &Input) -> Result<Vec<Places>> {
    let before = located(Side::Old, old, findings)?;
    let now = located(Side::New, new, findings)?;
    let old_is_marked = old.is_checked_out && old.file.is_some() && old.file != new.file;
    Ok(findings
        .iter()
        .zip(before.into_iter().zip(now))
        .map(|(finding, (before, now))| {
            if !is_removed(finding, old, new) {
                return Places {
                    exact: now.clone(),
                    marked: now,
                };
            }
            Places {
                marked: if old_is_marked { before.clone() } else { now },
                exact: before,
            }
        })
        .collect())
}

/// Reports whether the change is only in the old document.
fn is_removed(finding: &Finding, old: &Input, new: &Input) -> bool {
    let is_in = |input: &Input| input.canonical.pointer(&finding.location).is_some();
    // The next parameter may have the index of a removed one.
    is_in(old) && (!is_in(new) || (finding.action == "removed" && finding.new.is_null()))
}

fn located(document: Side, input: &Input, findings: &[Finding]) -> Result<Vec<Place>> {
    let written = input.written()?;
    let origin = Origin::new(&written, &input.canonical);
    let pointers: Vec<String> = findings
        .iter()
        .map(|finding| origin.of(&finding.location))
        .collect();
    let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
    let found = positions(&input.text, &pointers)
        .with_context(|| format!("cannot find lines in {}", input.name))?;
    Ok(found
        .into_iter()
        .map(|position| Place {
            document,
            file: input.file.clone(),
            position,
        })
        .collect())
}
