//! The table of situations that were once reported incorrectly.

#[tokio::test]
async fn situations_are_reported_correctly() {
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
        "the change is in force",
        "the change is in force",
        "`Conflict`: certain",
        "done",
        "about somebody-elses",
        "done",
        "no such thing",
        "`Rejected`: certain",
        "0 of 40 failed",
        "as long as requested",
        "`Decode`",
        "`Decode`",
        "done",
        "the cause is shown",
        "0 of 10 later ones failed",
        "in flight",
    ];
    assert_eq!(now.len(), expected.len(), "{table}");
    let shown = table.replace('\n', "");
    assert!(
        !shown
            .chars()
            .any(|letter| letter.is_control() || letter == '\u{202e}')
    );
    assert!(!table.contains("twpl-1234"), "{table}");
    for (now, expected) in now.iter().zip(expected) {
        assert!(now.contains(expected), "{expected}: {now}");
    }
}
