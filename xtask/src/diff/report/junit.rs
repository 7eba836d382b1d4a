//! Findings as test results, which most CI systems show.

use quick_junit::{NonSuccessKind, Report as Results, TestCase, TestCaseStatus, TestSuite};

use anyhow::{Context as _, Result};

use crate::diff::entry::Entry;
use crate::diff::place::Side;
use crate::diff::rules::Level;

/// Returns a test for each finding. One at the failing level fails, an accepted one is skipped.
pub(super) fn junit(
    old: &str,
    new: &str,
    entries: &[Entry<'_>],
    fail_on: Option<Level>,
) -> Result<String> {
    let mut suite = TestSuite::new(format!("{old} -> {new}"));
    for entry in entries {
        suite.add_test_case(case(old, new, entry, fail_on));
    }
    if entries.is_empty() {
        // Some readers treat a run without a test as a failure.
        suite.add_test_case(TestCase::new("nothing changed", TestCaseStatus::success()));
    }
    let mut results = Results::new("cargo xtask diff");
    results.add_test_suite(suite);
    results.to_string().context("cannot print the results")
}

fn case(old: &str, new: &str, entry: &Entry<'_>, fail_on: Option<Level>) -> TestCase {
    let finding = entry.finding;
    let mut text = entry.details();
    if let Some(places) = entry.places {
        let place = &places.exact;
        let name = place.file.as_deref().unwrap_or(match place.document {
            Side::Old => old,
            Side::New => new,
        });
        let position = place.position;
        text = format!("{text}\n{name}:{}:{}", position.line, position.column);
    }
    let status = if let Some(reason) = entry.accepted {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("accepted: {reason}"));
        status
    } else if fail_on.is_some_and(|level| finding.level <= level) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(finding.level.name());
        status.set_message(finding.text.clone());
        status.set_description(text.clone());
        status
    } else {
        TestCaseStatus::success()
    };
    let mut case = TestCase::new(finding.text.clone(), status);
    case.set_classname(finding.id.clone());
    case.set_system_out(text);
    case
}
