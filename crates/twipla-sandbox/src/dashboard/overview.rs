//! The first page: the visits of the website in the selected days.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::access::Access;
use super::address::{kept, link};
use super::charts;
use super::locale::Locale;
use super::message::message;
use super::page;
use super::page_error::PageError;
use super::upgrade;
use super::view::View;
use crate::input::Query;
use crate::rules::traffic::{self, Graph, Part};
use crate::state::World;

/// Renders the page of a dashboard URL.
pub(super) fn show(
    world: &World,
    query: &Query,
    locale: Locale,
    now: DateTime<Utc>,
) -> Result<Markup, PageError> {
    let access = Access::find(world, query, now)?;
    let view = View::of(query, world.clock.billing_time(now))?;
    let texts = locale.texts();
    let figures = Figures::of(access.site.id, &view, locale);
    Ok(page::layout(
        locale,
        &format!("{} · {}", access.site.domain, texts.dashboard),
        &html! {
            main {
                (heading(&access, &view, query, locale))
                (dates(&view, query, locale))
                p.confirmation role="status" {}
                section.tiles aria-label=(texts.key_figures) {
                    (tile(texts.visits, &locale.number(figures.visits.iter().sum(), 0)))
                    (tile(texts.visitors, &locale.number(figures.visitors, 0)))
                    (tile(texts.bounce_rate, &locale.percent(figures.bounce_rate)))
                    (tile(
                        texts.page_view_duration,
                        &format!("{}\u{a0}{}", locale.number(figures.duration, 1), texts.seconds),
                    ))
                }
                section.card.wide {
                    h2 { (texts.visits_over_time) }
                    (charts::line(view.days, &figures.visits, locale))
                }
                div.grid {
                    section.card #pages {
                        h2 { (texts.pages) }
                        (charts::bars(texts.pages, texts.page, &figures.pages, locale))
                    }
                    section.card #devices {
                        h2 { (texts.devices) }
                        (charts::ring(texts.devices, texts.device, &figures.devices, locale))
                    }
                    section.card #sources {
                        h2 { (texts.sources) }
                        (charts::bars(texts.sources, texts.source, &figures.sources, locale))
                    }
                }
            }
        },
    ))
}

/// The numbers of the page, which match the analytics API.
struct Figures {
    visits: Vec<f64>,
    visitors: f64,
    bounce_rate: f64,
    duration: f64,
    pages: Vec<(&'static str, f64)>,
    devices: Vec<(&'static str, f64)>,
    sources: Vec<(&'static str, f64)>,
}

impl Figures {
    fn of(website: uuid::Uuid, view: &View, locale: Locale) -> Self {
        let (all, days) = (Part::whole(website), view.days);
        let average = |graph| traffic::average(&all.by_day(days, graph));
        let named = |values: Vec<(&'static str, f64)>| {
            values
                .into_iter()
                .map(|(value, visits)| (locale.texts().name(value), visits))
                .collect()
        };
        let by_source = all
            .by_source(days)
            .into_iter()
            .map(|(source, visits)| (source, visits.iter().sum()))
            .collect();
        Self {
            visits: all.by_day(days, Graph::Visits),
            visitors: traffic::visitors(all.total(days)),
            bounce_rate: average(Graph::BounceRate),
            duration: average(Graph::PageViewDuration),
            pages: all.by_value(days, "pageUrl").unwrap_or_default(),
            devices: named(all.by_value(days, "deviceType").unwrap_or_default()),
            sources: named(by_source),
        }
    }
}

fn heading(access: &Access<'_>, view: &View, query: &Query, locale: Locale) -> Markup {
    let texts = locale.texts();
    let has_button = query.get("allowUpgrade") == Some("true") && access.may_upgrade;
    html! {
        header {
            div {
                h1 { (access.site.domain) }
                p.quiet {
                    (locale.date(view.days.first)) " – " (locale.date(view.days.last))
                    " · " (texts.timezone) ": " (view.timezone.name())
                    " · " (texts.package_now) ": " (access.package.name)
                }
            }
            @if has_button && access.is_platform_managed() {
                a.button #upgrade href=(link(upgrade::PATH, &kept(query, &[]))) { (texts.upgrade) }
            } @else if has_button {
                button.button #upgrade type="button" data-confirmation=(texts.upgrade_requested)
                    data-post=(message("UPGRADE_BUTTON_CLICKED", access)) { (texts.upgrade) }
            }
        }
    }
}

fn dates(view: &View, query: &Query, locale: Locale) -> Markup {
    let texts = locale.texts();
    html! {
        form.dates method="get" action="/" {
            @for (name, value) in kept(query, &["startDate", "endDate"]) {
                input type="hidden" name=(name) value=(value);
            }
            label { (texts.from) " " input type="date" name="startDate" value=(view.days.first) required; }
            label { (texts.to) " " input type="date" name="endDate" value=(view.days.last) required; }
            button type="submit" { (texts.show) }
        }
    }
}

fn tile(name: &str, value: &str) -> Markup {
    html! {
        div.card {
            p.quiet { (name) }
            p.figure { (value) }
        }
    }
}
