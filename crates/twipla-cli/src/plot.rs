//! Bar and line plots, on the terminal and in files, drawn by kuva, which includes its font.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use kuva::backend::terminal::TerminalBackend;
use kuva::plot::{BarPlot, LinePlot};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot as Drawing;
use kuva::render::render::render_multiple;
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::failure::{Failure, Result};
use crate::files;
use crate::output::{GAP, cell, fit, shown};

/// The widest plot, and the width in a file or a pipe.
const WIDTH: usize = 80;
/// The most bars that are still readable.
const MOST_BARS: usize = 20;
/// How many steps of a line have a label, so that labels do not overlap.
const LABELS: usize = 6;
/// Rows of a line plot on the terminal, with its axis.
const LINE_ROWS: usize = 16;
/// The least width of the bars, however long their labels are.
const SHORTEST_BAR: usize = 20;
/// The colours of lines, in this order.
const COLORS: [&str; 8] = [
    "steelblue",
    "darkorange",
    "seagreen",
    "crimson",
    "mediumpurple",
    "sienna",
    "hotpink",
    "gray",
];

/// A plot to draw.
pub(crate) struct Plot {
    pub(crate) title: String,
    /// One label for each value of a series.
    pub(crate) labels: Vec<String>,
    pub(crate) series: Vec<Series>,
    pub(crate) kind: Kind,
}

/// One value for each label; `None` if there is none.
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) values: Vec<Option<f64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bar for each label, of the first series.
    Bars,
    /// A line for each series.
    Lines,
}

impl Plot {
    /// Returns the plot as text of at most `width` columns, without colours. Several lines cannot be distinguished without
    /// colours, so they become bars of their sums.
    pub(crate) fn text(&self, width: Option<usize>) -> String {
        let width = width.unwrap_or(WIDTH).min(WIDTH);
        let drawn = match self.kind {
            Kind::Bars => bars_as_text(&self.bars(), width),
            Kind::Lines if self.series.len() > 1 => bars_as_text(&self.sums(), width),
            Kind::Lines => self.line_as_text(width),
        };
        format!("{}\n\n{drawn}\n", shown(&self.title))
    }

    fn line_as_text(&self, width: usize) -> String {
        let (drawings, layout) = self.lines();
        let scene = render_multiple(drawings, layout.with_show_grid(false));
        let drawn = TerminalBackend::new(width, LINE_ROWS).render_scene(&scene);
        let drawn = anstream::adapter::strip_str(&drawn).to_string();
        let lines = drawn.lines().map(str::trim_end);
        let lines: Vec<&str> = lines.skip_while(|line| line.is_empty()).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// Writes an SVG file.
    pub(crate) fn save_svg(&self, path: &Path) -> Result<()> {
        let (drawings, layout) = self.drawing();
        let svg = kuva::render_to_svg(drawings, layout.with_title(self.title.as_str()));
        files::save(path, svg.as_bytes())
    }

    /// Writes a PNG file.
    pub(crate) fn save_png(&self, path: &Path) -> Result<()> {
        let (drawings, layout) = self.drawing();
        let png = kuva::render_to_png(drawings, layout.with_title(self.title.as_str()), 2.0);
        let png = png.map_err(|error| {
            Failure::new(
                format!("cannot draw {}: {error}", path.display()),
                "try --svg",
            )
        })?;
        files::save(path, &png)
    }

    fn drawing(&self) -> (Vec<Drawing>, Layout) {
        match self.kind {
            Kind::Bars => bar_drawing(&self.bars()),
            Kind::Lines => self.lines(),
        }
    }

    fn bars(&self) -> Vec<(String, f64)> {
        let values = self.series.first().map(|series| series.values.as_slice());
        let values = values.unwrap_or_default().iter();
        let values = values.map(|value| value.unwrap_or_default());
        let bars = self.labels.iter().cloned().zip(values);
        bars.take(MOST_BARS).collect()
    }

    fn sums(&self) -> Vec<(String, f64)> {
        let sum = |series: &Series| series.values.iter().flatten().sum();
        self.series
            .iter()
            .map(|series| (series.label.clone(), sum(series)))
            .collect()
    }

    fn lines(&self) -> (Vec<Drawing>, Layout) {
        let mut drawings = Vec::new();
        for (series, color) in self.series.iter().zip(COLORS.iter().cycle()) {
            let points = (0u32..).map(f64::from).zip(&series.values);
            let points = points.filter_map(|(x, value)| Some((x, (*value)?)));
            let mut line = LinePlot::new().with_data(points).with_color(*color);
            if self.series.len() > 1 {
                line = line.with_legend(series.label.as_str());
            }
            drawings.push(Drawing::from(line));
        }
        let labels: Vec<String> = self.labels.iter().map(|label| short(label)).collect();
        let step = labels.len().div_ceil(LABELS).max(1);
        let format = TickFormat::Custom(Arc::new(move |x: f64| label_at(&labels, x)));
        let layout = Layout::auto_from_plots(&drawings)
            .with_y_axis_min(0.0)
            .with_x_tick_format(format)
            .with_x_tick_step(as_number(step));
        (drawings, layout)
    }
}

fn bar_drawing(bars: &[(String, f64)]) -> (Vec<Drawing>, Layout) {
    let mut plot = BarPlot::new().with_horizontal(true).with_color(COLORS[0]);
    // Bars are drawn from the bottom up.
    for (label, value) in bars.iter().rev() {
        plot = plot.with_bar(label.as_str(), *value);
    }
    let drawings = vec![Drawing::from(plot)];
    let layout = Layout::auto_from_plots(&drawings);
    (drawings, layout)
}

/// Draws a row for each bar. kuva would draw bars over several rows, and cut their labels.
fn bars_as_text(bars: &[(String, f64)], width: usize) -> String {
    let bars: Vec<_> = bars
        .iter()
        .map(|(label, value)| (shown(label), *value, cell(Some(&json!(value)))))
        .collect();
    let largest = bars.iter().map(|(_, value, _)| *value).fold(0.0, f64::max);
    let numbers = bars.iter().map(|(_, _, number)| number.width()).max();
    let numbers = numbers.unwrap_or_default();
    let most = width.saturating_sub(numbers + SHORTEST_BAR + 2 * GAP.len());
    let labels = bars.iter().map(|(label, _, _)| label.width()).max();
    let labels = labels.unwrap_or_default().min(most);
    let longest = width.saturating_sub(labels + numbers + 2 * GAP.len());
    let rows = bars.iter().map(|(label, value, number)| {
        let label = fit(label, labels);
        let padding = " ".repeat(labels.saturating_sub(label.width()));
        let share = if largest > 0.0 {
            (value / largest).max(0.0)
        } else {
            0.0
        };
        // The number of whole cells is proportional to the longest bar.
        let cells = (1..=longest).filter(|n| as_number(*n) <= share * as_number(longest) + 0.5);
        let bar = "█".repeat(cells.count());
        format!("{label}{padding}{GAP}{bar}{GAP}{number}")
    });
    let rows: Vec<String> = rows.collect();
    rows.join("\n")
}

/// Removes the year from a day, and returns anything else unchanged.
fn short(label: &str) -> String {
    let day = label
        .get(..10)
        .and_then(|day| day.parse::<NaiveDate>().ok());
    day.map_or_else(|| label.to_owned(), |day| day.format("%m-%d").to_string())
}

fn label_at(labels: &[String], x: f64) -> String {
    let at = (0..labels.len()).find(|n| (as_number(*n) - x).abs() < 0.01);
    at.map(|n| labels[n].clone()).unwrap_or_default()
}

fn as_number(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(kind: Kind, series: &[(&str, &[Option<f64>])]) -> Plot {
        let days = (1..=31).map(|day| format!("2026-01-{day:02}"));
        Plot {
            title: "site-7: visits".into(),
            labels: days.collect(),
            series: series
                .iter()
                .map(|(label, values)| Series {
                    label: (*label).to_owned(),
                    values: values.to_vec(),
                })
                .collect(),
            kind,
        }
    }

    #[test]
    fn a_line_is_drawn_at_80_columns_without_colours() {
        let values: Vec<_> = (0..31)
            .map(|n| (n != 7).then(|| f64::from(100 + (n * 37) % 60)))
            .collect();
        let text = plot(Kind::Lines, &[("visits", &values)]).text(None);
        insta::assert_snapshot!("line", text);
        assert!(text.lines().all(|line| line.width() <= 80) && !text.contains('\u{1b}'));
    }

    #[test]
    fn bars_have_complete_labels_and_numbers() {
        let mut bars = plot(
            Kind::Bars,
            &[("visitCount", &[Some(3120.0), Some(12.5), None, Some(-1.0)])],
        );
        bars.labels = ["desktop", "サイト", "a page\u{1b}[2J", "none"]
            .map(str::to_owned)
            .to_vec();
        insta::assert_snapshot!("bars", bars.text(Some(60)));
        bars.labels[0] = "/a/very/long/address".repeat(10);
        let text = bars.text(Some(60));
        assert!(
            text.lines().all(|line| line.width() <= 60) && text.contains('…'),
            "{text}"
        );
    }

    #[test]
    fn several_lines_become_bars_of_their_sums_without_colours() {
        let sums = plot(
            Kind::Lines,
            &[
                ("direct", &[Some(2.0), Some(3.0)]),
                ("search", &[Some(1.0), None]),
            ],
        );
        insta::assert_snapshot!("sums", sums.text(Some(60)));
    }

    #[test]
    fn empty_and_extreme_input_does_not_panic() {
        let none = plot(Kind::Lines, &[]);
        assert!(none.text(Some(1)).starts_with("site-7"));
        let zero = plot(
            Kind::Bars,
            &[("visits", &[Some(0.0), Some(f64::NAN), Some(f64::MAX)])],
        );
        assert!(zero.text(Some(60)).contains("2026-01-01"));
    }
}
