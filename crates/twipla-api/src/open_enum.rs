//! Shared code of the generated string enums, which stay open for unknown values.

use serde::de::{self, Deserializer, Visitor};
use std::fmt;

/// Deserializes a string enum without allocating for known values.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str> + From<String>,
{
    struct OpenEnum<T>(std::marker::PhantomData<T>);

    impl<T> Visitor<'_> for OpenEnum<T>
    where
        T: for<'a> From<&'a str> + From<String>,
    {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<T, E> {
            Ok(T::from(value))
        }

        fn visit_string<E: de::Error>(self, value: String) -> Result<T, E> {
            Ok(T::from(value))
        }
    }

    deserializer.deserialize_str(OpenEnum(std::marker::PhantomData))
}

/// Returns the schema of a string enum: a known value, or any other text.
#[cfg(feature = "schemars")]
pub(crate) fn json_schema(
    description: &str,
    known: impl Iterator<Item = &'static str>,
) -> schemars::Schema {
    let known: Vec<&str> = known.collect();
    schemars::json_schema!({
        "description": description,
        "anyOf": [
            { "type": "string", "enum": known },
            { "type": "string", "description": "A value that this version does not know." },
        ],
    })
}
