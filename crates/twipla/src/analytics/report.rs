//! Metrics by dimension: the queries that give rows.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use chrono::NaiveDate;
use futures_core::Stream;
use futures_util::stream;
use http::Method;
use serde::Serialize;
use serde_json::Value;
use twipla_api::operations;
use twipla_api::types as wire;

use super::range::{Days, bounds};
use super::{Dimension, Filter, Metric, Order, Scope};
use crate::call::{BoxFuture, Credential};
use crate::request::{FreeRequest, Request, invoke, sendable};
use crate::{Error, Result};

/// Rows per page where the caller streams and does not say.
const PAGE_SIZE: u32 = 100;

/// The answer of a query.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AnalyticsReport {
    /// A row for each combination of the dimensions.
    pub rows: Vec<Row>,
}

/// One row: a value for each metric and dimension asked for.
#[derive(Debug, Clone, PartialEq)]
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
    /// Value of a metric; `None` where the row has none or null. Numbers come
    /// as numbers or as text.
    pub fn number(&self, metric: &Metric) -> Option<f64> {
        match self.get(metric.as_str())? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Value of a dimension; `None` where the row has none, or one that is no text.
    pub fn text(&self, dimension: &Dimension) -> Option<&str> {
        self.get(dimension.as_str())?.as_str()
    }

    /// Any value, by its name on the wire.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Names and values, in the order of the server.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// A query about to be sent. Awaiting it gives the [`AnalyticsReport`];
/// [`stream`](Self::stream) goes through all pages.
#[must_use = "a query is sent when it is awaited"]
#[derive(Clone)]
pub struct AnalyticsQuery {
    scope: Scope,
    subject: Subject,
    metrics: Vec<Metric>,
    dimensions: Vec<Dimension>,
    filters: Vec<Filter>,
    order: Vec<Order>,
    days: Days,
    previous: Option<RangeInclusive<NaiveDate>>,
    page: Option<u32>,
    page_size: Option<u32>,
    trace: Option<String>,
}

#[derive(Clone, Copy)]
pub(super) enum Subject {
    Sessions,
    Pages,
}

impl AnalyticsQuery {
    pub(super) fn new(scope: Scope, subject: Subject) -> Self {
        Self {
            scope,
            subject,
            metrics: Vec::new(),
            dimensions: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            days: Days::default(),
            previous: None,
            page: None,
            page_size: None,
            trace: None,
        }
    }

    /// What to compute; at least one.
    pub fn metrics<M: Into<Metric>>(mut self, metrics: impl IntoIterator<Item = M>) -> Self {
        self.metrics.extend(metrics.into_iter().map(Into::into));
        self
    }

    /// What to group by; without one there is a single row.
    pub fn dimensions<D: Into<Dimension>>(
        mut self,
        dimensions: impl IntoIterator<Item = D>,
    ) -> Self {
        self.dimensions
            .extend(dimensions.into_iter().map(Into::into));
        self
    }

    /// A condition; with several, all must hold.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// A key of the order; the first one counts most.
    pub fn order_by(mut self, order: Order) -> Self {
        self.order.push(order);
        self
    }

    /// The days to look at, both included.
    pub fn date_range(mut self, days: RangeInclusive<NaiveDate>) -> Self {
        self.days.range = Some(days);
        self
    }

    /// The days to compare with; the `Previous…` and `…Change` metrics need them.
    pub fn previous_date_range(mut self, days: RangeInclusive<NaiveDate>) -> Self {
        self.previous = Some(days);
        self
    }

    /// Whose midnights bound the days, as an IANA name; UTC by default.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.days.timezone = Some(name.into());
        self
    }

    /// Which page of the rows, counted from 0 (the wire counts from 1 here).
    pub fn page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }

    /// Rows per page.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page_size = Some(size);
        self
    }

    /// A label for the telemetry of the server (observed; what it does is not public).
    pub fn trace(mut self, label: impl Into<String>) -> Self {
        self.trace = Some(label.into());
        self
    }

    /// All rows from the page on, fetching further pages as they are needed.
    pub fn stream(self) -> impl Stream<Item = Result<Row>> + Send + 'static {
        let page = self.page.unwrap_or(0);
        stream::try_unfold(
            (self, Some(page), VecDeque::new(), None::<Row>),
            |(query, mut next, mut ready, mut last)| async move {
                loop {
                    if let Some(row) = ready.pop_front() {
                        return Ok(Some((row, (query, next, ready, last))));
                    }
                    let Some(page) = next else {
                        return Ok(None);
                    };
                    let size = query.page_size.unwrap_or(PAGE_SIZE);
                    let rows = query.clone().page(page).page_size(size).await?.rows;
                    // The reply has no count of pages, and a server may give
                    // fewer rows than asked for, or the same ones again where it
                    // ignores the paging: the list ends with nothing new.
                    if rows.is_empty() || rows.first() == last.as_ref() {
                        return Ok(None);
                    }
                    last = rows.first().cloned();
                    next = Some(page.saturating_add(1));
                    ready = VecDeque::from(rows);
                }
            },
        )
    }

    fn request(self) -> Request<AnalyticsReport> {
        let body = self.body();
        let trace = self.trace;
        let args = self
            .scope
            .website
            .get()
            .and_then(|website| Ok((website, trace, body?)));
        let core = &self.scope.core;
        let key = Credential::ApiKey(self.scope.key);
        match self.subject {
            Subject::Sessions => Request::with_credential(
                core,
                &operations::QUERY_SESSION_ANALYTICS,
                key,
                invoke!(args, |api, (website, trace, body)| api
                    .query_session_analytics(
                        &website.into(),
                        trace.as_deref(),
                        &body
                    )),
                report,
            ),
            Subject::Pages => Request::with_credential(
                core,
                &operations::QUERY_PAGE_ANALYTICS,
                key,
                invoke!(args, |api, (website, trace, body)| api
                    .query_page_analytics(&website.into(), trace.as_deref(), &body)),
                report,
            ),
        }
    }

    fn body(&self) -> Result<wire::AnalyticsQuery> {
        if self.metrics.is_empty() {
            return Err(Error::invalid(
                "no metric is asked for: call metrics([Metric::VisitCount])",
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
            return Err(Error::invalid(
                "page_size is 0: a page has at least one row",
            ));
        }
        let range = |(start, end)| wire::AnalyticsDateRange { start, end };
        let zone = self.days.zone()?;
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
            date_range: range(self.days.bounds()?),
            previous_date_range: self
                .previous
                .as_ref()
                .map(|previous| bounds(previous, zone).map(range))
                .transpose()?,
        })
    }
}

sendable!(AnalyticsQuery => AnalyticsReport);

/// A query for single sessions about to be sent. Awaiting it gives the rows.
///
/// Neither the path nor the body of this endpoint is public. The contract has a
/// placeholder; set both as TWIPLA tells you.
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
}

impl RawSessions {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            path: None,
            body: Ok(Value::Object(serde_json::Map::new())),
        }
    }

    /// The path of the call, from `/` on, in place of the inferred one.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The body of the call: an object, sent as given.
    pub fn body(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = serde_json::to_value(body).map_err(|error| {
            Error::invalid("the body cannot be written as JSON").with_source(error)
        });
        self
    }
}

impl RawSessions {
    /// Sends the same call, and returns the `payload` of the reply as JSON,
    /// whatever its shape.
    pub async fn raw(self) -> Result<Value> {
        match self.send()? {
            Sent::Contract(request) => request.raw().await,
            Sent::Free(request) => request.await,
        }
    }

    fn send(self) -> Result<Sent> {
        const OPERATION: &twipla_api::Operation = &operations::QUERY_RAW_SESSIONS;
        let body = match self.body {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(other) => Err(Error::invalid(format!(
                "the body {other} is no object: give a map or a struct"
            ))),
            Err(error) => Err(error),
        };
        let body = body.map_err(|error| error.with_operation(OPERATION.id))?;
        if let Some(path) = self.path {
            let request = FreeRequest::new(&self.scope.core, Method::POST, path);
            let request = request.named(OPERATION.id).api_key(self.scope.key);
            return Ok(Sent::Free(request.json(&body)));
        }
        let website = self.scope.website.get();
        let args = website.map(|website| (website, wire::RawSessionsQuery(body)));
        Ok(Sent::Contract(Request::with_credential(
            &self.scope.core,
            OPERATION,
            Credential::ApiKey(self.scope.key),
            invoke!(args, |api, (website, body)| api
                .query_raw_sessions(&website.into(), &body)),
            report,
        )))
    }
}

/// Along the path of the contract, or along one that the caller gave.
enum Sent {
    Contract(Request<AnalyticsReport>),
    Free(FreeRequest),
}

impl IntoFuture for RawSessions {
    type Output = Result<AnalyticsReport>;
    type IntoFuture = BoxFuture<'static, Result<AnalyticsReport>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.send()? {
                Sent::Contract(request) => request.await,
                Sent::Free(request) => {
                    let rows: Vec<serde_json::Map<String, Value>> = request.send_as().await?;
                    Ok(AnalyticsReport {
                        rows: rows.into_iter().map(Row).collect(),
                    })
                }
            }
        })
    }
}

fn report(reply: wire::AnalyticsResponse) -> AnalyticsReport {
    AnalyticsReport {
        rows: reply.payload.into_iter().map(|row| Row(row.0)).collect(),
    }
}
