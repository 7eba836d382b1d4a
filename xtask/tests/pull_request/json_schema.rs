//! Keywords of OpenAPI 3.1 that the canonical form only preserves.

use std::fs;

use crate::{OLD, folder, stderr, stdout, xtask};

/// A keyword, and the property `note` with it before and after a change.
#[rustfmt::skip]
const CASES: [(&str, &str, &str); 12] = [
    ("const", r#""const": 1"#, r#""const": 2"#),
    ("enum", r#""enum": [1, 2]"#, r#""enum": [1, 3]"#),
    ("type", r#""type": ["string", "integer"]"#, r#""type": ["string", "boolean"]"#),
    ("if", r#""if": { "minLength": 1 }"#, r#""if": { "minLength": 2 }"#),
    ("prefixItems", r#""type": "array", "items": {}, "prefixItems": []"#, r#""type": "array", "items": {}, "prefixItems": [{}]"#),
    ("dependentRequired", r#""dependentRequired": { "a": ["b"] }"#, r#""dependentRequired": { "a": ["c"] }"#),
    ("propertyNames", r#""propertyNames": { "maxLength": 9 }"#, r#""propertyNames": { "maxLength": 8 }"#),
    ("unevaluatedProperties", r#""unevaluatedProperties": true"#, r#""unevaluatedProperties": false"#),
    ("contentEncoding", r#""type": "string", "contentEncoding": "base64""#, r#""type": "string", "contentEncoding": "base32""#),
    ("patternProperties", r#""type": "object""#, r#""type": "object", "patternProperties": { "^a": {} }"#),
    ("contains", r#""type": "array", "items": {}, "contains": { "type": "string" }"#, r#""type": "array", "items": {}, "contains": { "type": "integer" }"#),
    ("maxLength", r##""$ref": "#/components/schemas/Text", "maxLength": 9"##, r##""$ref": "#/components/schemas/Text", "maxLength": 8"##),
];

#[test]
fn change_that_the_client_cannot_express_is_reported() {
    let folder = folder();
    let with = |note: &str| {
        OLD.replace("3.0.3", "3.1.0")
            .replace(
                r#""note": { "type": "string" }"#,
                &format!(r#""note": {{ {note} }}"#),
            )
            .replace(
                r#""schemas": {"#,
                r#""schemas": { "Text": { "type": "string", "enum": ["a"] },"#,
            )
    };
    for (keyword, before, now) in CASES {
        fs::write(folder.path().join("before.json"), with(before)).unwrap();
        fs::write(folder.path().join("now.json"), with(now)).unwrap();
        let report = xtask(
            folder.path(),
            &[
                "diff",
                "before.json",
                "now.json",
                "--fail-on",
                "warning",
                "--format",
                "json",
            ],
        );
        let (report, note, code) = (stdout(&report), stderr(&report), report.status.code());
        assert!(!note.contains("refuse"), "{keyword}: {note}");
        assert_eq!(code, Some(1), "{keyword}: {report}");
        assert!(report.contains(keyword), "{keyword}: {report}");
    }
}

#[test]
fn requests_of_the_server_are_compared() {
    let folder = folder();
    let with = |summary: &str| {
        let webhooks = format!(
            r#""webhooks": {{ "sold": {{ "post": {{ "operationId": "sold", "security": [], "requestBody": {{ "content": {{ "application/json": {{ "schema": {{ "type": "{summary}" }} }} }} }}, "responses": {{ "200": {{ "description": "Seen." }} }} }} }} }}, "paths""#
        );
        OLD.replace("3.0.3", "3.1.0")
            .replace("\"paths\"", &webhooks)
    };
    fs::write(folder.path().join("before.json"), with("string")).unwrap();
    fs::write(folder.path().join("now.json"), with("integer")).unwrap();
    let report = xtask(
        folder.path(),
        &["diff", "before.json", "now.json", "--fail-on", "warning"],
    );
    assert!(!stderr(&report).contains("refuse"), "{}", stderr(&report));
    assert_eq!(report.status.code(), Some(1), "{}", stdout(&report));
    assert!(stdout(&report).contains("webhooks"), "{}", stdout(&report));
}
