//! Checks a binding against the wire vectors:
//! `cargo run -p twipla-tests --bin vectors -- python3 tests/vectors/driver.py`.
//!
//! The exit code is 0 where every case passes, 1 where one does not, and 2
//! where the driver cannot be run or stops answering.

use std::process::ExitCode;

use clap::Parser;
use twipla_tests::replay::{self, Player, Program, Signing};

/// Check a binding in any language against the wire vectors
#[derive(Debug, Parser)]
struct Options {
    /// Only the cases whose file or name contains this
    #[arg(long)]
    only: Option<String>,
    /// Name every case, not only those that fail
    #[arg(short, long)]
    verbose: bool,
    /// The driver and its arguments
    #[arg(trailing_var_arg = true, required = true)]
    driver: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: &Options) -> Result<bool, replay::Error> {
    let signing = Signing::new().await?;
    let player = Player::start().await?;
    let mut driver = Program::start(&options.driver, &signing, &player.base_url())?;
    let (mut passed, mut failed) = (0, 0);
    for file in replay::load(&replay::folder())? {
        for case in &file.cases {
            let name = format!("{}/{}", file.name, case.name);
            if options
                .only
                .as_ref()
                .is_some_and(|only| !name.contains(only))
            {
                continue;
            }
            player.play(case);
            let answer = driver.answer(&file.name, case).await?;
            let problems = replay::compare(case, &player.recorded(), &answer, &signing);
            if problems.is_empty() {
                passed += 1;
                if options.verbose {
                    println!("ok   {name}");
                }
                continue;
            }
            failed += 1;
            println!("FAIL {name}: {}", case.why);
            for problem in problems {
                println!("     {problem}");
            }
        }
    }
    driver.finish().await?;
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}
