//! The date range shown by the dashboard.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::page_error::PageError;
use crate::input::Query;
use crate::rules::traffic::Days;

/// The default number of days.
const DAYS: i64 = 30;

/// The days and their time zone.
pub(super) struct View {
    pub(super) days: Days,
    pub(super) timezone: Tz,
}

impl View {
    /// Parses the date range of a dashboard URL. The default is the last days
    /// until `now`, in UTC.
    pub(super) fn of(query: &Query, now: DateTime<Utc>) -> Result<Self, PageError> {
        let timezone = match query.get("timezone") {
            Some(name) => name.parse().map_err(|_| PageError::InvalidTimezone)?,
            None => Tz::UTC,
        };
        let (start, end) = (date(query, "startDate")?, date(query, "endDate")?);
        let today = now.with_timezone(&timezone).date_naive();
        let length = Duration::days(DAYS - 1);
        let days = match (start, end) {
            (Some(start), Some(end)) => Days::new(start, end),
            (Some(start), None) => Days::new(start, today),
            (None, end) => {
                let end = end.unwrap_or(today);
                let start = end.checked_sub_signed(length);
                start.and_then(|start| Days::new(start, end))
            }
        };
        let days = days.ok_or(PageError::InvalidDates)?;
        Ok(Self { days, timezone })
    }
}

fn date(query: &Query, name: &str) -> Result<Option<NaiveDate>, PageError> {
    // Only the documented format: YYYY-MM-DD.
    query
        .get(name)
        .map(|text| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()
                .filter(|date| date.to_string() == text)
                .ok_or(PageError::InvalidDates)
        })
        .transpose()
}
