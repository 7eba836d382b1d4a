//! `cargo xtask diff`: two documents, a report, and an exit code for scripts.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::accepted::Accepted;
use super::report::{self, Format, Report};
use super::rules::{self, Level};
use crate::canonical::{self, Names};
use crate::document;
use crate::layout::Layout;
use crate::lock::{Lock, Version};
use crate::overlay;

/// What `cargo xtask diff` is asked.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A file (JSON or YAML), the name of a version such as 1.3.2, `current`, or `contract` with its overlays
    pub old: String,
    /// The same, for the newer one
    pub new: String,
    /// How the report is written
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// The lowest level that makes the exit code 1
    #[arg(long, value_enum, default_value = "breaking")]
    pub fail_on: FailOn,
    /// Write what would make the exit code 1 into openapi/accepted.toml, for this reason
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
    /// Nothing.
    Never,
}

/// Prints the report; false where a change at the level of `fail_on` is not accepted.
///
/// # Errors
///
/// Where a document cannot be read.
pub fn run(layout: &Layout, options: &Options) -> Result<bool> {
    let accepted = Accepted::load(layout)?;
    let (old_name, old) = document(layout, &options.old)?;
    let (new_name, new) = document(layout, &options.new)?;
    let report = Report::new((&old_name, &old), (&new_name, &new), &accepted)?;
    anstream::print!("{}", report.print(options.format)?);
    let level = match options.fail_on {
        FailOn::Breaking => Level::Breaking,
        FailOn::Warning => Level::Warning,
        FailOn::Never => return Ok(true),
    };
    let open = report.open(level);
    if let Some(reason) = &options.accept {
        let added = Accepted::add(layout, &open, reason)?;
        anstream::eprintln!("accepted {added} changes in openapi/accepted.toml");
        return Ok(true);
    }
    Ok(open.is_empty())
}

/// The table of rules, for a reader.
pub fn rules() -> String {
    let mut text =
        String::from("| rule | level | released client | Rust API |\n|---|---|---|---|\n");
    for rule in rules::rules() {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            rule.id,
            report::name(rule.level),
            report::runtime(rule.runtime),
            report::rust_api(rule.rust_api),
        );
    }
    text
}

/// A document by the name of a file or of a version.
fn document(layout: &Layout, name: &str) -> Result<(String, Value)> {
    let path = Path::new(name);
    if path.is_file() {
        let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let value = document::parse(&bytes).with_context(|| name.to_owned())?;
        let (current, _) = canonical::current(layout)?;
        let names = Names::load(layout)?;
        let (value, _) = canonical::canonical(&value, &names, Some(&current))
            .with_context(|| name.to_owned())?;
        return Ok((name.to_owned(), value));
    }
    let lock = Lock::load(layout)?;
    if name == "contract" {
        let shown = layout.show(&layout.contract()).to_string();
        return Ok((shown, overlay::contract(layout)?));
    }
    let wanted = if name == "current" {
        &lock.current
    } else {
        name
    };
    let found: Vec<_> = match lock.versions.iter().find(|version| version.name == wanted) {
        Some(version) => vec![version],
        None => lock
            .versions
            .iter()
            .filter(|version| {
                let rest = version.name.strip_prefix(wanted);
                rest.is_some_and(|rest| rest.starts_with('-'))
            })
            .collect(),
    };
    match found[..] {
        [version] => Ok((version.name.clone(), canonical::version(layout, version)?.0)),
        [] => bail!(
            "{name} is neither a file nor a version: the versions are {}",
            names(lock.versions.iter().collect())
        ),
        _ => bail!("there is more than one version {name}: {}", names(found)),
    }
}

fn names(versions: Vec<&Version>) -> String {
    let names: Vec<&str> = versions
        .into_iter()
        .map(|version| version.name.as_str())
        .collect();
    names.join(", ")
}
