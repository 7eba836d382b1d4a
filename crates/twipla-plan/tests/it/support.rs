//! Shared test support: a sandbox with a client, a folder, and wanted states.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use twipla::{PrivateKey, RetryPolicy, Twipla};
use twipla_plan::{
    Apply, Plan, Planner, Report, Wanted, WantedContributor, WantedCustomer, WantedWebsite,
};
use twipla_sandbox::{Model, Partner, Sandbox};

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) partner: Partner,
    pub(crate) twipla: Twipla,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::of(Model::Website).await
    }

    pub(crate) async fn of(model: Model) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let partner = match model {
            Model::Website => sandbox.website_partner(),
            Model::Account => sandbox.account_partner(),
        };
        let twipla = client(
            sandbox.base_url(),
            &partner.id().to_string(),
            partner.private_key_pem(),
        );
        Self {
            twipla,
            partner,
            sandbox,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file with this text.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) async fn plan(&self, wanted: &[WantedCustomer]) -> Plan {
        self.plan_with(&Planner::new(&self.twipla), wanted).await
    }

    pub(crate) async fn prune(&self, wanted: &[WantedCustomer]) -> Plan {
        self.plan_with(&Planner::new(&self.twipla).prune(true), wanted)
            .await
    }

    pub(crate) async fn plan_with(&self, planner: &Planner, wanted: &[WantedCustomer]) -> Plan {
        let wanted = Wanted::from_customers(wanted.to_vec());
        planner.plan(&wanted, self.path("plan.json")).await.unwrap()
    }

    pub(crate) fn apply(&self, plan: &Plan) -> Apply {
        let journal = self.path("plan.journal");
        Apply::new(&self.twipla, plan, journal)
    }

    /// Plans and applies, with a new journal.
    pub(crate) async fn reach(&self, wanted: &[WantedCustomer]) -> Report {
        let plan = self.plan(wanted).await;
        let _ = std::fs::remove_file(self.path("plan.journal"));
        let report = self.apply(&plan).run().await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        let _ = std::fs::remove_file(self.path("plan.journal"));
        report
    }

    /// Returns the partner's state in the sandbox.
    pub(crate) fn snapshot(&self) -> Value {
        snapshot_of(&self.sandbox.snapshot(), &self.partner.id().to_string())
    }

    /// Returns the package with this name.
    pub(crate) fn id(&self, name: &str) -> twipla::PackageId {
        let packages = self.sandbox.packages(self.partner.id());
        packages.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// Returns how many requests of an operation changed something.
    pub(crate) fn commits(&self, operation: &str) -> usize {
        let commits = self.sandbox.commits();
        commits
            .iter()
            .filter(|commit| commit.operation == operation)
            .count()
    }

    pub(crate) fn requests(&self, operation: &str) -> usize {
        let requests = self.sandbox.requests();
        let of_operation = requests
            .iter()
            .filter(|request| request.operation == Some(operation));
        of_operation.count()
    }
}

fn snapshot_of(all: &Value, partner: &str) -> Value {
    let mut partners = all["partners"].as_array().unwrap().iter();
    partners
        .find(|known| known["id"] == partner)
        .unwrap()
        .clone()
}

pub(crate) fn client(base_url: &str, partner: &str, key: &str) -> Twipla {
    Twipla::builder()
        .partner(partner, PrivateKey::from_pem(key).unwrap())
        .base_url(base_url)
        .attempt_timeout(Duration::from_secs(5))
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap()
}

pub(crate) fn customer(id: &str, websites: Vec<WantedWebsite>) -> WantedCustomer {
    WantedCustomer {
        id: id.to_owned(),
        email: format!("{id}@example.com"),
        package: None,
        canceled: false,
        websites,
    }
}

pub(crate) fn website(id: &str, package: &str) -> WantedWebsite {
    WantedWebsite {
        id: id.to_owned(),
        domain: format!("{id}.example.com"),
        package: (!package.is_empty()).then(|| package.to_owned()),
        canceled: false,
        whitelisted_domains: None,
        contributors: None,
    }
}

pub(crate) fn contributor(customer: &str, role: &str) -> WantedContributor {
    WantedContributor {
        customer: customer.to_owned(),
        role: role.parse().unwrap(),
    }
}

pub(crate) fn text(plan: &Plan) -> String {
    let mut text = Vec::new();
    plan.write_text(&mut text, None).unwrap();
    String::from_utf8(text).unwrap()
}

/// Asserts that the sandbox made each change once.
pub(crate) fn assert_nothing_doubled(sandbox: &Sandbox) {
    let mut known = HashSet::new();
    for commit in sandbox.commits() {
        let what = format!("{} {:?} {:?}", commit.operation, commit.ids, commit.name);
        assert!(known.insert(what.clone()), "twice {what}");
    }
}
