//! Failures of TWIPLA, as pages.

use twipla_sandbox::{Fault, FaultKind};

use crate::stage::Stage;

fn status(code: u16, headers: &[(&str, &str)]) -> FaultKind {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    FaultKind::Status {
        code,
        headers: headers.iter().map(owned).collect(),
        body: String::new(),
    }
}

#[tokio::test]
async fn failed_read_says_whether_and_when_to_try_again() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    for (kind, code, says) in [
        (status(500, &[]), 503, "try again in 10 seconds"),
        (
            FaultKind::Gateway(503),
            503,
            "The analytics service does not answer",
        ),
        (
            status(429, &[("retry-after", "3600")]),
            503,
            "try again in 3600 seconds",
        ),
        (FaultKind::HtmlBody, 503, "does not answer"),
        (status(401, &[]), 502, "The analytics service refused this"),
        (status(403, &[]), 502, "refused this"),
        (status(400, &[]), 502, "refused this"),
    ] {
        stage
            .sandbox
            .inject(Fault::new(kind.clone()).operation("list_packages"));
        let answer = ada.client.get(format!("{}{site}/plans", ada.url));
        let answer = answer.send().await.unwrap();
        stage.sandbox.clear_faults();
        assert_eq!(answer.status(), code, "{kind:?}");
        assert_eq!(
            answer.headers().contains_key("retry-after"),
            code == 503,
            "{kind:?}"
        );
        let html = answer.text().await.unwrap();
        assert!(html.contains(says), "{kind:?}: {html}");
        // What went wrong is for the log.
        assert!(!html.contains("list_packages"), "{html}");
        // Pages that need only the database still work.
        assert_eq!(ada.open(&site).await.status, 200);
    }
}

#[tokio::test]
async fn unknown_address_is_not_found() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    for path in [
        "/nothing",
        "/sites/nothing",
        "/sites/%00",
        "/sites/..%2f..%2f",
    ] {
        let page = ada.open(path).await;
        assert_eq!(page.status, 404, "{path}");
        page.says("Not found");
    }
}

#[tokio::test]
async fn request_that_cannot_be_read_gets_a_page() {
    let stage = Stage::start().await;
    let ada = stage.browser("ada").await;
    let site = ada.add_site("ada.example.com").await;
    let id = |id: &str| vec![("id".to_owned(), id.to_owned())];
    for (page, status) in [
        (ada.open(&format!("{site}/checkout")).await, 400),
        (ada.open(&format!("{site}/checkout?package=x")).await, 400),
        (ada.open("/sites/%FF").await, 400),
        (ada.post("/sites", &id("x")).await, 422),
        (ada.post(&site, &[]).await, 405),
    ] {
        assert_eq!(page.status, status, "{page:?}");
        page.says("<h1>This request cannot be read</h1>");
        for word in ["deserialize", "UUID", "UTF-8"] {
            page.does_not_say(word);
        }
    }
}

#[tokio::test]
async fn portal_says_that_it_is_up() {
    let stage = Stage::start().await;
    let page = stage.stranger().open("/health").await;
    assert_eq!((page.status.as_u16(), &*page.html), (200, "ok\n"));
}
