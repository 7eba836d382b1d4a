//! The list of differences, `differences.toml`.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::facts::Facts;

/// A keyword that differs between a Rust type and the contract.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The type, and the JSON pointer into its schema.
    pub(crate) at: String,
    pub(crate) word: String,
    /// The value in the contract, if it has the keyword.
    pub(crate) contract: Option<Value>,
    /// The value in the schema of the type.
    pub(crate) rust: Option<Value>,
    pub(crate) when: When,
}

/// Whether a difference applies to reading, to writing, or to both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    #[default]
    Both,
    Read,
    Written,
}

/// `differences.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    pub(crate) difference: Vec<Listed>,
    /// Schemas of the contract without a Rust type.
    pub(crate) contract_only: Vec<Without>,
    /// Public types of the facade without a counterpart in the contract.
    pub(crate) rust_only: Vec<Without>,
}

/// Places with the same difference, for the same reason.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) word: String,
    pub(crate) contract: Option<Value>,
    pub(crate) rust: Option<Value>,
    #[serde(default)]
    pub(crate) when: When,
    pub(crate) reason: String,
    pub(crate) at: Vec<String>,
}

/// Names that exist on one side only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Without {
    pub(crate) names: Vec<String>,
    pub(crate) reason: String,
}

impl List {
    pub(crate) fn read() -> Result<Self, String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/it/schemas/differences.toml");
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        toml::from_str(&text).map_err(|error| format!("{path}: {error}"))
    }

    /// Returns every listed difference individually.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        let listed = self.difference.iter();
        listed
            .flat_map(|listed| {
                listed.at.iter().map(|at| Difference {
                    at: at.clone(),
                    word: listed.word.clone(),
                    contract: listed.contract.clone(),
                    rust: listed.rust.clone(),
                    when: listed.when,
                })
            })
            .collect()
    }

    /// Returns every reason in the list.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        let without = self.contract_only.iter().chain(&self.rust_only);
        let differences = self.difference.iter().map(|listed| &listed.reason);
        differences
            .chain(without.map(|without| &without.reason))
            .map(String::as_str)
            .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), Value::to_string)
        };
        let (contract, rust) = (show(&self.contract), show(&self.rust));
        let when = match self.when {
            When::Both => "",
            When::Read => " (read)",
            When::Written => " (written)",
        };
        let Self { at, word, .. } = self;
        write!(f, "{at} {word}: contract {contract}, type {rust}{when}")
    }
}

/// Returns the differences between a type and its counterpart in the contract.
pub(crate) fn compare(
    name: &str,
    contract: &Facts,
    read: &Facts,
    written: &Facts,
) -> Vec<Difference> {
    let keys: BTreeSet<_> = contract
        .keys()
        .chain(read.keys())
        .chain(written.keys())
        .collect();
    let mut differences = Vec::new();
    for key in keys {
        let [contract, read, written] = [contract, read, written].map(|facts| facts.get(key));
        let mut differs = |rust: Option<&Value>, when| {
            if rust != contract {
                differences.push(Difference {
                    at: format!("{name}{}", key.0),
                    word: key.1.clone(),
                    contract: contract.cloned(),
                    rust: rust.cloned(),
                    when,
                });
            }
        };
        if read == written {
            differs(read, When::Both);
        } else {
            differs(read, When::Read);
            differs(written, When::Written);
        }
    }
    differences
}

/// Returns what is in the first list and not in the second, counting duplicates.
pub(crate) fn missing(from: &[Difference], other: &[Difference]) -> Vec<String> {
    let mut other: Vec<&Difference> = other.iter().collect();
    let mut missing = Vec::new();
    for difference in from {
        match other.iter().position(|candidate| *candidate == difference) {
            Some(index) => {
                other.swap_remove(index);
            }
            None => missing.push(difference.to_string()),
        }
    }
    missing
}
