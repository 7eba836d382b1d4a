//! Ids stay inside their segment of the path.
//!
//! Ids are chosen by partners and their customers, so they may hold anything:
//! `..`, `/`, `\`, `?`. [`encode_path`] keeps a value from ending its segment,
//! and [`guard`] refuses the few that no encoding helps with, before anything
//! is sent.

use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Writes a value as one segment of a path.
///
/// Every byte but the unreserved ones of RFC 3986 is percent-encoded. Two
/// values, `.` and `..`, cannot be sent in any encoding; [`guard`] refuses them.
///
/// ```
/// use twipla_api::path::encode_path;
///
/// assert_eq!(encode_path("a/b\\c?d#e%2f").to_string(), "a%2Fb%5Cc%3Fd%23e%252f");
/// ```
pub fn encode_path<T: fmt::Display>(value: T) -> EncodedPath<T> {
    EncodedPath(value)
}

/// What [`encode_path`] returns: writes itself, and allocates nothing.
#[derive(Debug, Clone, Copy)]
pub struct EncodedPath<T>(T);

impl<T: fmt::Display> fmt::Display for EncodedPath<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Encoder<'a, 'b>(&'a mut fmt::Formatter<'b>);
        impl fmt::Write for Encoder<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                utf8_percent_encode(text, ENCODED).try_for_each(|part| self.0.write_str(part))
            }
        }
        write!(Encoder(f), "{}", self.0)
    }
}

/// Checks that a URL has the shape of a path template.
///
/// `base` is the address that the template was appended to. The URL must have
/// as many segments as the template, the same literal ones, and something in
/// each place of a parameter.
///
/// # Errors
///
/// Where an id changed the path, a [`PathError`] that says which template it
/// would have left.
///
/// ```
/// use twipla_api::path::{encode_path, guard};
///
/// let base = "https://api.example.com";
/// let url = |id| format!("{base}/v2/3as/websites/{}", encode_path(id)).parse().unwrap();
/// let template = "/v2/3as/websites/{intpWebsiteId}";
/// assert!(guard(base, &url("../customers"), template).is_ok());
/// assert!(guard(base, &url(".."), template).is_err());
/// ```
pub fn guard(base: &str, url: &Url, template: &str) -> Result<(), PathError> {
    guard_below(base_path(base), url, template)
}

/// [`guard`], with the path of the base address, which has no slash at its end.
pub(crate) fn guard_below(base: &str, url: &Url, template: &str) -> Result<(), PathError> {
    let wrong = |problem| PathError {
        template: template.to_owned(),
        problem,
    };
    // Comparing with an empty text, which is nowhere in memory, takes some
    // processors longer than the rest of this function.
    let path = if base.is_empty() {
        url.path()
    } else {
        let below = url.path().strip_prefix(base);
        below.ok_or_else(|| wrong(Problem::Base))?
    };
    if url.fragment().is_some() {
        return Err(wrong(Problem::Shape));
    }
    // Most of both is the same, up to the first parameter.
    let same = path.bytes().zip(template.bytes());
    let same = same.take_while(|(got, want)| got == want).count();
    let from = template[..same].rfind('/').map_or(0, |slash| slash + 1);
    let mut found = path[from..].split('/');
    for want in template[from..].split('/') {
        let Some(got) = found.next() else {
            return Err(wrong(Problem::Shape));
        };
        match parameter(want) {
            Some(name) if got.is_empty() => return Err(wrong(Problem::Empty(name.to_owned()))),
            Some(_) => {}
            None if want == got => {}
            None => return Err(wrong(Problem::Shape)),
        }
    }
    if found.next().is_some() {
        return Err(wrong(Problem::Shape));
    }
    Ok(())
}

/// The path of an address, without a slash at its end.
fn base_path(base: &str) -> &str {
    let after_scheme = base.split_once(':').map_or(base, |(_, rest)| rest);
    let rest = after_scheme.strip_prefix("//").unwrap_or(base);
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    path.trim_end_matches('/')
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A path parameter that would have sent the request somewhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    template: String,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Base,
    Empty(String),
    Shape,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, problem } = self;
        match problem {
            Problem::Base => write!(f, "the request to {template} would leave the base address"),
            Problem::Empty(name) => write!(
                f,
                "the path parameter {name} of {template} is empty or \".\""
            ),
            Problem::Shape => {
                let mut names = template.split('/').filter_map(parameter);
                match (names.next(), names.next()) {
                    (Some(name), None) => write!(f, "the path parameter {name}")?,
                    (Some(_), Some(_)) => f.write_str("a path parameter")?,
                    (None, _) => return write!(f, "the request would not go to {template}"),
                }
                write!(f, " would change the path {template}")?;
                f.write_str(": an id cannot be \".\" or \"..\"")
            }
        }
    }
}

impl std::error::Error for PathError {}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "/v2/3as/websites/{intpWebsiteId}/api-keys/{apiKeyId}";

    fn url(base: &str, website: &str, key: &str) -> Url {
        format!(
            "{base}/v2/3as/websites/{}/api-keys/{}",
            encode_path(website),
            encode_path(key)
        )
        .parse()
        .unwrap()
    }

    #[test]
    fn hostile_ids_stay_in_their_segment() {
        let long = "x/".repeat(5_000);
        let ids = [
            "site-7",
            "a/b",
            "/",
            "\\",
            "a\\..\\b",
            "?",
            "?x=1",
            "#",
            "#top",
            "%2f",
            "%2F..%2F",
            "%",
            "%2e%2e",
            "\n",
            "\r\nX: y",
            "\t",
            "\0",
            " ",
            "a b",
            "😀",
            "é",
            "..a",
            "a..",
            "...",
            ";v=1",
            ":",
            "@",
            "a@b",
            "//evil.example",
            "*",
            "'",
            "\"",
            "{id}",
            "~",
            "-._~",
            long.as_str(),
        ];
        for base in [
            "https://api.example.com",
            "https://api.example.com/",
            "http://127.0.0.1:80/some/base",
        ] {
            let base = base.trim_end_matches('/');
            for id in ids {
                let url = url(base, id, "key");
                assert_eq!(guard(base, &url, TEMPLATE), Ok(()), "{id:?}");
                assert_eq!(url.query(), None, "{id:?}");
                let host: Url = base.parse().unwrap();
                assert_eq!(url.host_str(), host.host_str(), "{id:?}");
                let segment = url.path_segments().unwrap().rev().nth(2).unwrap();
                let decoded = percent_encoding::percent_decode_str(segment)
                    .decode_utf8()
                    .unwrap();
                assert_eq!(decoded, id);
            }
        }
    }

    #[test]
    fn ids_that_change_the_path_are_refused() {
        let base = "https://api.example.com";
        for (website, key, want) in [
            (
                "..",
                "key",
                "a path parameter would change the path /v2/3as/websites/{intpWebsiteId}/api-keys/{apiKeyId}",
            ),
            (".", "key", "a path parameter would change"),
            ("site", "..", "a path parameter would change"),
            (
                "site",
                ".",
                "the path parameter apiKeyId of /v2/3as/websites/{intpWebsiteId}/api-keys/{apiKeyId} is empty or \".\"",
            ),
            ("..", "..", "would change the path"),
            (".", ".", "would change the path"),
            (
                "",
                "key",
                "the path parameter intpWebsiteId of /v2/3as/websites/{intpWebsiteId}/api-keys/{apiKeyId} is empty or",
            ),
            ("site", "", "the path parameter apiKeyId of"),
        ] {
            let error = guard(base, &url(base, website, key), TEMPLATE)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(want),
                "{website:?}, {key:?}: {error:?} does not say {want:?}"
            );
        }
        let one: Url = "https://api.example.com/v2/3as/websites/.."
            .parse()
            .unwrap();
        let error = guard(base, &one, "/v2/3as/websites/{intpWebsiteId}")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("the path parameter intpWebsiteId would change"),
            "{error}"
        );
    }

    #[test]
    fn a_free_path_must_be_what_it_says() {
        let base = "https://api.example.com/base";
        for (path, good) in [
            ("/v2/x", true),
            ("/v2/../x", false),
            ("/v2/x#y", false),
            ("/v2/./x", false),
        ] {
            let url: Url = format!("{base}{path}").parse().unwrap();
            assert_eq!(guard(base, &url, path).is_ok(), good, "{path}");
        }
        let elsewhere: Url = "https://api.example.com/v2/x".parse().unwrap();
        assert!(
            guard(base, &elsewhere, "/v2/x")
                .unwrap_err()
                .to_string()
                .contains("leave the base address")
        );
    }
}
