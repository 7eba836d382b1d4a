//! Runs a driver through the vectors, even if it exits or hangs.

use std::ops::ControlFlow;
use std::time::Duration;

use super::driver::Program;
use super::{Case, Error, File, Player, Signing, compare};

/// A driver and its settings.
#[derive(Debug, Clone)]
pub struct Driver {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The time limit of a case.
    pub patience: Duration,
    /// Whether its standard error is discarded.
    pub quiet: bool,
}

/// Runs all cases of some files, and reports the problems of each.
///
/// A driver that exits or hangs fails the case, and is restarted for the next one.
///
/// # Errors
///
/// If the driver cannot be started.
pub async fn run(
    driver: &Driver,
    files: &[File],
    signing: &Signing,
    mut tell: impl FnMut(&File, &Case, &[String]) -> ControlFlow<()>,
) -> Result<(), Error> {
    let player = Player::start().await?;
    let start = || Program::start(&driver.command, driver.quiet, signing, &player);
    let mut running = None;
    for file in files {
        for case in &file.cases {
            let mut program = match running.take() {
                Some(program) => program,
                None => start()?,
            };
            player.play(case);
            let problems = match program.answer(&file.name, case, driver.patience).await {
                Ok(answer) => {
                    running = Some(program);
                    compare(case, &player.recorded(), &answer, signing)
                }
                Err(error) => vec![error.to_string()],
            };
            if tell(file, case, &problems).is_break() {
                return Ok(());
            }
        }
    }
    match running {
        Some(program) => program.finish(driver.patience).await,
        None => Ok(()),
    }
}
