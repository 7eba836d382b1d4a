//! Creates 1,000 websites through a gateway that allows 5 requests per second, and prints how many requests that took:
//! `cargo run -p twipla-tests --bin throttling`. Exit code 1 above 1.2 for each.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use twipla_tests::throttling::create_many;

/// Creates websites through a gateway that allows few requests.
#[derive(Parser)]
struct Args {
    /// Websites to create
    #[arg(long, default_value_t = 1_000)]
    creates: usize,
    /// Requests per second that the gateway allows
    #[arg(long, default_value_t = 5.0)]
    per_second: f64,
}

#[tokio::main]
async fn main() -> twipla::Result<ExitCode> {
    let args = Args::parse();
    let started = Instant::now();
    let outcome = create_many(args.creates, args.per_second).await?;
    if let Some(failure) = &outcome.failure {
        println!("first failure: {failure}");
    }
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    let ratio = outcome.requests as f64 / outcome.creates.max(1) as f64;
    println!("creates              {}", outcome.creates);
    println!("succeeded            {}", outcome.done);
    println!("requests             {}", outcome.requests);
    println!("requests per create  {ratio:.3}");
    println!("wall time            {} s", started.elapsed().as_secs());
    Ok(if outcome.is_fine() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
