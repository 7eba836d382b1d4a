//! A finding as a report has it: with the reason why it was accepted, with its places, in words.

use std::fmt::Write as _;

use super::escape::{plain, quoted};
use super::finding::{Finding, Overridden};
use super::place::Places;
use super::rules::{Runtime, RustApi};

/// Operations that are named; the others are counted.
const NAMED: usize = 3;

/// A finding, and what is said beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) finding: &'a Finding,
    /// Why it was accepted.
    pub(super) accepted: Option<&'a str>,
    /// Where it is, if that was asked for.
    pub(super) places: Option<&'a Places>,
}

impl Entry<'_> {
    /// The finding in one line, for where its rule and level stand beside it.
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

/// A change that is counted, not listed: `--format json` has it.
pub(super) fn only_words(finding: &Finding) -> bool {
    matches!(
        finding.id.as_str(),
        "description-changed" | "info-changed" | "example-changed" | "documentation-changed"
    )
}

/// Who uses a shared schema; nothing where the finding names its one operation anyway.
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

/// Whether a released client keeps working, as it is printed.
pub(super) fn runtime(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Breaks => "breaks",
        Runtime::Unknown => "unknown",
        Runtime::Works => "works",
    }
}

/// What happens to the Rust API, as it is printed.
pub(super) fn rust_api(api: RustApi) -> &'static str {
    match api {
        RustApi::None => "unchanged",
        RustApi::Patch => "patch",
        RustApi::Minor => "minor",
        RustApi::Major => "major",
        RustApi::Refused => "refused",
    }
}
