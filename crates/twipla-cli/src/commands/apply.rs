//! `twipla apply`

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;
use twipla_plan::{Apply, OpenAction, Progress, Report, Stop};

use super::plan::{Made, PlanOptions, failure, is_plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Column, Columns};
use crate::progress::Bar;
use crate::terminal;

/// Bring the server to the state of a file or a plan
///
/// For a file, a plan is made first; deletions, cancellations and downgrades must be confirmed. An interrupted run continues
/// where it stopped when it is started again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla apply customers.csv
  twipla apply plan.json    # of `twipla plan customers.csv --out plan.json`
  twipla apply plan.json --rate 50 --in-flight 16 --yes")]
pub(crate) struct ApplyCommand {
    /// File with the wanted state, or a plan from `twipla plan --out`
    #[arg(value_name = "FILE", default_value = "plan.json", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Journal of the started and completed actions; next to the plan by default
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    journal: Option<PathBuf>,
    /// Apply a plan that deletes 100 customers and websites or more, or more than 30 % of them
    #[arg(long)]
    force: bool,
    /// Also change what has changed on the server since the plan was made
    #[arg(long)]
    refresh: bool,
    /// Number of customers to process at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    in_flight: usize,
    #[command(flatten)]
    options: PlanOptions,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "outcome",
            path: "outcome",
        },
        Column {
            title: "customer",
            path: "customer",
        },
        Column {
            title: "action",
            path: "action",
        },
        Column {
            title: "reason",
            path: "reason",
        },
    ],
    others: &[],
};

impl ApplyCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Exit> {
        context.limit_rate(self.options.rate);
        let interrupt = context.interrupt.clone();
        let made = tokio::select! {
            made = self.made(context) => made?,
            () = interrupt.wait() => return Ok(Exit::Interrupted),
        };
        let plan = &made.plan;
        if plan.summary().is_empty() {
            terminal::note("there is nothing to do");
            return Ok(Exit::Done);
        }
        let change = format!("apply {} actions", plan.summary().actions);
        let summary = plan.summary();
        let is_reducing = summary.deletions() + summary.downgrades + summary.cancellations > 0;
        let twipla = if is_reducing {
            tokio::select! {
                twipla = context.client_to_destroy(&change) => twipla?,
                () = interrupt.wait() => return Ok(Exit::Interrupted),
            }
        } else {
            context.client_to(&change).await?
        };
        let stop = Stop::default();
        let requested = stop.clone();
        let on_interrupt = tokio::spawn(async move {
            interrupt.wait().await;
            terminal::note("interrupted: waiting for the actions in progress");
            requested.request();
        });
        let bar = Bar::start(summary.actions);
        let shown = bar.clone();
        let report = Apply::new(&twipla, plan, self.journal(&made))
            .in_flight(self.in_flight)
            .force(self.force)
            .refresh(self.refresh)
            .stop(&stop)
            .on_progress(move |event| shown.at(&event.progress))
            .run()
            .await;
        bar.end();
        let is_interrupted = on_interrupt.is_finished();
        on_interrupt.abort();
        let report = report.map_err(failure)?;
        write(&report, context)?;
        end(&report, is_interrupted)
    }

    /// Returns the plan: an existing one, or one that is made now.
    async fn made(&self, context: &mut Context) -> Result<Made> {
        if is_plan(&self.file) {
            return Made::open(&self.file);
        }
        let made = self.options.plan(&self.file, None, context).await?;
        if context.output.is_for_people() {
            made.show(context, Some(20))?;
            context.output.finish()?;
        }
        Ok(made)
    }

    /// Returns the path of the journal. A plan that is made again at each run takes the results of earlier runs from the server.
    fn journal(&self, made: &Made) -> PathBuf {
        if let Some(journal) = &self.journal {
            return journal.clone();
        }
        if made.is_temporary() {
            return made.plan.path().with_extension("journal");
        }
        beside(&self.file)
    }
}

/// Returns `plan.json.journal` for `plan.json`.
fn beside(plan: &Path) -> PathBuf {
    let mut name = plan.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}

/// The report of a run for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    total: u64,
    earlier: u64,
    done: u64,
    already_so: u64,
    failed: u64,
    moved: u64,
    in_doubt: u64,
    seconds: f64,
    stopped: Option<&'a str>,
    open: Vec<Open<'a>>,
}

/// An action that is not complete.
#[derive(Serialize)]
struct Open<'a> {
    outcome: &'static str,
    customer: &'a str,
    action: &'a str,
    reason: &'a str,
}

impl<'a> Open<'a> {
    fn of(action: &'a OpenAction) -> Self {
        Self {
            outcome: match (action.in_doubt, action.moved) {
                (true, _) => "in doubt",
                (_, true) => "moved",
                _ => "failed",
            },
            customer: action.customer.as_str(),
            action: &action.action,
            reason: &action.reason,
        }
    }
}

fn write(report: &Report, context: &mut Context) -> Result<()> {
    let open: Vec<Open<'_>> = report.open.iter().map(Open::of).collect();
    if context.output.is_for_people() {
        context.output.text(&counts(&report.progress))?;
        if open.is_empty() {
            return Ok(());
        }
        return context.output.all(&COLUMNS, open);
    }
    if context.output.is_rows() {
        return context.output.all(&COLUMNS, open);
    }
    let progress = &report.progress;
    context.output.record(&Written {
        total: progress.total,
        earlier: progress.earlier,
        done: progress.done,
        already_so: progress.already_so,
        failed: progress.failed,
        moved: progress.moved,
        in_doubt: progress.in_doubt,
        seconds: progress.elapsed.as_secs_f64(),
        stopped: report.stopped.as_deref(),
        open,
    })
}

fn counts(progress: &Progress) -> String {
    let rows = [
        ("done", progress.done),
        ("done earlier", progress.earlier),
        ("already done", progress.already_so),
        ("failed", progress.failed),
        ("moved", progress.moved),
        ("in doubt", progress.in_doubt),
        (
            "not started",
            progress.total.saturating_sub(progress.ended()),
        ),
    ];
    let rows: Vec<String> = rows
        .into_iter()
        .filter(|(name, count)| *count > 0 || *name == "done")
        .map(|(name, count)| format!("{name:<12}  {count:>8}\n"))
        .collect();
    rows.concat()
}

fn end(report: &Report, is_interrupted: bool) -> Result<Exit> {
    if report.is_complete() {
        return Ok(Exit::Done);
    }
    let progress = &report.progress;
    if is_interrupted {
        return Ok(Exit::Interrupted);
    }
    let open = progress.failed + progress.moved + progress.in_doubt;
    let what = match &report.stopped {
        Some(reason) => format!("cannot continue: {reason}"),
        None => format!("{open} of {} actions are not complete", progress.total),
    };
    let exit = if progress.in_doubt > 0 {
        Exit::Ambiguous
    } else if progress.done + progress.earlier + progress.already_so > 0 {
        Exit::Partly
    } else {
        Exit::Failed
    };
    let remedy = if progress.moved > 0 {
        "plan again, or apply with --refresh"
    } else {
        "run the command again to continue"
    };
    Err(Failure::new(what, remedy).with_exit(exit))
}
