//! Text that must not be shown: API keys, refresh tokens, signed tokens.

use std::fmt;

use zeroize::Zeroizing;

/// Text that `Debug` does not show, that has no `Display`, and whose memory is
/// wiped when it is dropped.
///
/// To read the text, call [`expose`](Self::expose):
///
/// ```
/// use twipla::Secret;
///
/// let key = Secret::from("twpl-not-a-real-key");
/// assert_eq!(key.expose(), "twpl-not-a-real-key");
/// assert_eq!(format!("{key:?}"), "Secret(..)");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text. Copies that the caller keeps are not wiped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text. Keep it out of logs and errors.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
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
}
