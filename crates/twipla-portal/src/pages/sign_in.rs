//! Signing in, by choosing a customer, and signing out.

use axum::Form;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::{ButtonForm, layout};
use crate::document;
use crate::problem::Problem;
use crate::session::{Session, no_cookie};
use crate::state::App;

/// The most customers that are offered.
const OFFERED: i64 = 20;

pub(crate) async fn show(
    State(app): State<App>,
    found: Result<Session, Problem>,
) -> Result<Response, Problem> {
    // A session without a customer: its token protects the form. An existing session is kept, because
    // a new one would invalidate the forms of other tabs.
    let (session, cookie) = match found {
        Ok(session) if session.is_signed_in() => return Ok(Redirect::to("/sites").into_response()),
        Ok(session) => (session, None),
        Err(Problem::SignedOut) => {
            let (session, cookie) = Session::begin(&app, None).await?;
            (session, Some(cookie))
        }
        Err(problem) => return Err(problem),
    };
    let customers = app.store.customers(OFFERED).await?;
    let main = html! {
        div.narrow {
            h1 { "Sign in" }
            p.lead { "This is a demonstration: there are no passwords. Choose whose customer area you want to see." }
            form.card method="post" action="/sign-in" {
                (layout::csrf(&session))
                fieldset {
                    legend { "Customer" }
                    @for (n, customer) in customers.iter().enumerate() {
                        label.choice {
                            input type="radio" name="customer" value=(customer.id) checked[n == 0] required;
                            span { strong { (customer.name) } small { (customer.email) } }
                        }
                    }
                }
                button { "Sign in" }
            }
        }
    };
    let cookie = cookie.map(|cookie| [(SET_COOKIE, cookie)]);
    Ok((cookie, document::open_page("Sign in", &main)).into_response())
}

#[derive(Debug, Deserialize)]
pub(crate) struct SignInForm {
    csrf: String,
    customer: String,
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    session: Session,
    Form(form): Form<SignInForm>,
) -> Result<Response, Problem> {
    session.check_csrf(&form.csrf)?;
    let customer = app.store.customer(&form.customer).await?;
    let customer = customer.ok_or(Problem::NotFound)?;
    // A new session, so that one planted by an attacker is not signed in (session fixation).
    session.end(&app.store).await?;
    let (_, cookie) = Session::begin(&app, Some(&customer)).await?;
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/sites")).into_response())
}

pub(crate) async fn sign_out(
    State(app): State<App>,
    session: Session,
    Form(form): Form<ButtonForm>,
) -> Result<Response, Problem> {
    session.check_csrf(&form.csrf)?;
    session.end(&app.store).await?;
    Ok(([(SET_COOKIE, no_cookie(&app))], Redirect::to("/sign-in")).into_response())
}
