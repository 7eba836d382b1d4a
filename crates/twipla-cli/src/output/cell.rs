//! The text of a single table cell.

use chrono::{DateTime, Utc};
use serde_json::{Number, Value};

/// Formats a value as text.
pub(crate) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".into(),
        Some(Value::Bool(true)) => "yes".into(),
        Some(Value::Bool(false)) => "no".into(),
        Some(Value::String(text)) => time(text).unwrap_or_else(|| shown(text)),
        Some(Value::Number(number)) => whole(number).unwrap_or_else(|| number.to_string()),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            let items: Vec<String> = items.iter().map(|item| cell(Some(item))).collect();
            items.join(", ")
        }
        Some(other) => shown(&other.to_string()),
    }
}

/// Formats a whole number without a decimal point.
fn whole(number: &Number) -> Option<String> {
    let value = number
        .as_f64()
        .filter(|value| value.fract() == 0.0 && value.abs() < 1e15);
    value.map(|value| format!("{value:.0}"))
}

fn time(text: &str) -> Option<String> {
    let is_like_a_time = text.len() >= 20 && text.as_bytes()[0].is_ascii_digit();
    let time = is_like_a_time.then(|| DateTime::parse_from_rfc3339(text).ok())??;
    Some(
        time.with_timezone(&Utc)
            .format("%Y-%m-%d %H:%M")
            .to_string(),
    )
}

/// Removes characters that move the cursor or change the direction: ids and domains are untrusted.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
        {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_readable_and_cannot_control_the_terminal() {
        for (value, expected) in [
            (json!(null), "-"),
            (json!(true), "yes"),
            (json!(12.5), "12.5"),
            (json!(3120.0), "3120"),
            (json!("2026-01-31T12:30:59.120Z"), "2026-01-31 12:30"),
            (json!("2026-01-31T12:30:59+02:00"), "2026-01-31 10:30"),
            (json!("20 example-domains.com"), "20 example-domains.com"),
            (json!("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n"),
            (json!("\u{202e}moc.elpmaxe"), "\\u{202e}moc.elpmaxe"),
            (json!(["a.com", "b.com"]), "a.com, b.com"),
            (json!({"a": 1}), "{\"a\":1}"),
        ] {
            assert_eq!(cell(Some(&value)), expected);
        }
    }
}
