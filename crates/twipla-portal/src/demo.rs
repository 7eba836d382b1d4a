//! Data for a demonstration: a sandbox in the same process, a few customers, and one with a history.

use std::path::Path;

use anyhow::Context as _;
use twipla::chrono::{Duration, Utc};
use twipla::{PrivateKey, Twipla, TwiplaBuilder};
use twipla_sandbox::Sandbox;

use crate::store::{Customer, Store};

/// The customer with a history.
const REGULAR: &str = "demo-nova";
/// That customer's sites, by id and domain.
const SITES: [(&str, &str); 2] = [
    ("demo-nova-shop", "bakery-nova.example"),
    ("demo-nova-blog", "sourdough-diary.example"),
];

/// Starts a sandbox in this process. A folder keeps its state between starts.
///
/// # Errors
///
/// If no port is free or the folder cannot be used.
pub async fn sandbox(folder: Option<&Path>) -> anyhow::Result<Sandbox> {
    let mut builder = Sandbox::builder();
    if let Some(folder) = folder {
        builder = builder.state(folder.join("sandbox.json"));
    }
    builder.start().await.context("cannot start the sandbox")
}

/// A client of the sandbox's partner under the website model: each site has its own subscription.
///
/// # Errors
///
/// If the sandbox has an invalid key.
pub fn client(sandbox: &Sandbox) -> anyhow::Result<TwiplaBuilder> {
    let partner = sandbox.website_partner();
    let key = PrivateKey::from_pem(partner.private_key_pem())?;
    Ok(Twipla::builder()
        .partner(partner.id(), key)
        .base_url(sandbox.base_url()))
}

/// Adds the customers that the sign-in page offers.
///
/// # Errors
///
/// If the database fails.
pub async fn customers(store: &Store) -> anyhow::Result<()> {
    for (id, name, email) in [
        (REGULAR, "Bakery Nova", "hello@bakery-nova.example"),
        (
            "demo-lindholm",
            "Studio Lindholm",
            "studio@lindholm.example",
        ),
        ("demo-harbour", "Harbour Books", "books@harbour.example"),
    ] {
        let customer = Customer {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
        };
        store.add_customer(&customer).await?;
    }
    Ok(())
}

/// Creates two sites at TWIPLA for the customer with a history: one on a package for over a month, one in
/// its trial. The portal learns of them by reconciling.
///
/// # Errors
///
/// If the sandbox refuses.
pub async fn history(twipla: &Twipla) -> anyhow::Result<()> {
    let packages = twipla.packages().list().await?;
    let basic = packages.iter().find(|package| package.price > 0.0);
    let basic = basic.context("the sandbox has no package")?.id;
    let [(shop, domain), (blog, blog_domain)] = SITES;
    let customer = twipla
        .customers()
        .create(REGULAR, "hello@bakery-nova.example")
        .website(shop, domain)
        .website_package(basic)
        .website_billing_date(Utc::now() - Duration::days(40));
    match customer.await {
        // Created by an earlier start.
        Err(error) if error.is_conflict() => return Ok(()),
        result => drop(result?),
    }
    let second = twipla.websites().create(REGULAR, blog, blog_domain);
    second.unlimited_free_trial(true).await?;
    Ok(())
}
