//! Tokens that the server rejects repeatedly. Every signature may cost money.

use super::*;

/// Makes one call every 50 ms for a minute, to a server that rejects some requests.
/// Returns how many calls failed.
async fn calls_of_a_minute(minter: &Minter, mut rejects: impl FnMut() -> bool) -> usize {
    let mut failed = 0;
    for _ in 0..1200 {
        let mut token = minter.partner_token().await.unwrap();
        let date = headers(minter.now());
        let mut rejected = rejects();
        if rejected
            && let Some(fresh) = minter
                .refresh_after_rejection(&token, server_date(&date))
                .await
                .unwrap()
        {
            token = fresh;
            rejected = rejects();
        }
        if rejected {
            failed += 1;
        } else {
            minter.accepted(&token, &date);
        }
        advance(Duration::from_millis(50)).await;
    }
    failed
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_all_rejected_cost_few_signatures() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    assert_eq!(calls_of_a_minute(&minter, || true).await, 1200);
    let first_minute = signer.asked();
    assert!(
        (4..=10).contains(&first_minute),
        "{first_minute} signatures"
    );
    calls_of_a_minute(&minter, || true).await;
    let second_minute = signer.asked() - first_minute;
    assert!(
        (1..=3).contains(&second_minute),
        "{second_minute} signatures"
    );
    // The token that was rejected is accepted immediately when the server recovers.
    assert_eq!(calls_of_a_minute(&minter, || false).await, 0);
}

#[tokio::test(start_paused = true)]
async fn occasional_rejections_cost_few_signatures() {
    let signer = Fake::new(1);
    let minter = minter(&signer);
    let mut requests = 0;
    let every_second_request = || {
        requests += 1;
        requests % 2 == 1
    };
    assert_eq!(calls_of_a_minute(&minter, every_second_request).await, 0);
    assert!(signer.asked() <= 10, "{} signatures", signer.asked());
}

#[tokio::test(start_paused = true)]
async fn rejections_no_longer_count_after_a_later_token_was_accepted() {
    for accepted in [true, false] {
        let signer = Fake::new(1);
        let minter = minter(&signer);
        calls_of_a_minute(&minter, || false).await;
        calls_of_a_minute(&minter, || true).await;
        if accepted {
            calls_of_a_minute(&minter, || false).await;
        } else {
            advance(RECOVERED_AFTER).await;
        }
        let before = signer.asked();
        for _ in 0..FREE_REJECTIONS {
            let token = minter.partner_token().await.unwrap();
            let headers = headers(minter.now());
            drop(
                minter
                    .refresh_after_rejection(&token, server_date(&headers))
                    .await,
            );
        }
        assert_eq!(signer.asked() - before, if accepted { 3 } else { 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn new_signer_is_asked_immediately_after_many_rejections() {
    let (old, new) = (Fake::new(1), Fake::new(2));
    let minter = minter(&old);
    calls_of_a_minute(&minter, || true).await;
    minter.replace_signer(Arc::clone(&new) as _);
    minter.partner_token().await.unwrap();
    run_tasks().await;
    assert_eq!(mark(&minter.partner_token().await.unwrap()), 2);
    let token = minter.partner_token().await.unwrap();
    assert_eq!(mark_of_replacement(&minter, &token, minter.now()).await, 1);
}
