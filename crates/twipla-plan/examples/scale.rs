//! Plans and applies many customers and websites from a CSV file against a sandbox
//! with a rate limit and faults, kills the process a few times, and checks that
//! the sandbox matches the file, with nothing done twice.
//!
//! ```sh
//! cargo run --release -p twipla-plan --example scale -- --customers 20000 --websites 100000 --faults 5 --kills 3
//! ```
//!
//! The sandbox and the process that applies are separate processes of this program, so that
//! time and memory are measured separately.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, BufWriter, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use twipla::{PrivateKey, Twipla};
use twipla_plan::{Apply, Plan, Planner, Wanted};
use twipla_sandbox::{Fault, FaultKind, Sandbox};

#[derive(Parser)]
struct Args {
    /// Number of customers in the file
    #[arg(long, default_value_t = 1000)]
    customers: usize,
    /// Number of websites in the file, spread over the customers
    #[arg(long, default_value_t = 5000)]
    websites: usize,
    /// Percentage of requests that get a fault
    #[arg(long, default_value_t = 5.0)]
    faults: f64,
    /// How often the process that applies is killed
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// Requests per second that the sandbox accepts, and that the client sends
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// Customers processed at once
    #[arg(long, default_value_t = 32)]
    in_flight: usize,
    /// The role of this process
    #[arg(long, hide = true, value_enum, default_value_t = Role::Lead)]
    role: Role,
    /// The folder shared by the processes
    #[arg(long, hide = true, default_value = ".")]
    folder: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Starts the others, and kills them.
    Lead,
    /// Runs the server.
    Sandbox,
    /// Makes the plan.
    Plan,
    /// Applies the plan.
    Apply,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    match args.role {
        Role::Lead => lead(&args),
        Role::Sandbox => serve(&args).await,
        Role::Plan => plan(&args).await,
        Role::Apply => apply(&args).await,
    }
}

fn lead(args: &Args) -> Result<()> {
    let folder = tempfile::tempdir()?;
    write_file(args, &folder.path().join("customers.csv"))?;
    let mut sandbox = Process::start(args, Role::Sandbox, folder.path())?;
    sandbox.until("listening")?;

    let planned = Process::start(args, Role::Plan, folder.path())?.end()?;
    println!("plan:  {planned}");
    let actions = planned["actions"].as_u64().context("no count of actions")?;
    let began = Instant::now();
    let (mut kills, mut runs) = (0, 0);
    loop {
        runs += 1;
        ensure!(runs <= args.kills + 50, "the apply does not end");
        let mut process = Process::start(args, Role::Apply, folder.path())?;
        let at = actions * u64::from(kills + 1) / u64::from(args.kills + 1);
        if kills < args.kills && process.reaches(at)? {
            process.kill()?;
            kills += 1;
            println!("killed after {at} of {actions} actions");
            continue;
        }
        let report = process.end()?;
        println!("apply: {report}");
        if report["complete"] == true && kills == args.kills {
            break;
        }
    }
    println!(
        "{actions} actions in {:.1} s, {kills} kills, {runs} runs",
        began.elapsed().as_secs_f64()
    );
    sandbox.ask("check")?;
    let checked = sandbox.until("checked")?;
    println!("check: {checked}");
    let again = Process::start(args, Role::Plan, folder.path())?.end()?;
    println!("plan:  {again}");
    sandbox.kill()?;
    ensure!(
        checked["wrong"] == 0 && checked["doubled"] == 0,
        "the sandbox differs from the file"
    );
    ensure!(again["actions"] == 0, "there is something left to do");
    println!("the sandbox matches the file, and nothing was done twice");
    Ok(())
}

/// Writes the file: each customer has some websites, on one of two packages.
fn write_file(args: &Args, path: &Path) -> Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "customer,email,website,domain,package")?;
    for customer in 0..args.customers {
        let mut is_empty = true;
        for site in (customer..args.websites).step_by(args.customers) {
            let package = package_of(site);
            writeln!(
                file,
                "cust-{customer},c{customer}@example.com,site-{site},s{site}.example.com,{package}"
            )?;
            is_empty = false;
        }
        if is_empty {
            writeln!(file, "cust-{customer},c{customer}@example.com,,,")?;
        }
    }
    Ok(file.flush()?)
}

fn package_of(site: usize) -> &'static str {
    if site.is_multiple_of(3) {
        "Pro"
    } else {
        "Basic"
    }
}

async fn serve(args: &Args) -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let partner = sandbox.website_partner();
    std::fs::write(args.folder.join("partner.key"), partner.private_key_pem())?;
    let access = json!({ "url": sandbox.base_url(), "partner": partner.id() });
    std::fs::write(args.folder.join("access.json"), access.to_string())?;
    let burst = 50;
    sandbox.try_inject(Fault::new(FaultKind::RateLimit {
        per_second: args.rate,
        burst,
    }))?;
    let kinds = [
        Fault::new(FaultKind::ResetBeforeCommit),
        Fault::new(FaultKind::ResetAfterCommit),
        Fault::new(FaultKind::LateCommit(Duration::from_millis(100))),
        Fault::new(FaultKind::Gateway(502)).before_or_after_commit(),
        Fault::new(FaultKind::TruncatedBody),
    ];
    #[allow(clippy::cast_precision_loss, reason = "there are five")]
    let each = args.faults / 100.0 / kinds.len() as f64;
    for (kind, seed) in kinds.into_iter().zip(1..) {
        if each == 0.0 {
            break;
        }
        sandbox.try_inject(kind.probability(each, seed))?;
    }
    say("listening", &json!({}));
    for order in std::io::stdin().lines() {
        if order? == "check" {
            while sandbox.faults().pending_commits > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let struck: u64 = sandbox
                .faults()
                .faults
                .iter()
                .skip(1)
                .map(|fault| fault.struck)
                .sum();
            sandbox.clear_faults();
            let mut checked = check(args, &sandbox)?;
            checked["faults"] = json!(struck);
            say("checked", &checked);
        }
    }
    Ok(())
}

/// Compares the sandbox with the file, and counts actions that were done twice.
fn check(args: &Args, sandbox: &Sandbox) -> Result<Value> {
    let partner = sandbox.website_partner().id().to_string();
    let snapshot = sandbox.snapshot();
    let partners = snapshot["partners"].as_array().context("no partners")?;
    let ours = partners
        .iter()
        .find(|known| known["id"] == partner)
        .context("no partner")?;
    let count = |kind: &str| ours[kind].as_object().map_or(0, serde_json::Map::len);
    let package = |name: &str| {
        let mut packages = ours["packages"].as_array().into_iter().flatten();
        packages
            .find(|known| known["name"] == name)
            .map(|known| known["id"].clone())
    };
    let mut wrong =
        count("customers").abs_diff(args.customers) + count("websites").abs_diff(args.websites);
    for customer in 0..args.customers {
        let shown = &ours["customers"][format!("cust-{customer}")];
        wrong += usize::from(shown["email"] != format!("c{customer}@example.com"));
    }
    for site in 0..args.websites {
        let shown = &ours["websites"][format!("site-{site}")];
        let is_right = shown["domain"] == format!("s{site}.example.com")
            && shown["intpCustomerId"] == format!("cust-{}", site % args.customers)
            && Some(&shown["subscription"]["packageId"]) == package(package_of(site)).as_ref()
            && shown["subscription"]["status"] == "active";
        wrong += usize::from(!is_right);
    }
    let commits = sandbox.commits();
    let different: HashSet<_> = commits
        .iter()
        .map(|commit| (commit.operation, &commit.ids, &commit.name))
        .collect();
    Ok(json!({
        "customers": count("customers"),
        "websites": count("websites"),
        "commits": commits.len(),
        "doubled": commits.len() - different.len(),
        "wrong": wrong,
    }))
}

async fn plan(args: &Args) -> Result<()> {
    let began = Instant::now();
    let wanted = Wanted::open(args.folder.join("customers.csv"))?;
    let planner = Planner::new(&client(args)?);
    // The second plan is not applied.
    let name = if args.folder.join("plan.json").exists() {
        "again.json"
    } else {
        "plan.json"
    };
    let plan = planner.plan(&wanted, args.folder.join(name)).await?;
    say(
        "ended",
        &json!({
            "actions": plan.summary().actions,
            "seconds": seconds(began),
            "peak_mib": peak_mib(),
        }),
    );
    Ok(())
}

async fn apply(args: &Args) -> Result<()> {
    let began = Instant::now();
    let plan = Plan::open(args.folder.join("plan.json"))?;
    let apply = Apply::new(&client(args)?, &plan, args.folder.join("plan.journal"));
    let report = apply
        .in_flight(args.in_flight)
        .on_progress(|event| say("progress", &json!(event.progress.ended())))
        .run()
        .await?;
    let progress = report.progress;
    say(
        "ended",
        &json!({
            "complete": report.is_complete(),
            "earlier": progress.earlier,
            "done": progress.done,
            "already_so": progress.already_so,
            "failed": progress.failed,
            "moved": progress.moved,
            "in_doubt": progress.in_doubt,
            "first_open": report.open.first().map(|open| &open.reason),
            "a_second": progress.per_second().round(),
            "seconds": seconds(began),
            "peak_mib": peak_mib(),
        }),
    );
    Ok(())
}

fn client(args: &Args) -> Result<Twipla> {
    let access = std::fs::read_to_string(args.folder.join("access.json"))?;
    let access: Value = serde_json::from_str(&access)?;
    let text = |name: &str| access[name].as_str().context("access.json is not whole");
    let key = PrivateKey::from_pem_file(args.folder.join("partner.key"))?;
    Ok(Twipla::builder()
        .partner(text("partner")?, key)
        .base_url(text("url")?)
        .rate_limit(args.rate, 10)
        .build()?)
}

/// Prints one line: a word and some JSON.
fn say(word: &str, what: &Value) {
    println!("{word} {what}");
}

fn seconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10.0).round() / 10.0
}

/// Returns the peak memory of this process, if Linux reports it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

/// A process of this program in another role. Dropping it kills it.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(args: &Args, role: Role, folder: &Path) -> Result<Self> {
        let role = role.to_possible_value().context("a role")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--role", role.get_name()])
            .arg("--folder")
            .arg(folder)
            .args(["--customers", &args.customers.to_string()])
            .args(["--websites", &args.websites.to_string()])
            .args(["--faults", &args.faults.to_string()])
            .args(["--rate", &args.rate.to_string()])
            .args(["--in-flight", &args.in_flight.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        Ok(Self {
            child,
            lines: BufReader::new(stdout).lines(),
        })
    }

    /// Reads up to a line with this word.
    fn until(&mut self, word: &str) -> Result<Value> {
        for line in self.lines.by_ref() {
            let line = line?;
            if let Some((first, rest)) = line.split_once(' ')
                && first == word
            {
                return Ok(serde_json::from_str(rest)?);
            }
        }
        bail!("a process ended before it was done")
    }

    /// Returns whether this many actions end before the process does.
    fn reaches(&mut self, actions: u64) -> Result<bool> {
        for line in self.lines.by_ref() {
            let line = line?;
            let ended = line
                .strip_prefix("progress ")
                .and_then(|count| count.parse::<u64>().ok());
            if ended.is_some_and(|ended| ended >= actions) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn ask(&mut self, order: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("no input")?;
        Ok(writeln!(stdin, "{order}")?)
    }

    fn end(mut self) -> Result<Value> {
        self.until("ended")
    }

    /// Kills the process with SIGKILL, which no process can catch.
    fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
