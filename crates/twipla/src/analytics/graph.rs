//! Queries that return time series.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use twipla_api::types as wire;

use super::Filter;
use super::date_range::DateRange;
use super::scope::Scope;
use crate::operations::{self, GraphArguments};
use crate::options::CallOptions;
use crate::request::{Request, call_methods};
use crate::{Error, Result};

/// One or more time series.
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
    /// The name of the series.
    pub label: String,
    /// One value for each label.
    pub data: Vec<Option<f64>>,
    /// The sum, if meaningful.
    pub total: Option<f64>,
    /// The average, if meaningful.
    pub average: Option<f64>,
}

/// A graph query. Awaiting it sends the request and returns the [`Graph`].
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
    filters: Vec<Filter>,
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
            filters: Vec::new(),
            dates: DateRange::default(),
            unit: "day".to_owned(),
        }
    }

    /// Adds a condition; with several, all must hold. Without one the graph covers
    /// the whole website.
    ///
    /// Only `pageUrl` with `eq` was observed. Its values are absolute URLs
    /// without a slash at the end:
    ///
    /// ```
    /// use twipla::{Dimension, Filter};
    /// # async fn f(data: twipla::Analytics, week: std::ops::RangeInclusive<chrono::NaiveDate>) -> twipla::Result<()> {
    /// let shop = Filter::eq(Dimension::PageUrl, ["https://www.example.com/shop"]);
    /// let graph = data.visits().filter(shop).date_range(week).await?;
    /// # Ok(()) }
    /// ```
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Sets the days to query, both included.
    pub fn date_range(mut self, days: RangeInclusive<NaiveDate>) -> Self {
        self.dates.range = Some(days);
        self
    }

    /// Sets the time zone of the date range, as an IANA name; UTC by default.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.dates.timezone = Some(name.into());
        self
    }

    /// Sets the length of a step; `day` by default, which is the only one observed.
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
        query(core, key, website, self.arguments()).map(Graph::from)
    }

    fn arguments(&self) -> Result<GraphArguments> {
        let (from, until) = self.dates.bounds()?;
        if self.unit.is_empty() {
            return Err(Error::invalid(
                "invalid unit: must not be empty, expected day",
            ));
        }
        Ok(GraphArguments {
            from,
            until,
            unit: self.unit.clone(),
            body: wire::GraphQuery {
                where_: wire::AnalyticsFilter {
                    and: self.filters.iter().map(|filter| filter.0.clone()).collect(),
                },
            },
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
