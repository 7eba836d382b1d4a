//! Bulk work: order, bounds, stopping, starting again.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use twipla::{NewCustomer, NewWebsite, Outcome, Progress};
use twipla_sandbox::{Fault, FaultKind};
use twipla_tests::{Stage, price_list};

fn websites(n: usize) -> impl Iterator<Item = NewWebsite> + Send + 'static {
    (0..n).map(|n| NewWebsite::new("c", format!("w{n}"), format!("{n}.example.com")))
}

#[tokio::test]
async fn outcomes_are_in_the_order_of_the_input() {
    let stage = Stage::with_customer().await;
    let seen = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let note = Arc::clone(&seen);
    let bulk = stage
        .website_model
        .bulk()
        .concurrency(5)
        .on_progress(move |now| note.lock().unwrap().push(now));
    let report = bulk.create_websites(websites(23)).await.unwrap();
    assert!(report.is_complete());
    for (n, outcome) in report.outcomes.iter().enumerate() {
        assert!(
            matches!(outcome, Outcome::Done(site) if site.intp_website_id == format!("w{n}")),
            "{outcome:?}"
        );
    }
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen[22].done, seen[22].failed), (23, 23, 0));
}

#[tokio::test]
async fn concurrency_is_bounded() {
    let stage = Stage::with_customer().await;
    let under_way = Arc::new(Mutex::new((0_usize, 0_usize)));
    let count = Arc::clone(&under_way);
    let run = stage.website_model.bulk().concurrency(3).run(
        futures_util::stream::iter(0..40),
        move |twipla, _| {
            let count = Arc::clone(&count);
            async move {
                {
                    let mut count = count.lock().unwrap();
                    count.0 += 1;
                    count.1 = count.1.max(count.0);
                }
                let result = twipla.packages().list().await.map(Some);
                count.lock().unwrap().0 -= 1;
                result
            }
        },
    );
    assert!(run.await.unwrap().is_complete());
    assert_eq!(under_way.lock().unwrap().1, 3);
    assert!(
        stage
            .website_model
            .bulk()
            .concurrency(0)
            .delete_websites(["x"])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn stop_on_error_skips_the_following_items() {
    let stage = Stage::with_customer().await;
    let wrong = NewWebsite::new("nobody", "wrong", "example.com");
    let items = websites(2)
        .chain([wrong.clone()])
        .chain(websites(9).skip(2));
    let bulk = stage
        .website_model
        .bulk()
        .concurrency(1)
        .stop_on_error(true);
    let report = bulk.create_websites(items).await.unwrap();
    let outcomes = &report.outcomes;
    assert!(outcomes[0].is_done() && outcomes[1].is_done());
    assert!(
        matches!(&outcomes[2], Outcome::Failed(error) if error.is_not_found()),
        "{:?}",
        outcomes[2]
    );
    assert_eq!(outcomes.len(), 10);
    assert!(
        outcomes[3..]
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Skipped))
    );

    let items = websites(2).chain([wrong]).chain(websites(9).skip(2));
    let all = stage
        .website_model
        .bulk()
        .create_websites(items)
        .await
        .unwrap();
    assert_eq!(
        all.outcomes
            .iter()
            .filter(|outcome| outcome.is_done())
            .count(),
        9,
        "without it all are tried"
    );
}

#[tokio::test]
async fn repeated_run_creates_what_is_missing() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    for kind in [
        FaultKind::ResetAfterCommit,
        FaultKind::ResetBeforeCommit,
        FaultKind::HtmlBody,
        FaultKind::NoContent,
    ] {
        stage.sandbox.inject(Fault::new(kind).probability(0.006, 3));
    }
    let customers = || {
        (0..30).map(|n| {
            NewCustomer::new(format!("d{n}"), format!("d{n}@example.com"))
                .website(format!("s{n}"), "example.com")
        })
    };
    let mut runs = 0;
    while !twipla
        .bulk()
        .create_customers(customers())
        .await
        .unwrap()
        .is_complete()
    {
        runs += 1;
        assert!(runs < 50, "it comes to an end");
    }
    stage.sandbox.clear_faults();
    let again = twipla.bulk().create_customers(customers()).await.unwrap();
    assert!(
        again
            .outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Unchanged))
    );
    let meta = twipla.customers().list().await.unwrap().meta.unwrap();
    assert_eq!(meta.total, Some(31), "none is there twice");
    let taken = twipla
        .bulk()
        .create_customers([NewCustomer::new("d0", "other@example.com")])
        .await
        .unwrap();
    assert!(matches!(&taken.outcomes[0], Outcome::Failed(error) if error.is_conflict()));

    let ids = || (0..30).map(|n| format!("d{n}"));
    assert!(
        twipla
            .bulk()
            .delete_customers(ids())
            .await
            .unwrap()
            .is_complete()
    );
    let gone = twipla.bulk().delete_customers(ids()).await.unwrap();
    assert!(
        gone.outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Unchanged))
    );
}

#[tokio::test]
async fn stream_yields_outcomes_as_they_come() {
    let stage = Stage::with_customer().await;
    let items = futures_util::stream::iter(websites(6));
    let mut run = stage.website_model.bulk().create_websites_from(items);
    let (first, outcome) = run.next().await.unwrap();
    assert!(first.id() == "w0" && outcome.is_done());
    drop(run);
    let rest = stage
        .website_model
        .bulk()
        .delete_websites((0..6).map(|n| format!("w{n}")))
        .await
        .unwrap();
    assert!(rest.is_complete());
}

#[tokio::test]
async fn website_on_another_package_is_a_conflict() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let prices = price_list(twipla).await.unwrap();
    let website = |package| NewWebsite::new("c", "w", "example.com").package(package);
    let create = |package| twipla.bulk().create_websites([website(package)]);
    assert!(create(prices[0].id).await.unwrap().is_complete());
    assert!(matches!(
        create(prices[0].id).await.unwrap().outcomes[0],
        Outcome::Unchanged
    ));
    let report = create(prices[1].id).await.unwrap();
    let (input, outcome) = report.iter().next().unwrap();
    assert_eq!(input.id(), "w");
    let Outcome::Failed(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        error.is_conflict() && error.to_string().contains("on another package"),
        "{error}"
    );
}

#[tokio::test]
async fn customer_without_the_requested_website_is_a_conflict() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let customer = || NewCustomer::new("d", "d@example.com");
    let create = |customer| twipla.bulk().create_customers([customer]);
    assert!(create(customer()).await.unwrap().is_complete());
    assert!(create(customer()).await.unwrap().is_complete());
    let report = create(customer().website("s", "example.com"))
        .await
        .unwrap();
    assert!(
        matches!(&report.outcomes[0], Outcome::Failed(error) if error.is_conflict()),
        "{report:?}"
    );
}

#[tokio::test]
async fn deactivated_or_canceled_website_is_a_conflict() {
    let stage = Stage::with_customer().await;
    let twipla = &stage.website_model;
    let site = || NewWebsite::new("c", "w", "example.com");
    let create = || twipla.bulk().create_websites([site()]);
    assert!(create().await.unwrap().is_complete());
    let subscription = twipla.website("w").subscription();
    subscription.cancel().await.unwrap();
    assert_conflict(&create().await.unwrap().outcomes[0], "status canceled");
    subscription.deactivate().await.unwrap();
    assert_conflict(&create().await.unwrap().outcomes[0], "status inactive");

    let customer = NewCustomer::new("c", "c@example.com").website("w", "example.com");
    let report = twipla.bulk().create_customers([customer]).await.unwrap();
    assert_conflict(&report.outcomes[0], "status inactive");
}

#[tokio::test]
async fn website_of_a_canceled_customer_is_unchanged_and_the_customer_is_a_conflict() {
    let stage = Stage::with_website().await;
    let twipla = &stage.account_model;
    twipla.customer("c").subscription().cancel().await.unwrap();
    let site = || NewWebsite::new("c", "v", "v.example.com");
    let create = || twipla.bulk().create_websites([site()]);
    assert!(matches!(
        create().await.unwrap().outcomes[0],
        Outcome::Done(_)
    ));
    assert!(matches!(
        create().await.unwrap().outcomes[0],
        Outcome::Unchanged
    ));
    let customer = NewCustomer::new("c", "c@example.com").website("w", "example.com");
    let report = twipla.bulk().create_customers([customer]).await.unwrap();
    assert_conflict(&report.outcomes[0], "status canceled");
}

#[tokio::test]
async fn customer_on_other_terms_is_a_conflict() {
    let stage = Stage::start().await;
    let twipla = &stage.account_model;
    let prices = price_list(twipla).await.unwrap();
    let customer = |package| NewCustomer::new("c", "c@example.com").package(package);
    let create = |customer| twipla.bulk().create_customers([customer]);
    let package = prices[1].id;
    assert!(create(customer(package)).await.unwrap().is_complete());
    let report = create(customer(package)).await.unwrap();
    assert_conflict(&report.outcomes[0], "no website shows whether");

    let websites = twipla.websites();
    websites.create("c", "w", "example.com").await.unwrap();
    let with_website = |package| customer(package).website("w", "example.com");
    for same in [customer(package), with_website(package)] {
        let report = create(same).await.unwrap();
        assert!(
            matches!(report.outcomes[0], Outcome::Unchanged),
            "{report:?}"
        );
    }
    for other in [customer(prices[0].id), with_website(prices[0].id)] {
        let report = create(other).await.unwrap();
        assert_conflict(&report.outcomes[0], "by this customer on another package");
    }

    let subscription = twipla.customer("c").subscription();
    let upgrade = subscription.upgrade(prices[2].id).trial(true);
    upgrade.await.unwrap();
    let report = create(customer(prices[2].id)).await.unwrap();
    assert_conflict(&report.outcomes[0], "in a trial of Pro");
    subscription.cancel().await.unwrap();
    let report = create(customer(prices[2].id)).await.unwrap();
    assert_conflict(&report.outcomes[0], "status canceled");
}

fn assert_conflict<T: std::fmt::Debug>(outcome: &Outcome<T>, expected: &str) {
    let Outcome::Failed(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        error.is_conflict() && !error.is_ambiguous() && !error.exists_as_requested(),
        "{error}"
    );
    assert!(error.message().contains(expected), "{error}");
}
