//! Data on standard output: records of the API in one of five formats.
//!
//! A list is written while it is read, so that a million entries need no more memory than a page. The first page
//! determines the column widths of a table.

mod cell;
mod columns;
mod list;
mod record;
mod sink;
mod table;

use std::io::{self, BufWriter, Write as _};

use serde::Serialize;
use serde_json::Value;

pub(crate) use self::columns::{Column, Columns};
pub(crate) use self::list::ListWriter;
pub(crate) use self::sink::Format;

pub(crate) use self::cell::{cell, shown};
pub(crate) use self::table::{GAP, fit};

use self::record::{record, yaml};
use self::sink::Sink;
use crate::failure::Result;

/// Standard output.
pub(crate) struct Output {
    sink: Sink,
    fields: Option<Vec<String>>,
}

impl Output {
    pub(crate) fn new(format: Format, fields: Option<Vec<String>>, width: Option<usize>) -> Self {
        Self {
            sink: Sink {
                format,
                width,
                out: BufWriter::new(anstream::stdout()),
            },
            fields,
        }
    }

    /// Returns whether data is written for people.
    pub(crate) fn is_for_people(&self) -> bool {
        self.sink.format == Format::Table
    }

    /// Returns whether data is written as rows for programs.
    pub(crate) fn is_rows(&self) -> bool {
        matches!(self.sink.format, Format::Csv | Format::Ndjson)
    }

    /// Returns the raw writer, for text that other code writes.
    pub(crate) fn writer(&mut self) -> &mut dyn io::Write {
        &mut self.sink.out
    }

    /// Returns the width of the terminal; `None` if a program reads the output.
    pub(crate) fn width(&self) -> Option<usize> {
        self.sink.width
    }

    /// Starts a list.
    pub(crate) fn list<'a>(&'a mut self, columns: &Columns<'a>) -> Result<ListWriter<'a>> {
        let columns = columns.select(self.fields.as_deref(), self.sink.format == Format::Csv)?;
        ListWriter::begin(&mut self.sink, columns, self.fields.is_some())
    }

    /// Writes a list that is complete.
    pub(crate) fn all<T: Serialize>(
        &mut self,
        columns: &Columns<'_>,
        items: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        let mut list = self.list(columns)?;
        for item in items {
            list.push(&item)?;
        }
        list.end()
    }

    /// Writes one record: in a table, a line for each of its fields.
    pub(crate) fn one(&mut self, columns: &Columns<'_>, item: &impl Serialize) -> Result<()> {
        if matches!(self.sink.format, Format::Csv | Format::Ndjson) {
            return self.all(columns, [item]);
        }
        let record = record(item)?;
        let chosen = self.fields.is_some();
        let columns = columns.select(self.fields.as_deref(), true)?;
        match self.sink.format {
            Format::Yaml if chosen => self.yaml(&columns::project(&record, &columns)),
            Format::Yaml => self.yaml(&record),
            Format::Table => {
                let lines: Vec<_> = columns
                    .iter()
                    .map(|column| (column.title, columns::at(&record, column.path)))
                    .filter(|(_, value)| chosen || value.is_some_and(|value| !value.is_null()))
                    .map(|(title, value)| (title, cell(value)))
                    .collect();
                table::fields(&mut self.sink.out, &lines)?;
                Ok(())
            }
            _ if chosen => self.json(&columns::project(&record, &columns)),
            _ => self.json(&record),
        }
    }

    /// Writes a record whose fields are not columns: as YAML if selected, else as JSON.
    pub(crate) fn record(&mut self, item: &impl Serialize) -> Result<()> {
        let value = serde_json::to_value(item).map_err(io::Error::from)?;
        self.value(&value)
    }

    /// Writes any JSON value: as YAML if selected, else as JSON.
    pub(crate) fn value(&mut self, value: &Value) -> Result<()> {
        match self.sink.format {
            Format::Yaml => self.yaml(value),
            Format::Ndjson => {
                writeln!(self.sink.out, "{value}")?;
                Ok(())
            }
            _ => self.json(value),
        }
    }

    /// Writes text unchanged, on separate lines.
    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        writeln!(self.sink.out, "{}", text.trim_end())?;
        Ok(())
    }

    /// Writes bytes unchanged.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.out.write_all(bytes)?;
        Ok(())
    }

    /// Flushes all output.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.sink.flush()
    }

    fn json(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer_pretty(&mut self.sink.out, value).map_err(io::Error::from)?;
        writeln!(self.sink.out)?;
        Ok(())
    }

    fn yaml(&mut self, value: &impl Serialize) -> Result<()> {
        self.sink.out.write_all(yaml(value)?.as_bytes())?;
        Ok(())
    }
}
