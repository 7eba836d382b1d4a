//! The table of situations that were once told wrongly.

#[tokio::test]
async fn what_was_once_told_wrongly_is_told_truly() {
    let table = twipla_tests::situations::table().await.unwrap();
    let now: Vec<_> = table
        .lines()
        .skip(2)
        .filter_map(|row| row.split(" | ").nth(2))
        .collect();
    let expected = [
        "the change is in force",
        "`Connection`: ambiguous",
        "`Connection`: ambiguous",
        "done",
        "`Server`: certain",
        "no such plan",
        "longer than 0.400 s",
    ];
    assert_eq!(now.len(), expected.len(), "{table}");
    for (now, expected) in now.iter().zip(expected) {
        assert!(now.contains(expected), "{expected}: {now}");
    }
}
