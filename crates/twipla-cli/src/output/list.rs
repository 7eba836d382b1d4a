//! A list that is written while it arrives.

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::cell::cell;
use super::columns::{self, Column};
use super::table::Layout;
use super::{Format, Output, Record, record, yaml};
use crate::failure::{Failure, Result};
use crate::terminal;

/// So many rows of a table are looked at for the widths of its columns: a page of the API.
const FIRST_ROWS: usize = 100;

/// Writes the entries of a list, one after the other.
pub(crate) struct ListWriter<'a> {
    output: &'a mut Output,
    columns: Vec<Column<'a>>,
    count: usize,
    /// The first rows of a table, until its layout is known.
    held: Vec<Vec<String>>,
    layout: Option<Layout>,
}

impl<'a> ListWriter<'a> {
    pub(super) fn begin(output: &'a mut Output, columns: Vec<Column<'a>>) -> Result<Self> {
        let mut list = Self {
            output,
            columns,
            count: 0,
            held: Vec::new(),
            layout: None,
        };
        if list.output.format == Format::Csv {
            let header: Vec<&str> = list.columns.iter().map(|column| column.path).collect();
            list.csv_line(&header)?;
        }
        Ok(list)
    }

    /// Writes one entry.
    pub(crate) fn push(&mut self, item: &impl Serialize) -> Result<()> {
        let record = record(item)?;
        let chosen = if self.output.fields.is_some() {
            columns::project(&record, &self.columns)
        } else {
            record
        };
        match self.output.format {
            Format::Table => self.push_row(&chosen)?,
            Format::Csv => self.push_csv(&chosen)?,
            Format::Json => {
                let before = if self.count == 0 { "[\n" } else { ",\n" };
                let text = serde_json::to_string_pretty(&chosen).map_err(std::io::Error::from)?;
                write!(self.output.out, "{before}  {}", text.replace('\n', "\n  "))?;
            }
            Format::Ndjson => {
                let text = serde_json::to_string(&chosen).map_err(std::io::Error::from)?;
                writeln!(self.output.out, "{text}")?;
            }
            // Sequences of one entry each make one sequence.
            Format::Yaml => self.output.out.write_all(yaml(&[chosen])?.as_bytes())?,
        }
        self.count += 1;
        Ok(())
    }

    /// Ends the list.
    pub(crate) fn end(mut self) -> Result<()> {
        match self.output.format {
            Format::Table => {
                self.write_held()?;
                if self.count == 0 {
                    terminal::note("nothing to list");
                }
            }
            Format::Json | Format::Yaml if self.count == 0 => writeln!(self.output.out, "[]")?,
            Format::Json => writeln!(self.output.out, "\n]")?,
            Format::Yaml | Format::Csv | Format::Ndjson => {}
        }
        self.output.finish()
    }

    fn push_row(&mut self, record: &Record) -> Result<()> {
        let columns = self.columns.iter();
        let row: Vec<String> = columns
            .map(|column| cell(self.value(record, column)))
            .collect();
        let cut = self.output.width.is_some();
        if let Some(layout) = &self.layout {
            layout.row(&mut self.output.out, &row, cut)?;
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
        let cut = self.output.width.is_some();
        let layout = Layout::new(&titles, &self.held, self.output.width);
        layout.header(&mut self.output.out, &titles)?;
        for row in self.held.drain(..) {
            layout.row(&mut self.output.out, &row, cut)?;
        }
        self.layout = Some(layout);
        self.output.finish()
    }

    fn push_csv(&mut self, record: &Record) -> Result<()> {
        let values: Vec<String> = self
            .columns
            .iter()
            .map(|column| match self.value(record, column) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            })
            .collect();
        self.csv_line(&values)
    }

    fn csv_line(&mut self, values: &[impl AsRef<[u8]>]) -> Result<()> {
        let mut writer = csv::Writer::from_writer(&mut self.output.out);
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

    /// After a projection a path is a name.
    fn value<'r>(&self, record: &'r Record, column: &Column<'_>) -> Option<&'r Value> {
        if self.output.fields.is_some() {
            record.get(column.path)
        } else {
            columns::at(record, column.path)
        }
    }
}
