//! What is wanted: customers with their websites, read from a file.

mod csv_file;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twipla::types::ContributorRole;
use twipla::{CustomerId, WebsiteId};

use crate::error::{Error, Result};
use crate::key::{domain_key, email_key, key};
use csv_file::CsvRows;

/// A customer as they are to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedCustomer {
    /// The id that you chose.
    pub id: String,
    /// The e-mail address, which is unique within your company.
    pub email: String,
    /// Under the account model: the package of the account, by name or uuid.
    /// Where it is left out, the package that is there stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Under the account model: whether the subscription is to end with its period.
    #[serde(default, skip_serializing_if = "is_false")]
    pub canceled: bool,
    /// Their websites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub websites: Vec<WantedWebsite>,
}

/// A website as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedWebsite {
    /// The id that you chose.
    pub id: String,
    /// The domain.
    pub domain: String,
    /// Under the website model: the package, by name or uuid. Where it is left
    /// out, the package that is there stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Under the website model: whether the subscription is to end with its period.
    #[serde(default, skip_serializing_if = "is_false")]
    pub canceled: bool,
    /// Further domains that may send data. Where it is left out, those that are there stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whitelisted_domains: Option<Vec<String>>,
    /// People with access besides the owner. Where it is left out, those that are there stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributors: Option<Vec<WantedContributor>>,
}

/// A customer with access to a website of another customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedContributor {
    /// The id of the customer.
    pub customer: String,
    /// `editor`, `watcher` or `dashboard`.
    pub role: ContributorRole,
}

/// A file that says what is wanted, or the same made in a program.
///
/// TOML, YAML and JSON are read as a whole; CSV is read row by row, each time
/// anew, so that a large file takes no memory.
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

/// The layout of TOML, YAML and JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    customers: Vec<WantedCustomer>,
}

impl Wanted {
    /// Opens a file; what follows the last dot of its name says how to read it:
    /// `toml`, `yaml` (or `yml`), `json` or `csv`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or is not as the README of this crate
    /// describes it. A CSV file is read by [`check`](Self::check).
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
                    "cannot tell how to read {}: expected a name that ends in .toml, .yaml, .json or .csv",
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

    /// What a program wants.
    pub fn from_customers(customers: Vec<WantedCustomer>) -> Self {
        Self {
            name: "the wanted state".to_owned(),
            from: From::Memory(customers),
        }
    }

    /// Reads everything, and finds what is wrong without asking a server: ids,
    /// addresses and domains that cannot be, and what is there twice.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place.
    pub fn check(&self) -> Result<()> {
        let mut seen = Seen::default();
        for customer in self.customers()? {
            let customer = customer?;
            seen.check(&customer)
                .map_err(|problem| self.invalid(&customer, &problem))?;
        }
        Ok(())
    }

    /// The name of the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// One customer after another.
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

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
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

/// What came before in a file.
#[derive(Default)]
struct Seen {
    customers: HashSet<u128>,
    /// Each with the customer of its website.
    websites: HashMap<u128, u128>,
    emails: HashSet<u128>,
}

impl Seen {
    /// The error completes "customer X: …".
    fn check(&mut self, customer: &WantedCustomer) -> Result<(), String> {
        CustomerId::new(&customer.id).map_err(|error| error.to_string())?;
        if !self.customers.insert(key(&customer.id)) {
            return Err("they are there twice: keep all of their websites together".to_owned());
        }
        let email = customer.email.trim();
        if !email.contains('@') || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!(
                "invalid e-mail address {email:?}: expected something like owner@example.com"
            ));
        }
        if !self.emails.insert(email_key(email)) {
            return Err(format!(
                "the e-mail address {email:?} is that of another customer, too: each needs their own"
            ));
        }
        check_subscription(customer.package.as_deref(), customer.canceled)?;
        for website in &customer.websites {
            check_website(customer, website)
                .map_err(|problem| format!("website {:?}: {problem}", website.id))?;
            if let Some(owner) = self.websites.insert(key(&website.id), key(&customer.id)) {
                let whose = if owner == key(&customer.id) {
                    "here"
                } else {
                    "under another customer"
                };
                return Err(format!(
                    "website {:?}: it is there already, {whose}",
                    website.id
                ));
            }
        }
        Ok(())
    }
}

fn check_website(customer: &WantedCustomer, website: &WantedWebsite) -> Result<(), String> {
    WebsiteId::new(&website.id).map_err(|error| error.to_string())?;
    check_domain(&website.domain)?;
    check_subscription(website.package.as_deref(), website.canceled)?;
    let mut domains = HashSet::new();
    for domain in website.whitelisted_domains.iter().flatten() {
        check_domain(domain)?;
        if !domains.insert(domain_key(domain)) {
            return Err(format!("the domain {domain:?} is there twice"));
        }
    }
    let mut contributors = HashSet::new();
    for WantedContributor { customer: id, role } in website.contributors.iter().flatten() {
        CustomerId::new(id).map_err(|error| format!("contributor: {error}"))?;
        if *id == customer.id {
            return Err("its owner cannot be its contributor".to_owned());
        }
        if !contributors.insert(id) {
            return Err(format!(
                "the contributor {id:?} is there twice: everyone has one role"
            ));
        }
        if !ContributorRole::KNOWN.contains(role) {
            return Err(format!(
                "invalid role {:?}: expected editor, watcher or dashboard",
                role.as_str()
            ));
        }
    }
    Ok(())
}

fn check_subscription(package: Option<&str>, canceled: bool) -> Result<(), String> {
    match package {
        Some(_) if canceled => {
            Err("`package` and `canceled` exclude each other: keep one".to_owned())
        }
        Some(package) if package.trim().is_empty() => {
            Err("invalid package \"\": expected a name or a UUID".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_domain(domain: &str) -> Result<(), String> {
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    if domain.is_empty() || domain.len() > 2048 || domain.chars().any(is_odd) {
        return Err(format!(
            "invalid domain {:?}: expected something like example.com",
            domain.chars().take(60).collect::<String>()
        ));
    }
    Ok(())
}
