//! Everything that OLD and NEW may name.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::server::{answer, serve};
use crate::{OLD, folder, new, stderr, stdout, xtask, xtask_with};

const FOUND: &str = "the maximum fell from `100` to `50`";

pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// A repository whose `api/spec.json` changed once, with a folder and a file next to it.
pub(crate) fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let api = folder.path().join("api");
    fs::create_dir(&api).unwrap();
    git(folder.path(), &["init", "-q"]);
    for (text, subject) in [(OLD.to_owned(), "first: the contract"), (new(), "second")] {
        fs::write(api.join("spec.json"), text).unwrap();
        git(folder.path(), &["add", "."]);
        git(folder.path(), &["commit", "-q", "-m", subject]);
    }
    folder
}

#[track_caller]
fn finds(folder: &Path, old: &str, new: &str) {
    let output = xtask(folder, &["diff", old, new]);
    let report = stdout(&output);
    assert!(report.contains(FOUND), "{report}{}", stderr(&output));
    assert!(report.starts_with(&format!("{old} -> {new}\n")), "{report}");
    assert_eq!(output.status.code(), Some(1));
}

/// Expects exit code 2, and each of these texts in the error.
#[track_caller]
fn refused(folder: &Path, old: &str, new: &str, wants: &[&str]) {
    let output = xtask(folder, &["diff", old, new]);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(stdout(&output), "");
    for want in wants {
        assert!(error.contains(want), "{error} does not say {want:?}");
    }
}

#[test]
fn file_of_a_revision_is_compared_with_the_working_tree() {
    let repository = repository();
    finds(repository.path(), "HEAD~1:api/spec.json", "api/spec.json");
    finds(
        repository.path(),
        "HEAD~1:api/spec.json",
        "HEAD:api/spec.json",
    );
    finds(
        repository.path(),
        "HEAD^{/first: the}:api/spec.json",
        "HEAD:api/spec.json",
    );
    // In a subfolder, git resolves a path from the root, or from the current folder with a dot.
    let api = repository.path().join("api");
    finds(&api, "HEAD~1:api/spec.json", "spec.json");
    finds(&api, "HEAD~1:./spec.json", "spec.json");
}

#[test]
fn empty_revision_is_the_index() {
    let repository = repository();
    let path = repository.path().join("api/spec.json");
    fs::write(&path, OLD).unwrap();
    git(repository.path(), &["add", "."]);
    fs::write(&path, new()).unwrap();
    finds(repository.path(), ":api/spec.json", "api/spec.json");
}

#[test]
fn unknown_revision_or_path_is_an_error_with_a_remedy() {
    let repository = repository();
    let at = |old: &str, wants: &[&str]| refused(repository.path(), old, "api/spec.json", wants);
    at(
        "HEAD~9:api/spec.json",
        &[
            "HEAD~9:api/spec.json",
            "does not know the revision",
            "fetch-depth: 0",
        ],
    );
    at(
        "HEAD:api/gone.json",
        &[
            "HEAD:api/gone.json",
            "has no file",
            "git ls-tree -r --name-only HEAD",
        ],
    );
    at(":gone.json", &["has no file", "git ls-files --cached"]);
    at(
        "HEAD:",
        &[
            "expected a path after the revision",
            "HEAD:openapi/twipla-3as.json",
        ],
    );
    at("HEAD:api", &["has no file"]);
    at(
        "HEAD~1",
        &["neither a file nor a version", "HEAD~1:openapi/"],
    );
    at("gone.json", &["gone.json is neither a file nor a version"]);
    // An option of git is not a revision.
    at("--help:x", &["unexpected argument"]);
    let elsewhere = folder();
    refused(
        elsewhere.path(),
        "HEAD:old.json",
        "new.json",
        &["HEAD:old.json", "not a git repository"],
    );
}

#[test]
fn file_name_with_a_colon_is_read_as_a_file() {
    let folder = folder();
    for name in [
        "HEAD~1:spec.json",
        "C:\\contracts\\spec.json",
        "http:spec.json",
    ] {
        fs::copy(folder.path().join("old.json"), folder.path().join(name)).unwrap();
        finds(folder.path(), name, "new.json");
    }
}

#[test]
fn yaml_input_is_compared_with_json() {
    let folder = folder();
    let yaml = serde_json::from_str::<serde_json::Value>(OLD).unwrap();
    let yaml = serde_saphyr::to_string(&yaml).unwrap();
    fs::write(folder.path().join("old.yaml"), yaml).unwrap();
    finds(folder.path(), "old.yaml", "new.json");
}

#[test]
fn standard_input_may_be_one_of_the_documents() {
    let folder = folder();
    for (arguments, input) in [
        (["diff", "-", "new.json"], OLD.to_owned()),
        (["diff", "old.json", "-"], new()),
    ] {
        let output = xtask_with(folder.path(), &arguments, &input);
        assert!(stdout(&output).contains(FOUND), "{}", stderr(&output));
        assert!(stdout(&output).contains("standard input"));
    }
    refused(
        folder.path(),
        "-",
        "-",
        &["OLD and NEW are both -", "name a file"],
    );
    refused(folder.path(), "-", "new.json", &["standard input is empty"]);
}

#[cfg(unix)]
#[test]
fn pipes_are_read_once_to_the_end() {
    let folder = folder();
    let output = Command::new("bash")
        .current_dir(folder.path())
        .arg("-c")
        .arg(format!(
            "{} diff <(cat old.json) <(cat new.json)",
            env!("CARGO_BIN_EXE_xtask")
        ))
        .output()
        .unwrap();
    assert!(stdout(&output).contains(FOUND), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn url_is_fetched() {
    let folder = folder();
    let address = serve(|path| match path {
        "/spec.json" => answer("200 OK", OLD),
        _ => answer("404 Not Found", ""),
    });
    let url = format!("http://{address}/spec.json");
    finds(folder.path(), &url, "new.json");
    refused(
        folder.path(),
        &format!("http://{address}/gone?token=secret"),
        "new.json",
        &["cannot fetch", "404"],
    );
    refused(
        folder.path(),
        "ftp://example.com/a",
        "new.json",
        &["http or https"],
    );
}

#[test]
fn stored_version_is_found_by_its_number() {
    let folder = folder();
    let output = xtask(folder.path(), &["diff", "1.3.2", "current"]);
    assert!(stdout(&output).starts_with("1.3.2-"), "{}", stderr(&output));
    refused(
        folder.path(),
        "3.0.0",
        "current",
        &["more than one version 3.0.0"],
    );
}

#[test]
fn invalid_document_is_an_error_with_its_name() {
    let folder = folder();
    for (text, wants) in [
        ("{\"openapi\": ", "bad.json is neither JSON nor YAML"),
        ("a: [", "bad.json is neither JSON nor YAML"),
        ("", "bad.json is empty"),
        ("{\"swagger\": \"2.0\"}", "convert it to OpenAPI 3"),
    ] {
        fs::write(folder.path().join("bad.json"), text).unwrap();
        refused(folder.path(), "old.json", "bad.json", &[wants, "bad.json"]);
    }
    fs::create_dir(folder.path().join("folder")).unwrap();
    refused(
        folder.path(),
        "folder",
        "new.json",
        &["folder: it is a folder"],
    );
}

#[test]
fn document_without_a_canonical_form_is_compared_as_written() {
    let folder = folder();
    let without = |text: &str| text.replace("\"security\": [],", "");
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("old2.json", without(OLD));
    write("new2.json", without(&new()));
    let output = xtask(folder.path(), &["diff", "old2.json", "new2.json"]);
    assert!(stdout(&output).contains(FOUND), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("because new2.json has none: /security: `security` is missing"),
        "{}",
        stderr(&output)
    );
    let output = xtask(folder.path(), &["diff", "old2.json", "old2.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    // A document that had a canonical form and no longer has one fails.
    let output = xtask(folder.path(), &["diff", "old.json", "old2.json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
}

#[test]
fn contract_equals_its_file() {
    let file = xtask::layout::Layout::here().unwrap().contract();
    let file = file.to_str().unwrap();
    for arguments in [["diff", "contract", file], ["diff", file, "contract"]] {
        let output = xtask(Path::new("."), &arguments);
        assert!(
            stdout(&output).ends_with("\nNothing changed.\n"),
            "{}",
            stdout(&output)
        );
    }
}
