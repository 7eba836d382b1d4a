//! The wanted state in each format, and invalid files.

use twipla_plan::{Planner, Wanted};

use crate::support::{Stage, text};

fn example(name: &str) -> Wanted {
    Wanted::open(format!(
        "{}/examples/wanted/{name}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

#[tokio::test]
async fn each_format_gives_the_same_state() {
    let stage = Stage::start().await;
    let mut plans = Vec::new();
    for name in [
        "customers.toml",
        "customers.yaml",
        "customers.json",
        "customers.csv",
    ] {
        let planner = Planner::new(&stage.twipla);
        let plan = planner
            .plan(&example(name), stage.path("plan.json"))
            .await
            .unwrap();
        assert_eq!(plan.summary().created_customers, 3, "{name}");
        assert_eq!(plan.summary().created_websites, 3, "{name}");
        assert_eq!(
            plan.summary().price.of("EUR").to_string(),
            "39.99",
            "{name}"
        );
        plans.push(text(&plan).split_once('\n').unwrap().1.to_owned());
    }
    for other in &plans[1..] {
        assert_eq!(*other, plans[0]);
    }
}

#[tokio::test]
async fn errors_in_a_file_name_the_location() {
    let stage = Stage::start().await;
    for (name, content, says) in [
        (
            "a.txt",
            "",
            "expected a name that ends in .toml, .yaml, .json or .csv",
        ),
        (
            "a.toml",
            "[[customers]]\nid = \"c\"\n",
            "missing field `email`",
        ),
        (
            "a.toml",
            "[[customers]]\nid = \"c\"\nemial = \"c@x.y\"\n",
            "unknown field `emial`",
        ),
        (
            "a.json",
            r#"{"customers": [{"id": 7}]}"#,
            "at customers[0].id",
        ),
        ("a.json", r#"{"customers": []} {}"#, "trailing characters"),
        (
            "a.yaml",
            "customers:\n  - id: c\n    email: c@x.y\n    packge: Pro\n",
            "packge",
        ),
        ("a.csv", "customer;email\n", "with commas between them"),
        ("a.csv", "customer,email,web\n", "unknown column \"web\""),
        ("a.csv", "customer\nc\n", "missing column \"email\""),
        (
            "a.csv",
            "customer,email,email\n",
            "duplicate column \"email\"",
        ),
        ("a.csv", "customer,email\nc\n", "record"),
        (
            "a.csv",
            "customer,email,website,domain,canceled\nc,c@x.y,w,x.y,yes\n",
            "line 2: invalid canceled \"yes\"",
        ),
        (
            "a.csv",
            "customer,email,website\nc,c@x.y,w\n",
            "missing domain of website \"w\"",
        ),
        (
            "a.csv",
            "customer,email,domain\nc,c@x.y,x.y\n",
            "domain is set, but no website",
        ),
        (
            "a.csv",
            "customer,email\nc,c@x.y\nd,d@x.y\nc,c@x.y\n",
            "list all of their websites together",
        ),
        (
            "a.csv",
            "customer,email,website,domain\nc,c@x.y,w,x.y\nc,other@x.y,v,x.y\n",
            "line 3: the columns of customer \"c\" differ",
        ),
        (
            "a.csv",
            "customer,email,website,domain,contributors\nc,c@x.y,w,x.y,d\n",
            "invalid contributor \"d\"",
        ),
        (
            "a.csv",
            "customer,email,website,domain,contributors\nc,c@x.y,w,x.y,d:boss\n",
            "invalid role \"boss\"",
        ),
    ] {
        let path = stage.file(name, content);
        let error = Wanted::open(path)
            .and_then(|wanted| wanted.check())
            .unwrap_err();
        assert!(error.to_string().contains(says), "{content:?}: {error}");
        assert!(error.to_string().contains(name), "{content:?}: {error}");
    }
    assert!(stage.sandbox.requests().is_empty());
}

#[tokio::test]
async fn invalid_values_are_rejected_before_anything_is_sent() {
    let stage = Stage::start().await;
    let site = |fields: &str| {
        format!(
            "[[customers]]\nid=\"c\"\nemail=\"c@x.y\"\n[[customers.websites]]\nid=\"w\"\ndomain=\"x.y\"\n{fields}\n"
        )
    };
    for (content, says) in [
        (
            "[[customers]]\nid=\"..\"\nemail=\"c@x.y\"\n".to_owned(),
            "customer id",
        ),
        (
            "[[customers]]\nid=\"c\"\nemail=\"c\"\n".to_owned(),
            "invalid e-mail address \"c\"",
        ),
        (
            "[[customers]]\nid=\"c\"\nemail=\"c@x.y\"\n[[customers]]\nid=\"d\"\nemail=\"C@x.y\"\n"
                .to_owned(),
            "duplicate e-mail address",
        ),
        (
            site("package = \"Pro\"\ncanceled = true"),
            "exclude each other",
        ),
        (site("package = \" \""), "invalid package"),
        (
            site("whitelisted_domains = [\"a b\"]"),
            "invalid domain \"a b\"",
        ),
        (
            site("whitelisted_domains = [\"a.b\", \"https://A.b/\"]"),
            "duplicate domain",
        ),
        (
            site("contributors = [{ customer = \"c\", role = \"editor\" }]"),
            "its owner",
        ),
        (
            site("contributors = [{ customer = \"d\", role = \"boss\" }]"),
            "invalid role \"boss\"",
        ),
        (
            site("[[customers.websites]]\nid=\"w\"\ndomain=\"x.y\""),
            "already listed here",
        ),
        (
            site(
                "[[customers]]\nid=\"d\"\nemail=\"d@x.y\"\n[[customers.websites]]\nid=\"w\"\ndomain=\"x.y\"",
            ),
            "under another customer",
        ),
    ] {
        let wanted = Wanted::open(stage.file("a.toml", &content)).unwrap();
        let planner = Planner::new(&stage.twipla);
        let error = planner
            .plan(&wanted, stage.path("plan.json"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(says), "{content:?}: {error}");
        assert!(stage.sandbox.requests().is_empty());
    }
    assert!(!stage.path("plan.json").exists());
}

#[tokio::test]
async fn unknown_names_are_rejected_before_anything_is_sent() {
    let stage = Stage::start().await;
    for (content, says) in [
        (
            "c,c@x.y,w,x.y,Por,",
            "package \"Por\" is not known: expected one of",
        ),
        (
            "c,c@x.y,w,x.y,7128840a-5347-49a4-8dfa-9022d8dad21a,",
            "is not known: expected one of",
        ),
        ("c,c@x.y,w,x.y,unlimited_30_day_free_trial,", "free trial"),
        (
            "c,c@x.y,w,x.y,Pro,d:watcher",
            "the contributor \"d\" is not in the file",
        ),
    ] {
        let content = format!("customer,email,website,domain,package,contributors\n{content}\n");
        let wanted = Wanted::open(stage.file("a.csv", &content)).unwrap();
        let planner = Planner::new(&stage.twipla);
        let error = planner
            .plan(&wanted, stage.path("plan.json"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(says), "{content:?}: {error}");
    }
    assert!(stage.sandbox.commits().is_empty());
}

#[tokio::test]
async fn package_is_given_by_name_in_any_case_or_by_uuid() {
    let stage = Stage::start().await;
    let packages = stage.sandbox.packages(stage.partner.id());
    let (_, pro) = packages.iter().find(|(name, _)| name == "Pro").unwrap();
    let content = format!(
        "\u{feff}customer,email,website,domain,package\nc,c@x.y,w,x.y,pRo\nc,,v,v.y,{pro}\n"
    );
    let wanted = Wanted::open(stage.file("a.csv", &content)).unwrap();
    let plan = Planner::new(&stage.twipla)
        .plan(&wanted, stage.path("plan.json"))
        .await
        .unwrap();
    assert_eq!(plan.summary().price.of("EUR").to_string(), "79.98");
}

#[tokio::test]
async fn package_must_be_set_where_the_model_has_it() {
    let websites = Stage::start().await;
    let accounts = Stage::of(twipla_sandbox::Model::Account).await;
    for (stage, content, says) in [
        (
            &websites,
            "customer,email,customer_package\nc,c@x.y,Pro\n",
            "website model",
        ),
        (
            &accounts,
            "customer,email,website,domain,package\nc,c@x.y,w,x.y,Pro\n",
            "account model",
        ),
    ] {
        let wanted = Wanted::open(stage.file("a.csv", content)).unwrap();
        let planner = Planner::new(&stage.twipla);
        let error = planner
            .plan(&wanted, stage.path("plan.json"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn manifest_runs_every_shard() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kubernetes.yaml");
    let manifest = std::fs::read_to_string(path).unwrap();
    let job: serde_json::Value = serde_saphyr::from_str(&manifest).unwrap();
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let script = container["args"][0].as_str().unwrap();
    let shard = format!(
        "--shard \"$JOB_COMPLETION_INDEX/{}\"",
        job["spec"]["completions"]
    );
    assert!(script.contains(&shard), "{script}");
}
