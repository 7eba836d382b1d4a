//! Any id stays in its segment of the path and arrives unchanged.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use twipla::{ErrorKind, Twipla};
use twipla_sandbox::{RecordedRequest, Sandbox};
use twipla_tests::Stage;

/// Ids of 1 to 64 characters of any kind; half of them contain characters that have redirected requests.
fn id() -> impl Strategy<Value = String> {
    let hostile = proptest::sample::select(
        "./\\%?#&=+;:@~ 2eEfF5cC\0\t\r\n\u{7f}\u{85}\u{2028}\u{202e}\u{feff}e\u{301}😀"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop_oneof![
        proptest::collection::vec(any::<char>(), 1..=64),
        proptest::collection::vec(hostile.clone(), 1..=64),
        // Short ones, for `.` and `..` and similar ids.
        proptest::collection::vec(hostile, 1..=3),
    ]
    .prop_map(String::from_iter)
}

/// A separate decoder, so that a mistake of the encoder is not undone by the same mistake.
fn decode(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap();
            let (high, low) = (digit(), digit());
            bytes.push(u8::try_from(high * 16 + low).unwrap());
        } else {
            assert!(
                byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
                "{segment:?} holds what should be encoded"
            );
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns the parameters of a request, according to the template of its operation.
fn parameters(request: &RecordedRequest) -> Vec<String> {
    let operation = twipla_api::operations::ALL
        .iter()
        .find(|operation| Some(operation.id) == request.operation)
        .unwrap_or_else(|| panic!("{} leads to no operation", request.path));
    let template: Vec<_> = operation.path.split('/').collect();
    let path: Vec<_> = request.path.split('/').collect();
    assert_eq!(
        path.len(),
        template.len(),
        "{} as {}",
        request.path,
        operation.path
    );
    let mut found = Vec::new();
    for (got, want) in path.into_iter().zip(template) {
        if want.starts_with('{') {
            found.push(decode(got));
        } else {
            assert_eq!(got, want, "{} as {}", request.path, operation.path);
        }
    }
    found
}

/// Makes calls whose paths contain both ids, one of them, or none. Returns the results and the expected parameters.
async fn call_all(twipla: &Twipla, one: &str, two: &str) -> Vec<(twipla::Result<()>, Vec<String>)> {
    let (customer, website) = (twipla.customer(one), twipla.website(two));
    let of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    vec![
        (customer.get().await.map(drop), of(&[one])),
        (website.get().await.map(drop), of(&[two])),
        (website.subscription().cancel().await.map(drop), of(&[])),
        (website.contributors().list().await.map(drop), of(&[two])),
        (
            website.contributors().remove(one).await.map(drop),
            of(&[two, one]),
        ),
        (website.api_keys().list().await.map(drop), of(&[two])),
        (
            website.api_keys().delete(one).await.map(drop),
            of(&[two, one]),
        ),
        (
            website.whitelisted_domains().list().await.map(drop),
            of(&[two]),
        ),
    ]
}

fn refused(id: &str) -> bool {
    matches!(id, "." | "..")
}

async fn check(sandbox: &Sandbox, twipla: &Twipla, one: &str, two: &str) {
    sandbox.clear_requests();
    let made = twipla
        .customers()
        .create(one, "c@example.com")
        .website(two, "example.com")
        .await;
    if refused(one) || refused(two) {
        let error = made.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(sandbox.requests().is_empty(), "{one:?}, {two:?}");
    } else {
        let made = made.unwrap();
        assert_eq!(made.intp_customer_id, one);
        assert_eq!(made.website.unwrap().intp_website_id, two);
        // The sandbox finds by the path what it received in the body, so both were decoded equally.
        assert_eq!(
            twipla.customer(one).get().await.unwrap().intp_customer_id,
            one
        );
        assert_eq!(
            twipla.website(two).get().await.unwrap().intp_website_id,
            two
        );
        let of_one = twipla.websites().list().for_customer(one).await.unwrap();
        assert_eq!(of_one.items.len(), 1, "{one:?} as a query parameter");
    }

    sandbox.clear_requests();
    let calls = call_all(twipla, one, two).await;
    let mut requests = sandbox.requests().into_iter();
    for (result, ids) in calls {
        if let Err(error) = &result
            && error.kind() == ErrorKind::InvalidInput
        {
            assert_eq!(error.attempts(), 0, "{error}");
            // An id that is not part of the path may be the reason, as in a body.
            assert!(refused(one) || refused(two), "{one:?}, {two:?}: {error}");
            continue;
        }
        assert!(!ids.iter().any(|id| refused(id)), "{ids:?} went out");
        let request = requests.next().unwrap();
        if request.method != "GET" || !ids.is_empty() {
            assert_eq!(parameters(&request), ids, "{}", request.path);
        }
        assert_eq!(request.query, "", "{ids:?}");
    }
    assert!(requests.next().is_none(), "nothing else was sent");

    if !refused(one) && !refused(two) {
        // The next case starts without it.
        twipla.customer(one).delete().await.unwrap();
    }
}

#[test]
fn any_id_arrives_unchanged() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stage = runtime.block_on(Stage::start());
    let mut runner = TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    });
    runner
        .run(&(id(), id()), |(one, two)| {
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                runtime.block_on(check(&stage.sandbox, &stage.website_model, &one, &two));
            }));
            checked.map_err(|_| TestCaseError::fail(format!("{one:?}, {two:?}")))
        })
        .unwrap();
}

#[tokio::test]
async fn three_ids_that_no_path_can_contain_are_rejected() {
    let stage = Stage::start().await;
    for id in ["", ".", ".."] {
        for (result, _) in call_all(&stage.website_model, id, id).await {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{id:?}: {error}");
            assert_eq!(error.attempts(), 0);
        }
    }
    assert!(stage.sandbox.requests().is_empty());
}
