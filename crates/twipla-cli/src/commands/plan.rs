//! `twipla plan`

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use tempfile::TempDir;
use twipla_plan::{Error, Plan, PlanProgress, Planner, Shard, Wanted};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::Spinner;

/// Show the changes that would bring the server to the state of a file
///
/// The file lists customers and their websites, packages, domains and contributors, as TOML, YAML, JSON or CSV. Nothing is
/// changed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla plan customers.csv
  twipla plan customers.toml --prune --out plan.json
  twipla plan customers.csv --shard 0/4 -o json")]
#[command(after_long_help = "Examples:
  twipla plan customers.csv
  twipla plan customers.toml --prune --out plan.json
  twipla plan customers.csv --shard 0/4 -o json

Exit codes:
    0  nothing to do
    2  there are changes (or wrong arguments, with nothing on standard output)")]
pub(crate) struct PlanCommand {
    /// File with the wanted state, ending in .toml, .yaml, .json or .csv
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Save the plan to a file, for `twipla apply`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Show the actions of this many customers
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    options: PlanOptions,
}

/// Options for making a plan.
#[derive(Debug, Args)]
pub(crate) struct PlanOptions {
    /// Delete what the file does not list
    #[arg(long)]
    prune: bool,
    /// Plan only the customers of this part, such as 0/4 on the first of four machines
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Send at most this many requests per second; fewer if the server asks for it
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<f64>,
}

impl PlanCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Exit> {
        context.limit_rate(self.options.rate);
        let made = self.options.plan(&self.file, self.out.as_deref(), context);
        let made = made.await?;
        made.show(context, self.limit)?;
        Ok(if made.plan.summary().is_empty() {
            Exit::Done
        } else {
            Exit::Changes
        })
    }
}

/// A plan, and its folder if it is temporary.
pub(crate) struct Made {
    pub(crate) plan: Plan,
    folder: Option<TempDir>,
}

impl PlanOptions {
    /// Makes a plan in `out`, or in a temporary folder.
    pub(crate) async fn plan(
        &self,
        file: &Path,
        out: Option<&Path>,
        context: &mut Context,
    ) -> Result<Made> {
        let wanted = Wanted::open(file).map_err(failure)?;
        wanted.check().map_err(failure)?;
        let twipla = context.client().await?;
        let folder = match out {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(|error| {
                let what = format!("cannot write a plan to the temporary folder: {error}");
                Failure::new(what, "pass --out FILE")
            })?),
        };
        let path = match (&folder, out) {
            (Some(folder), _) => folder.path().join("plan.json"),
            (None, out) => out.unwrap_or(Path::new("plan.json")).to_owned(),
        };
        let spinner = Spinner::start();
        let shown = spinner.clone();
        let mut planner = Planner::new(&twipla)
            .prune(self.prune)
            .on_progress(move |progress| match progress {
                PlanProgress::Read(count) => shown.say(format!("{count} read from the server")),
                PlanProgress::Compared(count) => shown.say(format!("{count} customers compared")),
                _ => {}
            });
        if let Some(shard) = self.shard {
            planner = planner.shard(shard);
        }
        let plan = planner.plan(&wanted, &path).await;
        spinner.end();
        Ok(Made {
            plan: plan.map_err(failure)?,
            folder,
        })
    }
}

impl Made {
    /// Opens a plan in a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let plan = Plan::open(path).map_err(failure)?;
        Ok(Self { plan, folder: None })
    }

    /// Returns whether the plan is deleted when the program ends.
    pub(crate) fn is_temporary(&self) -> bool {
        self.folder.is_some()
    }

    /// Writes the plan as text, or its summary for programs.
    pub(crate) fn show(&self, context: &mut Context, limit: Option<usize>) -> Result<()> {
        if context.output.is_for_people() {
            let text = self.plan.write_text(context.output.writer(), limit);
            return text.map_err(failure);
        }
        context.output.record(self.plan.summary())
    }
}

/// Returns whether a file is a plan, rather than a wanted state.
pub(crate) fn is_plan(path: &Path) -> bool {
    use std::io::{BufRead as _, Read as _};

    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    let mut first = String::new();
    // No header is longer, and a file without line ends may be large.
    let read = std::io::BufReader::new(file.take(1 << 20)).read_line(&mut first);
    read.is_ok() && first.starts_with("{\"twipla_plan\"")
}

pub(crate) fn failure(error: Error) -> Failure {
    let what = error.to_string();
    match error {
        Error::Api(error) => error.into(),
        Error::Invalid(_) => Failure::usage(what, "correct the input"),
        Error::Refused(_) => Failure::usage(
            what,
            "check the plan; --force allows deletions, --journal selects another journal",
        ),
        Error::Io(_, error) if error.kind() == std::io::ErrorKind::NotFound => Failure::usage(
            what,
            "pass an existing file; `twipla plan FILE --out plan.json` makes a plan",
        ),
        Error::Io(..) => Failure::new(what, "check the file, its folder and the space on the disk"),
        _ => Failure::new(what, "try again"),
    }
}
