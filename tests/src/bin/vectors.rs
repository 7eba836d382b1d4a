//! Checks a binding against the wire vectors: `cargo run -p twipla-tests --bin vectors -- python3 tests/vectors/driver.py`.
//!
//! The exit code is 0 if every case passes, 1 if one does not, and 2 if the driver cannot be started.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::StreamExt as _;
use twipla_tests::replay::{self, Driver, File, Mistake, Signing};

/// The number of drivers with mistakes that run at the same time.
const AT_ONCE: usize = 6;

/// Check a binding in any language against the wire vectors
#[derive(Debug, Parser)]
struct Options {
    /// Only the cases whose file or name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// List the cases without running them
    #[arg(long)]
    list: bool,
    /// Run the Python driver with one mistake at a time, each of which must be caught
    ///
    /// With --only, the mistakes whose names contain the text.
    #[arg(long, conflicts_with_all = ["list", "driver"])]
    mutants: bool,
    /// Print every case, not only those that fail
    #[arg(short, long)]
    verbose: bool,
    /// Time limit of a case, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    patience: u64,
    /// The driver and its arguments
    #[arg(trailing_var_arg = true, required_unless_present_any = ["list", "mutants"])]
    driver: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match start(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn start(options: &Options) -> Result<bool, replay::Error> {
    let patience = Duration::from_secs(options.patience);
    if options.mutants {
        return mutants(options, patience).await;
    }
    let files = chosen(options)?;
    if options.list {
        for file in &files {
            for case in &file.cases {
                println!("{}/{}: {}", file.name, case.name, case.why);
            }
        }
        return Ok(true);
    }
    let driver = Driver {
        command: options.driver.clone(),
        patience,
        quiet: false,
    };
    check(options, &driver, &files).await
}

/// Returns the files with the selected cases.
fn chosen(options: &Options) -> Result<Vec<File>, replay::Error> {
    let mut files = replay::load(&replay::folder())?;
    if let Some(only) = &options.only {
        for file in &mut files {
            let name = &file.name;
            file.cases
                .retain(|case| format!("{name}/{}", case.name).contains(only));
        }
        files.retain(|file| !file.cases.is_empty());
        if files.is_empty() {
            return Err(format!("no case has a name that contains {only:?}: see --list").into());
        }
    }
    Ok(files)
}

async fn check(options: &Options, driver: &Driver, files: &[File]) -> Result<bool, replay::Error> {
    let signing = Signing::new().await?;
    // Passed and failed, by topic.
    let mut topics: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    replay::run(driver, files, &signing, |file, case, problems| {
        let name = format!("{}/{}", file.name, case.name);
        let (passed, failed) = topics.entry(file.topic().to_owned()).or_default();
        if problems.is_empty() {
            *passed += 1;
            if options.verbose {
                println!("ok   {name}");
            }
            return ControlFlow::Continue(());
        }
        *failed += 1;
        println!("FAIL {name}: {}", case.why);
        for problem in problems {
            println!("     {problem}");
        }
        ControlFlow::Continue(())
    })
    .await?;
    for (topic, (passed, failed)) in &topics {
        println!("{topic:16} {passed:4} passed, {failed} failed");
    }
    let (passed, failed) = topics
        .values()
        .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

async fn mutants(options: &Options, patience: Duration) -> Result<bool, replay::Error> {
    let signing = Signing::new().await?;
    let files = replay::load(&replay::folder())?;
    let mut mistakes = replay::mistakes()?;
    if let Some(only) = &options.only {
        mistakes.retain(|mistake| mistake.name.contains(only));
    }
    let runs = mistakes.iter().map(|mistake| {
        let driver = Driver {
            command: replay::mistaken(&mistake.name),
            patience,
            // Some crash because of their mistake.
            quiet: true,
        };
        first_problem(driver, &files, &signing)
    });
    // Most of the time they wait, as the vectors require.
    let mut runs = futures_util::stream::iter(runs).buffered(AT_ONCE);
    let mut survivors = 0;
    for Mistake { name, what } in &mistakes {
        if let Some(problem) = runs.next().await.transpose()?.flatten() {
            println!("caught   {name} ({what})\n         by {problem}");
        } else {
            survivors += 1;
            println!("SURVIVED {name} ({what})");
        }
    }
    let caught = mistakes.len() - survivors;
    println!("{caught} of {} mistakes caught", mistakes.len());
    Ok(survivors == 0)
}

/// Returns the first case that a driver fails, and why.
async fn first_problem(
    driver: Driver,
    files: &[File],
    signing: &Signing,
) -> Result<Option<String>, replay::Error> {
    let mut found = None;
    replay::run(&driver, files, signing, |file, case, problems| {
        let Some(problem) = problems.first() else {
            return ControlFlow::Continue(());
        };
        found = Some(format!("{}/{}: {problem}", file.name, case.name));
        ControlFlow::Break(())
    })
    .await?;
    Ok(found)
}
