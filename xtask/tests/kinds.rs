//! Kinds of changes that a vendor may make to its document, and their outcome: each works, or is rejected with the place
//! and a remedy. None panics, and none silently disables authentication, secrecy or openness.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every function here serves a test"
)]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::needless_pass_by_value,
    reason = "a table of one change each"
)]

#[path = "kinds/calls.rs"]
mod calls;
#[path = "kinds/change.rs"]
mod change;
#[path = "kinds/compiled.rs"]
mod compiled;
#[path = "support/folder.rs"]
mod folder;
#[path = "kinds/names.rs"]
mod names;
#[path = "kinds/values.rs"]
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;
use std::thread;

use heck::ToSnakeCase as _;
use serde_json::{Value, json};
use xtask::canonical::{Names, canonical, current};
use xtask::document;
use xtask::generate::generate;
use xtask::layout::Layout;
use xtask::normalise::{self, normalise};
use xtask::{operations, overlay, secrets};

use self::change::Kind;

/// Returns every kind, in the order of the table.
fn kinds() -> Vec<Kind> {
    [values::KINDS, calls::KINDS, names::KINDS].concat()
}

/// The result of a change: the generated files, and what the client leaves out.
struct Client {
    /// Types, requests and operations.
    files: [String; 3],
    without: Vec<String>,
}

/// The outcome of every kind, in the order of the table, computed once for all tests.
static OUTCOMES: LazyLock<Vec<(&str, anyhow::Result<Client>)>> = LazyLock::new(|| {
    let base = Base::new();
    let outcomes = |kinds: &[Kind]| -> Vec<_> {
        let outcome = |(name, change): &Kind| (*name, base.client(*change));
        kinds.iter().map(outcome).collect()
    };
    let kinds = kinds();
    let (first, second) = kinds.split_at(kinds.len() / 2);
    thread::scope(|scope| {
        let first = scope.spawn(|| outcomes(first));
        let second = outcomes(second);
        let mut all = first.join().unwrap();
        all.extend(second);
        all
    })
});

/// The starting point of every change.
struct Base {
    layout: Layout,
    names: Names,
    /// The canonical form of the current version.
    current: Value,
    /// The committed contract.
    contract: Value,
    /// The authentication of its operations, and which responses are secret.
    guards: BTreeMap<String, String>,
}

impl Base {
    fn new() -> Self {
        let layout = Layout::here().unwrap();
        let contract = document::parse(&fs::read(layout.contract()).unwrap()).unwrap();
        Self {
            guards: guards(&operations::generate(&contract).unwrap()),
            names: Names::load(&layout).unwrap(),
            current: current(&layout).unwrap().0,
            contract,
            layout,
        }
    }

    /// Generates the client after a change.
    fn client(&self, change: fn(&mut Value)) -> anyhow::Result<Client> {
        let mut document = self.current.clone();
        document["info"]["version"] = json!("3.1.0");
        change(&mut document);
        let (form, _) = canonical(document.clone(), &self.names, Some(&self.current))?;
        let contract = overlay::corrected(&self.layout, form)?;
        secrets::check(Some(&self.contract), &contract)?;
        let (prepared, rewrites) = normalise(&contract)?;
        let client = generate(&prepared)?;
        let without = rewrites
            .iter()
            .filter(|rewrite| {
                matches!(
                    rewrite.kind,
                    normalise::Kind::LeftOut | normalise::Kind::Choice
                )
            })
            .map(ToString::to_string)
            .collect();
        let table = operations::generate(&contract)?;
        Ok(Client {
            files: [client.types, client.requests, table],
            without,
        })
    }

    /// Checks that authentication, secrecy and openness did not change silently.
    fn keeps(&self, name: &str, [types, _, table]: &[String; 3]) {
        assert!(
            !types.contains("deny_unknown_fields"),
            "{name}: a reply with a new field would be refused"
        );
        let now = guards(table);
        for (id, guard) in &self.guards {
            assert_eq!(now.get(id), Some(guard), "{name}: {id}");
        }
    }
}

/// Returns the authentication of each operation, and whether its response is secret.
fn guards(table: &str) -> BTreeMap<String, String> {
    let of = |entry: &str, key: &str| {
        let line = entry.lines().find_map(|line| line.trim().strip_prefix(key));
        line.unwrap_or_default().to_owned()
    };
    table
        .split("pub const ")
        .filter(|entry| entry.contains("    id: "))
        .map(|entry| {
            let guard = of(entry, "auth:") + &of(entry, "secret_response:");
            (of(entry, "id:"), guard)
        })
        .collect()
}

#[test]
fn every_kind_works_or_is_rejected() {
    let base = Base::new();
    let mut table = vec![
        "| change | what happens |".to_owned(),
        "|---|---|".to_owned(),
    ];
    for (name, outcome) in OUTCOMES.iter() {
        let what = match outcome {
            Ok(client) => {
                base.keeps(name, &client.files);
                let without: Vec<String> = client
                    .without
                    .iter()
                    .map(|text| format!("; {text}"))
                    .collect();
                format!("works{}", without.concat())
            }
            Err(error) => format!("{error:#}").replace('\n', "<br>"),
        };
        table.push(format!("| {name} | {what} |"));
    }
    insta::assert_snapshot!("kinds", table.join("\n"));
}

#[test]
fn every_kind_that_works_compiles() {
    let kinds: Vec<(String, &[String; 3])> = OUTCOMES
        .iter()
        .filter_map(|(name, outcome)| {
            let name = name.to_snake_case();
            let name = name.replace(|c| !char::is_alphanumeric(c), "_");
            Some((format!("kind_{name}"), &outcome.as_ref().ok()?.files))
        })
        .collect();
    if let Err(said) = compiled::compile(&Layout::here().unwrap(), &kinds) {
        panic!("{said}");
    }
}
