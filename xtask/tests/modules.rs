//! Circles of imports in small crates, and crates that only seem to have one.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

use std::fs;

use tempfile::TempDir;
use xtask::check_modules::{self, Circle, Report};

/// A workspace of one package with these files.
fn workspace(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let manifest = (
        "Cargo.toml",
        "[package]\nname = \"sample\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    for (name, text) in [manifest].iter().chain(files) {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn check(files: &[(&str, &str)]) -> Report {
    check_modules::check(workspace(files).path()).unwrap()
}

/// A library whose modules are all in one file.
fn circles(source: &str) -> Vec<Circle> {
    check(&[("src/lib.rs", source)]).circles
}

/// The modules of the only circle.
fn circle(source: &str) -> Vec<String> {
    let mut circles = circles(source);
    assert_eq!(circles.len(), 1, "{circles:?}");
    let circle = circles.remove(0);
    assert_steps_close(&circle);
    circle.modules
}

/// Checks that every step starts where the previous one ended.
fn assert_steps_close(circle: &Circle) {
    let next = circle.steps.iter().cycle().skip(1);
    for (step, next) in circle.steps.iter().zip(next) {
        assert_eq!(step.to, next.from, "{circle:?}");
    }
}

#[test]
fn two_modules_that_import_each_other_are_reported_with_file_line_and_import() {
    let report = check(&[
        ("src/lib.rs", "mod one;\nmod two;\n"),
        (
            "src/one.rs",
            "use crate::two::Two;\n\npub struct One(Two);\n",
        ),
        (
            "src/two.rs",
            "pub struct Two;\n\nimpl Two {\n    fn one(_: crate::one::One) {}\n}\n",
        ),
    ]);
    assert_eq!((report.crates, report.modules), (1, 3));
    let text: Vec<String> = report.circles.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "sample: 2 modules import each other: crate::one, crate::two\n  \
          crate::one uses crate::two: src/one.rs:1: use crate::two::Two\n  \
          crate::two uses crate::one: src/two.rs:4: crate::one::One\n  \
          help: move what both need into a module below both"
        ]
    );
}

#[test]
fn a_circle_of_three_is_found() {
    let modules = circle(
        "mod one { use crate::two::Two; pub struct One(Two); }
         mod two { use super::three::Three; pub struct Two(Three); }
         mod three { use crate::one::One; pub struct Three(Box<One>); }",
    );
    assert_eq!(modules, ["crate::one", "crate::two", "crate::three"]);
}

#[test]
fn the_shortest_circle_of_a_group_is_shown() {
    // One, two and three; each also reaches the module after the next by a longer way. The leaf is outside.
    let circles = circles(
        "mod one { pub struct T(crate::two::T, crate::one_a::T, crate::leaf::T); }
         mod one_a { pub struct T(crate::one_b::T); }
         mod one_b { pub struct T(crate::three::T); }
         mod two { pub struct T(crate::three::T, crate::two_a::T); }
         mod two_a { pub struct T(crate::two_b::T); }
         mod two_b { pub struct T(crate::one::T); }
         mod three { pub struct T(crate::one::T, crate::three_a::T); }
         mod three_a { pub struct T(crate::three_b::T); }
         mod three_b { pub struct T(crate::two::T); }
         mod leaf { pub struct T; }",
    );
    let [circle] = circles.as_slice() else {
        unreachable!("{circles:?}")
    };
    assert_eq!(circle.modules.len(), 9, "{circle:?}");
    let steps: Vec<&str> = circle.steps.iter().map(|step| step.from.as_str()).collect();
    assert_eq!(steps, ["crate::one", "crate::two", "crate::three"]);
}

#[test]
fn separate_circles_are_reported_separately() {
    let found = circles(
        "mod a { pub struct A(crate::b::B); }
         mod b { pub struct B(crate::a::A); }
         mod c { pub struct C(crate::d::D); }
         mod d { pub struct D(crate::c::C); }",
    );
    let modules: Vec<_> = found.into_iter().map(|circle| circle.modules).collect();
    assert_eq!(
        modules,
        [["crate::a", "crate::b"], ["crate::c", "crate::d"]]
    );
}

#[test]
fn a_path_through_a_re_export_leads_to_the_module_that_defines_the_item() {
    for re_export in [
        "pub use error::Error;",
        "pub use self::error::Failure as Error;",
        "pub use error::*;",
        "pub use error::Kind::*;",
        "pub(crate) use middle::Error; mod middle { pub use super::error::*; }",
        "use error::{self as failure}; pub use failure::Error;",
    ] {
        let modules = circle(&format!(
            "{re_export}
             mod error {{ use crate::call::Call; pub struct Error(Call); pub struct Failure; pub enum Kind {{ Error }} }}
             mod call {{ use crate::Error; pub struct Call(Box<Error>); }}"
        ));
        assert_eq!(modules, ["crate::error", "crate::call"], "{re_export}");
    }
}

#[test]
fn parent_and_child_that_use_each_other_are_a_circle() {
    for parent in [
        "use child::Child; pub struct Parent(Box<Child>);",
        "pub struct Parent(Box<child::Child>);",
        "pub use child::Child; pub struct Parent(Box<Child>);",
        "pub use child::*; pub struct Parent(Box<Child>);",
        "pub struct Parent; impl Parent { fn child() { self::child::make(); } }",
        "pub struct Parent; impl Parent { fn child() { use child::make; make(); } }",
    ] {
        for child in [
            "use super::Parent; pub struct Child(Parent);",
            "use super::*; pub struct Child(Parent);",
            "use crate::parent::{Parent as Above}; pub struct Child(Above);",
        ] {
            let modules = circle(&format!(
                "mod parent {{ {parent} mod child {{ {child} pub fn make() {{}} }} }}"
            ));
            assert_eq!(
                modules,
                ["crate::parent", "crate::parent::child"],
                "{parent} {child}"
            );
        }
    }
}

#[test]
fn every_place_that_can_name_a_path_counts() {
    for code in [
        "fn f() { crate::two::make(); }",
        "fn f() { super::two::make(); }",
        "use crate::two; fn f() { two::make(); }",
        "fn f() { let _ = crate::two::Kind::Large; }",
        "fn f() { println!(\"{:?}\", crate::two::make()); }",
        "use crate::two::*; fn f() { assert_eq!(make(), ()); }",
        "fn f() { let _ = vec![Some((1, super::two::Kind::Large))]; }",
        "fn f() { build!(..crate::two::make()); }",
        "macro_rules! kind { () => { $crate::two::Kind::Large }; }",
        "#[serde(with = \"crate::two::Kind\")] struct S;",
        "#[derive(crate::two::Kind)] struct S;",
        "impl crate::two::Make for One {}",
        "use crate::two::Make as _;",
        "use crate::two::Kind::*;",
        "fn f<T: super::two::Make>() {}",
        "fn f() { use crate::two; two::make(); }",
        "use crate::two::made_by_macro;",
        "use crate::two::not_to_be_seen;",
        "use crate::made_by_macro;",
    ] {
        let modules = circle(&format!(
            "pub use std::fmt::*; pub use two::*;
             mod one {{ {code} pub struct One; }}
             mod two {{ use crate::one::One; pub trait Make {{}} pub fn make() {{}} pub enum Kind {{ Large(One) }}
                        functions!(made_by_macro); }}"
        ));
        assert_eq!(modules, ["crate::one", "crate::two"], "{code}");
    }
}

#[test]
fn a_macro_of_the_parent_is_used_without_an_import() {
    let modules = circle(
        "mod parent {
             macro_rules! names { () => {}; }
             mod child { names!(); pub struct Child; }
             pub struct Parent(child::Child);
         }",
    );
    assert_eq!(modules, ["crate::parent", "crate::parent::child"]);
}

#[test]
fn crates_without_a_circle_pass() {
    for source in [
        // A re-export alone.
        "pub use child::Child; mod child { use super::Parent; pub struct Child(Parent); } pub struct Parent;",
        "pub use child::*; mod child { use super::Parent; pub struct Child(Parent); } pub struct Parent;",
        // Tests.
        "pub fn f() {} #[cfg(test)] mod checks { use super::*; pub fn run() { f(); } } fn g() { checks::run(); }",
        "pub fn f() {} mod tests { use super::*; pub fn run() { f(); } } fn g() { tests::run(); }",
        "mod one { pub struct One; #[cfg(test)] use crate::two::Two; } mod two { pub struct Two(crate::one::One); }",
        "mod one { pub struct One; #[cfg(all(test, unix))] fn f(_: crate::two::Two) {} }
         mod two { pub struct Two(crate::one::One); }",
        "mod one { pub struct One; impl One { #[cfg(test)] fn f() { crate::two::make(); } } }
         mod two { use crate::one::One; pub fn make() {} }",
        // A child that uses its sibling.
        "mod parent { mod one; mod two { pub struct Two(super::one::One); } pub use two::Two; }",
        // A parent that uses its children, one of which names the parent's path to reach the other.
        "mod one { pub struct One; } mod two { pub struct Two(crate::One); } pub use one::One; fn f(_: two::Two) {}",
        // Importing a module uses none of its items.
        "mod one { use crate::two; pub struct One; } mod two { pub struct Two(crate::one::One); }",
        // A variable with the name of an imported function, and a name from another crate.
        "pub use child::run; fn f() { let run = 1; g(run); } fn g(_: u8) {} mod child { pub fn run() { super::g(1); } }",
        "pub use std::fmt::Debug; pub struct Root; mod child { fn f(_: impl crate::Debug) {} } use child::*;",
        // Code for another crate.
        "mod one { pub struct One; fn f() { quote!(crate::two::Two); } } mod two { pub struct Two(crate::one::One); }",
        // Words in comments and strings.
        "mod one { /// [`crate::two::Two`]\n pub struct One; const TEXT: &str = \"crate::two::Two\"; }
         mod two { pub struct Two(crate::one::One); }",
    ] {
        let report = check(&[("src/lib.rs", source), ("src/parent/one.rs", "pub struct One;")]);
        assert!(report.circles.is_empty(), "{source}: {:?}", report.circles);
    }
}

#[test]
fn modules_are_found_as_by_the_compiler() {
    let report = check(&[
        (
            "src/lib.rs",
            "mod plain; mod folder; #[path = \"other/place.rs\"] mod moved; mod inline { mod inner; }",
        ),
        ("src/plain.rs", "mod child;"),
        (
            "src/plain/child.rs",
            "use crate::folder::child::C; pub struct P;",
        ),
        ("src/folder/mod.rs", "pub mod child;"),
        (
            "src/folder/child.rs",
            "use crate::moved::sibling::S; pub struct C;",
        ),
        ("src/other/place.rs", "pub mod sibling;"),
        (
            "src/other/sibling.rs",
            "use crate::inline::inner::I; pub struct S;",
        ),
        (
            "src/inline/inner.rs",
            "use crate::plain::child::P; pub struct I;",
        ),
    ]);
    assert_eq!(report.modules, 9);
    assert_eq!(
        report.circles[0].modules,
        [
            "crate::plain::child",
            "crate::folder::child",
            "crate::moved::sibling",
            "crate::inline::inner"
        ]
    );
}

#[test]
fn every_target_of_a_package_is_a_separate_crate() {
    let circle = "mod one { pub struct One(crate::two::Two); } mod two { pub struct Two(crate::one::One); } fn main() {}";
    let report = check(&[
        ("src/lib.rs", "pub struct Library;"),
        ("src/main.rs", circle),
        ("tests/whole.rs", circle),
        ("examples/first.rs", circle),
    ]);
    assert_eq!(report.crates, 4);
    let mut names: Vec<&str> = report
        .circles
        .iter()
        .map(|circle| circle.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "sample (bin sample)",
            "sample (example first)",
            "sample (test whole)"
        ]
    );
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let root = workspace(&[("src/lib.rs", "\nmod missing;\n")]);
    let error = format!("{:#}", check_modules::check(root.path()).unwrap_err());
    assert!(error.contains("`mod missing` in"), "{error}");
    assert!(
        error.contains("lib.rs:2: expected missing.rs or missing/mod.rs"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_rust_is_an_error_with_its_line() {
    let root = workspace(&[("src/lib.rs", "pub struct One;\nstruct struct;\n")]);
    let error = format!("{:#}", check_modules::check(root.path()).unwrap_err());
    assert!(error.contains("lib.rs:2: expected identifier"), "{error}");
}
