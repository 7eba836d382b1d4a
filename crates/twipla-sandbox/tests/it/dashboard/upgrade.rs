//! The upgrade button, and the upgrade page under platform-managed billing.

use reqwest::Method;
use serde_json::{Value, json};
use twipla_sandbox::Model;

use super::site::{Site, address, between, form_token, unescape};
use crate::support::payload;

#[tokio::test]
async fn upgrade_button_has_the_documented_message() {
    let site = Site::new().await;
    let page = site.page("/", &[("allowUpgrade", "true")]).await;
    let message: Value =
        serde_json::from_str(&unescape(between(&page, "data-post=\"", "\"")[0])).unwrap();
    let website = payload(&site.client, "/v2/3as/websites/w").await;
    assert_eq!(
        message,
        json!({
            "type": "UPGRADE_BUTTON_CLICKED",
            "data": {
                "intpWebsiteId": "w", "intpCustomerId": "c", "inTrial": true, "billingInterval": "monthly",
                "packageName": website["packageName"], "packageId": website["packageId"], "expiresAt": website["expiresAt"],
            },
        })
    );
    for parameters in [
        &[][..],
        &[("allowUpgrade", "false")],
        &[("allowUpgrade", "1")],
    ] {
        assert!(!site.page("/", parameters).await.contains("id=\"upgrade\""));
    }
}

#[tokio::test]
async fn contributor_cannot_upgrade() {
    let site = Site::platform_managed(Model::Website).await;
    let customer = json!({"intpCustomerId": "d", "email": "d@example.com"});
    site.post("/v2/3as/customers", &customer).await;
    let role = json!({"intpCustomerId": "d", "role": "editor"});
    site.post("/v3/3as/websites/w/contributors", &role).await;
    let token = site.token("d", 600);
    let parameters = [
        ("intpc_token", token.as_str()),
        ("externalWebsiteId", "w"),
        ("allowUpgrade", "true"),
    ];
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert!(
        status == 200 && !page.contains("id=\"upgrade\""),
        "{status} {page}"
    );
    let (status, page) = site.open(&address("/upgrade", &parameters)).await;
    assert!(
        status == 403 && page.contains("Only the owner"),
        "{status} {page}"
    );
}

#[tokio::test]
async fn upgrade_page_exists_only_under_platform_managed_billing() {
    let site = Site::new().await;
    let pro = site.package("Pro");
    let address = site.address("/upgrade", &[("upgradePackageId", &pro)]);
    for (status, page) in [
        site.open(&address).await,
        site.submit(&address, &[("packageId", &pro)]).await,
    ] {
        assert!(
            status == 403 && page.contains("Packages are not sold here"),
            "{status} {page}"
        );
    }
    let site = Site::platform_managed(Model::Website).await;
    let page = site
        .page(
            "/",
            &[
                ("allowUpgrade", "true"),
                ("locale", "de"),
                ("upgradePackageId", &pro),
            ],
        )
        .await;
    assert!(!page.contains("data-post"), "{page}");
    let link = unescape(between(&page, "id=\"upgrade\" href=\"", "\"")[0]);
    assert!(
        link.starts_with("/upgrade?")
            && link.contains("locale=de")
            && link.contains("upgradePackageId="),
        "{link}"
    );
}

#[tokio::test]
async fn upgrade_page_lists_available_packages() {
    let site = Site::platform_managed(Model::Website).await;
    for (name, assigned) in [("Secret", false), ("Mine", true)] {
        let package = json!({
            "name": name, "touchpoints": 90_000, "price": 5, "currency": "EUR", "period": "monthly", "visibility": "restricted",
        });
        let response = site
            .client
            .post("/v2/3as/packages", &package)
            .await
            .unwrap();
        let id = response.json::<Value>().await.unwrap()["payload"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        if assigned {
            let path = format!("/v3/3as/packages/{id}/assignments/w");
            let response = site.client.send(Method::PUT, &path, None).await.unwrap();
            assert!(
                response.status().is_success(),
                "{}",
                response.text().await.unwrap()
            );
        }
    }
    let page = site.page("/upgrade", &[]).await;
    let names = between(&page, "<h2>", "</h2>");
    assert!(
        names.contains(&"Advanced") && names.contains(&"Unicorn yearly") && names.contains(&"Mine"),
        "{names:?}"
    );
    for other in [
        "Free",
        "unlimited_30_day_free_trial",
        "Basic",
        "Basic yearly",
        "Secret",
    ] {
        assert!(!names.contains(&other), "{other}");
    }
    // Each package links to its checkout.
    let link = unescape(between(&page, "class=\"button\" href=\"", "\"")[0]);
    let (status, page) = site.open(&link).await;
    assert!(
        status == 200 && page.contains("<strong>Advanced</strong>"),
        "{status} {page}"
    );
}

#[tokio::test]
async fn checkout_changes_the_subscription_and_posts_a_message() {
    for model in [Model::Website, Model::Account] {
        let site = Site::platform_managed(model).await;
        let pro = site.package("Pro");
        let address = site.address("/upgrade", &[("upgradePackageId", &pro)]);
        let (_, page) = site.open(&address).await;
        let action = unescape(between(&page, "method=\"post\" action=\"", "\"")[0]);
        let token = form_token(&page);
        let form = [("packageId", pro.as_str()), ("formToken", token.as_str())];
        site.sandbox.clear_commits();
        let (status, page) = site.submit(&action, &form).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(site.package_of_website().await, "Pro");
        assert_eq!(site.sandbox.commits().len(), 1);
        let message: Value =
            serde_json::from_str(&unescape(between(&page, "data-post=\"", "\"")[0])).unwrap();
        assert_eq!(message["type"], "SUBSCRIPTION_UPGRADED");
        assert_eq!(
            (
                &message["data"]["packageId"],
                &message["data"]["packageName"]
            ),
            (&json!(pro), &json!("Pro"))
        );

        // Submit it again, like a reload of the page.
        let (status, _) = site.submit(&action, &form).await;
        assert_eq!((status.as_u16(), site.sandbox.commits().len()), (400, 1));
    }
}

#[tokio::test]
async fn forged_or_reused_form_is_rejected() {
    let site = Site::platform_managed(Model::Website).await;
    let (pro, basic, unicorn) = (
        site.package("Pro"),
        site.package("Basic"),
        site.package("Unicorn"),
    );
    let other = Site::platform_managed(Model::Website).await.package("Pro");
    let address = site.address("/upgrade", &[("upgradePackageId", &pro)]);
    let (_, page) = site.open(&address).await;
    let token = form_token(&page);
    // A form created for another session.
    let elsewhere = site.token("c", 500);
    let parameters = [
        ("intpc_token", elsewhere.as_str()),
        ("externalWebsiteId", "w"),
        ("upgradePackageId", &pro),
    ];
    let (_, page) = site.open(&self::address("/upgrade", &parameters)).await;
    let of_another_session = form_token(&page);
    assert_ne!(token, of_another_session);
    for (status, package, form_token) in [
        (403, &pro, None),
        (403, &pro, Some("")),
        (403, &pro, Some("AAAA")),
        (403, &pro, Some(of_another_session.as_str())),
        (403, &unicorn, Some(&token)),
        (400, &basic, Some(&token)),
        (400, &other, Some(&token)),
        (400, &"Pro".to_owned(), Some(&token)),
        (400, &String::new(), Some(&token)),
    ] {
        let mut form = vec![("packageId", package.as_str())];
        form.extend(form_token.map(|token| ("formToken", token)));
        let (got, page) = site.submit(&address, &form).await;
        assert_eq!(got, status, "{form:?}: {page}");
        assert_eq!(site.package_of_website().await, "Basic", "{form:?}");
    }
    for id in [&basic, &other, &"Pro".to_owned()] {
        let (status, _) = site
            .open(&site.address("/upgrade", &[("upgradePackageId", id)]))
            .await;
        assert_eq!(status, 400, "{id}");
    }
}
