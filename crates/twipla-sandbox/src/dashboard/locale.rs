//! Languages of the dashboard, and their formats of numbers and dates.

use chrono::{Datelike as _, NaiveDate};

use super::texts::{DE, EN, ES, FR, Texts};

/// A language of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locale {
    En,
    De,
    Fr,
    Es,
}

impl Locale {
    /// Returns the language of a code; English if it is not supported.
    pub(super) fn of(code: Option<&str>) -> Self {
        match code {
            Some("de") => Self::De,
            Some("fr") => Self::Fr,
            Some("es") => Self::Es,
            _ => Self::En,
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::En => &EN,
            Self::De => &DE,
            Self::Fr => &FR,
            Self::Es => &ES,
        }
    }

    /// Formats a number with this many decimals.
    pub(super) fn number(self, number: f64, decimals: usize) -> String {
        let (group, point, ungrouped) = match self {
            Self::En => (',', '.', 3),
            Self::De => ('.', ',', 3),
            Self::Fr => ('\u{202f}', ',', 3),
            // Spanish does not group four-digit numbers.
            Self::Es => ('.', ',', 4),
        };
        let text = format!("{number:.decimals$}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = whole.trim_start_matches('-').len();
        let mut written = String::new();
        for (at, digit) in whole.trim_start_matches('-').chars().enumerate() {
            if at > 0 && digits > ungrouped && (digits - at) % 3 == 0 {
                written.push(group);
            }
            written.push(digit);
        }
        if whole.starts_with('-') {
            written.insert(0, '\u{2212}');
        }
        if !fraction.is_empty() {
            written.push(point);
            written.push_str(fraction);
        }
        written
    }

    /// Formats a percentage.
    pub(super) fn percent(self, number: f64) -> String {
        let number = self.number(number, 1);
        match self {
            Self::En => format!("{number}%"),
            Self::De | Self::Fr | Self::Es => format!("{number}\u{a0}%"),
        }
    }

    pub(super) fn date(self, date: NaiveDate) -> String {
        let month = usize::try_from(date.month0()).unwrap_or_default();
        let month = self.texts().months.get(month).copied().unwrap_or_default();
        let (day, year) = (date.day(), date.year());
        match self {
            Self::De => format!("{day}. {month} {year}"),
            Self::En | Self::Fr | Self::Es => format!("{day} {month} {year}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_follow_the_language() {
        let date = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        for (code, small, large, percent, written) in [
            ("en", "1,234", "1,234,567.89", "45.5%", "1 Mar 2026"),
            ("de", "1.234", "1.234.567,89", "45,5\u{a0}%", "1. März 2026"),
            (
                "fr",
                "1\u{202f}234",
                "1\u{202f}234\u{202f}567,89",
                "45,5\u{a0}%",
                "1 mars 2026",
            ),
            ("es", "1234", "1.234.567,89", "45,5\u{a0}%", "1 mar 2026"),
        ] {
            let locale = Locale::of(Some(code));
            assert_eq!(locale.number(1234.0, 0), small);
            assert_eq!(locale.number(1_234_567.89, 2), large);
            assert_eq!(locale.number(-12.0, 0), "\u{2212}12");
            assert_eq!(locale.percent(45.5), percent);
            assert_eq!(locale.date(date), written);
        }
    }
}
