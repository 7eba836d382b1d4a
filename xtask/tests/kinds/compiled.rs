//! Compiles the clients of all kinds as modules of one crate, in a single run of the compiler.
//!
//! Most of a client is the same for every kind. A module only contains what differs from the committed client and
//! everything that refers to it, and imports the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use xtask::layout::Layout;

use super::folder::copy_folder;

/// The generated files, in the order of [`Client::files`](super::Client).
const FILES: [&str; 3] = ["types", "requests", "operations"];

/// Compiles the clients. An error contains the name of the kind in the path of the file.
pub(crate) fn compile(layout: &Layout, kinds: &[(String, &[String; 3])]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let copy = Layout::at(folder.path());
    copy_crate(layout, &copy);
    let committed = FILES.map(|file| fs::read_to_string(layout.generated(file)).unwrap());
    let committed = committed.each_ref().map(|text| parts(text));
    let generated = copy.generated("mod");
    let mut modules = fs::read_to_string(&generated).unwrap();
    let mut seen = BTreeSet::new();
    for (name, files) in kinds {
        let texts = differing(files, &committed);
        if seen.insert(texts.clone()) {
            writeln!(modules, "#[allow(warnings)]\npub mod {name};").unwrap();
            write_module(&generated.with_file_name(name), &texts);
        }
    }
    fs::write(&generated, modules).unwrap();
    let result = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "-p", "twipla-api"])
        .args(["--message-format", "short"])
        // Without TLS there are few dependencies to build.
        .args(["--no-default-features", "--features", "schemars"])
        .current_dir(folder.path())
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("kinds"),
        )
        .output()
        .unwrap();
    if result.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&result.stderr).into_owned())
    }
}

/// Creates a workspace with only the raw client.
fn copy_crate(from: &Layout, to: &Layout) {
    let manifest = fs::read_to_string(from.root().join("Cargo.toml")).unwrap();
    let mut manifest: toml_edit::DocumentMut = manifest.parse().unwrap();
    for key in ["members", "default-members"] {
        let only = toml_edit::Array::from_iter(["crates/twipla-api"]);
        manifest["workspace"][key] = toml_edit::value(only);
    }
    fs::write(to.root().join("Cargo.toml"), manifest.to_string()).unwrap();
    fs::copy(from.root().join("Cargo.lock"), to.root().join("Cargo.lock")).unwrap();
    copy_folder(
        &from.root().join("crates/twipla-api"),
        &to.root().join("crates/twipla-api"),
    );
}

fn write_module(folder: &Path, texts: &[String; 3]) {
    fs::create_dir_all(folder).unwrap();
    let list = FILES.map(|file| format!("pub mod {file};\n"));
    fs::write(folder.join("mod.rs"), list.concat()).unwrap();
    for (file, text) in FILES.iter().zip(texts) {
        fs::write(folder.join(file).with_extension("rs"), text).unwrap();
    }
}

/// The items of a file by name, each with its impls and the names it refers to. Imports have no name.
type Parts = BTreeMap<String, (String, BTreeSet<String>)>;

fn parts(text: &str) -> Parts {
    let mut parts = Parts::new();
    let mut current = String::new();
    for item in syn::parse_file(text).unwrap().items {
        let named = match &item {
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            syn::Item::Const(item) => Some(&item.ident),
            syn::Item::Fn(item) => Some(&item.sig.ident),
            syn::Item::Mod(item) => Some(&item.ident),
            // An impl belongs to its type.
            _ => None,
        };
        if let Some(name) = named {
            current = name.to_string();
        }
        let tokens = item.into_token_stream();
        let (text, mentioned) = parts.entry(current.clone()).or_default();
        writeln!(text, "{tokens}").unwrap();
        mention(tokens, mentioned);
    }
    parts
}

fn mention(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => mention(group.stream(), found),
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Returns the files with what differs from the committed ones, importing the rest.
fn differing(files: &[String; 3], committed: &[Parts; 3]) -> [String; 3] {
    let files = files.each_ref().map(|text| parts(text));
    let mut own: BTreeSet<&str> = BTreeSet::new();
    for (parts, committed) in files.iter().zip(committed) {
        let differs = |name: &str| parts.get(name) != committed.get(name);
        let names = parts.keys().map(String::as_str);
        own.extend(names.filter(|name| differs(name) || differs("")));
    }
    loop {
        let before = own.len();
        for (name, (_, mentioned)) in files.iter().flatten() {
            if own.iter().any(|own| mentioned.contains(*own)) {
                own.insert(name);
            }
        }
        if own.len() == before {
            break;
        }
    }
    std::array::from_fn(|index| {
        let mut text = String::new();
        for (name, (item, _)) in &files[index] {
            if name.is_empty() || own.contains(name.as_str()) {
                text.push_str(item);
            } else {
                let file = FILES[index];
                writeln!(text, "pub use crate::generated::{file}::{name};").unwrap();
            }
        }
        text
    })
}
