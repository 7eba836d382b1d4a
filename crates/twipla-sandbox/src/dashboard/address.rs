//! URLs of the dashboard's pages, which pass on the parameters of the current
//! page.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::input::Query;

/// The parameters of a dashboard URL.
const PARAMETERS: &[&str] = &[
    "intpc_token",
    "intpcToken",
    "externalWebsiteId",
    "websiteToken",
    "locale",
    "timezone",
    "startDate",
    "endDate",
    "allowUpgrade",
    "upgradePackageId",
];

/// Returns the parameters of the current page, except those in `without`.
pub(super) fn kept<'a>(query: &'a Query, without: &[&str]) -> Vec<(&'a str, &'a str)> {
    query
        .pairs()
        .filter(|(name, _)| PARAMETERS.contains(name) && !without.contains(name))
        .collect()
}

/// Returns a URL of the dashboard with these parameters.
pub(super) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}
