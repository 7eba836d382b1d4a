//! Validation and comparison of the domains of websites.

use crate::{Error, Result};

/// Rejects only what can never be right: the server's own rules are not public,
/// and both bare hosts and URLs have been seen.
pub(crate) fn check_domain(domain: String) -> Result<String> {
    let invalid = |domain: &str, problem: &str| {
        Err(Error::invalid(format!(
            "invalid domain {domain}: {problem}, expected something like example.com"
        )))
    };
    if domain.trim().is_empty() {
        return invalid("\"\"", "it is empty");
    }
    if domain.len() > 2048 {
        return invalid("", "it is longer than 2048 bytes");
    }
    if domain.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return invalid(
            &format!("{domain:?}"),
            "it has white space or control characters",
        );
    }
    Ok(domain)
}

/// Returns whether two domains are the same, although servers may write one in several ways.
pub(crate) fn same_domain(a: &str, b: &str) -> bool {
    fn bare(domain: &str) -> &str {
        let rest = domain.split_once("://").map_or(domain, |(_, rest)| rest);
        rest.trim_end_matches('/')
    }
    bare(a).eq_ignore_ascii_case(bare(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_the_same_with_or_without_scheme_slash_and_case() {
        for (a, b, same) in [
            ("example.com", "example.com", true),
            ("https://Example.com/", "example.com", true),
            ("http://example.com", "https://example.com", true),
            ("example.com/shop", "example.com", false),
            ("www.example.com", "example.com", false),
        ] {
            assert_eq!(same_domain(a, b), same, "{a} {b}");
        }
    }
}
