//! Snapshots of every version of the API, and of the changes from one to the next.
//!
//! A new document makes these tests fail: review the snapshots, then accept them with `INSTA_UPDATE=always cargo test -p
//! xtask --test history`.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use xtask::diff::{Accepted, Format, Level, surface};
use xtask::history;
use xtask::layout::Layout;
use xtask::lock::{self, Lock};

const SNAPSHOTS: &str = "snapshots/history";

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(SNAPSHOTS);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn the_surface_of_every_version() {
    let layout = Layout::here().unwrap();
    for version in Lock::load(&layout).unwrap().versions {
        let document = lock::load_version(&layout, &version).unwrap();
        settings().bind(|| {
            insta::assert_snapshot!(
                format!("surface of {}", version.name),
                surface(&document).unwrap()
            );
        });
    }
}

#[test]
fn the_report_of_every_step() {
    let layout = Layout::here().unwrap();
    for step in history::steps(&layout).unwrap() {
        let name = format!("{} to {}", step.old.name, step.new.name);
        settings().bind(|| {
            insta::assert_snapshot!(name, step.report.print(Format::Markdown).unwrap());
        });
    }
}

/// insta itself does not report snapshots that no test uses.
#[test]
fn there_is_no_unused_snapshot() {
    let layout = Layout::here().unwrap();
    let versions = Lock::load(&layout).unwrap().versions;
    let surfaces = versions
        .iter()
        .map(|version| format!("surface of {}.snap", version.name));
    let steps = versions
        .windows(2)
        .map(|pair| format!("{} to {}.snap", pair[0].name, pair[1].name));
    let wanted: BTreeSet<String> = surfaces.chain(steps).collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(SNAPSHOTS);
    let found: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let left_over: Vec<_> = found.difference(&wanted).collect();
    assert!(left_over.is_empty(), "{left_over:?}");
}

#[test]
fn every_breaking_change_is_accepted() {
    let layout = Layout::here().unwrap();
    let steps = history::steps(&layout).unwrap();
    let unseen: Vec<String> = history::unseen(&steps)
        .iter()
        .map(|finding| format!("{} {}", finding.fingerprint, finding.text))
        .collect();
    assert!(
        unseen.is_empty(),
        "accept with a reason, by `cargo xtask diff OLD NEW --accept REASON`: {unseen:#?}"
    );
}

#[test]
fn unaccepted_change_is_open_and_an_accepted_one_is_not() {
    let layout = Layout::here().unwrap();
    let lock = Lock::load(&layout).unwrap();
    let pair = [&lock.versions[1], &lock.versions[2]];
    let report = history::between(&layout, pair[0], pair[1], &Accepted::default()).unwrap();
    let open = report.open(Level::Breaking);
    assert_eq!(open.len(), report.summary().breaking);
    let entry = format!(
        "[[accepted]]\nfingerprint = {:?}\nfinding = \"x\"\nreason = \"seen\"\n",
        open[0].fingerprint
    );
    let accepted = Accepted::parse(&entry).unwrap();
    let report = history::between(&layout, pair[0], pair[1], &accepted).unwrap();
    assert_eq!(
        report.open(Level::Breaking).len(),
        report.summary().breaking - 1
    );
    assert!(
        report
            .print(Format::Text)
            .unwrap()
            .contains("accepted: seen")
    );
}

#[test]
fn accepting_a_change_keeps_the_rest_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::at(folder.path());
    fs::create_dir(layout.openapi()).unwrap();
    let here = Layout::here().unwrap();
    let lock = Lock::load(&here).unwrap();
    let report = history::between(
        &here,
        &lock.versions[1],
        &lock.versions[2],
        &Accepted::default(),
    )
    .unwrap();
    let open = report.open(Level::Breaking);
    assert_eq!(Accepted::add(&layout, &open[..1], "first").unwrap(), 1);
    let path = layout.openapi().join("accepted.toml");
    fs::write(
        &path,
        format!("# Kept.\n{}", fs::read_to_string(&path).unwrap()),
    )
    .unwrap();
    assert_eq!(
        Accepted::add(&layout, &open, "second").unwrap(),
        open.len() - 1
    );
    assert_eq!(Accepted::add(&layout, &open, "third").unwrap(), 0);
    assert!(Accepted::add(&layout, &open, " ").is_err());
    assert!(fs::read_to_string(&path).unwrap().starts_with("# Kept.\n"));
    let accepted = Accepted::load(&layout).unwrap();
    assert_eq!(accepted.reason(open[0]), Some("first"));
    assert_eq!(accepted.reason(open[1]), Some("second"));
}
