//! One client on several Tokio runtimes, or on none.

use std::cell::Cell;

use super::*;

/// Creates a runtime that runs on the thread that calls `block_on`, and only then.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

/// Gets the token on `runtime`, in paused time.
fn token_on(runtime: &tokio::runtime::Runtime, minter: &Minter) -> Arc<Token> {
    let call = async { timeout(Duration::from_secs(3600), minter.partner_token()).await };
    runtime
        .block_on(call)
        .expect("the call waits forever")
        .unwrap()
}

/// Starts a mint of five seconds on `runtime`, by a call that gives up after one.
fn start_mint_on(runtime: &tokio::runtime::Runtime, minter: &Minter) {
    let call = async { timeout(Duration::from_secs(1), minter.partner_token()).await };
    assert!(runtime.block_on(call).is_err());
}

/// Returns how often this thread panicked while `work` ran.
fn panics_during(work: impl FnOnce()) -> usize {
    thread_local!(static PANICS: Cell<usize> = const { Cell::new(0) });
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.set(PANICS.get() + 1);
        before(info);
    }));
    PANICS.set(0);
    work();
    PANICS.get()
}

#[test]
fn without_a_runtime_the_error_says_so() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let customer = CustomerId::new("cust-42").unwrap();
    let errors = [
        minter.partner_token().now_or_never().unwrap().unwrap_err(),
        minter
            .customer_token(&customer)
            .now_or_never()
            .unwrap()
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Signing);
        assert!(error.to_string().contains("no Tokio runtime"), "{error}");
    }
    assert_eq!(signer.asked(), 0);
}

#[test]
fn mint_of_an_ended_runtime_is_taken_over() {
    let panics = panics_during(|| {
        let signer = Fake::slow(1, 5);
        let minter = minter(&signer);
        let (first, second) = (runtime(), runtime());
        start_mint_on(&first, &minter);
        drop(first);
        token_on(&second, &minter);
        assert_eq!((signer.asked(), signer.signed()), (2, 1));
    });
    assert_eq!(panics, 0);
}

#[test]
fn call_that_waits_on_a_runtime_that_ends_gets_the_token_of_another_mint() {
    let signer = Fake::slow(1, 5);
    let minter = minter(&signer);
    let (first, second) = (runtime(), runtime());
    let waiting = {
        let _context = first.enter();
        let mut waiting = Box::pin(minter.partner_token());
        assert!(waiting.as_mut().now_or_never().is_none());
        waiting
    };
    drop(first);
    second.block_on(waiting).unwrap();
    assert_eq!(signer.signed(), 1);
}

#[test]
fn mint_of_a_parked_runtime_is_taken_over() {
    let panics = panics_during(|| {
        let signer = Fake::slow(1, 5);
        let minter = minter(&signer);
        let (parked, second) = (runtime(), runtime());
        start_mint_on(&parked, &minter);
        let token = token_on(&second, &minter);
        // Driven again, the first runtime completes its own mint. Both tokens are valid.
        parked.block_on(async { sleep(Duration::from_secs(5)).await });
        assert_eq!((signer.asked(), signer.signed()), (2, 2));
        let last = token_on(&second, &minter);
        assert!(!Arc::ptr_eq(&last, &token));
    });
    assert_eq!(panics, 0);
}

#[test]
fn refresh_of_a_parked_or_ended_runtime_is_started_again() {
    for ended in [false, true] {
        let signer = Fake::new(1);
        let minter = minter(&signer);
        let (first, second) = (runtime(), runtime());
        let old = first.block_on(minter.partner_token()).unwrap();
        signer.set_delay(5);
        // Each runtime has its own paused clock.
        let refresh_is_due = || advance(LIFE.mul_f64(0.86));
        first.block_on(async {
            refresh_is_due().await;
            minter.partner_token().await.unwrap();
            run_tasks().await;
        });
        assert_eq!(signer.asked(), 2);
        let parked = (!ended).then_some(first);
        second.block_on(async {
            refresh_is_due().await;
            if parked.is_some() {
                minter.partner_token().await.unwrap();
                sleep(Duration::from_secs(60)).await;
                assert_eq!(signer.asked(), 2, "it may still complete");
            }
            let token = minter.partner_token().await.unwrap();
            assert!(Arc::ptr_eq(&token, &old), "it is still valid");
            sleep(Duration::from_secs(6)).await;
            assert!(!Arc::ptr_eq(&minter.partner_token().await.unwrap(), &old));
        });
    }
}

#[test]
fn mints_of_ended_runtimes_are_forgotten() {
    let minter = minter(&Fake::slow(1, 5));
    for _ in 0..10 {
        start_mint_on(&runtime(), &minter);
    }
    assert_eq!(minter.0.read().pending.len(), 1);
}

#[test]
fn each_of_several_runtimes_asks_the_signer_at_most_once() {
    let signer = Fake::slow(1, 5);
    let minter = minter(&signer);
    let runtimes = [runtime(), runtime()];
    for _ in 0..20 {
        for runtime in &runtimes {
            let call = async { timeout(Duration::from_millis(100), minter.partner_token()).await };
            assert!(runtime.block_on(call).is_err());
        }
    }
    assert_eq!(signer.asked(), 2);
}
