//! The filter of a graph: the whole website, or the visits that match the
//! conditions.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::dimensions::values;
use super::traffic::Part;
use crate::input::Fields;
use crate::page_urls;
use crate::reply::ApiError;

/// The filter of a graph, applied to the visits of a website.
pub(super) struct GraphFilter {
    /// Share of the visits, from 0 to 1.
    share: f64,
    /// Distinguishes filters; empty for the whole website.
    name: String,
}

impl GraphFilter {
    /// Returns the matching part of a website's visits.
    pub(super) fn part(&self, website: Uuid) -> Part<'_> {
        Part {
            website,
            share: self.share,
            name: &self.name,
        }
    }

    /// Parses the body of a graph request, which is sent even without a filter.
    /// `domain` is that of the website.
    pub(super) fn of(body: Option<&Value>, domain: &str) -> Result<Self, ApiError> {
        let fields = Fields::of(body)?;
        fields.only(&["where"])?;
        let filter = fields.object("where")?;
        filter.only(&["and"])?;
        if filter.optional("and").is_none() {
            return Err(ApiError::bad("where.and is required"));
        }
        // The values of each member that match all of its conditions.
        let mut left: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for condition in filter.objects("and")? {
            let (member, asked) = equals(&condition)?;
            let mut asked = asked
                .into_iter()
                .map(|value| match member {
                    "pageUrl" => path_of(value, domain),
                    _ => Ok(value),
                })
                .collect::<Result<Vec<_>, _>>()?;
            asked.sort_unstable();
            asked.dedup();
            left.entry(member)
                .and_modify(|earlier| earlier.retain(|value| asked.contains(value)))
                .or_insert(asked);
        }
        let mut part = Self {
            share: 1.0,
            name: String::new(),
        };
        for (member, left) in left {
            part.share *= share(member, &left)?;
            part.name = format!("{}{member}={}|", part.name, left.join(","));
        }
        Ok(part)
    }
}

/// Returns the member and the values of a condition, which has at least one.
pub(super) fn equals<'a>(condition: &Fields<'a>) -> Result<(&'a str, Vec<&'a str>), ApiError> {
    condition.only(&["member", "operator", "values"])?;
    let (member, operator) = (condition.text("member")?, condition.text("operator")?);
    if operator != "eq" {
        return Err(ApiError::coded(
            "unknown_operator",
            format!("operator {operator} is not known"),
        ));
    }
    values(member)?;
    let asked = condition.texts("values")?;
    if asked.is_empty() {
        return Err(ApiError::bad(format!(
            "the condition on {member} must name at least one value"
        )));
    }
    Ok((member, asked))
}

/// Returns the share of the visits, from 0 to 1, with one of these values.
pub(super) fn share(member: &str, allowed: &[&str]) -> Result<f64, ApiError> {
    // Not sum(), because the sum of an empty iterator is minus zero.
    Ok(values(member)?
        .iter()
        .filter(|(value, _)| allowed.contains(value))
        .fold(0.0, |sum, (_, share)| sum + share / 100.0))
}

/// Returns the path of a page given as an absolute URL. The URL of another
/// website is returned unchanged, so that it matches nothing.
fn path_of<'a>(url: &'a str, domain: &str) -> Result<&'a str, ApiError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    if rest.is_empty() || rest.starts_with(['/', '?', '#']) || rest.ends_with('/') {
        return Err(ApiError::coded(
            "bad_page_url",
            format!(
                "invalid pageUrl {url}: expected an absolute URL without a trailing slash, such as https://example.com/shop"
            ),
        ));
    }
    Ok(page_urls::path(url, domain).unwrap_or(url))
}
