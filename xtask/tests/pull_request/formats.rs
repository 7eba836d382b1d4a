//! Reports for GitHub, other CI systems and programs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::inputs::{git, repository};
use crate::{OLD, folder, new, stderr, stdout, xtask, xtask_with};

/// Returns the report in a format.
#[track_caller]
fn report(folder: &Path, old: &str, new: &str, format: &str) -> String {
    let output = xtask(folder, &["diff", old, new, "--format", format]);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}",
        stderr(&output)
    );
    stdout(&output)
}

/// Returns `line:column` of the first occurrence of a text, both in characters.
fn place(text: &str, wanted: &str) -> String {
    let before = &text[..text.find(wanted).unwrap()];
    let line = before.rsplit('\n').next().unwrap();
    format!(
        "{}:{}",
        before.matches('\n').count() + 1,
        line.chars().count() + 1
    )
}

/// Returns the contract without the property `note`.
fn without_note() -> String {
    OLD.replace(",\n          \"note\": { \"type\": \"string\" }", "")
}

#[test]
fn github_annotates_the_line_of_the_new_document() {
    let repository = repository();
    let text = report(
        repository.path(),
        "HEAD~1:api/spec.json",
        "api/spec.json",
        "github",
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(place(&new(), "\"maximum\""), "10:76");
    let [annotation, summary] = lines[..] else {
        panic!("{text}")
    };
    assert!(
        annotation.starts_with(
            "::error file=api/spec.json,line=10,col=76,title=breaking request-parameter-max-decreased::list_things"
        ),
        "{annotation}"
    );
    assert!(
        annotation
            .contains("the maximum fell from `100` to `50` (client breaks, Rust API unchanged, "),
        "{annotation}"
    );
    assert!(
        summary.starts_with("1 breaking, 0 warning, 0 info."),
        "{summary}"
    );
}

#[test]
fn removal_is_annotated_in_the_old_file_or_at_the_nearest_remaining_node() {
    let repository = repository();
    let spec = repository.path().join("api/spec.json");
    fs::write(&spec, without_note()).unwrap();
    // The line of an old revision is a different one now.
    let text = report(
        repository.path(),
        "HEAD~1:api/spec.json",
        "api/spec.json",
        "github",
    );
    let left = place(&without_note(), "\"properties\"");
    let (line, column) = left.split_once(':').unwrap();
    assert!(
        text.starts_with(&format!(
            "::warning file=api/spec.json,line={line},col={column},title=warning response-optional-property-removed::"
        )),
        "{text}"
    );
    // A file in the working tree can be annotated.
    fs::write(repository.path().join("old.json"), OLD).unwrap();
    let text = report(repository.path(), "old.json", "api/spec.json", "github");
    let (line, column) = place(OLD, "\"note\"")
        .split_once(':')
        .map(|(l, c)| (l.to_owned(), c.to_owned()))
        .unwrap();
    assert!(
        text.starts_with(&format!(
            "::warning file=old.json,line={line},col={column},"
        )),
        "{text}"
    );
    // JSON has the original place.
    let json: Value = serde_json::from_str(&report(
        repository.path(),
        "HEAD~1:api/spec.json",
        "api/spec.json",
        "json",
    ))
    .unwrap();
    let position = &json["findings"][0]["position"];
    assert_eq!(position["document"], "old");
    assert_eq!(position["file"], "api/spec.json");
    assert_eq!(
        format!("{}:{}", position["line"], position["column"]),
        place(OLD, "\"note\"")
    );
}

#[test]
fn removed_parameter_is_not_confused_with_the_next_one() {
    let folder = folder();
    let first = "{ \"name\": \"limit\"";
    let two = OLD.replace(
        first,
        &format!("{{ \"name\": \"shade\", \"in\": \"query\", \"schema\": {{ \"type\": \"string\" }} }},\n          {first}"),
    );
    fs::write(folder.path().join("two.json"), &two).unwrap();
    let json: Value =
        serde_json::from_str(&report(folder.path(), "two.json", "old.json", "json")).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["id"], "request-parameter-removed", "{json:#}");
    assert_eq!(finding["position"]["document"], "old");
    assert_eq!(
        format!(
            "{}:{}",
            finding["position"]["line"], finding["position"]["column"]
        ),
        place(&two, "{ \"name\": \"shade\"")
    );
}

#[test]
fn names_cannot_break_out_of_an_annotation() {
    let folder = folder();
    let name = "50%,a:b.json";
    let odd = new().replace("list_things", "list%0Athings::error");
    fs::write(folder.path().join(name), odd).unwrap();
    let old = OLD.replace("list_things", "list%0Athings::error");
    fs::write(folder.path().join("old.json"), old).unwrap();
    let text = report(folder.path(), "old.json", name, "github");
    let error = text.lines().next().unwrap();
    assert!(error.contains("file=50%25%2Ca%3Ab.json,"), "{text}");
    assert!(!error.contains("%0A"), "{text}");
    assert_eq!(
        text.lines().filter(|line| line.starts_with("::")).count(),
        1
    );
}

#[test]
fn yaml_with_bom_and_carriage_returns_has_line_numbers() {
    let folder = folder();
    let yaml = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        let yaml = serde_saphyr::to_string(&value).unwrap();
        format!("\u{feff}# Größe 😀\n{yaml}").replace('\n', "\r\n")
    };
    fs::write(folder.path().join("new.yaml"), yaml(&new())).unwrap();
    let json: Value =
        serde_json::from_str(&report(folder.path(), "old.json", "new.yaml", "json")).unwrap();
    let position = &json["findings"][0]["position"];
    assert_eq!(position["file"], "new.yaml");
    assert_eq!(
        format!("{}:{}", position["line"], position["column"]),
        place(&yaml(&new()), "maximum:")
    );
}

#[test]
fn document_from_a_pipe_has_lines_but_no_file() {
    let folder = folder();
    let arguments = |format| ["diff", "old.json", "-", "--format", format];
    let output = xtask_with(folder.path(), &arguments("json"), &new());
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let position = &json["findings"][0]["position"];
    assert_eq!(
        (&position["file"], &position["line"]),
        (&Value::Null, &Value::from(10))
    );
    let output = xtask_with(folder.path(), &arguments("github"), &new());
    assert!(
        stdout(&output).starts_with("::error title=breaking request-parameter-max-decreased::"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn renamed_schema_is_reported_at_its_original_line() {
    let layout = xtask::layout::Layout::here().unwrap();
    let text = fs::read_to_string(layout.contract()).unwrap();
    let folder = folder();
    // The canonical form renames it to Website, and compares that.
    let renamed = text
        .replace(
            "components/schemas/Website\"",
            "components/schemas/SiteDto\"",
        )
        .replacen("\n      \"Website\": {", "\n      \"SiteDto\": {", 1);
    assert_ne!(renamed, text);
    let at = renamed.find("\n      \"SiteDto\": {").unwrap();
    let domain = at + renamed[at..].find("\"domain\": {").unwrap();
    let inside = domain + "\"domain\": {".len();
    let limit = "\n\"maxLength\": 5,";
    let changed = format!("{}{limit}{}", &renamed[..inside], &renamed[inside..]);
    fs::write(folder.path().join("changed.json"), &changed).unwrap();
    let path = folder.path().join("changed.json");
    let json: Value = serde_json::from_str(&report(
        folder.path(),
        "contract",
        path.to_str().unwrap(),
        "json",
    ))
    .unwrap();
    let findings = json["findings"].as_array().unwrap();
    let [finding] = &findings[..] else {
        panic!("{json:#}")
    };
    assert_eq!(finding["id"], "response-property-max-length-set");
    assert_eq!(
        finding["location"],
        "/components/schemas/Website/properties/domain/maxLength"
    );
    assert_eq!(
        finding["position"]["line"],
        changed[..inside].matches('\n').count() + 2
    );
}

#[test]
fn junit_has_a_test_for_each_change_and_fails_at_the_level() {
    let folder = folder();
    let more = ",\n          \"size\": { \"type\": \"number\" }";
    let note = "\"note\": { \"type\": \"string\" }";
    let both = new().replace(&format!(",\n          {note}"), more);
    fs::write(
        folder.path().join("old.json"),
        OLD.replace(note, &format!("{note}{more}")),
    )
    .unwrap();
    fs::write(folder.path().join("both.json"), both).unwrap();
    let text = report(folder.path(), "old.json", "both.json", "junit");
    for want in [
        "<testsuite name=\"old.json -&gt; both.json\" tests=\"2\"",
        "failures=\"1\"",
        "classname=\"request-parameter-max-decreased\"",
        "<failure message=\"list_things",
        "type=\"breaking\"",
        "both.json:10:76",
        "classname=\"response-optional-property-removed\"",
    ] {
        assert!(text.contains(want), "{want}: {text}");
    }
    let output = xtask(
        folder.path(),
        &[
            "diff",
            "old.json",
            "both.json",
            "--format",
            "junit",
            "--fail-on",
            "warning",
        ],
    );
    assert!(
        stdout(&output).contains("failures=\"2\""),
        "{}",
        stdout(&output)
    );
    let text = report(folder.path(), "old.json", "old.json", "junit");
    assert!(text.contains("name=\"nothing changed\""), "{text}");
    assert!(text.contains("failures=\"0\""), "{text}");
}

#[test]
fn an_accepted_change_is_a_notice_and_a_skipped_test() {
    let output = |format| report(Path::new("."), "2.1.0", "1.3.2", format);
    assert!(output("github").starts_with("::error file=openapi/versions/1.3.2-"));
    // The step that is accepted in the repository.
    let steps = xtask::lock::Lock::load(&xtask::layout::Layout::here().unwrap())
        .unwrap()
        .versions;
    let output = |format| report(Path::new("."), &steps[1].name, &steps[2].name, format);
    let text = output("github");
    assert!(
        text.contains("::notice ") && text.contains("; accepted: "),
        "{text}"
    );
    assert!(!text.contains("::error "), "{text}");
    let text = output("junit");
    assert!(text.contains("<skipped message=\"accepted: "), "{text}");
    assert!(text.contains("failures=\"0\""), "{text}");
}

#[test]
fn file_of_a_revision_has_its_path_from_the_root() {
    let repository = repository();
    git(repository.path(), &["mv", "api/spec.json", "moved.json"]);
    let api = repository.path().join("api");
    fs::create_dir_all(&api).unwrap();
    let text = report(&api, "HEAD~1:api/spec.json", "HEAD:api/spec.json", "github");
    assert!(
        text.starts_with("::error file=api/spec.json,line=10,"),
        "{text}"
    );
}
