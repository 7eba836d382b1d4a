//! `cargo xtask diff`: compares two documents, prints a report, and sets an exit code for scripts.

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::accepted::{Accepted, RuleLevel};
use super::input;
use super::report::{Format, Report};
use super::rules::Level;
use super::table;
use crate::layout::{self, Layout};

/// The options of `cargo xtask diff`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A file or pipe (JSON or YAML), `-` for standard input, a URL, the name of a version such as 1.3.2,
    /// `current`, `contract` with its overlays, or a file of a git revision such as HEAD~1:openapi/twipla-3as.json
    pub old: String,
    /// The same, for the newer one
    pub new: String,
    /// Output format of the report
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// The lowest level that makes the exit code 1
    #[arg(long, value_enum, default_value = "breaking")]
    pub fail_on: FailOn,
    /// Another level for a rule, such as endpoint-removed=warning; openapi/accepted.toml sets it for every run
    #[arg(long, value_name = "ID=LEVEL")]
    pub level: Vec<RuleLevel>,
    /// Add what would make the exit code 1 to openapi/accepted.toml, with this reason
    #[arg(long, value_name = "REASON")]
    pub accept: Option<String>,
}

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A breaking change.
    Breaking,
    /// A breaking change or a warning.
    Warning,
    /// Any change.
    Info,
    /// Nothing.
    Never,
}

/// Prints the report. Returns false if a change at the level of `fail_on` is not accepted.
///
/// # Errors
///
/// If a document cannot be read.
pub fn run(layout: &Layout, options: &Options) -> Result<bool> {
    let accepted = Accepted::load(layout)?.with_levels(&options.level);
    let (old, new) = input::pair(layout, &options.old, &options.new)?;
    for input in [&old, &new] {
        if let Some(reason) = &input.refused {
            anstream::eprintln!(
                "note: both are compared without a canonical form, because {} has none: {reason}",
                input.name
            );
        }
    }
    let level = match options.fail_on {
        FailOn::Breaking => Some(Level::Breaking),
        FailOn::Warning => Some(Level::Warning),
        FailOn::Info => Some(Level::Info),
        FailOn::Never => None,
    };
    let mut report = Report::new(
        (&old.name, &old.canonical),
        (&new.name, &new.canonical),
        &accepted,
    )?
    .fail_on(level);
    if !matches!(options.format, Format::Text | Format::Markdown) {
        report = report.locate(&old, &new)?;
    }
    anstream::print!("{}", report.print(options.format)?);
    let Some(level) = level else { return Ok(true) };
    let open = report.open(level);
    if let Some(reason) = &options.accept {
        let added = Accepted::add(layout, &open, reason)?;
        anstream::eprintln!("accepted {added} changes in openapi/accepted.toml");
        return Ok(true);
    }
    // If the new document cannot be converted and the old one could, the next release breaks regardless of other changes.
    let is_lost = old.refused.is_none() && new.refused.is_some();
    Ok(open.is_empty() && !is_lost)
}

/// How the rules are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// For a terminal.
    Text,
    /// For openapi/RULES.md.
    Markdown,
}

/// Prints the rules, or writes them into `openapi/RULES.md`.
///
/// # Errors
///
/// If the file cannot be written.
pub fn rules(layout: &Layout, format: RulesFormat) -> Result<()> {
    match format {
        RulesFormat::Text => anstream::print!("{}", table::table()),
        RulesFormat::Markdown => {
            let path = layout.rules();
            layout::write_atomically(&path, &table::markdown())?;
            anstream::println!("wrote {}", layout.show(&path));
        }
    }
    Ok(())
}
