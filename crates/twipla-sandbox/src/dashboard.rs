//! The dashboard: a page that says whose dashboard was opened, so that a test
//! can tell whether a dashboard URL is right.

use chrono::{DateTime, Utc};
use twipla_api::types::SubscriptionStatus;

use crate::account::{Account, Website};
use crate::auth::Bearer;
use crate::input::Query;
use crate::render::html;
use crate::reply::Reply;
use crate::state::World;

/// The page for a dashboard URL.
pub(crate) fn page(world: &World, query: &Query, now: DateTime<Utc>) -> Reply {
    match find(world, query, now) {
        Ok((account, site)) => Reply::html(
            200,
            format!(
                "<!doctype html><title>{domain}</title><h1>{domain}</h1><p>Dashboard of {name} in the sandbox, \
                 in {locale}.</p>",
                domain = html(&site.domain),
                name = html(&account.name),
                locale = html(query.get("locale").unwrap_or("en")),
            ),
        ),
        Err((status, why)) => Reply::html(
            status,
            format!("<!doctype html><title>{why}</title><h1>{why}</h1>"),
        ),
    }
}

/// The website that the URL opens, or the status and reason of a refusal.
fn find<'a>(
    world: &'a World,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<(&'a Account, &'a Website), (u16, &'static str)> {
    if let Some(token) = query.get("websiteToken") {
        let time = world.clock.billing_time(now);
        let login = world
            .logins
            .iter()
            .find(|login| login.refresh_token == token && login.until > time)
            .ok_or((401, "the login has ended"))?;
        let (account, site) = world
            .accounts
            .values()
            .find_map(|account| Some((account, account.website_by_uuid(login.website)?.1)))
            .ok_or((404, "no such website"))?;
        return active(site).map(|()| (account, site));
    }
    let token = query
        .get("intpc_token")
        .or_else(|| query.get("intpcToken"))
        .ok_or((401, "no token"))?;
    let Some(Bearer::Customer(partner, customer)) = world.bearer(token, now) else {
        return Err((401, "the token does not belong to a customer"));
    };
    let account = world
        .accounts
        .get(&partner)
        .ok_or((401, "no such partner"))?;
    if !account.customers().contains(&customer) {
        return Err((401, "no such customer"));
    }
    let id = query
        .get("externalWebsiteId")
        .ok_or((404, "externalWebsiteId is missing"))?;
    let site = account.websites().get(id).ok_or((404, "no such website"))?;
    active(site)?;
    if site.customer == customer || site.contributors().contains_key(&customer) {
        Ok((account, site))
    } else {
        Err((403, "the website belongs to somebody else"))
    }
}

fn active(site: &Website) -> Result<(), (u16, &'static str)> {
    match &site.subscription {
        Some(subscription) if subscription.status == SubscriptionStatus::Inactive => {
            Err((403, "the website is inactive"))
        }
        _ => Ok(()),
    }
}
