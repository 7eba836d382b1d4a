//! Clocks that are wrong, set while running, or stopped.

use super::*;

const HOUR: TimeDelta = TimeDelta::hours(1);
const TOLERANCE: TimeDelta = TimeDelta::seconds(6);

/// A server that checks when tokens are valid.
struct Server {
    clock: LocalClock,
    /// Whether a token must not be issued in the future.
    checks_issue: bool,
    /// The next responses are by a gateway that rejects the token, and whose clock is this far ahead.
    gateway: Mutex<Vec<TimeDelta>>,
}

impl Server {
    fn new(clock: &LocalClock) -> Self {
        Self {
            clock: clock.clone(),
            checks_issue: true,
            gateway: Mutex::default(),
        }
    }

    /// Returns whether it accepts a token, and the headers of its response.
    fn respond(&self, token: &Token) -> (bool, HeaderMap) {
        let now = self.clock.true_time();
        if let Some(ahead) = self.gateway.lock().unwrap().pop() {
            return (false, headers(now + ahead));
        }
        let claims = claims(token);
        let time = |name: &str| claims[name].as_i64().unwrap();
        let early = time("iat") > now.timestamp() + 5;
        let valid = time("exp") > now.timestamp() && !(early && self.checks_issue);
        (valid, headers(now))
    }
}

/// Makes a call as the send loop does. Returns whether it succeeded.
async fn call(minter: &Minter, server: &Server) -> bool {
    let token = minter.partner_token().await.unwrap();
    let (accepted, headers) = server.respond(&token);
    if accepted {
        minter.accepted(&token, &headers);
        return true;
    }
    let fresh = minter
        .refresh_after_rejection(&token, server_date(&headers))
        .await;
    let Some(token) = fresh.unwrap() else {
        return false;
    };
    let (accepted, headers) = server.respond(&token);
    if accepted {
        minter.accepted(&token, &headers);
    }
    accepted
}

/// Returns how much longer than configured a token lives that is minted now.
async fn extra_life(minter: &Minter, clock: &LocalClock) -> TimeDelta {
    let customer = CustomerId::new("cust-42").unwrap();
    let token = minter.customer_token(&customer).await.unwrap();
    token.expires_at() - clock.true_time() - TimeDelta::from_std(LIFE).unwrap()
}

#[tokio::test(start_paused = true)]
async fn setting_the_clock_fails_no_call() {
    for first in [0, 2, -2, 23, -23] {
        for second in [0, 2, -2, 23, -23] {
            let clock = LocalClock::new();
            clock.set_ahead(HOUR * first);
            let signer = Fake::new(1);
            let (minter, server) = (minter_at(&signer, &clock), Server::new(&clock));
            for ahead in [first, second, 0, second] {
                clock.set_ahead(HOUR * ahead);
                for _ in 0..3 {
                    assert!(call(&minter, &server).await, "{first}, {second}: {ahead}");
                    advance(Duration::from_secs(10)).await;
                }
                assert!(extra_life(&minter, &clock).await.abs() < TOLERANCE);
            }
            assert!(signer.asked() < 20, "asked {} times", signer.asked());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn clock_that_is_days_off_recovers_when_it_is_corrected() {
    for days in [3, -3, 365, -365] {
        let clock = LocalClock::new();
        clock.set_ahead(TimeDelta::days(days));
        let signer = Fake::new(1);
        let (minter, server) = (minter_at(&signer, &clock), Server::new(&clock));
        for _ in 0..100 {
            assert!(!call(&minter, &server).await, "{days} days off");
            advance(Duration::from_secs(1)).await;
        }
        clock.set_ahead(TimeDelta::zero());
        for _ in 0..3 {
            assert!(call(&minter, &server).await, "{days} days off before");
        }
        assert!(extra_life(&minter, &clock).await.abs() < TOLERANCE);
    }
}

#[tokio::test(start_paused = true)]
async fn suspended_machine_fails_no_call() {
    for ahead in [0, 2, -2] {
        for suspended in [
            TimeDelta::seconds(30),
            TimeDelta::minutes(11),
            HOUR,
            HOUR * 50,
        ] {
            let clock = LocalClock::new();
            clock.set_ahead(HOUR * ahead);
            let signer = Fake::new(1);
            let (minter, server) = (minter_at(&signer, &clock), Server::new(&clock));
            assert!(call(&minter, &server).await);
            clock.suspend(suspended);
            advance(CACHED_FOR).await;
            let (asked, expired) = (signer.asked(), suspended > TimeDelta::minutes(10));
            assert!(call(&minter, &server).await, "{ahead} h ahead, {suspended}");
            assert_eq!(signer.asked(), asked + usize::from(expired));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_date_costs_at_most_one_call() {
    for (machine, checks_issue) in [(0, true), (0, false), (2, true), (-2, true)] {
        for wrong in [1, -1, 180, -180, 1400, -1400, 3000] {
            let clock = LocalClock::new();
            clock.set_ahead(HOUR * machine);
            let minter = minter_at(&Fake::new(1), &clock);
            let server = Server {
                checks_issue,
                ..Server::new(&clock)
            };
            assert!(call(&minter, &server).await);
            server
                .gateway
                .lock()
                .unwrap()
                .push(TimeDelta::minutes(wrong));
            let mut failed = 0;
            for _ in 0..10 {
                failed += usize::from(!call(&minter, &server).await);
                advance(Duration::from_millis(50)).await;
            }
            assert!(
                failed <= 1,
                "machine {machine}, wrong {wrong}: {failed} failed"
            );
            let extra = extra_life(&minter, &clock).await;
            assert!(
                extra < TOLERANCE,
                "machine {machine}, wrong {wrong}: {extra}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn gateway_that_always_sends_another_time_costs_at_most_one_call() {
    let clock = LocalClock::new();
    let minter = minter_at(&Fake::new(1), &clock);
    let server = Server::new(&clock);
    assert!(call(&minter, &server).await);
    let mut failed = 0;
    for round in 1..=20 {
        server.gateway.lock().unwrap().push(HOUR * round);
        for _ in 0..3 {
            failed += usize::from(!call(&minter, &server).await);
        }
        advance(Duration::from_secs(60)).await;
    }
    assert!(failed <= 20, "{failed} failed for 20 wrong dates");
}

#[tokio::test(start_paused = true)]
async fn undone_correction_is_not_applied_again() {
    let clock = LocalClock::new();
    clock.set_ahead(HOUR * -2);
    let minter = minter_at(&Fake::new(1), &clock);
    let server = Server {
        checks_issue: false,
        ..Server::new(&clock)
    };
    assert!(call(&minter, &server).await, "learned and confirmed");
    clock.set_ahead(TimeDelta::zero());
    assert!(call(&minter, &server).await, "undone");
    assert!(call(&minter, &server).await, "confirmed");
    let token = minter.partner_token().await.unwrap();
    let token = replace(&minter, &token, clock.true_time()).await;
    let life = token.expires_at() - clock.true_time();
    assert!(
        life < TimeDelta::from_std(LIFE).unwrap() + TOLERANCE,
        "{life}"
    );
}

#[tokio::test(start_paused = true)]
async fn success_that_agrees_with_local_time_replaces_the_token() {
    let clock = LocalClock::new();
    let minter = minter_at(&Fake::new(1), &clock);
    let first = minter.partner_token().await.unwrap();
    let wrong = clock.true_time() + HOUR * 20;
    let long_lived = replace(&minter, &first, wrong).await;
    assert!(long_lived.expires_at() > clock.true_time() + HOUR * 20);
    // Cached now.
    assert!(Arc::ptr_eq(
        &minter.partner_token().await.unwrap(),
        &long_lived
    ));
    minter.accepted(&long_lived, &headers(clock.true_time()));
    let token = minter.partner_token().await.unwrap();
    let extra = token.expires_at() - clock.true_time() - TimeDelta::from_std(LIFE).unwrap();
    assert!(extra < TOLERANCE, "{extra}");
}

#[test]
fn accepted_takes_no_lock() {
    let clock = LocalClock::new();
    let minter = minter_at(&Fake::new(1), &clock);
    runtimes::runtime().block_on(async {
        let first = minter.partner_token().await.unwrap();
        let token = replace(&minter, &first, clock.true_time() + HOUR).await;
        let (done, wait) = std::sync::mpsc::channel();
        let state = minter.0.write();
        let other = Arc::clone(&minter);
        std::thread::spawn(move || {
            other.accepted(&token, &headers(clock.true_time() + HOUR));
            other.accepted(&token, &headers(clock.true_time()));
            done.send(()).unwrap();
        });
        let result = wait.recv_timeout(Duration::from_secs(10));
        drop(state);
        result.expect("it waits for the lock");
    });
}
