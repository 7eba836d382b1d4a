//! A short run of the chaos program.

use twipla_tests::chaos::{Plan, run};

#[tokio::test(flavor = "multi_thread")]
async fn what_callers_are_told_is_true_under_faults() {
    let plan = Plan {
        ops: 600,
        fault_rate: 0.3,
        seed: 7,
    };
    let outcome = run(plan).await.unwrap();
    assert!(outcome.is_clean(), "{outcome:?}");
    assert_eq!(outcome.operations, 600);
    assert!(outcome.failures > 10, "the faults did strike: {outcome:?}");
}
