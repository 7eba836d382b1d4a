//! The table: ours, the baseline, their ratio, and whether that is what was aimed at.

use std::fmt;

use serde::Serialize;

/// The rows, in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Row>);

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    title: String,
    unit: &'static str,
    ours: f64,
    baseline: Option<f64>,
    /// The same without a client library, where that was measured.
    hyper: Option<f64>,
    aim: Option<String>,
    reached: Option<bool>,
}

impl Table {
    pub(super) fn push(&mut self, row: Row) {
        self.0.push(row);
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.0
    }
}

impl Row {
    /// A figure beside its baseline.
    pub(super) fn ratio(title: &str, unit: &'static str, ours: f64, baseline: f64) -> Self {
        Self {
            baseline: Some(baseline),
            ..Self::single(title, unit, ours)
        }
    }

    /// A figure by itself.
    pub(super) fn single(title: &str, unit: &'static str, ours: f64) -> Self {
        Self {
            title: title.to_owned(),
            unit,
            ours,
            baseline: None,
            hyper: None,
            aim: None,
            reached: None,
        }
    }

    /// What the machine allows.
    pub(super) fn limit(mut self, hyper: f64) -> Self {
        self.hyper = Some(hyper);
        self
    }

    /// The ratio that is aimed at, if one is.
    pub(super) fn at_most(self, most: Option<f64>) -> Self {
        match (most, self.quotient()) {
            (Some(most), Some(ratio)) => self.ok(ratio <= most, &format!("≤ {most:.2}")),
            _ => self,
        }
    }

    /// The ratio that is aimed at, where more is better.
    pub(super) fn at_least(self, least: Option<f64>) -> Self {
        match (least, self.quotient()) {
            (Some(least), Some(ratio)) => self.ok(ratio >= least, &format!("≥ {least:.2}")),
            _ => self,
        }
    }

    /// Whether an aim was reached.
    pub(super) fn ok(mut self, reached: bool, aim: &str) -> Self {
        self.reached = Some(reached);
        self.aim = Some(aim.to_owned());
        self
    }

    fn quotient(&self) -> Option<f64> {
        Some(self.ours / self.baseline?)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | ours | baseline | ratio | aim | hyper |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for row in &self.0 {
            let figure = |value: Option<f64>| value.map(short).unwrap_or_default();
            let unit = if row.unit.is_empty() {
                String::new()
            } else {
                format!(" ({})", row.unit)
            };
            let ratio = row.quotient().map(|ratio| format!("{ratio:.3}"));
            let aim = match (&row.aim, row.reached) {
                (Some(aim), Some(true)) => format!("{aim} ok"),
                (Some(aim), _) => format!("{aim} MISSED"),
                _ => String::new(),
            };
            writeln!(
                f,
                "| {}{unit} | {} | {} | {} | {aim} | {} |",
                row.title,
                short(row.ours),
                figure(row.baseline),
                ratio.unwrap_or_default(),
                figure(row.hyper),
            )?;
        }
        Ok(())
    }
}

/// Three digits are more than such a measurement is good for.
fn short(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
