//! Reads the crates of a workspace and their module trees.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, ensure};
use proc_macro2::{TokenStream, TokenTree};
use serde::Deserialize;
use syn::ext::IdentExt as _;
use syn::{Expr, ExprLit, Item, ItemMod, Lit, Meta};

use super::paths::{Paths, attributes, is_for_tests};

/// A library, program, test, example or benchmark.
pub(super) struct Crate {
    pub(super) name: String,
    /// The root comes first, and each module before its children.
    pub(super) modules: Vec<Module>,
}

/// A module and the paths in its own code, without that of its children.
pub(super) struct Module {
    /// Its path from `crate`.
    pub(super) path: String,
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) children: Vec<(String, usize)>,
    /// The names of its items.
    pub(super) items: HashSet<String>,
    /// The names of its macros, which its children see without an import.
    pub(super) macros: HashSet<String>,
    /// Names that a macro call may define.
    pub(super) macro_arguments: HashSet<String>,
    pub(super) paths: Paths,
}

/// Reads every crate of the workspace at `root`, in cargo's order.
pub(super) fn read_workspace(root: &Path) -> Result<Vec<Crate>> {
    let mut crates = Vec::new();
    for package in packages(root)? {
        for target in package.targets {
            let kind = target.kind.first().map_or("lib", String::as_str);
            let name = if kind == "lib" {
                package.name.clone()
            } else {
                format!("{} ({kind} {})", package.name, target.name)
            };
            let mut modules = Vec::new();
            read_root(&target.src_path, &mut modules)
                .with_context(|| format!("cannot read the modules of {name}"))?;
            crates.push(Crate { name, modules });
        }
    }
    Ok(crates)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
    src_path: PathBuf,
}

fn packages(root: &Path) -> Result<Vec<Package>> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .context("cannot parse what cargo metadata printed")?;
    Ok(metadata.packages)
}

/// The folders that contain a module's children.
struct Folders {
    /// The folder of the file, to which `#[path]` is relative.
    file: PathBuf,
    /// The folder of the module's children.
    module: PathBuf,
}

fn read_root(file: &Path, modules: &mut Vec<Module>) -> Result<()> {
    let folder = folder_of(file);
    let items = parse(file)?.items;
    let root = Place {
        path: "crate".to_owned(),
        file: file.to_owned(),
        parent: None,
    };
    let folders = Folders {
        file: folder.clone(),
        module: folder,
    };
    read_module(root, &folders, &items, modules)?;
    Ok(())
}

/// A module before its items are read.
struct Place {
    path: String,
    file: PathBuf,
    parent: Option<usize>,
}

fn read_module(
    place: Place,
    folders: &Folders,
    items: &[Item],
    modules: &mut Vec<Module>,
) -> Result<usize> {
    let at = modules.len();
    modules.push(Module {
        path: place.path,
        file: place.file,
        parent: place.parent,
        children: Vec::new(),
        items: HashSet::new(),
        macros: HashSet::new(),
        macro_arguments: HashSet::new(),
        paths: Paths::default(),
    });
    for item in items {
        if is_for_tests(attributes(item)) {
            continue;
        }
        if let Item::Mod(child) = item {
            read_child(child, at, folders, modules)?;
        } else {
            define(item, &mut modules[at]);
            modules[at].paths.add(item);
        }
    }
    Ok(at)
}

fn read_child(
    child: &ItemMod,
    parent: usize,
    folders: &Folders,
    modules: &mut Vec<Module>,
) -> Result<()> {
    let name = child.ident.unraw().to_string();
    if name == "tests" {
        return Ok(());
    }
    let mut place = Place {
        path: format!("{}::{name}", modules[parent].path),
        file: modules[parent].file.clone(),
        parent: Some(parent),
    };
    let index = if let Some((_, items)) = &child.content {
        let folder = folders.module.join(&name);
        let folders = Folders {
            file: folder.clone(),
            module: folder,
        };
        read_module(place, &folders, items, modules)?
    } else {
        let (file, folder) = find_file(child, &name, folders).with_context(|| {
            let line = child.ident.span().start().line;
            format!(
                "cannot find the file of `mod {name}` in {}:{line}: expected {name}.rs or {name}/mod.rs in {}",
                place.file.display(),
                folders.module.display()
            )
        })?;
        let source = parse(&file)?;
        if is_for_tests(&source.attrs) {
            return Ok(());
        }
        let folders = Folders {
            file: folder_of(&file),
            module: folder,
        };
        place.file = file;
        read_module(place, &folders, &source.items, modules)?
    };
    modules[parent].children.push((name, index));
    Ok(())
}

/// Returns the file of `mod name;`, and the folder for its children.
fn find_file(child: &ItemMod, name: &str, folders: &Folders) -> Option<(PathBuf, PathBuf)> {
    if let Some(path) = path_attribute(child) {
        let file = folders.file.join(path);
        let folder = folder_of(&file);
        return file.is_file().then_some((file, folder));
    }
    let folder = folders.module.join(name);
    [
        folders.module.join(format!("{name}.rs")),
        folder.join("mod.rs"),
    ]
    .into_iter()
    .find(|file| file.is_file())
    .map(|file| (file, folder))
}

fn path_attribute(child: &ItemMod) -> Option<String> {
    child
        .attrs
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(path),
                    ..
                }) => Some(path.value()),
                _ => None,
            },
            _ => None,
        })
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}

fn parse(file: &Path) -> Result<syn::File> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    syn::parse_file(&text).map_err(|error| {
        let line = error.span().start().line;
        anyhow!("cannot parse {}:{line}: {error}", file.display())
    })
}

/// Adds the names that an item defines.
fn define(item: &Item, module: &mut Module) {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => {
            let Some(ident) = &item.ident else {
                add_identifiers(item.mac.tokens.clone(), &mut module.macro_arguments);
                return;
            };
            module.macros.insert(ident.unraw().to_string());
            ident
        }
        _ => return,
    };
    module.items.insert(ident.unraw().to_string());
}

fn add_identifiers(tokens: TokenStream, names: &mut HashSet<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => add_identifiers(group.stream(), names),
            TokenTree::Ident(ident) => {
                names.insert(ident.unraw().to_string());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}
