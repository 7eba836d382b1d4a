//! Queries that return rows: metrics by dimension.

use std::collections::VecDeque;
use std::fmt;
use std::ops::RangeInclusive;

use chrono::NaiveDate;
use futures_core::Stream;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use twipla_api::types as wire;

use super::date_range::{DateRange, bounds};
use super::scope::Scope;
use super::{Dimension, Filter, Metric, Order};
use crate::operations;
use crate::options::CallOptions;
use crate::request::{Request, call_methods};
use crate::{Error, ErrorKind, Result};

/// Rows per page of a stream unless the caller sets it.
const PAGE_SIZE: u32 = 100;

/// How often a page may repeat before the rows end. One repeat may be a mistake.
const REPEATS: u32 = 2;

/// The result of a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnalyticsReport {
    /// A row for each combination of the dimensions.
    pub rows: Vec<Row>,
}

/// One row: a value for each requested metric and dimension.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(transparent)
)]
pub struct Row(
    #[cfg_attr(feature = "schemars", schemars(with = "wire::AnalyticsRow"))]
    serde_json::Map<String, Value>,
);

impl Row {
    /// Returns the value of a metric; `None` if the row has none or null. The server sends
    /// numbers as numbers or as text.
    pub fn number(&self, metric: &Metric) -> Option<f64> {
        match self.get(metric.as_str())? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Returns the value of a dimension; `None` if the row has none, or one that is not text.
    pub fn text(&self, dimension: &Dimension) -> Option<&str> {
        self.get(dimension.as_str())?.as_str()
    }

    /// Returns any value, by its wire name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns names and values, sorted by name.
    ///
    /// The server's order is not used: whether it is kept depends on a feature of serde_json
    /// that any crate of the program may enable.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let values = self.0.iter().map(|(name, value)| (name.as_str(), value));
        let mut values: Vec<_> = values.collect();
        values.sort_unstable_by_key(|(name, _)| *name);
        values.into_iter()
    }
}

/// A report query. Awaiting it sends the request and returns the [`AnalyticsReport`];
/// [`stream`](Self::stream) reads all pages.
#[must_use = "a query is sent when it is awaited"]
#[derive(Debug, Clone)]
pub struct AnalyticsQuery {
    scope: Scope,
    endpoint: ReportEndpoint,
    metrics: Vec<Metric>,
    dimensions: Vec<Dimension>,
    filters: Vec<Filter>,
    order: Vec<Order>,
    dates: DateRange,
    previous: Option<RangeInclusive<NaiveDate>>,
    page: Option<u32>,
    page_size: Option<u32>,
    trace: Option<String>,
    options: CallOptions,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum ReportEndpoint {
    Sessions,
    Pages,
}

impl AnalyticsQuery {
    pub(super) fn new(scope: Scope, endpoint: ReportEndpoint) -> Self {
        Self {
            options: scope.core.options,
            scope,
            endpoint,
            metrics: Vec::new(),
            dimensions: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            dates: DateRange::default(),
            previous: None,
            page: None,
            page_size: None,
            trace: None,
        }
    }

    /// Sets the metrics to compute; at least one.
    pub fn metrics<M: Into<Metric>>(mut self, metrics: impl IntoIterator<Item = M>) -> Self {
        self.metrics.extend(metrics.into_iter().map(Into::into));
        self
    }

    /// Sets the dimensions to group by; without one there is a single row.
    pub fn dimensions<D: Into<Dimension>>(
        mut self,
        dimensions: impl IntoIterator<Item = D>,
    ) -> Self {
        self.dimensions
            .extend(dimensions.into_iter().map(Into::into));
        self
    }

    /// Adds a condition; with several, all must hold.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Adds a sort key; the first one has the highest priority.
    pub fn order_by(mut self, order: Order) -> Self {
        self.order.push(order);
        self
    }

    /// Sets the days to query, both included.
    pub fn date_range(mut self, days: RangeInclusive<NaiveDate>) -> Self {
        self.dates.range = Some(days);
        self
    }

    /// Sets the days to compare with; required by the `Previous…` and `…Change` metrics.
    pub fn previous_date_range(mut self, days: RangeInclusive<NaiveDate>) -> Self {
        self.previous = Some(days);
        self
    }

    /// Sets the time zone of the date ranges, as an IANA name; UTC by default.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.dates.timezone = Some(name.into());
        self
    }

    /// Sets the page of the rows, counted from 0 (the wire counts from 1 here).
    pub fn page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }

    /// Sets the rows per page.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page_size = Some(size);
        self
    }

    /// Sets a label for the server's telemetry (observed; its effect is not public).
    pub fn trace(mut self, label: impl Into<String>) -> Self {
        self.trace = Some(label.into());
        self
    }

    /// Streams all rows from the page on, fetching further pages as needed.
    ///
    /// The response has no count of rows or pages, and a server may return fewer rows
    /// than requested. So the rows end with an empty page, or with one that is repeated
    /// three times in a row, as from a server that ignores the paging.
    ///
    /// # Errors
    ///
    /// Besides the errors of a call, [`ErrorKind::Decode`] if the server
    /// starts over, so that the rows would never end.
    pub fn stream(self) -> impl Stream<Item = Result<Row>> + Send + 'static {
        let pages = ReportPages {
            page: self.page.unwrap_or(0),
            query: self,
            first: None,
            last: Vec::new(),
            repeats: 0,
        };
        stream::try_unfold(
            (pages, VecDeque::new()),
            |(mut pages, mut ready)| async move {
                loop {
                    if let Some(row) = ready.pop_front() {
                        return Ok(Some((row, (pages, ready))));
                    }
                    match pages.next().await? {
                        Some(rows) => ready = rows.into(),
                        None => return Ok(None),
                    }
                }
            },
        )
    }

    fn request(self) -> Request<AnalyticsReport> {
        let Scope { core, website, key } = &self.scope;
        let query = match self.endpoint {
            ReportEndpoint::Sessions => operations::query_session_analytics,
            ReportEndpoint::Pages => operations::query_page_analytics,
        };
        query(core, key, website, self.trace.as_deref(), self.body()).map(AnalyticsReport::from)
    }

    fn body(&self) -> Result<wire::AnalyticsQuery> {
        if self.metrics.is_empty() {
            return Err(Error::invalid(
                "missing metric: call metrics([Metric::VisitCount])",
            ));
        }
        if let Some(metric) = self.metrics.iter().find(|metric| metric.compares())
            && self.previous.is_none()
        {
            return Err(Error::invalid(format!(
                "the metric {metric} compares with an earlier range: call previous_date_range(first..=last)"
            )));
        }
        if self.page_size == Some(0) {
            return Err(Error::invalid("invalid page_size 0: expected at least 1"));
        }
        let range = |(start, end)| wire::AnalyticsDateRange { start, end };
        let zone = self.dates.zone()?;
        let paged = self.page.is_some() || self.page_size.is_some();
        Ok(wire::AnalyticsQuery {
            metrics: self.metrics.iter().map(ToString::to_string).collect(),
            dimensions: self.dimensions.iter().map(ToString::to_string).collect(),
            order: self.order.iter().map(|order| order.0.clone()).collect(),
            where_: (!self.filters.is_empty()).then(|| wire::AnalyticsFilter {
                and: self.filters.iter().map(|filter| filter.0.clone()).collect(),
            }),
            pagination: paged.then(|| wire::AnalyticsPagination {
                page: i64::from(self.page.unwrap_or(0)) + 1,
                page_size: i64::from(self.page_size.unwrap_or(PAGE_SIZE)),
            }),
            date_range: range(self.dates.bounds()?),
            previous_date_range: self
                .previous
                .as_ref()
                .map(|previous| bounds(previous, zone).map(range))
                .transpose()?,
        })
    }
}

/// The state of a stream of pages.
struct ReportPages {
    query: AnalyticsQuery,
    page: u32,
    /// The very first row.
    first: Option<Row>,
    /// The rows of the previous page.
    last: Vec<Row>,
    repeats: u32,
}

impl ReportPages {
    async fn next(&mut self) -> Result<Option<Vec<Row>>> {
        loop {
            let size = self.query.page_size.unwrap_or(PAGE_SIZE);
            let query = self.query.clone().page(self.page).page_size(size);
            let rows = query.await?.rows;
            match self.judge(&rows)? {
                Found::Rows => return Ok(Some(rows)),
                Found::Repeat => {}
                Found::End => return Ok(None),
            }
        }
    }

    fn judge(&mut self, rows: &[Row]) -> Result<Found> {
        let page = self.page;
        self.page = page.saturating_add(1);
        if rows.is_empty() {
            return Ok(Found::End);
        }
        if rows == self.last {
            self.repeats += 1;
            let found = if self.repeats < REPEATS {
                Found::Repeat
            } else {
                Found::End
            };
            return Ok(found);
        }
        if self.first.is_some() && self.first.as_ref() == rows.first() {
            return Err(Error::new(
                ErrorKind::Decode,
                format!("cannot read all rows: page {page} starts over with the first row"),
            ));
        }
        self.first.get_or_insert_with(|| rows[0].clone());
        self.last = rows.to_vec();
        self.repeats = 0;
        Ok(Found::Rows)
    }
}

enum Found {
    Rows,
    Repeat,
    End,
}

call_methods!(AnalyticsQuery => AnalyticsReport);

/// A query for single sessions. Awaiting it sends the request and returns the rows.
///
/// Neither the path nor the body of this endpoint is public. The contract has a
/// placeholder; get both from TWIPLA, and set them.
///
/// ```
/// # async fn f(data: twipla::Analytics) -> twipla::Result<()> {
/// let sessions = data.raw_sessions()
///     .path("/v2/websites/eee0b185-ac19-4fd6-bb45-58b59a8988e9/the-real-path")
///     .body(&serde_json::json!({ "pageSize": 50 }))
///     .raw()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "a query is sent when it is awaited"]
pub struct RawSessions {
    scope: Scope,
    path: Option<String>,
    body: Result<Value>,
    options: CallOptions,
}

impl RawSessions {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            options: scope.core.options,
            scope,
            path: None,
            body: Ok(Value::Object(serde_json::Map::new())),
        }
    }

    /// Sets the path of the call, starting with `/`, to replace the inferred one.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Sets the body of the call: an object, sent as given.
    pub fn body(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = serde_json::to_value(body)
            .map_err(|error| Error::invalid("cannot write the body as JSON").with_source(error));
        self
    }

    fn request(self) -> Request<AnalyticsReport> {
        let Scope { core, website, key } = &self.scope;
        let body = self.body.and_then(|body| match body {
            Value::Object(fields) => Ok(wire::RawSessionsQuery(fields)),
            other => Err(Error::invalid(format!(
                "invalid body {other}: expected a JSON object, such as a map or a struct"
            ))),
        });
        operations::query_raw_sessions(core, key, website, body, self.path.as_deref())
            .map(AnalyticsReport::from)
    }
}

call_methods!(RawSessions => AnalyticsReport);

/// Leaves out the body, which may contain secrets.
impl fmt::Debug for RawSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSessions")
            .field("website", &self.scope.website)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl From<Vec<wire::AnalyticsRow>> for AnalyticsReport {
    fn from(rows: Vec<wire::AnalyticsRow>) -> Self {
        Self {
            rows: rows.into_iter().map(|row| Row(row.0)).collect(),
        }
    }
}
