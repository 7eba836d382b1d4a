//! What all pages have: the document around them, their script and style, and
//! the headers that keep them safe.

use maud::{DOCTYPE, Markup, html};

use super::locale::Locale;
use crate::reply::{Body, Reply};

/// Under the dashboard's own paths, where no operation of the API can be.
const SCRIPT: &str = "/dashboard/assets/dashboard.js";
const STYLE: &str = "/dashboard/assets/dashboard.css";

/// No script or style but ours. Any page may frame these, which is what they are
/// for. An address holds a token, so it is neither kept nor told to anybody.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors *",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

/// The script or style, if the path is its.
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

/// The response that shows a page.
pub(super) fn reply(status: u16, page: Markup) -> Reply {
    file(status, "text/html; charset=utf-8", page.into_string())
}

/// The document around the content of a page.
pub(super) fn layout(locale: Locale, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(locale.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // None: the browser does not ask for one then.
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
