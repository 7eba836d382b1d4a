//! Rules for which the real server's behaviour is not known.

use serde_json::{Value, json};

use twipla_api::PackageId;
use twipla_sandbox::Sandbox;

use crate::support::Client;

#[tokio::test]
async fn second_trial_is_an_upgrade_without_a_trial() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox, sandbox.account_partner());
    let packages = sandbox.packages(sandbox.account_partner().id());
    let id_of = |name: &str| packages.iter().find(|(known, _)| known == name).unwrap().1;
    let customer = json!({"intpCustomerId": "c", "email": "c@example.com"});
    let created = client.post("/v2/3as/customers", &customer).await.unwrap();
    assert_eq!(created.status(), 201);

    let upgrade = async |package: PackageId| {
        let body = json!({"intpcId": "c", "packageId": package, "trial": true});
        let path = "/v3/3as/intpc-subscriptions/upgrade";
        let response = client.post(path, &body).await.unwrap();
        assert_eq!(response.status(), 201);
        response.json::<Value>().await.unwrap()["payload"].take()
    };

    let first = upgrade(id_of("Basic")).await;
    assert_eq!(
        (&first["inTrial"], &first["hadTrial"]),
        (&json!(true), &json!(true))
    );
    let second = upgrade(id_of("Pro")).await;
    assert_eq!(second["packageId"], id_of("Pro").to_string());
    assert_eq!(
        (&second["inTrial"], &second["hadTrial"]),
        (&json!(false), &json!(true))
    );
}
