//! Detection of text that looks like a secret.

/// Returns whether a text in an unexpected place looks like a
/// credential: an API key, a token, or a key in PEM. It should then not be shown.
pub fn looks_secret(text: &str) -> bool {
    text.contains("twpl-")
        || text.contains("-----BEGIN")
        || text.contains("eyJ") && text.len() >= 20
}
