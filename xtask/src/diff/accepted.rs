//! `openapi/accepted.toml`: changes that somebody looked at, each with the reason why it may stay.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use super::finding::Finding;
use crate::layout::{self, Layout};

/// The accepted changes by their fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    /// For the reader: what the fingerprint stands for.
    finding: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accepted: Vec<Entry>,
}

impl Accepted {
    /// Reads `openapi/accepted.toml`; empty if there is no such file.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.openapi().join("accepted.toml");
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", layout.show(&path)))?;
        Self::parse(&text).with_context(|| layout.show(&path).to_string())
    }

    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).context("expected a list of [[accepted]] entries")?;
        let mut entries = BTreeMap::new();
        for entry in file.accepted {
            ensure!(
                !entry.reason.trim().is_empty(),
                "{} is accepted without a reason: say why the change may stay",
                entry.fingerprint
            );
            if let Some(twice) = entries.insert(entry.fingerprint.clone(), entry) {
                bail!("{} is accepted twice", twice.fingerprint);
            }
        }
        Ok(Self { entries })
    }

    /// Why a change was accepted, if it was.
    pub fn reason(&self, finding: &Finding) -> Option<&str> {
        self.entries
            .get(&finding.fingerprint)
            .map(|entry| entry.reason.as_str())
    }

    /// Fails where an entry matches none of the findings.
    pub fn check<'f>(&self, findings: impl IntoIterator<Item = &'f Finding>) -> Result<()> {
        let found: BTreeSet<&str> = findings
            .into_iter()
            .map(|finding| finding.fingerprint.as_str())
            .collect();
        let stale: Vec<String> = self
            .entries
            .values()
            .filter(|entry| !found.contains(entry.fingerprint.as_str()))
            .map(|entry| format!("{} ({})", entry.fingerprint, entry.finding))
            .collect();
        ensure!(
            stale.is_empty(),
            "openapi/accepted.toml accepts what no version changes any more: remove {}",
            stale.join(", ")
        );
        Ok(())
    }

    /// Adds entries to the file, with one reason for all; returns how many were new.
    pub fn add(layout: &Layout, findings: &[&Finding], reason: &str) -> Result<usize> {
        ensure!(
            !reason.trim().is_empty(),
            "a change is accepted for a reason: say one"
        );
        let known = Self::load(layout)?;
        let path = layout.openapi().join("accepted.toml");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut document: toml_edit::DocumentMut = text
            .parse()
            .with_context(|| format!("cannot read {}", layout.show(&path)))?;
        let list = document
            .entry("accepted")
            .or_insert_with(|| toml_edit::ArrayOfTables::new().into())
            .as_array_of_tables_mut()
            .with_context(|| format!("{}: accepted is not a list of tables", layout.show(&path)))?;
        let mut added = BTreeSet::new();
        for finding in findings {
            if known.entries.contains_key(&finding.fingerprint)
                || !added.insert(&finding.fingerprint)
            {
                continue;
            }
            let mut table = toml_edit::Table::new();
            table["fingerprint"] = toml_edit::value(&finding.fingerprint);
            table["finding"] = toml_edit::value(format!("{}: {}", finding.id, finding.text));
            table["reason"] = toml_edit::value(reason);
            list.push(table);
        }
        if !added.is_empty() {
            layout::write_atomically(&path, &document.to_string())?;
        }
        Ok(added.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[accepted]]\nfingerprint = \"f\"\nfinding = \"x\"\nreason = \"seen\"\n";

    #[test]
    fn what_matches_nothing_any_more_is_an_error() {
        let accepted = Accepted::parse(ONE).unwrap();
        let error = accepted.check([]).unwrap_err().to_string();
        assert!(error.contains("remove f (x)"), "{error}");
    }

    #[test]
    fn a_reason_is_needed_and_once_is_enough() {
        let error = Accepted::parse(&ONE.replace("seen", " ")).unwrap_err();
        assert!(error.to_string().contains("without a reason"), "{error}");
        let error = Accepted::parse(&ONE.repeat(2)).unwrap_err();
        assert!(error.to_string().contains("twice"), "{error}");
        assert!(Accepted::parse("accepted = 3").is_err());
    }
}
