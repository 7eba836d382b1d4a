//! Names of metrics and dimensions. The full list is not public, so each enum
//! accepts any other name as well.

use twipla_api::types as wire;

use wire::SortDirection;

/// Declares an enum of known names with an `Other` for the rest.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// Any other name, sent as given.
            Other(String),
        }

        impl $name {
            /// The names that this version knows.
            #[cfg(feature = "schemars")]
            pub(crate) const KNOWN: &'static [&'static str] = &[$($text),*];

            /// Returns the wire name.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                match name {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// A metric to compute (all names observed).
    ///
    /// ```
    /// use twipla::Metric;
    /// assert_eq!(Metric::from("visitCount"), Metric::VisitCount);
    /// assert_eq!(Metric::from("scrollDepth").as_str(), "scrollDepth");
    /// ```
    Metric {
        /// Number of visits.
        VisitCount = "visitCount",
        /// Number of visits in the range to compare with.
        PreviousVisitCount = "previousVisitCount",
        /// Share of all visits, in percent.
        VisitPercentOfTotal = "visitPercentOfTotal",
        /// Change of the visits compared with the previous range, in percent.
        VisitCountPercentageChange = "visitCountPercentageChange",
        /// Number of visitors.
        VisitorCount = "visitorCount",
        /// Visits of a single page, in percent (0 to 100).
        BounceRate = "bounceRate",
        /// Average duration of a visit, in seconds.
        AverageVisitDuration = "averageVisitDuration",
        /// Number of sessions.
        SessionCount = "sessionCount",
        /// Share of all sessions, in percent.
        SessionPercentOfTotal = "sessionPercentOfTotal",
        /// Number of sessions in the range to compare with.
        PreviousSessionCount = "previousSessionCount",
    }
}

names! {
    /// A dimension to group by (all names observed).
    Dimension {
        /// URL of a page.
        PageUrl = "pageUrl",
        /// `desktop`, `mobile`, `tablet`, `phone` or `undefined`.
        DeviceType = "deviceType",
        /// Name of the browser.
        BrowserName = "browserName",
        /// ISO 3166 code of the country, two letters.
        CountryCode = "countryCode",
    }
}

impl Metric {
    /// Returns whether it compares with a previous range, which the query must then name.
    pub(crate) fn compares(&self) -> bool {
        matches!(
            self,
            Self::PreviousVisitCount
                | Self::VisitCountPercentageChange
                | Self::PreviousSessionCount
        )
    }
}

/// One condition on the rows of a report, or on the data of a graph.
///
/// ```
/// use twipla::{Dimension, Filter};
/// let phones = Filter::eq(Dimension::DeviceType, ["mobile", "tablet"]);
/// # let _ = phones;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(transparent)
)]
pub struct Filter(pub(crate) wire::AnalyticsCondition);

impl Filter {
    /// Requires the dimension to have one of these values.
    pub fn eq<V: Into<String>>(
        dimension: impl Into<Dimension>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self::with_operator(dimension, "eq", values)
    }

    /// Creates a condition with any other operator; only `eq` was observed.
    pub fn with_operator<V: Into<String>>(
        dimension: impl Into<Dimension>,
        operator: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self(wire::AnalyticsCondition {
            member: dimension.into().to_string(),
            operator: operator.into(),
            values: values.into_iter().map(Into::into).collect(),
        })
    }
}

/// One sort key of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(transparent)
)]
pub struct Order(pub(crate) wire::AnalyticsOrder);

impl Order {
    /// Sorts by a metric or a dimension, smallest first.
    pub fn ascending(member: impl std::fmt::Display) -> Self {
        Self::by(&member, SortDirection::Asc)
    }

    /// Sorts by a metric or a dimension, largest first.
    pub fn descending(member: impl std::fmt::Display) -> Self {
        Self::by(&member, SortDirection::Desc)
    }

    fn by(member: &impl std::fmt::Display, direction: SortDirection) -> Self {
        Self(wire::AnalyticsOrder {
            member: member.to_string(),
            direction,
        })
    }
}
