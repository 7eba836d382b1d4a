//! Compares two contracts, from the document down to each body and parameter.

mod comparison;
mod document;
mod operations;
mod request;
mod response;
mod security;
mod servers;

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use self::comparison::Comparison;
use super::finding::Finding;
use super::residual;
use crate::document::Contract;

/// Returns every difference between two contracts, the worst first.
///
/// # Errors
///
/// If one of them is not an OpenAPI 3 document, or a reference cannot be resolved.
pub fn compare(old: &Value, new: &Value) -> Result<Vec<Finding>> {
    let old = Contract::read(old).context("old")?;
    let new = Contract::read(new).context("new")?;
    let before = old.operations().context("old")?;
    let after = new.operations().context("new")?;
    let mut order: HashMap<String, usize> = HashMap::new();
    for operation in after.iter().chain(&before) {
        let next = order.len();
        order.entry(operation.name()).or_insert(next);
    }
    let mut comparison = Comparison::new(old, new);
    comparison.document();
    comparison.operations(&before, &after)?;
    comparison.components();
    let mut findings = comparison.findings;
    residual::report(old.root(), new.root(), &mut findings);
    Ok(findings.sorted(&order))
}
