//! Text that must not be seen: API keys, refresh tokens, signed tokens.

use std::fmt;

use zeroize::Zeroizing;

/// A text that `Debug` does not show, that has no `Display`, and whose memory
/// is wiped when it is dropped.
///
/// To use the text, ask for it in so many words:
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
    /// Takes over a text. A copy that the caller keeps is the caller's to wipe.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Keep it out of logs and errors.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
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

/// Whether a text that came where something else belongs looks like a
/// credential: an API key, a token, or a key in PEM. It is then not shown.
pub(crate) fn looks_secret(text: &str) -> bool {
    text.contains("twpl-")
        || text.contains("-----BEGIN")
        || text.contains("eyJ") && text.len() >= 20
}

/// A text for a message: itself, or that it is hidden.
pub(crate) fn unless_secret(text: &str) -> &str {
    if looks_secret(text) {
        "<hidden: it looks like a credential>"
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_not_even_the_length() {
        for text in ["", "a", "twpl-bFHhQukkcKA9omBqRukM"] {
            let secret = Secret::from(text);
            assert_eq!(format!("{secret:?}"), "Secret(..)");
            assert_eq!(format!("{secret:#?}"), "Secret(..)");
            assert_eq!(secret.expose(), text);
            assert_eq!(secret.is_empty(), text.is_empty());
        }
    }
}
