//! Kinds of changes that a vendor may make to its document, and what becomes of each: it works, or is refused with the
//! place and the remedy. None panics, and none switches off authentication, secrecy or openness in silence.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::needless_pass_by_value,
    reason = "a table of one change each"
)]

#[path = "kinds/calls.rs"]
mod calls;
#[path = "kinds/change.rs"]
mod change;
#[path = "support/folder.rs"]
mod folder;
#[path = "kinds/names.rs"]
mod names;
#[path = "kinds/values.rs"]
mod values;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
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
use self::folder::copy_folder;

/// Every kind, in the order of the table.
fn kinds() -> Vec<Kind> {
    [values::KINDS, calls::KINDS, names::KINDS].concat()
}

/// Kinds that are compiled in one go.
const AT_ONCE: usize = 30;

/// What every change starts from.
struct Base {
    layout: Layout,
    names: Names,
    /// The canonical form of the current version.
    current: Value,
    /// The contract as it is committed.
    contract: Value,
    /// How its operations are authenticated, and which replies are secret.
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

    /// The generated files after a change: types, requests and operations; and what the client does without.
    fn files(&self, change: fn(&mut Value)) -> anyhow::Result<([String; 3], Vec<String>)> {
        let mut document = self.current.clone();
        document["info"]["version"] = json!("3.1.0");
        change(&mut document);
        let (form, _) = canonical(&document, &self.names, Some(&self.current))?;
        let contract = overlay::corrected(&self.layout, form)?;
        secrets::check(Some(&self.contract), &contract)?;
        let (prepared, rewrites) = normalise(&contract)?;
        let client = generate(&prepared)?;
        let without = rewrites
            .iter()
            .filter(|rewrite| rewrite.kind == normalise::Kind::LeftOut)
            .map(ToString::to_string)
            .collect();
        let table = operations::generate(&contract)?;
        Ok(([client.types, client.requests, table], without))
    }

    /// Neither authentication nor secrecy nor openness changed without a refusal.
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

/// How each operation is authenticated, and whether its reply is secret.
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
fn every_kind_works_or_is_refused() {
    let base = Base::new();
    let rows = |kinds: &[Kind]| -> Vec<String> {
        let row = |(name, change): &Kind| match base.files(*change) {
            Ok((files, without)) => {
                base.keeps(name, &files);
                let without: Vec<String> = without.iter().map(|text| format!("; {text}")).collect();
                let without = without.concat();
                format!("| {name} | works{without} |")
            }
            Err(error) => format!(
                "| {name} | {} |",
                format!("{error:#}").replace('\n', "<br>")
            ),
        };
        kinds.iter().map(row).collect()
    };
    let kinds = kinds();
    let half = kinds.len() / 2;
    let mut table = vec![
        "| change | what happens |".to_owned(),
        "|---|---|".to_owned(),
    ];
    thread::scope(|scope| {
        let first = scope.spawn(|| rows(&kinds[..half]));
        let second = rows(&kinds[half..]);
        table.extend(first.join().unwrap());
        table.extend(second);
    });
    insta::assert_snapshot!("kinds", table.join("\n"));
}

#[test]
#[ignore = "compiles a client for each kind: the README names the command"]
fn every_kind_that_works_compiles() {
    let base = Base::new();
    let layout = &base.layout;
    let folder = tempfile::tempdir().unwrap();
    let manifest = fs::read_to_string(layout.root().join("Cargo.toml")).unwrap();
    let mut manifest: toml_edit::DocumentMut = manifest.parse().unwrap();
    for key in ["members", "default-members"] {
        let only = toml_edit::Array::from_iter(["crates/twipla-api"]);
        manifest["workspace"][key] = toml_edit::value(only);
    }
    fs::write(folder.path().join("Cargo.toml"), manifest.to_string()).unwrap();
    fs::copy(
        layout.root().join("Cargo.lock"),
        folder.path().join("Cargo.lock"),
    )
    .unwrap();
    copy_folder(
        &layout.root().join("crates/twipla-api"),
        &folder.path().join("crates/twipla-api"),
    );
    let copy = Layout::at(folder.path());
    let generated = copy.generated("mod");
    let generated_before = fs::read_to_string(&generated).unwrap();
    // A module for each kind, some at a time: one compiler run for all of them would need gigabytes.
    for kinds in kinds().chunks(AT_ONCE) {
        let mut modules = generated_before.clone();
        for (name, change) in kinds {
            let Ok((files, _)) = base.files(*change) else {
                continue;
            };
            let module = name
                .to_snake_case()
                .replace(|c| !char::is_alphanumeric(c), "_");
            write!(modules, "#[allow(missing_docs)]\npub mod kind_{module};\n").unwrap();
            let kind = generated.with_file_name(format!("kind_{module}"));
            fs::create_dir_all(&kind).unwrap();
            fs::write(
                kind.join("mod.rs"),
                "pub mod operations;\npub mod requests;\npub mod types;\n",
            )
            .unwrap();
            for (file, text) in ["types", "requests", "operations"].iter().zip(files) {
                fs::write(kind.join(file).with_extension("rs"), text).unwrap();
            }
        }
        fs::write(&generated, modules).unwrap();
        let result = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--all-features"])
            .args(["-p", "twipla-api"])
            .current_dir(folder.path())
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&result.stderr);
        assert!(result.status.success(), "{said}");
    }
}
