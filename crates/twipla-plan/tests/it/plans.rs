//! The contents of a plan, and the result of applying it.

use twipla::types::{BillingInterval, Currency, PackageVisibility};
use twipla_plan::{Plan, Planner, Shard};
use twipla_sandbox::Model;

use crate::support::{Stage, contributor, customer, text, website};

#[tokio::test]
async fn applied_plan_leaves_nothing_to_do() {
    let stage = Stage::start().await;
    let mut site = website("w1", "Pro");
    site.whitelisted_domains = Some(vec!["shop.example.com".to_owned()]);
    site.contributors = Some(vec![contributor("d", "editor")]);
    let wanted = [
        customer("c", vec![site, website("w2", "")]),
        customer("d", vec![website("w3", "Basic")]),
    ];
    let plan = stage.plan(&wanted).await;
    assert_eq!(plan.summary().actions, 7);
    let report = stage.apply(&plan).run().await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.progress.done, 7);
    let now = stage.snapshot();
    assert_eq!(
        now["websites"]["w1"]["whitelistedDomains"][0],
        "shop.example.com"
    );
    assert_eq!(now["websites"]["w1"]["contributors"]["d"], "editor");
    assert!(stage.plan(&wanted).await.summary().is_empty());
}

#[tokio::test]
async fn subscription_changes_are_counted_priced_and_listed() {
    let stage = Stage::start().await;
    stage
        .reach(&[customer(
            "c",
            vec![
                website("up", "Basic"),
                website("down", "Pro"),
                website("end", "Pro yearly"),
            ],
        )])
        .await;
    let mut canceled = website("end", "");
    canceled.canceled = true;
    let wanted = [customer(
        "c",
        vec![website("up", "Pro"), website("down", "Basic"), canceled],
    )];
    let plan = stage.plan(&wanted).await;
    let summary = plan.summary();
    assert_eq!(
        (summary.upgrades, summary.downgrades, summary.cancellations),
        (1, 1, 1)
    );
    // 39.99 - 12.99, the same in reverse, and a year of 383.88.
    assert_eq!(summary.price.of("EUR").to_string(), "-31.99");
    let shown = text(&plan);
    assert!(
        shown.contains("~ upgrade website up from Basic to Pro"),
        "{shown}"
    );
    let own = shown.split_once("Downgrades and cancellations:").unwrap().1;
    assert!(
        own.contains("c: downgrade website down from Pro to Basic at the end"),
        "{own}"
    );
    assert!(own.contains("c: cancel website end on Pro yearly"), "{own}");
    assert!(own.contains("-31.99 EUR"), "{own}");

    assert!(stage.apply(&plan).run().await.unwrap().is_complete());
    assert!(stage.plan(&wanted).await.summary().is_empty());
    // A cancellation is revoked by asking for the package.
    let back = [customer("c", vec![website("end", "Pro yearly")])];
    let plan = stage.plan(&back).await;
    assert_eq!(plan.summary().resumes, 1);
    assert_eq!(plan.summary().price.of("EUR").to_string(), "31.99");
}

#[tokio::test]
async fn account_is_moved_to_its_package() {
    let stage = Stage::of(Model::Account).await;
    let with = |package: &str| {
        let mut wanted = customer("c", vec![website("w1", ""), website("w2", "")]);
        wanted.package = Some(package.to_owned());
        [wanted]
    };
    stage.reach(&with("Basic")).await;
    assert_eq!(stage.commits("create_customer"), 1);
    assert_eq!(
        stage.commits("create_website"),
        1,
        "the first came with the customer"
    );
    let mut canceled = with("Basic");
    (canceled[0].package, canceled[0].canceled) = (None, true);
    stage.reach(&canceled).await;
    assert!(stage.plan(&canceled).await.summary().is_empty());
    // A canceled account cannot be upgraded: it is resumed first.
    let plan = stage.plan(&with("Pro")).await;
    assert_eq!((plan.summary().resumes, plan.summary().upgrades), (1, 1));
    assert_eq!(plan.summary().price.of("EUR").to_string(), "39.99");
    assert!(stage.apply(&plan).run().await.unwrap().is_complete());
    assert!(stage.plan(&with("Pro")).await.summary().is_empty());
}

#[tokio::test]
async fn account_without_a_website_gets_its_package_once_there_is_one() {
    let stage = Stage::of(Model::Account).await;
    stage.reach(&[customer("c", Vec::new())]).await;
    let mut wanted = customer("c", vec![website("w", "")]);
    wanted.package = Some("Pro".to_owned());
    let plan = stage.plan(&[wanted.clone()]).await;
    assert_eq!(plan.summary().undecided, 1);
    assert!(text(&plan).contains("warning: no website shows the package of customer c"));
    assert!(stage.apply(&plan).run().await.unwrap().is_complete());
    assert_eq!(stage.commits("upgrade_intpc_subscription"), 1);
    assert!(stage.plan(&[wanted]).await.summary().is_empty());
}

#[tokio::test]
async fn changes_that_the_api_cannot_make_are_problems() {
    let stage = Stage::start().await;
    stage
        .reach(&[
            customer("c", vec![website("w", "Pro"), website("gone", "Basic")]),
            customer("d", Vec::new()),
        ])
        .await;
    let w = stage.twipla.website("w");
    w.subscription().downgrade(stage.id("Basic")).await.unwrap();
    stage
        .twipla
        .website("gone")
        .subscription()
        .deactivate()
        .await
        .unwrap();
    let mut changed = customer("c", vec![website("w", "Pro"), website("gone", "Basic")]);
    changed.email = "new@example.com".to_owned();
    changed.websites[0].domain = "new.example.com".to_owned();
    let wanted = [changed, customer("d", vec![website("w2", "Pro")])];
    let plan = stage.plan(&wanted).await;
    assert_eq!(plan.summary().problems, 4);
    assert_eq!(plan.summary().created_websites, 1);
    let shown = text(&plan);
    for problem in [
        "! cannot change the e-mail address to new@example.com",
        "! cannot change the domain of website w to new.example.com",
        "! website w: cannot stay on Pro: a downgrade to Basic is planned",
        "! cannot use website gone: it is inactive",
    ] {
        assert!(shown.contains(problem), "{problem}: {shown}");
    }
    let other = [customer("d", vec![website("w", "Pro")])];
    let plan = stage.plan(&other).await;
    assert!(plan.summary().is_empty());
    assert!(text(&plan).contains("! cannot create website w: it exists and belongs to another"));
}

#[tokio::test]
async fn prune_deletes_first_what_is_not_in_the_file() {
    let stage = Stage::start().await;
    let mut site = website("w", "Pro");
    site.whitelisted_domains = Some(vec!["a.example.com".to_owned(), "b.example.com".to_owned()]);
    site.contributors = Some(vec![
        contributor("d", "editor"),
        contributor("e", "watcher"),
    ]);
    let before = [
        customer("c", vec![site, website("old", "Basic")]),
        customer("d", Vec::new()),
        customer("e", vec![website("theirs", "Basic")]),
    ];
    stage.reach(&before).await;
    let mut site = website("w", "Pro");
    site.whitelisted_domains = Some(vec!["b.example.com".to_owned()]);
    site.contributors = Some(vec![contributor("f", "dashboard")]);
    // The new customer has the e-mail address of a deleted one.
    let mut new = customer("f", Vec::new());
    new.email = "e@example.com".to_owned();
    let wanted = [customer("c", vec![site]), customer("d", Vec::new()), new];
    let plan = stage.prune(&wanted).await;
    let summary = plan.summary();
    assert_eq!(
        (summary.deleted_customers, summary.deleted_websites),
        (1, 2)
    );
    assert_eq!((summary.removed_domains, summary.removed_roles), (1, 2));
    assert_eq!(summary.price.of("EUR").to_string(), "-25.98");
    let report = stage.apply(&plan).force(true).run().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    let now = stage.snapshot();
    assert_eq!(now["customers"].as_object().unwrap().len(), 3);
    assert_eq!(now["websites"].as_object().unwrap().len(), 1);
    assert_eq!(
        now["websites"]["w"]["whitelistedDomains"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        now["websites"]["w"]["contributors"],
        serde_json::json!({"f": "dashboard"})
    );
    assert!(stage.prune(&wanted).await.summary().is_empty());
}

#[tokio::test]
async fn shards_share_a_file_without_overlap() {
    let stage = Stage::start().await;
    let wanted: Vec<_> = (0..40)
        .map(|n| customer(&format!("c{n}"), vec![website(&format!("w{n}"), "Basic")]))
        .collect();
    // Customers who are not in the file, for the deletions.
    let extra: Vec<_> = (0..8)
        .map(|n| customer(&format!("x{n}"), Vec::new()))
        .collect();
    stage.reach(&extra).await;
    let mut customers = 0;
    for n in 0..3 {
        let shard: Shard = format!("{n}/3").parse().unwrap();
        let planner = Planner::new(&stage.twipla).shard(shard).prune(true);
        let plan = stage.plan_with(&planner, &wanted).await;
        for customer in plan.customers().unwrap() {
            assert!(shard.has(customer.unwrap().customer.as_str()));
        }
        customers += plan.summary().created_customers;
        assert!(plan.summary().created_customers > 0);
        let apply = stage.apply(&plan).force(true);
        assert!(apply.run().await.unwrap().is_complete());
        std::fs::remove_file(stage.path("plan.journal")).unwrap();
    }
    assert_eq!(customers, 40);
    assert_eq!(stage.commits("create_website"), 40);
    assert_eq!(stage.commits("delete_customer"), 8);
    assert!(stage.prune(&wanted).await.summary().is_empty());
}

#[tokio::test]
async fn modified_plan_file_is_rejected() {
    let stage = Stage::start().await;
    let plan = stage
        .plan(&[customer("c", vec![website("w", "Pro")])])
        .await;
    let again = Plan::open(plan.path()).unwrap();
    assert_eq!(again.summary(), plan.summary());
    assert_eq!(again.header(), plan.header());
    assert_eq!(again.id(), plan.id());
    assert_eq!(text(&again), text(&plan));

    let whole = std::fs::read_to_string(plan.path()).unwrap();
    for (changed, says) in [
        (String::new(), "expected a plan"),
        ("{}\n".to_owned(), "expected a plan"),
        (
            whole.replace("\"twipla_plan\":1", "\"twipla_plan\":2"),
            "it has version 2, expected 1",
        ),
        (
            whole.replace("w.example.com", "v.example.com"),
            "changed after it was written",
        ),
        (
            whole[..whole.len() - 10].to_owned(),
            "its last line is missing",
        ),
        (
            whole.lines().next().unwrap().to_owned() + "\n",
            "its last line is missing",
        ),
    ] {
        let path = stage.file("other.json", &changed);
        let error = Plan::open(path).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn text_of_a_plan_is_escaped_and_can_be_shortened() {
    let stage = Stage::start().await;
    let mut odd = customer("c\u{1b}[31m", vec![website("w\u{202e}", "Pro")]);
    odd.email = "odd@example.com".to_owned();
    let wanted = [odd, customer("d", Vec::new()), customer("e", Vec::new())];
    let plan = stage.plan(&wanted).await;
    let shown = text(&plan);
    assert!(
        shown.contains("c\\u{1b}[31m") && shown.contains("w\\u{202e}"),
        "{shown}"
    );
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
    let mut short = Vec::new();
    plan.write_text(&mut short, Some(1)).unwrap();
    let short = String::from_utf8(short).unwrap();
    assert!(short.contains("... and 2 customers more"), "{short}");
    assert!(short.contains("4 actions for 3 customers"), "{short}");
}

#[tokio::test]
async fn readme_shows_the_text_of_a_plan() {
    let stage = Stage::start().await;
    let sites = vec![
        website("site-1", "Basic"),
        website("site-2", "Pro"),
        website("site-3", ""),
    ];
    stage
        .reach(&[customer("cust-1", sites), customer("cust-3", Vec::new())])
        .await;
    let mut larger = website("site-1", "Pro");
    larger.whitelisted_domains = Some(vec!["shop.example.com".to_owned()]);
    larger.contributors = Some(vec![contributor("cust-2", "editor")]);
    let wanted = [
        customer("cust-1", vec![larger, website("site-2", "Basic")]),
        customer("cust-2", vec![website("site-4", "Pro yearly")]),
    ];
    let shown = text(&stage.prune(&wanted).await);
    // The first line contains the time.
    let rest = shown.split_once("\n\n").unwrap().1;
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(rest),
        "the README does not have this: {rest}"
    );
}

#[tokio::test]
async fn plan_can_be_made_in_a_spawned_task() {
    let stage = Stage::start().await;
    let (twipla, path) = (stage.twipla.clone(), stage.path("plan.json"));
    let wanted = vec![customer("c", vec![website("w", "Pro")])];
    let task = tokio::spawn(async move {
        let wanted = twipla_plan::Wanted::from_customers(wanted);
        Planner::new(&twipla).plan(&wanted, path).await
    });
    assert_eq!(task.await.unwrap().unwrap().summary().actions, 2);
}

#[tokio::test]
async fn contributor_may_be_a_customer_who_is_not_deleted() {
    let stage = Stage::start().await;
    stage.reach(&[customer("d", Vec::new())]).await;
    let mut site = website("w", "");
    site.contributors = Some(vec![contributor("d", "editor")]);
    let wanted = [customer("c", vec![site])];
    stage.reach(&wanted).await;
    assert_eq!(
        stage.snapshot()["websites"]["w"]["contributors"]["d"],
        "editor"
    );
    let wanted = twipla_plan::Wanted::from_customers(wanted.to_vec());
    let planner = Planner::new(&stage.twipla).prune(true);
    let error = planner
        .plan(&wanted, stage.path("plan.json"))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("and `prune` deletes customers that are not"),
        "{error}"
    );
}

#[tokio::test]
async fn changes_that_the_server_may_reject_are_warnings() {
    let id = twipla::uuid::Uuid::from_u128(7);
    let managed = twipla_sandbox::PartnerConfig::new(id, Model::Website)
        .billing_mode("platform_managed".parse().unwrap());
    let sandbox = twipla_sandbox::Sandbox::builder()
        .partner(managed)
        .start()
        .await
        .unwrap();
    let partner = sandbox.partners()[2].clone();
    let twipla = crate::support::client(
        sandbox.base_url(),
        &partner.id().to_string(),
        partner.private_key_pem(),
    );
    let stage = Stage {
        partner,
        twipla,
        ..Stage::start().await
    };
    stage
        .twipla
        .packages()
        .create(
            "Custom 75k",
            75_000,
            39.9,
            Currency::Eur,
            BillingInterval::Monthly,
        )
        .visibility(PackageVisibility::Restricted)
        .await
        .unwrap();
    let wanted = |package: &str| [customer("c", vec![website("w", package)])];
    let restricted = stage.plan(&wanted("Custom 75k")).await;
    let warnings = &restricted.summary().warnings;
    assert_eq!(
        *warnings,
        ["the package Custom 75k is not assigned to w: the server will reject it"]
    );
    stage.reach(&wanted("Basic")).await;
    let plan = stage.plan(&wanted("Pro")).await;
    assert!(
        plan.summary().warnings[0].contains("TWIPLA does the billing"),
        "{}",
        text(&plan)
    );
}
