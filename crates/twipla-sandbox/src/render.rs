//! Converts the state into the types of the contract.

use chrono::{DateTime, Utc};
use twipla_api::types as wire;
use twipla_api::{Count, CustomerId, WebsiteId};

use crate::account::{Account, Customer, Model, Website};
use crate::reply::ApiError;
use crate::subscription::Subscription;

/// Renders a customer.
pub(crate) fn intpc(account: &Account, id: &str, customer: &Customer) -> wire::Intpc {
    wire::Intpc {
        id: customer.id,
        visa_id: Some(customer.id),
        intp_customer_id: CustomerId::unchecked(id),
        email: customer.email.clone(),
        intp_id: account.id.into(),
        created_at: customer.created_at,
    }
}

/// Renders a website with its subscription as of `now`.
pub(crate) fn website(
    account: &Account,
    id: &str,
    site: &Website,
    now: DateTime<Utc>,
) -> Result<wire::Website, ApiError> {
    let owner = account.customers().get(&site.customer);
    let subscription = account
        .subscription_of(site, now)
        .ok_or_else(|| ApiError::new(500, "the website has no subscription"))?;
    let package = account
        .packages
        .get(&subscription.package)
        .ok_or_else(|| ApiError::new(500, "the package of the website is missing"))?;
    let planned = subscription
        .planned
        .and_then(|id| account.packages.get(&id));
    let pooled = account.model == Model::Account;
    Ok(wire::Website {
        id: site.id.into(),
        status: subscription.status.clone(),
        intp_id: account.id.into(),
        intp_website_id: WebsiteId::unchecked(id),
        intp_customer_id: CustomerId::unchecked(site.customer.as_str()),
        visa_customer_id: owner.map(|owner| owner.id),
        visa_tracking_code: Some(tracking_code(site, false)),
        visa_max_privacy_mode_tracking_code: Some(tracking_code(site, true)),
        domain: site.domain.clone(),
        package_id: package.id,
        package_name: package.name.clone(),
        billing_interval: package.period.clone(),
        billing_mode: Some(account.billing_mode.clone()),
        subscription_type: Some(subscription_type(account.model)),
        last_package_change_at: Some(subscription.last_package_change_at),
        planned_downgrade_package_id: planned.map(|planned| planned.id),
        planned_downgrade_package_name: planned.map(|planned| planned.name.clone()),
        planned_downgrade_billing_interval: planned.map(|planned| planned.period.clone()),
        in_trial: subscription.in_trial,
        had_trial: subscription.had_trial,
        created_at: site.created_at,
        expires_at: subscription.expires_at,
        stp_reset_at: Some(subscription.stp_reset_at),
        // Under the account model, websites have no limit of their own.
        consumption: Some(consumption(if pooled {
            -1
        } else {
            package.touchpoints.get()
        })),
    })
}

/// Renders a subscription; `site` is its website under the website model.
pub(crate) fn subscription(
    account: &Account,
    customer: &str,
    site: Option<&Website>,
    subscription: &Subscription,
) -> Result<wire::Subscription, ApiError> {
    let package = account
        .packages
        .get(&subscription.package)
        .ok_or_else(|| ApiError::new(500, "the package of the subscription is missing"))?;
    let owner = account
        .customers()
        .get(customer)
        .ok_or_else(|| ApiError::new(500, "the owner of the subscription is missing"))?;
    Ok(wire::Subscription {
        id: subscription.id,
        status: subscription.status.clone(),
        package_id: package.id,
        website_id: site.map(|site| site.id.into()),
        intp_id: account.id.into(),
        intpc_id: owner.id,
        expires_at: subscription.expires_at,
        stp_reset_at: subscription.stp_reset_at,
        last_package_change_at: subscription.last_package_change_at,
        created_at: subscription.created_at,
        billing_interval: package.period.clone(),
        type_: subscription_type(account.model),
        in_trial: subscription.in_trial,
        had_trial: subscription.had_trial,
        planned_downgrade_package_id: subscription.planned,
        consumption: Some(consumption(package.touchpoints.get())),
    })
}

/// Renders the details of the partner.
pub(crate) fn company(account: &Account) -> wire::CompanyDetails {
    wire::CompanyDetails {
        id: account.id.into(),
        name: account.name.clone(),
        address: None,
        created_at: account.created_at,
        billing_mode: account.billing_mode.clone(),
        subscription_type: subscription_type(account.model),
        website_onboarding: Some(false),
    }
}

/// Renders the owner and the contributors of a website.
pub(crate) fn contributors(account: &Account, site: &Website) -> wire::WebsiteContributors {
    let email = |id: &str| {
        account
            .customers()
            .get(id)
            .map_or("", |customer| customer.email.as_str())
    };
    let contributor = |id: &str| wire::Contributor {
        intp_customer_id: CustomerId::unchecked(id),
        email: email(id).to_owned(),
    };
    let with = |role: &wire::ContributorRole| {
        site.contributors()
            .iter()
            .filter(|(_, has)| *has == role)
            .map(|(id, _)| contributor(id))
            .collect()
    };
    wire::WebsiteContributors {
        owner: contributor(&site.customer),
        contributors: wire::ContributorsByRole {
            editor: with(&wire::ContributorRole::Editor),
            watcher: with(&wire::ContributorRole::Watcher),
            dashboard: with(&wire::ContributorRole::Dashboard),
        },
    }
}

/// Renders the metadata of one page of a list; pages are counted from 0.
pub(crate) fn meta(page: usize, page_size: usize, total: usize) -> twipla_api::PaginationMeta {
    let count = |n: usize| Some(i64::try_from(n).unwrap_or(i64::MAX));
    twipla_api::PaginationMeta {
        page: count(page),
        page_size: count(page_size),
        page_total: count(total.div_ceil(page_size.max(1))),
        total: count(total),
    }
}

fn subscription_type(model: Model) -> wire::SubscriptionType {
    match model {
        Model::Website => wire::SubscriptionType::Website,
        Model::Account => wire::SubscriptionType::Intpc,
    }
}

fn consumption(limit: i64) -> wire::Consumption {
    wire::Consumption {
        stp_limit: Count::from(limit),
        stp_consumed: 0.0,
        stp_rate_visit: 1.0,
        stp_consumed_visit: 0.0,
        stp_rate_visit_event: 1.0,
        stp_consumed_visit_event: 0.0,
        stp_rate_session_recording: 1.0,
        stp_consumed_session_recording: 0.0,
        stp_rate_heatmap_increment: 1.0,
        stp_consumed_heatmap_increment: 0.0,
        stp_rate_poll_answer: 1.0,
        stp_consumed_poll_answer: 0.0,
        stp_rate_survey_answer: 1.0,
        stp_consumed_survey_answer: 0.0,
        stp_rate_funnel_match: 1.0,
        stp_consumed_funnel_match: 0.0,
    }
}

/// Returns a snippet similar to the real one: a script with the website's id
/// between two comments. It measures nothing.
fn tracking_code(site: &Website, max_privacy: bool) -> String {
    let mode = if max_privacy { ", maximum privacy" } else { "" };
    format!(
        "<!-- sandbox tracking code for {domain}{mode} -->\n\
         <script>window.twiplaSandbox = {{ website: \"{id}\", maxPrivacy: {max_privacy} }};</script>\n\
         <!-- end of sandbox tracking code -->",
        domain = html(&site.domain),
        id = site.id,
    )
}

/// Escapes text for HTML.
pub(crate) fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace("--", "&#45;&#45;")
}

/// Returns the entries of one page; pages are counted from 0.
pub(crate) fn window<T>(items: impl Iterator<Item = T>, page: usize, page_size: usize) -> Vec<T> {
    items
        .skip(page.saturating_mul(page_size))
        .take(page_size)
        .collect()
}
