//! The number of requests in flight.

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

/// A server that responds after a second, and counts its connections.
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
async fn ten_thousand_calls_use_a_hundred_connections_and_all_succeed() {
    let (url, seen) = slow_server().await;
    let twipla = build(&url, |builder| {
        // The last of them wait for 100 s.
        builder.timeout(Duration::from_mins(5))
    })
    .await;
    let calls = (0..10_000).map(|_| get(&twipla).into_future());
    for result in join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(seen.borrow().1, 100);
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_stay_within_the_limit() {
    let (url, seen) = slow_server().await;
    let twipla = build(&url, |builder| builder.max_in_flight(3)).await;
    let calls = (0..10).map(|_| get(&twipla).into_future());
    for result in join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(seen.borrow().1, 3);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_slot_counts_towards_the_timeout() {
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
    // Sent with the rest of its time.
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
async fn attempt_has_its_full_time_after_waiting() {
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
async fn call_waiting_for_a_retry_frees_its_slot() {
    let sandbox = Sandbox::start().await.unwrap();
    let busy = FaultKind::Status {
        code: 503,
        headers: vec![("retry-after".to_owned(), "30".to_owned())],
        body: String::new(),
    };
    sandbox.inject(Fault::new(busy).times(1));
    let twipla = client(&sandbox, &sandbox.website_partner())
        .max_in_flight(1)
        // Otherwise the whole client would pause.
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
async fn limit_of_zero_requests_in_flight_is_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let error = client(&sandbox, &sandbox.website_partner())
        .max_in_flight(0)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("max_in_flight"), "{error}");
}
