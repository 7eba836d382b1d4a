//! The table of results: ours, the baseline, their ratio with its quartiles, and whether the goal is met.

use std::fmt;

use serde::Serialize;

/// The rows, in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Row>);

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    title: String,
    unit: &'static str,
    ours: f64,
    baseline: Option<f64>,
    /// Ours divided by the baseline, for each round.
    ratio: Option<Spread>,
    /// One run of the baseline divided by another: the noise of the machine.
    noise: Option<Spread>,
    /// The same without a client library, if measured.
    hyper: Option<f64>,
    aim: Option<String>,
    reached: Option<bool>,
}

/// The median of all rounds, and the quartiles.
#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    from: f64,
    to: f64,
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
    /// A measurement with its baseline, from rounds that had both.
    pub(super) fn ratio(title: &str, unit: &'static str, ours: &[f64], baseline: &[f64]) -> Self {
        Self {
            baseline: Some(median(baseline)),
            ratio: Some(Spread::of_ratios(ours, baseline)),
            ..Self::single(title, unit, ours)
        }
    }

    /// A measurement without a baseline.
    pub(super) fn single(title: &str, unit: &'static str, ours: &[f64]) -> Self {
        Self {
            title: title.to_owned(),
            unit,
            ours: median(ours),
            baseline: None,
            ratio: None,
            noise: None,
            hyper: None,
            aim: None,
            reached: None,
        }
    }

    /// Adds a second run of the baseline in each round.
    pub(super) fn noise(mut self, again: &[f64], baseline: &[f64]) -> Self {
        self.noise = Some(Spread::of_ratios(again, baseline));
        self
    }

    /// Adds the result without a client library.
    pub(super) fn limit(mut self, hyper: &[f64]) -> Self {
        self.hyper = Some(median(hyper));
        self
    }

    /// Sets the highest ratio that meets the goal.
    pub(super) fn at_most(self, most: Option<f64>) -> Self {
        match (most, self.ratio) {
            (Some(most), Some(ratio)) => self.ok(ratio.median <= most, &format!("≤ {most:.2}")),
            _ => self,
        }
    }

    /// Sets the lowest ratio that meets the goal, for measurements where more is better.
    pub(super) fn at_least(self, least: Option<f64>) -> Self {
        match (least, self.ratio) {
            (Some(least), Some(ratio)) => self.ok(ratio.median >= least, &format!("≥ {least:.2}")),
            _ => self,
        }
    }

    /// Sets whether the goal was met.
    pub(super) fn ok(mut self, reached: bool, aim: &str) -> Self {
        self.reached = Some(reached);
        self.aim = Some(aim.to_owned());
        self
    }
}

impl Spread {
    fn of_ratios(ours: &[f64], baseline: &[f64]) -> Self {
        let pairs = ours.iter().zip(baseline);
        let ratios = sorted(pairs.map(|(ours, baseline)| ours / baseline).collect());
        Self {
            median: at(&ratios, 2),
            from: at(&ratios, 1),
            to: at(&ratios, 3),
        }
    }
}

/// Returns the median.
pub(super) fn median(values: &[f64]) -> f64 {
    at(&sorted(values.to_vec()), 2)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Returns a quartile of the sorted values.
fn at(sorted: &[f64], quarters: usize) -> f64 {
    let index = sorted.len().saturating_sub(1) * quarters / 4;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.median)?;
        // With a single round, or if all were equal, quartiles say nothing.
        if self.to - self.from >= 0.005 {
            write!(f, " ({:.2}–{:.2})", self.from, self.to)?;
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| | ours | baseline | ratio | aim | baseline to itself | hyper |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.0 {
            let figure = |value: Option<f64>| value.map(short).unwrap_or_default();
            let unit = if row.unit.is_empty() {
                String::new()
            } else {
                format!(" ({})", row.unit)
            };
            let spread =
                |spread: Option<Spread>| spread.map(|it| it.to_string()).unwrap_or_default();
            let aim = match (&row.aim, row.reached) {
                (Some(aim), Some(true)) => format!("{aim} ok"),
                (Some(aim), _) => format!("{aim} MISSED"),
                _ => String::new(),
            };
            writeln!(
                f,
                "| {}{unit} | {} | {} | {} | {aim} | {} | {} |",
                row.title,
                short(row.ours),
                figure(row.baseline),
                spread(row.ratio),
                spread(row.noise),
                figure(row.hyper),
            )?;
        }
        Ok(())
    }
}

/// Formats a value with three digits, which is as precise as these measurements are.
fn short(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratio_is_computed_per_round() {
        // The machine became twice as slow, and ours was always slower by a tenth.
        let bare = [10.0, 10.0, 20.0, 20.0, 20.0];
        let ours = bare.map(|time| time * 1.1);
        let row = Row::ratio("calls", "µs", &ours, &bare).at_most(Some(1.05));
        let ratio = row.ratio.map(|ratio| format!("{ratio}"));
        assert_eq!(ratio.as_deref(), Some("1.100"));
        assert_eq!(row.reached, Some(false));
        let row = Row::ratio("calls", "calls/s", &ours, &bare).at_least(Some(0.95));
        assert_eq!(row.reached, Some(true));
    }

    #[test]
    fn missing_measurement_meets_no_goal() {
        let row = Row::ratio("calls", "µs", &[], &[]).at_most(Some(1.05));
        assert_eq!(row.reached, Some(false));
        assert_eq!(median(&[]).to_string(), "NaN");
    }

    #[test]
    fn table_has_a_cell_for_each_heading() {
        let mut table = Table::default();
        table.push(Row::single("token", "ns", &[70.0, 50.0, 60.0]).ok(true, "100"));
        let row = Row::ratio("p50", "µs", &[2.0, 3.0, 4.0], &[1.0, 2.0, 4.0]);
        table.push(row.noise(&[1.0], &[1.0]).limit(&[0.5]).at_most(Some(1.05)));
        assert_eq!(
            table.to_string(),
            "| | ours | baseline | ratio | aim | baseline to itself | hyper |\n\
             |---|---|---|---|---|---|---|\n\
             | token (ns) | 60.0 |  |  | 100 ok |  |  |\n\
             | p50 (µs) | 3.00 | 2.00 | 1.500 (1.00–1.50) | ≤ 1.05 MISSED | 1.000 | 0.50 |\n"
        );
    }
}
