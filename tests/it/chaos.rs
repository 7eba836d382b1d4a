//! A short run of the chaos program.

use twipla_tests::chaos::{Models, Plan, run};

#[tokio::test(flavor = "multi_thread")]
async fn results_are_true_under_faults() {
    let plan = Plan {
        operations: 1_000,
        fault_rate: 0.3,
        seed: 7,
        models: Models::Both,
        callers: 2,
    };
    let outcome = run(plan).await.unwrap();
    let violations: Vec<_> = outcome.violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n\n"));
    assert!(outcome.operations >= 1_000, "{}", outcome.operations);
    assert!(outcome.failures > 10, "the faults did strike: {outcome:?}");
    assert!(
        (0.25..0.35).contains(&outcome.fault_rate()),
        "{}",
        outcome.fault_rate()
    );
}
