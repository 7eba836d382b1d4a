//! The table of faults in `tests/README.md` is up to date.

#[tokio::test]
async fn readme_has_the_current_fault_table() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme
        .split_once("<!-- fault table -->\n\n")
        .expect("the marker of the table");
    let (shown, _) = rest
        .split_once("\n<!-- /fault table -->")
        .expect("the end of the table");
    let table = twipla_tests::fault_table::table().await.unwrap();
    assert!(!table.contains("unexpected"), "{table}");
    assert_eq!(
        shown, table,
        "run `cargo run -p twipla-tests --bin fault-table` and put its output into tests/README.md"
    );
}
