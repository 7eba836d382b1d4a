//! The pages: one module for each, with its handlers and its HTML. maud escapes all values.

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

/// A form with a single button.
#[derive(Debug, Deserialize)]
pub(crate) struct ButtonForm {
    pub(crate) csrf: String,
}

/// Characters that are encoded in a path. Ids of adopted sites may contain anything.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Site {
    /// Returns the path of the site's page.
    pub(crate) fn address(&self) -> String {
        format!("/sites/{}", utf8_percent_encode(&self.id, ENCODED))
    }
}

/// Returns the site of a path if it belongs to the customer.
pub(crate) async fn own_site(app: &App, who: &SignedIn, id: &str) -> Result<Site, Problem> {
    match app.store.site(id).await? {
        Some(site) if site.customer_id == who.customer.id => Ok(site),
        // Sites of others get the same response as unknown ones, so that nobody learns which ids exist.
        _ => Err(Problem::NotFound),
    }
}
