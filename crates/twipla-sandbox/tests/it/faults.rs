//! Faults, as a client meets them.

use std::time::Duration;

use serde_json::Value;

use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::support::Client;

const WEBSITE: &str = "/v2/3as/websites/w";

#[tokio::test]
async fn expired_token_is_refused_as_long_as_it_is_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut client = Client::with_website(&sandbox).await;
    client.use_token_of_age(60);
    sandbox.inject(Fault::new(FaultKind::ExpiredToken).times(1));

    for attempt in 1..=3 {
        let response = client.get(WEBSITE).await.unwrap();
        assert_eq!(response.status(), 401, "attempt {attempt}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "invalid access token", "attempt {attempt}");
    }

    let refused = client.token.clone();
    client.use_token_of_age(0);
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);
    client.token = refused;
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 401);

    sandbox.clear_faults();
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);
}

#[tokio::test]
async fn expired_token_of_this_second_is_refused_once_it_cannot_have_been_signed_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut client = Client::with_website(&sandbox).await;
    sandbox.inject(Fault::new(FaultKind::ExpiredToken).times(1));

    client.use_token_of_age(0);
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 401);
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 200);

    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(client.get(WEBSITE).await.unwrap().status(), 401);
}
