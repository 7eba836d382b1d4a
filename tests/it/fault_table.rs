//! The table of faults in `tests/README.md` is what a caller sees.

#[tokio::test]
async fn readme_shows_what_a_caller_sees_of_each_fault() {
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
