//! Addresses of the dashboard's pages: the parameters of the page that links to
//! them go along.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::input::Query;

/// The parameters that a dashboard URL may have.
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

/// The parameters of a page that are kept, but for those named in `without`.
pub(super) fn kept<'a>(query: &'a Query, without: &[&str]) -> Vec<(&'a str, &'a str)> {
    query
        .pairs()
        .filter(|(name, _)| PARAMETERS.contains(name) && !without.contains(name))
        .collect()
}

/// A path of the dashboard with these parameters.
pub(super) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}
