//! The file format of a plan: a JSON line with the header, a line for each
//! customer, and a last line with the summary and a checksum.
//!
//! It is written and read line by line, so that memory does not limit its size, and written
//! under another name first, so that a file of the final name is always complete.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use twipla::chrono::{DateTime, Utc};
use twipla::types::SubscriptionType;
use twipla::{CustomerId, PackageId, PartnerId};

use crate::action::Action;
use crate::error::{Error, Result};
use crate::summary::Summary;

/// The version of the format.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanHeader {
    /// The version of the format.
    pub twipla_plan: u32,
    /// When the plan was made.
    pub created_at: DateTime<Utc>,
    /// The partner of these customers.
    pub partner: PartnerId,
    /// The partner's subscription model.
    pub model: SubscriptionType,
    /// The source of the plan.
    pub source: String,
    /// The part of the source.
    pub shard: String,
    /// The names of the packages.
    pub packages: BTreeMap<PackageId, String>,
}

/// The actions for one customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerPlan {
    /// The customer.
    pub customer: CustomerId,
    /// The number of the first action, counted from 1 across the whole plan.
    pub first: u64,
    /// The actions, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Differences that the API has no operation for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct LastLine {
    summary: Summary,
    /// The checksum of all lines before.
    sha256: String,
}

/// A plan in a file.
#[derive(Debug, Clone)]
pub struct Plan {
    path: PathBuf,
    header: PlanHeader,
    summary: Summary,
    digest: String,
}

impl Plan {
    /// Opens an existing plan.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has another version, or was modified.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let invalid =
            |problem: &str| Error::invalid(format!("invalid plan {}: {problem}", path.display()));
        let mut lines = Lines::open(path)?;
        let first = lines.next()?.unwrap_or_default();
        let version: Version =
            serde_json::from_str(&first).map_err(|_| invalid("expected a plan"))?;
        if version.twipla_plan != VERSION {
            return Err(invalid(&format!(
                "it has version {}, expected {VERSION}: plan again",
                version.twipla_plan
            )));
        }
        let header = serde_json::from_str(&first)
            .map_err(|error| invalid(&format!("its first line cannot be read: {error}")))?;
        let mut digest = Sha256::new();
        let mut line = first;
        while let Some(next) = lines.next()? {
            digest.update(line.as_bytes());
            line = next;
        }
        let last: LastLine = serde_json::from_str(&line)
            .map_err(|_| invalid("its last line is missing: plan again"))?;
        if hex(&digest.finalize()) != last.sha256 {
            return Err(invalid("it was changed after it was written: plan again"));
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            summary: last.summary,
            digest: last.sha256,
        })
    }

    /// Returns the source of the plan, and when it was made.
    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// Returns the summary of the plan.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns one customer after another, in the order of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened; reading each customer may fail separately.
    pub fn customers(&self) -> Result<impl Iterator<Item = Result<CustomerPlan>> + Send + use<>> {
        let mut lines = Lines::open(&self.path)?;
        lines.next()?;
        Ok(std::iter::from_fn(move || match lines.next() {
            Ok(None) => None,
            Ok(Some(line)) if line.starts_with("{\"summary\"") => None,
            Ok(Some(line)) => Some(serde_json::from_str(&line).map_err(|error| {
                let path = lines.path.display();
                Error::invalid(format!(
                    "invalid plan {path}: a line cannot be read: {error}"
                ))
            })),
            Err(error) => Some(Err(error)),
        }))
    }

    /// Returns an id that distinguishes this plan from all others, including later plans of the same
    /// file: for the name of its journal, for instance.
    ///
    /// If you plan again for each run, use another journal for each
    /// plan: the new plan takes the result of earlier runs from the server.
    pub fn id(&self) -> &str {
        &self.digest
    }
}

/// Writes a plan line by line.
pub(crate) struct PlanWriter {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    header: PlanHeader,
    digest: Sha256,
}

impl PlanWriter {
    pub(crate) fn create(path: &Path, header: PlanHeader) -> Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file =
            NamedTempFile::new_in(folder).map_err(|error| Error::io("write", path, error))?;
        let mut writer = Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            digest: Sha256::new(),
            header,
        };
        let header = writer.header.clone();
        writer.line(&header)?;
        Ok(writer)
    }

    pub(crate) fn write(&mut self, customer: &CustomerPlan) -> Result<()> {
        self.line(customer)
    }

    /// Completes the file and renames it to its final name.
    pub(crate) fn finish(mut self, summary: Summary) -> Result<Plan> {
        let digest = hex(&std::mem::take(&mut self.digest).finalize());
        self.line(&LastLine {
            summary: summary.clone(),
            sha256: digest.clone(),
        })?;
        let path = self.path;
        let failed = |error| Error::io("write", &path, error);
        let file = self
            .file
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(Plan {
            header: self.header,
            summary,
            digest,
            path,
        })
    }

    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let failed = |path: &Path, error| Error::io("write", path, error);
        let mut line = serde_json::to_string(value)
            .map_err(|error| failed(&self.path, io::Error::from(error)))?;
        line.push('\n');
        self.digest.update(line.as_bytes());
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| failed(&self.path, error))
    }
}

pub(crate) fn header(
    partner: PartnerId,
    model: SubscriptionType,
    source: &str,
    shard: String,
    packages: BTreeMap<PackageId, String>,
) -> PlanHeader {
    PlanHeader {
        twipla_plan: VERSION,
        created_at: Utc::now(),
        partner,
        model,
        source: source.to_owned(),
        shard,
        packages,
    }
}

#[derive(Deserialize)]
struct Version {
    twipla_plan: u32,
}

/// The lines of a plan, including their line ends.
struct Lines {
    path: PathBuf,
    file: BufReader<File>,
}

impl Lines {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufReader::new(file),
        })
    }

    fn next(&mut self) -> Result<Option<String>> {
        let mut line = String::new();
        let read = self.file.read_line(&mut line);
        let bytes = read.map_err(|error| Error::io("read", &self.path, error))?;
        Ok((bytes > 0).then_some(line))
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
