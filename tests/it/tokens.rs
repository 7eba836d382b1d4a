//! Tokens: minted once, replaced once after a 401, and an error if they stay rejected.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use twipla::{
    ChangeState, ErrorKind, PrivateKey, RetryPolicy, SignFuture, Signer, SignerError, Twipla,
};
use twipla_sandbox::{Fault, FaultKind, Partner, Sandbox};
use twipla_tests::{Stage, client, respond};

#[tokio::test]
async fn one_token_serves_many_calls() {
    let stage = Stage::start().await;
    let before = stage.website_model.partner_token().await.unwrap();
    let calls: Vec<_> = (0..32)
        .map(|_| {
            tokio::spawn(std::future::IntoFuture::into_future(
                stage.website_model.packages().list(),
            ))
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let after = stage.website_model.partner_token().await.unwrap();
    assert_eq!(before.expose(), after.expose());
}

#[tokio::test]
async fn server_time_is_that_of_the_server() {
    for hours in [-2, 0, 2] {
        let offset = chrono::Duration::hours(hours);
        let sandbox = Sandbox::builder().clock_offset(offset);
        let sandbox = sandbox.start().await.unwrap();
        let twipla = client(&sandbox, &sandbox.website_partner());
        let time = twipla.build().unwrap().server_time().await.unwrap();
        let ahead = time.unwrap() - chrono::Utc::now();
        assert!(
            (ahead - offset).abs() < chrono::Duration::minutes(1),
            "{ahead}"
        );
    }
}

#[tokio::test]
async fn clock_that_is_two_hours_off_costs_one_401() {
    for hours in [-2, 2] {
        let sandbox = Sandbox::builder()
            .clock_offset(chrono::Duration::hours(hours))
            .start()
            .await
            .unwrap();
        let twipla = client(&sandbox, &sandbox.website_partner())
            .build()
            .unwrap();
        twipla.packages().list().await.unwrap();
        twipla.packages().list().await.unwrap();
        let statuses: Vec<_> = sandbox
            .requests()
            .iter()
            .map(|request| request.status)
            .collect();
        assert_eq!(statuses, [401, 200, 200], "{hours} hours off");
    }
}

#[tokio::test]
async fn learned_clock_offset_survives_a_rejected_token() {
    let sandbox = Sandbox::builder()
        .clock_offset(chrono::Duration::hours(2))
        .start()
        .await
        .unwrap();
    let twipla = client(&sandbox, &sandbox.website_partner())
        .build()
        .unwrap();
    twipla.packages().list().await.unwrap();
    sandbox.inject(Fault::new(FaultKind::ExpiredToken).times(1));
    twipla.packages().list().await.unwrap();
}

#[tokio::test]
async fn token_that_stays_rejected_is_an_error_after_two_requests() {
    let stage = Stage::start().await;
    let partner = stage.sandbox.website_partner();
    let other_key =
        PrivateKey::from_pem(stage.sandbox.account_partner().private_key_pem()).unwrap();
    let twipla = Twipla::builder()
        .partner(partner.id(), other_key)
        .base_url(stage.sandbox.base_url())
        .build()
        .unwrap();
    let error = twipla.packages().list().await.unwrap_err();
    assert!(error.is_auth(), "{error}");
    assert!(
        error.to_string().contains("invalid access token"),
        "{error}"
    );
    assert_eq!(stage.sandbox.requests().len(), 2);
}

#[tokio::test]
async fn expired_token_is_replaced_once() {
    let stage = Stage::start().await;
    let twipla = &stage.website_model;
    let expired = twipla.partner_token().await.unwrap();
    // The sandbox keeps rejecting a token until it could not have been signed again within the same second.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    stage
        .sandbox
        .inject(Fault::new(FaultKind::ExpiredToken).times(1));
    twipla.packages().list().await.unwrap();
    twipla.packages().list().await.unwrap();
    let requests = stage.sandbox.requests();
    let statuses: Vec<_> = requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [401, 200, 200]);

    let fresh = twipla.partner_token().await.unwrap();
    assert_ne!(fresh.expose(), expired.expose());
    let url = format!("{}/v2/3as/packages", stage.sandbox.base_url());
    let with = async |token: &str| {
        let request = reqwest::Client::new().get(&url).bearer_auth(token);
        request.send().await.unwrap().status()
    };
    assert_eq!(with(expired.expose()).await, 401, "it is still refused");
    assert_eq!(with(fresh.expose()).await, 200);
}

#[derive(Debug)]
struct BrokenSigner;

impl Signer for BrokenSigner {
    fn sign<'a>(&'a self, _message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async { Err(SignerError::new("the key store is locked")) })
    }
}

#[tokio::test]
async fn failing_signer_is_a_signing_error() {
    let stage = Stage::start().await;
    let built = Twipla::builder()
        .signer(stage.sandbox.website_partner().id(), BrokenSigner)
        .base_url(stage.sandbox.base_url())
        .retry(RetryPolicy::none())
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let error = built.packages().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Signing, "{error}");
    assert!(stage.sandbox.requests().is_empty());
}

/// Signs like a remote key service: after a delay, on the runtime of the caller.
#[derive(Debug)]
struct SlowSigner(PrivateKey);

impl Signer for SlowSigner {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.0.sign(message).await
        })
    }
}

#[test]
fn token_is_minted_again_if_its_runtime_is_parked_or_ended() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let server = tokio::runtime::Runtime::new().unwrap();
    let sandbox = server.block_on(Sandbox::start()).unwrap();
    let partner = sandbox.website_partner();
    for ended in [false, true] {
        let key = PrivateKey::from_pem(partner.private_key_pem()).unwrap();
        let twipla = Twipla::builder()
            .signer(partner.id(), SlowSigner(key))
            .base_url(sandbox.base_url())
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let first = runtime();
        first.block_on(async {
            let token = twipla.partner_token().into_future();
            let given_up = tokio::time::timeout(Duration::from_millis(50), token).await;
            assert!(given_up.is_err());
        });
        let parked = (!ended).then_some(first);
        let list = async { twipla.packages().list().await };
        runtime().block_on(list).unwrap();
        drop(parked);
    }
}

#[test]
fn minting_without_a_runtime_is_a_clear_error() {
    let server = tokio::runtime::Runtime::new().unwrap();
    let stage = server.block_on(Stage::start());
    let token =
        futures_util::FutureExt::now_or_never(stage.website_model.partner_token().into_future());
    let error = token.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Signing);
    assert!(error.to_string().contains("no Tokio runtime"), "{error}");
}

/// Signs with a key, counts, and may return the public key of another one.
#[derive(Debug)]
struct CountingSigner {
    key: PrivateKey,
    public_key: Option<String>,
    signatures: Arc<AtomicUsize>,
}

impl Signer for CountingSigner {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        self.signatures.fetch_add(1, Ordering::SeqCst);
        self.key.sign(message)
    }

    fn public_key_pem(&self) -> Option<String> {
        self.public_key.clone()
    }
}

#[tokio::test]
async fn signature_of_another_key_is_an_error_before_a_request_is_sent() {
    let stage = Stage::start().await;
    let partner = stage.sandbox.website_partner();
    let other = stage.sandbox.account_partner();
    let key = |partner: &Partner| PrivateKey::from_pem(partner.private_key_pem()).unwrap();
    let public_key = key(&partner).public_key_pem().unwrap();
    for (signs_with, succeeds) in [(&partner, true), (&other, false)] {
        // Boxed, as in a program that selects its signer at run time.
        let signer: Box<dyn Signer> = Box::new(CountingSigner {
            key: key(signs_with),
            public_key: Some(public_key.clone()),
            signatures: Arc::default(),
        });
        let twipla = Twipla::builder()
            .signer(partner.id(), signer)
            .base_url(stage.sandbox.base_url())
            .build()
            .unwrap();
        stage.sandbox.clear_requests();
        let result = twipla.packages().list().await;
        assert_eq!(result.is_ok(), succeeds);
        assert_eq!(stage.sandbox.requests().is_empty(), !succeeds);
        if !succeeds {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Signing, "{error}");
            let message = error.to_string();
            assert!(
                message.contains("does not match the signer's public key"),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn rejected_key_costs_few_signatures_and_has_a_reason() {
    let stage = Stage::start().await;
    let other_key =
        PrivateKey::from_pem(stage.sandbox.account_partner().private_key_pem()).unwrap();
    let signatures = Arc::new(AtomicUsize::new(0));
    let signer = CountingSigner {
        key: other_key,
        public_key: None,
        signatures: Arc::clone(&signatures),
    };
    let twipla = Twipla::builder()
        .signer(stage.sandbox.website_partner().id(), signer)
        .base_url(stage.sandbox.base_url())
        .build()
        .unwrap();
    for _ in 0..50 {
        let error = twipla.packages().list().await.unwrap_err();
        assert!(error.is_auth(), "{error}");
    }
    let signatures = signatures.load(Ordering::SeqCst);
    assert!(signatures <= 6, "{signatures} signatures for 50 calls");
}

#[tokio::test]
async fn one_wrong_date_costs_at_most_one_call() {
    for hours in [-20, -1, 1, 20] {
        let stage = Stage::start().await;
        let twipla = &stage.website_model;
        twipla.packages().list().await.unwrap();
        // A gateway with a wrong clock rejects one request.
        let skew = Fault::new(FaultKind::ClockSkew(hours * 3600)).times(1);
        stage.sandbox.inject(skew);
        let mut failed = 0;
        for _ in 0..5 {
            failed += usize::from(twipla.packages().list().await.is_err());
        }
        assert!(failed <= 1, "{hours} hours off: {failed} calls failed");
        let token = twipla.partner_token().await.unwrap();
        let life = token.expires_at() - chrono::Utc::now();
        assert!(
            life <= chrono::Duration::seconds(606),
            "{hours} hours off: {life}"
        );
    }
}

/// Signs once, and fails after that.
#[derive(Debug)]
struct SignsOnce {
    key: PrivateKey,
    signed: AtomicBool,
}

impl Signer for SignsOnce {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        if self.signed.swap(true, Ordering::SeqCst) {
            return Box::pin(async { Err(SignerError::new("the key store is locked")) });
        }
        self.key.sign(message)
    }
}

#[tokio::test]
async fn signing_error_after_a_lost_response_is_ambiguous() {
    let stage = Stage::with_customer().await;
    let partner = stage.sandbox.website_partner();
    let signer = SignsOnce {
        key: PrivateKey::from_pem(partner.private_key_pem()).unwrap(),
        signed: AtomicBool::new(false),
    };
    let twipla = Twipla::builder()
        .signer(partner.id(), signer)
        .base_url(stage.sandbox.base_url())
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap();
    // The response to the first attempt is lost, and the second attempt is rejected because its token expired.
    stage.lose_response("delete_customer");
    stage.fault_once("delete_customer", FaultKind::ExpiredToken);
    let error = twipla.customer("c").delete().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Signing, "{error}");
    assert!(error.is_ambiguous(), "{error}");
    assert_eq!(stage.requests("delete_customer"), 2);
    let gone = stage.website_model.customer("c").get().await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
}

#[tokio::test]
async fn subscription_change_is_not_sent_twice_after_a_lost_response() {
    let stage = Stage::with_website().await;
    let twipla = &stage.website_model;

    // A read survives a broken connection and an overloaded server.
    stage.lose_response("get_website");
    stage.lose_response("get_website");
    twipla.website("w").get().await.unwrap();
    assert_eq!(stage.requests("get_website"), 3);

    // A subscription change is sent once, and the error says what happened.
    stage.lose_response("cancel_website_subscription");
    let error = twipla
        .website("w")
        .subscription()
        .cancel()
        .await
        .unwrap_err();
    assert_eq!(error.change_state(), Some(ChangeState::InForce), "{error}");
    assert_eq!(stage.requests("cancel_website_subscription"), 1);

    // Unless the server says that it did not process the request.
    let busy = respond(503, &[("retry-after", "0")], "");
    stage.fault_once("resume_website_subscription", busy);
    twipla.website("w").subscription().resume().await.unwrap();
    assert_eq!(stage.requests("resume_website_subscription"), 2);
}
