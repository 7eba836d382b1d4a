//! A finding as shown in a report: with its places, and the reason why it was accepted.

use std::fmt::Write as _;

use super::escape::{plain, quoted};
use super::finding::{Finding, Overridden};
use super::place::Places;
use super::rules::{Runtime, RustApi};

/// The maximum number of operations that are named; the others are counted.
const NAMED: usize = 3;

/// A finding, and what is shown with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) finding: &'a Finding,
    /// Why it was accepted.
    pub(super) accepted: Option<&'a str>,
    /// Where it is, if requested.
    pub(super) places: Option<&'a Places>,
}

impl Entry<'_> {
    /// Returns the finding in one line, without rule and level.
    pub(super) fn details(&self) -> String {
        let finding = self.finding;
        let mut text = format!(
            "{}{} (client {}, Rust API {}, {})",
            plain(&finding.text),
            plain(&used_by(finding)),
            runtime(finding.runtime),
            rust_api(finding.rust_api),
            finding.fingerprint,
        );
        if let Some(Overridden { rule, reason }) = &finding.overridden {
            let _ = write!(text, "; {} by the rule: {reason}", rule.name());
        }
        if let Some(reason) = self.accepted {
            let _ = write!(text, "; accepted: {reason}");
        }
        text
    }
}

/// Reports whether a change is counted rather than listed. `--format json` lists it.
pub(super) fn only_words(finding: &Finding) -> bool {
    matches!(
        finding.id.as_str(),
        "description-changed" | "info-changed" | "example-changed" | "documentation-changed"
    )
}

/// Names the users of a shared schema. Empty if the finding names its only operation anyway.
pub(super) fn used_by(finding: &Finding) -> String {
    let all = &finding.operations;
    if all.is_empty() || (all.len() == 1 && finding.subject.starts_with(&all[0])) {
        return String::new();
    }
    let mut named = quoted(&all[..all.len().min(NAMED)].join(", "));
    if all.len() > NAMED {
        let _ = write!(named, " and {} more", all.len() - NAMED);
    }
    format!(", in {named}")
}

/// Returns whether a released client keeps working, in words.
pub(super) fn runtime(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Breaks => "breaks",
        Runtime::Unknown => "unknown",
        Runtime::Works => "works",
    }
}

/// Returns the effect on the Rust API, in words.
pub(super) fn rust_api(api: RustApi) -> &'static str {
    match api {
        RustApi::None => "unchanged",
        RustApi::Patch => "patch",
        RustApi::Minor => "minor",
        RustApi::Major => "major",
        RustApi::Refused => "refused",
    }
}
