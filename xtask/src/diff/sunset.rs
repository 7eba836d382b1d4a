//! The date on which something ends: `x-sunset`, as in oasdiff.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

/// Returns how the date changed, as the ending of rule ids.
pub(super) fn change(old: Option<&Value>, new: Option<&Value>) -> Option<&'static str> {
    match (old, new) {
        _ if old == new => None,
        (None, Some(_)) => Some("sunset-set"),
        (Some(_), None) => Some("sunset-removed"),
        (Some(old), Some(new)) => Some(match (day(old), day(new)) {
            (Some(old), Some(new)) if new < old => "sunset-earlier",
            (Some(old), Some(new)) if new > old => "sunset-later",
            (Some(_), Some(_)) => return None,
            _ => "sunset-changed",
        }),
        (None, None) => None,
    }
}

/// Reports whether the date is in the future.
pub(super) fn is_ahead(sunset: Option<&Value>) -> bool {
    sunset
        .and_then(day)
        .is_some_and(|day| day > Utc::now().date_naive())
}

/// Parses the date.
pub(super) fn day(sunset: &Value) -> Option<NaiveDate> {
    let text = sunset.as_str()?;
    let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.date_naive());
    moment
        .or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d"))
        .ok()
}
