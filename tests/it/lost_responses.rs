//! Every operation of the contract with its response lost: nothing is carried out twice, whatever is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::Utc;
use twipla::types::{BillingInterval, ContributorRole, Currency, PackageVisibility};
use twipla::{Metric, Result};
use twipla_api::{Auth, Idempotency, Operation};
use twipla_sandbox::{Fault, FaultKind};
use twipla_tests::{Stage, price_list};

#[tokio::test]
async fn no_operation_is_carried_out_twice_after_a_lost_response() {
    each_operation_is_carried_out_once(&FaultKind::ResetAfterCommit).await;
}

/// A second attempt, if there is one, overtakes the first.
#[tokio::test]
async fn no_operation_is_carried_out_twice_if_the_request_arrives_late() {
    each_operation_is_carried_out_once(&FaultKind::LateCommit(Duration::from_millis(30))).await;
}

async fn each_operation_is_carried_out_once(kind: &FaultKind) {
    let stage = Stage::with_website().await;
    let mut run = Run {
        stage: &stage,
        kind,
        called: BTreeSet::new(),
    };
    website_model(&mut run).await;
    account_model(&mut run).await;
    let all: BTreeSet<_> = twipla_api::operations::ALL
        .iter()
        .map(|operation| operation.id)
        .collect();
    assert_eq!(run.called, all, "an operation is missing here");
}

struct Run<'a> {
    stage: &'a Stage,
    kind: &'a FaultKind,
    called: BTreeSet<&'static str>,
}

impl Run<'_> {
    /// Makes a call whose first request has a fault, counts its effects, and returns their ids.
    async fn once<T>(
        &mut self,
        id: &str,
        call: impl IntoFuture<Output = Result<T>>,
    ) -> BTreeMap<&'static str, String> {
        let sandbox = &self.stage.sandbox;
        let mut all = twipla_api::operations::ALL.iter();
        let operation = all.find(|operation| operation.id == id).unwrap();
        sandbox.clear_commits();
        sandbox.clear_faults();
        sandbox.inject(Fault::new(self.kind.clone()).operation(id).times(1));
        let result = call.into_future().await.map(drop);
        while sandbox.faults().pending_commits > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(sandbox.faults().faults[0].struck, 1, "{id}: {result:?}");
        let commits = sandbox.commits();
        let expected = usize::from(changes_something(operation));
        assert_eq!(
            commits.len(),
            expected,
            "{id}, after {:?}: {result:?}",
            self.kind
        );
        self.called.insert(operation.id);
        commits
            .into_iter()
            .next()
            .map(|commit| commit.ids)
            .unwrap_or_default()
    }
}

/// The operations of the data endpoints read by POST, and a login is not logged as a change.
fn changes_something(operation: &Operation) -> bool {
    operation.idempotency != Idempotency::Safe && operation.auth == Auth::PartnerToken
}

async fn website_model(run: &mut Run<'_>) {
    let twipla = &run.stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let (customers, websites) = (twipla.customers(), twipla.websites());
    let website = twipla.website("w");
    let site = website.get().await.unwrap();

    run.once("get_company_details", twipla.company_details())
        .await;
    run.once("create_customer", customers.create("d", "d@example.com"))
        .await;
    run.once("list_customers", customers.list()).await;
    run.once("get_customer", twipla.customer("d").get()).await;
    let create = websites
        .create("c", "v", "example.com")
        .package(prices[0].id);
    run.once("create_website", create).await;
    let create = websites.create_flat("c", "u", "example.com");
    run.once("create_website_flat", create).await;
    run.once("list_websites", websites.list()).await;
    run.once("get_website", website.get()).await;
    run.once("get_website_by_id", websites.get_by_twipla_id(site.id))
        .await;

    let subscription = website.subscription();
    let upgrade = subscription.upgrade(prices[2].id);
    run.once("upgrade_website_subscription", upgrade).await;
    let downgrade = subscription.downgrade(prices[0].id);
    run.once("downgrade_website_subscription", downgrade).await;
    run.once("cancel_website_subscription", subscription.cancel())
        .await;
    run.once("resume_website_subscription", subscription.resume())
        .await;

    let (currency, period) = (Currency::Eur, BillingInterval::Monthly);
    let create = twipla
        .packages()
        .create("Custom", 9_000, 9.0, currency, period);
    let create = create.visibility(PackageVisibility::Restricted);
    let ids = run.once("create_package", create).await;
    let package = twipla.package(&ids["packageId"]);
    run.once("list_packages", twipla.packages().list()).await;
    run.once("get_package", package.get()).await;
    run.once("rename_package", package.rename("Custom 9k"))
        .await;
    run.once("assign_package", package.assign_to_website("w"))
        .await;
    run.once("unassign_package", package.unassign_from_website("w"))
        .await;

    let contributors = website.contributors();
    let add = contributors.add("d", ContributorRole::Dashboard);
    run.once("add_contributor", add).await;
    run.once("list_contributors", contributors.list()).await;
    run.once("remove_contributor", contributors.remove("d"))
        .await;

    let domains = website.whitelisted_domains();
    run.once("add_whitelisted_domain", domains.add("shop.example.com"))
        .await;
    run.once("list_whitelisted_domains", domains.list()).await;
    let remove = domains.remove("shop.example.com");
    run.once("remove_whitelisted_domain", remove).await;

    let keys = website.api_keys();
    let ids = run.once("create_api_key", keys.create("lost")).await;
    run.once("list_api_keys", keys.list()).await;
    run.once("delete_api_key", keys.delete(&ids["apiKeyId"]))
        .await;
    data(run, site.id).await;

    run.once("deactivate_website_subscription", subscription.deactivate())
        .await;
    run.once("delete_website", twipla.website("v").delete())
        .await;
    run.once("delete_customer", twipla.customer("c").delete())
        .await;
}

async fn data(run: &mut Run<'_>, website: twipla::TwiplaWebsiteId) {
    let twipla = &run.stage.website_model;
    let key = twipla.website("w").api_keys().create("data").await.unwrap();
    let key = key.api_key.expose();
    let login = twipla.login_with_api_key(website, key);
    run.once("login_with_api_key", login).await;

    let data = twipla.analytics(website, key);
    let today = Utc::now().date_naive();
    let days = || today..=today;
    let sessions = data.sessions().metrics([Metric::SessionCount]);
    run.once("query_session_analytics", sessions.date_range(days()))
        .await;
    let pages = data.pages().metrics([Metric::VisitCount]);
    run.once("query_page_analytics", pages.date_range(days()))
        .await;
    run.once("query_visits_graph", data.visits().date_range(days()))
        .await;
    run.once(
        "query_bounce_rate_graph",
        data.bounce_rate().date_range(days()),
    )
    .await;
    let duration = data.page_view_duration().date_range(days());
    run.once("query_page_view_duration_graph", duration).await;
    run.once(
        "query_traffic_share",
        data.traffic_share().date_range(days()),
    )
    .await;
    run.once("query_raw_sessions", data.raw_sessions()).await;
}

async fn account_model(run: &mut Run<'_>) {
    let twipla = &run.stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.customer("c").subscription();
    let upgrade = subscription.upgrade(prices[2].id);
    run.once("upgrade_intpc_subscription", upgrade).await;
    let downgrade = subscription.downgrade(prices[0].id);
    run.once("downgrade_intpc_subscription", downgrade).await;
    run.once("cancel_intpc_subscription", subscription.cancel())
        .await;
    run.once("resume_intpc_subscription", subscription.resume())
        .await;
    run.once("deactivate_intpc_subscription", subscription.deactivate())
        .await;
}
