//! Parses the copy of the reference page. `tests/reference/README.md` describes its format.

use serde_json::Value;

/// The types that a row may have.
const TYPES: [&str; 5] = ["string", "number", "boolean", "object", "array"];

/// The content of the page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The operations, in the order of the page.
    pub(crate) operations: Vec<Section>,
    /// Sections outside of operations: tokens, headers, lists.
    pub(crate) topics: Vec<Section>,
}

/// One operation or topic.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// The operationId, or the name of the topic.
    pub(crate) name: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) samples: Vec<Sample>,
    /// The lines of `in list`.
    pub(crate) list: Vec<String>,
}

/// The rows of one table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) place: Place,
    pub(crate) rows: Vec<Row>,
}

/// Where the fields of a table belong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
    Response,
}

/// One field.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// One of [`TYPES`].
    pub(crate) kind: String,
    pub(crate) format: Option<String>,
    /// Type of the entries of an array.
    pub(crate) items: Option<String>,
    /// The name that the page gives to the type.
    pub(crate) title: Option<String>,
    pub(crate) default: Option<Value>,
    /// The values of `enum`.
    pub(crate) values: Option<Value>,
}

/// One sample document.
#[derive(Debug)]
pub(crate) struct Sample {
    /// `request`, `response` or `error`; topics have other labels.
    pub(crate) label: String,
    pub(crate) document: Value,
}

impl Page {
    /// Parses the whole copy. An error names the line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut lines = Lines::new(text);
        while let Some((number, line)) = lines.take(0) {
            let (keyword, name) = two_words(number, line)?;
            let sections = match keyword {
                "operation" => &mut page.operations,
                "topic" => &mut page.topics,
                _ => {
                    return Err(format!(
                        "line {number}: neither operation nor topic: {line}"
                    ));
                }
            };
            if sections.iter().any(|section| section.name == name) {
                return Err(format!("line {number}: {name} is there twice"));
            }
            sections.push(section(name, &mut lines)?);
        }
        match lines.rest.first() {
            None => Ok(page),
            Some((number, line)) => Err(format!("line {number}: wrong indentation: {line}")),
        }
    }

    pub(crate) fn topic(&self, name: &str) -> Option<&Section> {
        self.topics.iter().find(|topic| topic.name == name)
    }
}

impl Section {
    /// Returns the rows of a table, or none if the page does not have it.
    pub(crate) fn rows(&self, place: Place) -> &[Row] {
        self.tables
            .iter()
            .find(|table| table.place == place)
            .map_or(&[], |table| &table.rows)
    }

    pub(crate) fn sample(&self, label: &str) -> Option<&Value> {
        self.samples
            .iter()
            .find(|sample| sample.label == label)
            .map(|sample| &sample.document)
    }
}

fn section(name: &str, lines: &mut Lines<'_>) -> Result<Section, String> {
    let mut section = Section {
        name: name.to_owned(),
        ..Section::default()
    };
    while let Some((number, line)) = lines.take(2) {
        let place = match two_words(number, line)? {
            ("in", "list") => {
                section
                    .list
                    .extend(lines.block().map(|(_, line)| line.to_owned()));
                continue;
            }
            ("sample", label) => {
                section.samples.push(sample(number, label, lines)?);
                continue;
            }
            ("in", "path") => Place::Path,
            ("in", "query") => Place::Query,
            ("in", "header") => Place::Header,
            ("in", "body") => Place::Body,
            ("in", "response") => Place::Response,
            _ => return Err(format!("line {number}: neither table nor sample: {line}")),
        };
        let rows: Vec<Row> = lines
            .block()
            .map(|(number, line)| row(line).map_err(|why| format!("line {number}: {why}")))
            .collect::<Result<_, _>>()?;
        if rows.is_empty() {
            return Err(format!("line {number}: a table without rows"));
        }
        section.tables.push(Table { place, rows });
    }
    Ok(section)
}

fn sample(number: usize, label: &str, lines: &mut Lines<'_>) -> Result<Sample, String> {
    let text: String = lines
        .block()
        .map(|(_, line)| line)
        .collect::<Vec<_>>()
        .join("\n");
    let document =
        serde_json::from_str(&text).map_err(|error| format!("line {number}: not JSON: {error}"))?;
    Ok(Sample {
        label: label.to_owned(),
        document,
    })
}

/// Parses `name required type key=value ...`.
fn row(line: &str) -> Result<Row, String> {
    let mut words = line.split_whitespace();
    let (Some(name), Some(required), Some(kind)) = (words.next(), words.next(), words.next())
    else {
        return Err(format!("a row has a name, a flag and a type: {line}"));
    };
    let mut row = Row {
        name: name.trim_matches(['(', ')']).to_owned(),
        required: match required {
            "required" => true,
            "optional" => false,
            other => return Err(format!("neither required nor optional: {other}")),
        },
        kind: known_type(kind)?,
        format: None,
        items: None,
        title: None,
        default: None,
        values: None,
    };
    for word in words {
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| format!("not key=value: {word}"))?;
        match key {
            "format" => row.format = Some(value.to_owned()),
            "items" => row.items = Some(known_type(value)?),
            "title" => row.title = Some(value.to_owned()),
            "default" => row.default = Some(json(value)?),
            "enum" => row.values = Some(json(value)?),
            _ => return Err(format!("unknown key: {key}")),
        }
    }
    Ok(row)
}

fn known_type(word: &str) -> Result<String, String> {
    if TYPES.contains(&word) {
        Ok(word.to_owned())
    } else {
        Err(format!("unknown type: {word}"))
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {text}: {error}"))
}

fn two_words(number: usize, line: &str) -> Result<(&str, &str), String> {
    line.split_once(' ')
        .filter(|(_, second)| !second.contains(' '))
        .ok_or_else(|| format!("line {number}: two words expected: {line}"))
}

/// The non-empty lines with their numbers, consumed from the front.
struct Lines<'a> {
    rest: Vec<(usize, &'a str)>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let rest = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim_end()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .collect();
        Self { rest }
    }

    /// Returns the next line if it is indented by exactly `indent`.
    fn take(&mut self, indent: usize) -> Option<(usize, &'a str)> {
        let (number, line) = *self.rest.first()?;
        (indentation(line) == indent).then(|| {
            self.rest.remove(0);
            (number, line.trim_start())
        })
    }

    /// Returns all lines up to the next heading, without their first four spaces.
    fn block(&mut self) -> impl Iterator<Item = (usize, &'a str)> {
        let end = self
            .rest
            .iter()
            .position(|(_, line)| indentation(line) < 4)
            .unwrap_or(self.rest.len());
        self.rest
            .drain(..end)
            .map(|(number, line)| (number, line.get(4..).unwrap_or_default()))
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[test]
fn row_is_parsed_completely() {
    let row =
        row("(colour) optional string format=x title=Y default=\"red\" enum=[\"red\",\"blue\"]")
            .unwrap();
    assert_eq!(row.name, "colour");
    assert!(!row.required);
    assert_eq!(
        (row.kind.as_str(), row.format.as_deref()),
        ("string", Some("x"))
    );
    assert_eq!((row.title.as_deref(), row.items), (Some("Y"), None));
    assert_eq!(row.default, Some("red".into()));
    assert_eq!(row.values, Some(serde_json::json!(["red", "blue"])));
}

#[test]
fn invalid_line_is_an_error_with_its_number() {
    for (text, complaint) in [
        ("chapter x", "line 1: neither operation nor topic"),
        ("operation", "line 1: two words"),
        ("operation x\n\noperation x", "line 3: x is there twice"),
        ("operation x\n  in body", "line 2: a table without rows"),
        (
            "operation x\n  in cookie\n    a required string",
            "line 2: neither table nor sample",
        ),
        (
            "operation x\n  in body\n    a required",
            "line 3: a row has",
        ),
        (
            "operation x\n  in body\n    a must string",
            "line 3: neither required nor optional",
        ),
        (
            "operation x\n  in body\n    a required text",
            "line 3: unknown type",
        ),
        (
            "operation x\n  in body\n    a required string length=3",
            "line 3: unknown key",
        ),
        (
            "operation x\n  in body\n    a required string default=red",
            "line 3: not JSON",
        ),
        (
            "operation x\n  sample request\n    {\"a\": 1",
            "line 2: not JSON",
        ),
        ("operation x\n      stray", "line 2: wrong indentation"),
    ] {
        let error = Page::parse(text).expect_err(text);
        assert!(error.starts_with(complaint), "{text:?}: {error}");
    }
}
