//! `twipla analytics`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;
use futures_util::TryStreamExt as _;
use serde_json::{Map, Value, json};
use twipla::chrono::{Days, NaiveDate, Utc};
use twipla::{Analytics as Data, Dimension, Filter, Graph, Metric, Order, Row, TwiplaWebsiteId};

use crate::complete;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::files;
use crate::output::{Column, Columns, shown};
use crate::plot::{Kind, Plot, Series};
use crate::terminal;

/// The variable with the API key of a website.
const API_KEY: &str = "TWIPLA_API_KEY";
/// How many days are queried by default.
const USUAL_DAYS: u64 = 30;

#[derive(Debug, Subcommand)]
pub(crate) enum Analytics {
    /// Metrics of visits and sessions, by device, browser or country
    #[command(after_help = "Examples:
  twipla analytics sessions site-7 --by deviceType --api-key-file reports.key
  twipla analytics sessions site-7 --by countryCode --metrics visitCount,bounceRate --order -visitCount --limit 10
  twipla analytics sessions site-7 --by browserName --where deviceType=mobile,tablet --png browsers.png
  twipla --sandbox analytics sessions site-1 --by deviceType --plot")]
    Sessions(Report),
    /// Metrics of pages
    #[command(after_help = "Examples:
  twipla analytics pages site-7 --order -visitCount --limit 10 --api-key-file reports.key
  twipla --sandbox analytics pages site-1 --plot")]
    Pages(Report),
    /// Visits, bounce rate or duration of page views per day
    #[command(after_help = "Examples:
  twipla analytics graph site-7 --from 2026-01-01 --to 2026-01-31 --api-key-file reports.key
  twipla analytics graph site-7 --of bounce-rate --svg bounces.svg
  twipla --sandbox analytics graph site-1 --plot")]
    Graph {
        /// What to show
        #[arg(long, value_name = "WHAT", default_value = "visits")]
        of: Of,
        #[command(flatten)]
        query: Query,
    },
    /// Visits by source per day
    #[command(after_help = "Examples:
  twipla analytics traffic site-7 --api-key-file reports.key -o csv
  twipla --sandbox analytics traffic site-1 --plot")]
    Traffic(Query),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    Visits,
    BounceRate,
    PageViewDuration,
}

/// The website, the days, and how they are drawn.
#[derive(Debug, Args)]
pub(crate) struct Query {
    #[arg(add = ArgValueCompleter::new(complete::websites))]
    website: String,
    /// First day; by default 29 days before the last one
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Last day; today by default
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Time zone of the days, such as Europe/Berlin; UTC by default
    #[arg(long, value_name = "NAME")]
    timezone: Option<String>,
    /// File with the API key of the website; - is standard input
    ///
    /// If missing, the key is read from the variable TWIPLA_API_KEY.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Draw a plot even if the output is not a terminal
    #[arg(long, conflicts_with = "no_plot")]
    plot: bool,
    /// Do not draw a plot
    #[arg(long)]
    no_plot: bool,
    /// Draw the plot into this PNG file
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Draw the plot into this SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(flatten)]
    query: Query,
    /// Metrics to compute, such as visitCount, bounceRate, sessionCount
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "visitCount"
    )]
    metrics: Vec<String>,
    /// Dimensions to group by: deviceType, browserName, countryCode, pageUrl
    #[arg(
        long = "by",
        value_name = "NAMES",
        value_delimiter = ',',
        visible_alias = "dimensions"
    )]
    dimensions: Vec<String>,
    /// Show only rows with one of these values
    #[arg(long = "where", value_name = "NAME=VALUES", value_parser = condition)]
    conditions: Vec<(String, Vec<String>)>,
    /// Sort by this metric or dimension; prefix it with - for the largest first
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    order: Vec<String>,
    /// First day to compare with, for metrics such as previousVisitCount
    #[arg(long, value_name = "DATE", requires = "previous_to")]
    previous_from: Option<NaiveDate>,
    /// Last day to compare with
    #[arg(long, value_name = "DATE", requires = "previous_from")]
    previous_to: Option<NaiveDate>,
    /// Stop after this many rows
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Analytics {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Sessions(report) => report.run(context, false).await,
            Self::Pages(mut report) => {
                if report.dimensions.is_empty() {
                    report.dimensions.push(Dimension::PageUrl.to_string());
                }
                report.run(context, true).await
            }
            Self::Graph { of, query } => {
                let data = query.data(context).await?;
                let (what, graph) = match of {
                    Of::Visits => ("visits", data.visits()),
                    Of::BounceRate => ("bounce rate", data.bounce_rate()),
                    Of::PageViewDuration => ("duration of page views", data.page_view_duration()),
                };
                let graph = query.in_zone(graph.date_range(query.days()?)).await?;
                query.show(context, what, graph)
            }
            Self::Traffic(query) => {
                let graph = query.data(context).await?.traffic_share();
                let graph = query.in_zone(graph.date_range(query.days()?)).await?;
                query.show(context, "visits by source", graph)
            }
        }
    }
}

impl Query {
    /// Returns the data of the website, with its API key.
    async fn data(&self, context: &mut Context) -> Result<Data> {
        let twipla = context.client().await?;
        let from_variable = std::env::var(API_KEY)
            .ok()
            .filter(|key| !key.trim().is_empty());
        let key = match (&self.api_key_file, from_variable) {
            (Some(file), _) => files::read(file)?,
            (None, Some(key)) => key,
            // The server ends with the command, and the key with it.
            (None, None) if context.is_in_sandbox() => {
                let keys = twipla.website(self.website.as_str()).api_keys();
                keys.create("twipla analytics")
                    .await?
                    .api_key
                    .expose()
                    .to_owned()
            }
            (None, None) => {
                return Err(Failure::usage(
                    "missing API key of the website",
                    format!(
                        "pass --api-key-file FILE or set {API_KEY}; `twipla keys create` creates a key"
                    ),
                ));
            }
        };
        let website: TwiplaWebsiteId = twipla.website(self.website.as_str()).get().await?.id;
        Ok(twipla.analytics(website, key.trim()))
    }

    fn days(&self) -> Result<std::ops::RangeInclusive<NaiveDate>> {
        let last = self.to.unwrap_or_else(|| Utc::now().date_naive());
        let first = self
            .from
            .or_else(|| last.checked_sub_days(Days::new(USUAL_DAYS - 1)));
        let first = first.ok_or_else(|| {
            Failure::usage(
                format!("invalid --to {last}: expected a later date"),
                "pass --from",
            )
        })?;
        Ok(first..=last)
    }

    fn in_zone(&self, graph: twipla::GraphQuery) -> twipla::GraphQuery {
        match &self.timezone {
            Some(zone) => graph.timezone(zone),
            None => graph,
        }
    }

    /// Shows a graph as a plot, and as a table with a row for each day.
    fn show(&self, context: &mut Context, what: &str, graph: Graph) -> Result<()> {
        let mut names = vec!["label".to_owned()];
        names.extend(graph.series.iter().map(|series| series.label.clone()));
        let rows: Vec<Map<String, Value>> = (0..graph.labels.len())
            .map(|n| {
                let values = graph.series.iter().map(|series| json!(series.data.get(n)));
                let values = std::iter::once(json!(graph.labels[n])).chain(values);
                names.iter().cloned().zip(values).collect()
            })
            .collect();
        for series in &graph.series {
            if let Some(total) = series.total.or(series.average) {
                let which = if series.total.is_some() {
                    "total"
                } else {
                    "average"
                };
                terminal::note(&format!("{}: {which} {total}", shown(&series.label)));
            }
        }
        let series = graph.series.into_iter().map(|series| Series {
            label: series.label,
            values: series.data,
        });
        let plot = Plot {
            title: self.title(what)?,
            labels: graph.labels,
            series: series.collect(),
            kind: Kind::Lines,
        };
        self.draw(context, &plot)?;
        write(context, &names, &rows)
    }

    fn title(&self, what: &str) -> Result<String> {
        let days = self.days()?;
        Ok(format!(
            "{}: {what}, {} to {}",
            self.website,
            days.start(),
            days.end()
        ))
    }

    /// Draws the plot on all requested outputs.
    fn draw(&self, context: &mut Context, plot: &Plot) -> Result<()> {
        if let Some(path) = &self.png {
            plot.save_png(path)?;
            terminal::note(&format!("{}: written", path.display()));
        }
        if let Some(path) = &self.svg {
            plot.save_svg(path)?;
            terminal::note(&format!("{}: written", path.display()));
        }
        let width = context.output.width();
        let for_people = context.output.is_for_people() && (width.is_some() || self.plot);
        if for_people && !self.no_plot && !plot.labels.is_empty() {
            context.output.text(&plot.text(width))?;
            context.output.text("")?;
        }
        Ok(())
    }
}

impl Report {
    async fn run(self, context: &mut Context, pages: bool) -> Result<()> {
        let data = self.query.data(context).await?;
        let mut query = if pages { data.pages() } else { data.sessions() };
        query = query
            .metrics(self.metrics.iter().map(|name| Metric::from(name.as_str())))
            .dimensions(
                self.dimensions
                    .iter()
                    .map(|name| Dimension::from(name.as_str())),
            )
            .date_range(self.query.days()?);
        if let Some(zone) = &self.query.timezone {
            query = query.timezone(zone);
        }
        if let Some((from, to)) = self.previous_from.zip(self.previous_to) {
            query = query.previous_date_range(from..=to);
        }
        for (name, values) in &self.conditions {
            query = query.filter(Filter::eq(name.as_str(), values.iter().map(String::as_str)));
        }
        for name in &self.order {
            query = query.order_by(match name.strip_prefix('-') {
                Some(name) => Order::descending(name),
                None => Order::ascending(name),
            });
        }
        let limit = self.limit.unwrap_or(usize::MAX);
        let mut all = Box::pin(query.stream());
        let mut rows = Vec::new();
        while rows.len() < limit
            && let Some(row) = all.try_next().await?
        {
            rows.push(row);
        }
        self.query.draw(context, &self.plot(&rows)?)?;
        let names: Vec<String> = self
            .dimensions
            .iter()
            .chain(&self.metrics)
            .cloned()
            .collect();
        write(context, &names, &rows)
    }

    /// Returns a plot with a bar for each row, of the first metric.
    fn plot(&self, rows: &[Row]) -> Result<Plot> {
        let metric = self.metrics.first().map(String::as_str).unwrap_or_default();
        let label = |row: &Row| {
            let values = self.dimensions.iter().filter_map(|name| row.get(name));
            let values = values.map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            });
            let values: Vec<String> = values.collect();
            values.join(" ")
        };
        let what = match self.dimensions.as_slice() {
            [] => metric.to_owned(),
            by => format!("{metric} by {}", by.join(", ")),
        };
        Ok(Plot {
            title: self.query.title(&what)?,
            labels: rows.iter().map(label).collect(),
            series: vec![Series {
                label: metric.to_owned(),
                values: rows
                    .iter()
                    .map(|row| row.number(&Metric::from(metric)))
                    .collect(),
            }],
            kind: Kind::Bars,
        })
    }
}

/// Writes rows whose fields are only known now.
fn write(context: &mut Context, names: &[String], rows: &[impl serde::Serialize]) -> Result<()> {
    let titles: Vec<String> = names.iter().map(|name| shown(name)).collect();
    let columns = titles.iter().zip(names);
    let columns: Vec<Column<'_>> = columns
        .map(|(title, path)| Column { title, path })
        .collect();
    let columns = Columns {
        shown: &columns,
        others: &[],
    };
    context.output.all(&columns, rows)
}

fn condition(text: &str) -> Result<(String, Vec<String>), String> {
    match text.split_once('=') {
        Some((name, values)) if !name.is_empty() => Ok((
            name.to_owned(),
            values.split(',').map(str::to_owned).collect(),
        )),
        _ => Err("expected NAME=VALUE,VALUE".into()),
    }
}
