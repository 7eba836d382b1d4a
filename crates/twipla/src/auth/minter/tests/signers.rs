//! Signers that are replaced, or fail.

use super::*;

#[tokio::test(start_paused = true)]
async fn replace_signer_fails_no_call() {
    // The server already knows the new key.
    let (old, new) = (Fake::new(1), Fake::slow(2, 3));
    let minter = minter(&old);
    assert_eq!(mark(&minter.partner_token().await.unwrap()), 1);
    minter.replace_signer(Arc::clone(&new) as _);
    assert_eq!(
        mark(&minter.partner_token().await.unwrap()),
        1,
        "the new key is still signing"
    );
    sleep(Duration::from_millis(2900)).await;
    assert_eq!(mark(&minter.partner_token().await.unwrap()), 1);
    sleep(Duration::from_millis(200)).await;
    for _ in 0..3 {
        assert_eq!(mark(&minter.partner_token().await.unwrap()), 2);
        run_tasks().await;
    }
    assert_eq!((old.asked(), new.asked()), (1, 1));
    let token = minter.partner_token().await.unwrap();

    // The server does not know it yet, so the old one signs.
    let fallback = replace(&minter, &token, minter.now()).await;
    assert_eq!(mark(&fallback), 1);
    advance(LIFE).await;
    let refreshed = minter.partner_token().await.unwrap();
    assert_eq!(mark(&refreshed), 1);
    // Now it does, and no longer knows the old one.
    assert_eq!(
        mark_of_replacement(&minter, &refreshed, minter.now()).await,
        2
    );
}

#[tokio::test(start_paused = true)]
async fn rejected_token_of_the_old_signer_is_replaced_by_the_new_one() {
    let (old, new) = (Fake::new(1), Fake::new(2));
    let minter = minter(&old);
    let token = minter.partner_token().await.unwrap();
    minter.replace_signer(Arc::clone(&new) as _);
    assert_eq!(mark_of_replacement(&minter, &token, minter.now()).await, 2);
}

#[tokio::test(start_paused = true)]
async fn wrong_clock_does_not_switch_the_signer() {
    let (old, new) = (Fake::new(1), Fake::new(2));
    let minter = minter(&old);
    minter.replace_signer(Arc::clone(&new) as _);
    let token = minter.partner_token().await.unwrap();
    let server = minter.now() + TimeDelta::hours(2);
    assert_eq!(mark_of_replacement(&minter, &token, server).await, 2);
    assert_eq!(old.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn token_that_expired_in_transit_switches_neither_signer_nor_clock() {
    let (old, new) = (Fake::new(1), Fake::new(2));
    let minter = minter(&old);
    minter.replace_signer(Arc::clone(&new) as _);
    let token = minter.partner_token().await.unwrap();
    advance(LIFE).await;
    let wrong = minter.now() + TimeDelta::hours(2);
    assert_eq!(mark_of_replacement(&minter, &token, wrong).await, 2);
    assert_eq!(old.asked(), 0);
    assert!(!minter.0.clock.is_corrected());
}

#[tokio::test(start_paused = true)]
async fn new_signer_that_fails_leaves_the_old_one_in_use() {
    let (old, new) = (Fake::new(1), Fake::new(2));
    let minter = minter(&old);
    minter.partner_token().await.unwrap();
    new.set_failing(true);
    minter.replace_signer(Arc::clone(&new) as _);
    advance(LIFE).await;
    assert_eq!(mark(&minter.partner_token().await.unwrap()), 1);
    let customer = CustomerId::new("cust-42").unwrap();
    assert_eq!(mark(&minter.customer_token(&customer).await.unwrap()), 1);
    assert_eq!(new.asked(), 1, "the old one is asked first from now on");
}

#[tokio::test(start_paused = true)]
async fn new_signer_is_asked_immediately_after_the_old_one_failed() {
    let (old, new) = (Fake::new(1), Fake::new(2));
    let minter = minter(&old);
    minter.partner_token().await.unwrap();
    old.set_failing(true);
    advance(LIFE.mul_f64(0.86)).await;
    minter.partner_token().await.unwrap();
    run_tasks().await;
    minter.replace_signer(Arc::clone(&new) as _);
    minter.partner_token().await.unwrap();
    run_tasks().await;
    assert_eq!(new.signed(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_last_signer_before_the_new_one_is_kept() {
    let signers = [Fake::new(1), Fake::new(2), Fake::new(3)];
    let minter = minter(&signers[0]);
    for signer in &signers[1..] {
        signer.set_failing(true);
        minter.replace_signer(Arc::clone(signer) as _);
    }
    minter.partner_token().await.unwrap_err();
    assert_eq!(signers.map(|signer| signer.asked()), [0, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn new_signer_whose_signature_is_wrong_leaves_the_old_one_in_use() {
    let old = Fake::new(1);
    let minter = minter(&old);
    minter.partner_token().await.unwrap();
    let mut new = Arc::into_inner(Fake::new(2)).unwrap();
    new.public_key = Some("not a key".to_owned());
    let new = Arc::new(new);
    minter.replace_signer(Arc::clone(&new) as _);
    advance(LIFE).await;
    assert_eq!(mark(&minter.partner_token().await.unwrap()), 1);
    assert_eq!(new.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn signer_replaced_during_a_mint_is_used() {
    let (old, new) = (Fake::slow(1, 5), Fake::new(2));
    let minter = minter(&old);
    let waiting = tokio::spawn({
        let minter = Arc::clone(&minter);
        async move { mark(&minter.partner_token().await.unwrap()) }
    });
    run_tasks().await;
    minter.replace_signer(Arc::clone(&new) as _);
    assert_eq!(mark(&minter.partner_token().await.unwrap()), 2);
    assert_eq!(
        waiting.await.unwrap(),
        1,
        "calls that waited for the old signer's token get it"
    );
    assert_eq!(mark(&minter.partner_token().await.unwrap()), 2);
}
