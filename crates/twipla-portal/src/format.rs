//! Formats numbers, days and amounts.

use chrono::DateTime;

/// Formats a number, as in 11,000.
pub(crate) fn number(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats milliseconds since 1970 as a day.
pub(crate) fn day(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).map_or_else(
        || "an unknown day".to_owned(),
        |time| time.format("%-d %B %Y").to_string(),
    )
}

/// Formats an amount given in hundredths.
pub(crate) fn money(amount: i64, currency: &str) -> String {
    let (whole, rest) = (number(amount / 100), amount % 100);
    match currency {
        "EUR" => format!("€{whole}.{rest:02}"),
        "USD" => format!("${whole}.{rest:02}"),
        _ => format!("{whole}.{rest:02} {currency}"),
    }
}
