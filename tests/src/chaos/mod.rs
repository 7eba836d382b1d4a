//! A long run against sandboxes that fail all the time. What each caller is told of each call
//! is held against what the sandbox did, at once and in the end.
//!
//! - `plan`: how long and how rough
//! - `ask`, `choose`: what is asked for, and what comes next
//! - `send`, `told`: how the facade is asked, and what its result claims
//! - `holdings`: what a caller has, as far as it was told
//! - `trace`, `server`: which changes in the sandbox's log are a call's doing, and what the
//!   sandbox has
//! - `judge`, `outcome`: what is not as it was told, and the figures
//! - `coverage`: what a run has to have tried
//! - `faults`, `world`: one sandbox with its faults and callers
//!
//! A caller has ids of its own, and is held to all of them; others add and delete beside it.
//! A call that is still ambiguous is left alone: what it was about is not asked for again. And
//! where a request may still be under way, its caller waits for it before the next call, since no
//! client can help it that a create, repeated and carried out, arrives once more after a delete.

mod ask;
mod choose;
mod coverage;
mod faults;
mod holdings;
mod judge;
mod offers;
mod outcome;
mod plan;
mod send;
mod server;
mod told;
mod trace;
mod world;

use std::time::Instant;

use futures_util::StreamExt as _;

pub use self::outcome::{Error, Outcome, Verdict, Violation};
pub use self::plan::{Models, Plan};

/// Sandboxes at once.
const WORLDS: usize = 8;

/// Runs a plan, each of its shares against a sandbox of its own.
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
