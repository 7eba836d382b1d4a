//! All sites of the customer, and adding one.

use axum::Form;
use axum::extract::State;
use axum::response::{Html, Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{layout, site};
use crate::outbox::{self, Change};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::App;
use crate::store::{Site, add_site};

pub(crate) async fn home() -> Redirect {
    Redirect::to("/sites")
}

pub(crate) async fn show(State(app): State<App>, who: SignedIn) -> Result<Html<String>, Problem> {
    let sites = app.store.sites_of(&who.customer.id).await?;
    let main = html! {
        h1 { "Your sites" }
        @if sites.is_empty() {
            p.lead { "You have no site yet. Add one to see who visits it." }
        } @else {
            (table(&sites))
        }
        section.card aria-labelledby="add" {
            h2 id="add" { "Add a site" }
            form.row method="post" action="/sites" {
                (layout::csrf(&who.session))
                // The id is chosen before the form is sent, so a form that is sent twice creates one site.
                input type="hidden" name="id" value=(Uuid::new_v4());
                div.field {
                    label for="domain" { "Domain" }
                    input #domain name="domain" required maxlength="253" placeholder="shop.example.com"
                        autocomplete="off" spellcheck="false" autocapitalize="none";
                }
                button { "Add site" }
            }
        }
    };
    Ok(layout::page("Your sites", &who, &main))
}

fn table(sites: &[Site]) -> Markup {
    html! {
        div.card.table {
            table {
                caption.hidden { "Your sites" }
                thead { tr {
                    th scope="col" { "Site" }
                    th scope="col" { "Plan" }
                    th scope="col" { "Status" }
                } }
                tbody {
                    @for site in sites {
                        tr {
                            th scope="row" { a href=(site.address()) { (site.domain) } }
                            td { (site.package_name.as_deref().map_or("–", site::plan_name)) }
                            td { (site::badge(site)) }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct AddForm {
    csrf: String,
    id: Uuid,
    domain: String,
}

pub(crate) async fn add(
    State(app): State<App>,
    who: SignedIn,
    Form(form): Form<AddForm>,
) -> Result<Redirect, Problem> {
    who.session.check_csrf(&form.csrf)?;
    let domain = check_domain(&form.domain)?;
    let id = format!("site-{}", form.id);
    // The site and its outbox entry are written in one transaction.
    let mut tx = app.store.begin().await?;
    if add_site(&mut tx, &id, &who.customer.id, &domain).await? {
        let change = Change::AddSite {
            site: id.clone(),
            package: None,
        };
        outbox::add(&mut tx, &change).await?;
        tx.commit().await?;
        app.wake.notify_one();
    }
    Ok(Redirect::to(&format!("/sites/{id}")))
}

/// Checks a domain and returns it in lower case. TWIPLA may still refuse it.
fn check_domain(text: &str) -> Result<String, Problem> {
    let domain = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    if domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label) {
        return Ok(domain);
    }
    Err(Problem::Invalid(format!(
        "{text:?} is not a domain: expected something like shop.example.com, without https:// and without a path."
    )))
}
