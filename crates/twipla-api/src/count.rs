//! [`Count`], the wire type of counts.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A whole number of touchpoints; -1 means unlimited.
///
/// The API sends counts as `3`, `3.0` or `"3"`; all of them are accepted. They are
/// serialized as plain integers.
///
/// ```
/// use twipla_api::Count;
///
/// let counts: Vec<Count> = serde_json::from_str(r#"[3, 3.0, "3"]"#)?;
/// assert_eq!(counts, [Count::new(3); 3]);
/// assert!(Count::UNLIMITED.is_unlimited());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Count(i64);

impl Count {
    /// No limit.
    pub const UNLIMITED: Self = Self(-1);

    /// Creates a count.
    pub const fn new(count: i64) -> Self {
        Self(count)
    }

    /// Returns the number as on the wire; -1 for unlimited.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Returns whether the count is unlimited.
    pub const fn is_unlimited(self) -> bool {
        self.0 == Self::UNLIMITED.0
    }
}

impl From<i64> for Count {
    fn from(count: i64) -> Self {
        Self(count)
    }
}

impl From<Count> for i64 {
    fn from(count: Count) -> Self {
        count.0
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Count {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, as a number or as text")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Count, E> {
        Ok(Count(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Count, E> {
        i64::try_from(value)
            .map(Count)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Count, E> {
        // Up to here, every whole number can be represented exactly.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= EXACT {
            #[allow(
                clippy::cast_possible_truncation,
                reason = "checked to be whole and small enough"
            )]
            return Ok(Count(value as i64));
        }
        Err(E::invalid_value(de::Unexpected::Float(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Count, E> {
        let text = value.trim();
        if let Ok(count) = text.parse() {
            return Ok(Count(count));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => self.visit_f64(number),
            _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
        }
    }

    /// Accepts the form in which serde_json passes a number if some crate of the
    /// program has enabled its feature `arbitrary_precision`.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
        let map = de::value::MapAccessDeserializer::new(map);
        let number = serde_json::Number::deserialize(map)
            .map_err(|_| de::Error::invalid_type(de::Unexpected::Map, &self))?;
        self.visit_str(&number.to_string())
    }
}

/// Describes what is serialized, which is narrower than what is accepted.
#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Count {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Count".into()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        concat!(module_path!(), "::Count").into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        const DESCRIPTION: &str = "A whole number of touchpoints; -1 stands for no limit.";
        if generator.contract().is_serialize() {
            return schemars::json_schema!({
                "description": DESCRIPTION,
                "type": "integer",
                "format": "int64",
            });
        }
        schemars::json_schema!({
            "description": DESCRIPTION,
            "anyOf": [
                { "type": "integer", "format": "int64" },
                { "type": "string", "pattern": r"^-?[0-9]+(\.0+)?$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_parsed_in_every_form() {
        for (text, want) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("\"3\"", Some(3)),
            ("\"3.0\"", Some(3)),
            ("\" 3 \"", Some(3)),
            ("-1", Some(-1)),
            ("-1.0", Some(-1)),
            ("\"-1\"", Some(-1)),
            ("1e3", Some(1000)),
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("\"9223372036854775807\"", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("1e300", None),
            ("3.5", None),
            ("\"3.5\"", None),
            ("\"\"", None),
            ("\"three\"", None),
            ("\"NaN\"", None),
            ("\"inf\"", None),
            ("null", None),
            ("true", None),
            ("[3]", None),
            ("{}", None),
            ("{\"3\": 3}", None),
        ] {
            let got = serde_json::from_str::<Count>(text).ok().map(Count::get);
            assert_eq!(got, want, "{text}");
        }
        assert_eq!(serde_json::to_string(&Count::new(3)).unwrap(), "3");
        assert_eq!("-1".parse(), Ok(Count::UNLIMITED));
        assert_eq!(Count::new(12).to_string(), "12");
        let error = serde_json::from_str::<Count>("3.5")
            .unwrap_err()
            .to_string();
        assert!(error.contains("whole number"), "{error}");
    }
}
