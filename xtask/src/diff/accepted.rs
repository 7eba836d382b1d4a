//! `openapi/accepted.toml`: accepted changes, each with a reason; and levels that override those of rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::ValueEnum as _;
use serde::Deserialize;

use super::finding::{Finding, Overridden};
use super::rules::{Level, rule};
use crate::layout::{self, Layout};

/// The accepted changes by their fingerprint, and the levels by their rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    entries: BTreeMap<String, Entry>,
    levels: BTreeMap<String, LevelEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    /// For readers: the finding with this fingerprint.
    finding: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelEntry {
    rule: String,
    level: Level,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accepted: Vec<Entry>,
    #[serde(default)]
    level: Vec<LevelEntry>,
}

/// A level for a rule on the command line: `ID=LEVEL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLevel {
    rule: String,
    level: Level,
}

impl FromStr for RuleLevel {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (id, level) = text
            .split_once('=')
            .context("expected ID=LEVEL, such as endpoint-removed=warning")?;
        known(id)?;
        Ok(Self {
            rule: id.to_owned(),
            level: Level::from_str(level, false).map_err(|_| {
                anyhow!("invalid level {level:?}: expected breaking, warning or info")
            })?,
        })
    }
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

    /// Parses the text of the file.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File =
            toml::from_str(text).context("expected lists of [[accepted]] and [[level]] entries")?;
        let mut entries = BTreeMap::new();
        for entry in file.accepted {
            ensure!(
                !entry.reason.trim().is_empty(),
                "{} is accepted without a reason: state why the change is fine",
                entry.fingerprint
            );
            if let Some(twice) = entries.insert(entry.fingerprint.clone(), entry) {
                bail!("{} is accepted twice", twice.fingerprint);
            }
        }
        let mut levels = BTreeMap::new();
        for entry in file.level {
            known(&entry.rule)?;
            ensure!(
                !entry.reason.trim().is_empty(),
                "{} has another level without a reason: state why the rule does not apply here",
                entry.rule
            );
            if let Some(twice) = levels.insert(entry.rule.clone(), entry) {
                bail!("{} is given a level twice", twice.rule);
            }
        }
        Ok(Self { entries, levels })
    }

    /// Overrides levels for this run, and takes precedence over the file.
    #[must_use]
    pub fn with_levels(mut self, levels: &[RuleLevel]) -> Self {
        for RuleLevel { rule, level } in levels {
            let entry = LevelEntry {
                rule: rule.clone(),
                level: *level,
                reason: format!("--level {rule}={}", level.name()),
            };
            self.levels.insert(rule.clone(), entry);
        }
        self
    }

    /// Applies the overridden levels to the findings, and sorts them again.
    pub(super) fn override_levels(&self, findings: &mut [Finding]) {
        for finding in &mut *findings {
            if let Some(entry) = self.levels.get(&finding.id)
                && entry.level != finding.level
            {
                finding.overridden = Some(Overridden {
                    rule: finding.level,
                    reason: entry.reason.clone(),
                });
                finding.level = entry.level;
            }
        }
        findings.sort_by_key(|finding| finding.level);
    }

    /// Returns why a change was accepted, if it was.
    pub fn reason(&self, finding: &Finding) -> Option<&str> {
        self.entries
            .get(&finding.fingerprint)
            .map(|entry| entry.reason.as_str())
    }

    /// Fails if an entry matches none of the findings.
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
            "openapi/accepted.toml accepts changes that no longer occur: remove {}",
            stale.join(", ")
        );
        Ok(())
    }

    /// Adds entries to the file with the same reason. Returns how many were new.
    pub fn add(layout: &Layout, findings: &[&Finding], reason: &str) -> Result<usize> {
        ensure!(
            !reason.trim().is_empty(),
            "invalid reason: must not be empty"
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

/// Checks that a rule exists.
fn known(id: &str) -> Result<()> {
    ensure!(
        rule(id).is_some(),
        "invalid rule {id:?}: expected one that `cargo xtask rules` lists"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[accepted]]\nfingerprint = \"f\"\nfinding = \"x\"\nreason = \"seen\"\n";

    #[test]
    fn entry_that_matches_nothing_is_an_error() {
        let accepted = Accepted::parse(ONE).unwrap();
        let error = accepted.check([]).unwrap_err().to_string();
        assert!(error.contains("remove f (x)"), "{error}");
    }

    #[test]
    fn entry_needs_a_reason_and_must_be_unique() {
        let error = Accepted::parse(&ONE.replace("seen", " ")).unwrap_err();
        assert!(error.to_string().contains("without a reason"), "{error}");
        let error = Accepted::parse(&ONE.repeat(2)).unwrap_err();
        assert!(error.to_string().contains("twice"), "{error}");
        assert!(Accepted::parse("accepted = 3").is_err());
    }

    #[test]
    fn level_needs_a_reason_and_must_be_unique() {
        let one = "[[level]]\nrule = \"endpoint-removed\"\nlevel = \"info\"\nreason = \"seen\"\n";
        assert!(Accepted::parse(one).is_ok());
        for (text, want) in [
            (one.replace("seen", " "), "without a reason"),
            (one.repeat(2), "twice"),
            (
                one.replace("endpoint-removed", "endpoint-gone"),
                "invalid rule \"endpoint-gone\"",
            ),
            (one.replace("info", "never"), "expected lists of"),
        ] {
            let error = format!("{:#}", Accepted::parse(&text).unwrap_err());
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn level_on_the_command_line_is_parsed() {
        for (text, want) in [
            ("endpoint-removed", "expected ID=LEVEL"),
            ("endpoint-gone=info", "invalid rule \"endpoint-gone\""),
            (
                "endpoint-removed=never",
                "expected breaking, warning or info",
            ),
        ] {
            let error = format!("{:#}", text.parse::<RuleLevel>().unwrap_err());
            assert!(error.contains(want), "{error}");
        }
        assert!("endpoint-removed=info".parse::<RuleLevel>().is_ok());
    }
}
