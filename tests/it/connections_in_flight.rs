//! How many requests are in flight at once.

use std::future::IntoFuture as _;
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use twipla::{ErrorKind, RetryPolicy, Twipla, TwiplaBuilder};
use twipla_sandbox::{Fault, FaultKind, Sandbox};
use twipla_tests::client;

async fn build(url: &str, change: impl FnOnce(TwiplaBuilder) -> TwiplaBuilder) -> Twipla {
    let sandbox = Sandbox::start().await.unwrap();
    let builder = client(&sandbox, &sandbox.website_partner()).base_url(url);
    change(builder).build().unwrap()
}

/// A server that answers after a second, and counts the connections it has.
async fn slow_server() -> (String, watch::Receiver<(usize, usize)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = watch::channel((0, 0));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            sender.send_modify(|(now, most)| {
                *now += 1;
                *most = (*most).max(*now);
            });
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while stream
                    .read_buf(&mut request)
                    .await
                    .is_ok_and(|read| read > 0)
                {
                    if request.ends_with(b"\r\n\r\n") {
                        request.clear();
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                        stream.write_all(answer).await.unwrap();
                    }
                }
                sender.send_modify(|(now, _)| *now -= 1);
            });
        }
    });
    (url, receiver)
}

fn get(twipla: &Twipla) -> twipla::RawRequest {
    twipla.raw_request(Method::GET, "/v2/3as/packages")
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_open_a_hundred_connections_and_all_succeed() {
    let (url, seen) = slow_server().await;
    let twipla = build(&url, |builder| {
        // The last of them wait for 100 s.
        builder.timeout(Duration::from_secs(300))
    })
    .await;
    let calls = (0..10_000).map(|_| get(&twipla).into_future());
    for result in join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(seen.borrow().1, 100);
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_in_flight_than_asked_for() {
    let (url, seen) = slow_server().await;
    let twipla = build(&url, |builder| builder.max_in_flight(3)).await;
    let calls = (0..10).map(|_| get(&twipla).into_future());
    for result in join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(seen.borrow().1, 3);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_its_turn_counts_into_the_timeout_of_a_call() {
    let (url, _seen) = slow_server().await;
    let twipla = build(&url, |builder| builder.max_in_flight(1)).await;
    let timeout = Duration::from_millis(2500);
    let calls = (0..4).map(|_| {
        let request = twipla.raw_request(Method::POST, "/v2/3as/customers");
        request.timeout(timeout).into_future()
    });
    let results = join_all(calls).await;
    results[0].as_ref().unwrap();
    results[1].as_ref().unwrap();
    // Sent with what was left of its time.
    let sent = results[2].as_ref().unwrap_err();
    assert!(sent.is_timeout() && sent.is_ambiguous(), "{sent}");
    assert!(sent.to_string().contains("the call took longer"), "{sent}");
    let queued = results[3].as_ref().unwrap_err();
    assert_eq!(queued.kind(), ErrorKind::Timeout, "{queued}");
    assert!(!queued.is_ambiguous(), "nothing was sent: {queued}");
    assert_eq!(queued.attempts(), 0, "{queued}");
    let text = queued.to_string();
    assert!(
        text.contains("max_in_flight") && text.contains("2.500 s"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_its_whole_time_after_it_waited() {
    let (url, _seen) = slow_server().await;
    let twipla = build(&url, |builder| {
        builder
            .max_in_flight(1)
            .attempt_timeout(Duration::from_millis(1500))
            .retry(RetryPolicy::none())
    })
    .await;
    let calls = (0..5).map(|_| get(&twipla).into_future());
    for result in join_all(calls).await {
        result.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_to_be_retried_lets_others_pass() {
    let sandbox = Sandbox::start().await.unwrap();
    let busy = FaultKind::Status {
        code: 503,
        headers: vec![("retry-after".to_owned(), "30".to_owned())],
        body: String::new(),
    };
    sandbox.inject(Fault::new(busy).times(1));
    let twipla = client(&sandbox, &sandbox.website_partner())
        .max_in_flight(1)
        // Otherwise the whole client pauses.
        .adaptive_rate(false)
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let retried = tokio::spawn(get(&twipla).into_future());
    while sandbox.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    get(&twipla).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    retried.await.unwrap().unwrap();
    assert!(started.elapsed() >= Duration::from_secs(30));
}

#[tokio::test]
async fn at_least_one_request_must_be_allowed() {
    let sandbox = Sandbox::start().await.unwrap();
    let error = client(&sandbox, &sandbox.website_partner())
        .max_in_flight(0)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("max_in_flight"), "{error}");
}
