//! `cargo xtask check-modules`: checks that no modules of a crate import each other in a circle.
//!
//! Module A uses module B if the code of A names an item that B defines. Declaring a child module or re-exporting its items
//! is not a use, and a path through a re-export counts for the module that defines the item, so `crate::Error` leads to the
//! module of `Error` and not to the crate root.
//!
//! The check reads source text and does not compile it. It sees `use` declarations, paths in code, paths in the tokens of
//! macro calls and attributes, and paths in `macro_rules!` that start with `crate`, `self` or `super`. It does not see:
//!
//! - uses without a path: methods, fields, and inferred types;
//! - `use` with braces or `*` inside a macro, and functions passed by their bare name to a macro;
//! - names that a macro concatenates, and files that `include!` inserts;
//! - items that a macro defines, if a private `use module::*` imports them;
//! - modules declared inside a function.
//!
//! Code under `#[cfg(test)]` and modules called `tests` are skipped, because tests may import everything. So is the content
//! of `quote!`, which is code for another crate.

mod circles;
mod paths;
mod resolve;
mod source;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use self::source::Crate;

/// What was checked, and what was found.
#[derive(Debug)]
pub struct Report {
    /// Number of crates that were checked: libraries, programs, tests, examples and benchmarks.
    pub crates: usize,
    /// Number of their modules, including crate roots.
    pub modules: usize,
    /// The groups of modules that import each other.
    pub circles: Vec<Circle>,
}

/// Modules that all reach each other through imports.
#[derive(Debug)]
pub struct Circle {
    /// The package, followed by the kind and name of the target unless that is the library.
    pub name: String,
    /// Every module of the group.
    pub modules: Vec<String>,
    /// A shortest circle: each step starts where the previous one ended, and the last ends where the first started.
    pub steps: Vec<Step>,
}

/// One module that uses another.
#[derive(Debug)]
pub struct Step {
    /// The importing module.
    pub from: String,
    /// The imported module.
    pub to: String,
    /// The file, relative to the workspace.
    pub file: PathBuf,
    /// The line in the file, starting at 1.
    pub line: usize,
    /// The import or path as written.
    pub import: String,
}

/// Checks a workspace and prints the report. Returns false if modules import each other in a circle.
///
/// # Errors
///
/// If cargo cannot list the crates at `root`, or a source file cannot be read or parsed.
pub fn run(root: &Path) -> Result<bool> {
    let report = check(root)?;
    for circle in &report.circles {
        eprintln!("error: {circle}");
    }
    if report.circles.is_empty() {
        println!(
            "checked {} modules of {} crates: none import in a circle",
            report.modules, report.crates
        );
    }
    Ok(report.circles.is_empty())
}

/// Checks every crate of the workspace at `root`.
///
/// # Errors
///
/// If cargo cannot list the crates at `root`, or a source file cannot be read or parsed.
pub fn check(root: &Path) -> Result<Report> {
    let crates = source::read_workspace(root)?;
    Ok(Report {
        crates: crates.len(),
        modules: crates.iter().map(|each| each.modules.len()).sum(),
        circles: crates
            .iter()
            .flat_map(|each| circles_of(each, root))
            .collect(),
    })
}

fn circles_of(each: &Crate, root: &Path) -> Vec<Circle> {
    let name = |module: usize| each.modules[module].path.clone();
    let uses = resolve::uses(&each.modules);
    circles::find(each.modules.len(), &uses)
        .into_iter()
        .map(|group| Circle {
            name: each.name.clone(),
            modules: group.modules.into_iter().map(name).collect(),
            steps: group
                .circle
                .into_iter()
                .map(|step| {
                    let file = &each.modules[step.from].file;
                    Step {
                        from: name(step.from),
                        to: name(step.to),
                        file: file.strip_prefix(root).unwrap_or(file).to_owned(),
                        line: step.line,
                        import: step.import,
                    }
                })
                .collect(),
        })
        .collect()
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} modules import each other: {}",
            self.name,
            self.modules.len(),
            self.modules.join(", ")
        )?;
        for step in &self.steps {
            writeln!(
                f,
                "  {} uses {}: {}:{}: {}",
                step.from,
                step.to,
                step.file.display(),
                step.line,
                step.import
            )?;
        }
        write!(f, "  help: move what both need into a module below both")
    }
}
