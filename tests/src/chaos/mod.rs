//! A long run against sandboxes that fail all the time. The result of each call is compared with what the sandbox did,
//! immediately and at the end.
//!
//! - `plan`: length and settings of a run
//! - `ask`, `choose`: the requests, and which one is next
//! - `send`, `claim`: calls of the facade, and what their results claim
//! - `holdings`: what a caller has, according to the results
//! - `trace`, `server`: the changes in the sandbox's log that belong to a call, and the state of the sandbox
//! - `judge`, `outcome`: false claims, and the figures
//! - `coverage`: what a run must have tried
//! - `faults`, `world`: one sandbox with its faults and callers
//!
//! A caller has its own ids, all of which are checked; others add and delete at the same time. After an ambiguous call,
//! nothing more is requested about the same resource. If a request may still be in flight, its caller waits for it before
//! the next call, because no client can prevent that a create, retried and carried out, arrives once more after a delete.

mod ask;
mod choose;
mod claim;
mod coverage;
mod faults;
mod holdings;
mod judge;
mod offers;
mod outcome;
mod plan;
mod send;
mod server;
mod trace;
mod world;

use std::time::Instant;

use futures_util::StreamExt as _;

pub use self::outcome::{Error, Outcome, Verdict, Violation};
pub use self::plan::{Models, Plan};

/// The number of sandboxes that run in parallel.
const WORLDS: usize = 8;

/// Runs a plan, each of its shares against a separate sandbox.
///
/// # Errors
///
/// If a sandbox does not start, or a caller panics.
pub async fn run(plan: Plan) -> Result<Outcome, Error> {
    let started = Instant::now();
    let worlds = plan.shares().into_iter();
    let worlds = worlds.map(|share| tokio::spawn(world::run(share)));
    let mut outcomes = futures_util::stream::iter(worlds).buffered(WORLDS);
    let mut total = Outcome::default();
    while let Some(outcome) = outcomes.next().await {
        total.merge(outcome??);
    }
    total.missing = coverage::missing(&plan, &total);
    total.millis = started.elapsed().as_millis();
    Ok(total)
}
