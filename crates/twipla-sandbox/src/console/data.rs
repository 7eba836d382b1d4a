//! The partners' data, one page at a time.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::text;
use crate::account::{Account, Customer, Key, Model, Website};
use crate::input::Query;
use crate::state::World;
use crate::subscription::Subscription;

/// Rows per page, so that the page stays small.
const ROWS: usize = 50;
/// API keys and contributors shown per website.
const FEW: usize = 5;

/// The search and the page number of the tables.
pub(super) struct View<'a> {
    /// Text to search for in ids, domains and e-mail addresses.
    search: &'a str,
    /// Counted from 0.
    page: usize,
}

impl<'a> View<'a> {
    /// Parses the query of the page; an invalid page number counts as the first
    /// page.
    pub(super) fn of(query: &'a Query) -> Self {
        let page = query.get("page").and_then(|page| page.parse().ok());
        Self {
            search: query.get("search").unwrap_or_default().trim(),
            page: page.unwrap_or_default(),
        }
    }

    fn matches(&self, texts: &[&str]) -> bool {
        self.search.is_empty() || texts.iter().any(|text| text.contains(self.search))
    }

    /// Returns the rows of this page, and whether there are more.
    fn rows<T>(&self, matching: impl Iterator<Item = T>) -> (Vec<T>, bool) {
        let mut rows: Vec<T> = matching
            .skip(self.page.saturating_mul(ROWS))
            .take(ROWS + 1)
            .collect();
        let more = rows.len() > ROWS;
        rows.truncate(ROWS);
        (rows, more)
    }

    fn address(&self, page: usize) -> String {
        let search =
            percent_encoding::utf8_percent_encode(self.search, percent_encoding::NON_ALPHANUMERIC);
        format!("?search={search}&page={page}#data")
    }
}

pub(super) fn show(world: &World, view: &View<'_>) -> Markup {
    let now = world.clock.billing_time(world.clock.now());
    let mut accounts: Vec<_> = world.accounts.values().collect();
    accounts.sort_by_key(|account| (account.model == Model::Account, account.id));
    html! {
        section #data aria-labelledby="data-heading" {
            h2 #data-heading { "Partners" }
            form.search method="get" action="#data" role="search" {
                label for="search" { "Id, name, domain or e-mail address contains" }
                input #search type="search" name="search" value=(view.search);
                button { "Search" }
            }
            div #accounts data-live {
                @for account in accounts { (partner(account, view, now)) }
            }
        }
    }
}

fn partner(account: &Account, view: &View<'_>, now: DateTime<Utc>) -> Markup {
    html! {
        article.card {
            h3 { (account.name) }
            p.quiet {
                code { (account.id) } " · " (account.model.as_str()) " model · billing by "
                (account.billing_mode.as_ref())
            }
            (customers(account, view, now))
            (websites(account, view, now))
            (packages(account, view))
        }
    }
}

fn customers(account: &Account, view: &View<'_>, now: DateTime<Utc>) -> Markup {
    let matching = account
        .customers()
        .iter()
        .filter(|(id, customer)| view.matches(&[id, &customer.email]));
    let (rows, more) = view.rows(matching);
    let row = |id: &str, customer: &Customer| {
        html! {
            tr {
                th scope="row" { (text::line(id)) }
                td { (text::line(&customer.email)) }
                @if account.model == Model::Account {
                    td { (subscription(account, customer.subscription.as_ref(), now)) }
                }
                td.number { (account.websites_of(id).map_or(0, indexmap::IndexSet::len)) }
            }
        }
    };
    html! {
        h4 { "Customers " span.count { (account.customers().len()) } }
        @if rows.is_empty() {
            (nothing(view))
        } @else {
            div.scrolls tabindex="0" role="region" aria-label={ "Customers of " (account.name) } {
                table {
                    thead { tr {
                        th scope="col" { "Customer" }
                        th scope="col" { "E-mail address" }
                        @if account.model == Model::Account { th scope="col" { "Subscription" } }
                        th.number scope="col" { "Websites" }
                    } }
                    tbody { @for (id, customer) in rows { (row(id, customer)) } }
                }
            }
            (pages(view, more, "customers"))
        }
    }
}

fn websites(account: &Account, view: &View<'_>, now: DateTime<Utc>) -> Markup {
    let matching = account
        .websites()
        .iter()
        .filter(|(id, site)| view.matches(&[id, &site.domain, &site.customer]));
    let (rows, more) = view.rows(matching);
    let row = |id: &str, site: &Website| {
        html! {
            tr {
                th scope="row" { (text::line(id)) }
                td { (text::line(&site.domain)) }
                td { (text::line(&site.customer)) }
                @if account.model == Model::Website {
                    td { (subscription(account, site.subscription.as_ref(), now)) }
                }
                td { (keys(site, now)) }
                td {
                    @for (customer, role) in site.contributors().iter().take(FEW) {
                        div { (text::line(customer)) ", " (role.as_ref()) }
                    }
                    (more_than_few(site.contributors().len()))
                }
            }
        }
    };
    html! {
        h4 { "Websites " span.count { (account.websites().len()) } }
        @if rows.is_empty() {
            (nothing(view))
        } @else {
            div.scrolls tabindex="0" role="region" aria-label={ "Websites of " (account.name) } {
                table {
                    thead { tr {
                        th scope="col" { "Website" }
                        th scope="col" { "Domain" }
                        th scope="col" { "Customer" }
                        @if account.model == Model::Website { th scope="col" { "Subscription" } }
                        th scope="col" { "API keys" }
                        th scope="col" { "Contributors" }
                    } }
                    tbody { @for (id, site) in rows { (row(id, site)) } }
                }
            }
            (pages(view, more, "websites"))
        }
    }
}

fn packages(account: &Account, view: &View<'_>) -> Markup {
    let matching = account
        .packages
        .values()
        .filter(|package| view.matches(&[&package.name, &package.id.to_string()]));
    let (rows, more) = view.rows(matching);
    html! {
        details id={ "packages-" (account.id) } {
            summary { "Packages " span.count { (account.packages.len()) } }
            div.scrolls tabindex="0" role="region" aria-label={ "Packages of " (account.name) } {
                table {
                    thead { tr {
                        th scope="col" { "Package" }
                        th.number scope="col" { "Price" }
                        th scope="col" { "Period" }
                        th.number scope="col" { "Touchpoints" }
                        th scope="col" { "Id" }
                    } }
                    tbody {
                        @for package in rows {
                            tr {
                                th scope="row" { (text::line(&package.name)) }
                                td.number { (format!("{:.2}", package.price)) " " (package.currency.as_ref()) }
                                td { (package.period.as_ref()) }
                                td.number { (package.touchpoints.get()) }
                                td { code { (package.id) } }
                            }
                        }
                    }
                }
            }
            (pages(view, more, "packages"))
        }
    }
}

fn subscription(
    account: &Account,
    subscription: Option<&Subscription>,
    now: DateTime<Utc>,
) -> Markup {
    let name = |package| {
        account
            .packages
            .get(package)
            .map_or("?", |package| &*package.name)
    };
    html! {
        @match subscription.map(|subscription| subscription.at(now, &account.packages)) {
            None => span.quiet { "none" },
            Some(subscription) => {
                b { (text::line(name(&subscription.package))) } ", " (subscription.status.as_ref())
                @if subscription.in_trial { ", trial" }
                div.quiet {
                    "until " (subscription.expires_at.format("%Y-%m-%d %H:%M"))
                    @if let Some(planned) = &subscription.planned { ", then " (text::line(name(planned))) }
                }
            }
        }
    }
}

fn keys(site: &Website, now: DateTime<Utc>) -> Markup {
    html! {
        @for key in site.api_keys().iter().take(FEW) {
            div {
                (text::line(&key.shown.name)) " " code { (masked(key)) }
                @if !key.is_valid_at(now) { " (expired)" }
            }
        }
        (more_than_few(site.api_keys().len()))
    }
}

fn more_than_few(count: usize) -> Markup {
    html! { @if count > FEW { div.quiet { "and " (count - FEW) " more" } } }
}

/// Masks an API key: enough to recognise it, too little to use it.
fn masked(key: &Key) -> String {
    let end = key.secret.len().saturating_sub(4);
    format!("twpl-…{}", key.secret.get(end..).unwrap_or_default())
}

fn nothing(view: &View<'_>) -> Markup {
    html! {
        p.quiet { @if view.search.is_empty() && view.page == 0 { "None yet" } @else { "None here" } }
    }
}

fn pages(view: &View<'_>, more: bool, what: &str) -> Markup {
    html! {
        @if more || view.page > 0 {
            p.pages {
                @if view.page > 0 { a href=(view.address(view.page - 1)) { "Previous " (what) } }
                @if more { a href=(view.address(view.page + 1)) { "Next " (what) } }
            }
        }
    }
}
