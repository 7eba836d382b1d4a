//! Deadlines, retries, cancellation and limits, through the public API.
//!
//! Nothing here measures time. Where the length of a wait matters, a wrong wait would exceed a deadline.

use std::collections::BTreeSet;
use std::future::IntoFuture;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use http::Method;
use twipla::types::{BillingInterval, Currency};
use twipla::{
    Dimension, ErrorKind, Metric, NewCustomer, Outcome, PrivateKey, RawRequest, RetryPolicy,
    SignFuture, Signer, Twipla,
};
use twipla_sandbox::{Fault, FaultKind, Sandbox};
use twipla_tests::{Stage, client, price_list, respond};

const MILLI: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_hours(1);

fn status(code: u16, headers: &[(&str, &str)]) -> FaultKind {
    respond(code, headers, "")
}

async fn sandbox() -> Sandbox {
    Sandbox::start().await.unwrap()
}

fn build(
    sandbox: &Sandbox,
    change: impl FnOnce(twipla::TwiplaBuilder) -> twipla::TwiplaBuilder,
) -> Twipla {
    change(client(sandbox, &sandbox.website_partner()))
        .build()
        .unwrap()
}

/// A POST without the precautions that the facade takes for creates.
fn post(twipla: &Twipla) -> RawRequest {
    twipla
        .raw_request(Method::POST, "/v2/3as/customers")
        .json(&serde_json::json!({"intpCustomerId": "c", "email": "c@example.com"}))
}

fn quick(attempts: u32) -> RetryPolicy {
    RetryPolicy::default()
        .max_attempts(attempts)
        .base_delay(MILLI)
}

// The clock only advances when everything waits, so the number of attempts follows from the deadlines, regardless of the
// machine.
#[tokio::test(start_paused = true)]
async fn last_attempt_gets_only_the_time_that_is_left() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::new(FaultKind::Hang));
    let twipla = build(&sandbox, |builder| {
        builder
            .attempt_timeout(Duration::from_millis(100))
            .timeout(Duration::from_millis(250))
            .retry(quick(10))
    });
    let started = tokio::time::Instant::now();
    let error = twipla.packages().list().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(!error.is_ambiguous(), "a read changes nothing: {error}");
    assert_eq!(
        error.attempts(),
        3,
        "two whole ones and what is left: {error}"
    );
    assert!(error.to_string().contains("0.250 s"), "{error}");
    // In the time of the test, which is paused, not of the machine.
    assert!(started.elapsed() < Duration::from_millis(260));
}

#[tokio::test(start_paused = true)]
async fn timeout_of_one_call_replaces_the_default() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::new(FaultKind::Hang));
    let twipla = build(&sandbox, |builder| {
        builder.attempt_timeout(Duration::from_millis(100))
    });
    let error = twipla
        .company_details()
        .timeout(Duration::from_millis(150))
        .await
        .unwrap_err();
    assert!(error.is_timeout() && error.attempts() == 2, "{error}");
    let error = twipla
        .company_details()
        .retry(RetryPolicy::none())
        .await
        .unwrap_err();
    assert!(error.is_timeout() && error.attempts() == 1, "{error}");
    assert!(error.to_string().contains("0.100 s"), "{error}");
}

#[tokio::test]
async fn post_that_hangs_is_sent_once_and_ambiguous_and_a_get_is_not() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::new(FaultKind::Hang));
    let twipla = build(&sandbox, |builder| {
        builder
            .attempt_timeout(Duration::from_millis(100))
            .timeout(Duration::from_millis(250))
            .retry(quick(10))
    });
    let error = post(&twipla).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.attempts(), 1, "{error}");
    assert!(error.is_ambiguous(), "{error}");
    assert_eq!(sandbox.requests().len(), 1);

    let error = twipla.packages().list().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(!error.is_ambiguous(), "{error}");
    assert!((1..=3).contains(&error.attempts()), "{error}");
}

#[tokio::test]
async fn delete_without_a_response_is_ambiguous() {
    let sandbox = sandbox().await;
    let twipla = build(&sandbox, |builder| builder.retry(quick(3)));
    sandbox.inject(Fault::new(FaultKind::ResetBeforeCommit));
    let error = twipla
        .raw_request(Method::DELETE, "/v2/3as/customers/c")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(error.attempts(), 3, "{error}");
    assert!(error.is_ambiguous(), "{error}");
}

#[tokio::test]
async fn retry_after_replaces_the_delay_of_the_policy() {
    // A delay of the policy would take minutes and exceed the deadline.
    let policy = RetryPolicy::default().base_delay(HOUR).max_delay(HOUR);
    let past = "Sun, 01 Mar 2020 00:00:30 GMT";
    for (code, after) in [(429, "0"), (503, "0"), (429, past), (503, past)] {
        let sandbox = sandbox().await;
        let twipla = build(&sandbox, |builder| {
            builder.retry(policy).timeout(Duration::from_secs(20))
        });
        sandbox.inject(Fault::new(status(code, &[("retry-after", after)])).times(2));
        twipla.packages().list().await.unwrap();
        assert_eq!(sandbox.requests().len(), 3, "{code}, {after}");
        // Retry-After means that the server did nothing: a POST is retried as well.
        sandbox.clear_requests();
        sandbox.inject(Fault::new(status(code, &[("retry-after", after)])).times(1));
        post(&twipla).await.unwrap();
        assert_eq!(sandbox.requests().len(), 2, "{code}, {after}");
    }
}

#[tokio::test]
async fn retry_after_beyond_the_limit_or_deadline_is_not_waited_for() {
    for (after, policy, timeout) in [
        ("61", quick(4), HOUR),
        ("2", quick(4).max_retry_after(Duration::from_secs(1)), HOUR),
        ("1", quick(4).max_retry_after(Duration::ZERO), HOUR),
        ("18446744073709551615", quick(4), HOUR),
        // Within the limit, but after the end of the call.
        ("30", quick(4), Duration::from_secs(20)),
        (
            "3600",
            quick(4).max_retry_after(2 * HOUR),
            Duration::from_secs(20),
        ),
        (
            "18446744073709551615",
            quick(4).max_retry_after(Duration::from_mins(1)),
            HOUR,
        ),
    ] {
        let sandbox = sandbox().await;
        let twipla = build(&sandbox, |builder| builder.retry(policy).timeout(timeout));
        sandbox.inject(Fault::new(status(429, &[("retry-after", after)])));
        let error = twipla.packages().list().await.unwrap_err();
        assert!(error.is_rate_limited(), "{error}");
        assert_eq!(error.attempts(), 1, "{after}: {error}");
        // A year represents "never", and can be added to any clock.
        let told = Duration::from_secs(after.parse().unwrap()).min(365 * 24 * HOUR);
        assert_eq!(error.retry_after(), Some(told));
        assert_eq!(sandbox.requests().len(), 1);
    }
}

#[tokio::test]
async fn huge_retry_after_does_not_panic() {
    let sandbox = sandbox().await;
    let twipla = build(&sandbox, |builder| {
        builder.retry(quick(4).max_retry_after(Duration::MAX))
    });
    for after in [
        "18446744073709551615",
        "9223372036854775807",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ] {
        sandbox.clear_faults();
        sandbox.inject(Fault::new(status(429, &[("retry-after", after)])));
        let error = twipla.packages().list().await.unwrap_err();
        assert!(error.is_rate_limited(), "{after}: {error}");
        assert_eq!(error.attempts(), 1, "{after}: {error}");
    }
}

#[tokio::test]
async fn odd_retry_after_is_obeyed_within_bounds() {
    let sandbox = sandbox().await;
    // Only 0 is waited for.
    let twipla = build(&sandbox, |builder| {
        builder.retry(quick(4).max_retry_after(Duration::ZERO))
    });
    let inject = |after| {
        sandbox.clear_requests();
        sandbox.inject(Fault::new(status(503, &[("retry-after", after)])).times(1));
    };
    for after in ["-1", "-1e9", "-0.5", "0.0"] {
        inject(after);
        twipla.packages().list().await.unwrap();
        assert_eq!(sandbox.requests().len(), 2, "{after}");
    }
    for (after, told) in [
        ("0.2", 1),
        ("1.5", 2),
        ("99999999999999999999999", 365 * 24 * 3600),
    ] {
        inject(after);
        let error = post(&twipla).await.unwrap_err();
        let told = Duration::from_secs(told);
        assert_eq!(error.retry_after(), Some(told), "{after}");
        assert!(!error.is_ambiguous(), "{after}: {error}");
        assert_eq!(sandbox.requests().len(), 1, "{after}");
    }
}

#[tokio::test]
async fn invalid_retry_after_is_ignored() {
    let sandbox = sandbox().await;
    let twipla = build(&sandbox, |builder| builder.retry(quick(4)));
    for after in ["soon", "", "5 s", "1,5", "nan"] {
        sandbox.clear_requests();
        sandbox.inject(Fault::new(status(503, &[("retry-after", after)])).times(1));
        twipla.packages().list().await.unwrap();
        assert_eq!(sandbox.requests().len(), 2, "{after:?}");
        // Nothing shows that the request was not processed: a POST is not retried.
        sandbox.inject(Fault::new(status(503, &[("retry-after", after)])).times(1));
        let error = post(&twipla).await.unwrap_err();
        assert_eq!(error.attempts(), 1, "{after:?}: {error}");
        assert_eq!(error.retry_after(), None);
        assert!(error.is_ambiguous(), "{after:?}: {error}");
    }
}

#[tokio::test]
async fn budget_ends_the_retries_against_a_failing_server() {
    let sandbox = sandbox().await;
    let twipla = build(&sandbox, |builder| builder.retry(quick(4)));
    sandbox.inject(Fault::new(status(503, &[])));
    let mut attempts = Vec::new();
    for _ in 0..30 {
        attempts.push(twipla.packages().list().await.unwrap_err().attempts());
    }
    assert_eq!(attempts[0], 4, "{attempts:?}");
    assert!(attempts[20..].iter().all(|one| *one == 1), "{attempts:?}");
    // Another client has a separate budget.
    let other = build(&sandbox, |builder| builder.retry(quick(4)));
    assert_eq!(other.packages().list().await.unwrap_err().attempts(), 4);

    // Successes refill it.
    sandbox.clear_faults();
    for _ in 0..20 {
        twipla.packages().list().await.unwrap();
    }
    sandbox.inject(Fault::new(status(503, &[])).times(1));
    twipla.packages().list().await.unwrap();
}

/// A signer that takes its time, and counts.
#[derive(Debug, Clone)]
struct Slow {
    key: PrivateKey,
    signed: Arc<AtomicU32>,
}

impl Slow {
    fn client(sandbox: &Sandbox) -> (Twipla, Arc<AtomicU32>) {
        let partner = sandbox.website_partner();
        let signed = Arc::new(AtomicU32::new(0));
        let slow = Self {
            key: PrivateKey::from_pem(partner.private_key_pem()).unwrap(),
            signed: Arc::clone(&signed),
        };
        let twipla = Twipla::builder()
            .signer(partner.id(), slow)
            .base_url(sandbox.base_url())
            .retry(quick(4))
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        (twipla, signed)
    }
}

impl Signer for Slow {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(MILLI).await;
            let signature = self.key.sign(message).await;
            self.signed.fetch_add(1, Ordering::SeqCst);
            signature
        })
    }
}

/// Polls a future at most this many times, then drops it. Returns whether it was done by then.
async fn poll_times<F: Future + ?Sized>(mut future: Pin<Box<F>>, mut times: u32) -> bool {
    std::future::poll_fn(move |context| {
        if times == 0 {
            return Poll::Ready(false);
        }
        times -= 1;
        let done = future.as_mut().poll(context).is_ready();
        if done || times == 0 {
            return Poll::Ready(done);
        }
        Poll::Pending
    })
    .await
}

#[tokio::test]
async fn call_dropped_at_any_point_leaves_the_client_usable() {
    // What is happening when the call is dropped: the first token, a new token after a 401, the request, the response, a
    // delay between attempts.
    let troubles = [
        None,
        Some(FaultKind::ExpiredToken),
        Some(status(503, &[])),
        Some(FaultKind::ResetBeforeCommit),
        Some(FaultKind::Delay(MILLI)),
    ];
    for trouble in troubles {
        let sandbox = sandbox().await;
        let mut done = false;
        let mut times = 0;
        while !done && times < 60 {
            let (twipla, signed) = Slow::client(&sandbox);
            sandbox.clear_faults();
            if let Some(kind) = &trouble {
                sandbox.inject(Fault::new(kind.clone()).times(1));
            }
            done = poll_times(twipla.packages().list().into_future(), times).await;
            sandbox.clear_faults();
            // The next calls find no poisoned lock and no missing token.
            twipla.packages().list().await.unwrap();
            let so_far = signed.load(Ordering::SeqCst);
            assert!(
                so_far <= 2,
                "{trouble:?}, dropped after {times} polls: {so_far}"
            );
            twipla.packages().list().await.unwrap();
            let token = twipla.partner_token().await.unwrap();
            let again = twipla.partner_token().await.unwrap();
            assert_eq!(token.expose(), again.expose());
            assert_eq!(
                signed.load(Ordering::SeqCst),
                so_far,
                "{trouble:?}, {times}"
            );
            times += 1;
        }
        assert!(
            done,
            "{trouble:?}: the call was dropped at every point up to its end"
        );
        assert!(times > 3, "{trouble:?}: {times} points are too few");
    }
}

#[tokio::test]
async fn token_refresh_outlives_the_call_that_started_it() {
    let sandbox = sandbox().await;
    let (twipla, signed) = Slow::client(&sandbox);
    let call = || tokio::spawn(twipla.packages().list().into_future());
    let first = call();
    // The first call starts minting; the others join it.
    tokio::task::yield_now().await;
    let others: Vec<_> = (0..8).map(|_| call()).collect();
    tokio::task::yield_now().await;
    first.abort();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(
        signed.load(Ordering::SeqCst),
        1,
        "one token for all of them"
    );
}

#[tokio::test]
async fn response_over_the_limit_is_an_error_whatever_its_status() {
    let sandbox = sandbox().await;
    let twipla = build(&sandbox, |builder| builder.max_body(1000).retry(quick(4)));
    for code in [200, 400, 404, 500, 503] {
        sandbox.clear_requests();
        sandbox.inject(Fault::new(respond(code, &[], &"x".repeat(1001))).times(1));
        let error = twipla.packages().list().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{code}: {error}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(code));
        assert!(error.to_string().contains("1000 bytes"), "{code}: {error}");
        assert_eq!(
            sandbox.requests().len(),
            1,
            "{code}: more of it would be no better"
        );
    }
    // A body of exactly the limit is read.
    let list = format!(r#"{{"payload":[],"x":"{}"}}"#, "x".repeat(979));
    assert_eq!(list.len(), 1000);
    sandbox.inject(Fault::new(respond(200, &[], &list)).times(1));
    assert_eq!(twipla.packages().list().await.unwrap(), []);
}

/// A server that responds to every request with `head`, then with `more` until the connection is closed.
fn endless(head: &'static str, more: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut request = [0; 16 * 1024];
                let _ = stream.read(&mut request);
                let mut next = head;
                while stream.write_all(next.as_bytes()).is_ok() {
                    next = more;
                }
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn endless_body_is_read_up_to_the_limit() {
    let sandbox = sandbox().await;
    let partner = sandbox.website_partner();
    for (head, more) in [
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "10\r\n                \r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
            "                ",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n",
            " ",
        ),
    ] {
        let twipla = client(&sandbox, &partner)
            .base_url(endless(head, more))
            .max_body(64 * 1024)
            .build()
            .unwrap();
        let error = twipla.packages().list().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{head:?}: {error}");
        assert_eq!(error.attempts(), 1, "{head:?}: {error}");
    }
}

#[tokio::test]
async fn endless_headers_are_an_error() {
    let sandbox = sandbox().await;
    let twipla = client(&sandbox, &sandbox.website_partner())
        .base_url(endless("HTTP/1.1 200 OK\r\n", "x-more: and more\r\n"))
        .retry(quick(2))
        .build()
        .unwrap();
    let error = twipla.packages().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (sandbox, elsewhere) = (sandbox().await, sandbox().await);
    let twipla = build(&sandbox, |builder| builder);
    let location = format!("{}/v2/3as/packages", elsewhere.base_url());
    for code in [300, 301, 302, 303, 304, 307, 308] {
        for to in [location.as_str(), "/v2/3as/packages", "//evil.example/"] {
            sandbox.clear_requests();
            sandbox.inject(Fault::new(status(code, &[("location", to)])).times(1));
            let error = twipla.packages().list().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Rejected, "{code}: {error}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(code));
            assert_eq!(error.attempts(), 1, "{code}: {error}");
            assert!(!error.is_ambiguous(), "{code}: {error}");
            assert_eq!(sandbox.requests().len(), 1, "{code} to {to}");
        }
    }
    assert!(elsewhere.requests().is_empty(), "no token went there");
}

#[tokio::test]
async fn refused_connection_is_not_ambiguous() {
    let sandbox = sandbox().await;
    // A port that was free a moment ago and that nothing listens on.
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    let twipla = build(&sandbox, |builder| {
        builder
            .base_url(format!("http://{address}"))
            .retry(quick(3))
    });
    for error in [
        twipla.packages().list().await.unwrap_err(),
        post(&twipla).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        assert_eq!(error.attempts(), 3, "{error}");
        assert!(!error.is_ambiguous(), "{error}");
        assert_eq!(error.status(), None);
    }
}

#[tokio::test]
async fn huge_durations_do_not_panic() {
    let sandbox = sandbox().await;
    for twipla in [
        build(&sandbox, |builder| builder.timeout(Duration::MAX)),
        build(&sandbox, |builder| builder.attempt_timeout(Duration::MAX)),
        build(&sandbox, |builder| builder.connect_timeout(Duration::MAX)),
        build(&sandbox, |builder| {
            builder.retry(RetryPolicy::default().max_delay(Duration::MAX))
        }),
    ] {
        twipla.packages().list().await.unwrap();
        twipla
            .company_details()
            .timeout(Duration::MAX)
            .await
            .unwrap();
    }
}

/// A signer that never signs.
#[derive(Debug)]
struct SilentSigner;

impl Signer for SilentSigner {
    fn sign<'a>(&'a self, _: &'a [u8]) -> SignFuture<'a> {
        Box::pin(std::future::pending())
    }
}

/// A builder by its name, and how it ended.
async fn ended<T>(
    name: &'static str,
    call: impl IntoFuture<Output = twipla::Result<T>>,
) -> (&'static str, Option<twipla::Error>) {
    (name, call.await.err())
}

/// Also fails when a builder is added that is not in the table.
#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table of all builders")]
async fn every_builder_ends_at_its_own_timeout() {
    const LIMIT: Duration = Duration::from_secs(7);
    let stage = Stage::with_customer().await;
    let sandbox = &stage.sandbox;
    let twipla = &stage.website_model;
    let packages = price_list(twipla).await.unwrap();
    let package = packages[1].id;
    let websites = twipla.websites();
    let site = websites.create("c", "w", "example.com").await.unwrap();
    let keys = twipla.website("w").api_keys();
    let old = keys.create("old").await.unwrap();
    let rotation = keys.rotate(&old.id).await.unwrap();
    let silent = build(sandbox, |builder| {
        builder.signer(sandbox.website_partner().id(), SilentSigner)
    });
    let data = twipla.analytics(site.id, "twpl-test");
    let day = "2026-03-01".parse().unwrap();
    let days = day..=day;
    let subscription = || twipla.website("w").subscription();

    sandbox.inject(Fault::new(FaultKind::Hang));
    tokio::time::pause();
    let login = twipla.login_with_api_key(site.id, "twpl-test");
    let sessions = data.sessions().metrics([Metric::VisitCount]);
    let rows = sessions.clone().dimensions([Dimension::PageUrl]);
    let graph = data.visits();
    let bulk = twipla.bulk().timeout(LIMIT);
    let bulk = async {
        let report = bulk.create_customers([NewCustomer::new("d", "d@example.com")]);
        match report.await?.outcomes.pop() {
            Some(Outcome::Failed(error)) => Err::<(), _>(error),
            other => panic!("{other:?}"),
        }
    };
    let limited = [
        ended("Request", twipla.company_details().timeout(LIMIT)).await,
        ended("List", twipla.customers().list().timeout(LIMIT)).await,
        ended("RawRequest", post(twipla).timeout(LIMIT)).await,
        ended(
            "CreateCustomer",
            twipla
                .customers()
                .create("d", "d@example.com")
                .timeout(LIMIT),
        )
        .await,
        ended(
            "CreateWebsite",
            websites.create("c", "v", "example.org").timeout(LIMIT),
        )
        .await,
        ended(
            "CreateWebsiteFlat",
            websites.create_flat("c", "v", "example.org").timeout(LIMIT),
        )
        .await,
        ended("ListPackages", twipla.packages().list().timeout(LIMIT)).await,
        ended("FindPackage", twipla.packages().find("x").timeout(LIMIT)).await,
        ended(
            "CreatePackage",
            twipla
                .packages()
                .create("x", 100, 9.99, Currency::Eur, BillingInterval::Monthly)
                .timeout(LIMIT),
        )
        .await,
        ended("Upgrade", subscription().upgrade(package).timeout(LIMIT)).await,
        ended(
            "ChangePackage",
            subscription().change_to(package).timeout(LIMIT),
        )
        .await,
        ended("CreateApiKey", keys.create("new").timeout(LIMIT)).await,
        ended("RotateApiKey", keys.rotate(&old.id).timeout(LIMIT)).await,
        ended("ConfirmRotation", rotation.confirm().timeout(LIMIT)).await,
        ended("Request", rotation.abandon().timeout(LIMIT)).await,
        ended("LoginWithApiKey", login.timeout(LIMIT)).await,
        ended("GraphQuery", graph.date_range(days.clone()).timeout(LIMIT)).await,
        ended(
            "AnalyticsQuery",
            rows.date_range(days.clone()).timeout(LIMIT),
        )
        .await,
        ended(
            "RawSessions",
            data.raw_sessions()
                .body(&serde_json::json!({}))
                .timeout(LIMIT),
        )
        .await,
        ended("PartnerToken", silent.partner_token().timeout(LIMIT)).await,
        ended("CustomerToken", silent.customer_token("c").timeout(LIMIT)).await,
        ended(
            "DashboardBuilder",
            silent.dashboard("c", "w").timeout(LIMIT),
        )
        .await,
        ended("Bulk", bulk).await,
    ];
    for (name, error) in &limited {
        let error = error
            .as_ref()
            .unwrap_or_else(|| panic!("{name} ended well"));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}: {error}");
        assert!(error.to_string().contains("7.000 s"), "{name}: {error}");
    }
    let names: BTreeSet<_> = limited.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names, builders());
}

/// Returns the types of the facade that have a method `timeout`, according to its source.
fn builders() -> BTreeSet<String> {
    fn read(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
                continue;
            }
            let mut own = String::new();
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                if let Some(implemented) = line.strip_prefix("impl") {
                    let words = implemented.split(|c: char| !c.is_alphanumeric());
                    // The name of the type is the first long word, after parameters and their bounds.
                    let names =
                        words.filter(|word| word.len() > 3 && *word != "Send" && *word != "static");
                    own = names.take(1).collect();
                }
                let by_macro = line
                    .strip_prefix("call_options!(")
                    .or_else(|| line.strip_prefix("call_methods!("));
                if let Some(rest) = by_macro {
                    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap();
                    found.insert(rest[..end].to_owned());
                }
                if line.starts_with("    pub fn timeout(") {
                    found.insert(own.clone());
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    read(&root.join("../crates/twipla/src"), &mut found);
    // The client's own default.
    assert!(found.remove("TwiplaBuilder"));
    found
}

#[tokio::test(start_paused = true)]
async fn bulk_run_ends_at_its_timeout_with_an_outcome_for_each_item() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::new(FaultKind::Hang));
    let twipla = build(&sandbox, |builder| builder);
    let bulk = || twipla.bulk().concurrency(2).timeout(Duration::from_secs(7));
    let ids = (0..5).map(|n| format!("c{n}"));
    let report = bulk().delete_customers(ids).await.unwrap();
    assert_eq!(report.outcomes.len(), 5);
    for (n, outcome) in report.outcomes.iter().enumerate() {
        match outcome {
            Outcome::Failed(error) if n < 2 => {
                assert!(error.is_timeout() && error.is_ambiguous(), "{error}");
            }
            Outcome::Skipped if n >= 2 => {}
            other => panic!("{n}: {other:?}"),
        }
    }
    // A stream without a ready item is not waited for.
    let items = stream::iter(["c0"]).chain(stream::pending());
    let report = bulk().delete_customers_from(items).await.unwrap();
    assert_eq!(report.outcomes.len(), 1);
}
