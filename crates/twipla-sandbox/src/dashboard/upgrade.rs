//! The upgrade page, for platform-managed billing: the choice of a package, the
//! checkout, and the change itself.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::json;
use twipla_api::operations::{UPGRADE_INTPC_SUBSCRIPTION, UPGRADE_WEBSITE_SUBSCRIPTION};
use twipla_api::types::{BillingInterval, Package};

use super::access::Access;
use super::address::{kept, link};
use super::locale::Locale;
use super::message::message;
use super::page;
use super::page_error::PageError;
use crate::account::Model;
use crate::input::Query;
use crate::rules::context::OperationContext;
use crate::rules::{dispatch_management, upgrades};
use crate::state::World;

/// The path of the page.
pub(super) const PATH: &str = "/upgrade";

/// Renders the packages to choose from, or the checkout of the package in the
/// URL.
pub(super) fn show(
    world: &World,
    query: &Query,
    locale: Locale,
    now: DateTime<Utc>,
) -> Result<Markup, PageError> {
    let access = customer(world, query, now)?;
    let offers = upgrades(access.account, &access.subscription, access.subscriber_id());
    let Some(wanted) = query.get("upgradePackageId") else {
        return Ok(choice(&access, query, &offers, locale));
    };
    let package = offered(&offers, wanted)?;
    let token = form_token(&world.form_key, &access, package);
    Ok(checkout(
        &access,
        query,
        package,
        &URL_SAFE_NO_PAD.encode(token),
        locale,
    ))
}

/// Changes the subscription to the package of a submitted checkout form.
pub(super) fn carry_out(
    world: &mut World,
    query: &Query,
    body: &[u8],
    locale: Locale,
    now: DateTime<Utc>,
) -> Result<Markup, PageError> {
    let form = Query::parse(&String::from_utf8_lossy(body));
    let access = customer(world, query, now)?;
    let offers = upgrades(access.account, &access.subscription, access.subscriber_id());
    let wanted = form.get("packageId").unwrap_or_default();
    let package = offered(&offers, wanted)?;
    let given = URL_SAFE_NO_PAD
        .decode(form.get("formToken").unwrap_or_default())
        .map_err(|_| PageError::InvalidForm)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &world.form_key);
    hmac::verify(&key, &signed_text(&access, package), &given)
        .map_err(|_| PageError::InvalidForm)?;

    // Runs the API's rule, so that both make the same changes.
    let (operation, id_field) = match access.account.model {
        Model::Website => (&UPGRADE_WEBSITE_SUBSCRIPTION, "intpWebsiteId"),
        Model::Account => (&UPGRADE_INTPC_SUBSCRIPTION, "intpcId"),
    };
    let change = json!({ id_field: access.subscriber_id(), "packageId": package.id });
    let partner = access.account.id;
    let time = world.clock.billing_time(now);
    let account = world
        .accounts
        .get_mut(&partner)
        .ok_or(PageError::InvalidToken)?;
    let context = OperationContext {
        account,
        now: time,
        path: &[],
        query: &Query::parse(""),
        body: Some(&change),
        commits: world.commits.recorder(operation.id, partner),
    };
    dispatch_management(operation, context).map_err(|_| PageError::UnavailablePackage)?;
    let access = Access::find(world, query, now)?;
    Ok(upgraded(&access, query, locale))
}

/// Checks that the reader may buy an upgrade here.
fn customer<'a>(
    world: &'a World,
    query: &'a Query,
    now: DateTime<Utc>,
) -> Result<Access<'a>, PageError> {
    let access = Access::find(world, query, now)?;
    if !access.is_platform_managed() {
        return Err(PageError::BillingElsewhere);
    }
    if !access.may_upgrade {
        return Err(PageError::NotTheOwner);
    }
    Ok(access)
}

fn offered<'a>(offers: &[&'a Package], id: &str) -> Result<&'a Package, PageError> {
    offers
        .iter()
        .find(|package| package.id.to_string() == id)
        .copied()
        .ok_or(PageError::UnavailablePackage)
}

fn choice(access: &Access<'_>, query: &Query, offers: &[&Package], locale: Locale) -> Markup {
    let texts = locale.texts();
    page::layout(
        locale,
        texts.choose_a_package,
        &html! {
            main.narrow {
                (heading(access, texts.choose_a_package, locale))
                @if offers.is_empty() {
                    p.card { (texts.largest_package) }
                } @else {
                    ul.offers {
                        @for package in offers {
                            li.card {
                                h2 { (package.name) }
                                p.price { (price(package, locale)) }
                                p.quiet { (touchpoints(package, locale)) }
                                a.button href=(to_checkout(query, package)) {
                                    (texts.choose) span.hidden { " " (package.name) }
                                }
                            }
                        }
                    }
                }
                p { a href=(link("/", &kept(query, &["upgradePackageId"]))) { (texts.back) } }
            }
        },
    )
}

fn checkout(
    access: &Access<'_>,
    query: &Query,
    package: &Package,
    token: &str,
    locale: Locale,
) -> Markup {
    let texts = locale.texts();
    page::layout(
        locale,
        texts.checkout,
        &html! {
            main.narrow {
                (heading(access, texts.checkout, locale))
                form.card method="post" action=(to_checkout(query, package)) {
                    dl {
                        dt { (texts.package_now) } dd { (access.package.name) }
                        dt { (texts.package_new) } dd { strong { (package.name) } }
                        dt { (texts.price) } dd.price { (price(package, locale)) }
                        dt { (texts.touchpoints) } dd { (touchpoints(package, locale)) }
                    }
                    input type="hidden" name="packageId" value=(package.id);
                    input type="hidden" name="formToken" value=(token);
                    button.button type="submit" { (texts.buy) }
                }
                p { a href=(link(PATH, &kept(query, &["upgradePackageId"]))) { (texts.other_packages) } }
            }
        },
    )
}

fn upgraded(access: &Access<'_>, query: &Query, locale: Locale) -> Markup {
    let texts = locale.texts();
    page::layout(
        locale,
        texts.upgraded,
        &html! {
            main.narrow data-post=(message("SUBSCRIPTION_UPGRADED", access)) {
                (heading(access, texts.upgraded, locale))
                dl.card {
                    dt { (texts.package_now) } dd { strong { (access.package.name) } }
                    dt { (texts.renews) } dd { (locale.date(access.subscription.expires_at.date_naive())) }
                }
                p { a.button href=(link("/", &kept(query, &["upgradePackageId"]))) { (texts.back) } }
            }
        },
    )
}

fn heading(access: &Access<'_>, title: &str, locale: Locale) -> Markup {
    html! {
        header {
            h1 { (title) }
            p.quiet { (access.site.domain) " · " (locale.texts().package_now) ": " (access.package.name) }
        }
    }
}

fn to_checkout(query: &Query, package: &Package) -> String {
    let id = package.id.to_string();
    let mut parameters = kept(query, &["upgradePackageId"]);
    parameters.push(("upgradePackageId", &id));
    link(PATH, &parameters)
}

fn price(package: &Package, locale: Locale) -> String {
    let texts = locale.texts();
    let period = match package.period {
        BillingInterval::Yearly => texts.a_year,
        _ => texts.a_month,
    };
    let price = locale.number(package.price, 2);
    format!("{price}\u{a0}{} {period}", package.currency.as_ref())
}

fn touchpoints(package: &Package, locale: Locale) -> String {
    #[allow(clippy::cast_precision_loss, reason = "no package is that large")]
    let number = locale.number(package.touchpoints.get() as f64, 0);
    format!("{number} {}", locale.texts().touchpoints_a_month)
}

/// The text that the form's signature covers: the reader, the website in its
/// current state, and the package. So a form works only once and cannot be
/// forged.
fn form_token(key: &[u8], access: &Access<'_>, package: &Package) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, &signed_text(access, package))
}

fn signed_text(access: &Access<'_>, package: &Package) -> Vec<u8> {
    let subscription = &access.subscription;
    json!([
        access.token,
        access.site.id,
        subscription.package,
        subscription.last_package_change_at,
        package.id,
        package.price,
    ])
    .to_string()
    .into_bytes()
}
