//! Writes the generated files, or compares them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use similar::TextDiff;

use crate::document;
use crate::layout::{self, Layout};
use crate::normalise::{Rewrite, normalise};
use crate::{generate, history, operations, overlay, readme};

/// Lines of a difference that are printed.
const SHOWN: usize = 60;

/// What to do with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write those that differ.
    Write,
    /// Write nothing; say what differs.
    Check,
}

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it belongs.
    pub path: PathBuf,
    /// What it should hold.
    pub text: String,
}

/// Everything that is generated, and the log of what prepared it.
pub fn outputs(layout: &Layout) -> Result<(Vec<Output>, Vec<Rewrite>)> {
    let document = overlay::contract(layout)?;
    let (prepared, log) = normalise(&document).context("openapi/twipla-3as.json")?;
    let client = generate::generate(&prepared)?;
    let outputs = vec![
        Output {
            path: layout.contract(),
            text: document::to_text(&document)?,
        },
        Output {
            path: layout.generated("types"),
            text: client.types,
        },
        Output {
            path: layout.generated("requests"),
            text: client.requests,
        },
        Output {
            path: layout.generated("operations"),
            text: operations::generate(&document)?,
        },
        Output {
            path: layout.changelog(),
            text: history::changelog(layout)?,
        },
        Output {
            path: layout.readme(),
            text: readme(layout, &document)?,
        },
    ];
    Ok((outputs, log))
}

/// The README, with its made parts made anew.
fn readme(layout: &Layout, document: &Value) -> Result<String> {
    let text = read(&layout.readme())?.unwrap_or_default();
    let text = readme::with_table(&text, document)?;
    readme::with_excerpt(&text, &history::excerpt(layout)?)
}

/// Writes the contract alone.
pub fn overlay(layout: &Layout) -> Result<()> {
    let path = layout.contract();
    layout::write_atomically(&path, &document::to_text(&overlay::contract(layout)?)?)?;
    println!("wrote {}", layout.show(&path));
    Ok(())
}

/// Writes or compares everything; false where something differs.
pub fn run(layout: &Layout, mode: Mode, verbose: bool) -> Result<bool> {
    let (outputs, log) = outputs(layout)?;
    if verbose {
        for rewrite in &log {
            println!("{rewrite}");
        }
    }
    let mut same = true;
    for output in &outputs {
        let found = read(&output.path)?;
        if found.as_deref() == Some(output.text.as_str()) {
            continue;
        }
        let shown = layout.show(&output.path);
        match mode {
            Mode::Write => {
                layout::write_atomically(&output.path, &output.text)?;
                println!("wrote {shown}");
            }
            Mode::Check => {
                same = false;
                println!("{shown} is not what the contract gives:");
                println!(
                    "{}",
                    difference(found.as_deref().unwrap_or_default(), &output.text)
                );
            }
        }
    }
    if !same {
        println!("run `cargo xtask regen` and commit what it writes");
    } else if mode == Mode::Check {
        println!("{} generated files are up to date", outputs.len());
    }
    Ok(same)
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// A unified difference from what is checked in to what should be, cut to a readable length.
pub fn difference(found: &str, wanted: &str) -> String {
    let diff = TextDiff::from_lines(found, wanted);
    let text = diff
        .unified_diff()
        .context_radius(2)
        .header("checked in", "generated")
        .to_string();
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= SHOWN {
        return lines.join("\n");
    }
    format!(
        "{}\n... and {} more lines",
        lines[..SHOWN].join("\n"),
        lines.len() - SHOWN
    )
}
