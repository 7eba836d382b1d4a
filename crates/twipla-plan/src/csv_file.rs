//! The wanted state as CSV: a row for each website, with the rows of a customer next to each other.

use std::fs::File;
use std::path::{Path, PathBuf};

use csv::{StringRecord, StringRecordsIntoIter};
use twipla::types::ContributorRole;

use crate::error::{Error, Result};
use crate::wanted::{WantedContributor, WantedCustomer, WantedWebsite};

/// The columns. The first two are required and, for a website, `website` and `domain`.
const COLUMNS: [&str; 10] = [
    "customer",
    "email",
    "customer_package",
    "customer_canceled",
    "website",
    "domain",
    "package",
    "canceled",
    "whitelisted_domains",
    "contributors",
];

/// Reads one customer after another.
pub(crate) struct CsvRows {
    path: PathBuf,
    rows: StringRecordsIntoIter<File>,
    /// The position in the file of each of [`COLUMNS`].
    places: [Option<usize>; COLUMNS.len()],
    /// The customer whose rows are being read.
    current: Option<WantedCustomer>,
    failed: bool,
}

impl CsvRows {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(file);
        let header = reader
            .headers()
            .map_err(|error| Error::invalid(format!("cannot read {}: {error}", path.display())))?;
        let places = places(header).map_err(|problem| {
            Error::invalid(format!("invalid header of {}: {problem}", path.display()))
        })?;
        Ok(Self {
            path: path.to_owned(),
            rows: reader.into_records(),
            places,
            current: None,
            failed: false,
        })
    }

    /// Adds a row. Returns the previous customer when a new one begins.
    fn take(&mut self, row: &StringRecord) -> Result<Option<WantedCustomer>, String> {
        let cells = Cells {
            row,
            places: &self.places,
        };
        let mut next = cells.customer()?;
        let website = cells.website()?;
        match &mut self.current {
            Some(current) if current.id == next.id => {
                let agrees = (next.email.is_empty() || next.email == current.email)
                    && (next.package.is_none() || next.package == current.package)
                    && (!next.canceled || current.canceled);
                if !agrees {
                    return Err(format!(
                        "the columns of customer {:?} differ from the row before",
                        next.id
                    ));
                }
                current.websites.extend(website);
                Ok(None)
            }
            _ => {
                next.websites.extend(website);
                Ok(self.current.replace(next))
            }
        }
    }
}

impl Iterator for CsvRows {
    type Item = Result<WantedCustomer>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            let Some(row) = self.rows.next() else {
                return self.current.take().map(Ok);
            };
            let taken = match row {
                Ok(row) => {
                    let line = row.position().map_or(0, csv::Position::line);
                    self.take(&row)
                        .map_err(|problem| format!("line {line}: {problem}"))
                }
                Err(error) => Err(error.to_string()),
            };
            match taken {
                Ok(None) => {}
                Ok(Some(customer)) => return Some(Ok(customer)),
                Err(problem) => {
                    self.failed = true;
                    let path = self.path.display();
                    return Some(Err(Error::invalid(format!("invalid {path}: {problem}"))));
                }
            }
        }
        None
    }
}

fn places(header: &StringRecord) -> Result<[Option<usize>; COLUMNS.len()], String> {
    let mut places = [None; COLUMNS.len()];
    for (place, name) in header.iter().enumerate() {
        let column = COLUMNS.iter().position(|known| *known == name);
        let Some(column) = column else {
            let hint = if name.contains(';') {
                ", with commas between them"
            } else {
                ""
            };
            return Err(format!(
                "unknown column {name:?}: expected some of {}{hint}",
                COLUMNS.join(",")
            ));
        };
        if places[column].replace(place).is_some() {
            return Err(format!("duplicate column {name:?}"));
        }
    }
    for needed in ["customer", "email"] {
        if !header.iter().any(|name| name == needed) {
            return Err(format!("missing column {needed:?}"));
        }
    }
    Ok(places)
}

/// A row, accessed by column name.
struct Cells<'a> {
    row: &'a StringRecord,
    places: &'a [Option<usize>; COLUMNS.len()],
}

impl Cells<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let column = COLUMNS.iter().position(|known| *known == name)?;
        let cell = self.row.get(self.places[column]?)?;
        (!cell.is_empty()).then_some(cell)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    fn yes(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(format!("invalid {name} {other:?}: expected true or false")),
        }
    }

    fn customer(&self) -> Result<WantedCustomer, String> {
        Ok(WantedCustomer {
            id: self.text("customer").ok_or("missing customer")?,
            email: self.text("email").unwrap_or_default(),
            package: self.text("customer_package"),
            canceled: self.yes("customer_canceled")?,
            websites: Vec::new(),
        })
    }

    fn website(&self) -> Result<Option<WantedWebsite>, String> {
        let Some(id) = self.text("website") else {
            let of_website = [
                "domain",
                "package",
                "canceled",
                "whitelisted_domains",
                "contributors",
            ];
            return match of_website.iter().find(|name| self.get(name).is_some()) {
                Some(name) => Err(format!("{name} is set, but no website")),
                None => Ok(None),
            };
        };
        Ok(Some(WantedWebsite {
            domain: self
                .text("domain")
                .ok_or_else(|| format!("missing domain of website {id:?}"))?,
            id,
            package: self.text("package"),
            canceled: self.yes("canceled")?,
            whitelisted_domains: self.list("whitelisted_domains"),
            contributors: self
                .list("contributors")
                .map(|list| list.iter().map(|entry| contributor(entry)).collect())
                .transpose()?,
        }))
    }

    /// Parses a semicolon-separated list. `none` is an empty list; an empty cell is no list.
    fn list(&self, name: &str) -> Option<Vec<String>> {
        let cell = self.get(name)?;
        if cell == "none" {
            return Some(Vec::new());
        }
        let entries = cell.split(';').map(str::trim);
        Some(
            entries
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }
}

/// Parses `cust-43:watcher`. The id may contain colons.
fn contributor(text: &str) -> Result<WantedContributor, String> {
    let (customer, role) = text.rsplit_once(':').ok_or_else(|| {
        format!(
            "invalid contributor {text:?}: expected a customer and a role, such as cust-43:watcher"
        )
    })?;
    let role = ContributorRole::KNOWN
        .iter()
        .find(|known| known.as_str() == role.trim())
        .ok_or_else(|| format!("invalid role {role:?}: expected editor, watcher or dashboard"))?;
    Ok(WantedContributor {
        customer: customer.trim().to_owned(),
        role: role.clone(),
    })
}
