//! Generated analytics, always the same for the same website and days: enough
//! for a client to display, compare and page through.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::dimensions::{DIMENSIONS, values};
use super::graph_filter::{self, GraphFilter};
use super::traffic::{Days, Graph, Part, average, noise, one_decimal, visitors};
use crate::account::Website;
use crate::input::{Fields, Query};
use crate::reply::{ApiError, ApiResult, Reply};

/// Returns the rows of a report on sessions or pages.
pub(crate) fn rows(website: Uuid, body: Option<&Value>) -> ApiResult {
    let fields = Fields::of(body)?;
    let metrics = fields.texts("metrics")?;
    if metrics.is_empty() {
        return Err(ApiError::bad("metrics must name at least one metric"));
    }
    let dimensions = fields.texts("dimensions")?;
    let days = Days::of(&fields.object("dateRange")?)?;
    let previous = fields
        .object_opt("previousDateRange")?
        .map(|range| Days::of(&range))
        .transpose()?;
    for name in &dimensions {
        values(name)?;
    }

    let mut groups = vec![Group {
        names: Vec::new(),
        share: 1.0,
    }];
    for name in &dimensions {
        let values = values(name)?;
        groups = groups
            .into_iter()
            .flat_map(|group| group.split(name, values))
            .collect();
    }
    if let Some(filter) = fields.object_opt("where")? {
        filter.only(&["and"])?;
        let mut elsewhere: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for condition in filter.objects("and")? {
            let (member, allowed) = graph_filter::equals(&condition)?;
            if dimensions.contains(&member) {
                groups.retain(|group| {
                    group
                        .names
                        .iter()
                        .any(|(name, value)| *name == member && allowed.contains(value))
                });
            } else {
                elsewhere
                    .entry(member)
                    .and_modify(|earlier| earlier.retain(|value| allowed.contains(value)))
                    .or_insert(allowed);
            }
        }
        for (member, allowed) in elsewhere {
            let share = graph_filter::share(member, &allowed)?;
            for group in &mut groups {
                group.share *= share;
            }
        }
    }

    let scope = Scope {
        website,
        days,
        previous,
    };
    let mut rows = groups
        .iter()
        .map(|group| group.row(&metrics, &scope))
        .collect::<Result<Vec<_>, _>>()?;
    for key in fields.objects("order")?.iter().rev() {
        let (member, direction) = (key.text("member")?, key.text("direction")?);
        let descending = match direction {
            "asc" => false,
            "desc" => true,
            other => {
                return Err(ApiError::bad(format!(
                    "direction {other} is neither asc nor desc"
                )));
            }
        };
        if !metrics.contains(&member) && !dimensions.contains(&member) {
            return Err(ApiError::coded(
                "unknown_member",
                format!("cannot order by {member}: it is not among the metrics and dimensions"),
            ));
        }
        rows.sort_by(|a, b| {
            let order = compare(a.get(member), b.get(member));
            if descending { order.reverse() } else { order }
        });
    }
    if let Some(page) = fields.object_opt("pagination")? {
        let (number, size) = (page.whole("page")?, page.whole("pageSize")?);
        let (Ok(number @ 1..), Ok(size @ 1..)) = (usize::try_from(number), usize::try_from(size))
        else {
            return Err(ApiError::bad(
                "pagination counts from page 1, and pageSize is at least 1",
            ));
        };
        rows = crate::render::window(rows.into_iter(), number - 1, size);
    }
    Reply::payload(200, &rows)
}

/// Returns a graph with one value per day.
pub(crate) fn graph(site: &Website, query: &Query, body: Option<&Value>, kind: Graph) -> ApiResult {
    query.required("type")?;
    let days = Days::of_query(query)?;
    let filter = GraphFilter::of(body, &site.domain)?;
    let data = filter.part(site.id).by_day(days, kind);
    let sum: f64 = data.iter().sum();
    let mut set = Map::new();
    let (label, total) = match kind {
        Graph::Visits => ("visits", json!({ "total": sum })),
        Graph::BounceRate => ("bounceRate", json!({ "totalAverage": average(&data) })),
        Graph::PageViewDuration => (
            "averagePageViewDuration",
            json!({ "totalAverage": average(&data) }),
        ),
    };
    set.insert("label".to_owned(), json!(label));
    set.insert("data".to_owned(), json!(data));
    if let Value::Object(total) = total {
        set.extend(total);
    }
    Reply::payload(200, &json!({ "labels": days.labels(), "datasets": [set] }))
}

/// Returns the visits by traffic source. The response has no `payload`
/// envelope.
pub(crate) fn traffic_share(site: &Website, query: &Query, body: Option<&Value>) -> ApiResult {
    let days = Days::of_query(query)?;
    let filter = GraphFilter::of(body, &site.domain)?;
    let sets: Vec<_> = filter
        .part(site.id)
        .by_source(days)
        .into_iter()
        .map(|(label, data)| json!({ "label": label, "total": data.iter().sum::<f64>(), "data": data }))
        .collect();
    Reply::json(200, &json!({ "labels": days.labels(), "datasets": sets }))
}

/// Returns a few single sessions. The format of real rows is not public; these
/// are invented.
pub(crate) fn raw_sessions(website: Uuid, body: Option<&Value>) -> ApiResult {
    Fields::of(body)?;
    let rows: Vec<_> = (0..3)
        .map(|n| json!({ "sessionId": format!("{}-{n}", website.simple()), "deviceType": "desktop", "pageViews": n + 1 }))
        .collect();
    Reply::payload(200, &rows)
}

/// A combination of dimension values, and its share of the visits.
struct Group {
    names: Vec<(&'static str, &'static str)>,
    share: f64,
}

/// The website and date ranges of a metric.
struct Scope {
    website: Uuid,
    days: Days,
    previous: Option<Days>,
}

impl Group {
    fn split(self, name: &str, values: &'static [(&'static str, f64)]) -> Vec<Self> {
        let Some((name, _)) = DIMENSIONS.iter().find(|(known, _)| *known == name) else {
            return Vec::new();
        };
        values
            .iter()
            .map(|(value, share)| {
                let mut names = self.names.clone();
                names.push((*name, *value));
                Self {
                    names,
                    share: self.share * share / 100.0,
                }
            })
            .collect()
    }

    fn row(&self, metrics: &[&str], scope: &Scope) -> Result<Map<String, Value>, ApiError> {
        let mut row: Map<_, _> = self
            .names
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        for metric in metrics {
            row.insert((*metric).to_owned(), json!(self.metric(metric, scope)?));
        }
        Ok(row)
    }

    fn metric(&self, name: &str, scope: &Scope) -> Result<f64, ApiError> {
        let part = Part {
            share: self.share,
            ..Part::whole(scope.website)
        };
        let before = || {
            let days = scope.previous.ok_or_else(|| {
                ApiError::coded(
                    "missing_previous_range",
                    format!("{name} needs previousDateRange"),
                )
            })?;
            Ok::<_, ApiError>(part.total(days))
        };
        let visits = part.total(scope.days);
        let seed: String = self
            .names
            .iter()
            .flat_map(|(_, value)| [*value, "|"])
            .collect();
        Ok(match name {
            "visitCount" => visits,
            "visitorCount" => visitors(visits),
            "sessionCount" => (visits * 1.1).round(),
            "visitPercentOfTotal" | "sessionPercentOfTotal" => one_decimal(self.share * 100.0),
            "bounceRate" => {
                one_decimal(30.0 + noise(scope.website, scope.days.first, &seed) * 40.0)
            }
            "averageVisitDuration" => {
                one_decimal(40.0 + noise(scope.website, scope.days.last, &seed) * 200.0)
            }
            "previousVisitCount" => before()?,
            "previousSessionCount" => (before()? * 1.1).round(),
            "visitCountPercentageChange" => {
                let before = before()?;
                if before > 0.0 {
                    one_decimal((visits - before) / before * 100.0)
                } else {
                    0.0
                }
            }
            other => {
                return Err(ApiError::coded(
                    "unknown_metric",
                    format!("metric {other} is not known"),
                ));
            }
        })
    }
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> std::cmp::Ordering {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(a), Some(b)) => a
            .as_f64()
            .unwrap_or_default()
            .total_cmp(&b.as_f64().unwrap_or_default()),
        _ => std::cmp::Ordering::Equal,
    }
}
