//! Takes a driver through the vectors, whatever it does.

use std::ops::ControlFlow;
use std::time::Duration;

use super::driver::Program;
use super::{Case, Error, File, Player, Signing, compare};

/// How a driver is run.
#[derive(Debug, Clone)]
pub struct Driver {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// A case that takes longer hangs.
    pub patience: Duration,
    /// Whether what it says on standard error is thrown away.
    pub quiet: bool,
}

/// Goes through all cases of some files, and tells what is wrong with each.
///
/// A driver that ends or hangs fails the case, and is started again for the next one.
///
/// # Errors
///
/// Where the driver cannot be started.
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
