//! The HTML that all pages share.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

/// A page that needs no sign-in.
pub(crate) fn open_page(title: &str, main: &Markup) -> Html<String> {
    whole(title, &html! {}, main)
}

/// An error page.
pub(crate) fn problem(title: &str, text: &str) -> Html<String> {
    let main = html! {
        h1 { (title) }
        p.lead { (text) }
        p { a.button href="/sites" { "Back to your sites" } }
    };
    open_page(title, &main)
}

/// A whole page; `account` is the part of its header that shows who is signed in.
pub(crate) fn whole(title: &str, account: &Markup, main: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Example Hosting" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/assets/portal.css";
                script defer src="/assets/portal.js" {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    a.brand href="/sites" { span.mark aria-hidden="true" {} "Example Hosting" }
                    (account)
                }
                main id="main" tabindex="-1" { (main) }
                footer { p { "A demonstration of a hosting company's customer area. Nobody is charged." } }
            }
        }
    };
    Html(page.into_string())
}
