//! Responses about another resource, or about none.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use twipla::types::{BillingInterval, Currency};
use twipla::{ChangeState, Error, ErrorKind, RetryPolicy, Twipla};
use twipla_sandbox::Fault;
use twipla_tests::{Stage, client, price_list, respond};

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
