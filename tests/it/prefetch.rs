//! Lists whose next page is requested while the current one is read.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use twipla_tests::{Stage, respond};

/// Seven customers, and no recorded requests yet.
async fn stage() -> Stage {
    let stage = Stage::start().await;
    for number in 0..7 {
        let id = format!("c{number}");
        stage
            .website_model
            .customers()
            .create(id.as_str(), format!("{id}@example.com"))
            .await
            .unwrap();
    }
    stage.sandbox.clear_requests();
    stage
}

/// Waits until the prefetch has sent `count` requests.
async fn requests(stage: &Stage, count: usize) -> usize {
    let enough = async {
        while stage.sandbox.requests().len() < count {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(20), enough).await;
    stage.sandbox.requests().len()
}

#[tokio::test]
async fn prefetch_changes_neither_entries_nor_requests() {
    let stage = stage().await;
    let list = stage.website_model.customers().list().page_size(3);
    let plain: Vec<_> = list.stream().try_collect().await.unwrap();
    assert_eq!(stage.sandbox.requests().len(), 3);
    stage.sandbox.clear_requests();
    let list = stage.website_model.customers().list().page_size(3);
    let ahead: Vec<_> = list.prefetch(true).stream().try_collect().await.unwrap();
    assert_eq!(ahead, plain);
    assert_eq!(stage.sandbox.requests().len(), 3);
}

#[tokio::test]
async fn prefetch_requests_one_page_ahead() {
    let stage = stage().await;
    let list = stage.website_model.customers().list().page_size(2);
    let mut ahead = Box::pin(list.prefetch(true).stream());
    ahead.try_next().await.unwrap().unwrap();
    assert_eq!(
        requests(&stage, 2).await,
        2,
        "one page is read, one is on its way"
    );
    ahead.try_next().await.unwrap().unwrap();
    assert_eq!(stage.sandbox.requests().len(), 2);

    stage.sandbox.clear_requests();
    let list = stage.website_model.customers().list().page_size(2);
    let mut plain = Box::pin(list.stream());
    plain.try_next().await.unwrap().unwrap();
    assert_eq!(stage.sandbox.requests().len(), 1, "off by default");
}

#[tokio::test]
async fn prefetch_failure_is_returned_after_the_entries_before_it() {
    let stage = stage().await;
    let list = stage.website_model.customers().list().page_size(3);
    let mut ahead = Box::pin(list.prefetch(true).stream());
    ahead.try_next().await.unwrap().unwrap();
    // The second page may already be requested; the third one is not.
    requests(&stage, 2).await;
    let refusal = respond(403, &[], r#"{"error": "not today"}"#);
    stage.fault_once("list_customers", refusal);
    for _ in 1..6 {
        ahead.try_next().await.unwrap().unwrap();
    }
    let error = ahead.try_next().await.unwrap_err();
    assert!(error.is_auth() && error.message() == "not today", "{error}");
    assert!(ahead.try_next().await.unwrap().is_none());
}
