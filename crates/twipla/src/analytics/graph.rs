//! Series over time.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use twipla_api::types as wire;

use super::date_range::DateRange;
use super::scope::Scope;
use crate::operations::{self, GraphRange};
use crate::options::CallOptions;
use crate::request::{Request, call_methods};
use crate::{Error, Result};

/// Series over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Graph {
    /// The steps of the range.
    pub labels: Vec<String>,
    /// The series.
    pub series: Vec<Series>,
}

/// One series of a [`Graph`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Series {
    /// What it shows.
    pub label: String,
    /// One value for each label.
    pub data: Vec<Option<f64>>,
    /// The sum, where that makes sense.
    pub total: Option<f64>,
    /// The average, where that makes sense.
    pub average: Option<f64>,
}

/// A graph about to be asked for. Awaiting it gives the [`Graph`].
///
/// ```
/// # async fn f(data: twipla::Analytics, week: std::ops::RangeInclusive<chrono::NaiveDate>) -> twipla::Result<()> {
/// let graph = data.visits().date_range(week).timezone("Europe/Berlin").await?;
/// for (day, visits) in graph.labels.iter().zip(&graph.series[0].data) {
///     println!("{day}: {visits:?}");
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a query is sent when it is awaited"]
pub struct GraphQuery {
    scope: Scope,
    endpoint: GraphEndpoint,
    dates: DateRange,
    unit: String,
    options: CallOptions,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum GraphEndpoint {
    Visits,
    BounceRate,
    PageViewDuration,
    TrafficShare,
}

impl GraphQuery {
    pub(super) fn new(scope: Scope, endpoint: GraphEndpoint) -> Self {
        Self {
            options: scope.core.options,
            scope,
            endpoint,
            dates: DateRange::default(),
            unit: "day".to_owned(),
        }
    }

    /// The days to look at, both included.
    pub fn date_range(mut self, days: RangeInclusive<NaiveDate>) -> Self {
        self.dates.range = Some(days);
        self
    }

    /// Time zone of the date range, as an IANA name; UTC by default.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.dates.timezone = Some(name.into());
        self
    }

    /// Length of a step; `day` by default, and the only one observed.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    fn request(self) -> Request<Graph> {
        let Scope { core, website, key } = &self.scope;
        let query = match self.endpoint {
            GraphEndpoint::Visits => operations::query_visits_graph,
            GraphEndpoint::BounceRate => operations::query_bounce_rate_graph,
            GraphEndpoint::PageViewDuration => operations::query_page_view_duration_graph,
            GraphEndpoint::TrafficShare => operations::query_traffic_share,
        };
        query(core, key, website, self.range()).map(Graph::from)
    }

    fn range(&self) -> Result<GraphRange> {
        let (from, until) = self.dates.bounds()?;
        if self.unit.is_empty() {
            return Err(Error::invalid(
                "invalid unit: must not be empty, expected day",
            ));
        }
        Ok(GraphRange {
            from,
            until,
            unit: self.unit.clone(),
        })
    }
}

call_methods!(GraphQuery => Graph);

impl From<wire::Graph> for Graph {
    fn from(graph: wire::Graph) -> Self {
        Self {
            labels: graph.labels,
            series: graph
                .datasets
                .into_iter()
                .map(|set| Series {
                    label: set.label,
                    data: set.data,
                    total: set.total,
                    average: set.total_average,
                })
                .collect(),
        }
    }
}
