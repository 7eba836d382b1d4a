//! What `cargo metadata` says, as far as the checks need it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The workspace and everything it depends on, on every system.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    pub(crate) publish: Option<Vec<String>>,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) documentation: Option<String>,
    pub(crate) readme: Option<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
    /// The table `package.metadata` of the manifest.
    #[serde(default)]
    pub(crate) metadata: Value,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Debug, Deserialize)]
struct DependencyKind {
    /// Null where it is an ordinary dependency.
    kind: Option<String>,
}

impl Metadata {
    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// What must be built for a package: itself and its dependencies with theirs, those of its tests left out.
    pub(crate) fn built_for<'a>(&'a self, package: &'a Package) -> Vec<&'a Package> {
        let nodes: BTreeMap<&str, &Node> = self
            .resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node))
            .collect();
        let mut found = vec![package.id.as_str()];
        let mut next = 0;
        while let Some(id) = found.get(next) {
            let dependencies = nodes.get(id).map_or(&[][..], |node| &node.deps[..]);
            for dependency in dependencies {
                let built = dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind.as_deref() != Some("dev"));
                if built && !found.contains(&dependency.pkg.as_str()) {
                    found.push(&dependency.pkg);
                }
            }
            next += 1;
        }
        self.packages
            .iter()
            .filter(|package| found.contains(&package.id.as_str()))
            .collect()
    }
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|to| !to.is_empty())
    }
}
