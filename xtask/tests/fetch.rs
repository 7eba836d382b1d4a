//! Storing a document: from files, from pages, over the network; and every failure, which stores nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

#[path = "support/server.rs"]
mod server;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xtask::document;
use xtask::fetch::{Document, FetchOutcome, LIMIT, Ours, Source, read, store};
use xtask::layout::Layout;
use xtask::lock::{self, Lock};

use self::server::{answer, serve};

const SMALL: &str = include_str!("fetch/small.json");

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fetch")
        .join(name)
}

fn fetch(source: &str) -> anyhow::Result<Document> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // An API without paths matches every document.
    runtime.block_on(read(&source.parse()?, &Ours::of(&json!({})), None))
}

fn refused(source: &str) -> String {
    format!("{:#}", fetch(source).unwrap_err())
}

/// A repository with one version.
fn repository() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::at(folder.path());
    fs::create_dir_all(layout.openapi().join("versions")).unwrap();
    let first = "{\"openapi\": \"3.0.3\", \"info\": {\"version\": \"0\"}, \"paths\": {}}";
    fs::write(layout.openapi().join("versions/0-first.json"), first).unwrap();
    let lock = format!(
        "# Kept.\ncurrent = \"0-first\"\n\n[[versions]]\nname = \"0-first\"\nfile = \"versions/0-first.json\"\n\
         source = \"a test\"\nretrieved = \"2026-01-01\"\nsha256 = \"{}\"\n\n[tools]\nlinter = \"1\" # pinned\n",
        document::sha256(first.as_bytes())
    );
    fs::write(layout.openapi().join("openapi.lock"), lock).unwrap();
    (folder, layout)
}

fn small() -> Document {
    fetch(fixture("small.json").to_str().unwrap()).unwrap()
}

/// Returns all files with their content.
fn files(layout: &Layout) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![layout.root().to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn document_in_a_redoc_page_is_read_unchanged() {
    let wanted: Value = serde_json::from_str(SMALL).unwrap();
    for page in ["redoc-2.html", "redoc-3.html"] {
        let document = fetch(fixture(page).to_str().unwrap()).unwrap();
        // As text, because equality ignores the order of keys.
        assert_eq!(document.text, document::to_text(&wanted).unwrap(), "{page}");
        assert_eq!(document.extension, "json");
    }
}

#[test]
fn a_document_is_stored_byte_for_byte_and_becomes_the_current_one() {
    let (_folder, layout) = repository();
    let source: Source = "https://user:secret@example.com/api.json?token=t"
        .parse()
        .unwrap();
    let taken = store(&layout, &small(), &source, None, "2026-02-03").unwrap();
    let FetchOutcome::New { before, now } = taken else {
        panic!("{taken:?}");
    };
    assert_eq!(before.name, "0-first");
    let hash = document::sha256(SMALL.as_bytes());
    assert_eq!(now.name, format!("0.0.7-{}", &hash[..8]));
    let stored = fs::read_to_string(layout.openapi().join(&now.file)).unwrap();
    assert_eq!(stored, SMALL);
    let lock = Lock::load(&layout).unwrap();
    assert_eq!(lock.current, now.name);
    assert_eq!(lock.versions, [before, now.clone()]);
    assert_eq!((now.retrieved.as_str(), now.sha256), ("2026-02-03", hash));
    assert_eq!(
        now.source, "https://example.com/api.json",
        "the lock is public"
    );
    assert_eq!(
        lock::load_current(&layout).unwrap()["info"]["version"],
        "0.0.7"
    );
    let text = fs::read_to_string(Lock::path(&layout)).unwrap();
    assert!(
        text.starts_with("# Kept.\n") && text.ends_with("[tools]\nlinter = \"1\" # pinned\n"),
        "{text}"
    );
}

#[test]
fn known_document_is_not_stored_again() {
    let (_folder, layout) = repository();
    store(&layout, &small(), &Source::Stdin, None, "2026-02-03").unwrap();
    let before = files(&layout);
    let taken = store(&layout, &small(), &Source::Stdin, None, "2026-02-04").unwrap();
    assert!(
        matches!(taken, FetchOutcome::Known { before: None, .. }),
        "{taken:?}"
    );
    assert_eq!(files(&layout), before);
    // The vendor went back to an earlier document.
    let first = layout.openapi().join("versions/0-first.json");
    let first = fetch(first.to_str().unwrap()).unwrap();
    let taken = store(&layout, &first, &Source::Stdin, None, "2026-02-05").unwrap();
    assert!(
        matches!(
            taken,
            FetchOutcome::Known {
                before: Some(_),
                ..
            }
        ),
        "{taken:?}"
    );
    assert_eq!(Lock::load(&layout).unwrap().current, "0-first");
}

#[test]
fn existing_file_is_not_overwritten() {
    let (_folder, layout) = repository();
    let hash = document::sha256(SMALL.as_bytes());
    let path = layout
        .openapi()
        .join(format!("versions/0.0.7-{}.json", &hash[..8]));
    fs::write(&path, "mine").unwrap();
    let before = files(&layout);
    let error = format!(
        "{:#}",
        store(&layout, &small(), &Source::Stdin, None, "2026-02-03").unwrap_err()
    );
    assert!(
        error.contains("is not in openapi.lock") && error.contains("move it away"),
        "{error}"
    );
    assert_eq!(files(&layout), before);
}

#[test]
fn leftover_file_of_the_same_document_is_reused() {
    let (_folder, layout) = repository();
    let lock = fs::read_to_string(Lock::path(&layout)).unwrap();
    let take = || store(&layout, &small(), &Source::Stdin, None, "2026-02-03").unwrap();
    let first = take();
    // A user restored the lock, but not the folder.
    fs::write(Lock::path(&layout), lock).unwrap();
    assert_eq!(take(), first);
}

#[test]
fn version_is_converted_to_a_valid_file_name() {
    for (version, want) in [
        (json!("../../etc"), "etc"),
        (json!("v3.1.0 (beta)"), "v3.1.0-beta"),
        (json!("3/1"), "3-1"),
        (json!("1".repeat(90)), &"1".repeat(40)),
        (json!(""), "unversioned"),
        (json!("..."), "unversioned"),
        (Value::Null, "unversioned"),
        (json!(3.1), "3.1"),
    ] {
        let (_folder, layout) = repository();
        let taken = store(
            &layout,
            &numbered(&version),
            &Source::Stdin,
            None,
            "2026-02-03",
        );
        let FetchOutcome::New { now, .. } = taken.unwrap() else {
            panic!("{version} was there");
        };
        assert_eq!(now.name.rsplit_once('-').unwrap().0, want, "{version}");
        assert!(layout.openapi().join(&now.file).exists(), "{version}");
    }
}

#[test]
fn the_number_of_a_version_can_be_given() {
    let (_folder, layout) = repository();
    let before = files(&layout);
    let document = numbered(&json!("no number"));
    for number in ["", "../up", ".hidden", "a b"] {
        let taken = store(
            &layout,
            &document,
            &Source::Stdin,
            Some(number),
            "2026-02-03",
        );
        let error = format!("{:#}", taken.unwrap_err());
        assert!(error.contains("expected letters"), "{error}");
    }
    assert_eq!(files(&layout), before);
    let taken = store(
        &layout,
        &document,
        &Source::Stdin,
        Some("4.0.0"),
        "2026-02-03",
    );
    let FetchOutcome::New { now, .. } = taken.unwrap() else {
        panic!("it was there");
    };
    assert!(now.name.starts_with("4.0.0-"), "{}", now.name);
}

fn numbered(version: &Value) -> Document {
    let value = json!({ "openapi": "3.0.3", "info": { "version": version }, "paths": {} });
    Document {
        text: value.to_string(),
        extension: "json",
        value,
    }
}

#[test]
fn yaml_is_stored_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.yaml");
    let text = "openapi: 3.0.3\ninfo: {title: T, version: '1.0'} # kept\npaths: {}\n";
    fs::write(&path, text).unwrap();
    let document = fetch(path.to_str().unwrap()).unwrap();
    assert_eq!((document.text.as_str(), document.extension), (text, "yaml"));
    assert_eq!(document.value["info"]["version"], "1.0");
    let (_folder, layout) = repository();
    store(&layout, &document, &Source::Stdin, None, "2026-02-03").unwrap();
    assert_eq!(lock::load_current(&layout).unwrap(), document.value);
}

#[test]
fn invalid_document_is_an_error_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &[u8]| {
        let path = folder.path().join("wrong");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (text, reason) in [
        (&b"{\"openapi\": "[..], "invalid JSON"),
        (b"{}", "expected `openapi` and `paths`"),
        (b"hello: [", "invalid YAML"),
        (b"just words", "expected `openapi` and `paths`"),
        (b"", "expected `openapi` and `paths`"),
        (b"\xff\xfe", "invalid text: expected UTF-8"),
        (
            b"<html><p>__redoc_state = {}</p></html>",
            "neither contains an OpenAPI document nor links to one",
        ),
        (
            b"{\"swagger\": \"2.0\", \"paths\": {}}",
            "convert it to OpenAPI 3 first",
        ),
        (
            b"{\"openapi\": \"3.0.3\", \"paths\": {\"/a\": {\"$ref\": \"b.json\"}}}",
            "bundle it first",
        ),
    ] {
        let error = refused(&write(text));
        assert!(
            error.contains(reason) && error.contains("the file wrong"),
            "{error}"
        );
    }
    assert!(refused("/no/such/file.json").contains("cannot read /no/such/file.json"));
    assert!(refused("ftp://example.com/a").contains("http or https"));
    assert!(refused("http://").contains("http:// is not a valid URL"));
}

#[test]
fn document_is_fetched_directly_or_through_a_page() {
    let server = serve(|path| match path {
        "/docs/" => answer(
            "200 OK",
            "<html><a download href='openapi.json'>Download</a></html>",
        ),
        "/docs/openapi.json" => answer("200 OK", SMALL),
        "/data" => answer(
            "200 OK",
            "<a href='/dead.json'></a><a href='data:application/json,%7B%22openapi%22%3A%223.0.3%22%2C%22paths%22%3A%7B%7D%7D'>",
        ),
        _ => answer("404 Not Found", "nothing"),
    });
    assert_eq!(
        fetch(&format!("http://{server}/docs/openapi.json"))
            .unwrap()
            .text,
        SMALL
    );
    assert_eq!(
        fetch(&format!("http://{server}/docs/")).unwrap().text,
        SMALL
    );
    assert_eq!(
        fetch(&format!("http://{server}/data")).unwrap().value["openapi"],
        "3.0.3"
    );
    let error = refused(&format!("http://{server}/gone"));
    assert!(
        error.contains("/gone") && error.contains("404 Not Found"),
        "{error}"
    );
}

#[test]
fn endless_or_unreachable_server_is_an_error() {
    // Half a gigabyte without a content-length.
    let endless = serve(|_| {
        let chunk = format!("{:x}\r\n{}\r\n", 1024 * 1024, " ".repeat(1024 * 1024)).into_bytes();
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        std::iter::once(head)
            .chain(std::iter::repeat_n(chunk, 500))
            .collect()
    });
    let error = refused(&format!("http://{endless}/"));
    assert!(
        error.contains(&format!("larger than {} MiB", LIMIT / 1024 / 1024)),
        "{error}"
    );
    // The same with a content-length.
    let large = serve(|_| vec![b"HTTP/1.1 200 OK\r\ncontent-length: 524288000\r\n\r\n".to_vec()]);
    assert!(refused(&format!("http://{large}/")).contains("larger than"));
    let cut = serve(|_| vec![b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()]);
    assert!(refused(&format!("http://{cut}/")).contains("is incomplete"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    let error = refused(&format!("http://{gone}/"));
    assert!(
        error.starts_with(&format!("cannot fetch http://{gone}/")),
        "{error}"
    );
}
