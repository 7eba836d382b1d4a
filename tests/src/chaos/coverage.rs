//! What a run must have tried: a check of something that never happens cannot fail.

use twipla_api::operation::{Auth, Operation};
use twipla_api::operations;

use super::ask::COMPOSED;
use super::faults;
use super::outcome::Outcome;
use super::plan::{Models, Plan};

/// The number of calls that are enough to try everything; fewer may miss something. The rarest, the end of a rotation,
/// occurs 34 times in 20,000.
const ENOUGH: u64 = 10_000;
/// Operations of a partner that change nothing and have no id to confuse.
const LEFT_OUT: [&str; 2] = ["get_company_details", "get_website_by_id"];

/// Returns the operations, composed calls and faults that never occurred.
pub(super) fn missing(plan: &Plan, outcome: &Outcome) -> Vec<String> {
    if plan.operations < ENOUGH {
        return Vec::new();
    }
    let mut wanted = Vec::new();
    for operation in operations::ALL.iter().filter(|op| is_of(plan.models, op)) {
        wanted.push((operation.id, outcome.by_operation.get(operation.id)));
    }
    for name in COMPOSED {
        wanted.push((name, outcome.composed.get(name)));
    }
    if plan.fault_rate > 0.0 {
        for trouble in faults::all() {
            wanted.push((trouble.name, outcome.by_fault.get(trouble.name)));
        }
    }
    let never = |(_, count): &(&str, Option<&u64>)| count.is_none_or(|count| *count == 0);
    wanted.retain(never);
    wanted
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Reports whether a partner of these models has the operation.
fn is_of(models: Models, operation: &Operation) -> bool {
    let is_of_account = operation.id.ends_with("_intpc_subscription");
    let is_of_website =
        operation.id.ends_with("_website_subscription") || operation.id == "create_website_flat";
    operation.auth == Auth::PartnerToken
        && operation.tag != "analytics"
        && !LEFT_OUT.contains(&operation.id)
        && match models {
            Models::Website => !is_of_account,
            Models::Account => !is_of_website,
            Models::Both => true,
        }
}

#[cfg(test)]
mod tests {
    use twipla_api::operation::Idempotency;

    use super::*;

    #[test]
    fn run_without_calls_misses_every_change() {
        let plan = Plan {
            operations: ENOUGH,
            fault_rate: 0.3,
            seed: 1,
            models: Models::Both,
            callers: 1,
        };
        let missing = missing(&plan, &Outcome::default());
        let is_missing = |name: &str| missing.iter().any(|known| known == name);
        let changes = operations::ALL.iter().filter(|operation| {
            operation.auth == Auth::PartnerToken && operation.idempotency != Idempotency::Safe
        });
        for operation in changes {
            assert!(is_missing(operation.id) || operation.tag == "analytics");
        }
        assert!(is_missing("bulk create_websites") && is_missing("late commit"));
    }
}
