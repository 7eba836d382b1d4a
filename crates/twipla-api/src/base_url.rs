//! [`BaseUrl`]: the address that request targets are appended to.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// A validated base URL: http or https, without a query and a fragment.
///
/// ```
/// use twipla_api::BaseUrl;
///
/// let base = BaseUrl::new("https://api.example.com/base/")?;
/// assert_eq!(base.join("/v2/3as/customers?page=0").as_str(), "https://api.example.com/base/v2/3as/customers?page=0");
/// # Ok::<(), twipla_api::InvalidBaseUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Parses and validates a base URL.
    ///
    /// # Errors
    ///
    /// [`InvalidBaseUrl`], which shows the text unless it may contain a password.
    pub fn new(text: &str) -> Result<Self, InvalidBaseUrl> {
        // The text before an @ may be a password.
        let shown = if text.contains('@') {
            "<with a user name>".to_owned()
        } else {
            format!("{text:?}")
        };
        let invalid =
            |problem: &str| InvalidBaseUrl(format!("invalid base URL {shown}: {problem}"));
        let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
        Self::try_from(url).map_err(|InvalidBaseUrl(problem)| invalid(&problem))
    }

    /// Returns the URL of a request target: a path that starts with `/`, and an optional query.
    pub fn join(&self, target: &str) -> Url {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut url = self.0.clone();
        match self.0.path().trim_end_matches('/') {
            "" => url.set_path(path),
            base => url.set_path(&[base, path].concat()),
        }
        url.set_query(query);
        url
    }

    /// Returns the base URL as a [`Url`].
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<Url> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(url: Url) -> Result<Self, Self::Error> {
        let invalid = |problem: &str| Err(InvalidBaseUrl(problem.to_owned()));
        if !matches!(url.scheme(), "http" | "https") {
            return invalid("expected http or https");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return invalid("expected no query and no fragment");
        }
        Ok(Self(url))
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// Leaves out a user name and a password.
impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        let port = self
            .0
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        write!(
            f,
            "BaseUrl({}://{host}{port}{})",
            self.0.scheme(),
            self.0.path()
        )
    }
}

/// The error for a text that is not a valid base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidBaseUrl(String);

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidBaseUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_appended_like_text() {
        for base in [
            "https://api.example.com",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:80",
            "https://user:word@api.example.com/some/base",
            "https://API.example.com",
            "https://api.example.com/b%20c",
        ] {
            for target in [
                "/v2/site-7",
                "/v2/a%2Fb%3Fc%23d",
                "/v2/x?y=1&z=a+b",
                "/v2/%252e",
                "/",
            ] {
                let text: Url = format!("{base}{target}").parse().unwrap();
                assert_eq!(BaseUrl::new(base).unwrap().join(target), text);
                assert_eq!(
                    BaseUrl::new(&format!("{base}/")).unwrap().join(target),
                    text
                );
            }
        }
    }

    #[test]
    fn invalid_base_urls_are_rejected_without_showing_a_password() {
        for (base, want) in [
            ("api.example.com", "relative URL without a base"),
            ("", "relative URL without a base"),
            ("https://", "empty host"),
            ("ftp://api.example.com", "expected http or https"),
            ("mailto:someone", "expected http or https"),
            ("https://api.example.com?x=1", "expected no query"),
            ("https://api.example.com#x", "expected no query"),
        ] {
            let error = BaseUrl::new(base).unwrap_err().to_string();
            assert!(error.contains(want), "{base}: {error}");
            assert!(error.contains(&format!("{base:?}")), "{base}: {error}");
        }
        let error = BaseUrl::new("https://user:word@api.example.com?x=1").unwrap_err();
        let base = BaseUrl::new("https://user:word@api.example.com").unwrap();
        assert!(!format!("{error} {base:?}").contains("word"), "{error}");
    }
}
