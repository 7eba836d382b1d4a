//! The parts common to all pages: document, script, style and security headers.

use maud::{DOCTYPE, Markup, html};

use super::locale::Locale;
use crate::reply::{Body, Reply};

/// Below the dashboard's own paths, so that they cannot collide with the API.
const SCRIPT: &str = "/dashboard/assets/dashboard.js";
const STYLE: &str = "/dashboard/assets/dashboard.css";

/// Only our own script and style are allowed, but any page may be the parent.
/// URLs contain a token, so they are neither cached nor sent as a referrer.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors *",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

/// Returns the script or style of a path, if it has one.
pub(super) fn asset(path: &str) -> Option<Reply> {
    let (content_type, text) = match path {
        SCRIPT => (
            "text/javascript; charset=utf-8",
            include_str!("dashboard.js"),
        ),
        STYLE => ("text/css; charset=utf-8", include_str!("dashboard.css")),
        _ => return None,
    };
    Some(file(200, content_type, text.to_owned()))
}

/// Creates the response for a page.
pub(super) fn reply(status: u16, page: Markup) -> Reply {
    file(status, "text/html; charset=utf-8", page.into_string())
}

/// Renders the document around the content of a page.
pub(super) fn layout(locale: Locale, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(locale.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // An empty icon keeps the browser from requesting one.
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(STYLE);
                script src=(SCRIPT) defer {}
            }
            body { (content) }
        }
    }
}

fn file(status: u16, content_type: &'static str, text: String) -> Reply {
    Reply {
        status,
        body: Body::File {
            content_type,
            headers: HEADERS,
            text,
        },
    }
}
