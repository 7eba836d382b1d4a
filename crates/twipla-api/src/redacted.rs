//! What is shown in place of a secret, and what looks like one.

use std::fmt;

/// Stands for a secret in `Debug`.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Whether a text that came where something else belongs looks like a
/// credential: an API key, a token, or a key in PEM. It should then not be shown.
pub fn looks_secret(text: &str) -> bool {
    text.contains("twpl-")
        || text.contains("-----BEGIN")
        || text.contains("eyJ") && text.len() >= 20
}
