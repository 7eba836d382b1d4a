//! The most recent requests, as shown by the console.

use maud::{Markup, html};

use super::text;
use crate::record::RecordedRequest;
use crate::state::World;

/// The number of requests shown.
const SHOWN: usize = 50;

pub(super) fn show(world: &World) -> Markup {
    let total = world.requests.len();
    html! {
        section #requests aria-labelledby="requests-heading" data-live {
            h2 #requests-heading { "Requests" }
            @if total == 0 {
                p.quiet { "None yet. Point a client at this server." }
            } @else {
                p.quiet { "The last " (total.min(SHOWN)) " of " (total) ", newest first" }
                div.scrolls tabindex="0" role="region" aria-labelledby="requests-heading" {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Time" }
                                th scope="col" { "Request" }
                                th scope="col" { "Status" }
                                th.number scope="col" { "ms" }
                            }
                        }
                        tbody {
                            @for request in world.requests.last(SHOWN) { (row(request)) }
                        }
                    }
                }
            }
        }
    }
}

fn row(request: &RecordedRequest) -> Markup {
    html! {
        tr {
            td { time datetime=(request.at.to_rfc3339()) { (request.at.format("%H:%M:%S%.3f")) } }
            td {
                details id={ "request-" (request.number) } {
                    summary { code { b { (text::line(&request.method)) } " " (text::line(&request.path)) } }
                    dl {
                        dt { "Operation" } dd { (request.operation.unwrap_or("none")) }
                        @if !request.query.is_empty() {
                            dt { "Query" } dd { code { (text::line(&request.query)) } }
                        }
                        @for (name, value) in &request.headers {
                            dt { (text::line(name)) } dd { code { (text::line(value)) } }
                        }
                    }
                    @if let Some(body) = &request.body {
                        pre tabindex="0" { (text::body(body)) }
                    }
                }
            }
            td { (status(request.status)) }
            td.number { (request.duration.as_millis()) }
        }
    }
}

fn status(status: u16) -> Markup {
    let class = match status {
        0 | 500.. => "bad",
        400.. => "warn",
        _ => "good",
    };
    html! {
        span.status.(class) { @if status == 0 { "none" } @else { (status) } }
    }
}
