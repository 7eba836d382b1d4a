//! The pages: one module for each, with its handlers and its HTML. maud escapes whatever is put into it.

pub(crate) mod analytics;
pub(crate) mod assets;
pub(crate) mod layout;
pub(crate) mod operator;
pub(crate) mod plan;
pub(crate) mod sign_in;
pub(crate) mod site;
pub(crate) mod sites;
pub(crate) mod team;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::App;
use crate::store::Site;

/// A form that has nothing but a button.
#[derive(Debug, Deserialize)]
pub(crate) struct ButtonForm {
    pub(crate) csrf: String,
}

/// What is encoded in a path. The id of a site that was adopted is somebody else's choice.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Site {
    /// The path of its page.
    pub(crate) fn address(&self) -> String {
        format!("/sites/{}", utf8_percent_encode(&self.id, ENCODED))
    }
}

/// The site of a path, if it is the customer's own.
pub(crate) async fn own_site(app: &App, who: &SignedIn, id: &str) -> Result<Site, Problem> {
    match app.store.site(id).await? {
        Some(site) if site.customer_id == who.customer.id => Ok(site),
        // Somebody else's is as good as none: nobody learns which ids exist.
        _ => Err(Problem::NotFound),
    }
}
