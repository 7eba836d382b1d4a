//! Compares the operations of a document with those of the page.
//!
//! In both directions: what the page has must be in the document, and what the document adds must be a known addition.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Document, Operation, entries, requires, schema_name};
use super::json_schema::Schemas;
use super::page::{Page, Place, Row, Section};

/// The kind of a difference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The page has it, the document does not.
    Missing,
    /// The document has it, the page does not.
    Extra,
    /// Such an addition has no provenance.
    NoProvenance,
    Required,
    Type,
    Format,
    Default,
    Enum,
    /// The page names the schema differently.
    Title,
    /// The sample is not valid against the schema.
    Sample,
    /// The sample has another value than the example of the document, or there is no example.
    Example,
    /// A header has another name.
    Header,
}

/// One difference between page and document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) fault: Fault,
    /// The section of the page that shows it.
    pub(crate) section: String,
    /// The place in the document: `Schema.property`, or `operation in name` for a parameter.
    pub(crate) at: String,
    pub(crate) detail: String,
}

/// The number of compared parts.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) operations: usize,
    /// Rows of tables.
    pub(crate) rows: usize,
    /// Sample documents.
    pub(crate) samples: usize,
    /// Single values inside the samples.
    pub(crate) values: usize,
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    pub(crate) counts: Counts,
}

/// Compares all operations. An error means that the document is unusable.
pub(crate) fn operations(page: &Page, document: &Document) -> Result<Report, String> {
    let schemas = Schemas::of(document)?;
    let mut report = Report::default();
    for section in &page.operations {
        let mut check = Check {
            document,
            schemas: &schemas,
            section,
            report: &mut report,
            places: BTreeMap::new(),
        };
        match document.operation(&section.name) {
            Some(operation) => check.operation(&operation)?,
            None => check.find(Fault::Missing, &section.name, "no such operation"),
        }
    }
    Ok(report)
}

/// The comparison of one operation.
struct Check<'a> {
    document: &'a Document,
    schemas: &'a Schemas,
    section: &'a Section,
    report: &'a mut Report,
    /// The place in the document for each part of the current sample, by its JSON pointer.
    places: BTreeMap<String, String>,
}

impl Check<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> Result<(), String> {
        self.report.counts.operations += 1;
        self.parameters(operation, Place::Path, "path");
        self.parameters(operation, Place::Query, "query");

        let success = self.document.success_bodies(operation);
        let request = operation.body();
        self.body(Place::Body, request);
        self.body(Place::Response, success.first().copied());

        self.sample("request", request)?;
        self.sample("response", success.first().copied())?;
        // The page shows errors for few operations; the document has the same body for every status.
        if self.section.sample("error").is_some() {
            let errors = self.document.error_bodies(operation);
            self.sample("error", errors.first().copied())?;
        }
        Ok(())
    }

    /// Compares the tables of path and query parameters, in both directions.
    fn parameters(&mut self, operation: &Operation<'_>, place: Place, word: &str) {
        let parameters = operation.parameters(word);
        let rows = self.section.rows(place);
        for row in rows {
            self.report.counts.rows += 1;
            let at = format!("{} {word} {}", operation.id, row.name);
            match parameters
                .iter()
                .find(|parameter| parameter["name"] == row.name)
            {
                Some(parameter) => {
                    self.required(row, place, parameter["required"] == true, &at);
                    self.field(row, place, &parameter["schema"], &at);
                }
                None => self.find(Fault::Missing, &at, "no such parameter"),
            }
        }
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !rows.iter().any(|row| row.name == name) {
                self.extra(
                    parameter,
                    &Value::Null,
                    &format!("{} {word} {name}", operation.id),
                );
            }
        }
    }

    /// Compares the table of a body or a response with its top level, in both directions.
    fn body(&mut self, place: Place, node: Option<&Value>) {
        let rows = self.section.rows(place);
        let Some(node) = node else {
            self.report.counts.rows += rows.len();
            if !rows.is_empty() {
                self.find(
                    Fault::Missing,
                    &self.section.name,
                    &format!("no {place:?} for the rows of the page"),
                );
            }
            return;
        };
        let owner = schema_name(node).unwrap_or_default();
        if rows.is_empty() {
            self.find(Fault::Extra, owner, &format!("the page has no {place:?}"));
        }
        let schema = self.document.resolve(node);
        for row in rows {
            self.report.counts.rows += 1;
            let at = format!("{owner}.{}", row.name);
            match schema["properties"].get(&row.name) {
                Some(property) => {
                    self.required(row, place, requires(schema, &row.name), &at);
                    self.field(row, place, property, &at);
                }
                None => self.find(Fault::Missing, &at, "no such property"),
            }
        }
        for (name, property) in entries(&schema["properties"]) {
            if !rows.iter().any(|row| row.name == name) {
                self.extra(property, schema, &format!("{owner}.{name}"));
            }
        }
    }

    /// A request field must be required exactly if the page marks it. Response fields may be required without a mark,
    /// because the page does not mark any of them; the samples are validated instead.
    fn required(&mut self, row: &Row, place: Place, required: bool, at: &str) {
        let promised = place == Place::Response && !row.required;
        if row.required != required && !promised {
            self.find(
                Fault::Required,
                at,
                &format!("page: {}, document: {required}", row.required),
            );
        }
    }

    /// Compares type, format, default, enum and schema name of a field.
    fn field(&mut self, row: &Row, place: Place, node: &Value, at: &str) {
        let schema = self.document.resolve(node);
        self.same(
            Fault::Type,
            at,
            Some(row.kind.as_str()),
            schema["type"].as_str(),
        );
        self.same(
            Fault::Format,
            at,
            row.format.as_deref(),
            schema["format"].as_str(),
        );
        let default = node.get("default").or_else(|| schema.get("default"));
        self.same(Fault::Default, at, row.default.as_ref(), default);
        // The page does not list the values of response fields.
        if place != Place::Response || row.values.is_some() {
            let known = schema
                .get("enum")
                .or_else(|| schema.get("x-extensible-enum"));
            self.same(Fault::Enum, at, row.values.as_ref(), known);
        }
        let mut named = node;
        if let Some(items) = &row.items {
            named = &schema["items"];
            let kind = self.document.resolve(named)["type"].as_str();
            self.same(Fault::Type, &format!("{at}[]"), Some(items.as_str()), kind);
        }
        // Scalars that the page names are inlined in the document.
        let structured = matches!(row.kind.as_str(), "object" | "array");
        if structured && row.title.is_some() {
            self.same(Fault::Title, at, row.title.as_deref(), schema_name(named));
        }
    }

    /// Checks a sample: it is valid, complete, has only known fields, and matches every example.
    fn sample(&mut self, label: &str, node: Option<&Value>) -> Result<(), String> {
        let section = self.section;
        let (sample, node) = match (section.sample(label), node) {
            (None, None) => return Ok(()),
            (Some(sample), Some(node)) => (sample, node),
            (Some(_), None) => {
                self.find(
                    Fault::Missing,
                    &section.name,
                    &format!("no schema for the {label} sample"),
                );
                return Ok(());
            }
            (None, Some(node)) => {
                let at = schema_name(node).unwrap_or_default();
                self.find(Fault::Extra, at, &format!("the page has no {label} sample"));
                return Ok(());
            }
        };
        self.report.counts.samples += 1;
        self.places.clear();
        self.walk(node, sample, "", schema_name(node).unwrap_or_default());
        for violation in self.schemas.violations(node, sample)? {
            let at = self
                .places
                .get(&violation.pointer)
                .cloned()
                .unwrap_or_default();
            self.find(Fault::Sample, &at, &violation.message);
        }
        Ok(())
    }

    /// Walks a sample and its schema in parallel. `pointer` is a pointer into the sample, `at` into the document.
    fn walk(&mut self, node: &Value, value: &Value, pointer: &str, at: &str) {
        self.places.insert(pointer.to_owned(), at.to_owned());
        let schema = self.document.resolve(node);
        match value {
            Value::Object(fields) => {
                let owner = schema_name(node).unwrap_or(at);
                for (name, value) in fields {
                    let at = format!("{owner}.{name}");
                    match schema["properties"].get(name) {
                        Some(property) => {
                            self.walk(property, value, &format!("{pointer}/{name}"), &at);
                        }
                        None => self.find(Fault::Missing, &at, "the sample has it"),
                    }
                }
                for (name, property) in entries(&schema["properties"]) {
                    if !fields.contains_key(name) {
                        self.extra(property, schema, &format!("{owner}.{name}"));
                    }
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.walk(&schema["items"], value, &format!("{pointer}/{index}"), at);
                }
            }
            leaf => {
                self.report.counts.values += 1;
                let example = node.get("example").or_else(|| schema.get("example"));
                // Without an example, the page shows the name of the type.
                if leaf != "string" || example.is_none() {
                    self.same(Fault::Example, at, Some(leaf), example);
                }
            }
        }
    }

    /// Reports something that the page does not have, and its missing provenance.
    fn extra(&mut self, node: &Value, schema: &Value, at: &str) {
        self.find(Fault::Extra, at, "not on the page");
        let basis = |node: &Value| match node["x-provenance"]["basis"].as_str() {
            Some(basis) => basis != "documented",
            None => false,
        };
        if !basis(node) && !basis(schema) {
            self.find(Fault::NoProvenance, at, "an addition without x-provenance");
        }
    }

    fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
        &mut self,
        fault: Fault,
        at: &str,
        page: Option<&T>,
        document: Option<&T>,
    ) {
        if page != document {
            self.find(
                fault,
                at,
                &format!("page: {page:?}, document: {document:?}"),
            );
        }
    }

    /// Adds a finding, once for each section.
    fn find(&mut self, fault: Fault, at: &str, detail: &str) {
        let finding = Finding {
            fault,
            section: self.section.name.clone(),
            at: at.to_owned(),
            detail: detail.to_owned(),
        };
        if !self.report.findings.contains(&finding) {
            self.report.findings.push(finding);
        }
    }
}
