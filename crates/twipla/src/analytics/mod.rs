//! The analytics data of one website, read with its API key.
//!
//! The reference page names these endpoints; their paths, bodies and responses
//! were observed in a white-label client, and the host is inferred. Another
//! host can be set with [`TwiplaBuilder::data_url`](crate::TwiplaBuilder::data_url).

mod date_range;
mod graph;
mod metrics;
mod report;
mod scope;

pub use graph::{Graph, GraphQuery, Series};
pub use metrics::{Dimension, Filter, Metric, Order};
pub use report::{AnalyticsQuery, AnalyticsReport, RawSessions, Row};

use std::sync::Arc;

use self::graph::GraphEndpoint;
use self::report::ReportEndpoint;
use self::scope::Scope;
use crate::Result;
use crate::core::Core;
use crate::ids::TwiplaWebsiteId;
use crate::secret::Secret;

/// The analytics data of one website. Created by [`Twipla::analytics`](crate::Twipla::analytics).
///
/// ```
/// use chrono::NaiveDate;
/// use twipla::{Dimension, Metric};
/// # async fn f(twipla: twipla::Twipla, site: twipla::types::Website) -> twipla::Result<()> {
/// let march = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()..=NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
/// let report = twipla.analytics(site.id, "twpl-…").sessions()
///     .metrics([Metric::VisitCount, Metric::BounceRate])
///     .dimensions([Dimension::DeviceType])
///     .date_range(march)
///     .timezone("Europe/Berlin")
///     .await?;
/// for row in &report.rows {
///     println!("{:?}: {:?} visits", row.text(&Dimension::DeviceType), row.number(&Metric::VisitCount));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Analytics {
    scope: Scope,
}

impl Analytics {
    pub(crate) fn new(core: &Arc<Core>, website: Result<TwiplaWebsiteId>, key: Secret) -> Self {
        Self {
            scope: Scope {
                core: Arc::clone(core),
                website: website.into(),
                key,
            },
        }
    }

    /// Queries metrics of visits and sessions ("Session Analytics" in the reference page).
    pub fn sessions(&self) -> AnalyticsQuery {
        AnalyticsQuery::new(self.scope.clone(), ReportEndpoint::Sessions)
    }

    /// Queries metrics of pages.
    pub fn pages(&self) -> AnalyticsQuery {
        AnalyticsQuery::new(self.scope.clone(), ReportEndpoint::Pages)
    }

    /// Queries visits per day.
    pub fn visits(&self) -> GraphQuery {
        GraphQuery::new(self.scope.clone(), GraphEndpoint::Visits)
    }

    /// Queries the bounce rate in percent per day.
    pub fn bounce_rate(&self) -> GraphQuery {
        GraphQuery::new(self.scope.clone(), GraphEndpoint::BounceRate)
    }

    /// Queries the average duration of a page view in seconds per day.
    pub fn page_view_duration(&self) -> GraphQuery {
        GraphQuery::new(self.scope.clone(), GraphEndpoint::PageViewDuration)
    }

    /// Queries visits per day by source (direct, search, social, email, paid, ai_traffic, unknown).
    pub fn traffic_share(&self) -> GraphQuery {
        GraphQuery::new(self.scope.clone(), GraphEndpoint::TrafficShare)
    }

    /// Queries single visitor sessions. Only the name of this endpoint is public:
    /// get its path and its body from TWIPLA, and set both.
    pub fn raw_sessions(&self) -> RawSessions {
        RawSessions::new(self.scope.clone())
    }
}

impl std::fmt::Debug for Analytics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analytics")
            .field("website", &self.scope.website)
            .finish_non_exhaustive()
    }
}
