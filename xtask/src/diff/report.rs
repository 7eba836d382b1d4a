//! A comparison as it is printed: for a terminal, as markdown, as JSON, for GitHub, as JUnit.

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

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a pull request or a changelog.
    Markdown,
    /// For a program.
    Json,
    /// For the steps of a workflow of GitHub's: annotations at the lines.
    Github,
    /// For other CI systems: a test for each change.
    Junit,
}

/// The findings of one comparison, with what was accepted.
#[derive(Debug, Clone)]
pub struct Report {
    /// What the old document is called.
    pub old: String,
    /// What the new document is called.
    pub new: String,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// How the Rust API was judged.
    pub rust: RustVerdict,
    accepted: Vec<Option<String>>,
    /// Where they are; empty until [`Report::locate`].
    places: Vec<Places>,
    /// The lowest level that fails.
    fail_on: Option<Level>,
}

/// How many findings there are of each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Clients that kept to the old contract can fail.
    pub breaking: usize,
    /// It depends on the client.
    pub warning: usize,
    /// No client notices.
    pub info: usize,
    /// Of all these, those of which no rule can tell whether a released client keeps working.
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

    /// Sets the lowest level that fails; nothing does by default but a breaking change.
    #[must_use]
    pub fn fail_on(mut self, level: Option<Level>) -> Self {
        self.fail_on = level;
        self
    }

    /// Finds lines and columns, which JSON, GitHub and JUnit show.
    ///
    /// # Errors
    ///
    /// Where a text cannot be read again.
    pub fn locate(mut self, old: &Input, new: &Input) -> Result<Self> {
        self.places = places(&self.findings, old, new)?;
        Ok(self)
    }

    /// How many findings there are of each level.
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

    /// The findings at this level or worse that nobody accepted.
    pub fn open(&self, level: Level) -> Vec<&Finding> {
        self.findings
            .iter()
            .zip(&self.accepted)
            .filter(|(finding, reason)| finding.level <= level && reason.is_none())
            .map(|(finding, _)| finding)
            .collect()
    }

    /// The report as text.
    pub fn print(&self, format: Format) -> Result<String> {
        match format {
            Format::Text => Ok(self.text()),
            Format::Markdown => Ok(self.markdown("##")),
            Format::Json => self.json(),
            Format::Github => Ok(github::github(&self.entries(), &self.summary_line())),
            Format::Junit => junit::junit(&self.old, &self.new, &self.entries(), self.fail_on),
        }
    }

    /// The findings with what is said beside them, but for those about words.
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

    /// The report with one finding of each rule, for a reader who wants to know what it looks like.
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

    /// The report in markdown, below a heading of this level.
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

    /// How many descriptions changed.
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

    /// The two questions that every reader has, answered for the whole.
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
                    "Whether a released client keeps working is unknown: no rule knows {unknown} of the changes."
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
                format!("Regenerating is refused: {}.", quoted(reason))
            }
            (RustVerdict::TooLarge, part) => format!(
                "Too large to generate; at worst regenerating needs a {} version.",
                rust_api(part)
            ),
            (_, RustApi::None) => "The generated Rust stays the same.".to_owned(),
            (_, part) => format!("Regenerating needs a {} version.", rust_api(part)),
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

/// A finding as the report in text has it.
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
