//! Compares the findings of `diff` with an oracle: what a released client would really encounter.
//!
//! The contract is edited at random. The oracle takes valid requests of a client generated before the edit, validates them
//! against the schemas after the edit, and decodes responses made from those with the types from before. If that fails,
//! `compare` must not report that the client works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

#[path = "oracle/client.rs"]
mod client;
#[path = "oracle/edits.rs"]
mod edits;
#[path = "oracle/sample.rs"]
mod sample;

use std::collections::BTreeMap;

use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::Value;
use xtask::diff::{Runtime, compare};
use xtask::layout::Layout;
use xtask::overlay;

use self::client::Client;

const EDITS: usize = 1000;

fn contract() -> Value {
    overlay::contract(&Layout::here().unwrap()).unwrap()
}

#[test]
fn the_client_works_with_the_contract_that_it_was_generated_from() {
    let contract = contract();
    let client = Client::of(&contract);
    assert_eq!(client.meets_everywhere(&contract), BTreeMap::new());
    // Each operation was tried.
    assert_eq!(client.operations(), 44);
    assert!(client.untried().is_empty(), "{:?}", client.untried());
}

/// Reports whether an edit only repeated a keyword of the target of a reference.
fn says_the_same(contract: &Value, edited: &Value, at: &str) -> bool {
    let schema = |document: &Value| {
        document
            .pointer(at)
            .map(|schema| sample::resolved(document, schema))
    };
    schema(contract) == schema(edited)
}

#[test]
fn edit_that_breaks_a_released_client_is_never_reported_as_working() {
    let contract = contract();
    let client = Client::of(&contract);
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (mut breaks, mut refused, mut wrong) = (0, 0, Vec::new());
    for number in 0..EDITS {
        let mut edited = contract.clone();
        let (what, at) = edits::one(&mut edited, &mut random);
        let broken = client.meets(&edited);
        let Ok(findings) = compare(&contract, &edited) else {
            refused += 1;
            continue;
        };
        assert!(
            !findings.is_empty() || says_the_same(&contract, &edited, &at),
            "edit {number} is unseen: {what} of {at}"
        );
        if broken.is_empty() {
            continue;
        }
        breaks += 1;
        if findings
            .iter()
            .all(|finding| finding.runtime == Runtime::Works)
        {
            let said: Vec<_> = findings.iter().map(|finding| &finding.id).collect();
            wrong.push(format!(
                "edit {number}, {what} of {at}: {broken:?}, said {said:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {breaks}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // Otherwise the edits or the oracle would cover too little.
    assert!(breaks > EDITS / 5, "only {breaks} edits broke anything");
    assert!(refused < EDITS / 10, "{refused} edits cannot be compared");
}
