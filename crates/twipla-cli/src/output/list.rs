//! Lists that are written while they arrive.

use std::io::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::cell::cell;
use super::columns::{self, Column};
use super::record::{Record, record, yaml};
use super::sink::{Format, Sink};
use super::table::Layout;
use crate::failure::{Failure, Result};
use crate::terminal;

/// How many rows determine the column widths of a table: a page of the API.
const FIRST_ROWS: usize = 100;

/// Writes the entries of a list one by one.
pub(crate) struct ListWriter<'a> {
    sink: &'a mut Sink,
    columns: Vec<Column<'a>>,
    /// Whether the user named them.
    chosen: bool,
    count: usize,
    /// The first rows of a table, until its layout is known.
    held: Vec<Vec<String>>,
    layout: Option<Layout>,
}

impl<'a> ListWriter<'a> {
    pub(super) fn begin(
        sink: &'a mut Sink,
        columns: Vec<Column<'a>>,
        chosen: bool,
    ) -> Result<Self> {
        let mut list = Self {
            sink,
            columns,
            chosen,
            count: 0,
            held: Vec::new(),
            layout: None,
        };
        if list.sink.format == Format::Csv {
            let header: Vec<&str> = list.columns.iter().map(|column| column.path).collect();
            list.csv_line(&header)?;
        }
        Ok(list)
    }

    /// Writes one entry.
    pub(crate) fn push(&mut self, item: &impl Serialize) -> Result<()> {
        let record = record(item)?;
        match self.sink.format {
            Format::Table => self.push_row(&record)?,
            Format::Csv => self.push_csv(&record)?,
            Format::Json | Format::Ndjson | Format::Yaml if self.chosen => {
                self.push_object(&columns::project(&record, &self.columns))?;
            }
            Format::Json | Format::Ndjson | Format::Yaml => self.push_object(&record)?,
        }
        self.count += 1;
        Ok(())
    }

    /// Ends the list.
    pub(crate) fn end(mut self) -> Result<()> {
        match self.sink.format {
            Format::Table => {
                self.write_held()?;
                if self.count == 0 {
                    terminal::note("nothing to list");
                }
            }
            Format::Json | Format::Yaml if self.count == 0 => writeln!(self.sink.out, "[]")?,
            Format::Json => writeln!(self.sink.out, "\n]")?,
            Format::Yaml | Format::Csv | Format::Ndjson => {}
        }
        self.sink.flush()
    }

    fn push_object(&mut self, record: &Record) -> Result<()> {
        let out = &mut self.sink.out;
        match self.sink.format {
            Format::Ndjson => writeln!(out, "{}", json!(record))?,
            // Several YAML sequences of one entry form one sequence.
            Format::Yaml => out.write_all(yaml(&[record])?.as_bytes())?,
            _ => {
                let before = if self.count == 0 { "[\n" } else { ",\n" };
                let text = format!("{:#}", json!(record));
                write!(out, "{before}  {}", text.replace('\n', "\n  "))?;
            }
        }
        Ok(())
    }

    fn push_row(&mut self, record: &Record) -> Result<()> {
        let columns = self.columns.iter();
        let row: Vec<String> = columns
            .map(|column| cell(columns::at(record, column.path)))
            .collect();
        let cut = self.sink.width.is_some();
        if let Some(layout) = &self.layout {
            layout.row(&mut self.sink.out, &row, cut)?;
            return Ok(());
        }
        self.held.push(row);
        if self.held.len() == FIRST_ROWS {
            self.write_held()?;
        }
        Ok(())
    }

    fn write_held(&mut self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let titles: Vec<&str> = self.columns.iter().map(|column| column.title).collect();
        let cut = self.sink.width.is_some();
        let layout = Layout::new(&titles, &self.held, self.sink.width);
        layout.header(&mut self.sink.out, &titles)?;
        for row in self.held.drain(..) {
            layout.row(&mut self.sink.out, &row, cut)?;
        }
        self.layout = Some(layout);
        self.sink.flush()
    }

    fn push_csv(&mut self, record: &Record) -> Result<()> {
        let values: Vec<String> = self
            .columns
            .iter()
            .map(|column| match columns::at(record, column.path) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            })
            .collect();
        self.csv_line(&values)
    }

    fn csv_line(&mut self, values: &[impl AsRef<[u8]>]) -> Result<()> {
        let mut writer = csv::Writer::from_writer(&mut self.sink.out);
        let written = writer
            .write_record(values)
            .and_then(|()| Ok(writer.flush()?));
        written.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            other => Failure::new(
                format!("cannot write CSV: {other:?}"),
                "use another format with -o",
            ),
        })
    }
}
