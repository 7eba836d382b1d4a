//! The facade passes every wire vector, the vectors fit the contract, and the program that checks bindings works.

mod facade;

use std::collections::BTreeSet;
use std::process::{Command, Output};

use serde_json::{Value, json};
use twipla_tests::replay::{self, Case, File, Player, Recorded, Signing, compare};

use crate::reference::document::Document;
use crate::reference::json_schema::Schemas;

fn files() -> Vec<File> {
    replay::load(&replay::folder()).unwrap()
}

fn contract() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/twipla-3as.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn facade_passes_every_vector() {
    let signing = Signing::new().await.unwrap();
    let player = Player::start().await.unwrap();
    let twipla = facade::client(&signing, &player.base_url());
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files() {
        for case in &file.cases {
            player.play(case);
            let answer = facade::answer(&twipla, case).await;
            let problems = compare(case, &player.recorded(), &answer, &signing);
            wrong.extend(
                problems
                    .iter()
                    .map(|problem| format!("{}/{}: {problem}", file.name, case.name)),
            );
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 150, "only {count} vectors");
}

#[test]
fn every_operation_has_its_file_and_every_file_its_operation() {
    let all: BTreeSet<&str> = twipla_api::operations::ALL
        .iter()
        .map(|operation| operation.id)
        .collect();
    let files = files();
    let found: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.operation.as_deref())
        .collect();
    assert_eq!(found, all);
    for file in &files {
        if let Some(operation) = &file.operation {
            assert_eq!(*operation, file.name);
            let called = |case: &Case| case.call["operation"] == *operation;
            assert!(file.cases.iter().all(called), "{operation}");
        }
        let names: BTreeSet<&str> = file.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), file.cases.len(), "{}: a name twice", file.name);
    }
}

#[test]
fn every_file_fits_the_schema_of_vectors() {
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(replay::folder().join(name)).unwrap())
            .unwrap()
    };
    let validator = jsonschema::validator_for(&read("schema.json")).unwrap();
    for file in files() {
        let folder = if file.operation.is_some() {
            "operations/"
        } else {
            ""
        };
        let document = read(&format!("{folder}{}.json", file.name));
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.name);
    }
}

/// The bodies of both directions, against the contract; those that are off it on purpose must not fit.
#[test]
fn every_body_fits_the_contract_or_says_why_not() {
    let contract = contract();
    for file in files() {
        for case in file.cases.iter().filter(|case| !case.exchanges.is_empty()) {
            let name = format!("{}/{}", file.name, case.name);
            let id = case.call["operation"].as_str().unwrap();
            let operation = operation(&contract, id);
            for exchange in &case.exchanges {
                let status = exchange.response.status;
                if !exchange.request.body.is_null() {
                    let at = "/requestBody/content/application~1json/schema";
                    fits(
                        &contract,
                        operation.pointer(at),
                        &exchange.request.body,
                        &name,
                    );
                }
                let schema = operation.pointer(&format!(
                    "/responses/{status}/content/application~1json/schema"
                ));
                let Some(body) = &exchange.response.body else {
                    continue;
                };
                if case.off_contract.is_none() && status < 300 {
                    fits(&contract, schema, body, &name);
                } else if status < 300 {
                    assert!(
                        errors(&contract, schema.unwrap(), body).is_some(),
                        "{name} is not off the contract"
                    );
                }
            }
        }
    }
}

fn operation<'a>(contract: &'a Value, id: &str) -> &'a Value {
    contract["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .find(|operation| operation["operationId"] == id)
        .unwrap_or_else(|| panic!("the contract has no operation {id}"))
}

#[track_caller]
fn fits(contract: &Value, schema: Option<&Value>, body: &Value, name: &str) {
    let schema = schema.unwrap_or_else(|| panic!("{name}: the contract has no such body"));
    assert_eq!(errors(contract, schema, body), None, "{name}: {body}");
}

fn errors(contract: &Value, schema: &Value, body: &Value) -> Option<String> {
    let document = Document {
        root: contract.clone(),
    };
    let violations = Schemas::of(&document).unwrap().violations(schema, body);
    let first = violations.unwrap().into_iter().next()?;
    Some(format!("{} at {}", first.message, first.pointer))
}

/// Whatever a binding does wrong, the comparison says so.
#[tokio::test]
async fn wrong_request_or_result_is_reported() {
    let signing = Signing::new().await.unwrap();
    let player = Player::start().await.unwrap();
    let twipla = facade::client(&signing, &player.base_url());
    let files = files();
    let find = |file: &str, name: &str| {
        let file = files.iter().find(|other| other.name == file).unwrap();
        file.cases
            .iter()
            .find(|case| case.name == name)
            .unwrap()
            .clone()
    };
    let case = find("create_api_key", "everything");
    player.play(&case);
    let answer = facade::answer(&twipla, &case).await;
    let sent = player.recorded();
    let told = |sent: &[Recorded], answer: &Value| compare(&case, sent, answer, &signing);
    assert_eq!(told(&sent, &answer), [""; 0]);

    let bend = |change: &dyn Fn(&mut Recorded)| {
        let mut sent = sent.clone();
        change(&mut sent[0]);
        told(&sent, &answer)
    };
    for (problems, reason) in [
        (told(&[], &answer), "0 requests were sent instead of 1"),
        (
            told(&[sent.clone(), sent.clone()].concat(), &answer),
            "2 requests",
        ),
        (
            bend(&|sent| sent.method = "PUT".to_owned()),
            "the method is PUT",
        ),
        (bend(&|sent| sent.path.push_str("/x")), "the path is"),
        (
            bend(&|sent| sent.path = sent.path.replace("/api-keys", "%2Fapi-keys")),
            "the path is",
        ),
        (
            bend(&|sent| sent.query = "debug=1".to_owned()),
            "the query is",
        ),
        (bend(&|sent| sent.body = "{}".into()), "the body is {}"),
        (
            bend(&|sent| sent.body = extra(&sent.body)),
            "\"debug\":true",
        ),
        (bend(&|sent| sent.body = "{".into()), "no JSON"),
        (
            bend(&|sent| sent.headers.retain(|(name, _)| name != "authorization")),
            "authorization is there 0 times",
        ),
        (
            bend(&|sent| forge(sent)),
            "not signed by the key of the partner",
        ),
        (told(&sent, &json!({"ok": {}})), "the result is {}"),
        (
            told(&sent, &json!({"error": {"status": 500}})),
            "no success",
        ),
    ] {
        assert!(
            problems.iter().any(|problem| problem.contains(reason)),
            "{reason}: {problems:?}"
        );
    }

    let case = find("errors", "too_many_requests");
    player.play(&case);
    let answer = facade::answer(&twipla, &case).await;
    let sent = player.recorded();
    for (key, value) in [
        ("status", json!(500)),
        ("status", Value::Null),
        ("message", json!("x")),
        ("retryAfter", json!(3)),
    ] {
        let mut wrong = answer.clone();
        wrong["error"][key] = value;
        let problems = compare(&case, &sent, &wrong, &signing);
        assert!(
            problems.iter().any(|problem| problem.contains(key)),
            "{key}: {problems:?}"
        );
    }
    let problems = compare(&case, &sent, &json!({"ok": null}), &signing);
    assert!(problems[0].contains("no failure"), "{problems:?}");
}

/// The body with a field that nobody asked for.
fn extra(body: &[u8]) -> bytes::Bytes {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    body["debug"] = json!(true);
    body.to_string().into()
}

/// Changes one character of the signature.
fn forge(sent: &mut Recorded) {
    for (_, value) in sent
        .headers
        .iter_mut()
        .filter(|(name, _)| name == "authorization")
    {
        let at = value.rfind('.').unwrap() + 5;
        let other = if value.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        value.replace_range(at..=at, other);
    }
}

#[test]
fn example_driver_passes_and_a_broken_one_does_not() {
    let driver = replay::folder().join("driver.py");
    let good = run(&[], driver.to_str().unwrap());
    let said = String::from_utf8_lossy(&good.stdout);
    assert_eq!(
        good.status.code(),
        Some(0),
        "{said} {}",
        String::from_utf8_lossy(&good.stderr)
    );
    assert!(said.ends_with(" passed, 0 failed\n"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.py");
    let text = std::fs::read_to_string(&driver).unwrap();
    let wrong = text.replace("quote(value, safe=\"\")", "value");
    assert_ne!(wrong, text);
    std::fs::write(&broken, wrong).unwrap();
    let bad = run(
        &["--only", "get_website/hostile_id"],
        broken.to_str().unwrap(),
    );
    let said = String::from_utf8_lossy(&bad.stdout);
    assert_ne!(bad.status.code(), Some(0), "{said}");

    std::fs::write(
        &broken,
        text.replace("\"intp_id\": PARTNER", "\"intp_id\": \"me\""),
    )
    .unwrap();
    let bad = run(&["--only", "get_website/plain"], broken.to_str().unwrap());
    let said = String::from_utf8_lossy(&bad.stdout);
    assert_eq!(bad.status.code(), Some(1), "{said}");
    assert!(
        said.contains("FAIL get_website/plain") && said.contains("is for the partner \"me\""),
        "{said}"
    );

    let none = run(&[], "/no/such/driver.py");
    assert_eq!(none.status.code(), Some(2));
}

fn run(arguments: &[&str], driver: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vectors"))
        .args(arguments)
        .args(["python3", driver])
        .output()
        .unwrap()
}
