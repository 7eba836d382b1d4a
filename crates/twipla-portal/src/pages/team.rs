//! The contributors of a site.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::{layout, own_site};
use crate::outbox::{self, Change};
use crate::problem::Problem;
use crate::session::{Session, SignedIn};
use crate::state::App;
use crate::store::{Contributor, Site};

/// The roles, with their permissions.
const ROLES: [(&str, &str); 3] = [
    ("watcher", "May look"),
    ("editor", "May look and edit"),
    ("dashboard", "Sees shared dashboards only"),
];

pub(crate) fn card(site: &Site, team: &[Contributor], session: &Session) -> Markup {
    html! {
        section.card aria-labelledby="team" {
            h2 id="team" { "Team" }
            @if team.is_empty() {
                p { "Only you see the analytics of this site." }
            } @else {
                ul.people {
                    @for contributor in team {
                        li {
                            strong { (contributor.customer.name) } " "
                            span.muted { (contributor.role) ", " (contributor.state) }
                        }
                    }
                }
            }
            form.row method="post" action={ (site.address()) "/contributors" } {
                (layout::csrf(session))
                div.field {
                    label for="email" { "Customer's e-mail address" }
                    input #email name="email" type="email" required autocomplete="off";
                }
                div.field {
                    label for="role" { "Role" }
                    select #role name="role" {
                        @for (role, what) in ROLES { option value=(role) { (what) } }
                    }
                }
                button { "Invite" }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct InviteForm {
    csrf: String,
    email: String,
    role: String,
}

pub(crate) async fn invite(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
    Form(form): Form<InviteForm>,
) -> Result<Redirect, Problem> {
    who.session.check_csrf(&form.csrf)?;
    let site = own_site(&app, &who, &id).await?;
    if !site.is_live() {
        return Err(Problem::Busy);
    }
    if !ROLES.iter().any(|(role, _)| *role == form.role) {
        return Err(Problem::Invalid("Choose one of the roles.".to_owned()));
    }
    let email = form.email.trim();
    let invited = app.store.customer_by_email(email).await?;
    let invited = invited.filter(|invited| invited.id != who.customer.id);
    let Some(invited) = invited else {
        return Err(Problem::Invalid(format!(
            "No other customer of ours has the address {email}. Only customers can be invited."
        )));
    };
    let change = Change::Invite {
        site: site.id.clone(),
        customer: invited.id.clone(),
        role: form.role.clone(),
    };
    let mut tx = app.store.begin().await?;
    sqlx::query(
        "INSERT INTO contributors (site_id, customer_id, role, state) VALUES ($1, $2, $3, 'invited')
         ON CONFLICT (site_id, customer_id) DO UPDATE SET role = $3, state = 'invited'",
    )
    .bind(&site.id)
    .bind(&invited.id)
    .bind(&form.role)
    .execute(&mut *tx)
    .await
    .map_err(Problem::from)?;
    if !outbox::add(&mut tx, &change).await? {
        return Err(Problem::Busy);
    }
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Redirect::to(&site.address()))
}
