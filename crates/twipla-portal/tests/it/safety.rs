//! Who may do what, and what a page lets through.

use serde_json::json;

use crate::stage::{Browser, Page, Stage, add_customer, settings};

async fn message(
    browser: &Browser,
    site: &str,
    token: &str,
    origin: &str,
    data: serde_json::Value,
) -> (u16, String) {
    let answer = browser
        .client
        .post(format!("{}{site}/messages", browser.url))
        .header("X-CSRF-Token", token)
        .json(&json!({"origin": origin, "data": data}))
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn csrf(page: &Page) -> String {
    let fields = page.hidden_fields();
    let (_, token) = fields.into_iter().find(|(name, _)| name == "csrf").unwrap();
    token
}

#[tokio::test]
async fn form_without_the_token_of_the_session_changes_nothing() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    ada.buy(&site, &stage.package("Pro")).await;
    ada.wait(&site).await;
    let of_another = csrf(&stage.browser("grace").await.open("/sites").await);
    let commits = stage.sandbox.commits();
    let id = "0d2a3a4e-6cf0-4c3c-8f0e-d5a1f1c2b3a4";
    for token in ["", "guess", &of_another] {
        for (path, fields) in [
            (
                "/sites".to_owned(),
                vec![("id", id), ("domain", "b.example.com")],
            ),
            (
                format!("{site}/orders"),
                vec![
                    ("order", id),
                    ("package", &*stage.package("Basic")),
                    ("amount", "1299"),
                ],
            ),
            (format!("{site}/cancel"), vec![]),
            (format!("{site}/resume"), vec![]),
            (
                format!("{site}/contributors"),
                vec![("email", "grace@example.com"), ("role", "editor")],
            ),
            ("/sign-in".to_owned(), vec![("customer", "grace")]),
            ("/sign-out".to_owned(), vec![]),
        ] {
            let mut form: Vec<_> = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            form.push(("csrf".to_owned(), token.to_owned()));
            let page = ada.post(&path, &form).await;
            assert_eq!(page.status, 403, "{path} with {token:?}");
            page.says("Nothing was changed");
        }
        let wish = json!({"type": "UPGRADE_BUTTON_CLICKED", "data": {}});
        let origin = stage.twipla.dashboard_origin();
        assert_eq!(message(&ada, &site, token, &origin, wish).await.0, 403);
    }
    stage.settle().await;
    assert_eq!(stage.sandbox.commits(), commits);
    assert_eq!(stage.count("SELECT COUNT(*) FROM sites").await, 1);
    assert_eq!(stage.count("SELECT COUNT(*) FROM orders").await, 1);
    // Still signed in, and as the same customer.
    ada.open("/sites").await.says("<strong>Ada</strong>");
}

#[tokio::test]
async fn site_of_another_customer_is_not_there() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let grace = stage.browser("grace").await;
    let token = csrf(&grace.open("/sites").await);
    grace.open("/sites").await.does_not_say("ada.example.com");
    let pro = stage.package("Pro");
    for path in [
        "",
        "/pending",
        "/plans",
        "/analytics",
        &format!("/checkout?package={pro}"),
    ] {
        let page = grace.open(&format!("{site}{path}")).await;
        assert_eq!(page.status, 404, "{path}");
        page.does_not_say("ada.example.com");
    }
    let order = "0d2a3a4e-6cf0-4c3c-8f0e-d5a1f1c2b3a4";
    for (path, fields) in [
        (
            "/orders",
            vec![("order", order), ("package", &*pro), ("amount", "3999")],
        ),
        ("/cancel", vec![]),
        ("/resume", vec![]),
        (
            "/contributors",
            vec![("email", "grace@example.com"), ("role", "editor")],
        ),
    ] {
        let mut form: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        form.push(("csrf".to_owned(), token.clone()));
        assert_eq!(
            grace.post(&format!("{site}{path}"), &form).await.status,
            404,
            "{path}"
        );
    }
    let wish = json!({"type": "UPGRADE_BUTTON_CLICKED", "data": {"intpWebsiteId": site.strip_prefix("/sites/")}});
    let origin = stage.twipla.dashboard_origin();
    assert_eq!(message(&grace, &site, &token, &origin, wish).await.0, 404);
    // Nor is the id of it a way in: it is taken.
    let id = site.strip_prefix("/sites/site-").unwrap();
    let form = [
        ("csrf", &*token),
        ("id", id),
        ("domain", "grace.example.com"),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(grace.post("/sites", &form).await.status, 404);
    assert_eq!(stage.texts("SELECT customer_id FROM sites").await, ["ada"]);
    assert_eq!(stage.count("SELECT COUNT(*) FROM orders").await, 0);
}

#[tokio::test]
async fn name_of_another_machine_is_refused() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    for (host, status) in [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ] {
        let request = ada.client.get(format!("{}/sites", ada.url));
        let answer = request.header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
}

#[tokio::test]
async fn stranger_is_sent_to_sign_in() {
    let stage = Stage::start().await;
    let stranger = stage.stranger();
    for path in ["/", "/sites", "/sites/x", "/sites/x/analytics"] {
        assert_eq!(stranger.open(path).await.path, "/sign-in", "{path}");
    }
}

#[tokio::test]
async fn session_is_out_of_reach_and_changes_with_the_sign_in() {
    let stage = Stage::start().await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let cookie = |answer: &reqwest::Response| {
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        cookie.split(';').next().unwrap().to_owned()
    };
    let url = format!("{}/sign-in", stage.url());
    let answer = client.get(&url).send().await.unwrap();
    let before = cookie(&answer);
    let html = answer.text().await.unwrap();
    let token = html.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let answer = client
        .post(&url)
        .header("cookie", &before)
        .form(&[("csrf", token), ("customer", "ada")])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 303);
    let after = cookie(&answer);
    assert_ne!(before, after);
    // The old one is worth nothing, and the database has neither.
    let sites = format!("{}/sites", stage.url());
    for (cookie, status) in [(&before, 303), (&after, 200)] {
        let answer = client
            .get(&sites)
            .header("cookie", cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
    }
    let stored = stage.texts("SELECT id_hash FROM sessions").await;
    assert_eq!(stored.len(), 1);
    assert!(
        stored.iter().all(|hash| !after.contains(hash)),
        "{stored:?}"
    );

    let secure = crate::stage::Stage::with(twipla_portal::Settings {
        https: true,
        ..settings()
    })
    .await;
    let answer = client
        .get(format!("{}/sign-in", secure.url()))
        .send()
        .await
        .unwrap();
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("; Secure")
    );
    assert!(answer.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let page = ada.submit("/sites", "/sign-out", &[]).await;
    assert_eq!(page.path, "/sign-in");
    assert_eq!(ada.open("/sites").await.path, "/sign-in");
    assert_eq!(
        stage
            .count("SELECT COUNT(*) FROM sessions WHERE customer_id = 'ada'")
            .await,
        0
    );
}

#[tokio::test]
async fn what_people_type_is_text() {
    let stage = Stage::start().await;
    let script = "<script>alert(1)</script>\"'&";
    add_customer(&stage.store().await, "mallory", script).await;
    let mallory = stage.browser("mallory").await;
    let page = mallory.open("/sites").await;
    page.says("&lt;script&gt;alert(1)");
    page.does_not_say("<script>alert");
    let page = mallory
        .submit("/sites", "/sites", &[("domain", script)])
        .await;
    assert_eq!(page.status, 422);
    page.says("&lt;script&gt;alert(1)");
    page.does_not_say("<script>alert");
    let site = mallory.add_site("mallory.example.com").await;
    let invitation = [("email", script), ("role", "editor")];
    let page = mallory
        .submit(&site, &format!("{site}/contributors"), &invitation)
        .await;
    assert_eq!(page.status, 422);
    page.does_not_say("<script>alert");
    // What TWIPLA says is somebody's text, too.
    for column in ["domain", "package_name", "snippet"] {
        let sql = format!("UPDATE sites SET {column} = '<script>alert(2)</script>'");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&stage.rows)
            .await
            .unwrap();
    }
    for path in [
        "/sites",
        &site,
        &format!("{site}/analytics"),
        &format!("{site}/plans"),
    ] {
        let page = mallory.open(path).await;
        page.says("&lt;script&gt;alert(2)");
        page.does_not_say("<script>alert");
    }
}

#[tokio::test]
async fn pages_allow_no_script_but_their_own_and_no_frame_but_the_dashboard() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let answer = ada
        .client
        .get(format!("{}/sites", ada.url))
        .send()
        .await
        .unwrap();
    let headers = answer.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    for part in [
        &*format!("frame-src {};", stage.twipla.dashboard_origin()),
        "script-src 'self';",
        "style-src 'self';",
        "form-action 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "same-origin");
    assert_eq!(headers["cache-control"], "no-store");
}

#[tokio::test]
async fn only_the_dashboard_can_open_the_plans() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let id = site.strip_prefix("/sites/").unwrap();
    let token = csrf(&ada.open("/sites").await);
    let wish = json!({"type": "UPGRADE_BUTTON_CLICKED", "data": {"intpWebsiteId": id, "intpCustomerId": "ada"}});
    let origin = stage.twipla.dashboard_origin();
    let (status, html) = message(&ada, &site, &token, &origin, wish.clone()).await;
    assert_eq!(status, 200);
    assert!(html.contains("€39.99 a month"), "{html}");
    for foreign in [
        "https://evil.example",
        "null",
        "",
        &format!("{origin}.evil.example"),
        &ada.url,
    ] {
        assert_eq!(
            message(&ada, &site, &token, foreign, wish.clone()).await.0,
            204,
            "{foreign}"
        );
    }
    for other in [
        json!({"type": "UPGRADE_BUTTON_CLICKED", "data": {"intpWebsiteId": "another"}}),
        json!({"type": "UPGRADE_BUTTON_CLICKED", "data": {"intpWebsiteId": ".."}}),
        json!({"type": "UPGRADE_BUTTON_CLICKED"}),
        json!({"type": "SUBSCRIPTION_UPGRADED"}),
        json!({"type": "RESIZE"}),
        json!("hello"),
    ] {
        assert_eq!(
            message(&ada, &site, &token, &origin, other.clone()).await.0,
            204,
            "{other}"
        );
    }
    assert_eq!(stage.count("SELECT COUNT(*) FROM orders").await, 0);
}

#[tokio::test]
async fn price_that_was_not_shown_is_not_charged() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let pro = stage.package("Pro");
    let mut form = ada
        .open(&format!("{site}/checkout?package={pro}"))
        .await
        .hidden_fields();
    for (name, value) in &mut form {
        if name == "amount" {
            "1".clone_into(value);
        }
    }
    let page = ada.post(&format!("{site}/orders"), &form).await;
    assert_eq!(page.status, 422);
    page.says("The price has changed");
    let free = stage.package("Free");
    assert_eq!(
        ada.open(&format!("{site}/checkout?package={free}"))
            .await
            .status,
        404
    );
    assert_eq!(stage.count("SELECT COUNT(*) FROM orders").await, 0);
}
