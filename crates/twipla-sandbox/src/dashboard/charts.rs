//! SVG charts. Each has a description and a table.

use maud::{Markup, html};

use super::locale::Locale;
use crate::rules::traffic::Days;

/// Size of the chart of visits over time.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 240.0;
/// Space for the scale on the left, and for the dates below.
const LEFT: f64 = 52.0;
const BELOW: f64 = 26.0;
const ABOVE: f64 = 10.0;
/// Number of grid lines above zero.
const LINES: u32 = 4;
/// With more days than this, no dots are drawn.
const DOTS: usize = 62;
/// Circumference of the ring.
const RING: f64 = 100.0;

/// Draws a line chart with one value per day.
pub(super) fn line(days: Days, values: &[f64], locale: Locale) -> Markup {
    let texts = locale.texts();
    let number = |value: f64| locale.number(value, 0);
    let step = step(largest(values) / f64::from(LINES));
    let top = step * f64::from(LINES);
    let y = |value: f64| ABOVE + (HEIGHT - ABOVE - BELOW) * (1.0 - value / top);
    let points: Vec<_> = days
        .iter()
        .zip(values)
        .enumerate()
        .map(|(at, (day, value))| (x(at, values.len()), y(*value), day, *value))
        .collect();
    let path: Vec<_> = points
        .iter()
        .map(|(x, y, ..)| format!("{x:.1} {y:.1}"))
        .collect();
    let (line, floor) = (path.join(" L "), y(0.0));
    let area = format!(
        "M {:.1} {floor:.1} L {line} L {:.1} {floor:.1} Z",
        x(0, values.len()),
        x(values.len().saturating_sub(1), values.len()),
    );
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let ends = [0, values.len() / 2, values.len().saturating_sub(1)];
    html! {
        svg.line role="img" viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) aria-labelledby="line-title line-text" {
            title #line-title { (texts.visits_over_time) }
            desc #line-text {
                (locale.date(days.first)) " – " (locale.date(days.last)) ": "
                (number(values.iter().sum())) " " (texts.visits) ", "
                (texts.most) " " (number(largest(values))) ", "
                (texts.least) " " (number(least))
            }
            @for value in (0..=LINES).map(|line| f64::from(line) * step) {
                line.scale x1=(LEFT) x2=(WIDTH) y1=(format!("{:.1}", y(value))) y2=(format!("{:.1}", y(value))) {}
                text.scale x=(LEFT - 8.0) y=(format!("{:.1}", y(value) + 4.0)) text-anchor="end" { (number(value)) }
            }
            path.area d=(area) {}
            path.stroke d=(format!("M {line}")) {}
            @if points.len() <= DOTS {
                @for (x, y, day, value) in &points {
                    circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="4" {
                        title { (locale.date(*day)) ": " (number(*value)) }
                    }
                }
            }
            @for (at, anchor) in ends.iter().zip(["start", "middle", "end"]) {
                @if let Some((x, _, day, _)) = points.get(*at) {
                    @if anchor == "start" || points.len() > 2 {
                        text.scale x=(format!("{x:.1}")) y=(HEIGHT - 6.0) text-anchor=(anchor) { (locale.date(*day)) }
                    }
                }
            }
        }
        details {
            summary { (texts.as_table) }
            div.scrolls tabindex="0" role="region" aria-label=(texts.visits_over_time) {
                table {
                    caption.hidden { (texts.visits_over_time) }
                    thead { tr { th scope="col" { (texts.day) } th.number scope="col" { (texts.visits) } } }
                    tbody {
                        @for (_, _, day, value) in &points {
                            tr { th scope="row" { time datetime=(day) { (locale.date(*day)) } } td.number { (number(*value)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Renders a table of named values, with a bar for each.
pub(super) fn bars(title: &str, kind: &str, values: &[(&str, f64)], locale: Locale) -> Markup {
    let most = values.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    html! {
        (table(title, kind, values, locale, &|_, value| html! {
            svg.bar aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none" {
                rect.track width="100" height="8" rx="2" {}
                rect width=(format!("{:.1}", value / most * 100.0)) height="8" rx="2" {}
            }
        }))
    }
}

/// Draws a ring chart, with a table as its legend.
pub(super) fn ring(title: &str, kind: &str, values: &[(&str, f64)], locale: Locale) -> Markup {
    let total = total(values);
    let mut from = 0.0;
    let parts: Vec<_> = values
        .iter()
        .map(|(name, value)| {
            let (start, length) = (from, value / total * RING);
            from += length;
            (*name, start, length, *value)
        })
        .collect();
    html! {
        div.ring {
            svg role="img" viewBox="0 0 42 42" aria-labelledby="ring-title ring-text" {
                title #ring-title { (title) }
                desc #ring-text {
                    @for (at, (name, _, length, _)) in parts.iter().enumerate() {
                        @if at > 0 { ", " }
                        (name) " " (locale.percent(*length))
                    }
                }
                // A circle with this radius has a circumference of 100.
                @for (at, (name, start, length, value)) in parts.iter().enumerate() {
                    circle class={ "part part-" (at) } cx="21" cy="21" r="15.9155" pathLength=(RING)
                        stroke-dasharray=(format!("{length:.2} {:.2}", RING - length))
                        stroke-dashoffset=(format!("{:.2}", RING / 4.0 - start)) {
                        title { (name) ": " (locale.number(*value, 0)) }
                    }
                }
            }
            (table(title, kind, values, locale, &|at, _| html! {
                svg.key aria-hidden="true" viewBox="0 0 10 10" { rect class={ "part-" (at) } width="10" height="10" rx="2" {} }
            }))
        }
    }
}

fn table(
    title: &str,
    kind: &str,
    values: &[(&str, f64)],
    locale: Locale,
    mark: &dyn Fn(usize, f64) -> Markup,
) -> Markup {
    let texts = locale.texts();
    let total = total(values);
    html! {
        table {
            caption.hidden { (title) }
            thead.hidden {
                tr {
                    th scope="col" { (kind) }
                    th scope="col" { (texts.visits) }
                    th scope="col" { (texts.share) }
                }
            }
            tbody {
                @for (at, (name, value)) in values.iter().enumerate() {
                    tr {
                        th scope="row" { (mark(at, *value)) span { (name) } }
                        td.number { (locale.number(*value, 0)) }
                        td.number.quiet { (locale.percent(value / total * 100.0)) }
                    }
                }
            }
        }
    }
}

/// Returns the sum; positive, so that it can be a divisor.
fn total(values: &[(&str, f64)]) -> f64 {
    values
        .iter()
        .map(|(_, value)| value)
        .sum::<f64>()
        .max(f64::MIN_POSITIVE)
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Returns the x coordinate of value `at` of `count`.
fn x(at: usize, count: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "some thousand days at most")]
    let share = at as f64 / (count.saturating_sub(1).max(1)) as f64;
    let room = WIDTH - LEFT - 6.0;
    LEFT + room * share
}

/// Returns the smallest of 1, 2, 5, 10, 20, 50, … that is at least `at_least`.
fn step(at_least: f64) -> f64 {
    let mut power = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if step * power >= at_least {
                return step * power;
            }
        }
        power *= 10.0;
    }
}
