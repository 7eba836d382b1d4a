//! Whether a package asks for as new a Rust as what it is built from.

use anyhow::{Context as _, Result};

use crate::packages::metadata::Metadata;

/// Names every dependency that needs a newer Rust than the package it is built for.
pub(crate) fn check(metadata: &Metadata) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for package in metadata.members() {
        let Some(ours) = &package.rust_version else {
            wrong.push(format!("{}: has no rust-version", package.name));
            continue;
        };
        for dependency in metadata.built_for(package) {
            let Some(theirs) = &dependency.rust_version else {
                continue;
            };
            if number(theirs)? > number(ours)? {
                wrong.push(format!(
                    "{}: {} {} needs Rust {theirs}, and the package promises {ours}: raise its rust-version, or take \
                     another version",
                    package.name, dependency.name, dependency.version
                ));
            }
        }
    }
    Ok(wrong)
}

/// `1.88` is 1.88.0.
fn number(version: &str) -> Result<[u32; 3]> {
    let mut number = [0; 3];
    for (place, part) in number.iter_mut().zip(version.split('.')) {
        *place = part
            .parse()
            .with_context(|| format!("invalid rust-version {version:?}: expected e.g. 1.88"))?;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package(name: &str, rust_version: Option<&str>) -> Value {
        json!({ "id": name, "name": name, "version": "0.1.0", "rust_version": rust_version, "publish": null,
            "keywords": [], "categories": [] })
    }

    fn dependency(on: &str, kind: Option<&str>) -> Value {
        json!({ "pkg": on, "dep_kinds": [{ "kind": kind }] })
    }

    fn metadata(deepest: &str, kind: Option<&str>) -> Metadata {
        serde_json::from_value(json!({
            "packages": [package("ours", Some("1.88")), package("between", None), package("deepest", Some(deepest))],
            "workspace_members": ["ours"],
            "resolve": { "nodes": [
                { "id": "ours", "deps": [dependency("between", kind)] },
                { "id": "between", "deps": [dependency("deepest", None)] },
                { "id": "deepest", "deps": [] },
            ] },
        }))
        .unwrap()
    }

    #[test]
    fn a_dependency_of_a_dependency_that_needs_a_newer_rust_is_named() {
        let wrong = check(&metadata("1.88.1", None)).unwrap();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(
            wrong[0].starts_with("ours: deepest 0.1.0 needs Rust 1.88.1"),
            "{wrong:?}"
        );
    }

    #[test]
    fn the_same_rust_or_an_older_one_is_right() {
        for version in ["1.88", "1.88.0", "1.9", "1.56.1"] {
            assert_eq!(
                check(&metadata(version, None)).unwrap(),
                [""; 0],
                "{version}"
            );
        }
    }

    #[test]
    fn what_only_tests_need_may_be_newer() {
        assert_eq!(check(&metadata("1.95", Some("dev"))).unwrap(), [""; 0]);
        assert_eq!(check(&metadata("1.95", Some("build"))).unwrap().len(), 1);
    }
}
