//! URLs of pages. The generated analytics use paths; clients see URLs under the
//! domain of the website.

use serde_json::Value;

use crate::reply::{Body, Reply};

const MEMBER: &str = "pageUrl";

/// Converts the URLs in a query to paths. The URL of another website becomes a
/// value that matches nothing.
pub(crate) fn to_paths(query: &mut Value, domain: &str) {
    let conditions = query
        .pointer_mut("/where/and")
        .and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        if condition["member"] != MEMBER {
            continue;
        }
        let values = condition.get_mut("values").and_then(Value::as_array_mut);
        for value in values.into_iter().flatten() {
            *value = match value.as_str() {
                Some(url) => Value::from(path(url, domain).unwrap_or("another website")),
                None => continue,
            };
        }
    }
}

/// Converts the paths in the rows of a reply to URLs.
pub(crate) fn to_addresses(reply: &mut Reply, domain: &str) {
    let Body::Json(body) = &mut reply.body else {
        return;
    };
    let rows = body.get_mut("payload").and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten() {
        if let Some(page) = row.get_mut(MEMBER)
            && let Some(path) = page.as_str()
        {
            // Without a trailing slash (observed).
            let address = format!("https://{}{path}", host(domain));
            *page = Value::from(address.trim_end_matches('/'));
        }
    }
}

/// Returns the path of a URL; `None` if it belongs to another website.
pub(crate) fn path<'a>(url: &'a str, domain: &str) -> Option<&'a str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?
        .strip_prefix(host(domain))?;
    match rest {
        "" => Some("/"),
        path if path.starts_with('/') => Some(path),
        _ => None,
    }
}

/// Returns the host of a website, whose domain may have been given as a URL.
fn host(domain: &str) -> &str {
    let rest = domain.split_once("://").map_or(domain, |(_, rest)| rest);
    rest.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_has_a_path_only_on_its_own_website() {
        for (url, domain, expected) in [
            ("https://example.com", "example.com", Some("/")),
            ("https://example.com/shop", "example.com", Some("/shop")),
            (
                "http://example.com/shop",
                "https://example.com/",
                Some("/shop"),
            ),
            ("https://example.com.evil.test/shop", "example.com", None),
            ("https://other.com/shop", "example.com", None),
            ("/shop", "example.com", None),
        ] {
            assert_eq!(path(url, domain), expected, "{url} of {domain}");
        }
    }
}
