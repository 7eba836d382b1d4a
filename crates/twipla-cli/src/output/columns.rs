//! Which fields of a record are shown, and under which titles.

use serde_json::Value;

use super::record::Record;
use crate::failure::{Failure, Result};

/// A field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column<'a> {
    /// Its title in a table.
    pub(crate) title: &'a str,
    /// Its wire name; dots lead into an object.
    pub(crate) path: &'a str,
}

/// The fields of a kind of record.
#[derive(Debug)]
pub(crate) struct Columns<'a> {
    /// The columns of a table of several records.
    pub(crate) shown: &'a [Column<'a>],
    /// Further fields.
    pub(crate) others: &'a [&'a str],
}

impl<'a> Columns<'a> {
    /// Returns the columns that the user named, or the usual ones; `all` adds those that a list leaves out.
    pub(super) fn select(&self, named: Option<&[String]>, all: bool) -> Result<Vec<Column<'a>>> {
        match named {
            Some(named) => named.iter().map(|name| self.find(name)).collect(),
            None if all => Ok(self.all().collect()),
            None => Ok(self.shown.to_vec()),
        }
    }

    fn all(&self) -> impl Iterator<Item = Column<'a>> {
        let others = self.others.iter().map(|path| Column { title: path, path });
        self.shown.iter().copied().chain(others)
    }

    fn find(&self, name: &str) -> Result<Column<'a>> {
        self.all()
            .find(|column| column.title == name || column.path == name)
            .ok_or_else(|| {
                let known: Vec<&str> = self.all().map(|column| column.path).collect();
                Failure::usage(
                    format!("unknown field {name:?}"),
                    format!("expected some of {}", known.join(",")),
                )
            })
    }
}

/// Returns the value at a path.
pub(super) fn at<'a>(record: &'a Record, path: &str) -> Option<&'a Value> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let value = record.get(first)?;
    match rest {
        Some(rest) => at(value.as_object()?, rest),
        None => Some(value),
    }
}

/// Returns the record with only these fields, in this order. Missing ones are null.
pub(super) fn project(record: &Record, columns: &[Column<'_>]) -> Record {
    columns
        .iter()
        .map(|column| {
            let value = at(record, column.path).cloned().unwrap_or_default();
            (column.path.to_owned(), value)
        })
        .collect()
}
