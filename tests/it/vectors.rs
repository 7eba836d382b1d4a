//! The facade passes every wire vector, the vectors fit the contract, and the program that checks bindings works.

mod facade;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use twipla::RetryPolicy;
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
    let mut wrong = Vec::new();
    let mut count = 0;
    for retry in [RetryPolicy::default(), RetryPolicy::none()] {
        let twipla = facade::client(&signing, &player, retry);
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
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 600, "only {count} vectors");
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

/// Validates the bodies of both directions against the contract. Those that deviate on purpose must not be valid.
#[test]
fn every_body_fits_the_contract_or_deviates_on_purpose() {
    let contract = contract();
    for file in files() {
        for case in file.cases.iter().filter(|case| !case.exchanges.is_empty()) {
            let name = format!("{}/{}", file.name, case.name);
            let id = case.call["operation"].as_str().unwrap();
            let operation = operation(&contract, id);
            for exchange in &case.exchanges {
                if !exchange.request.body.is_null() {
                    let at = "/requestBody/content/application~1json/schema";
                    let schema = operation
                        .pointer(at)
                        .unwrap_or_else(|| panic!("{name}: the contract has no body"));
                    let found = errors(&contract, schema, &exchange.request.body);
                    assert_eq!(found, None, "{name}");
                }
            }
            let off: Vec<String> = case
                .exchanges
                .iter()
                .filter_map(|exchange| off_contract(&contract, operation, &exchange.response))
                .collect();
            match &case.off_contract {
                None => assert!(off.is_empty(), "{name}: {off:#?}"),
                Some(_) => assert!(!off.is_empty(), "{name} is not off the contract"),
            }
        }
    }
}

/// Returns how a success deviates from the contract. Its status may be any 2xx, because few are certain.
fn off_contract(
    contract: &Value,
    operation: &Value,
    response: &replay::Response,
) -> Option<String> {
    if response.status >= 300 {
        return None;
    }
    if let Some(text) = &response.text {
        return Some(format!("{text:?} is not JSON"));
    }
    let body = response.body.as_ref()?;
    let schema = operation["responses"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(status, _)| status.starts_with('2'))
        .find_map(|(_, response)| response.pointer("/content/application~1json/schema"));
    match schema {
        Some(schema) => errors(contract, schema, body),
        None => Some("the contract has no body".to_owned()),
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

fn errors(contract: &Value, schema: &Value, body: &Value) -> Option<String> {
    let document = Document {
        root: contract.clone(),
    };
    let violations = Schemas::of(&document).unwrap().violations(schema, body);
    let first = violations.unwrap().into_iter().next()?;
    Some(format!("{} at {}", first.message, first.pointer))
}

/// Every mistake of a binding is reported by the comparison.
#[tokio::test]
async fn wrong_request_or_result_is_reported() {
    let signing = Signing::new().await.unwrap();
    let player = Player::start().await.unwrap();
    let twipla = facade::client(&signing, &player, RetryPolicy::none());
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
        (bend(&|sent| sent.body = "{".into()), "not valid JSON"),
        (
            bend(&|sent| sent.headers.retain(|(name, _)| name != "authorization")),
            "authorization occurs 0 times",
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

    let case = find("waits", "read_429_for_an_hour");
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

/// Adds a field to the body that is not expected.
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
    let good = run(&["python3", driver.to_str().unwrap()]);
    assert_eq!(good.code, Some(0), "{}", good.said);
    let (topics, sum) = good.said.trim_end().rsplit_once('\n').unwrap();
    assert!(sum.ends_with(" passed, 0 failed"), "{}", good.said);
    for topic in ["operations", "retries", "tokens"] {
        assert!(topics.contains(topic), "{}", good.said);
    }

    let case = "get_website/hostile_id";
    let mut broken = vec!["--only".to_owned(), case.to_owned()];
    broken.extend(replay::mistaken("slash_not_encoded"));
    let bad = run(&broken);
    assert_eq!(bad.code, Some(1), "{}", bad.said);
    assert!(bad.said.contains(&format!("FAIL {case}")), "{}", bad.said);
    assert!(bad.said.contains("the path is"), "{}", bad.said);

    let none = run(&["/no/such/driver"]);
    assert_eq!(none.code, Some(2), "{}", none.said);
}

/// A driver that exits or hangs is reported with its case, and the run continues.
#[test]
fn driver_that_exits_or_hangs_fails_only_that_case() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("driver.py");
    let text = "import json, sys, time
for line in sys.stdin:
    name = json.loads(line)['case']
    if name == 'customer': sys.exit(3)
    if name == 'customer_with_an_odd_id': time.sleep(60)
    print('{\"ok\": null}', flush=True)
";
    std::fs::write(&script, text).unwrap();
    let script = script.to_str().unwrap();
    let said = run(&["--patience", "1", "--only", "o", "python3", script]).said;
    let failures: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("driver"))
        .collect();
    assert_eq!(
        failures,
        [
            "     the driver exited with exit status: 3 before it answered",
            "     the driver hangs: no answer within 1 s",
        ],
        "{said}"
    );
    let last = |name: &str| said.find(&format!("FAIL {name}")).unwrap();
    assert!(last("tokens/customer:") < last("tokens/customer_with_an_odd_id:"));
    assert!(
        last("tokens/customer_with_an_odd_id:") < last("waits/"),
        "{said}"
    );
}

#[test]
fn driver_that_exits_or_hangs_on_its_first_case_is_reported_with_it() {
    for (mistake, reason) in [
        ("sys.exit(3)", "the driver exited with exit status: 3"),
        ("time.sleep(60)", "the driver hangs: no answer within 1 s"),
    ] {
        let script = format!("import sys, time; sys.stdin.readline(); {mistake}");
        let only = ["--patience", "1", "--only", "tokens/customer"];
        let told = run(&[&only[..], &["python3", "-c", &script]].concat());
        assert_eq!(told.code, Some(1), "{}", told.said);
        for name in ["customer", "customer_with_an_odd_id"] {
            let failure = format!("FAIL tokens/{name}: ");
            assert!(told.said.contains(&failure), "{}", told.said);
        }
        assert_eq!(told.said.matches(reason).count(), 2, "{}", told.said);
    }
}

#[test]
fn cases_are_listed_and_chosen_by_name() {
    let all = run(&["--list"]);
    assert_eq!(all.code, Some(0), "{}", all.said);
    let count: usize = files().iter().map(|file| file.cases.len()).sum();
    assert_eq!(all.said.lines().count(), count);
    let some = run(&["--list", "--only", "tokens/partner"]).said;
    assert_eq!(some, "tokens/partner: the token of every management call\n");
    let none = run(&["--list", "--only", "no such case"]);
    assert_eq!(none.code, Some(2), "{}", none.said);
}

/// `.ci/vectors` runs all of them, which takes minutes; these are the ones that would cost money or data.
#[test]
fn dangerous_mistakes_are_caught() {
    for name in [
        "retry_post_after_500",
        "retry_after_400",
        "no_wait_after_429",
        "waits_at_most_half_a_second",
        "redirects_are_followed",
        "api_key_with_everything",
        "empty_id_sent",
        "no_paging_by_default",
        "create_needs_a_body",
    ] {
        let found = run(&["--mutants", "--only", name]);
        assert_eq!(found.code, Some(0), "{}", found.said);
        assert!(
            found.said.contains("1 of 1 mistakes caught"),
            "{}",
            found.said
        );
    }
}

#[test]
fn readmes_count_the_mistakes() {
    let mistakes = replay::mistakes().unwrap();
    let names: BTreeSet<&str> = mistakes.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), mistakes.len(), "a name twice");
    for readme in ["vectors/README.md", "../README.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(readme);
        let text = std::fs::read_to_string(path).unwrap();
        let count = format!("{} mistakes", mistakes.len());
        assert!(text.contains(&count), "{readme} does not say {count:?}");
    }
}

struct Said {
    code: Option<i32>,
    said: String,
}

fn run(arguments: &[impl AsRef<std::ffi::OsStr>]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_vectors"))
        .args(arguments)
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        said: String::from_utf8(output.stdout).unwrap(),
    }
}
