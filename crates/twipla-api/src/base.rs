//! The address that requests are sent to, parsed once and not for every request.

use std::fmt::{self, Write as _};

use progenitor_client::Error;
use reqwest::Url;

/// An address that paths are appended to.
#[derive(Clone)]
pub(crate) struct Base {
    text: String,
    /// Parsed; or what is wrong with it, which every request tells.
    url: Result<Url, String>,
    /// Without a slash at its end.
    path: String,
}

impl Base {
    pub(crate) fn new(text: &str) -> Self {
        let url = parse(text);
        let path = url
            .as_ref()
            .map_or("", |url| url.path().trim_end_matches('/'))
            .to_owned();
        Self {
            text: text.to_owned(),
            url,
            path,
        }
    }

    /// The address as it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The path of the address, as it is sent, without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The address with a path behind its own.
    pub(crate) fn join(&self, path: fmt::Arguments<'_>) -> Result<Url, InvalidBase> {
        let invalid = |why: &str| InvalidBase(format!("{self:?} {why}"));
        let mut url = self.url.clone().map_err(|why| invalid(&why))?;
        let mut whole = String::with_capacity(self.path.len() + 128);
        whole.push_str(&self.path);
        whole
            .write_fmt(path)
            .map_err(|_| invalid("takes no such path"))?;
        url.set_path(&whole);
        Ok(url)
    }
}

/// The address, unless there is an @: what stands before it may be a password.
impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.contains('@') {
            return f.write_str("the address with an @");
        }
        fmt::Debug::fmt(&self.text, f)
    }
}

/// What is wrong with a base address.
#[derive(Debug, PartialEq)]
pub(crate) struct InvalidBase(String);

impl<E> From<InvalidBase> for Error<E> {
    fn from(InvalidBase(message): InvalidBase) -> Self {
        Self::InvalidRequest(message)
    }
}

fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is no base address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is no base address: it must begin with http or https".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("is no base address: leave out what begins with ? or #".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(base: &str, id: &str) -> Result<String, String> {
        let path = format_args!("/v2/{}", crate::path::encode_path(id));
        let url = Base::new(base).join(path);
        url.map(Into::into).map_err(|InvalidBase(message)| message)
    }

    #[test]
    fn a_path_is_appended_as_it_would_be_to_the_text() {
        for base in [
            "https://api.example.com",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:80",
            "https://user:word@api.example.com/some/base",
            "https://API.example.com",
            "https://api.example.com/b%20c",
        ] {
            for id in ["site-7", "a/b?c#d", "é", "%2e", "..", "."] {
                let id = crate::path::encode_path(id);
                let text: Url = format!("{base}/v2/{id}").parse().unwrap();
                let path = format_args!("/v2/{id}");
                assert_eq!(Base::new(base).join(path).unwrap(), text);
            }
        }
        assert_eq!(
            join("https://api.example.com/", "x"),
            Ok("https://api.example.com/v2/x".to_owned())
        );
    }

    #[test]
    fn what_is_no_base_address_is_an_error_of_every_request() {
        for (base, want) in [
            ("api.example.com", "relative URL without a base"),
            ("", "relative URL without a base"),
            ("https://", "empty host"),
            ("ftp://api.example.com", "must begin with http or https"),
            ("mailto:someone", "must begin with http or https"),
            ("https://api.example.com?x=1", "leave out what begins with"),
            ("https://api.example.com#x", "leave out what begins with"),
        ] {
            let error = join(base, "x").unwrap_err();
            assert!(error.contains(want), "{base}: {error}");
            assert!(error.contains(&format!("{base:?}")), "{base}: {error}");
        }
        let error = join("https://user:word@api.example.com?x=1", "x").unwrap_err();
        let base = Base::new("https://user:word@api.example.com");
        assert!(!format!("{error} {base:?}").contains("word"), "{error}");
        assert!(error.contains("leave out what begins with"), "{error}");
    }
}
