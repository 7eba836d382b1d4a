//! Chaos on loopback: `cargo run --release -p twipla-tests --bin chaos -- --ops 20000 --fault-rate 0.3 --seed 1`. Exit code
//! 1 if any result was false, or something was never tried.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use twipla_tests::chaos::{self, Models, Outcome, Plan};

/// Calls sandboxes that fail all the time, and compares the results with the state of the sandboxes.
#[derive(Parser)]
struct Args {
    /// Number of calls
    #[arg(long, default_value_t = 2_000)]
    ops: u64,
    /// Share of the requests with a fault, from 0 to 1
    #[arg(long, default_value_t = 0.3, value_parser = rate)]
    fault_rate: f64,
    /// The same seed gives the same calls
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Subscription model
    #[arg(long, value_enum, default_value = "both")]
    model: Model,
    /// Callers that share a client; with 1 it is certain which faults belong to a call
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    callers: u64,
    /// Print the figures and the violations as one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Model {
    Website,
    Account,
    Both,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let plan = Plan {
        operations: args.ops,
        fault_rate: args.fault_rate,
        seed: args.seed,
        models: match args.model {
            Model::Website => Models::Website,
            Model::Account => Models::Account,
            Model::Both => Models::Both,
        },
        callers: args.callers,
    };
    let outcome = match chaos::run(plan).await {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("error: cannot run: {error}");
            return ExitCode::FAILURE;
        }
    };
    if args.json {
        match serde_json::to_string(&outcome) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("error: cannot write the figures: {error}"),
        }
    } else {
        print(&outcome);
    }
    if outcome.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print(outcome: &Outcome) {
    for violation in &outcome.violations {
        println!("{violation}\n");
    }
    for (operation, count) in &outcome.by_operation {
        println!("{operation:<36}{count:>8}");
    }
    for (name, count) in &outcome.composed {
        println!("{name:<36}{count:>8}");
    }
    println!();
    for (fault, count) in &outcome.by_fault {
        println!("{fault:<36}{count:>8}");
    }
    println!();
    for name in &outcome.missing {
        println!("NEVER TRIED: {name}");
    }
    println!("operations        {}", outcome.operations);
    println!("requests          {}", outcome.requests);
    println!("fault rate        {:.3}", outcome.fault_rate());
    println!("failures          {}", outcome.failures);
    println!("ambiguous         {}", outcome.ambiguous);
    println!("wall time         {} ms", outcome.millis);
    println!("lost              {}", outcome.lost);
    println!("doubled           {}", outcome.doubled);
    println!("wrongly reported  {}", outcome.wrongly_reported);
    println!("unclassified      {}", outcome.unclassified);
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err(format!(
            "invalid fault rate {text:?}: expected a number from 0 to 1"
        )),
    }
}
