//! Chaos on loopback: `cargo run --release -p twipla-tests --bin chaos -- --ops 20000 --fault-rate 0.3 --seed 1`.
//! Exit code 1 if anything that a caller was told is not true.

use std::process::ExitCode;

use clap::Parser;
use twipla_tests::chaos::{self, Plan};

/// Calls a faulty sandbox from 32 tasks, and holds what they were told against what it has.
#[derive(Parser)]
struct Args {
    /// Calls in all
    #[arg(long, default_value_t = 2_000)]
    ops: u64,
    /// Share of the requests that a fault strikes, from 0 to 1
    #[arg(long, default_value_t = 0.3, value_parser = rate)]
    fault_rate: f64,
    /// The same seed gives the same calls
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Args {
        ops,
        fault_rate,
        seed,
    } = Args::parse();
    let outcome = match chaos::run(Plan {
        ops,
        fault_rate,
        seed,
    })
    .await
    {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("error: the run cannot be set up: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("operations        {}", outcome.operations);
    println!("attempts          {}", outcome.requests);
    println!("failures told     {}", outcome.failures);
    println!("wall time         {} ms", outcome.millis);
    println!("lost              {}", outcome.lost);
    println!("doubled           {}", outcome.doubled);
    println!("wrongly reported  {}", outcome.wrongly_reported);
    println!("unclassified      {}", outcome.unclassified);
    match serde_json::to_string(&outcome) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("error: cannot write the figures: {error}"),
    }
    if outcome.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err(format!("{text:?} is no share from 0 to 1")),
    }
}
