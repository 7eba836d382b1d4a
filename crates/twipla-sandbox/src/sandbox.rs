//! A running sandbox, which a test observes and stops.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Duration;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use twipla_api::{PackageId, PartnerId};

use crate::account::Model;
use crate::commits::Commit;
use crate::error::Error;
use crate::fault::Fault;
use crate::faults::FaultReport;
use crate::partner::Partner;
use crate::record::RecordedRequest;
use crate::state::SharedWorld;
use crate::state_file::StateFile;

/// A running server. Dropping it stops the server.
pub struct Sandbox {
    pub(crate) base_url: String,
    pub(crate) world: Arc<SharedWorld>,
    pub(crate) partners: Vec<Partner>,
    pub(crate) credentials: Option<PathBuf>,
    pub(crate) state: Option<Arc<StateFile>>,
    pub(crate) ca_certificate: Option<String>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) task: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// The base URL of the API, the data endpoints and the dashboard.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The partner under the website model.
    pub fn website_partner(&self) -> Partner {
        self.partner(Model::Website)
    }

    /// The partner under the account model.
    pub fn account_partner(&self) -> Partner {
        self.partner(Model::Account)
    }

    /// All partners.
    pub fn partners(&self) -> &[Partner] {
        &self.partners
    }

    /// The certificate to trust, as PEM, if
    /// [`Builder::tls`](crate::Builder::tls) was enabled.
    pub fn ca_certificate_pem(&self) -> Option<&str> {
        self.ca_certificate.as_deref()
    }

    /// The path of `sandbox.json`, if [`Builder::credentials`](crate::Builder::credentials) was
    /// set.
    pub fn credentials_file(&self) -> Option<&Path> {
        self.credentials.as_deref()
    }

    /// Returns the requests received so far, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.world.lock().requests.all()
    }

    /// Clears the log of requests.
    pub fn clear_requests(&self) {
        self.world.lock().requests.clear();
        self.world.notify();
    }

    /// Returns the changes that the sandbox has carried out, oldest first, up
    /// to 250,000.
    ///
    /// Each request that changed something has one entry, even if its response
    /// was lost or a late commit carried it out. Two entries with the same
    /// operation, ids and name mean that a change was made twice, unless it was
    /// undone in between. There are no entries for reads, logins, rejected
    /// requests, requests without effect (a domain that is already listed, a
    /// subscription that is already canceled), and changes that happen as time
    /// passes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), twipla_sandbox::Error> {
    /// let sandbox = twipla_sandbox::Sandbox::start().await?;
    /// // ... a client creates the website "site-7" while connections are lost ...
    /// let created = sandbox.commits().into_iter().filter(|commit| {
    ///     commit.operation == "create_website" && commit.ids["intpWebsiteId"] == "site-7"
    /// });
    /// assert!(created.count() <= 1);
    /// # Ok(()) }
    /// ```
    pub fn commits(&self) -> Vec<Commit> {
        self.world.lock().commits.all()
    }

    /// Clears the log of changes; the sequence numbers continue.
    pub fn clear_commits(&self) {
        self.world.lock().commits.clear();
        self.world.notify();
    }

    /// Adds a fault.
    ///
    /// # Panics
    ///
    /// If [`Sandbox::try_inject`] would reject the fault: a test with a fault
    /// that never strikes would pass for the wrong reason.
    #[allow(clippy::panic, reason = "a mistake in a test has to stop the test")]
    pub fn inject(&self, fault: Fault) {
        if let Err(error) = self.try_inject(fault) {
            panic!("{error}");
        }
    }

    /// Adds a fault, for instance one that was read from a file.
    ///
    /// # Errors
    ///
    /// If the operation is not in the contract, a number is out of range, the
    /// moment does not fit the kind, or a thousand faults are active.
    pub fn try_inject(&self, fault: Fault) -> Result<(), Error> {
        let added = self.world.lock().faults.add(fault);
        self.world.notify();
        added
    }

    /// Returns how often each fault has struck since the faults were last
    /// cleared, and how many commits are pending.
    pub fn faults(&self) -> FaultReport {
        self.world.lock().faults.report()
    }

    /// Removes all faults. Tokens rejected by a fault are accepted again;
    /// pending late commits still happen.
    pub fn clear_faults(&self) {
        self.world.lock().clear_faults();
        self.world.notify();
    }

    /// Advances the clock for subscriptions, trials and API keys, so that
    /// planned changes take effect. Tokens and the `Date` header are not
    /// affected. A negative duration, or one that leads beyond the year 9000,
    /// changes nothing.
    pub fn advance(&self, by: Duration) {
        let _ = self.world.lock().clock.advance(by);
        self.world.notify();
    }

    /// Restores the initial state: the partners' data (none, or that of
    /// [`Builder::seed`](crate::Builder::seed)), the time, faults, logins and
    /// logs. The partners, their keys and the ids of their initial packages are
    /// kept. Pending late commits do not happen.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), twipla_sandbox::Error> {
    /// let sandbox = twipla_sandbox::Sandbox::start().await?;
    /// let fresh = sandbox.snapshot();
    /// // ... one scenario ...
    /// sandbox.reset();
    /// assert_eq!(sandbox.snapshot(), fresh);
    /// # Ok(()) }
    /// ```
    pub fn reset(&self) {
        self.world.lock().reset();
        self.world.notify();
    }

    /// Returns the customers, websites, subscriptions and packages of all partners, without
    /// secrets.
    pub fn snapshot(&self) -> Value {
        self.world.lock().snapshot()
    }

    /// Returns the names and ids of a partner's packages.
    pub fn packages(&self, partner: PartnerId) -> Vec<(String, PackageId)> {
        let world = self.world.lock();
        let packages = world
            .accounts
            .get(partner.as_uuid())
            .into_iter()
            .flat_map(|account| account.packages.values());
        packages
            .map(|package| (package.name.clone(), package.id))
            .collect()
    }

    /// Stops accepting connections, closes open ones after at most half a
    /// second, and writes the last changes to the file of
    /// [`Builder::state`](crate::Builder::state). A failure to write them is
    /// logged; [`Sandbox::try_stop`] returns it.
    pub async fn stop(self) {
        if let Err(error) = self.try_stop().await {
            tracing::error!("{error}");
        }
    }

    /// Like [`Sandbox::stop`], but reports whether the last changes were
    /// written.
    ///
    /// # Errors
    ///
    /// If the last changes cannot be written and are lost.
    pub async fn try_stop(mut self) -> Result<(), Error> {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
        match &self.state {
            Some(state) => state.close(&self.world),
            None => Ok(()),
        }
    }

    #[allow(
        clippy::expect_used,
        reason = "no sandbox starts without a partner of each model"
    )]
    fn partner(&self, model: Model) -> Partner {
        let mut partners = self.partners.iter();
        partners
            .find(|partner| partner.model() == model)
            .expect("a partner of each model")
            .clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            task.abort();
        }
        if let Some(state) = &self.state
            && let Err(error) = state.close(&self.world)
        {
            tracing::error!("{error}");
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("base_url", &self.base_url)
            .field("partners", &self.partners)
            .finish_non_exhaustive()
    }
}
