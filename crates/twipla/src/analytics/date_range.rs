//! Date ranges in the format of the data endpoints: local midnights with milliseconds and
//! the UTC offset.

use std::ops::RangeInclusive;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::{Error, Result};

/// A range of days and their time zone.
#[derive(Debug, Clone, Default)]
pub(super) struct DateRange {
    pub(super) range: Option<RangeInclusive<NaiveDate>>,
    pub(super) timezone: Option<String>,
}

impl DateRange {
    pub(super) fn zone(&self) -> Result<Tz> {
        match &self.timezone {
            None => Ok(Tz::UTC),
            Some(name) => name.parse().map_err(|_| {
                Error::invalid(format!(
                    "invalid time zone {name:?}: expected an IANA name like Europe/Berlin"
                ))
            }),
        }
    }

    /// Returns the first and last day as text.
    pub(super) fn bounds(&self) -> Result<(String, String)> {
        let Some(range) = &self.range else {
            return Err(Error::invalid(
                "missing date range: call date_range(first..=last)",
            ));
        };
        bounds(range, self.zone()?)
    }
}

pub(super) fn bounds(range: &RangeInclusive<NaiveDate>, zone: Tz) -> Result<(String, String)> {
    let (first, last) = (*range.start(), *range.end());
    if last < first {
        return Err(Error::invalid(format!(
            "invalid date range: {last} is before {first}"
        )));
    }
    Ok((midnight(first, zone), midnight(last, zone)))
}

fn midnight(day: NaiveDate, zone: Tz) -> String {
    let local = day.and_time(NaiveTime::MIN);
    // If clocks go forward at midnight, the day starts an hour later.
    let at: DateTime<Tz> = zone
        .from_local_datetime(&local)
        .earliest()
        .or_else(|| {
            zone.from_local_datetime(&(local + Duration::hours(1)))
                .earliest()
        })
        .unwrap_or_else(|| zone.from_utc_datetime(&local));
    at.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_starts_at_midnight_in_its_time_zone() {
        for (date, zone, text) in [
            ("2026-03-01", "UTC", "2026-03-01T00:00:00.000+00:00"),
            (
                "2026-03-01",
                "Europe/Berlin",
                "2026-03-01T00:00:00.000+01:00",
            ),
            (
                "2026-03-31",
                "Europe/Berlin",
                "2026-03-31T00:00:00.000+02:00",
            ),
            (
                "2026-03-01",
                "America/New_York",
                "2026-03-01T00:00:00.000-05:00",
            ),
            // Beirut's clocks go forward at midnight.
            ("2026-03-29", "Asia/Beirut", "2026-03-29T01:00:00.000+03:00"),
        ] {
            assert_eq!(
                midnight(day(date), zone.parse().unwrap()),
                text,
                "{date} in {zone}"
            );
        }
    }

    #[test]
    fn a_reversed_range_is_rejected() {
        let error = bounds(&(day("2026-03-02")..=day("2026-03-01")), Tz::UTC).unwrap_err();
        assert!(error.is_invalid_input());
        assert!(
            error
                .to_string()
                .contains("2026-03-01 is before 2026-03-02"),
            "{error}"
        );
    }
}
