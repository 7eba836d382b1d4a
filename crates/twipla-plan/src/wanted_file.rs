//! The file with the wanted state, in any of its formats.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::csv_file::CsvRows;
use crate::error::{Error, Result};
use crate::wanted::WantedCustomer;
use crate::wanted_check::Seen;

/// The wanted state: from a file, or built in a program.
///
/// TOML, YAML and JSON are read as a whole; CSV is read row by row, each time
/// again, so that a large file needs no memory.
#[derive(Debug, Clone)]
pub struct Wanted {
    name: String,
    from: From,
}

#[derive(Debug, Clone)]
enum From {
    Csv(PathBuf),
    Memory(Vec<WantedCustomer>),
}

/// The structure of TOML, YAML and JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    customers: Vec<WantedCustomer>,
}

impl Wanted {
    /// Opens a file. Its extension determines the format:
    /// `toml`, `yaml` (or `yml`), `json` or `csv`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is not as described in the README of this
    /// crate. The rows of a CSV file are only read by [`check`](Self::check).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let extension = extension.unwrap_or_default().to_ascii_lowercase();
        if extension == "csv" {
            fs::File::open(path).map_err(|error| Error::io("read", path, error))?;
            return Ok(Self {
                name: path.display().to_string(),
                from: From::Csv(path.to_owned()),
            });
        }
        let format = match extension.as_str() {
            "toml" | "yaml" | "yml" | "json" => extension.as_str(),
            _ => {
                return Err(Error::invalid(format!(
                    "unknown format of {}: expected a name that ends in .toml, .yaml, .json or .csv",
                    path.display()
                )));
            }
        };
        let text = fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let document = parse(format, text)
            .map_err(|problem| Error::invalid(format!("invalid {}: {problem}", path.display())))?;
        Ok(Self {
            name: path.display().to_string(),
            from: From::Memory(document.customers),
        })
    }

    /// Creates the wanted state in a program.
    pub fn from_customers(customers: Vec<WantedCustomer>) -> Self {
        Self {
            name: "the wanted state".to_owned(),
            from: From::Memory(customers),
        }
    }

    /// Reads and validates everything that can be checked without a server: ids,
    /// addresses, domains and duplicates.
    ///
    /// # Errors
    ///
    /// The first error, with its location.
    pub fn check(&self) -> Result<()> {
        let mut seen = Seen::default();
        for customer in self.customers()? {
            let customer = customer?;
            seen.check(&customer)
                .map_err(|problem| self.invalid(&customer, &problem))?;
        }
        Ok(())
    }

    /// Returns the name of the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns one customer after another.
    pub(crate) fn customers(&self) -> Result<Customers<'_>> {
        Ok(match &self.from {
            From::Csv(path) => Customers::Csv(Box::new(CsvRows::open(path)?)),
            From::Memory(customers) => Customers::Memory(customers.iter()),
        })
    }

    pub(crate) fn invalid(&self, customer: &WantedCustomer, problem: &str) -> Error {
        Error::invalid(format!(
            "invalid customer {:?} of {}: {problem}",
            customer.id, self.name
        ))
    }
}

/// The customers of a file.
pub(crate) enum Customers<'a> {
    Csv(Box<CsvRows>),
    Memory(std::slice::Iter<'a, WantedCustomer>),
}

impl Iterator for Customers<'_> {
    type Item = Result<WantedCustomer>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Memory(customers) => customers.next().cloned().map(Ok),
        }
    }
}

fn parse(format: &str, text: &str) -> Result<Document, String> {
    match format {
        "toml" => toml::from_str(text).map_err(|error| error.to_string()),
        "json" => {
            let mut json = serde_json::Deserializer::from_str(text);
            let document = serde_path_to_error::deserialize(&mut json)
                .map_err(|error| format!("at {}: {}", error.path(), error.inner()))?;
            json.end().map_err(|error| error.to_string())?;
            Ok(document)
        }
        _ => serde_saphyr::from_str(text).map_err(|error| error.to_string()),
    }
}
