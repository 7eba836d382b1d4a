//! Choosing a plan, paying for it, canceling and resuming it.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use sqlx::Row as _;
use twipla::types::{BillingInterval, Package, PackageVisibility};
use twipla::{PackageId, Twipla};
use uuid::Uuid;

use super::{ButtonForm, layout, own_site};
use crate::format;
use crate::outbox::{self, Change};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::App;
use crate::store::{Site, Tx, now};

/// The page with all plans, for browsers without the modal.
pub(crate) async fn choose(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let site = own_site(&app, &who, &id).await?;
    let packages = offered(&app.twipla).await?;
    let main = html! {
        nav aria-label="Breadcrumb" { a href=(site.address()) { (site.domain) } " / Change plan" }
        h1 { "Choose a plan" }
        div.card { (chooser(&site, &packages)) }
    };
    Ok(layout::page("Choose a plan", &who, &main))
}

/// The form with all plans: in the page above, and in the modal over the dashboard.
pub(crate) fn chooser(site: &Site, packages: &[Package]) -> Markup {
    let current = site.package_id.as_deref();
    html! {
        form method="get" action={ (site.address()) "/checkout" } {
            fieldset.plans {
                legend { "Plans for " (site.domain) }
                @for package in packages {
                    @let is_current = current == Some(package.id.to_string().as_str());
                    label.choice {
                        input type="radio" name="package" value=(package.id) required
                            checked[package.recommended && !is_current] disabled[is_current];
                        span {
                            strong { (package.name) }
                            @if is_current { span.badge { "Your plan" } }
                            @else if package.recommended { span.badge.good { "Recommended" } }
                            small { (format::number(package.touchpoints.get())) " touchpoints" }
                        }
                        span.price { (price(package)) }
                    }
                }
            }
            div.buttons { button { "Continue to payment" } }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    package: PackageId,
}

pub(crate) async fn checkout(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Html<String>, Problem> {
    let site = own_site(&app, &who, &id).await?;
    let package = one_offered(&app.twipla, chosen.package).await?;
    let amount = hundredths(package.price);
    let main = html! {
        nav aria-label="Breadcrumb" { a href={ (site.address()) "/plans" } { "Choose a plan" } " / Payment" }
        div.narrow {
            h1 { "Payment" }
            div.card {
                dl {
                    dt { "Site" } dd { (site.domain) }
                    dt { "Plan" } dd { (package.name) ", " (format::number(package.touchpoints.get())) " touchpoints" }
                    dt { "Price" } dd { strong { (price(&package)) } }
                }
                form method="post" action={ (site.address()) "/orders" } {
                    (layout::csrf(&who.session))
                    // As for sites: a form that is sent twice is one order.
                    input type="hidden" name="order" value=(Uuid::new_v4());
                    input type="hidden" name="package" value=(package.id);
                    input type="hidden" name="amount" value=(amount);
                    button { "Pay " (format::money(amount, package.currency.as_str())) }
                }
                p.muted { "A demonstration: this button takes the place of your payment provider, and nothing is charged." }
            }
        }
    };
    Ok(layout::page("Payment", &who, &main))
}

#[derive(Debug, Deserialize)]
pub(crate) struct OrderForm {
    csrf: String,
    order: Uuid,
    package: PackageId,
    amount: i64,
}

pub(crate) async fn order(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
    Form(form): Form<OrderForm>,
) -> Result<Redirect, Problem> {
    who.session.check_csrf(&form.csrf)?;
    let site = own_site(&app, &who, &id).await?;
    if !site.is_live() {
        return Err(Problem::Busy);
    }
    let package = one_offered(&app.twipla, form.package).await?;
    let amount = hundredths(package.price);
    if amount != form.amount {
        return Err(Problem::Invalid(
            "The price has changed since you opened the page. Please look at it again.".to_owned(),
        ));
    }
    // The order and the change that it pays for are written in one transaction.
    let mut tx = app.store.begin().await?;
    let added = sqlx::query(
        "INSERT INTO orders (id, site_id, package_id, package_name, amount, currency, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'paid', $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(form.order.to_string())
    .bind(&site.id)
    .bind(package.id.to_string())
    .bind(&package.name)
    .bind(amount)
    .bind(package.currency.as_str())
    .bind(now())
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 1 {
        let change = Change::MoveTo {
            site: site.id.clone(),
            package: package.id,
            order: form.order.to_string(),
        };
        if !outbox::add(&mut tx, &change).await? {
            return Err(Problem::Busy);
        }
        // Checked only now: another tab may have bought the plan, and while this change is open no other can end.
        check_sale(&mut tx, &site.id, package.id).await?;
        tx.commit().await?;
        app.wake.notify_one();
    }
    Ok(Redirect::to(&site.address()))
}

pub(crate) async fn cancel(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
    Form(form): Form<ButtonForm>,
) -> Result<Redirect, Problem> {
    let change = Change::Cancel { site: id };
    change_subscription(&app, &who, &form, change).await
}

pub(crate) async fn resume(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
    Form(form): Form<ButtonForm>,
) -> Result<Redirect, Problem> {
    let change = Change::Resume { site: id };
    change_subscription(&app, &who, &form, change).await
}

async fn change_subscription(
    app: &App,
    who: &SignedIn,
    form: &ButtonForm,
    change: Change,
) -> Result<Redirect, Problem> {
    who.session.check_csrf(&form.csrf)?;
    let site = own_site(app, who, change.site()).await?;
    let mut tx = app.store.begin().await?;
    if !site.is_live() || !outbox::add(&mut tx, &change).await? {
        return Err(Problem::Busy);
    }
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Redirect::to(&site.address()))
}

/// Returns the packages on sale, smallest first.
pub(crate) async fn offered(twipla: &Twipla) -> twipla::Result<Vec<Package>> {
    let mut packages = twipla.packages().list().await?;
    packages.retain(|package| {
        package.price > 0.0
            && package.period == BillingInterval::Monthly
            && package.visibility == PackageVisibility::Public
    });
    packages.sort_by(|a, b| a.price.total_cmp(&b.price));
    Ok(packages)
}

/// Rejects the current package, and changes that TWIPLA does not allow.
async fn check_sale(tx: &mut Tx<'_>, site: &str, package: PackageId) -> Result<(), Problem> {
    let row = sqlx::query("SELECT status, package_id, planned_package_id FROM sites WHERE id = $1")
        .bind(site)
        .fetch_one(&mut **tx)
        .await?;
    let package = Some(package.to_string());
    let why = if row.try_get::<Option<String>, _>("package_id")? == package {
        "The site has this plan already."
    } else if row.try_get::<Option<String>, _>("planned_package_id")? == package {
        "The site will have this plan when its period ends."
    } else if row.try_get::<String, _>("status")? == "canceled" {
        "The subscription is canceled. Resume it first, then change the plan."
    } else {
        return Ok(());
    };
    Err(Problem::Invalid(format!("{why} Nothing was charged.")))
}

async fn one_offered(twipla: &Twipla, id: PackageId) -> Result<Package, Problem> {
    let packages = offered(twipla).await?;
    let package = packages.into_iter().find(|package| package.id == id);
    package.ok_or(Problem::NotFound)
}

fn price(package: &Package) -> String {
    let amount = format::money(hundredths(package.price), package.currency.as_str());
    format!("{amount} a month")
}

/// Returns a price in hundredths.
#[allow(clippy::cast_possible_truncation, reason = "no price comes near")]
fn hundredths(price: f64) -> i64 {
    (price * 100.0).round() as i64
}
