//! The contract against the vendor's reference page.
//!
//! `tests/reference/3as-reference.txt` has the facts of the page: table rows and samples. These tests check each of them
//! against `openapi/twipla-3as.json`: every field is where the page has it, with its type, format, default, values and
//! required flag; every sample is valid against the schema it belongs to and has the values of the contract's examples; and
//! the contract has nothing else, except what `exceptions.rs` lists individually.

pub(crate) mod document;
pub(crate) mod json_schema;

mod check;
mod doctored;
mod exceptions;
mod page;
mod topics;

use check::{Counts, Finding};
use document::Document;
use exceptions::{ADDITIONS, DEFECTS, LEFT_OUT, PORTABLE};
use page::{Page, Place};

/// Counted on the page itself, see `tests/reference/README.md`. A parser that skips something cannot reach these counts.
const ON_THE_PAGE: Counts = Counts {
    operations: 30,
    rows: 83,
    samples: 46,
    values: 493,
};

#[test]
fn contract_matches_the_reference_page() {
    let page = page().unwrap();
    let contract = Document::contract().unwrap();

    let remainder = exceptions::apply(
        findings(&page, &contract).unwrap(),
        &[DEFECTS, LEFT_OUT, PORTABLE, ADDITIONS],
    );

    assert!(
        remainder.findings.is_empty(),
        "the contract differs from the page:\n{:#?}",
        remainder.findings
    );
    assert!(
        remainder.unused.is_empty(),
        "exceptions without a need: {:#?}",
        remainder.unused
    );
}

#[test]
fn reconstructed_version_needs_no_exception() {
    let report = check::operations(&page().unwrap(), &Document::reconstructed().unwrap()).unwrap();

    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.counts, ON_THE_PAGE);
}

#[test]
fn whole_page_is_compared() {
    let page = page().unwrap();
    let report = check::operations(&page, &Document::contract().unwrap()).unwrap();

    assert_eq!(report.counts, ON_THE_PAGE);
    let topics = page.topics.iter();
    let of_topics = topics.fold((0, 0, 0, 0), |(topics, rows, lines, samples), topic| {
        let headers = topic.rows(Place::Header).len();
        (
            topics + 1,
            rows + headers,
            lines + topic.list.len(),
            samples + topic.samples.len(),
        )
    });
    assert_eq!(
        of_topics,
        (5, 3, 5, 5),
        "topics, headers, list entries, samples"
    );
}

#[test]
fn every_exception_has_a_reason_and_is_listed_once() {
    let exceptions: Vec<_> = DEFECTS
        .iter()
        .chain(LEFT_OUT)
        .chain(PORTABLE)
        .chain(ADDITIONS)
        .collect();
    for (index, exception) in exceptions.iter().enumerate() {
        assert!(exception.why.len() > 15, "{}: why?", exception.at);
        let again = exceptions[..index]
            .iter()
            .any(|other| other.at == exception.at && other.fault == exception.fault);
        assert!(!again, "{} is listed twice", exception.at);
    }
}

/// The copy of the page.
fn page() -> Result<Page, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/3as-reference.txt");
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Page::parse(&text)
}

/// Returns all differences between a page and a document.
fn findings(page: &Page, document: &Document) -> Result<Vec<Finding>, String> {
    let mut findings = check::operations(page, document)?.findings;
    findings.extend(topics::compare(page, document)?);
    Ok(findings)
}
