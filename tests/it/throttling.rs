//! A server that limits requests: every call ends well, and all slow down together.

use std::time::Duration;

use twipla::{ErrorKind, NewWebsite, RetryPolicy, TwiplaBuilder};
use twipla_sandbox::{Fault, FaultKind, Sandbox};
use twipla_tests::client;

async fn sandbox() -> Sandbox {
    Sandbox::start().await.unwrap()
}

fn build(sandbox: &Sandbox) -> TwiplaBuilder {
    client(sandbox, &sandbox.website_partner())
}

/// 5 requests a second here would take the suite too long: the ratio is what counts.
#[tokio::test]
async fn creates_against_a_limit_all_end_well_with_few_more_requests() {
    const CREATES: usize = 120;
    let sandbox = sandbox().await;
    let twipla = build(&sandbox).build().unwrap();
    twipla
        .customers()
        .create("c", "c@example.com")
        .await
        .unwrap();
    sandbox.clear_requests();
    sandbox.inject(Fault::new(FaultKind::RateLimit {
        per_second: 40.0,
        burst: 5,
    }));
    let sites =
        (0..CREATES).map(|n| NewWebsite::new("c", format!("w{n}"), format!("{n}.example.com")));
    let report = twipla
        .bulk()
        .concurrency(16)
        .create_websites(sites)
        .await
        .unwrap();
    assert!(
        report.is_complete(),
        "{:?}",
        report.outcomes.iter().find(|outcome| !outcome.is_done())
    );
    let requests = sandbox.requests().len();
    assert!(
        requests * 10 <= CREATES * 12,
        "{requests} requests for {CREATES} creates"
    );
}

#[tokio::test]
async fn throttled_retries_do_not_use_up_the_retry_budget() {
    let sandbox = sandbox().await;
    let policy = RetryPolicy::default().base_delay(Duration::from_millis(1));
    let twipla = build(&sandbox)
        .retry(policy)
        .adaptive_rate(false)
        .build()
        .unwrap();
    let throttle = || {
        sandbox.inject(
            Fault::new(FaultKind::Status {
                code: 429,
                headers: vec![("retry-after".to_owned(), "0".to_owned())],
                body: String::new(),
            })
            .times(3),
        );
    };
    // The budget is good for 20 retries; these are 90.
    for _ in 0..30 {
        throttle();
        twipla.packages().list().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_wait_for_its_turn_is_not_sent() {
    let sandbox = sandbox().await;
    let twipla = build(&sandbox).rate_limit(0.1, 1).build().unwrap();
    twipla.packages().list().await.unwrap();
    sandbox.clear_requests();
    let error = twipla
        .packages()
        .list()
        .timeout(Duration::from_secs(5))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::RateLimited, 0),
        "{error}"
    );
    assert!(
        error.to_string().contains("not sent: the rate limit"),
        "{error}"
    );
    assert!(sandbox.requests().is_empty());
    twipla.packages().list().await.unwrap();
}

#[tokio::test]
async fn a_rate_limit_that_lets_nothing_through_is_refused() {
    let sandbox = sandbox().await;
    for (per_second, burst) in [
        (0.0, 1),
        (-1.0, 1),
        (f64::NAN, 1),
        (f64::INFINITY, 1),
        (1.0, 0),
    ] {
        let error = build(&sandbox)
            .rate_limit(per_second, burst)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("invalid rate_limit"), "{error}");
    }
}
