//! Dimensions of the generated visits, and their values.

use crate::reply::ApiError;

/// The values of each dimension, with their share of the visits in percent.
pub(super) const DIMENSIONS: &[(&str, &[(&str, f64)])] = &[
    (
        "deviceType",
        &[("desktop", 55.0), ("mobile", 38.0), ("tablet", 7.0)],
    ),
    (
        "browserName",
        &[
            ("Chrome", 58.0),
            ("Safari", 24.0),
            ("Firefox", 11.0),
            ("Edge", 7.0),
        ],
    ),
    (
        "countryCode",
        &[("DE", 45.0), ("RO", 25.0), ("US", 18.0), ("FR", 12.0)],
    ),
    (
        "pageUrl",
        &[
            ("/", 40.0),
            ("/shop", 22.0),
            ("/about", 14.0),
            ("/contact", 10.0),
            ("/blog", 9.0),
            ("/imprint", 5.0),
        ],
    ),
];

/// Returns the values of a dimension, with their shares.
pub(super) fn values(dimension: &str) -> Result<&'static [(&'static str, f64)], ApiError> {
    DIMENSIONS
        .iter()
        .find(|(name, _)| *name == dimension)
        .map(|(_, values)| *values)
        .ok_or_else(|| {
            ApiError::coded(
                "unknown_dimension",
                format!("dimension {dimension} is not known"),
            )
        })
}
