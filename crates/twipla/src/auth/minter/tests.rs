use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use http::header::DATE;
use serde_json::Value;
use tokio::time::{advance, sleep, timeout};

use super::super::clock::testing::LocalClock;
use super::super::signer::SignFuture;
use super::*;

mod clocks;
mod rejections;
mod runtimes;
mod signers;

const PARTNER: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";
const LIFE: Duration = Duration::from_secs(600);

/// A signer that counts its calls, and is slow, fails or panics on demand.
#[derive(Debug)]
struct Fake {
    /// First byte of its signatures, to tell keys apart.
    mark: u8,
    asked: AtomicUsize,
    signed: AtomicUsize,
    delay: Mutex<Duration>,
    fails: AtomicBool,
    panics: AtomicBool,
    length: AtomicUsize,
    public_key: Option<String>,
}

impl Fake {
    fn new(mark: u8) -> Arc<Self> {
        Arc::new(Self {
            mark,
            asked: AtomicUsize::new(0),
            signed: AtomicUsize::new(0),
            delay: Mutex::new(Duration::ZERO),
            fails: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            length: AtomicUsize::new(256),
            public_key: None,
        })
    }

    fn slow(mark: u8, seconds: u64) -> Arc<Self> {
        let fake = Self::new(mark);
        fake.set_delay(seconds);
        fake
    }

    fn set_delay(&self, seconds: u64) {
        *self.delay.lock().unwrap() = Duration::from_secs(seconds);
    }

    fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn signed(&self) -> usize {
        self.signed.load(Ordering::SeqCst)
    }
}

impl Signer for Fake {
    fn sign<'a>(&'a self, _message: &'a [u8]) -> SignFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let delay = *self.delay.lock().unwrap();
        assert!(!self.panics.load(Ordering::SeqCst), "panicking on demand");
        Box::pin(async move {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            if self.fails.load(Ordering::SeqCst) {
                return Err(SignerError::new("failing on demand"));
            }
            self.signed.fetch_add(1, Ordering::SeqCst);
            Ok(vec![self.mark; self.length.load(Ordering::SeqCst)])
        })
    }

    fn public_key_pem(&self) -> Option<String> {
        self.public_key.clone()
    }
}

fn minter(signer: &Arc<Fake>) -> Arc<Minter> {
    minter_at(signer, &LocalClock::new())
}

/// Returns a minter on a machine with this clock.
fn minter_at(signer: &Arc<Fake>, clock: &LocalClock) -> Arc<Minter> {
    let partner = PartnerId::new(PARTNER).unwrap();
    let signer = Arc::clone(signer) as _;
    Arc::new(Minter::with_clock(partner, signer, LIFE, clock.clock()))
}

/// Returns the headers of a response that was sent at this time.
fn headers(date: DateTime<Utc>) -> HeaderMap {
    let date = httpdate::fmt_http_date(date.into());
    HeaderMap::from_iter([(DATE, date.parse().unwrap())])
}

/// Returns the replacement for a token that was rejected at this time.
async fn replace(minter: &Minter, rejected: &Token, date: DateTime<Utc>) -> Arc<Token> {
    let replacement = minter
        .refresh_after_rejection(rejected, server_date(&headers(date)))
        .await;
    replacement.unwrap().expect("another token")
}

fn claims(token: &Token) -> Value {
    let part = token.expose().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn mark(token: &Token) -> u8 {
    let part = token.expose().split('.').nth(2).unwrap();
    URL_SAFE_NO_PAD.decode(part).unwrap()[0]
}

/// Returns the signer of the replacement.
async fn mark_of_replacement(minter: &Minter, rejected: &Token, date: DateTime<Utc>) -> u8 {
    let token = replace(minter, rejected, date).await;
    mark(&token)
}

/// Lets spawned tasks run, without advancing the clock.
async fn run_tasks() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn token_is_minted_once_and_hidden_in_debug() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let token = minter.partner_token().await.unwrap();
    for _ in 0..1000 {
        assert!(Arc::ptr_eq(&minter.partner_token().await.unwrap(), &token));
    }
    assert_eq!(signer.asked(), 1);
    let life = token.expires_at() - minter.now();
    assert!(
        life > TimeDelta::seconds(598) && life <= TimeDelta::seconds(600),
        "{life}"
    );
    assert_eq!(
        token.header_value().to_str().unwrap(),
        format!("Bearer {}", token.expose())
    );
    assert!(token.header_value().is_sensitive());
    let printed = format!("{token:?} {minter:?}");
    assert!(!printed.contains("eyJ"), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn sixty_four_tasks_share_one_signature() {
    for signer in [Fake::new(1), Fake::slow(1, 2)] {
        let minter = minter(&signer);
        let tasks = (0..64).map(|_| {
            let minter = Arc::clone(&minter);
            tokio::spawn(async move { minter.partner_token().await.unwrap().expose().to_owned() })
        });
        let tokens = join_all(tasks).await;
        assert!(
            tokens
                .windows(2)
                .all(|pair| pair[0].as_ref().unwrap() == pair[1].as_ref().unwrap())
        );
        assert_eq!(signer.asked(), 1);
    }
}

#[test]
fn sixty_four_tasks_on_real_threads_share_one_signature() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        for _ in 0..50 {
            let signer = Fake::new(1);
            let minter = minter(&signer);
            let tasks = (0..64).map(|_| {
                let minter = Arc::clone(&minter);
                tokio::spawn(async move { drop(minter.partner_token().await.unwrap()) })
            });
            assert!(join_all(tasks).await.iter().all(Result::is_ok));
            assert_eq!(signer.asked(), 1);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn token_is_refreshed_before_it_expires() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let first = minter.partner_token().await.unwrap();
    advance(LIFE.mul_f64(0.69)).await;
    assert!(Arc::ptr_eq(&minter.partner_token().await.unwrap(), &first));
    advance(LIFE.mul_f64(0.17)).await;
    minter.partner_token().await.unwrap();
    run_tasks().await;
    let second = minter.partner_token().await.unwrap();
    assert!(second.expires_at() > first.expires_at());
    assert_eq!(signer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_is_not_used_in_its_last_fifteen_seconds() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let first = minter.partner_token().await.unwrap();
    signer.set_delay(20);
    advance(Duration::from_secs(583)).await;
    let token = minter.partner_token().await.unwrap();
    assert!(Arc::ptr_eq(&token, &first), "the refresh is pending");
    advance(Duration::from_secs(3)).await;
    assert!(!Arc::ptr_eq(&minter.partner_token().await.unwrap(), &first));
}

#[tokio::test(start_paused = true)]
async fn longest_lifetime_is_a_year() {
    let partner = PartnerId::new(PARTNER).unwrap();
    for lifetime in [Duration::MAX, 2 * MAX_LIFETIME.to_std().unwrap()] {
        let minter = Minter::new(partner, Fake::new(1) as _, lifetime);
        let token = minter.partner_token().await.unwrap();
        let cut = MAX_LIFETIME - (token.expires_at() - token.issued.now);
        assert!(cut.abs() < TimeDelta::seconds(1), "{cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_between_failed_refreshes_start_again_after_a_success() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    for _ in 0..2 {
        minter.partner_token().await.unwrap();
        signer.set_failing(true);
        advance(LIFE.mul_f64(0.86)).await;
        for _ in 0..3 {
            let asked = signer.asked();
            minter.partner_token().await.unwrap();
            run_tasks().await;
            assert_eq!(signer.asked(), asked + 1);
            advance(Duration::from_secs(4)).await;
        }
        signer.set_failing(false);
        minter.partner_token().await.unwrap();
        run_tasks().await;
    }
}

#[tokio::test(start_paused = true)]
async fn refresh_time_varies() {
    let mut times = Vec::new();
    for _ in 0..32 {
        let minter = minter(&Fake::new(1));
        let token = minter.partner_token().await.unwrap();
        let time = token.refresh_at - token.issued.now;
        let share = time.as_seconds_f64() / LIFE.as_secs_f64();
        assert!((0.69..0.86).contains(&share), "{share}");
        times.push(time);
    }
    times.sort();
    times.dedup();
    assert!(times.len() > 16);
}

#[tokio::test(start_paused = true)]
async fn slow_signer_delays_no_call_while_the_old_token_is_valid() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let old = minter.partner_token().await.unwrap();
    signer.set_delay(20);
    advance(LIFE.mul_f64(0.86)).await;
    let before = tokio::time::Instant::now();
    for _ in 0..100 {
        assert!(Arc::ptr_eq(&minter.partner_token().await.unwrap(), &old));
        tokio::task::yield_now().await;
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(signer.asked(), 2, "one refresh for all calls");
    // No call waits for it, and it still completes.
    sleep(Duration::from_secs(21)).await;
    assert!(!Arc::ptr_eq(&minter.partner_token().await.unwrap(), &old));
    assert_eq!(signer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn failing_signer_delays_no_call_while_the_old_token_is_valid() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let old = minter.partner_token().await.unwrap();
    signer.set_failing(true);
    advance(LIFE.mul_f64(0.86)).await;
    // Up to ten seconds before the margin: 50 s, in which calls come every 100 ms.
    for _ in 0..500 {
        assert!(Arc::ptr_eq(&minter.partner_token().await.unwrap(), &old));
        advance(Duration::from_millis(100)).await;
    }
    assert!(
        (4..12).contains(&signer.asked()),
        "asked {} times, expected it to back off",
        signer.asked()
    );
    advance(Duration::from_secs(60)).await;
    let error = minter.partner_token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Signing);
    assert!(error.to_string().contains("failing on demand"), "{error}");
    signer.set_failing(false);
    assert!(
        minter.partner_token().await.is_ok(),
        "without a valid token the next call tries again immediately"
    );
}

#[tokio::test(start_paused = true)]
async fn hanging_signer_times_out_after_thirty_seconds() {
    let signer = Fake::slow(1, 100_000);
    let minter = minter(&signer);
    let error = minter.partner_token().await.unwrap_err();
    assert!(
        error.to_string().contains("did not respond within 30 s"),
        "{error}"
    );
    let customer = CustomerId::new("cust-42").unwrap();
    assert_eq!(
        minter.customer_token(&customer).await.unwrap_err().kind(),
        ErrorKind::Signing
    );
    signer.set_delay(0);
    assert!(minter.partner_token().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn panics_and_invalid_signatures_become_errors() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    signer.panics.store(true, Ordering::SeqCst);
    let error = minter.partner_token().await.unwrap_err();
    assert!(error.to_string().contains("the signer panicked"), "{error}");
    signer.panics.store(false, Ordering::SeqCst);
    for length in [0, 32, 255, 1025] {
        signer.length.store(length, Ordering::SeqCst);
        let error = minter.partner_token().await.unwrap_err();
        assert!(
            error.to_string().contains(&format!("{length} bytes")),
            "{error}"
        );
    }
    signer.length.store(512, Ordering::SeqCst);
    assert!(minter.partner_token().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn dropped_call_does_not_lose_the_mint() {
    let signer = Fake::slow(1, 5);
    let minter = minter(&signer);
    // Each caller gives up before the signer is done; the third one gets the token.
    for _ in 0..2 {
        assert!(
            timeout(Duration::from_secs(2), minter.partner_token())
                .await
                .is_err()
        );
    }
    assert!(
        timeout(Duration::from_secs(2), minter.partner_token())
            .await
            .is_ok()
    );
    assert_eq!((signer.asked(), signer.signed()), (1, 1));
    run_tasks().await;
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_the_first_caller_does_not_affect_the_others() {
    let signer = Fake::slow(1, 5);
    let minter = minter(&signer);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let minter = Arc::clone(&minter);
            tokio::spawn(async move { minter.partner_token().await.is_ok() })
        })
        .collect();
    run_tasks().await;
    for task in &tasks[..4] {
        task.abort();
    }
    let outcomes = join_all(tasks).await;
    assert!(outcomes[..4].iter().all(Result::is_err));
    assert!(
        outcomes[4..]
            .iter()
            .all(|outcome| *outcome.as_ref().unwrap())
    );
    assert_eq!(signer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_client_ends_its_task() {
    let signer = Fake::slow(1, 25);
    let minter = minter(&signer);
    assert!(
        timeout(Duration::from_secs(1), minter.partner_token())
            .await
            .is_err()
    );
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        1
    );
    drop(minter);
    run_tasks().await;
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        0
    );
    assert_eq!(Arc::strong_count(&signer), 1);
}

#[tokio::test(start_paused = true)]
async fn two_hours_of_skew_are_corrected() {
    for hours in [2, -2] {
        let signer = Fake::new(1);
        let minter = minter(&signer);
        let rejected = minter.partner_token().await.unwrap();
        let server = minter.now() + TimeDelta::hours(hours);
        // 64 calls were in flight with the token.
        let tokens =
            join_all((0..64).map(|_| async { replace(&minter, &rejected, server).await })).await;
        assert_eq!(signer.asked(), 2, "one more signature for all calls");
        assert!(tokens.iter().all(|token| Arc::ptr_eq(token, &tokens[0])));
        let iat = claims(&tokens[0])["iat"].as_i64().unwrap();
        assert!((iat - server.timestamp()).abs() <= 1, "{iat}");
        let kept = minter.partner_token().await.unwrap();
        assert!(Arc::ptr_eq(&kept, &tokens[0]));
        let customer = minter
            .customer_token(&CustomerId::new("cust-42").unwrap())
            .await
            .unwrap();
        let claims = claims(&customer);
        assert!((claims["iat"].as_i64().unwrap() - server.timestamp()).abs() <= 1);
        assert_eq!(claims["intpc_id"], "cust-42");
    }
}

#[tokio::test(start_paused = true)]
async fn mint_by_a_wrong_clock_is_not_joined() {
    for hours in [-2, 2] {
        let signer = Fake::new(1);
        let minter = minter(&signer);
        let rejected = minter.partner_token().await.unwrap();
        signer.set_delay(5);
        advance(LIFE.mul_f64(0.86)).await;
        // Starts a refresh by the wrong clock.
        minter.partner_token().await.unwrap();
        let server = minter.now() + TimeDelta::hours(hours);
        let token = replace(&minter, &rejected, server).await;
        let issued = claims(&token)["iat"].as_i64().unwrap();
        assert!((issued - server.timestamp()).abs() <= 1, "{hours} h");
        sleep(Duration::from_secs(10)).await;
        let cached = minter.partner_token().await.unwrap();
        assert!(Arc::ptr_eq(&cached, &token), "{hours} h");
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_token_is_replaced_once() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let first = minter.partner_token().await.unwrap();
    let second = replace(&minter, &first, minter.now()).await;
    assert!(!Arc::ptr_eq(&first, &second));
    let late = replace(&minter, &first, minter.now()).await;
    assert!(Arc::ptr_eq(&late, &second), "another task had replaced it");
    assert_eq!(signer.asked(), 2);
}

/// Returns a minter with a cached token.
async fn with_cached_token(signer: &Arc<Fake>) -> (Arc<Minter>, Arc<Token>) {
    let minter = minter(signer);
    minter.partner_token().await.unwrap();
    let token = minter.partner_token().await.unwrap();
    let kept = minter.cached(Instant::now()).unwrap();
    assert!(Arc::ptr_eq(&kept, &token));
    (minter, token)
}

#[tokio::test(start_paused = true)]
async fn cached_token_is_discarded_after_any_change() {
    let signer = Fake::new(1);
    let (minter, _) = with_cached_token(&signer).await;
    minter.replace_signer(Fake::new(2));
    assert!(minter.cached(Instant::now()).is_none(), "another key");

    let (minter, token) = with_cached_token(&signer).await;
    signer.set_delay(5);
    let headers = HeaderMap::new();
    let refresh = minter
        .refresh_after_rejection(&token, server_date(&headers))
        .now_or_never();
    assert!(refresh.is_none(), "the signer takes its time");
    assert!(minter.cached(Instant::now()).is_none(), "rejected");
}

#[tokio::test(start_paused = true)]
async fn cached_token_is_revalidated_every_second_and_when_a_refresh_is_due() {
    let (minter, token) = with_cached_token(&Fake::new(1)).await;
    advance(CACHED_FOR.checked_sub(Duration::from_millis(1)).unwrap()).await;
    assert!(minter.cached(Instant::now()).is_some());
    advance(Duration::from_millis(1)).await;
    assert!(minter.cached(Instant::now()).is_none());

    let left = token.refresh_at - minter.now() - TimeDelta::milliseconds(300);
    advance(left.to_std().unwrap()).await;
    minter.partner_token().await.unwrap();
    assert!(minter.cached(Instant::now()).is_some());
    advance(Duration::from_millis(301)).await;
    assert!(minter.cached(Instant::now()).is_none());
}
