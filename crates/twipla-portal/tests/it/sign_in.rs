//! Signing in with several tabs open.

use crate::stage::Stage;

#[tokio::test]
async fn page_to_sign_in_leaves_the_session_as_it_is() {
    let stage = Stage::start().await;
    let browser = stage.stranger();
    let first = browser.open("/sign-in").await;
    // Another tab, and a script that asks something while nobody is signed in.
    browser.open("/sign-in").await;
    browser.open("/sites/x/pending").await;
    let mut form = first.hidden_fields();
    form.push(("customer".to_owned(), "ada".to_owned()));
    let page = browser.post("/sign-in", &form).await;
    assert_eq!((page.status.as_u16(), &*page.path), (200, "/sites"));
    // Whoever is signed in stays so: a link from elsewhere signs nobody out.
    assert_eq!(browser.open("/sign-in").await.path, "/sites");
    browser.open("/sites").await.says("<strong>Ada</strong>");
    assert_eq!(stage.count("SELECT COUNT(*) FROM sessions").await, 1);
}
