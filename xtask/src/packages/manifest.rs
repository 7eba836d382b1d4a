//! Whether a manifest says all that a registry shows, and the package holds what it should.

use crate::minimal_versions::PUBLISHED;
use crate::packages::metadata::{Metadata, Package};

/// What every package holds, beside its sources.
const NEEDED: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// What no package holds: they need the sandbox, or files of the workspace.
const LEFT_OUT: [&str; 3] = ["tests/", "benches/", "fuzz/"];

/// What a registry or docs.rs would refuse, or show without.
pub(crate) fn check(package: &Package) -> Vec<String> {
    let name = &package.name;
    let internal = !PUBLISHED.contains(&name.as_str());
    if internal == package.is_published() {
        let remedy = if internal { "set" } else { "remove" };
        return vec![format!("{name}: {remedy} `publish = false`")];
    }
    if internal {
        return Vec::new();
    }
    let documentation = format!("https://docs.rs/{name}");
    let docs = &package.metadata["docs"]["rs"];
    let said = [
        ("description", package.description.is_some()),
        ("license", package.license.is_some()),
        ("repository", package.repository.is_some()),
        (
            "documentation",
            package.documentation.as_ref() == Some(&documentation),
        ),
        ("readme", package.readme.is_some()),
        (
            "keywords, one to five",
            (1..=5).contains(&package.keywords.len()),
        ),
        ("categories", !package.categories.is_empty()),
        (
            "package.metadata.docs.rs.all-features",
            docs["all-features"] == true,
        ),
        (
            "package.metadata.docs.rs.rustdoc-args with `--cfg docsrs`",
            docs["rustdoc-args"] == serde_json::json!(["--cfg", "docsrs"]),
        ),
    ];
    said.iter()
        .filter(|(_, right)| !right)
        .map(|(what, _)| format!("{name}: the manifest lacks {what}"))
        .collect()
}

/// What `cargo package --list` lists and should not, or the other way round.
pub(crate) fn check_files(name: &str, listed: &str) -> Vec<String> {
    let needed = NEEDED
        .iter()
        .filter(|needed| !listed.lines().any(|file| file == **needed))
        .map(|needed| format!("{name}: the package lacks {needed}"));
    let left_out = listed
        .lines()
        .filter(|file| LEFT_OUT.iter().any(|folder| file.starts_with(folder)))
        .map(|file| format!("{name}: the package holds {file}: leave it out by `include`"));
    needed.chain(left_out).collect()
}

/// One version for all packages; that of twipla-api says which API it was made from.
pub(crate) fn check_versions(metadata: &Metadata, api: &str) -> Vec<String> {
    let Some(twipla) = metadata.members().find(|member| member.name == "twipla") else {
        return vec!["twipla: is not in the workspace".to_owned()];
    };
    metadata
        .members()
        .filter_map(|member| {
            let expected = match member.name.as_str() {
                "twipla-api" => format!("{}+api.{api}", twipla.version),
                _ => twipla.version.clone(),
            };
            (member.version != expected).then(|| {
                format!(
                    "{}: invalid version {}: expected {expected}",
                    member.name, member.version
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn manifest() -> Value {
        json!({
            "id": "twipla", "name": "twipla", "version": "0.1.0", "rust_version": "1.88", "publish": null,
            "description": "A client", "license": "MIT", "repository": "https://example.com/twipla",
            "documentation": "https://docs.rs/twipla", "readme": "README.md", "keywords": ["api"],
            "categories": ["api-bindings"],
            "metadata": { "docs": { "rs": { "all-features": true, "rustdoc-args": ["--cfg", "docsrs"] } } },
        })
    }

    fn package(manifest: Value) -> Package {
        serde_json::from_value(manifest).unwrap()
    }

    #[test]
    fn a_whole_manifest_is_right() {
        assert_eq!(check(&package(manifest())), [""; 0]);
    }

    #[test]
    fn each_part_that_is_missing_is_named() {
        for (part, nothing) in [
            ("description", Value::Null),
            ("license", Value::Null),
            ("repository", Value::Null),
            ("documentation", json!("https://example.com")),
            ("readme", Value::Null),
            ("keywords", json!([])),
            ("keywords", json!(["1", "2", "3", "4", "5", "6"])),
            ("categories", json!([])),
            ("metadata", Value::Null),
        ] {
            let mut manifest = manifest();
            manifest[part] = nothing;
            let wrong = check(&package(manifest));
            assert!(
                !wrong.is_empty() && wrong.iter().all(|line| line.contains(part)),
                "{part}: {wrong:?}"
            );
        }
    }

    #[test]
    fn tools_are_not_published_and_libraries_are() {
        let mut tool = manifest();
        tool["name"] = json!("xtask");
        assert_eq!(
            check(&package(tool.clone())),
            ["xtask: set `publish = false`"]
        );
        tool["publish"] = json!([]);
        assert_eq!(check(&package(tool)), [""; 0]);
        let mut library = manifest();
        library["publish"] = json!([]);
        assert_eq!(
            check(&package(library)),
            ["twipla: remove `publish = false`"]
        );
    }

    #[test]
    fn a_package_holds_its_licences_and_no_tests() {
        let listed =
            "Cargo.toml\nLICENSE-MIT\nREADME.md\nsrc/lib.rs\nsrc/auth/tests.rs\ntests/it/main.rs\n";
        assert_eq!(
            check_files("twipla", listed),
            [
                "twipla: the package lacks LICENSE-APACHE",
                "twipla: the package holds tests/it/main.rs: leave it out by `include`"
            ]
        );
    }

    #[test]
    fn the_version_of_the_raw_client_says_which_api() {
        let versions = |api: &str| -> Metadata {
            let mut raw = manifest();
            (raw["id"], raw["name"], raw["version"]) =
                (json!("twipla-api"), json!("twipla-api"), json!(api));
            serde_json::from_value(json!({ "packages": [manifest(), raw],
                "workspace_members": ["twipla", "twipla-api"], "resolve": { "nodes": [] } }))
            .unwrap()
        };
        assert_eq!(
            check_versions(&versions("0.1.0+api.3.0.0"), "3.0.0"),
            [""; 0]
        );
        for old in ["0.1.0+api.2.1.0", "0.1.0", "0.2.0+api.3.0.0"] {
            assert_eq!(
                check_versions(&versions(old), "3.0.0"),
                [format!(
                    "twipla-api: invalid version {old}: expected 0.1.0+api.3.0.0"
                )]
            );
        }
    }
}
