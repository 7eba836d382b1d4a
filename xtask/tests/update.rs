//! The list of remaining work that `cargo xtask update` prints, and how to undo it, in a copy of the repository.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

#[path = "support/folder.rs"]
mod folder;

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use xtask::canonical;
use xtask::fetch;
use xtask::layout::Layout;
use xtask::lock::Lock;
use xtask::overlay;
use xtask::regen::{self, Mode};
use xtask::update;

use self::folder::copy_folder;

/// Creates a commit with the contract, the generated files and the files that the list refers to.
fn repository() -> (tempfile::TempDir, Layout) {
    let real = Layout::here().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::at(folder.path());
    for part in [
        "openapi",
        "crates/twipla/src",
        "tests/it",
        "xtask/tests/snapshots",
    ] {
        copy_folder(&real.root().join(part), &layout.root().join(part));
    }
    fs::create_dir_all(layout.generated("requests").parent().unwrap()).unwrap();
    fs::copy(real.client_readme(), layout.client_readme()).unwrap();
    assert!(regen::run(&layout, Mode::Write, false).unwrap());
    shell(
        &layout,
        "git init -q && git add . && git -c user.name=t -c user.email=t@example.com commit -qm t",
    );
    (folder, layout)
}

fn shell(layout: &Layout, command: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(layout.root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Stores the current version with a change, and generates everything.
fn take(layout: &Layout, change: impl Fn(&mut Value)) {
    let mut document = canonical::current(layout).unwrap().0;
    document["info"]["version"] = json!("3.1.0");
    change(&mut document);
    let document = fetch::document(document.to_string().as_bytes()).unwrap();
    let source = "-".parse().unwrap();
    fetch::store(layout, &document, &source, None, "2026-11-26").unwrap();
    assert!(regen::run(layout, Mode::Write, false).unwrap());
}

/// Adds an operation below a website, and a field of a package.
fn grow(document: &mut Value) {
    let site = "/v2/3as/websites/{intpWebsiteId}";
    let mut archive = document["paths"][site]["get"].clone();
    archive["operationId"] = json!("archive_website");
    archive["x-provenance"] = json!({ "basis": "documented", "source": "test" });
    document["paths"][format!("{site}/archive")] = json!({ "get": archive });
    document["components"]["schemas"]["Package"]["properties"]["colour"] =
        json!({ "type": "string" });
}

#[test]
fn list_of_an_update_is_the_same_until_it_is_committed() {
    let (_folder, layout) = repository();
    let nothing = update::to_do(&layout).unwrap();
    assert!(
        nothing.len() == 1 && nothing[0].starts_with("nothing: "),
        "{nothing:?}"
    );
    take(&layout, grow);
    let first = update::to_do(&layout).unwrap();
    assert_ne!(first, nothing);
    // The same document with the same hash, and everything is already generated.
    take(&layout, |_| {});
    assert_eq!(update::to_do(&layout).unwrap(), first);
    shell(
        &layout,
        "git add . && git -c user.name=t -c user.email=t@example.com commit -qm t",
    );
    assert_eq!(update::to_do(&layout).unwrap(), nothing);
}

#[test]
fn new_and_changed_operations_are_listed_with_the_files_to_touch() {
    let (_folder, layout) = repository();
    take(&layout, grow);
    let list = update::to_do(&layout).unwrap().join("\n");
    for want in [
        "- archive_website: crates/twipla/src/operations.rs, crates/twipla/src/resources/websites.rs, \
         tests/it/coverage.rs, tests/vectors/operations/archive_website.json (new)",
        "- get_package: crates/twipla/src/operations.rs, crates/twipla/src/resources/packages.rs, \
         tests/it/packages.rs, tests/vectors/operations/get_package.json",
        "raise the version of the crates",
        "read `git diff openapi",
    ] {
        assert!(list.contains(want), "{list}\ndoes not say {want:?}");
    }
}

#[test]
fn undoing_an_update_removes_everything() {
    let (_folder, layout) = repository();
    let current = Lock::load(&layout).unwrap().current;
    for staged in [false, true] {
        take(&layout, grow);
        let snapshot = "xtask/tests/snapshots/history/new.snap";
        fs::write(layout.root().join(snapshot), "new").unwrap();
        assert!(shell(&layout, "git status --porcelain").contains("?? openapi/versions/3.1.0-"));
        if staged {
            shell(&layout, "git add .");
        }
        shell(&layout, update::WAY_BACK);
        assert_eq!(shell(&layout, "git status --porcelain"), "");
        assert_eq!(Lock::load(&layout).unwrap().current, current);
        assert!(overlay::contract(&layout).is_ok());
    }
}

#[test]
fn list_needs_a_commit() {
    let (_folder, layout) = repository();
    fs::remove_dir_all(layout.root().join(".git")).unwrap();
    let error = format!("{:#}", update::to_do(&layout).unwrap_err());
    assert!(
        error.starts_with("cannot read the committed openapi/openapi.lock"),
        "{error}"
    );
}
