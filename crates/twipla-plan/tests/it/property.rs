//! From any state to any wanted state: whatever faults occur in between, a plan
//! that is applied to its end leaves nothing to do, and nothing is done twice.

use std::collections::HashSet;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use twipla::{PrivateKey, RetryPolicy, Twipla};
use twipla_plan::{Apply, Planner, Wanted, WantedCustomer, WantedWebsite};
use twipla_sandbox::{Fault, FaultKind, Model, Sandbox};

use crate::support::{Stage, assert_nothing_doubled, contributor, customer, website};

/// More cases take longer: these take seconds.
const CASES: u64 = 10;
const PACKAGES: [&str; 5] = ["Free", "Basic", "Basic yearly", "Pro", "Executive"];
const CUSTOMERS: usize = 6;
const WEBSITES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn any_wanted_state_is_reached_despite_faults_website_model() {
    for seed in seeds() {
        reach(Model::Website, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_wanted_state_is_reached_despite_faults_account_model() {
    for seed in seeds() {
        reach(Model::Account, seed).await;
    }
}

/// Returns the seeds to try, such as those of `TWIPLA_PLAN_SEEDS=1000..2000`.
fn seeds() -> std::ops::Range<u64> {
    let Ok(seeds) = std::env::var("TWIPLA_PLAN_SEEDS") else {
        return 0..CASES;
    };
    let (from, to) = seeds.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

async fn reach(model: Model, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let stage = Stage::of(model).await;
    start_somewhere(&stage, model, &mut random).await;
    let wanted = any_state(model, &mut random);
    let prune = random.bool();
    let planner = Planner::new(&stage.twipla).prune(prune);
    let plan = stage.plan_with(&planner, &wanted).await;
    let problems = problems(&plan);

    stage.sandbox.clear_commits();
    inject(&stage.sandbox, &mut random);
    let twipla = impatient(&stage);
    let mut rounds = 0;
    loop {
        rounds += 1;
        let apply = Apply::new(&twipla, &plan, stage.path("plan.journal"));
        let in_flight = random.usize(1..6);
        // If the very first call gets a fault, there is an error and no report.
        if let Ok(report) = apply.in_flight(in_flight).force(true).run().await {
            assert_eq!(report.progress.moved, 0, "seed {seed}: {report:?}");
            if report.is_complete() {
                break;
            }
            assert!(rounds < 100, "seed {seed} does not end: {report:?}");
        }
    }
    while stage.sandbox.faults().pending_commits > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stage.sandbox.clear_faults();
    assert_nothing_doubled(&stage.sandbox);
    assert_as_wanted(&stage.snapshot(), &wanted, &problems, prune, seed);
    let again = stage.plan_with(&planner, &wanted).await;
    assert!(
        again.summary().is_empty(),
        "seed {seed}: {}",
        crate::support::text(&again)
    );
    assert_eq!(problems, self::problems(&again), "seed {seed}");
}

/// Creates a state that no plan led to: some subscriptions are canceled, about to be downgraded, or ended.
async fn start_somewhere(stage: &Stage, model: Model, random: &mut Rng) {
    let before = any_state(model, random);
    let wanted = Wanted::from_customers(before.clone());
    let plan = Planner::new(&stage.twipla)
        .plan(&wanted, stage.path("plan.json"))
        .await
        .unwrap();
    let journal = stage.path("first.journal");
    let report = Apply::new(&stage.twipla, &plan, journal)
        .run()
        .await
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    // It does not matter if the server rejects some of this.
    for customer in &before {
        let account = stage.twipla.customer(&customer.id).subscription();
        let sites = customer.websites.iter();
        let sites = sites.map(|site| stage.twipla.website(&site.id).subscription());
        match model {
            Model::Account => match random.u8(0..4) {
                0 => drop(account.cancel().await),
                1 => drop(account.downgrade(stage.id("Basic")).await),
                _ => {}
            },
            Model::Website => {
                for site in sites {
                    match random.u8(0..6) {
                        0 => drop(site.cancel().await),
                        1 => drop(site.downgrade(stage.id("Basic")).await),
                        2 => drop(site.deactivate().await),
                        _ => {}
                    }
                }
            }
        }
    }
}

fn any_state(model: Model, random: &mut Rng) -> Vec<WantedCustomer> {
    let mut customers: Vec<_> = (0..CUSTOMERS)
        .filter(|_| random.u8(0..3) > 0)
        .map(|n| customer(&format!("c{n}"), Vec::new()))
        .collect();
    if customers.is_empty() {
        return customers;
    }
    for n in 0..WEBSITES {
        // Under the account model, the create of a customer without a website may stay ambiguous:
        // nothing shows its package. So there, nobody wants a website of another customer.
        let owner = match model {
            Model::Website => Some(random.usize(0..customers.len())),
            Model::Account => {
                let id = format!("c{}", n % CUSTOMERS);
                customers.iter().position(|customer| customer.id == id)
            }
        };
        if let Some(owner) = owner.filter(|_| random.bool()) {
            let site = any_website(&format!("w{n}"), model, owner, &customers, random);
            customers[owner].websites.push(site);
        }
    }
    if model == Model::Account {
        // Nothing shows the package of an account without a website.
        for customer in customers
            .iter_mut()
            .filter(|customer| !customer.websites.is_empty())
        {
            (customer.package, customer.canceled) = any_subscription(random);
        }
    }
    customers
}

fn any_website(
    id: &str,
    model: Model,
    owner: usize,
    customers: &[WantedCustomer],
    random: &mut Rng,
) -> WantedWebsite {
    let mut site = website(id, "");
    if model == Model::Website {
        (site.package, site.canceled) = any_subscription(random);
    }
    if random.bool() {
        let domains = (0..3).filter(|_| random.bool());
        site.whitelisted_domains = Some(domains.map(|n| format!("d{n}.example.com")).collect());
    }
    if random.bool() {
        let others = customers.iter().enumerate().filter(|(n, _)| *n != owner);
        let some: Vec<_> = others.filter(|_| random.u8(0..3) == 0).collect();
        let roles = ["editor", "watcher", "dashboard"];
        let some = some.iter().map(|(_, other)| {
            let role = random.choice(roles).unwrap();
            contributor(&other.id, role)
        });
        site.contributors = Some(some.collect());
    }
    site
}

fn any_subscription(random: &mut Rng) -> (Option<String>, bool) {
    match random.u8(0..6) {
        0 => (None, true),
        1 => (None, false),
        _ => (random.choice(PACKAGES).map(str::to_owned), false),
    }
}

/// Injects faults of every kind that the sandbox has.
fn inject(sandbox: &Sandbox, random: &mut Rng) {
    let status = |code, headers: &[(&str, &str)]| FaultKind::Status {
        code,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: "{}".to_owned(),
    };
    let mut add = |fault: Fault, probability: f64| {
        sandbox.inject(fault.probability(probability, random.u64(..)));
    };
    add(Fault::new(FaultKind::ResetBeforeCommit), 0.05);
    add(Fault::new(FaultKind::ResetAfterCommit), 0.08);
    add(
        Fault::new(FaultKind::LateCommit(Duration::from_millis(20))),
        0.04,
    );
    add(
        Fault::new(FaultKind::CommitAfterHangUp(Duration::from_millis(5))),
        0.01,
    );
    add(
        Fault::new(FaultKind::Gateway(502)).before_or_after_commit(),
        0.05,
    );
    add(Fault::new(status(500, &[])).before_or_after_commit(), 0.03);
    add(Fault::new(status(429, &[("retry-after", "0")])), 0.03);
    add(Fault::new(status(503, &[("retry-after", "0")])), 0.03);
    add(Fault::new(FaultKind::TruncatedBody), 0.03);
    add(Fault::new(FaultKind::HtmlBody), 0.03);
    add(Fault::new(FaultKind::EmptyBody), 0.02);
    add(Fault::new(FaultKind::NoContent), 0.02);
    add(Fault::new(FaultKind::InvalidJson), 0.02);
    add(Fault::new(FaultKind::ExpiredToken), 0.01);
}

fn impatient(stage: &Stage) -> Twipla {
    let key = PrivateKey::from_pem(stage.partner.private_key_pem()).unwrap();
    let retry = RetryPolicy::default()
        .max_attempts(2)
        .base_delay(Duration::from_millis(1));
    Twipla::builder()
        .partner(stage.partner.id(), key)
        .base_url(stage.sandbox.base_url())
        .attempt_timeout(Duration::from_millis(300))
        .timeout(Duration::from_secs(2))
        .retry(retry)
        .build()
        .unwrap()
}

fn problems(plan: &twipla_plan::Plan) -> Vec<(String, String)> {
    let customers = plan.customers().unwrap().map(Result::unwrap);
    let problems = customers.flat_map(|plan| {
        let customer = plan.customer.to_string();
        plan.problems
            .into_iter()
            .map(move |problem| (customer.clone(), problem))
    });
    problems.collect()
}

/// Compares the sandbox with the wanted state, independently of the crate's code.
fn assert_as_wanted(
    now: &Value,
    wanted: &[WantedCustomer],
    problems: &[(String, String)],
    prune: bool,
    seed: u64,
) {
    let packages = now["packages"].as_array().unwrap();
    let name = |id: &Value| {
        let package = packages.iter().find(|package| package["id"] == *id);
        package.map(|package| package["name"].as_str().unwrap().to_owned())
    };
    let is_on = |subscription: &Value, package: Option<&String>, canceled: bool| {
        let (on, planned) = (
            name(&subscription["packageId"]),
            name(&subscription["plannedDowngradePackageId"]),
        );
        let lasting = planned.clone().or(on.clone());
        match package {
            // A canceled subscription falls back to the free package.
            _ if canceled => {
                lasting.as_deref() == Some("Free")
                    || lasting.as_deref() == Some("unlimited_30_day_free_trial")
            }
            Some(package) => lasting.as_ref() == Some(package),
            None => true,
        }
    };
    for customer in wanted {
        let shown = &now["customers"][&customer.id];
        assert_eq!(shown["email"], customer.email, "seed {seed}");
        let has_problem = problems.iter().any(|(id, _)| *id == customer.id);
        if has_problem {
            continue;
        }
        if !shown["subscription"].is_null() {
            let (package, canceled) = (customer.package.as_ref(), customer.canceled);
            assert!(
                is_on(&shown["subscription"], package, canceled),
                "seed {seed}: {customer:?} {shown}"
            );
        }
        for site in &customer.websites {
            let shown = &now["websites"][&site.id];
            assert_eq!(
                shown["intpCustomerId"], customer.id,
                "seed {seed}: {}",
                site.id
            );
            assert_eq!(shown["domain"], site.domain, "seed {seed}");
            if !shown["subscription"].is_null() {
                assert!(
                    is_on(&shown["subscription"], site.package.as_ref(), site.canceled),
                    "seed {seed}: {site:?} {shown}"
                );
            }
            let domains: HashSet<_> = shown["whitelistedDomains"]
                .as_array()
                .unwrap()
                .iter()
                .map(|domain| domain.as_str().unwrap().to_owned())
                .collect();
            if let Some(listed) = &site.whitelisted_domains {
                let listed: HashSet<_> = listed.iter().cloned().collect();
                assert!(domains.is_superset(&listed), "seed {seed}");
                assert!(!prune || domains == listed, "seed {seed}");
            }
            let roles = shown["contributors"].as_object().unwrap();
            if let Some(listed) = &site.contributors {
                for contributor in listed {
                    let role = roles.get(&contributor.customer);
                    let role = role.and_then(Value::as_str);
                    assert_eq!(
                        role,
                        Some(contributor.role.as_str()),
                        "seed {seed}: {site:?}"
                    );
                }
                assert!(!prune || roles.len() == listed.len(), "seed {seed}");
            }
        }
    }
    if prune {
        assert_eq!(
            now["customers"].as_object().unwrap().len(),
            wanted.len(),
            "seed {seed}"
        );
        let sites = wanted.iter().flat_map(|customer| &customer.websites);
        let listed: HashSet<_> = sites.map(|site| site.id.as_str()).collect();
        for (id, site) in now["websites"].as_object().unwrap() {
            let is_gone = site["subscription"]["status"] == "inactive";
            assert!(is_gone || listed.contains(id.as_str()), "seed {seed}: {id}");
        }
    }
}
