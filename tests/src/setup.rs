//! Shared by the whole-system tests: a sandbox, a client for each of its partners, and common faults and counts.

use std::time::Duration;

use twipla::types::{BillingInterval, Package, PackageVisibility};
use twipla::{PackageId, PrivateKey, RetryPolicy, Twipla, TwiplaBuilder};
use twipla_sandbox::{Fault, FaultKind, Partner, Sandbox};

/// A sandbox for one test.
#[derive(Debug)]
pub struct Stage {
    /// The server.
    pub sandbox: Sandbox,
    /// A client of the partner under the website model.
    pub website_model: Twipla,
    /// A client of the partner under the account model.
    pub account_model: Twipla,
}

impl Stage {
    /// Starts the server and builds the clients, with short delays between retries.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    #[allow(clippy::expect_used)]
    pub async fn start() -> Self {
        let sandbox = Sandbox::start().await.expect("the sandbox starts");
        let build = |partner| client(&sandbox, &partner).build().expect("a client");
        let website_model = build(sandbox.website_partner());
        let account_model = build(sandbox.account_partner());
        Self {
            sandbox,
            website_model,
            account_model,
        }
    }

    /// Returns a stage on which both partners have the customer `c`, `c@example.com`. The logs of the sandbox start after
    /// that.
    ///
    /// # Panics
    ///
    /// If the customers cannot be created.
    #[allow(clippy::expect_used)]
    pub async fn with_customer() -> Self {
        let stage = Self::start().await;
        for twipla in [&stage.website_model, &stage.account_model] {
            let create = twipla.customers().create("c", "c@example.com");
            create.await.expect("the customer is created");
        }
        stage.with_empty_logs()
    }

    /// Returns a stage on which both partners have the customer `c` with the website `w`, `example.com`. The website, or
    /// under the account model the customer, is on the second entry of the [`price_list`]. The logs of the sandbox start
    /// after that.
    ///
    /// # Panics
    ///
    /// If they cannot be created.
    #[allow(clippy::expect_used)]
    pub async fn with_website() -> Self {
        let stage = Self::start().await;
        let package = async |twipla| price_list(twipla).await.expect("a price list")[1].id;
        let (of_website, of_account) = (&stage.website_model, &stage.account_model);
        let create = of_website.customers().create("c", "c@example.com");
        let create = create.website_package(package(of_website).await);
        create
            .website("w", "example.com")
            .await
            .expect("a website on a package");
        let create = of_account.customers().create("c", "c@example.com");
        let create = create.package(package(of_account).await);
        create
            .website("w", "example.com")
            .await
            .expect("an account on a package");
        stage.with_empty_logs()
    }

    /// Loses the response to the next request of an operation: the sandbox
    /// carries it out and closes the connection.
    pub fn lose_response(&self, operation: &str) {
        self.fault_once(operation, FaultKind::ResetAfterCommit);
    }

    /// Loses the next request of an operation: the sandbox closes the
    /// connection and does nothing.
    pub fn lose_request(&self, operation: &str) {
        self.fault_once(operation, FaultKind::ResetBeforeCommit);
    }

    /// Injects a fault for the next request of an operation.
    pub fn fault_once(&self, operation: &str, kind: FaultKind) {
        self.sandbox
            .inject(Fault::new(kind).operation(operation).times(1));
    }

    /// Returns how many requests of an operation the sandbox has received.
    pub fn requests(&self, operation: &str) -> usize {
        let requests = self.sandbox.requests();
        requests
            .iter()
            .filter(|request| request.operation == Some(operation))
            .count()
    }

    /// Returns how many requests of an operation changed something.
    pub fn commits(&self, operation: &str) -> usize {
        let commits = self.sandbox.commits();
        commits
            .iter()
            .filter(|commit| commit.operation == operation)
            .count()
    }

    fn with_empty_logs(self) -> Self {
        self.sandbox.clear_requests();
        self.sandbox.clear_commits();
        self
    }
}

/// Returns a builder for a client of a partner of the sandbox.
///
/// # Panics
///
/// If the sandbox generated an invalid key.
#[allow(clippy::expect_used)]
pub fn client(sandbox: &Sandbox, partner: &Partner) -> TwiplaBuilder {
    let key = PrivateKey::from_pem(partner.private_key_pem()).expect("a key of the sandbox");
    Twipla::builder()
        .partner(partner.id(), key)
        .base_url(sandbox.base_url())
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
}

/// Returns the public monthly packages with a price, smallest first.
///
/// # Errors
///
/// If the list cannot be read.
pub async fn price_list(twipla: &Twipla) -> twipla::Result<Vec<Package>> {
    let mut packages = twipla.packages().list().await?;
    packages.retain(|package| {
        package.price > 0.0
            && package.period == BillingInterval::Monthly
            && package.visibility == PackageVisibility::Public
    });
    packages.sort_by_key(|package| package.touchpoints.get());
    Ok(packages)
}

/// Returns the id of the package with this name.
///
/// # Errors
///
/// If the list cannot be read.
pub async fn package_named(twipla: &Twipla, name: &str) -> twipla::Result<Option<PackageId>> {
    let packages = twipla.packages().list().await?;
    Ok(packages
        .iter()
        .find(|package| package.name.eq_ignore_ascii_case(name))
        .map(|package| package.id))
}

/// Returns a fault that responds with this status, these headers and this body.
pub fn respond(code: u16, headers: &[(&str, &str)], body: &str) -> FaultKind {
    FaultKind::Status {
        code,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}
