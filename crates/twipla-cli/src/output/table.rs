//! Tables without lines: columns two spaces apart, cut to the width of the terminal.
//!
//! Table crates need all rows for their layout. Here rows arrive one by one, so the first rows
//! determine the widths.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

const HEADER: Style = Style::new().bold();
pub(crate) const GAP: &str = "  ";
/// No column is cut below this width in favour of another one.
const NARROWEST: usize = 8;

/// Column widths, which also apply to later rows.
pub(super) struct Layout {
    widths: Vec<usize>,
}

impl Layout {
    /// Computes the widths from the rows so far, to fit `width`.
    pub(super) fn new(titles: &[&str], rows: &[Vec<String>], width: Option<usize>) -> Self {
        let mut widths: Vec<usize> = titles.iter().map(|title| title.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let Some(available) = width else {
            return Self { widths };
        };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(available);
        while excess > 0 {
            let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROWEST) else {
                break;
            };
            *widest -= 1;
            excess -= 1;
        }
        Self { widths }
    }

    pub(super) fn header(&self, out: &mut impl Write, titles: &[&str]) -> io::Result<()> {
        let titles: Vec<String> = titles.iter().map(|title| title.to_uppercase()).collect();
        writeln!(out, "{HEADER}{}{HEADER:#}", self.line(&titles, true))
    }

    /// Writes a row; `cut` is whether cells are cut to their column.
    pub(super) fn row(&self, out: &mut impl Write, row: &[String], cut: bool) -> io::Result<()> {
        writeln!(out, "{}", self.line(row, cut))
    }

    fn line(&self, row: &[String], cut: bool) -> String {
        let cells = self.widths.iter().zip(row).map(|(width, cell)| {
            let cell = if cut { fit(cell, *width) } else { cell.clone() };
            let padding = width.saturating_sub(cell.width());
            cell + &" ".repeat(padding)
        });
        let cells: Vec<String> = cells.collect();
        cells.join(GAP).trim_end().to_owned()
    }
}

/// Writes one record, a field per line.
pub(super) fn fields(out: &mut impl Write, lines: &[(&str, String)]) -> io::Result<()> {
    let width = lines.iter().map(|(title, _)| title.width()).max();
    let width = width.unwrap_or_default();
    for (title, value) in lines {
        let padding = " ".repeat(width - title.width());
        writeln!(out, "{HEADER}{title}{HEADER:#}{padding}{GAP}{value}")?;
    }
    Ok(())
}

/// Returns the text, or as much of it as fits with a mark that it is cut.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        taken.push(c);
    }
    taken + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_the_terminal_and_cuts_the_widest_column() {
        let rows = vec![
            vec!["site-1".to_owned(), "a".repeat(60), "active".to_owned()],
            vec!["サイト".to_owned(), "b".repeat(10), "active".to_owned()],
        ];
        let layout = Layout::new(&["id", "domain", "status"], &rows, Some(40));
        for row in &rows {
            let line = layout.line(row, true);
            assert!(line.width() <= 40, "{line}");
        }
        assert!(layout.line(&rows[0], true).starts_with("site-1  aaa"));
        assert!(layout.line(&rows[0], true).contains("…  active"));
        assert!(layout.line(&rows[1], true).starts_with("サイト  bbb"));
        let whole = Layout::new(&["id", "domain", "status"], &rows, None);
        assert!(whole.line(&rows[0], true).contains(&"a".repeat(60)));
    }
}
