//! Generated visits, always the same for the same website and days, for the
//! data endpoints and the dashboard.

use chrono::{DateTime, NaiveDate};
use uuid::Uuid;

use super::dimensions;
use crate::input::{Fields, Query};
use crate::reply::ApiError;

/// The longest date range.
const MAX_DAYS: i64 = 3660;

/// Traffic sources, with their share of the visits in percent.
const SOURCES: &[(&str, f64)] = &[
    ("direct", 34.0),
    ("search", 31.0),
    ("social", 14.0),
    ("email", 8.0),
    ("paid", 7.0),
    ("ai_traffic", 4.0),
    ("unknown", 2.0),
];

/// A graph with one value per day.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Graph {
    Visits,
    BounceRate,
    PageViewDuration,
}

/// A date range that includes both its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
}

/// A part of the visits of a website.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) website: Uuid,
    /// From 0 to 1.
    pub(crate) share: f64,
    /// Distinguishes parts; empty for the whole website.
    pub(crate) name: &'a str,
}

impl Part<'_> {
    /// Returns all visits of a website.
    pub(crate) fn whole(website: Uuid) -> Self {
        Self {
            website,
            share: 1.0,
            name: "",
        }
    }

    /// Returns one value per day.
    pub(crate) fn by_day(self, days: Days, graph: Graph) -> Vec<f64> {
        let noise = |day, seed: &str| noise(self.website, day, &format!("{seed}{}", self.name));
        days.iter()
            .map(|day| match graph {
                Graph::Visits => (visits(self.website, day) * self.share).round(),
                // Without visits there is no bounce rate and no duration.
                Graph::BounceRate | Graph::PageViewDuration if self.share == 0.0 => 0.0,
                Graph::BounceRate => one_decimal(30.0 + noise(day, "bounce") * 40.0),
                Graph::PageViewDuration => one_decimal(20.0 + noise(day, "duration") * 160.0),
            })
            .collect()
    }

    /// Returns the visits of each source, per day.
    pub(crate) fn by_source(self, days: Days) -> Vec<(&'static str, Vec<f64>)> {
        SOURCES
            .iter()
            .map(|(source, share)| {
                let data = days
                    .iter()
                    .map(|day| (visits(self.website, day) * self.share * share / 100.0).round())
                    .collect();
                (*source, data)
            })
            .collect()
    }

    /// Returns the total number of visits.
    pub(crate) fn total(self, days: Days) -> f64 {
        let all: f64 = days.iter().map(|day| visits(self.website, day)).sum();
        (all * self.share).round()
    }

    /// Returns the visits for each value of a dimension.
    pub(crate) fn by_value(
        self,
        days: Days,
        dimension: &str,
    ) -> Result<Vec<(&'static str, f64)>, ApiError> {
        let values = dimensions::values(dimension)?;
        Ok(values
            .iter()
            .map(|(value, share)| {
                let share = self.share * share / 100.0;
                (*value, Self { share, ..self }.total(days))
            })
            .collect())
    }
}

/// Estimates the number of visitors from the number of visits.
pub(crate) fn visitors(visits: f64) -> f64 {
    (visits * 0.8).round()
}

impl Days {
    pub(super) fn of(range: &Fields<'_>) -> Result<Self, ApiError> {
        Self::between(range.text("start")?, range.text("end")?)
    }

    pub(super) fn of_query(query: &Query) -> Result<Self, ApiError> {
        let unit = query.required("unit")?;
        if unit != "day" {
            return Err(ApiError::coded(
                "unknown_unit",
                format!("unit {unit} is not known"),
            ));
        }
        Self::between(query.required("from")?, query.required("until")?)
    }

    fn between(first: &str, last: &str) -> Result<Self, ApiError> {
        // The local date, by the offset in the request.
        let day = |text: &str| {
            DateTime::parse_from_rfc3339(text)
                .map(|at| at.date_naive())
                .map_err(|_| {
                    ApiError::coded(
                        "bad_date",
                        format!("invalid date-time {text}: expected RFC 3339 with an offset"),
                    )
                })
        };
        let (first, last) = (day(first)?, day(last)?);
        Self::new(first, last).ok_or_else(|| {
            ApiError::coded(
                "bad_range",
                format!("invalid range {first} to {last}: expected 1 to {MAX_DAYS} days"),
            )
        })
    }

    /// Creates a date range; `None` if it is empty or too long.
    pub(crate) fn new(first: NaiveDate, last: NaiveDate) -> Option<Self> {
        let length = last.signed_duration_since(first).num_days();
        (0..MAX_DAYS)
            .contains(&length)
            .then_some(Self { first, last })
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = NaiveDate> {
        self.first
            .iter_days()
            .take_while(move |day| *day <= self.last)
    }

    pub(super) fn labels(self) -> Vec<String> {
        self.iter().map(|day| day.to_string()).collect()
    }
}

/// Returns the average, rounded to one decimal.
pub(crate) fn average(values: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let count = values.len().max(1) as f64;
    one_decimal(values.iter().sum::<f64>() / count)
}

pub(super) fn one_decimal(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn visits(website: Uuid, day: NaiveDate) -> f64 {
    (80.0 + noise(website, day, "visits") * 240.0).round()
}

/// Returns a pseudo-random number from 0 to 1 that depends only on the
/// arguments (FNV-1a).
pub(super) fn noise(website: Uuid, day: NaiveDate, seed: &str) -> f64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let days = chrono::Datelike::num_days_from_ce(&day).to_le_bytes();
    for byte in website
        .as_bytes()
        .iter()
        .chain(&days)
        .chain(seed.as_bytes())
    {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    #[allow(clippy::cast_precision_loss)]
    let fraction = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}
