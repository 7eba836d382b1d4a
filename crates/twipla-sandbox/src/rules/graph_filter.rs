//! What a graph is about: the whole website, or what its conditions leave of it.

use serde_json::Value;

use super::dimensions::values;
use crate::input::Fields;
use crate::reply::ApiError;

/// The part of a website that a graph shows.
pub(super) struct GraphFilter {
    /// Share of the visits, from 0 to 1.
    pub(super) share: f64,
    /// Tells one part from another, empty for the whole website.
    pub(super) name: String,
}

impl GraphFilter {
    /// Reads the body of a graph, which is sent even where nothing is filtered.
    pub(super) fn of(body: Option<&Value>) -> Result<Self, ApiError> {
        let filter = Fields::of(body)?.object("where")?;
        if filter.optional("and").is_none() {
            return Err(ApiError::bad("where.and is required"));
        }
        let mut part = Self {
            share: 1.0,
            name: String::new(),
        };
        for condition in filter.objects("and")? {
            let (member, operator) = (condition.text("member")?, condition.text("operator")?);
            if operator != "eq" {
                return Err(ApiError::coded(
                    "unknown_operator",
                    format!("operator {operator} is not known"),
                ));
            }
            let known = values(member)?;
            let asked = condition.texts("values")?;
            if asked.is_empty() {
                return Err(ApiError::bad(format!(
                    "the condition on {member} must name at least one value"
                )));
            }
            let mut asked = asked
                .into_iter()
                .map(|value| match member {
                    "pageUrl" => path_of(value),
                    _ => Ok(value),
                })
                .collect::<Result<Vec<_>, _>>()?;
            asked.sort_unstable();
            asked.dedup();
            // Not sum(): the sum of an empty iterator is minus zero.
            part.share *= known
                .iter()
                .filter(|(value, _)| asked.contains(value))
                .fold(0.0, |sum, (_, share)| sum + share / 100.0);
            part.name = format!("{}{member}={}|", part.name, asked.join(","));
        }
        Ok(part)
    }
}

/// The path of a page, which is given as an absolute URL without a slash at its end.
fn path_of(url: &str) -> Result<&str, ApiError> {
    let invalid = || {
        ApiError::coded(
            "bad_page_url",
            format!(
                "invalid pageUrl {url}: expected an absolute URL without a trailing slash, such as https://example.com/shop"
            ),
        )
    };
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or_else(invalid)?;
    if rest.is_empty() || rest.starts_with(['/', '?', '#']) || rest.ends_with('/') {
        return Err(invalid());
    }
    Ok(rest.find('/').map_or("/", |start| &rest[start..]))
}
