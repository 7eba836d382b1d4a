//! Who may open a dashboard, and how its pages are protected.

use serde_json::{Value, json};
use twipla_api::operations;
use twipla_sandbox::Model;

use super::site::{Site, address, between, form_token, unescape};
use crate::support::payload;

#[tokio::test]
async fn every_error_page_shows_the_reason() {
    let site = Site::new().await;
    let customer = json!({"intpCustomerId": "d", "email": "d@example.com"});
    site.post("/v2/3as/customers", &customer).await;
    site.add_website("off", "off.example").await;
    let body = json!({"intpWebsiteId": "off"});
    site.post("/v3/3as/website-subscriptions/deactivate", &body)
        .await;

    let (owner, stranger) = (site.token("c", 600), site.token("d", 600));
    let (unknown, expired) = (site.token("nobody", 600), site.token("c", -60));
    let tampered = format!("{}AAAA", &owner[..owner.len() - 4]);
    let partner = site.client.token.clone();
    for (status, expected, parameters) in [
        (401, "The URL contains no token.", vec![]),
        (
            401,
            "The token is not valid.",
            vec![("intpc_token", tampered.as_str())],
        ),
        (
            401,
            "The token has expired.",
            vec![("intpc_token", &expired), ("externalWebsiteId", "w")],
        ),
        (
            401,
            "belongs to a partner",
            vec![("intpc_token", &partner), ("externalWebsiteId", "w")],
        ),
        (
            401,
            "The customer does not exist.",
            vec![("intpcToken", &unknown), ("externalWebsiteId", "w")],
        ),
        (
            401,
            "The login has expired.",
            vec![
                ("websiteToken", "x"),
                ("intpc_token", &owner),
                ("externalWebsiteId", "w"),
            ],
        ),
        (
            404,
            "does not name a website",
            vec![("intpc_token", &owner)],
        ),
        (
            404,
            "The website does not exist.",
            vec![("intpc_token", &owner), ("externalWebsiteId", "x")],
        ),
        (
            403,
            "You do not have access to this website",
            vec![("intpc_token", &stranger), ("externalWebsiteId", "w")],
        ),
        (
            403,
            "The website is inactive.",
            vec![("intpc_token", &owner), ("externalWebsiteId", "off")],
        ),
    ] {
        let (got, page) = site.open(&address("/", &parameters)).await;
        assert!(
            got == status && page.contains(expected),
            "{expected}: {got} {page}"
        );
        assert!(
            page.contains("role=\"alert\"") && !page.contains("example.com"),
            "{page}"
        );
    }
    for (expected, name, value) in [
        ("The time zone is not known", "timezone", "Berlin"),
        ("The dates are not valid", "startDate", "2026-02-30"),
        ("The dates are not valid", "startDate", "2026-2-03"),
        ("The dates are not valid", "endDate", "tomorrow"),
        ("The dates are not valid", "startDate", "9999-01-01"),
        ("The dates are not valid", "startDate", "1999-01-01"),
        ("The dates are not valid", "endDate", "-262143-01-01"),
    ] {
        let (got, page) = site.open(&site.address("/", &[(name, value)])).await;
        assert!(
            got == 400 && page.contains(expected),
            "{value}: {got} {page}"
        );
    }
}

#[tokio::test]
async fn expired_token_error_is_shown_in_the_requested_language() {
    let site = Site::new().await;
    let expired = site.token("c", -60);
    for (locale, expected) in [
        ("en", "The token has expired."),
        ("de", "Das Token ist abgelaufen."),
        ("fr", "Le jeton a expiré."),
        ("es", "El token ha caducado."),
    ] {
        for path in ["/", "/upgrade"] {
            let parameters = [
                ("intpc_token", expired.as_str()),
                ("externalWebsiteId", "w"),
                ("locale", locale),
            ];
            let (status, page) = site.open(&address(path, &parameters)).await;
            assert!(
                status == 401 && page.contains(expected),
                "{locale}: {status} {page}"
            );
        }
    }
}

#[tokio::test]
async fn text_of_clients_is_escaped() {
    let site = Site::new().await;
    let domain = "\"><script>alert('1')</script>&amp;.example";
    site.add_website("<b>\"", domain).await;
    let token = site.token("c", 600);
    let parameters = [
        ("intpc_token", token.as_str()),
        ("externalWebsiteId", "<b>\""),
        ("allowUpgrade", "true"),
        ("locale", "\"><script>alert(2)</script>"),
    ];
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert!(!page.contains("<b>"), "{page}");
    let title = between(&page, "<h1>", "</h1>")[0];
    assert_eq!(unescape(title), domain);
    let message: Value =
        serde_json::from_str(&unescape(between(&page, "data-post=\"", "\"")[0])).unwrap();
    assert_eq!(message["data"]["intpWebsiteId"], "<b>\"");
}

#[tokio::test]
async fn pages_allow_any_parent_and_no_inline_script() {
    let site = Site::platform_managed(Model::Website).await;
    let pro = site.package("Pro");
    let pages = [
        site.address("/", &[("allowUpgrade", "true")]),
        site.address("/upgrade", &[]),
        site.address("/upgrade", &[("upgradePackageId", &pro)]),
        "/".to_owned(),
    ];
    for address in pages {
        let response = site.client.get(&address).await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors *"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert!(!response.headers().contains_key("x-frame-options"));
        let page = response.text().await.unwrap();
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert_eq!(
            page.matches("<script src=\"/dashboard/").count(),
            1,
            "{page}"
        );
        for inline in ["<style", " style=", " onclick=", " onload=", "javascript:"] {
            assert!(!page.contains(inline), "{inline} in {page}");
        }
    }
    for (path, content_type) in [
        (
            "/dashboard/assets/dashboard.js",
            "text/javascript; charset=utf-8",
        ),
        ("/dashboard/assets/dashboard.css", "text/css; charset=utf-8"),
    ] {
        let response = site.client.get(path).await.unwrap();
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["content-type"]
            ),
            (200, &content_type.parse().unwrap())
        );
    }
}

#[tokio::test]
async fn pages_allow_only_get() {
    let site = Site::new().await;
    for (path, allow) in [
        ("/", "GET"),
        ("/dashboard/overview", "GET"),
        ("/upgrade/x", "GET"),
        ("/upgrade", "GET, POST"),
    ] {
        let response = site.client.delete(path).await.unwrap();
        assert_eq!(response.status(), 405, "{path}");
        assert_eq!(response.headers()["allow"], allow, "{path}");
    }
    let (status, _) = site.submit("/", &[]).await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn login_opens_the_dashboard_until_it_expires() {
    let site = Site::platform_managed(Model::Website).await;
    let key = site.api_key().await;
    let id = payload(&site.client, "/v2/3as/websites/w").await["id"].take();
    let login = json!({"apiKey": key, "websiteId": id});
    let response = site
        .client
        .post(operations::LOGIN_WITH_API_KEY.path, &login)
        .await
        .unwrap();
    let reply = response.json::<Value>().await.unwrap();
    let token = reply["payload"]["refreshToken"].as_str().unwrap();
    let pro = site.package("Pro");
    let parameters = [("websiteToken", token), ("upgradePackageId", pro.as_str())];
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert!(
        status == 200 && page.contains("<h1>example.com</h1>"),
        "{status} {page}"
    );
    let checkout = address("/upgrade", &parameters);
    let (_, page) = site.open(&checkout).await;
    let form = [
        ("packageId", pro.as_str()),
        ("formToken", &form_token(&page)),
    ];
    assert_eq!(site.submit(&checkout, &form).await.0, 200);
    assert_eq!(site.package_of_website().await, "Pro");

    site.sandbox.advance(chrono::Duration::minutes(16));
    let (status, page) = site.open(&address("/", &parameters)).await;
    assert!(
        status == 401 && page.contains("The login has expired."),
        "{status} {page}"
    );
}
