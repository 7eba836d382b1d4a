//! The dashboard: a page that shows who is let in and to what, so that a test
//! sees whether a dashboard URL is right.

use chrono::{DateTime, Utc};
use twipla_api::types::SubscriptionStatus;

use crate::auth::Bearer;
use crate::input::Query;
use crate::render::html;
use crate::reply::Reply;
use crate::server::State;
use crate::state::{Account, Website};

/// The page for a dashboard URL.
pub(crate) fn page(state: &mut State, query: &Query, clock: DateTime<Utc>) -> Reply {
    let now = clock + state.advanced;
    for account in state.accounts.values_mut() {
        account.settle(now);
    }
    match find(state, query, clock) {
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

/// The website that the URL opens, or why it opens none.
fn find<'a>(
    state: &'a State,
    query: &Query,
    clock: DateTime<Utc>,
) -> Result<(&'a Account, &'a Website), (u16, &'static str)> {
    if let Some(token) = query.get("websiteToken") {
        let login = state
            .logins
            .iter()
            .find(|login| {
                login.tokens.refresh_token == token && login.until > clock + state.advanced
            })
            .ok_or((401, "the login has ended"))?;
        let (account, site) = state
            .accounts
            .values()
            .flat_map(|account| account.websites.values().map(move |site| (account, site)))
            .find(|(_, site)| site.id == login.website)
            .ok_or((404, "no such website"))?;
        return active(site).map(|()| (account, site));
    }
    let token = query
        .get("intpc_token")
        .or_else(|| query.get("intpcToken"))
        .ok_or((401, "no token"))?;
    let Some(Bearer::Customer(partner, customer)) = state.bearer(token, clock) else {
        return Err((401, "the token is not one of a customer"));
    };
    let account = state
        .accounts
        .get(&partner)
        .ok_or((401, "no such partner"))?;
    if !account.customers.contains_key(&customer) {
        return Err((401, "no such customer"));
    }
    let id = query
        .get("externalWebsiteId")
        .ok_or((404, "no website is named"))?;
    let site = account.websites.get(id).ok_or((404, "no such website"))?;
    active(site)?;
    if site.customer == customer || site.contributors.contains_key(&customer) {
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
