//! Creates a customer with a website, subscribes it, reads its analytics, and deletes everything again.
//!
//! By default it runs against an in-process sandbox:
//!
//! ```text
//! cargo run --example onboarding
//! ```
//!
//! With `TWIPLA_PARTNER_ID`, a key and `TWIPLA_BASE_URL` or
//! `TWIPLA_ENVIRONMENT` set (see `Twipla::from_env`), it runs against that
//! server. It deletes the customers and the website that it created even if a
//! step fails.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{Days, Utc};
use twipla::types::{ContributorRole, Package, SubscriptionType};
use twipla::{Dimension, Metric, Order, PrivateKey, Twipla, TwiplaWebsiteId};
use twipla_sandbox::Sandbox;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result {
    let (twipla, sandbox) = connect().await?;
    let ids = Ids::fresh();
    let result = onboard(&twipla, &ids).await;
    // Clean up even if a step failed.
    let cleaned = clean_up(&twipla, &ids).await;
    if let Some(sandbox) = sandbox {
        sandbox.stop().await;
    }
    result.and(cleaned)?;
    println!("\nDone: a customer was created, changed and deleted again.");
    Ok(())
}

/// Builds a client for the server set in the environment, or for a new sandbox.
async fn connect() -> Result<(Twipla, Option<Sandbox>)> {
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("TWIPLA_BASE_URL") || is_set("TWIPLA_ENVIRONMENT") {
        let twipla = Twipla::from_env()?;
        println!("Server    from the environment: {twipla:?}");
        return Ok((twipla, None));
    }
    let sandbox = Sandbox::start().await?;
    let partner = sandbox.website_partner();
    println!("Server    in-process sandbox, {}", sandbox.base_url());
    let twipla = Twipla::builder()
        .partner(
            partner.id(),
            PrivateKey::from_pem(partner.private_key_pem())?,
        )
        .base_url(sandbox.base_url())
        .build()?;
    Ok((twipla, Some(sandbox)))
}

/// The ids of this run, which contain the time so that they are unique.
struct Ids {
    customer: String,
    colleague: String,
    website: String,
    email: String,
    colleague_email: String,
}

impl Ids {
    fn fresh() -> Self {
        let run = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        Self {
            customer: format!("onboarding-{run}"),
            colleague: format!("onboarding-{run}-colleague"),
            website: format!("onboarding-{run}-site"),
            email: format!("owner-{run}@example.com"),
            colleague_email: format!("colleague-{run}@example.com"),
        }
    }
}

async fn onboard(twipla: &Twipla, ids: &Ids) -> Result {
    let company = twipla.company_details().await?;
    println!(
        "Partner   {}, {} billing per {}",
        company.name, company.billing_mode, company.subscription_type
    );
    if company.subscription_type != SubscriptionType::Website {
        return Err(
            "this example needs the website model; see AccountSubscription for the account model"
                .into(),
        );
    }

    let customer = twipla
        .customers()
        .create(&*ids.customer, &*ids.email)
        .website(&*ids.website, "shop.example.com")
        .await?;
    println!(
        "Customer  {} <{}>",
        customer.intp_customer_id, customer.email
    );

    let website = twipla.website(&*ids.website);
    let site = website.get().await?;
    println!(
        "Website   {} is {} on {}",
        site.domain, site.status, site.package_name
    );
    let snippet = site.visa_tracking_code.unwrap_or_default();
    println!("Snippet   {} bytes of HTML for its pages", snippet.len());

    let today = Utc::now().date_naive();
    let last_week = today - Days::new(7)..=today;
    let url = twipla
        .dashboard(&*ids.customer, &*ids.website)
        .locale("de")
        .timezone("Europe/Berlin")
        .date_range(last_week.clone())
        .await?;
    // The URL contains a token of the customer, which must not be printed.
    let mut shown = url.to_url();
    let options: Vec<_> = shown.query_pairs().into_owned().collect();
    let without_token = options.iter().filter(|(name, _)| name != "intpc_token");
    shown
        .query_pairs_mut()
        .clear()
        .append_pair("intpc_token", "hidden")
        .extend_pairs(without_token);
    let until = url
        .expires_at()
        .map(|at| at.format("%H:%M UTC").to_string());
    println!(
        "Dashboard {shown} (valid until {})",
        until.unwrap_or_default()
    );

    let (small, large) = two_packages(twipla, &ids.website).await?;
    subscribe(twipla, &ids.website, &small, &large).await?;
    read_data(twipla, &ids.website, site.id, last_week).await?;

    twipla
        .customers()
        .create(&*ids.colleague, &*ids.colleague_email)
        .await?;
    website
        .contributors()
        .add(&*ids.colleague, ContributorRole::Watcher)
        .await?;
    let team = website.contributors().list().await?;
    println!(
        "Team      owner {}, {} watcher(s)",
        team.owner.email,
        team.contributors.watcher.len()
    );
    Ok(())
}

/// Prints the available packages, and returns the two smallest monthly ones.
async fn two_packages(twipla: &Twipla, website: &str) -> Result<(Package, Package)> {
    let mut offers = twipla.packages().list().for_website(website).await?;
    offers.retain(|offer| {
        offer.touchpoints.get() > 0 && offer.period == twipla::types::BillingInterval::Monthly
    });
    offers.sort_by_key(|offer| offer.touchpoints.get());
    println!("Offers    {} monthly packages:", offers.len());
    for offer in offers.iter().take(4) {
        println!(
            "            {:<10} {:>8} touchpoints {:>7.2} {}",
            offer.name,
            offer.touchpoints.get(),
            offer.price,
            offer.currency
        );
    }
    let mut offers = offers.into_iter();
    match (offers.next(), offers.next()) {
        (Some(small), Some(large)) => Ok((small, large)),
        _ => Err("the partner has fewer than two monthly packages".into()),
    }
}

async fn subscribe(twipla: &Twipla, website: &str, small: &Package, large: &Package) -> Result {
    let subscription = twipla.website(website).subscription();
    let now = subscription.upgrade(large.id).await?;
    println!(
        "Upgrade   to {}, paid until {}",
        large.name,
        now.expires_at.date_naive()
    );
    subscription.downgrade(small.id).await?;
    let planned = twipla.website(website).get().await?;
    println!(
        "Downgrade planned: {} now, then {}",
        planned.package_name,
        planned.planned_downgrade_package_name.unwrap_or_default()
    );
    println!("Cancel    {}", subscription.cancel().await?.status);
    println!("Resume    {}", subscription.resume().await?.status);
    Ok(())
}

/// Creates an API key, reads data with it, and replaces it without interruption.
async fn read_data(
    twipla: &Twipla,
    website: &str,
    id: TwiplaWebsiteId,
    days: std::ops::RangeInclusive<chrono::NaiveDate>,
) -> Result {
    let keys = twipla.website(website).api_keys();
    let key = keys
        .create("onboarding")
        .comment("created by an example")
        .await?;
    println!(
        "API key   {} ({}…)",
        key.name,
        key.api_key.expose().get(..8).unwrap_or_default()
    );
    let report = twipla
        .analytics(id, key.api_key)
        .sessions()
        .metrics([Metric::VisitCount, Metric::BounceRate])
        .dimensions([Dimension::DeviceType])
        .order_by(Order::descending(Metric::VisitCount))
        .date_range(days.clone())
        .timezone("Europe/Berlin")
        .await?;
    for row in &report.rows {
        println!(
            "            {:<8} {:>6} visits, {:>4.1} % bounced",
            row.text(&Dimension::DeviceType).unwrap_or("?"),
            row.number(&Metric::VisitCount).unwrap_or_default(),
            row.number(&Metric::BounceRate).unwrap_or_default(),
        );
    }
    let rotation = keys.rotate(key.id).await?;
    // Here your code stores the new secret; both keys work until the rotation is confirmed.
    rotation.confirm().await?;
    let fresh = rotation.into_new_key();
    let graph = twipla
        .analytics(id, fresh.api_key)
        .visits()
        .date_range(days)
        .await?;
    println!(
        "Rotated   read {} days of visits with the new key, deleted the old one",
        graph.labels.len()
    );
    keys.delete(fresh.id).await?;
    Ok(())
}

async fn clean_up(twipla: &Twipla, ids: &Ids) -> Result {
    let mut deleted = 0;
    for id in [&ids.colleague, &ids.customer] {
        match twipla.customer(id.as_str()).delete().await {
            Ok(_) => deleted += 1,
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    println!("Clean-up  {deleted} customers and their websites deleted");
    Ok(())
}
