//! Writes the generated files, or compares them with the existing ones.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use similar::TextDiff;

use crate::canonical::{self, Change};
use crate::document;
use crate::layout::{self, Layout};
use crate::normalise::{Kind, Rewrite, normalise};
use crate::{diff, generate, history, hosts, operations, overlay, readme, secrets};

/// The number of lines of a difference that are printed.
const SHOWN: usize = 60;

/// What to do with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write the files that differ.
    Write,
    /// Write nothing, and print the differences.
    Check,
}

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its path.
    pub path: PathBuf,
    /// Its expected content.
    pub text: String,
}

/// The generated files, and the log of generating them.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// The files.
    pub files: Vec<Output>,
    /// The changes that produced the canonical form of the current version.
    pub changes: Vec<Change>,
    /// Overlay actions that no longer have an effect.
    pub superfluous: Vec<String>,
    /// The rewrites that prepared the contract for the generator.
    pub rewrites: Vec<Rewrite>,
}

/// Generates everything from the current version.
///
/// # Errors
///
/// If the version cannot be converted, an overlay matches nothing, a field that may be secret is not marked, or a file
/// cannot be read.
pub fn outputs(layout: &Layout) -> Result<Outputs> {
    let (current, changes) = canonical::current(layout)?;
    let (document, superfluous) = overlay::report(layout, current)?;
    let before = read(&layout.contract())?
        .map(|text| document::parse(text.as_bytes()))
        .transpose()
        .context("openapi/twipla-3as.json")?;
    let (prepared, rewrites) = prepared(before.as_ref(), &document)?;
    let client = generate::generate(&prepared)?;
    let mut files = vec![
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
            path: layout.rules(),
            text: diff::rules_markdown(),
        },
        Output {
            path: layout.contract_readme(),
            text: contract_readme(layout, &document)?,
        },
        Output {
            path: layout.client_readme(),
            text: client_readme(layout, &document)?,
        },
    ];
    for host in hosts::HOSTS {
        files.push(Output {
            path: layout.contract_of(host),
            text: document::to_text(&hosts::document_of(&document, host)?)?,
        });
    }
    Ok(Outputs {
        files,
        changes,
        superfluous,
        rewrites,
    })
}

/// Prepares the contract for the generator. Unmarked secrets are reported together with what cannot be converted.
fn prepared(before: Option<&Value>, document: &Value) -> Result<(Value, Vec<Rewrite>)> {
    let prepared = normalise(document).context("openapi/twipla-3as.json");
    match (secrets::check(before, document), prepared) {
        (Ok(()), prepared) => prepared,
        (Err(secrets), Ok(_)) => Err(secrets),
        (Err(secrets), Err(others)) => bail!("{secrets:#}\n{others:#}"),
    }
}

/// Returns the README of the contract with updated generated parts.
fn contract_readme(layout: &Layout, document: &Value) -> Result<String> {
    let text = read(&layout.contract_readme())?.unwrap_or_default();
    let text = readme::with_table(&text, document).context("openapi/README.md")?;
    readme::with_excerpt(&text, &history::excerpt(layout)?).context("openapi/README.md")
}

/// Returns the README of the raw client with an updated table.
fn client_readme(layout: &Layout, document: &Value) -> Result<String> {
    let text = read(&layout.client_readme())?.unwrap_or_default();
    readme::with_table(&text, document).context("crates/twipla-api/README.md")
}

/// Writes only the contract.
pub fn overlay(layout: &Layout) -> Result<()> {
    let path = layout.contract();
    layout::write_atomically(&path, &document::to_text(&overlay::contract(layout)?)?)?;
    println!("wrote {}", layout.show(&path));
    Ok(())
}

/// Writes or compares everything. Returns false if something differs.
///
/// Either all files are written or none, and the written client compiles.
pub fn run(layout: &Layout, mode: Mode, verbose: bool) -> Result<bool> {
    let outputs = outputs(layout)?;
    if verbose {
        for change in &outputs.changes {
            println!("{change}");
        }
        for rewrite in &outputs.rewrites {
            println!("{rewrite}");
        }
    }
    // What the client leaves out is always printed.
    let is_without =
        |rewrite: &&Rewrite| matches!(rewrite.kind, Kind::LeftOut | Kind::Choice) && !verbose;
    for rewrite in outputs.rewrites.iter().filter(is_without) {
        println!("{rewrite}");
    }
    for action in &outputs.superfluous {
        println!("superfluous: {action}");
    }
    let mut differing = Vec::new();
    for output in &outputs.files {
        let found = read(&output.path)?;
        if found.as_deref() != Some(output.text.as_str()) {
            differing.push((output, found));
        }
    }
    match mode {
        Mode::Write => write(layout, &differing)?,
        Mode::Check => {
            for (output, found) in &differing {
                println!("{} is out of date:", layout.show(&output.path));
                println!(
                    "{}",
                    difference(found.as_deref().unwrap_or_default(), &output.text)
                );
            }
        }
    }
    let same = mode == Mode::Write || differing.is_empty();
    if !same {
        println!("run `cargo xtask regen` and commit what it writes");
    } else if mode == Mode::Check {
        println!("{} generated files are up to date", outputs.files.len());
    }
    Ok(same)
}

/// Writes the files and compiles them. If either fails, restores the previous files.
fn write(layout: &Layout, differing: &[(&Output, Option<String>)]) -> Result<()> {
    let written = differing
        .iter()
        .try_for_each(|(output, _)| layout::write_atomically(&output.path, &output.text))
        .and_then(|()| compile(layout));
    if let Err(error) = written {
        for (output, before) in differing {
            match before {
                Some(text) => layout::write_atomically(&output.path, text)?,
                None if output.path.exists() => fs::remove_file(&output.path)?,
                None => {}
            }
        }
        return Err(error.context("nothing was changed"));
    }
    for (output, _) in differing {
        println!("wrote {}", layout.show(&output.path));
    }
    Ok(())
}

/// Compiles the raw client, if the crate exists. This also checks what an interrupted run wrote.
fn compile(layout: &Layout) -> Result<()> {
    if !layout.root().join("crates/twipla-api/Cargo.toml").exists() {
        return Ok(());
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let result = Command::new(cargo)
        .current_dir(layout.root())
        .args(["check", "--quiet", "-p", "twipla-api"])
        .output()
        .context("cannot run cargo")?;
    let errors = String::from_utf8_lossy(&result.stderr);
    let lines: Vec<&str> = errors.lines().take(SHOWN).collect();
    ensure!(
        result.status.success(),
        "the generated client does not compile:\n{}",
        lines.join("\n")
    );
    Ok(())
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Returns a unified diff from the committed to the generated text, cut to a readable length.
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
