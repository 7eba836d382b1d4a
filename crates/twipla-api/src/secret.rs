//! [`Secret`], the type of API keys and dashboard tokens.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// The text that replaces a secret.
const REDACTED: &str = "[redacted]";

/// Text that must not be shown: an API key or a token.
///
/// `Debug` does not show it, it has no `Display`, and its memory is wiped when
/// it is dropped. serde deserializes the text, but serializes `[redacted]`, so that a model
/// can be logged or cached without its key. Deserializing `[redacted]` is an error,
/// because it is not the key.
///
/// To use or store the text, call [`expose`](Self::expose):
///
/// ```
/// use twipla_api::Secret;
/// use twipla_api::types::DashboardTokens;
///
/// let tokens: DashboardTokens = serde_json::from_str(r#"{"token": "abc", "refreshToken": "def"}"#)?;
/// assert_eq!(format!("{:?}", tokens.token), "Secret(..)");
/// assert_eq!(serde_json::to_string(&tokens.token)?, r#""[redacted]""#);
///
/// // Your own store, which may contain it.
/// let stored = serde_json::json!({ "refreshToken": tokens.refresh_token.expose() });
/// assert_eq!(stored["refreshToken"], "def");
/// assert_eq!(Secret::from("def"), tokens.refresh_token);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text. Copies that the caller keeps are not wiped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text. Keep it out of logs and errors.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<&String> for Secret {
    fn from(text: &String) -> Self {
        Self::new(text.as_str())
    }
}

impl From<&Secret> for Secret {
    fn from(secret: &Secret) -> Self {
        secret.clone()
    }
}

/// Redacts the text.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secret = Self::new(String::deserialize(deserializer)?);
        if secret.expose() == REDACTED {
            return Err(de::Error::custom(
                "invalid secret: expected its text, which was left out when this was written",
            ));
        }
        Ok(secret)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        concat!(module_path!(), "::Secret").into()
    }

    // The contract has plain text here.
    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

/// Serializes the text itself, for a body that is sent: of a `&Secret` or a `&Option<Secret>`.
pub(crate) fn plain<'a, S: Serializer>(
    secret: impl Into<Option<&'a Secret>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret.into().map(Secret::expose).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_text_or_its_length() {
        for text in ["", "a", "twpl-bFHhQukkcKA9omBqRukM"] {
            let secret = Secret::from(text);
            assert_eq!(format!("{secret:?}"), "Secret(..)");
            assert_eq!(format!("{secret:#?}"), "Secret(..)");
            assert_eq!(secret.expose(), text);
            assert_eq!(secret.is_empty(), text.is_empty());
        }
    }

    #[test]
    fn a_secret_is_deserialized_but_not_serialized() {
        let secret: Secret = serde_json::from_str(r#""twpl-1""#).unwrap();
        assert_eq!(secret, Secret::from("twpl-1"));
        assert_ne!(secret, Secret::from("twpl-2"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""[redacted]""#);
        let sent = |secret: Option<&Secret>| plain(secret, serde_json::value::Serializer).unwrap();
        assert_eq!(sent(Some(&secret)), "twpl-1");
        assert!(sent(None).is_null());
    }

    #[test]
    fn a_redacted_secret_is_rejected() {
        let written = serde_json::to_string(&Secret::from("twpl-1")).unwrap();
        let error = serde_json::from_str::<Secret>(&written).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("invalid secret: expected its text")
        );
        for other in ["null", "5", r#"["twpl-1"]"#, "{}"] {
            assert!(serde_json::from_str::<Secret>(other).is_err(), "{other}");
        }
    }
}
