//! Prints a comparison: for a terminal, as markdown, as JSON, for GitHub, as JUnit.

mod github;
mod junit;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::accepted::Accepted;
use super::compare::compare;
use super::entry::{Entry, only_words, runtime, rust_api, used_by};
use super::escape::{markdown, plain, quoted};
use super::finding::{Finding, Overridden};
use super::input::Input;
use super::place::{Place, Places, places};
use super::rules::{Direction, Level, Runtime, RustApi};
use super::rust_api::{self as judge, RustVerdict};

/// The output format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a pull request or a changelog.
    Markdown,
    /// For a program.
    Json,
    /// For GitHub workflows: annotations at the lines.
    Github,
    /// For other CI systems: a test for each change.
    Junit,
}

/// The findings of a comparison, and which of them are accepted.
#[derive(Debug, Clone)]
pub struct Report {
    /// The name of the old document.
    pub old: String,
    /// The name of the new document.
    pub new: String,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// How the change of the Rust API was determined.
    pub rust: RustVerdict,
    accepted: Vec<Option<String>>,
    /// Their places; empty until [`Report::locate`].
    places: Vec<Places>,
    /// The lowest level that fails.
    fail_on: Option<Level>,
}

/// The number of findings at each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Clients that follow the old contract can fail.
    pub breaking: usize,
    /// It depends on the client.
    pub warning: usize,
    /// No client notices.
    pub info: usize,
    /// Findings, among all these, whose effect on a released client no rule knows.
    pub unknown: usize,
}

impl Report {
    /// Compares two documents.
    pub fn new(
        (old_name, old): (&str, &Value),
        (new_name, new): (&str, &Value),
        accepted: &Accepted,
    ) -> Result<Self> {
        let mut findings = compare(old, new)
            .with_context(|| format!("cannot compare {old_name} with {new_name}"))?;
        let rust = judge::judge(old, new, &mut findings);
        accepted.override_levels(&mut findings);
        Ok(Self {
            old: old_name.to_owned(),
            new: new_name.to_owned(),
            accepted: findings
                .iter()
                .map(|finding| accepted.reason(finding).map(str::to_owned))
                .collect(),
            findings,
            rust,
            places: Vec::new(),
            fail_on: Some(Level::Breaking),
        })
    }

    /// Sets the lowest level that fails. By default only a breaking change does.
    #[must_use]
    pub fn fail_on(mut self, level: Option<Level>) -> Self {
        self.fail_on = level;
        self
    }

    /// Finds lines and columns, which JSON, GitHub and JUnit show.
    ///
    /// # Errors
    ///
    /// If a text cannot be parsed again.
    pub fn locate(mut self, old: &Input, new: &Input) -> Result<Self> {
        self.places = places(&self.findings, old, new)?;
        Ok(self)
    }

    /// Returns the number of findings at each level.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for finding in &self.findings {
            match finding.level {
                Level::Breaking => summary.breaking += 1,
                Level::Warning => summary.warning += 1,
                Level::Info => summary.info += 1,
            }
            if finding.runtime == Runtime::Unknown {
                summary.unknown += 1;
            }
        }
        summary
    }

    /// Returns the findings at this level or worse that are not accepted.
    pub fn open(&self, level: Level) -> Vec<&Finding> {
        self.findings
            .iter()
            .zip(&self.accepted)
            .filter(|(finding, reason)| finding.level <= level && reason.is_none())
            .map(|(finding, _)| finding)
            .collect()
    }

    /// Returns the report as text.
    pub fn print(&self, format: Format) -> Result<String> {
        match format {
            Format::Text => Ok(self.text()),
            Format::Markdown => Ok(self.markdown("##")),
            Format::Json => self.json(),
            Format::Github => Ok(github::github(&self.entries(), &self.summary_line())),
            Format::Junit => junit::junit(&self.old, &self.new, &self.entries(), self.fail_on),
        }
    }

    /// Returns the listed findings, without those about descriptions.
    fn entries(&self) -> Vec<Entry<'_>> {
        self.findings
            .iter()
            .enumerate()
            .filter(|(_, finding)| !only_words(finding))
            .map(|(index, finding)| Entry {
                finding,
                accepted: self.accepted[index].as_deref(),
                places: self.places.get(index),
            })
            .collect()
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{} -> {}\n{}\n",
            plain(&self.old),
            plain(&self.new),
            self.summary_line()
        );
        let listed = self.findings.iter().zip(&self.accepted);
        for (finding, reason) in listed.filter(|(finding, _)| !only_words(finding)) {
            text.push_str(&entry(finding, reason.as_deref()));
        }
        text.push_str(&self.words());
        text
    }

    /// Returns the report with one finding per rule, as an example.
    pub fn excerpt(&self) -> String {
        let mut text = format!(
            "{} -> {}\n{}\n",
            plain(&self.old),
            plain(&self.new),
            self.summary_line()
        );
        let mut rules: Vec<&str> = Vec::new();
        for (finding, reason) in self.findings.iter().zip(&self.accepted) {
            if only_words(finding)
                || finding.area == "document"
                || rules.contains(&finding.id.as_str())
            {
                continue;
            }
            rules.push(&finding.id);
            text.push_str(
                &anstream::adapter::strip_str(&entry(finding, reason.as_deref())).to_string(),
            );
        }
        text
    }

    /// Returns the report in markdown, below a heading of this level.
    pub fn markdown(&self, heading: &str) -> String {
        let mut text = format!(
            "{heading} {} → {}\n\n{}\n",
            markdown(&self.old),
            markdown(&self.new),
            self.summary_line()
        );
        for (title, areas) in [
            ("Operations", &["operation"][..]),
            ("Requests", &["parameter", "body", "property"][..]),
            (
                "Responses",
                &["response", "body", "property", "header", "paging"][..],
            ),
            (
                "Security, servers and the rest",
                &["security", "server", "schema", "document"][..],
            ),
        ] {
            let side = match title {
                "Requests" => Some(Direction::Request),
                "Responses" => Some(Direction::Response),
                _ => None,
            };
            let mut lines = Vec::new();
            for (finding, reason) in self.findings.iter().zip(&self.accepted) {
                if only_words(finding)
                    || !areas.contains(&finding.area)
                    || side.is_some_and(|side| finding.direction != side)
                {
                    continue;
                }
                lines.push(line(finding, reason.as_deref()));
            }
            if !lines.is_empty() {
                let _ = write!(text, "\n{heading}# {title}\n\n{}\n", lines.join("\n"));
            }
        }
        text.push_str(&self.words());
        text
    }

    /// Returns how many descriptions changed.
    fn words(&self) -> String {
        match self
            .findings
            .iter()
            .filter(|finding| only_words(finding))
            .count()
        {
            0 => String::new(),
            count => format!("\nDescriptions and information that changed: {count}.\n"),
        }
    }

    fn json(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Json<'a> {
            old: &'a str,
            new: &'a str,
            summary: Summary,
            #[serde(skip_serializing_if = "Option::is_none")]
            refused: Option<&'a str>,
            findings: Vec<Change<'a>>,
        }
        #[derive(Serialize)]
        struct Change<'a> {
            #[serde(flatten)]
            finding: &'a Finding,
            #[serde(skip_serializing_if = "Option::is_none")]
            position: Option<&'a Place>,
            #[serde(skip_serializing_if = "Option::is_none")]
            accepted: &'a Option<String>,
        }
        let findings = self.findings.iter().zip(&self.accepted);
        let mut text = serde_json::to_string_pretty(&Json {
            old: &self.old,
            new: &self.new,
            summary: self.summary(),
            refused: match &self.rust {
                RustVerdict::Refused(reason) => Some(reason),
                RustVerdict::Generated | RustVerdict::TooLarge => None,
            },
            findings: findings
                .enumerate()
                .map(|(index, (finding, accepted))| Change {
                    finding,
                    position: self.places.get(index).map(|places| &places.exact),
                    accepted,
                })
                .collect(),
        })
        .context("cannot print the findings")?;
        text.push('\n');
        Ok(text)
    }

    /// Summarises whether a released client keeps working and how the Rust API changes.
    pub fn summary_line(&self) -> String {
        if self.findings.is_empty() {
            return "Nothing changed.".to_owned();
        }
        let Summary {
            breaking,
            warning,
            info,
            unknown,
        } = self.summary();
        let breaks = self
            .findings
            .iter()
            .any(|finding| finding.runtime == Runtime::Breaks);
        let client = match (breaks, unknown) {
            (true, 0) => "Some calls of a released client break.".to_owned(),
            (true, _) => {
                format!("Some calls of a released client break, and {unknown} changes are unknown.")
            }
            (false, 0) => "A released client keeps working.".to_owned(),
            (false, _) => {
                format!(
                    "Whether a released client keeps working is unknown: no rule covers {unknown} of the changes."
                )
            }
        };
        let api = self
            .findings
            .iter()
            .map(|finding| finding.rust_api)
            .max()
            .unwrap_or(RustApi::None);
        let version = match (&self.rust, api) {
            (RustVerdict::Refused(reason), _) => {
                format!("The generator rejects the contract: {}.", quoted(reason))
            }
            (RustVerdict::TooLarge, part) => format!(
                "Too large to generate; at worst regenerating requires a {} version.",
                rust_api(part)
            ),
            (_, RustApi::None) => "The generated Rust code stays the same.".to_owned(),
            (_, part) => format!("Regenerating requires a {} version.", rust_api(part)),
        };
        let accepted = match self.accepted.iter().flatten().count() {
            0 => String::new(),
            count => format!(" ({count} accepted)"),
        };
        let unknown = match unknown {
            0 => String::new(),
            count => format!(", {count} of them unknown"),
        };
        format!(
            "{breaking} breaking, {warning} warning, {info} info{unknown}{accepted}. {client} {version}"
        )
    }
}

/// Returns a finding in the text format.
fn entry(finding: &Finding, reason: Option<&str>) -> String {
    let style = style(finding.level);
    let mut text = format!(
        "\n{style}{}{style:#} {}{}\n    {}, client {}, Rust API {}, {} at {}\n",
        finding.level.name(),
        plain(&finding.text),
        plain(&used_by(finding)),
        finding.id,
        runtime(finding.runtime),
        rust_api(finding.rust_api),
        finding.fingerprint,
        plain(&finding.location),
    );
    if let Some(Overridden { rule, reason }) = &finding.overridden {
        let _ = writeln!(text, "    {} by the rule: {reason}", rule.name());
    }
    if let Some(reason) = reason {
        let _ = writeln!(text, "    accepted: {reason}");
    }
    text
}

fn line(finding: &Finding, reason: Option<&str>) -> String {
    let mut line = format!(
        "- **{}** {}{} (`{}`; client {}, Rust API {})",
        finding.level.name(),
        markdown(&finding.text),
        markdown(&used_by(finding)),
        finding.id,
        runtime(finding.runtime),
        rust_api(finding.rust_api),
    );
    if let Some(Overridden { rule, reason }) = &finding.overridden {
        let _ = write!(line, "\n  By the rule {}: {reason}", rule.name());
    }
    if let Some(reason) = reason {
        let _ = write!(line, "\n  Accepted: {reason}");
    }
    line
}

fn style(level: Level) -> Style {
    match level {
        Level::Breaking => AnsiColor::Red.on_default().bold(),
        Level::Warning => AnsiColor::Yellow.on_default(),
        Level::Info => AnsiColor::Green.on_default(),
    }
}
