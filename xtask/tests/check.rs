//! `cargo xtask regen --check` on a copy of what it reads and writes.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

#[path = "support/folder.rs"]
mod folder;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use xtask::diff::command::{self, RulesFormat};
use xtask::diff::rules::rules;
use xtask::layout::{self, Layout};
use xtask::lock::Lock;
use xtask::regen::{self, Mode};

use self::folder::copy_folder;

/// A copy of the contract, with the generated files next to it.
fn copy() -> (tempfile::TempDir, Layout) {
    let real = Layout::here().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::at(folder.path());
    copy_folder(&real.openapi(), &layout.openapi());
    fs::create_dir_all(layout.generated("requests").parent().unwrap()).unwrap();
    fs::copy(real.client_readme(), layout.client_readme()).unwrap();
    assert!(regen::run(&layout, Mode::Write, false).unwrap());
    (folder, layout)
}

#[test]
fn check_passes_after_regen_and_fails_after_an_edit() {
    let (_folder, layout) = copy();
    assert!(regen::run(&layout, Mode::Check, false).unwrap());
    for path in [
        layout.contract(),
        layout.generated("types"),
        layout.generated("requests"),
        layout.generated("operations"),
        layout.rules(),
    ] {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.clone() + "\n").unwrap();
        assert!(
            !regen::run(&layout, Mode::Check, false).unwrap(),
            "{}",
            path.display()
        );
        fs::write(&path, text).unwrap();
    }
    for path in [layout.contract_readme(), layout.client_readme()] {
        let readme = fs::read_to_string(&path).unwrap();
        fs::write(&path, readme.replacen("`get_website`", "`got_website`", 1)).unwrap();
        assert!(
            !regen::run(&layout, Mode::Check, false).unwrap(),
            "the table of {}",
            path.display()
        );
        fs::write(&path, readme).unwrap();
    }
    fs::remove_file(layout.generated("requests")).unwrap();
    assert!(!regen::run(&layout, Mode::Check, false).unwrap());
    assert!(
        !layout.generated("requests").exists(),
        "a check writes nothing"
    );
}

#[test]
fn edited_version_is_rejected() {
    let (_folder, layout) = copy();
    let lock = Lock::load(&layout).unwrap();
    let file = &lock.version(&lock.current).unwrap().file;
    let path = layout.openapi().join(file);
    fs::write(&path, fs::read_to_string(&path).unwrap() + "\n").unwrap();
    let error = format!("{:#}", regen::run(&layout, Mode::Write, false).unwrap_err());
    assert!(
        error.starts_with(&format!(
            "openapi/{file} does not match openapi/openapi.lock"
        )),
        "{error}"
    );
    assert!(
        error.contains("corrections belong into openapi/overlays"),
        "{error}"
    );
}

#[test]
fn overlay_that_matches_nothing_is_named() {
    let (_folder, layout) = copy();
    let overlay = r#"{ "overlay": "1.0.0", "info": { "title": "t", "version": "1" },
        "actions": [{ "target": "$.paths['/gone']", "description": "d", "remove": true }] }"#;
    fs::write(layout.openapi().join("overlays/99-test.json"), overlay).unwrap();
    let error = format!("{:#}", regen::run(&layout, Mode::Write, false).unwrap_err());
    assert!(error.starts_with("openapi/overlays/99-test.json: action 0, target $.paths['/gone']: the target matches nothing"), "{error}");
}

/// Adds an overlay and returns the error of regen.
fn regen_with(layout: &Layout, actions: &Value) -> String {
    let overlay = json!({
        "overlay": "1.0.0",
        "info": { "title": "t", "version": "1" },
        "actions": actions,
    });
    let path = layout.openapi().join("overlays/99-test.json");
    fs::write(&path, overlay.to_string()).unwrap();
    let error = format!("{:#}", regen::run(layout, Mode::Write, false).unwrap_err());
    fs::remove_file(path).unwrap();
    error
}

#[test]
fn failed_actions_are_reported_with_reason_and_nearest_target() {
    let (_folder, layout) = copy();
    let error = regen_with(
        &layout,
        &json!([
            { "target": "$.components.schemas.Websit.properties", "description": "first", "update": {} },
            { "target": "$.components.schemas['Website','LoginRequest'].properties", "description": "second",
              "update": {} },
        ]),
    );
    for want in [
        "2 actions cannot be applied",
        "openapi/overlays/99-test.json: action 0, target $.components.schemas.Websit.properties",
        "the nearest is $.components.schemas['Website']",
        "because: first",
        "$.components.schemas['LoginRequest'].properties matches nothing",
        "because: second",
    ] {
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
}

#[test]
fn action_that_adds_what_the_document_has_is_rejected() {
    let (_folder, layout) = copy();
    let operation = json!({ "operationId": "again", "responses": {} });
    let page = json!([{ "name": "page", "in": "query", "schema": { "type": "number" } }]);
    let error = regen_with(
        &layout,
        &json!([
            { "target": "$.paths['/v2/3as/packages']", "description": "d", "update": { "get": operation } },
            { "target": "$.paths['/v2/3as/customers'].get", "description": "d", "update": { "parameters": page } },
        ]),
    );
    for want in [
        "has the operation at",
        "openapi/names.toml",
        "already has \"page\"",
    ] {
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
}

#[test]
fn action_without_an_effect_is_superfluous() {
    let (_folder, layout) = copy();
    assert_eq!(
        regen::outputs(&layout).unwrap().superfluous,
        Vec::<String>::new()
    );
    let overlay = json!({
        "overlay": "1.0.0",
        "info": { "title": "t", "version": "1" },
        "actions": [{
            "target": "$.components.schemas.Website.properties.domain",
            "description": "The page did not say so.",
            "update": { "type": "string", "x-provenance": { "basis": "sdk", "source": "test" } },
        }],
    });
    fs::write(
        layout.openapi().join("overlays/99-test.json"),
        overlay.to_string(),
    )
    .unwrap();
    let superfluous = regen::outputs(&layout).unwrap().superfluous;
    assert_eq!(superfluous.len(), 1, "{superfluous:?}");
    assert!(
        superfluous[0].contains("99-test.json: action 0"),
        "{superfluous:?}"
    );
}

#[test]
fn secret_that_lost_its_mark_is_rejected_and_nothing_is_written() {
    let (_folder, layout) = copy();
    let path = layout.openapi().join("overlays/20-observed-fields.json");
    let text = fs::read_to_string(&path).unwrap();
    let types = fs::read_to_string(layout.generated("types")).unwrap();
    fs::write(
        &path,
        text.replace("\"x-secret\": true", "\"x-note\": true"),
    )
    .unwrap();
    let error = format!("{:#}", regen::run(&layout, Mode::Write, false).unwrap_err());
    for want in [
        "/components/schemas/LoginWithApiKeyRequest/properties/apiKey: was secret",
        "POST /v2/3as/api-keys/login response payload refreshToken: was secret",
    ] {
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
    assert_eq!(
        fs::read_to_string(layout.generated("types")).unwrap(),
        types
    );
}

#[test]
fn unmarked_secrets_are_reported_together_with_other_problems() {
    let (_folder, layout) = copy();
    let error = regen_with(
        &layout,
        &json!([{
            "target": "$.components.schemas.Website.properties", "description": "d",
            "update": { "apiToken": { "type": "string" }, "list": { "type": "array" } },
        }]),
    );
    for want in [
        "properties/apiToken: looks like a secret",
        "an array has no items",
    ] {
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
}

#[test]
fn either_all_files_are_written_or_none() {
    let (_folder, layout) = copy();
    let path = layout.generated("types");
    fs::write(&path, "before").unwrap();
    let changelog = fs::read_to_string(layout.changelog()).unwrap();
    fs::write(layout.changelog(), changelog + "old").unwrap();
    // The client does not compile, because there is no workspace around it.
    let manifest = layout.root().join("crates/twipla-api/Cargo.toml");
    fs::write(manifest, "[package]\nname = \"twipla-api\"\n").unwrap();
    let error = format!("{:#}", regen::run(&layout, Mode::Write, false).unwrap_err());
    assert!(
        error.contains("nothing was changed") && error.contains("does not compile"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    // An interrupted run left everything written: the next one compiles it.
    let outputs = regen::outputs(&layout).unwrap();
    for output in outputs.files {
        fs::write(output.path, output.text).unwrap();
    }
    let error = format!("{:#}", regen::run(&layout, Mode::Write, false).unwrap_err());
    assert!(error.contains("does not compile"), "{error}");
    fs::write(&path, "before").unwrap();
    fs::write(layout.changelog(), "old").unwrap();
    assert!(
        fs::read_to_string(layout.changelog())
            .unwrap()
            .ends_with("old")
    );
}

#[test]
fn files_are_replaced_atomically() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for text in ["a longer text", "short"] {
        layout::write_atomically(&path, text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left over"
    );
    let error = format!(
        "{:#}",
        layout::write_atomically(Path::new("/no/such/folder/file"), "").unwrap_err()
    );
    assert!(
        error.starts_with("cannot write /no/such/folder/file"),
        "{error}"
    );
}

#[test]
fn rules_are_written_to_the_checked_file() {
    let (_folder, layout) = copy();
    fs::write(layout.rules(), "old").unwrap();
    assert!(!regen::run(&layout, Mode::Check, false).unwrap());
    command::rules(&layout, RulesFormat::Markdown).unwrap();
    assert!(regen::run(&layout, Mode::Check, false).unwrap());
    let text = fs::read_to_string(layout.rules()).unwrap();
    for rule in rules() {
        assert!(
            text.contains(&format!("\n| `{}` | ", rule.id)),
            "{}",
            rule.id
        );
    }
}
