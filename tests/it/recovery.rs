//! What is certain after a failure: changes and creates are read back, and what is read back is about the right resource.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use twipla::types::{BillingInterval, ContributorRole, Currency, PackageVisibility};
use twipla::{ChangeState, Error, ErrorKind, RetryPolicy, Twipla};
use twipla_sandbox::{Fault, FaultKind};
use twipla_tests::{Stage, client, price_list, respond};

fn status(code: u16) -> Fault {
    Fault::new(respond(code, &[], r#"{"message":"out of order"}"#)).times(1)
}

#[tokio::test]
async fn change_that_failed_with_500_is_certain_after_reading_back() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();

    stage
        .sandbox
        .inject(status(500).operation("upgrade_website_subscription"));
    let error = subscription.upgrade(prices[2].id).await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::NotApplied));
    assert!(
        !error.is_ambiguous() && error.kind() == ErrorKind::Server,
        "{error}"
    );
    assert!(
        error.message().contains("out of order"),
        "the reason is kept: {error}"
    );

    let after = status(500).after_commit();
    stage
        .sandbox
        .inject(after.operation("upgrade_website_subscription"));
    let error = subscription.upgrade(prices[2].id).await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
    assert!(!error.is_ambiguous(), "{error}");
    assert_eq!(stage.commits("upgrade_website_subscription"), 1);
}

#[tokio::test]
async fn html_page_says_nothing_about_a_resource_or_a_change() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let page = |code| Fault::new(respond(code, &[], "<html>no route</html>")).times(1);
    let inject = |code, operation| stage.sandbox.inject(page(code).operation(operation));

    for code in [404, 410] {
        inject(code, "get_website");
        let error = twipla.website("w").get().await.unwrap_err();
        assert!(!error.is_not_found(), "the website is there: {error}");
        inject(code, "delete_website");
        let error = twipla.website("w").delete().await.unwrap_err();
        assert!(!error.is_not_found(), "it still is: {error}");
    }

    let prices = price_list(twipla).await.unwrap();
    inject(500, "upgrade_website_subscription");
    let upgrade = twipla.website("w").subscription().upgrade(prices[2].id);
    let error = upgrade.await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::NotApplied));
    assert!(
        error.is_ambiguous(),
        "the server itself may still be at it: {error}"
    );
}

#[tokio::test]
async fn change_that_failed_at_a_gateway_is_ambiguous_unless_applied() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    for code in [408, 499, 502, 503, 504, 520, 524, 530, 599] {
        let fault = || status(code).operation("upgrade_website_subscription");
        stage.sandbox.inject(fault());
        let error = subscription.upgrade(prices[2].id).await.unwrap_err();
        assert_eq!(
            error.change_state(),
            Some(ChangeState::NotApplied),
            "{code}: {error}"
        );
        assert!(
            error.is_ambiguous() && error.attempts() == 1,
            "{code}: {error}"
        );
    }
    for code in [501, 505, 400, 404] {
        stage
            .sandbox
            .inject(status(code).operation("upgrade_website_subscription"));
        let error = subscription.upgrade(prices[2].id).await.unwrap_err();
        assert!(!error.is_ambiguous(), "{code}: {error}");
        assert_eq!(
            error.change_state(),
            None,
            "{code}: nothing to read back: {error}"
        );
    }
    assert_eq!(stage.commits("upgrade_website_subscription"), 0);
    let fault = status(524).after_commit();
    stage
        .sandbox
        .inject(fault.operation("upgrade_website_subscription"));
    let error = subscription.upgrade(prices[2].id).await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
    assert!(!error.is_ambiguous(), "{error}");
}

#[tokio::test]
async fn change_that_applied_before_is_not_reported_as_applied() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    // Rejected with 500, although the requested state applies.
    subscription.upgrade(prices[2].id).await.unwrap();
    let upgrade = subscription.upgrade(prices[2].id).await.unwrap_err();
    assert_eq!(
        upgrade.change_state(),
        Some(ChangeState::InForce),
        "{upgrade}"
    );
    stage.lose_request("upgrade_website_subscription");
    let upgrade = subscription.upgrade(prices[2].id).await.unwrap_err();
    assert_eq!(
        upgrade.change_state(),
        Some(ChangeState::InForce),
        "{upgrade}"
    );
    let resume = subscription.resume().await.unwrap_err();
    assert_eq!(
        resume.change_state(),
        Some(ChangeState::InForce),
        "{resume}"
    );
    assert!(!resume.is_ambiguous(), "{resume}");

    // A downgrade is planned: the subscription is active, but not in the state after a resume.
    subscription.downgrade(prices[0].id).await.unwrap();
    stage.lose_request("resume_website_subscription");
    let resume = subscription.resume().await.unwrap_err();
    assert_eq!(
        resume.change_state(),
        Some(ChangeState::NotApplied),
        "{resume}"
    );
}

#[tokio::test]
async fn upgrade_whose_trial_is_not_visible_stays_ambiguous() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    stage.lose_response("upgrade_website_subscription");
    let error = subscription
        .upgrade(prices[2].id)
        .trial(true)
        .await
        .unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
    // There is no second trial: the package changes, but no trial starts.
    stage.lose_response("upgrade_website_subscription");
    let error = subscription
        .upgrade(prices[3].id)
        .trial(true)
        .await
        .unwrap_err();
    assert_eq!(error.change_state(), None, "{error}");
    assert!(error.is_ambiguous(), "{error}");
}

#[tokio::test]
async fn upgrade_with_an_unrequested_trial_stays_ambiguous() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let subscription = twipla.website("w").subscription();
    let upgrade = || subscription.upgrade(prices[2].id);
    upgrade().trial(true).await.unwrap();
    // The package applies, but as a trial.
    stage.lose_request("upgrade_website_subscription");
    let error = upgrade().await.unwrap_err();
    assert_eq!(error.change_state(), None, "{error}");
    assert!(error.is_ambiguous(), "{error}");
}

#[tokio::test]
async fn create_that_failed_with_500_is_read_back_and_not_retried() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let create = |id: &'static str| twipla.customers().create(id, format!("{id}@example.com"));

    stage
        .sandbox
        .inject(status(500).operation("create_customer"));
    let error = create("a").await.unwrap_err();
    assert!(!error.is_ambiguous() && error.attempts() == 1, "{error}");
    assert!(twipla.customer("a").get().await.unwrap_err().is_not_found());

    stage
        .sandbox
        .inject(status(500).after_commit().operation("create_customer"));
    assert_eq!(create("a").await.unwrap().intp_customer_id, "a");

    for code in [520, 530] {
        let id = if code == 520 { "b" } else { "d" };
        stage
            .sandbox
            .inject(status(code).operation("create_customer"));
        assert_eq!(create(id).await.unwrap().intp_customer_id, id, "{code}");
    }
    assert_eq!(stage.commits("create_customer"), 3);
}

/// Makes a call fail in three ways: certainly not carried out, possibly not, and after it was carried out. No attempt is
/// retried.
async fn is_read_back<T, C>(stage: &Stage, operation: &str, call: impl Fn() -> C)
where
    T: std::fmt::Debug,
    C: IntoFuture<Output = twipla::Result<T>>,
{
    let (not_applied, in_force) = (ChangeState::NotApplied, ChangeState::InForce);
    for (fault, state, is_ambiguous) in [
        (status(500), not_applied, false),
        (status(524), not_applied, true),
        (status(500).after_commit(), in_force, false),
    ] {
        stage.sandbox.clear_commits();
        stage.sandbox.inject(fault.operation(operation));
        let error = call().await.unwrap_err();
        assert_eq!(error.change_state(), Some(state), "{error}");
        assert_eq!(error.is_ambiguous(), is_ambiguous, "{error}");
        let commits = usize::from(state == in_force);
        assert_eq!(stage.commits(operation), commits, "{error}");
    }
}

#[tokio::test]
async fn failed_deletes_and_changes_are_read_back() {
    let stage = Stage::with_website().await;
    let once = client(&stage.sandbox, &stage.sandbox.website_partner());
    let twipla = &once.retry(RetryPolicy::none()).build().unwrap();
    let customers = twipla.customers();
    customers.create("d", "d@example.com").await.unwrap();
    let website = twipla.website("w");

    let people = website.contributors();
    for role in [
        ContributorRole::Watcher,
        ContributorRole::Editor,
        ContributorRole::Dashboard,
    ] {
        let add = || people.add("d", role.clone());
        is_read_back(&stage, "add_contributor", add).await;
    }
    is_read_back(&stage, "remove_contributor", || people.remove("d")).await;

    let domains = website.whitelisted_domains();
    let domain = "shop.example.com";
    is_read_back(&stage, "add_whitelisted_domain", || domains.add(domain)).await;
    is_read_back(&stage, "remove_whitelisted_domain", || {
        domains.remove(domain)
    })
    .await;

    let key = website.api_keys().create("data").await.unwrap().id;
    let keys = website.api_keys();
    is_read_back(&stage, "delete_api_key", || keys.delete(&key)).await;

    let (currency, period) = (Currency::Eur, BillingInterval::Monthly);
    let create = twipla.packages().create("Shop", 500, 5.0, currency, period);
    let package = create
        .visibility(PackageVisibility::Restricted)
        .await
        .unwrap();
    let package = twipla.package(package.id);
    is_read_back(&stage, "rename_package", || package.rename("Shop 2")).await;
    is_read_back(&stage, "assign_package", || package.assign_to_website("w")).await;
    is_read_back(&stage, "unassign_package", || {
        package.unassign_from_website("w")
    })
    .await;

    is_read_back(&stage, "delete_website", || website.delete()).await;
    let customer = twipla.customer("c");
    is_read_back(&stage, "delete_customer", || customer.delete()).await;
}

#[tokio::test]
async fn delete_whose_first_attempt_may_still_arrive_is_not_certain() {
    let stage = Stage::with_website().await;
    let website = stage.website_model.website("w");
    stage.lose_request("delete_website");
    stage
        .sandbox
        .inject(status(500).operation("delete_website"));
    let error = website.delete().await.unwrap_err();
    assert_eq!(
        error.change_state(),
        Some(ChangeState::NotApplied),
        "{error}"
    );
    assert!(error.is_ambiguous() && error.attempts() == 2, "{error}");

    // Deleted at the first attempt, so not found at the second.
    stage.lose_response("delete_website");
    let error = website.delete().await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
    assert!(error.is_not_found() && !error.is_ambiguous(), "{error}");
    let error = website.delete().await.unwrap_err();
    assert_eq!(error.change_state(), None, "it was not there: {error}");
}

#[tokio::test]
async fn throttled_attempt_does_not_make_a_later_500_ambiguous() {
    let stage = Stage::with_website().await;
    let throttled = respond(429, &[("retry-after", "0")], "{}");
    stage.fault_once("cancel_website_subscription", throttled);
    stage
        .sandbox
        .inject(status(500).operation("cancel_website_subscription"));
    let subscription = stage.website_model.website("w").subscription();
    let error = subscription.cancel().await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::NotApplied));
    assert!(!error.is_ambiguous() && error.attempts() == 2, "{error}");
}

#[tokio::test]
async fn delete_may_stay_ambiguous_after_reading_back() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let boom = |operation| stage.sandbox.inject(status(500).operation(operation));
    let is_open = |error: Error| {
        assert_eq!(error.change_state(), None, "{error}");
        assert!(error.is_ambiguous(), "{error}");
    };
    // How a deleted website is returned is not public: perhaps like a deactivated one.
    twipla
        .website("w")
        .subscription()
        .deactivate()
        .await
        .unwrap();
    boom("delete_website");
    is_open(twipla.website("w").delete().await.unwrap_err());

    // Who may use a package is not always visible, or not by our ids.
    let create = twipla.packages().create(
        "Custom",
        9_000,
        9.0,
        Currency::Eur,
        BillingInterval::Monthly,
    );
    let custom = create.visibility(PackageVisibility::Restricted).await;
    let package = twipla.package(custom.unwrap().id);
    for restricted_to in [json!(null), json!([{ "subscriptionId": "x" }])] {
        let mut shown = package.get().raw().await.unwrap();
        shown["restrictedTo"] = restricted_to;
        let body = json!({ "payload": shown }).to_string();
        stage.fault_once("get_package", respond(200, &[], &body));
        boom("unassign_package");
        is_open(package.unassign_from_website("w").await.unwrap_err());
    }
}

#[tokio::test]
async fn missing_website_counts_as_deactivated() {
    let stage = Stage::with_website().await;
    stage.lose_response("deactivate_website_subscription");
    stage.fault_once("get_website", respond(404, &[], "{}"));
    let subscription = stage.website_model.website("w").subscription();
    let error = subscription.deactivate().await.unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
}

#[tokio::test]
async fn missing_resource_counts_as_deleted_in_bulk_and_rotation() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let after = |operation| {
        let fault = status(500).after_commit();
        stage.sandbox.inject(fault.operation(operation));
    };
    let keys = twipla.website("w").api_keys();
    let old = keys.create("data").await.unwrap();
    let rotation = keys.rotate(&old.id).await.unwrap();
    stage
        .sandbox
        .inject(status(500).operation("delete_api_key"));
    rotation.confirm().await.unwrap_err();
    after("delete_api_key");
    rotation.confirm().await.unwrap();

    stage
        .sandbox
        .inject(status(500).operation("delete_website"));
    let delete = || twipla.bulk().delete_websites(["w"]);
    assert!(!delete().await.unwrap().is_complete());
    after("delete_website");
    assert!(delete().await.unwrap().is_complete());
}

#[tokio::test]
async fn reads_are_retried_after_gateway_errors_and_never_ambiguous() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    for code in [502, 503, 504, 520, 521, 522, 523, 524, 530] {
        stage.sandbox.inject(status(code));
        twipla.packages().list().await.unwrap();
    }
    for code in [500, 501, 525, 599] {
        stage.sandbox.inject(status(code));
        let error = twipla.packages().list().await.unwrap_err();
        assert!(
            !error.is_ambiguous() && error.attempts() == 1,
            "{code}: {error}"
        );
    }
}

/// A server with the same response for every request, and a client of it.
async fn answering(stage: &Stage, body: Value) -> Twipla {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 8192];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    let builder = client(&stage.sandbox, &stage.sandbox.website_partner());
    builder.base_url(url).build().unwrap()
}

fn foreign(result: Result<impl std::fmt::Debug, Error>, expected: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.message().contains(expected), "{error}");
}

#[tokio::test]
async fn response_about_another_resource_is_an_error() {
    let stage = Stage::with_website().await;
    let real = &stage.website_model;
    let prices = price_list(real).await.unwrap();
    let site = real.website("w").get().raw().await.unwrap();
    let customer = real.customer("c").get().raw().await.unwrap();
    let package = real.package(prices[0].id).get().raw().await.unwrap();

    let twipla = answering(&stage, json!({ "payload": site })).await;
    twipla.website("w").get().await.unwrap();
    foreign(twipla.website("v").get().await, "about w, expected v");
    foreign(twipla.website("v").delete().await, "about w, expected v");
    let other = "7128840a-5347-49a4-8dfa-9022d8dad21a";
    foreign(twipla.websites().get_by_twipla_id(other).await, other);
    foreign(
        twipla
            .websites()
            .create("c", "v", "example.com")
            .retry(RetryPolicy::none())
            .await,
        "expected v",
    );

    let twipla = answering(&stage, json!({ "payload": customer })).await;
    twipla.customer("c").get().await.unwrap();
    foreign(twipla.customer("d").get().await, "about c, expected d");
    foreign(twipla.customer("d").delete().await, "about c, expected d");

    let twipla = answering(&stage, json!({ "payload": package })).await;
    twipla.package(prices[0].id).get().await.unwrap();
    foreign(
        twipla.package(prices[1].id).get().await,
        &prices[1].id.to_string(),
    );
    foreign(
        twipla.package(prices[1].id).rename("x").await,
        &prices[1].id.to_string(),
    );
}

#[tokio::test]
async fn raw_rejects_a_response_about_another_resource() {
    let stage = Stage::with_website().await;
    let mut site = stage.website_model.website("w").get().raw().await.unwrap();
    let twipla = answering(&stage, json!({ "payload": site })).await;
    twipla.website("w").get().raw().await.unwrap();
    foreign(twipla.website("v").get().raw().await, "expected v");
    foreign(twipla.website("v").delete().raw().await, "expected v");
    let create = twipla.websites().create("c", "v", "example.com");
    foreign(create.raw().await, "expected v");

    // What does not fit the contract cannot be checked, and is what `raw` is for.
    site.as_object_mut().unwrap().remove("domain");
    let twipla = answering(&stage, json!({ "payload": site })).await;
    let shown = twipla.website("v").get().raw().await.unwrap();
    assert_eq!(shown["intpWebsiteId"], "w");
}

#[tokio::test]
async fn create_with_a_response_about_another_resource_is_read_back() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let keys = twipla.website("w").api_keys();
    let answer = |operation: &str, body: &Value| {
        let body = json!({ "payload": body }).to_string();
        let fault = Fault::new(respond(201, &[], &body)).after_commit();
        stage.sandbox.inject(fault.operation(operation).times(1));
    };
    let theirs = twipla.website("w").get().raw().await.unwrap();
    let mut customer = twipla.customer("c").get().raw().await.unwrap();
    customer["intpCustomerId"] = json!("d");
    for (field, id) in [("intpCustomerId", "c"), ("intpWebsiteId", "w")] {
        let mut website = theirs.clone();
        website["intpCustomerId"] = json!("d");
        website["intpWebsiteId"] = json!("v");
        website[field] = json!(id);
        customer["website"] = website;
        answer("create_customer", &customer);
        let create = twipla.customers().create("d", "d@example.com");
        let created = create.website("v", "v.example.com").await.unwrap();
        assert_eq!(created.website.unwrap().domain, "v.example.com");
        twipla.customer("d").delete().await.unwrap();
    }

    twipla
        .customers()
        .create("d", "d@example.com")
        .await
        .unwrap();
    let mut website = theirs;
    website["intpWebsiteId"] = json!("v");
    for operation in ["create_website", "create_website_flat"] {
        answer(operation, &website);
        let websites = twipla.websites();
        let site = if operation == "create_website" {
            websites.create("d", "v", "v.example.com").await.unwrap()
        } else {
            websites
                .create_flat("d", "v", "v.example.com")
                .await
                .unwrap()
        };
        assert_eq!(site.intp_customer_id, "d");
        twipla.website("v").delete().await.unwrap();
    }

    let create = || {
        let (currency, period) = (Currency::Eur, BillingInterval::Monthly);
        twipla.packages().create("Shop", 500, 5.0, currency, period)
    };
    let prices = price_list(twipla).await.unwrap();
    answer("create_package", &json!(prices[0]));
    assert_eq!(create().await.unwrap().name, "Shop");

    twipla
        .websites()
        .create("d", "v", "v.example.com")
        .await
        .unwrap();
    let other = twipla.website("v").api_keys();
    let key = other.create("data").raw().await.unwrap();
    answer("create_api_key", &key);
    let error = keys.create("data").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretLost, "{error}");
    let theirs = &other.list().raw().await.unwrap()[0];
    let ours = &keys.list().raw().await.unwrap()[0];
    for keys_shown in [json!([theirs]), json!([ours, theirs])] {
        answer("list_api_keys", &keys_shown);
        foreign(keys.list().await, "about v, expected w");
    }
}

#[tokio::test]
async fn change_with_a_response_about_another_resource_is_read_back() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let account = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    let of_website = twipla.website("w").subscription();
    let of_account = account.customer("c").subscription();
    let active = of_website.upgrade(prices[2].id).raw().await.unwrap();

    let answer = |operation: &str, body: &Value| {
        let body = json!({ "payload": body }).to_string();
        let fault = Fault::new(respond(201, &[], &body)).after_commit();
        stage.sandbox.inject(fault.operation(operation).times(1));
    };
    let is_told = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
        assert!(!error.is_ambiguous(), "{error}");
    };
    answer("upgrade_website_subscription", &active);
    is_told(of_website.upgrade(prices[3].id).await.unwrap_err());
    answer("downgrade_website_subscription", &active);
    is_told(of_website.downgrade(prices[0].id).await.unwrap_err());

    let prices = price_list(account).await.unwrap();
    answer("upgrade_intpc_subscription", &active);
    is_told(of_account.upgrade(prices[3].id).await.unwrap_err());
    answer("downgrade_intpc_subscription", &active);
    is_told(of_account.downgrade(prices[0].id).await.unwrap_err());
}

#[tokio::test]
async fn conflict_of_a_create_names_the_difference() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let websites = twipla.websites();
    for (create, expected) in [
        (
            websites.create("c", "w", "other.example"),
            "for example.com of customer c",
        ),
        (
            websites
                .create("c", "w", "example.com")
                .package(prices[0].id),
            "on another package",
        ),
        (
            websites
                .create("c", "w", "example.com")
                .unlimited_free_trial(true),
            "without a trial",
        ),
    ] {
        let error = create.await.unwrap_err();
        assert!(
            error.is_conflict() && !error.exists_as_requested(),
            "{error}"
        );
        assert!(error.message().contains(expected), "{error}");
    }
    let same = websites
        .create("c", "w", "example.com")
        .package(prices[1].id);
    let error = same.await.unwrap_err();
    assert!(
        error.is_conflict() && error.exists_as_requested(),
        "{error}"
    );

    let customers = twipla.customers();
    for (create, expected) in [
        (
            customers.create("c", "d@example.com"),
            "another e-mail address",
        ),
        (
            customers
                .create("c", "c@example.com")
                .website("v", "example.com"),
            "without this website",
        ),
        (
            customers
                .create("c", "c@example.com")
                .website("w", "example.com")
                .website_package(prices[0].id),
            "on another package",
        ),
        (
            customers
                .create("d", "d@example.com")
                .website("w", "example.com"),
            "another website",
        ),
    ] {
        let error = create.await.unwrap_err();
        assert!(
            error.is_conflict() && !error.exists_as_requested(),
            "{error}"
        );
        assert!(error.message().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn ambiguous_create_does_not_adopt_a_deactivated_website() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let create = || twipla.websites().create("c", "w", "example.com");
    let lost = || stage.lose_request("create_website");
    lost();
    create().await.unwrap();
    twipla
        .website("w")
        .subscription()
        .deactivate()
        .await
        .unwrap();
    lost();
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous() && error.is_conflict(), "{error}");
    assert!(error.message().contains("status inactive"), "{error}");

    // An unknown status leaves it open.
    lost();
    stage.fault_once("get_website", FaultKind::UnknownEnumValue);
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous() && !error.is_conflict(), "{error}");
    assert_eq!(stage.requests("create_website"), 3);
}

#[tokio::test]
async fn ambiguous_create_of_a_customer_with_an_invisible_package_stays_ambiguous() {
    let stage = Stage::start().await;
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    let create = || {
        let create = twipla.customers().create("c", "c@example.com");
        create.package(prices[1].id)
    };
    stage.lose_response("create_customer");
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous() && !error.is_conflict(), "{error}");
    assert!(error.message().contains("no website shows"), "{error}");

    stage.sandbox.clear_requests();
    twipla.customer("c").delete().await.unwrap();
    stage.lose_response("create_customer");
    let created = create().website("w", "example.com").await.unwrap();
    assert_eq!(created.website.unwrap().package_id, prices[1].id);
    assert_eq!(stage.requests("list_websites"), 0, "the website shows it");
}

#[tokio::test]
async fn duplicate_is_a_success_only_after_an_ambiguous_attempt() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    for code in [400, 409] {
        let (id, domain) = (format!("w{code}"), format!("{code}.example.com"));
        let create = |domain: &str| twipla.websites().create("c", &id, domain);
        let refuse = || {
            stage
                .sandbox
                .inject(status(code).operation("create_website"));
        };

        refuse();
        let error = create(&domain).await.unwrap_err();
        assert_eq!(error.is_conflict(), code == 409, "nothing exists: {error}");
        assert!(!error.is_ambiguous() && error.attempts() == 1, "{error}");

        create(&domain).await.unwrap();
        refuse();
        let error = create(&domain).await.unwrap_err();
        assert!(
            error.is_conflict() && error.exists_as_requested(),
            "{error}"
        );
        assert!(error.message().contains("out of order"), "{error}");
        refuse();
        let error = create("other.example.com").await.unwrap_err();
        assert!(error.is_conflict() && !error.is_ambiguous(), "{error}");
        assert!(error.message().contains(&domain), "{error}");
        twipla.website(&id).delete().await.unwrap();

        // The first attempt is carried out but not visible yet, so the second is rejected.
        stage.lose_response("create_website");
        stage.fault_once("get_website", respond(404, &[], "{}"));
        refuse();
        let created = create(&domain).await.unwrap();
        assert_eq!(created.intp_website_id, id.as_str());
    }
}

#[tokio::test]
async fn trial_of_a_package_is_not_the_requested_package() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let create = || twipla.websites().create("c", "w", "example.com");
    let upgrade = twipla.website("w").subscription().upgrade(prices[2].id);
    upgrade.trial(true).await.unwrap();
    for create in [
        create().unlimited_free_trial(true),
        create().package(prices[2].id),
    ] {
        let error = create.await.unwrap_err();
        let is_as_requested = error.exists_as_requested();
        assert!(error.is_conflict() && !is_as_requested, "{error}");
        assert!(error.message().contains("in a trial of Pro"), "{error}");
    }

    let create = || twipla.websites().create("c", "v", "v.example.com");
    let on_trial = create().unlimited_free_trial(true).await.unwrap();
    for create in [
        create().unlimited_free_trial(true),
        create().package(on_trial.package_id),
    ] {
        let error = create.await.unwrap_err();
        assert!(error.exists_as_requested(), "{error}");
    }
}

// The clock only advances when everything waits, so only the deadlines decide.
#[tokio::test(start_paused = true)]
async fn timeout_covers_the_read_back() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    stage.sandbox.inject(Fault::new(FaultKind::Hang));
    let subscription = twipla.website("w").subscription();
    let limit = Duration::from_secs(8);
    let started = tokio::time::Instant::now();
    let error = subscription
        .upgrade(prices[2].id)
        .timeout(limit)
        .await
        .unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error}");
    assert_eq!(
        error.change_state(),
        None,
        "it could not be read back: {error}"
    );
    assert!(
        error.to_string().contains("8.000 s"),
        "the limit that was set: {error}"
    );
    let took = started.elapsed();
    assert!(took <= limit + Duration::from_millis(10), "{took:?}");

    let started = tokio::time::Instant::now();
    let create = twipla
        .websites()
        .create("c", "v", "v.example.com")
        .timeout(limit);
    let error = create.await.unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error}");
    let took = started.elapsed();
    assert!(took <= limit + Duration::from_millis(10), "{took:?}");
}

// The clock only advances when everything waits, so only the deadlines decide.
#[tokio::test(start_paused = true)]
async fn part_of_the_timeout_is_reserved_for_the_read_back() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("upgrade_website_subscription"));
    let upgrade = twipla.website("w").subscription().upgrade(prices[2].id);
    let error = upgrade.timeout(Duration::from_secs(4)).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(
        error.change_state(),
        Some(ChangeState::NotApplied),
        "{error}"
    );
}

#[tokio::test]
async fn existing_package_or_key_of_the_same_name_is_not_the_new_one() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;
    let create = || {
        let (currency, period) = (Currency::Eur, BillingInterval::Monthly);
        twipla.packages().create("Shop", 500, 5.0, currency, period)
    };
    let keys = twipla.website("w").api_keys();
    let old_package = create().await.unwrap();
    let old_key = keys.create("reports").await.unwrap();

    stage.lose_request("create_package");
    let error = create().await.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    stage.lose_response("create_package");
    assert_ne!(create().await.unwrap().id, old_package.id);

    stage.lose_request("create_api_key");
    let error = keys.create("reports").await.unwrap_err();
    assert!(
        error.is_ambiguous() && error.kind() != ErrorKind::SecretLost,
        "{error}"
    );
    stage.lose_response("create_api_key");
    let error = keys.create("reports").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretLost, "{error}");
    let is_named = |id: &str| error.message().contains(id);
    assert!(!is_named(old_key.id.as_str()), "{error}");
    let all = keys.list().await.unwrap();
    assert_eq!(
        all.iter().filter(|key| is_named(key.id.as_str())).count(),
        1
    );
}

#[tokio::test]
async fn incomparable_new_package_leaves_its_create_ambiguous() {
    let stage = Stage::start().await;
    let unknown = Fault::new(FaultKind::UnknownEnumValue);
    stage.sandbox.inject(unknown.operation("list_packages"));
    let boom = status(500).after_commit();
    stage.sandbox.inject(boom.operation("create_package"));
    let packages = stage.website_model.packages();
    let create = packages.create("Shop", 500, 5.0, Currency::Eur, BillingInterval::Monthly);
    let error = create.await.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    assert_eq!(stage.commits("create_package"), 1);
}
