//! Series over time.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use twipla_api::operations;
use twipla_api::types as wire;

use super::Scope;
use super::range::Days;
use crate::Error;
use crate::call::Credential;
use crate::request::{Request, invoke, sendable};

/// Series over time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Graph {
    /// The steps of the range.
    pub labels: Vec<String>,
    /// The series.
    pub series: Vec<Series>,
}

/// One series of a [`Graph`].
#[derive(Debug, Clone, PartialEq)]
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
#[must_use = "a query is sent when it is awaited"]
pub struct GraphQuery {
    scope: Scope,
    subject: Subject,
    days: Days,
    unit: String,
}

#[derive(Clone, Copy)]
pub(super) enum Subject {
    Visits,
    BounceRate,
    PageViewDuration,
    TrafficShare,
}

impl GraphQuery {
    pub(super) fn new(scope: Scope, subject: Subject) -> Self {
        Self {
            scope,
            subject,
            days: Days::default(),
            unit: "day".to_owned(),
        }
    }

    /// The days to look at, both included.
    pub fn date_range(mut self, days: RangeInclusive<NaiveDate>) -> Self {
        self.days.range = Some(days);
        self
    }

    /// Whose midnights bound the days, as an IANA name; UTC by default.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.days.timezone = Some(name.into());
        self
    }

    /// Length of a step; `day` by default, and the only one observed.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    fn request(self) -> Request<Graph> {
        let unit = self.unit;
        let args = self.scope.website.get().and_then(|website| {
            let (from, until) = self.days.bounds()?;
            if unit.is_empty() {
                return Err(Error::invalid("the unit is empty: use day"));
            }
            Ok((website, from, until, unit))
        });
        let core = &self.scope.core;
        let key = Credential::ApiKey(self.scope.key);
        match self.subject {
            Subject::Visits => Request::with_credential(
                core,
                &operations::QUERY_VISITS_GRAPH,
                key,
                invoke!(args, |api, (website, from, until, unit)| api
                    .query_visits_graph(
                        &website.into(),
                        &from,
                        SERIES,
                        &unit,
                        &until
                    )),
                |reply: wire::GraphResponse| graph(reply.payload),
            ),
            Subject::BounceRate => Request::with_credential(
                core,
                &operations::QUERY_BOUNCE_RATE_GRAPH,
                key,
                invoke!(args, |api, (website, from, until, unit)| api
                    .query_bounce_rate_graph(
                        &website.into(),
                        &from,
                        SERIES,
                        &unit,
                        &until
                    )),
                |reply: wire::GraphResponse| graph(reply.payload),
            ),
            Subject::PageViewDuration => Request::with_credential(
                core,
                &operations::QUERY_PAGE_VIEW_DURATION_GRAPH,
                key,
                invoke!(args, |api, (website, from, until, unit)| api
                    .query_page_view_duration_graph(
                        &website.into(),
                        &from,
                        SERIES,
                        &unit,
                        &until
                    )),
                |reply: wire::GraphResponse| graph(reply.payload),
            ),
            Subject::TrafficShare => Request::with_credential(
                core,
                &operations::QUERY_TRAFFIC_SHARE,
                key,
                invoke!(args, |api, (website, from, until, unit)| api
                    .query_traffic_share(&website.into(), &from, &unit, &until)),
                graph,
            ),
        }
    }
}

sendable!(GraphQuery => Graph);

/// The only shape of a series that was observed.
const SERIES: &str = "time-series";

fn graph(wire: wire::Graph) -> Graph {
    Graph {
        labels: wire.labels,
        series: wire
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
