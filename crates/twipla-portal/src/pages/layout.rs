//! The layout of pages for a signed-in customer.

use axum::response::Html;
use maud::{Markup, html};

use crate::document;
use crate::session::{Session, SignedIn};

/// Renders a page for a signed-in customer.
pub(crate) fn page(title: &str, who: &SignedIn, main: &Markup) -> Html<String> {
    let account = html! {
        div.account {
            span { "Signed in as " strong { (who.customer.name) } }
            form method="post" action="/sign-out" {
                (csrf(&who.session))
                button.quiet { "Sign out" }
            }
        }
    };
    document::whole(title, &account, main)
}

/// Renders the token that every form contains.
pub(crate) fn csrf(session: &Session) -> Markup {
    html! { input type="hidden" name="csrf" value=(session.csrf); }
}
