//! Which findings result in exit code 1.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use xtask::diff::{Accepted, Level, Report, Runtime};

use crate::{OLD, folder, stderr, stdout, xtask};

const RULE: &str = "request-parameter-max-decreased";

#[track_caller]
fn ends(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = xtask(folder, &[&["diff"], arguments].concat());
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    stdout(&output)
}

#[test]
fn exit_code_is_1_if_a_finding_is_at_the_level_or_above() {
    let folder = folder();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    // A new operation is info, a renamed property at least a warning.
    write("added.json", OLD.replace(
        "\"paths\": {",
        r#""paths": { "/new": { "get": { "operationId": "list_new", "security": [], "responses": { "204": { "description": "None." } } } },"#,
    ));
    write(
        "gone.json",
        OLD.replace(",\n          \"note\": { \"type\": \"string\" }", ""),
    );
    for (old, new, codes) in [
        ("old.json", "old.json", [0, 0, 0, 0]),
        ("old.json", "added.json", [0, 0, 1, 0]),
        ("old.json", "gone.json", [0, 1, 1, 0]),
        ("old.json", "new.json", [1, 1, 1, 0]),
    ] {
        for (level, code) in ["breaking", "warning", "info", "never"].iter().zip(codes) {
            ends(folder.path(), &[old, new, "--fail-on", level], code);
        }
    }
    ends(
        folder.path(),
        &["old.json", "missing.json", "--fail-on", "never"],
        2,
    );
    // Invalid arguments are not a comparison, either.
    ends(folder.path(), &["old.json"], 2);
    ends(
        folder.path(),
        &["old.json", "new.json", "--level", "no-such=info"],
        2,
    );
}

#[test]
fn the_command_line_overrides_the_level_of_a_rule() {
    let folder = folder();
    let level = format!("{RULE}=info");
    let report = ends(
        folder.path(),
        &["old.json", "new.json", "--level", &level],
        0,
    );
    assert!(report.contains("0 breaking, 0 warning, 1 info"), "{report}");
    assert!(
        report.contains(&format!("breaking by the rule: --level {RULE}=info")),
        "{report}"
    );
    // The effect on a released client is unchanged.
    assert!(report.contains("client breaks"), "{report}");
    let level = format!("{RULE}=warning");
    ends(
        folder.path(),
        &[
            "old.json",
            "new.json",
            "--fail-on",
            "warning",
            "--level",
            &level,
        ],
        1,
    );
    let json = ends(
        folder.path(),
        &[
            "old.json", "new.json", "--format", "json", "--level", &level,
        ],
        0,
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["summary"]["warning"], 1);
    assert_eq!(json["summary"]["unknown"], 0);
    assert_eq!(json["findings"][0]["level"], "warning");
    assert_eq!(json["findings"][0]["overridden"]["rule"], "breaking");
}

#[test]
fn accepted_toml_overrides_levels_and_the_worst_still_comes_first() {
    let (old, mut new): (Value, Value) = (
        serde_json::from_str(OLD).unwrap(),
        serde_json::from_str(OLD).unwrap(),
    );
    new["paths"]["/things"]["get"]["parameters"][0]["schema"]["maximum"] = json!(50);
    new["components"]["schemas"]["Thing"]["properties"] = json!({ "id": { "type": "string" } });
    let report = |accepted: &str| {
        let accepted = Accepted::parse(accepted).unwrap();
        Report::new(("old", &old), ("new", &new), &accepted).unwrap()
    };
    let levels = |report: &Report| -> Vec<Level> {
        report
            .findings
            .iter()
            .map(|finding| finding.level)
            .collect()
    };
    let before = report("");
    assert_eq!(before.findings[0].id, RULE);
    assert_eq!(levels(&before), [Level::Breaking, Level::Warning]);
    let after = report(&format!(
        "[[level]]\nrule = {RULE:?}\nlevel = \"info\"\nreason = \"we send 20\"\n"
    ));
    assert_eq!(after.findings[1].id, RULE);
    assert_eq!(levels(&after), [Level::Warning, Level::Info]);
    assert!(after.open(Level::Breaking).is_empty());
    for text in [
        after.markdown("##"),
        after.print(xtask::diff::Format::Text).unwrap(),
    ] {
        assert!(text.contains("we send 20"), "{text}");
    }
}

#[test]
fn change_with_an_unknown_effect_is_counted_as_unknown() {
    let old: Value = serde_json::from_str(OLD).unwrap();
    let mut new = old.clone();
    new["components"]["schemas"]["Thing"]["properties"] = json!({ "id": { "type": "string" } });
    let mut report = Report::new(("old", &old), ("new", &new), &Accepted::default()).unwrap();
    assert_eq!(report.summary().unknown, 0);
    assert!(
        report
            .markdown("##")
            .contains("A released client keeps working.")
    );
    report.findings[0].runtime = Runtime::Unknown;
    assert_eq!(report.summary().unknown, 1);
    let text = report.markdown("##");
    assert!(text.contains("1 of them unknown"), "{text}");
    assert!(!text.contains("keeps working."), "{text}");
}
