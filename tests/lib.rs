//! What the whole-system tests share: a sandbox, and a client for each of its partners.

pub mod chaos;
pub mod faults;
pub mod replay;

use std::time::Duration;

use twipla::types::{BillingInterval, Package};
use twipla::{PackageId, PrivateKey, RetryPolicy, Twipla, TwiplaBuilder};
use twipla_sandbox::{Partner, Sandbox};

/// A sandbox of its own for one test.
pub struct Stage {
    /// The server.
    pub sandbox: Sandbox,
    /// A client of the partner under the website model.
    pub website_model: Twipla,
    /// A client of the partner under the account model.
    pub account_model: Twipla,
}

impl Stage {
    /// Starts the server and builds the clients. They repeat quickly, so that tests do.
    ///
    /// # Panics
    ///
    /// Where the server does not start: there is no test without it.
    #[allow(clippy::expect_used)]
    pub async fn start() -> Self {
        let sandbox = Sandbox::start().await.expect("the sandbox starts");
        let website_model = client(&sandbox, &sandbox.website_partner())
            .build()
            .expect("a client");
        let account_model = client(&sandbox, &sandbox.account_partner())
            .build()
            .expect("a client");
        Self {
            sandbox,
            website_model,
            account_model,
        }
    }
}

/// A client of a partner of the sandbox, still open to other settings.
///
/// # Panics
///
/// Where the sandbox made a key that is none.
#[allow(clippy::expect_used)]
pub fn client(sandbox: &Sandbox, partner: &Partner) -> TwiplaBuilder {
    let key = PrivateKey::from_pem(partner.private_key_pem()).expect("the sandbox makes good keys");
    Twipla::builder()
        .partner(partner.id(), key)
        .base_url(sandbox.base_url())
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
}

/// The monthly packages that cost something, smallest first.
///
/// # Errors
///
/// Where the list cannot be read.
pub async fn price_list(twipla: &Twipla) -> twipla::Result<Vec<Package>> {
    let mut packages = twipla.packages().list().await?;
    packages.retain(|package| {
        package.price > 0.0
            && package.period == BillingInterval::Monthly
            && package.visibility == twipla::types::PackageVisibility::Public
    });
    packages.sort_by_key(|package| package.touchpoints.get());
    Ok(packages)
}

/// The id of the package with this name.
///
/// # Errors
///
/// Where the list cannot be read.
pub async fn package_named(twipla: &Twipla, name: &str) -> twipla::Result<Option<PackageId>> {
    let packages = twipla.packages().list().await?;
    Ok(packages
        .iter()
        .find(|package| package.name.eq_ignore_ascii_case(name))
        .map(|package| package.id))
}

/// Compiles every Rust block of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
