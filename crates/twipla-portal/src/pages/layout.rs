//! What the pages of somebody who is signed in share.

use axum::response::Html;
use maud::{Markup, html};

use crate::document;
use crate::session::{Session, SignedIn};

/// A page of somebody who is signed in.
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

/// The token that every form carries.
pub(crate) fn csrf(session: &Session) -> Markup {
    html! { input type="hidden" name="csrf" value=(session.csrf); }
}
