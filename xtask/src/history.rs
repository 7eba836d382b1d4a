//! The versions in the repository, one after the other, and what changed between them.

use anyhow::{Context as _, Result};

use crate::canonical;
use crate::diff::{Accepted, Finding, Level, Report};
use crate::layout::Layout;
use crate::lock::{Lock, Version};

const HEAD: &str = "# What changed in the API

Made by `cargo xtask regen` from the documents in `versions/`, the newest first. \"Client\" says whether a released `twipla`
keeps working, \"Rust API\" which part of the version rises when the client is generated anew. Versions that say so in their
`info` are reconstructed.
";

/// One version and the next.
#[derive(Debug, Clone)]
pub struct Step {
    /// What came first.
    pub old: Version,
    /// What came next.
    pub new: Version,
    /// What changed.
    pub report: Report,
}

/// Every step from one version to the next, the oldest first.
///
/// # Errors
///
/// Where a version is not what the lock says, or `accepted.toml` accepts what no step has.
pub fn steps(layout: &Layout) -> Result<Vec<Step>> {
    let lock = Lock::load(layout)?;
    let accepted = Accepted::load(layout)?;
    let mut steps: Vec<Step> = Vec::new();
    for pair in lock.versions.windows(2) {
        let [old, new] = pair else { continue };
        steps.push(Step {
            report: between(layout, old, new, &accepted)?,
            old: old.clone(),
            new: new.clone(),
        });
    }
    accepted.check(steps.iter().flat_map(|step| &step.report.findings))?;
    Ok(steps)
}

/// What changed from one version to another.
pub fn between(
    layout: &Layout,
    old: &Version,
    new: &Version,
    accepted: &Accepted,
) -> Result<Report> {
    let (before, _) = canonical::version(layout, old)?;
    let (now, _) = canonical::version(layout, new)?;
    Report::new((&titled(old), &before), (&titled(new), &now), accepted)
}

/// `openapi/CHANGELOG.md`.
pub fn changelog(layout: &Layout) -> Result<String> {
    let steps = steps(layout).context("openapi/CHANGELOG.md")?;
    let mut text = HEAD.to_owned();
    for step in steps.iter().rev() {
        text.push('\n');
        text.push_str(&step.report.markdown("##"));
    }
    Ok(text)
}

/// What the README shows of `cargo xtask diff`: the oldest version against the current one.
pub fn excerpt(layout: &Layout) -> Result<String> {
    let lock = Lock::load(layout)?;
    let oldest = lock
        .versions
        .first()
        .context("openapi.lock has no version")?;
    let current = lock.version(&lock.current)?;
    let report = Report::new(
        (&oldest.name, &canonical::version(layout, oldest)?.0),
        (&current.name, &canonical::version(layout, current)?.0),
        &Accepted::load(layout)?,
    )?;
    let number = oldest.name.split('-').next().unwrap_or_default();
    Ok(format!(
        "```text\n$ cargo xtask diff {number} current\n{}```\n",
        report.excerpt()
    ))
}

/// Breaking changes that nobody has looked at.
pub fn unseen(steps: &[Step]) -> Vec<&Finding> {
    steps
        .iter()
        .flat_map(|step| step.report.open(Level::Breaking))
        .collect()
}

fn titled(version: &Version) -> String {
    match &version.published {
        Some(published) => format!("{} ({published})", version.name),
        None => version.name.clone(),
    }
}
