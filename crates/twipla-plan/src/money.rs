//! Monthly prices, added up without intermediate rounding.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use twipla::types::{BillingInterval, Currency, Package};

/// Monthly prices, or differences of them, by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Monthly(BTreeMap<String, Amount>);

/// An amount in millionths of a unit of its currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(i64);

impl Monthly {
    /// Returns the currencies whose amount is not zero.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Amount)> {
        self.0
            .iter()
            .filter(|(_, amount)| amount.0 != 0)
            .map(|(currency, amount)| (currency.as_str(), *amount))
    }

    /// Returns the amount in a currency, such as `EUR`.
    pub fn of(&self, currency: &str) -> Amount {
        self.0.get(currency).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, currency: &Currency, amount: Amount) {
        let sum = self.0.entry(currency.to_string()).or_default();
        sum.0 = sum.0.saturating_add(amount.0);
    }

    pub(crate) fn subtract(&mut self, currency: &Currency, amount: Amount) {
        self.add(currency, Amount(amount.0.saturating_neg()));
    }
}

impl Amount {
    /// Returns the monthly price of a package.
    pub fn of_month(package: &Package) -> Self {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a cast of a float saturates"
        )]
        let millionths = (package.price * 1e6).round() as i64;
        Self(match package.period {
            BillingInterval::Yearly => millionths / 12,
            _ => millionths,
        })
    }

    /// Returns whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the amount in units of its currency.
    #[allow(clippy::cast_precision_loss, reason = "for showing it")]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// Shows two digits, and the sign if the format asks for it: `{:+}`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = (i128::from(self.0.unsigned_abs()) + 5_000) / 10_000;
        let sign = match self.0 {
            ..0 => "-",
            _ if f.sign_plus() => "+",
            _ => "",
        };
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_is_shown_with_two_digits() {
        assert_eq!(Amount(12_990_000).to_string(), "12.99");
        assert_eq!(format!("{:+}", Amount(500_000)), "+0.50");
        assert_eq!(format!("{:+}", Amount(-10_395_000)), "-10.40");
        assert_eq!(Amount(4_999).to_string(), "0.00");
    }
}
