//! Many creates against a gateway that allows few requests.

use twipla::{NewWebsite, Result};
use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::setup::client;

/// Requests that a create may take, in tenths.
const MOST_TENTHS: usize = 12;

/// The result of many creates.
#[derive(Debug)]
pub struct Throttled {
    /// Websites to create.
    pub creates: usize,
    /// The number of websites that exist as requested and were reported as created.
    pub done: usize,
    /// The number of requests.
    pub requests: usize,
    /// The first failure.
    pub failure: Option<String>,
}

impl Throttled {
    /// Reports whether all succeeded, with at most 1.2 requests each.
    pub fn is_fine(&self) -> bool {
        self.done == self.creates && self.requests * 10 <= self.creates * MOST_TENTHS
    }
}

/// Creates websites in bulk through a gateway that allows this many requests per second, after a burst of 5.
///
/// # Errors
///
/// If the customer of the websites cannot be created.
///
/// # Panics
///
/// If the sandbox does not start.
#[allow(clippy::unwrap_used, reason = "of a sandbox in this process")]
pub async fn create_many(creates: usize, per_second: f64) -> Result<Throttled> {
    let sandbox = Sandbox::start().await.unwrap();
    let twipla = client(&sandbox, &sandbox.website_partner()).build()?;
    twipla.customers().create("c", "c@example.com").await?;
    sandbox.clear_requests();
    let burst = 5;
    sandbox.inject(Fault::new(FaultKind::RateLimit { per_second, burst }));
    let sites =
        (0..creates).map(|n| NewWebsite::new("c", format!("w{n}"), format!("{n}.example.com")));
    let bulk = twipla.bulk().concurrency(16);
    let report = bulk.create_websites(sites).await?;
    let mut outcomes = report.outcomes.iter();
    let requests = sandbox.requests().len();
    // Check that the results are true.
    let commits = sandbox.commits();
    let made = commits
        .iter()
        .filter(|commit| commit.operation == "create_website");
    let told = report.outcomes.iter().filter(|outcome| outcome.is_done());
    Ok(Throttled {
        creates,
        done: told.count().min(made.count()),
        requests,
        failure: outcomes
            .find(|outcome| !outcome.is_done())
            .map(|outcome| format!("{outcome:?}")),
    })
}
