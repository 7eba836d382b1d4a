//! Documents with an invalid value somewhere are rejected with the place, or corrected; they never cause a panic.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use xtask::canonical::{Names, canonical, current};
use xtask::document;
use xtask::layout::Layout;
use xtask::normalise::normalise;
use xtask::{operations, overlay, secrets};

/// The canonical form of the current version, and the same API as written by other tools.
static DOCUMENTS: LazyLock<Vec<(Value, Vec<String>)>> = LazyLock::new(|| {
    let file = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canonical");
        document::parse(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    [
        CURRENT.clone(),
        file("inline-30.json"),
        file("inline-31.json"),
    ]
    .into_iter()
    .map(|document| {
        let mut found = Vec::new();
        nodes(&document, "", &mut found);
        (document, found)
    })
    .collect()
});

static CURRENT: LazyLock<Value> = LazyLock::new(|| current(&Layout::here().unwrap()).unwrap().0);

/// Values that replace any other value.
static ODD: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let odd = json!([
        null, true, 3, -1, 1e300, "x", "", "self", [], [null], ["a"], [[]], [{}], {}, { "a": "b" }, { "": "" },
        { "$ref": "#/components/schemas/Website" }, { "$ref": "#/paths" }, { "$ref": "#" }, { "type": "string" },
        { "type": [] }, { "type": "array" }, { "properties": 3 }, { "enum": [] }, { "allOf": [{}] },
        { "oneOf": [{ "type": "string" }, { "type": "object" }] },
    ]);
    odd.as_array().unwrap().clone()
});

fn nodes(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    for (key, value) in document::fields(value) {
        nodes(value, &format!("{at}/{}", document::escape(key)), found);
    }
    for (index, value) in document::entries(value).iter().enumerate() {
        nodes(value, &format!("{at}/{index}"), found);
    }
}

/// Runs all steps except the generator, which is guarded.
fn road(document: &Value) -> Result<()> {
    let layout = Layout::here()?;
    let (form, _) = canonical(document.clone(), &Names::load(&layout)?, Some(&CURRENT))?;
    let contract = overlay::corrected(&layout, form)?;
    secrets::check(Some(&CURRENT), &contract)?;
    normalise(&contract)?;
    operations::generate(&contract)?;
    Ok(())
}

proptest! {
    // The same values in each run, so that an unrelated change does not hit a new failure by chance.
    #![proptest_config(ProptestConfig {
        cases: 48,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_odd_value_never_panics(document in 0..3_usize, at in any::<Index>(), odd in any::<Index>()) {
        let (document, nodes) = &DOCUMENTS[document];
        let mut document = document.clone();
        let at: &String = at.get(nodes);
        *document.pointer_mut(at).unwrap() = odd.get(&ODD).clone();
        let _ = road(&document);
    }
}

#[test]
fn invalid_value_is_rejected_with_its_place() {
    let packages = "/paths/~1v2~13as~1packages";
    for (at, odd) in [
        ("/servers".to_owned(), json!("x")),
        ("/components".to_owned(), json!([])),
        ("/components/securitySchemes".to_owned(), json!(3)),
        ("/components/schemas/Package".to_owned(), json!("x")),
        (packages.to_owned(), json!([])),
        (format!("{packages}/get"), json!("x")),
        (format!("{packages}/get/parameters"), json!({})),
        (format!("{packages}/get/responses/200"), json!([])),
        (format!("{packages}/get/responses/200/content"), json!(1)),
    ] {
        let mut document = CURRENT.clone();
        *document.pointer_mut(&at).unwrap() = odd;
        let error = format!("{:#}", road(&document).unwrap_err());
        assert!(error.contains(&at), "{error}\ndoes not say {at}");
    }
}
