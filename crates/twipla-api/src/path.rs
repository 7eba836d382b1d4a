//! Builds and checks request paths, so that no value can change where a request goes.
//!
//! Ids are chosen by partners and their customers, so they may contain anything:
//! `..`, `/`, `\`, `?`. Percent-encoding keeps a value from ending its segment.
//! No encoding helps with the three values that [`check_segment`] rejects: an
//! empty segment addresses the collection, and `.` and `..` address a parent,
//! even when they are percent-encoded.

use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Fills the parameters of a path template, in the order of the template.
///
/// Every byte of a value except the unreserved ones of RFC 3986 is percent-encoded.
///
/// # Errors
///
/// [`InvalidPath`] if [`check_segment`] rejects a value, or if
/// there are more or fewer values than parameters.
///
/// ```
/// use twipla_api::path::fill;
///
/// let template = "/v2/3as/websites/{intpWebsiteId}";
/// assert_eq!(fill(template, &[&"a/b?c"])?, "/v2/3as/websites/a%2Fb%3Fc");
/// assert!(fill(template, &[&".."]).is_err());
/// # Ok::<(), twipla_api::path::InvalidPath>(())
/// ```
pub fn fill(template: &str, values: &[&dyn fmt::Display]) -> Result<String, InvalidPath> {
    let mut path = String::with_capacity(template.len() + 40);
    let mut values = values.iter();
    for segment in template.split('/').skip(1) {
        path.push('/');
        let Some(name) = parameter(segment) else {
            path.push_str(segment);
            continue;
        };
        let value = values
            .next()
            .ok_or_else(|| InvalidPath::new(format!("missing path parameter {name}")))?;
        let start = path.len();
        // Writing to a String cannot fail.
        let _ = write!(Encoder(&mut path), "{value}");
        check_segment(&path[start..]).map_err(|problem| {
            InvalidPath::new(format!("invalid path parameter {name}: {problem}"))
        })?;
    }
    match values.next() {
        None => Ok(path),
        Some(_) => Err(InvalidPath::new(format!(
            "too many path parameters: {template} takes fewer"
        ))),
    }
}

/// Checks a path that was not filled from a template: it must start with a
/// slash, and no segment may change where it goes.
///
/// # Errors
///
/// [`InvalidPath`], which names the problem and the remedy.
///
/// ```
/// use twipla_api::path::check;
///
/// assert!(check("/v2/3as/customers").is_ok());
/// assert!(check("/v2/%2e%2e/customers").is_err());
/// assert!(check("/v2/customers?page=0").is_err());
/// ```
pub fn check(path: &str) -> Result<(), InvalidPath> {
    let invalid = |problem: &str| InvalidPath::new(format!("invalid path {path:?}: {problem}"));
    let Some(rest) = path.strip_prefix('/') else {
        return Err(invalid("expected a slash at its start"));
    };
    if path.contains(['?', '#', '\\']) || path.chars().any(char::is_control) {
        return Err(invalid(
            "expected no ?, #, \\ or control character: set query parameters on their own, and percent-encode ids",
        ));
    }
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        // A trailing slash is the caller's choice.
        let last = segments.peek().is_none();
        if last && segment.is_empty() {
            break;
        }
        check_segment(segment).map_err(|problem| invalid(&problem.to_string()))?;
    }
    Ok(())
}

/// Checks that a value, plain or percent-encoded, can be a segment of a path.
///
/// # Errors
///
/// If it is empty, `.` or `..`.
pub fn check_segment(value: &str) -> Result<(), InvalidSegment> {
    let plain = percent_decode_str(value).decode_utf8_lossy();
    match &*plain {
        "" => Err(InvalidSegment::Empty),
        "." | ".." => Err(InvalidSegment::Dots),
        _ => Ok(()),
    }
}

/// Why a value cannot be a segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidSegment {
    /// It would address the collection.
    Empty,
    /// It would address a parent.
    Dots,
}

impl fmt::Display for InvalidSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "must not be empty",
            Self::Dots => {
                "must not be \".\" or \"..\", which change a path however they are encoded"
            }
        })
    }
}

impl std::error::Error for InvalidSegment {}

/// A path that a request cannot be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPath {
    message: String,
}

impl InvalidPath {
    fn new(message: String) -> Self {
        Self { message }
    }
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidPath {}

/// Percent-encodes what is written to it.
struct Encoder<'a>(&'a mut String);

impl fmt::Write for Encoder<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, ENCODED));
        Ok(())
    }
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BaseUrl;

    const TEMPLATE: &str = "/v2/3as/websites/{intpWebsiteId}/api-keys/{apiKeyId}";

    #[test]
    fn ids_stay_in_their_segment() {
        let long = "x/".repeat(5_000);
        let base = BaseUrl::new("https://api.example.com/base").unwrap();
        for id in [
            "site-7",
            "a/b",
            "/",
            "\\",
            "a\\..\\b",
            "?",
            "?x=1",
            "#",
            "a#b",
            "%2f",
            "%2F..",
            "../x",
            "...",
            " ",
            "\n",
            "\u{1F98A}",
            "\u{202E}",
            "a;b",
            "@",
            ":",
            "//host",
            &long,
        ] {
            let path = fill(TEMPLATE, &[&id, &"key"]).unwrap();
            let url = base.join(&path);
            assert_eq!(url.path_segments().unwrap().count(), 7, "{id:?}: {url}");
            assert!(url.path().ends_with("/api-keys/key"), "{id:?}: {url}");
            assert_eq!((url.query(), url.fragment()), (None, None), "{id:?}: {url}");
            let segment = url.path_segments().unwrap().nth(4).unwrap();
            assert_eq!(percent_decode_str(segment).decode_utf8().unwrap(), id);
        }
    }

    #[test]
    fn ids_that_change_a_path_are_rejected_by_name() {
        for (website, key, want) in [
            (
                "",
                "key",
                "invalid path parameter intpWebsiteId: must not be empty",
            ),
            (
                ".",
                "key",
                "invalid path parameter intpWebsiteId: must not be \".\"",
            ),
            (
                "..",
                "key",
                "invalid path parameter intpWebsiteId: must not be \".\"",
            ),
            (
                "site",
                "",
                "invalid path parameter apiKeyId: must not be empty",
            ),
            (
                "site",
                "..",
                "invalid path parameter apiKeyId: must not be \".\"",
            ),
        ] {
            let error = fill(TEMPLATE, &[&website, &key]).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
        assert_eq!(
            fill(TEMPLATE, &[&"%2e%2e", &"%2e"]).unwrap(),
            "/v2/3as/websites/%252e%252e/api-keys/%252e",
            "an encoded value is encoded once more"
        );
    }

    #[test]
    fn the_number_of_values_is_checked() {
        for (values, want) in [
            (&[][..], "missing path parameter intpWebsiteId"),
            (
                &[&"a" as &dyn fmt::Display][..],
                "missing path parameter apiKeyId",
            ),
            (
                &[&"a" as &dyn fmt::Display, &"b", &"c"][..],
                "too many path parameters",
            ),
        ] {
            let error = fill(TEMPLATE, values).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }

    #[test]
    fn a_whole_path_is_checked_segment_by_segment() {
        for (path, want) in [
            ("/v2/x", None),
            ("/v2/x/", None),
            ("/", None),
            ("/v2/x%2Fy", None),
            ("/v2/...", None),
            ("v2/x", Some("expected a slash at its start")),
            ("", Some("expected a slash at its start")),
            ("/v2/../x", Some("must not be \".\" or \"..\"")),
            ("/v2/./x", Some("must not be \".\" or \"..\"")),
            ("/v2/%2E%2e/x", Some("must not be \".\" or \"..\"")),
            ("/v2/.%2e", Some("must not be \".\" or \"..\"")),
            ("/v2//x", Some("must not be empty")),
            ("//host/x", Some("must not be empty")),
            ("/v2/x?y", Some("expected no ?")),
            ("/v2/x#y", Some("expected no ?")),
            ("/v2\\x", Some("expected no ?")),
            ("/v2/x\n", Some("expected no ?")),
        ] {
            match (check(path), want) {
                (Ok(()), None) => {}
                (Err(error), Some(want)) => {
                    assert!(error.to_string().contains(want), "{path:?}: {error}");
                }
                (result, _) => panic!("{path:?}: {result:?}"),
            }
        }
    }
}
