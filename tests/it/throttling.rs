//! A server that limits requests: every call succeeds, and all slow down together.

use std::future::IntoFuture as _;
use std::time::Duration;

use twipla::{ErrorKind, NewCustomer, RetryPolicy, TwiplaBuilder};
use twipla_sandbox::{Fault, FaultKind, Sandbox};
use twipla_tests::throttling::create_many;
use twipla_tests::{client, respond};

async fn sandbox() -> Sandbox {
    Sandbox::start().await.unwrap()
}

fn build(sandbox: &Sandbox) -> TwiplaBuilder {
    client(sandbox, &sandbox.website_partner())
}

/// 5 requests per second would take too long here, and only the ratio matters. The program `throttling` uses the real
/// limit.
#[tokio::test]
async fn throttled_creates_all_succeed_with_few_extra_requests() {
    let outcome = create_many(120, 40.0).await.unwrap();
    assert!(outcome.is_fine(), "{outcome:?}");
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
    // The budget is enough for 20 retries; these are 90.
    for _ in 0..30 {
        throttle();
        twipla.packages().list().await.unwrap();
    }
}

fn refusal(after: &str) -> FaultKind {
    respond(429, &[("retry-after", after)], "")
}

#[tokio::test(start_paused = true)]
async fn throttled_responses_with_retry_after_do_not_count_as_attempts() {
    let sandbox = sandbox().await;
    let timeout = Duration::from_hours(1);
    let twipla = build(&sandbox).timeout(timeout).build().unwrap();
    sandbox.inject(Fault::new(refusal("1")).times(10));
    twipla.packages().list().await.unwrap();
    // They are limited too,
    sandbox.inject(Fault::new(refusal("1")));
    let error = twipla.packages().list().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::RateLimited, 14)
    );
    let list = twipla.packages().list().retry(RetryPolicy::none());
    assert_eq!(list.await.unwrap_err().attempts(), 1);
    // and one without a requested delay counts as an attempt.
    sandbox.clear_faults();
    sandbox.inject(Fault::new(refusal("0")));
    let error = twipla.packages().list().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::RateLimited, 4)
    );
}

/// Without paused time: calls that wait for the rate wait longer than the test takes.
#[tokio::test]
async fn rate_limit_of_one_host_does_not_delay_the_other() {
    let (sandbox, data) = (sandbox().await, sandbox().await);
    let twipla = build(&sandbox)
        .data_url(data.base_url())
        .max_in_flight(2)
        .build()
        .unwrap();
    sandbox.inject(Fault::new(refusal("60")).times(1));
    let list = twipla.packages().list().retry(RetryPolicy::none());
    assert!(list.await.unwrap_err().is_rate_limited());
    let waiting: Vec<_> = (0..5)
        .map(|_| tokio::spawn(twipla.packages().list().into_future()))
        .collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let other = twipla
        .raw_request(http::Method::GET, "/v2/3as/packages")
        .api_key("twpl-test")
        .timeout(Duration::from_secs(10));
    let error = other.await.unwrap_err();
    assert!(error.status().is_some(), "it was sent: {error}");
    let list = twipla.packages().list().timeout(Duration::from_secs(10));
    let error = list.await.unwrap_err();
    assert!(error.to_string().contains("the rate limit"), "{error}");
    for call in waiting {
        assert!(!call.is_finished());
        call.abort();
    }
}

#[tokio::test]
async fn pause_applies_to_waiting_calls() {
    let sandbox = sandbox().await;
    let twipla = build(&sandbox).max_in_flight(1).build().unwrap();
    // The token is cached, so both wait for their turn before anything is sent.
    twipla.packages().list().await.unwrap();
    sandbox.clear_requests();
    sandbox.inject(Fault::new(refusal("60")).times(1));
    let list = || twipla.packages().list().timeout(Duration::from_secs(10));
    let (first, second) = tokio::join!(list().into_future(), list().into_future());
    assert_eq!(first.unwrap_err().attempts(), 1);
    let error = second.unwrap_err();
    assert!(error.to_string().contains("the rate limit"), "{error}");
    assert_eq!(sandbox.requests().len(), 1);
}

#[tokio::test]
async fn bulk_job_does_not_block_other_calls() {
    const ITEMS: usize = 120;
    let sandbox = sandbox().await;
    let twipla = build(&sandbox).max_in_flight(4).build().unwrap();
    sandbox.inject(Fault::new(FaultKind::RateLimit {
        per_second: 40.0,
        burst: 5,
    }));
    let (done, mut seen) = tokio::sync::watch::channel(0);
    let items = (0..ITEMS).map(|n| NewCustomer::new(format!("c{n}"), format!("{n}@example.com")));
    let bulk = twipla
        .bulk()
        .concurrency(16)
        .on_progress(move |now| done.send_modify(|done| *done = now.done))
        .create_customers(items);
    let bulk = tokio::spawn(bulk.into_future());
    seen.wait_for(|done| *done >= 10).await.unwrap();
    twipla.packages().list().await.unwrap();
    assert!(*seen.borrow() < ITEMS, "it came last");
    assert!(bulk.await.unwrap().unwrap().is_complete());
}

#[tokio::test(start_paused = true)]
async fn call_whose_turn_is_after_its_deadline_is_not_sent() {
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
async fn rate_limit_of_zero_is_rejected() {
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
