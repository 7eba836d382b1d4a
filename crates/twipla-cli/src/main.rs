//! The program `twipla`: the 3AS API on the command line.
//!
//! It only handles arguments, output and files. All rules of the API are in the crate `twipla`.

mod cli;
mod commands;
mod complete;
mod context;
mod each;
mod exit;
mod failure;
mod files;
mod interrupt;
mod options;
mod output;
mod plot;
mod progress;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::Cli;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

fn main() -> ExitCode {
    // The shell asks for completions through a variable, and expects nothing else to happen.
    clap_complete::CompleteEnv::with_factory(Cli::command).complete();
    let cli = Cli::parse();
    cli.options.color.write_global();
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(format!("cannot start: {error}"), "try again");
            return failure.report(false);
        }
    };
    let code = runtime.block_on(run(cli));
    // Do not wait for a thread that reads an answer from the terminal.
    runtime.shutdown_background();
    code
}

async fn run(cli: Cli) -> ExitCode {
    let mut context = match Context::new(cli.options, Cli::command) {
        Ok(context) => context,
        Err(failure) => return failure.report(false),
    };
    let result = commands::run(cli.command, &mut context).await;
    let result = result.and_then(|exit| context.output.finish().map(|()| exit));
    match result {
        Ok(Exit::Interrupted) => {
            context.report_interrupt();
            Exit::Interrupted.into()
        }
        Ok(exit) => exit.into(),
        Err(failure) => {
            // Entries that were read before the failure are data, too.
            let _ = context.output.finish();
            failure.report(context.is_changing())
        }
    }
}
