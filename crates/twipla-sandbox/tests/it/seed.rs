//! Seeds.

use std::path::Path;

use serde_json::{Value, json};
use twipla_sandbox::Sandbox;

use crate::support::{Client, Folder, payload};

/// The example of the README.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/world.json");

#[tokio::test]
async fn example_seed_is_readable_over_http() {
    let sandbox = Sandbox::builder().seed(EXAMPLE).start().await.unwrap();
    let client = Client::new(&sandbox, sandbox.website_partner());
    let site = async |id: &str| payload(&client, &format!("/v2/3as/websites/{id}")).await;

    let company = payload(&client, "/v2/3as/company-details").await;
    assert_eq!(company["name"], "Example Hosting");
    let shop = site("shop").await;
    for (field, value) in [
        ("id", "7d6f3e0a-93a5-4a3c-8a55-0f2f8f3f7c11"),
        ("intpCustomerId", "cust-1"),
        ("domain", "shop.example.com"),
        ("packageName", "Pro"),
        ("plannedDowngradePackageName", "Basic"),
        ("status", "active"),
    ] {
        assert_eq!(shop[field], value, "{field}");
    }
    let trial = site("in-trial").await;
    assert_eq!(trial["inTrial"], true);
    let canceled = site("canceled").await;
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(canceled["billingInterval"], "yearly");
    assert!(
        canceled["expiresAt"]
            .as_str()
            .unwrap()
            .starts_with("2091-01-15"),
        "{canceled}"
    );
    assert_eq!(site("gone").await["status"], "inactive");
    assert_eq!(site("agency-site").await["packageName"], "Agency");

    let contributors = payload(&client, "/v3/3as/websites/shop/contributors").await;
    let editor = json!([{"intpCustomerId": "cust-2", "email": "agency@example.com"}]);
    assert_eq!(contributors["contributors"]["editor"], editor);
    let domains = payload(&client, "/v2/3as/websites/shop/whitelisted-domains").await;
    assert_eq!(domains, json!(["checkout.example.com"]));
    let keys = payload(&client, "/v2/3as/websites/shop/api-keys").await;
    assert_eq!(keys[0]["comment"], "read by the examples");
    let login = json!({"apiKey": "twpl-example-reports", "websiteId": shop["id"]});
    let login = client.post("/v2/3as/api-keys/login", &login).await.unwrap();
    assert_eq!(login.status(), 201);
    let agency = site("agency-site").await["packageId"].take();
    let path = format!("/v2/3as/packages/{}", agency.as_str().unwrap());
    let agency = payload(&client, &path).await;
    assert_eq!(agency["externalId"], "agency-1");
    assert_eq!(agency["restrictedTo"][0]["intpWebsiteId"], "agency-site");

    let client = Client::new(&sandbox, sandbox.account_partner());
    let pooled = payload(&client, "/v2/3as/websites/b").await;
    assert_eq!(pooled["packageName"], "Executive");

    assert!(
        sandbox.commits().is_empty(),
        "seeding is not a logged change"
    );
}

#[tokio::test]
async fn seed_of_the_readme_is_valid() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```json\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let folder = Folder::new("seed-readme");
    let seed: Value = serde_json::from_str(text).unwrap();
    let sandbox = started(&folder.0, &seed).await.unwrap();
    let client = Client::new(&sandbox, sandbox.website_partner());
    let site = payload(&client, "/v2/3as/websites/site-7").await;
    assert_eq!(site["packageName"], "Agency");
}

#[tokio::test]
async fn reset_restores_the_seed_and_a_state_takes_precedence() {
    let folder = Folder::new("seed");
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("state.json");
    let start = async || {
        let builder = Sandbox::builder().seed(EXAMPLE).state(&file);
        builder.start().await.unwrap()
    };
    let first = start().await;
    let seeded = first.snapshot();
    let client = Client::new(&first, first.website_partner());
    client.delete("/v2/3as/customers/cust-1").await.unwrap();
    let changed = first.snapshot();
    first.stop().await;

    let second = start().await;
    assert_eq!(second.snapshot(), changed);
    second.reset();
    // Ids of customers, keys and subscriptions are issued anew, and so are
    // times.
    let ids = |seen: &Value| {
        let sites = |partner: &Value| {
            let sites = partner["websites"].as_object().unwrap().clone();
            sites
                .into_iter()
                .map(|(id, site)| (id, site["id"].clone(), site["domain"].clone()))
                .collect::<Vec<_>>()
        };
        let partners = seen["partners"].as_array().unwrap();
        partners.iter().map(sites).collect::<Vec<_>>()
    };
    assert_eq!(ids(&second.snapshot()), ids(&seeded));
    assert_eq!(
        second.packages(second.website_partner().id()),
        first_packages(&seeded, &second)
    );
}

/// Returns the packages of the website partner in a snapshot.
fn first_packages(seen: &Value, sandbox: &Sandbox) -> Vec<(String, twipla_api::PackageId)> {
    let id = sandbox.website_partner().id().to_string();
    let partners = seen["partners"].as_array().unwrap();
    let partner = partners.iter().find(|partner| partner["id"] == id).unwrap();
    let packages = partner["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let id = package["id"].as_str().unwrap().parse().unwrap();
            (package["name"].as_str().unwrap().to_owned(), id)
        })
        .collect()
}

#[tokio::test]
async fn partner_with_an_unknown_id_is_added() {
    let folder = Folder::new("seed-partner");
    let id = "7128840a-5347-49a4-8dfa-9022d8dad21a";
    let sandbox = started(
        &folder.0,
        &json!({"partners": [{"id": id, "model": "account", "billingMode": "platform_managed"}]}),
    )
    .await
    .unwrap();
    let partner = sandbox.partners().last().unwrap().clone();
    assert_eq!(
        (sandbox.partners().len(), partner.id().to_string()),
        (3, id.to_owned())
    );
    let client = Client::new(&sandbox, partner);
    let company = payload(&client, "/v2/3as/company-details").await;
    assert_eq!(company["billingMode"], "platform_managed");
}

async fn started(folder: &Path, seed: &Value) -> Result<Sandbox, twipla_sandbox::Error> {
    std::fs::create_dir_all(folder).unwrap();
    let file = folder.join("seed.json");
    std::fs::write(&file, seed.to_string()).unwrap();
    Sandbox::builder().seed(file).start().await
}

#[tokio::test]
async fn invalid_seed_is_rejected_with_its_place() {
    let folder = Folder::new("impossible");
    let site = |rest: Value| {
        let mut site = json!({"intpWebsiteId": "w", "domain": "example.com"});
        site.as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        json!({"model": "website", "customers": [
            {"intpCustomerId": "c", "email": "c@example.com", "websites": [site]},
        ]})
    };
    let on = |subscription: Value| site(json!({ "subscription": subscription }));
    for (partner, expected) in [
        (json!({"model": "other"}), "unknown variant `other`"),
        (
            json!({"model": "website", "sites": []}),
            "unknown field `sites`",
        ),
        (
            json!({"model": "website", "customers": [{"intpCustomerId": "c", "email": "nobody"}]}),
            r#"customer "c": email must be an e-mail address"#,
        ),
        (
            json!({"model": "website", "packages": [
                {"name": "Pro", "touchpoints": 1, "price": 1, "currency": "EUR", "period": "monthly"},
            ]}),
            r#"package "Pro": there is one of this name"#,
        ),
        (
            json!({"model": "website", "packages": [
                {"name": "X", "touchpoints": 1, "price": 1, "currency": "BTC", "period": "monthly"},
            ]}),
            r#"package "X": currency is not one of"#,
        ),
        (
            json!({"model": "account", "customers": [{
                "intpCustomerId": "c", "email": "c@example.com",
                "subscription": {"package": "Pro", "status": "inactive"},
            }]}),
            "leave them out",
        ),
        (
            json!({"model": "website", "customers": [{
                "intpCustomerId": "c", "email": "c@example.com", "subscription": {"package": "Pro"},
            }]}),
            r#"subscription of customer "c": it has none under the website model"#,
        ),
        (
            on(json!({"package": "Plus"})),
            r#"website "w": package "Plus" not found"#,
        ),
        (
            on(json!({"package": "Basic", "plannedDowngrade": "Pro"})),
            "a downgrade needs a package with fewer touchpoints",
        ),
        (
            on(json!({"package": "Pro", "plannedDowngrade": "Basic", "status": "canceled"})),
            "only an active subscription",
        ),
        (
            site(json!({"contributors": {"nobody": "editor"}})),
            "customer nobody not found",
        ),
        (
            site(
                json!({"apiKeys": [{"name": "a", "apiKey": "twpl-1"}, {"name": "b", "apiKey": "twpl-1"}]}),
            ),
            r#"the apiKey of "b" is in use"#,
        ),
        (
            site(json!({"apiKeys": [{"name": "a", "apiKey": "twpl-\n1"}]})),
            r#"invalid apiKey of "a": expected ASCII"#,
        ),
        (
            json!({"model": "website", "billingMode": "nonsense"}),
            r#"invalid billingMode "nonsense": expected company_managed"#,
        ),
    ] {
        let seed = json!({ "partners": [partner] });
        let error = started(&folder.0, &seed).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(error.contains("seed.json"), "{error}");
        assert!(!error.contains("twpl-"), "{error}");
    }
    let twice = json!({"partners": [{"model": "website"}, {"model": "website"}]});
    let error = started(&folder.0, &twice).await.unwrap_err().to_string();
    assert!(error.contains("contains it twice"), "{error}");
    let missing = Sandbox::builder().seed("no-such-seed.json").start().await;
    let error = missing.unwrap_err().to_string();
    assert!(
        error.contains("no-such-seed.json: the file does not exist"),
        "{error}"
    );
}
