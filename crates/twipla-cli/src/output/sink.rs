//! The output stream and its format.

use std::io::{BufWriter, Write as _};

use clap::ValueEnum;

use crate::failure::Result;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; cut to the width of the terminal
    Table,
    /// One JSON document
    Json,
    /// One JSON document per line
    Ndjson,
    /// A header and a line for each record
    Csv,
    /// One YAML document
    Yaml,
}

/// Standard output.
pub(super) struct Sink {
    pub(super) format: Format,
    /// The width of the terminal, if there is one.
    pub(super) width: Option<usize>,
    pub(super) out: BufWriter<anstream::Stdout>,
}

impl Sink {
    /// Flushes all output.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.out.flush()?;
        Ok(())
    }
}
