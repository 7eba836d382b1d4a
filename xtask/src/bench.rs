//! `cargo xtask bench`: what a call costs, beside a bare HTTP client.
//!
//! Ratios are of two that took turns on the same machine. Calls, streams and
//! starts are processes that take turns, tokens and decoding take turns inside
//! one process. Times by themselves move with the machine, within seconds and by
//! a tenth, so a ratio is taken in each round, and the table has the median of
//! those. A round of calls has the baseline before and after ours, which tells
//! what the machine does to two runs of the very same program: no ratio is
//! known better than that.
//!
//! Many short rounds therefore, not a few long ones.

mod instructions;
mod processes;
mod table;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};

use self::processes::{Over, Processes};
use self::table::{Row, Table, median};
use crate::layout::{self, Layout};

/// What `cargo xtask bench` is asked.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Two rounds of few calls: does everything run at all?
    #[arg(long)]
    pub quick: bool,
    /// Count instructions instead of measuring time, with valgrind: the same on a busy machine
    #[arg(long)]
    pub instructions: bool,
    /// Only the measurements whose name contains this
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Write every round to a file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// How much is done.
struct Extent {
    rounds: usize,
    calls: usize,
    customers: usize,
    entries: usize,
    streams: usize,
    pages: usize,
    starts: usize,
}

const FULL: Extent = Extent {
    rounds: 31,
    calls: 2_000,
    customers: 10_000,
    entries: 1_000_000,
    streams: 5,
    pages: 1_000,
    starts: 21,
};

const QUICK: Extent = Extent {
    rounds: 2,
    calls: 500,
    customers: 400,
    entries: 20_000,
    streams: 2,
    pages: 400,
    starts: 3,
};

/// The operations that are measured, and how the table calls them.
const OPERATIONS: [(&str, &str); 3] = [
    ("get-website", "get website"),
    ("list-customers", "list 100 customers"),
    ("create-customer", "create customer"),
];

/// Runs every measurement and prints the table.
pub fn run(layout: &Layout, options: &Options) -> Result<()> {
    let extent = if options.quick { &QUICK } else { &FULL };
    let processes = Processes::start(layout)?;
    let mut bench = Bench {
        processes,
        extent,
        only: options.only.as_deref(),
        table: Table::default(),
        rounds: Vec::new(),
    };
    if options.instructions {
        bench.instructions()?;
    } else {
        bench.times()?;
    }
    print!("{}", bench.table);
    if let Some(path) = &options.json {
        let record = json!({ "rows": bench.table.rows(), "rounds": bench.rounds });
        let text = serde_json::to_string_pretty(&record).context("cannot write the record")?;
        fs::create_dir_all(path.parent().unwrap_or(path)).ok();
        layout::write_atomically(&absolute(path)?, &(text + "\n"))?;
    }
    Ok(())
}

struct Bench<'a> {
    processes: Processes,
    extent: &'a Extent,
    only: Option<&'a str>,
    table: Table,
    /// Every result, for the record.
    rounds: Vec<Value>,
}

impl Bench<'_> {
    /// Whether this is measured; says so, for it takes minutes in all.
    fn wanted(&self, name: &str) -> bool {
        let wanted = self.only.is_none_or(|only| name.contains(only));
        if wanted {
            eprintln!("measuring: {name}");
        }
        wanted
    }

    /// A client of the benchmark, run once.
    fn client(&mut self, over: Over, arguments: &[&str]) -> Result<Value> {
        let result = self.processes.client(over, arguments)?;
        let over = format!("{over:?}");
        self.rounds
            .push(json!({ "over": over, "arguments": arguments, "result": result }));
        Ok(result)
    }

    /// Takes turns: a round of each set of arguments, and again; gives the results of each.
    fn turns<const N: usize>(&mut self, sets: [(Over, &[&str]); N]) -> Result<[Vec<Value>; N]> {
        self.rounds_of(self.extent.rounds, sets)
    }

    fn rounds_of<const N: usize>(
        &mut self,
        rounds: usize,
        sets: [(Over, &[&str]); N],
    ) -> Result<[Vec<Value>; N]> {
        let mut results: [Vec<Value>; N] = std::array::from_fn(|_| Vec::new());
        for _ in 0..rounds {
            for ((over, set), results) in sets.iter().zip(&mut results) {
                results.push(self.client(*over, set)?);
            }
        }
        Ok(results)
    }

    fn times(&mut self) -> Result<()> {
        self.calls()?;
        self.throughput()?;
        self.http2()?;
        self.tokens()?;
        self.streams()?;
        self.decode()?;
        self.start()
    }

    fn calls(&mut self) -> Result<()> {
        let calls = self.extent.calls.to_string();
        for (operation, title) in OPERATIONS {
            let name = format!("call {title}");
            if !self.wanted(&name) {
                continue;
            }
            let arguments = |client| {
                [
                    "calls",
                    "--client",
                    client,
                    "--operation",
                    operation,
                    "--calls",
                    &calls,
                ]
            };
            let [before, ours, after, limit] = self.turns([
                (Over::Http, &arguments("reqwest")),
                (Over::Http, &arguments("twipla")),
                (Over::Http, &arguments("reqwest")),
                (Over::Http, &arguments("hyper")),
            ])?;
            for (what, key, unit, most) in [
                ("p50", "p50", "µs", Some(1.05)),
                ("p99", "p99", "µs", None),
                ("CPU", "cpu", "µs", Some(1.05)),
            ] {
                let row = between(
                    &format!("{title}: {what}"),
                    unit,
                    key,
                    [&before, &ours, &after],
                );
                self.table.push(row.limit(&of(&limit, key)).at_most(most));
            }
            let key = "allocations";
            let [mine, theirs, limit] = [&ours, &before, &limit].map(|results| of(results, key));
            let few = median(&mine) <= median(&theirs) + 8.0;
            self.table.push(
                Row::ratio(&format!("{title}: allocations"), "", &mine, &theirs)
                    .limit(&limit)
                    .ok(few, "bare + 8"),
            );
        }
        Ok(())
    }

    fn throughput(&mut self) -> Result<()> {
        let calls = (self.extent.calls * 3).to_string();
        for at_once in ["1", "8", "64"] {
            let title = format!("throughput, {at_once} at once");
            if !self.wanted(&title) {
                continue;
            }
            let arguments = |client| throughput(client, &calls, at_once);
            let [before, ours, after, limit] = self.turns([
                (Over::Http, &arguments("reqwest")),
                (Over::Http, &arguments("twipla")),
                (Over::Http, &arguments("reqwest")),
                (Over::Http, &arguments("hyper")),
            ])?;
            let turns = [&before, &ours, &after];
            let key = "perSecond";
            let least = (at_once != "1").then_some(0.95);
            let row = between(&title, "calls/s", key, turns);
            self.table.push(row.limit(&of(&limit, key)).at_least(least));
            let row = between(&format!("{title}: CPU per call"), "µs", "cpu", turns);
            self.table.push(row.limit(&of(&limit, "cpu")));
        }
        Ok(())
    }

    /// HTTP/2 beside HTTP/1.1, both over TLS: a server speaks HTTP/2 nowhere else.
    fn http2(&mut self) -> Result<()> {
        let calls = (self.extent.calls * 3).to_string();
        for at_once in ["1", "8", "64"] {
            let title = format!("https throughput, HTTP/2, {at_once} at once");
            if !self.wanted(&title) {
                continue;
            }
            let arguments = |client| throughput(client, &calls, at_once);
            let [before, ours, after, http1] = self.turns([
                (Over::HttpsHttp2, &arguments("reqwest-ring")),
                (Over::HttpsHttp2, &arguments("twipla")),
                (Over::HttpsHttp2, &arguments("reqwest-ring")),
                (Over::HttpsHttp1, &arguments("twipla")),
            ])?;
            for (what, unit, key) in [
                ("", "calls/s", "perSecond"),
                (": CPU per call", "µs", "cpu"),
            ] {
                let mine = format!("{title}{what}");
                let row = between(&mine, unit, key, [&before, &ours, &after]);
                self.table.push(row);
                let mine = format!("{title}{what}, against our HTTP/1.1");
                let row = Row::ratio(&mine, unit, &of(&ours, key), &of(&http1, key));
                self.table.push(row);
            }
        }
        Ok(())
    }

    fn tokens(&mut self) -> Result<()> {
        if !self.wanted("tokens") {
            return Ok(());
        }
        let customers = self.extent.customers.to_string();
        let arguments = |backend| ["tokens", "--backend", backend, "--customers", &customers];
        // One process takes turns with the bare signatures by itself, five times.
        let [ring, aws] = self.rounds_of(
            1,
            [
                (Over::Http, &arguments("ring")),
                (Over::Http, &arguments("aws-lc-rs")),
            ],
        )?;
        for (backend, results) in [("ring", &ring), ("aws-lc-rs", &aws)] {
            let of = |key| of(results, key);
            self.table.push(Row::single(
                &format!("{backend}: read the key and build a client"),
                "µs",
                &of("build"),
            ));
            self.table.push(Row::single(
                &format!("{backend}: first token"),
                "µs",
                &of("mint"),
            ));
            self.table.push(
                Row::ratio(
                    &format!("{backend}: {customers} customer tokens, against signatures alone"),
                    "s",
                    &of("customers"),
                    &of("signatures"),
                )
                .at_most(Some(1.1)),
            );
        }
        let of = |key| of(&ring, key);
        self.table.push(
            Row::single("token that is kept, one task", "ns", &of("kept"))
                .ok(median(&of("kept")) <= 100.0, "100"),
        );
        self.table.push(Row::ratio(
            "token that is kept, 64 tasks on all cores, per core",
            "ns",
            &of("atOnce"),
            &of("kept"),
        ));
        Ok(())
    }

    fn streams(&mut self) -> Result<()> {
        if !self.wanted("stream") {
            return Ok(());
        }
        let entries = self.extent.entries.to_string();
        let [plain, ahead] = self.rounds_of(
            self.extent.streams,
            [
                (Over::Http, &["stream", "--entries", &entries]),
                (Over::Http, &["stream", "--entries", &entries, "--ahead"]),
            ],
        )?;
        self.table.push(Row::ratio(
            &format!("stream {entries} websites, read ahead against not"),
            "s",
            &of(&ahead, "seconds"),
            &of(&plain, "seconds"),
        ));
        for (title, results) in [("", plain), (", read ahead", ahead)] {
            let mib =
                |key| -> Vec<f64> { of(&results, key).iter().map(|kib| kib / 1024.0).collect() };
            let (before, after) = (mib("before"), mib("after"));
            let grown: Vec<f64> = before
                .iter()
                .zip(&after)
                .map(|(from, to)| to - from)
                .collect();
            let flat = grown.iter().all(|grown| *grown < 32.0);
            self.table.push(
                Row::single(
                    &format!("stream{title}: memory over the start"),
                    "MiB",
                    &grown,
                )
                .ok(flat, "32"),
            );
            self.table.push(
                Row::ratio(
                    &format!("stream{title}: peak at the last, against the 1000th"),
                    "MiB",
                    &after,
                    &mib("early"),
                )
                .at_most(Some(1.05)),
            );
        }
        Ok(())
    }

    fn decode(&mut self) -> Result<()> {
        if !self.wanted("decode") {
            return Ok(());
        }
        let pages = self.extent.pages.to_string();
        let [results] = self.turns([(Over::Http, &["decode", "--pages", &pages])])?;
        let megabytes =
            |key| -> Vec<f64> { of(&results, key).iter().map(|all| all / 1e6).collect() };
        self.table.push(
            Row::ratio(
                "decode 100 websites by the raw client, against serde_json",
                "MB/s",
                &megabytes("ours"),
                &megabytes("plain"),
            )
            .at_least(Some(1.0 / 1.05)),
        );
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        if !self.wanted("start") {
            return Ok(());
        }
        for (over, title) in [(Over::Http, "http"), (Over::HttpsHttp1, "https")] {
            let clients = ["twipla", "reqwest", "reqwest-ring"];
            let mut times = clients.map(|_| Vec::new());
            for _ in 0..self.extent.starts {
                for (client, times) in clients.iter().zip(&mut times) {
                    let time = self.processes.time(over, &["start", "--client", client])?;
                    times.push(json!({ "ms": time.as_secs_f64() * 1e3 }));
                }
            }
            let [ours, bare, with_ring] = times.each_ref().map(|times| of(times, "ms"));
            let name = format!("process start to first answer, {title}");
            self.table
                .push(Row::ratio(&name, "ms", &ours, &bare).at_most(Some(1.3)));
            let name = format!("{name}, against reqwest with ring");
            self.table
                .push(Row::ratio(&name, "ms", &ours, &with_ring).at_most(Some(1.3)));
            self.rounds
                .push(json!({ "start": title, "clients": clients, "times": times }));
        }
        Ok(())
    }
}

fn throughput<'a>(client: &'a str, calls: &'a str, at_once: &'a str) -> [&'a str; 9] {
    [
        "calls",
        "--client",
        client,
        "--operation",
        "get-website",
        "--calls",
        calls,
        "--at-once",
        at_once,
    ]
}

/// One figure of each round.
fn of(results: &[Value], key: &str) -> Vec<f64> {
    let number = |result: &Value| result[key].as_f64().unwrap_or(f64::NAN);
    results.iter().map(number).collect()
}

/// Ours, in rounds that had the baseline before and after it.
fn between(
    title: &str,
    unit: &'static str,
    key: &str,
    [before, ours, after]: [&Vec<Value>; 3],
) -> Row {
    let [before, ours, after] = [before, ours, after].map(|results| of(results, key));
    let baseline: Vec<f64> = before
        .iter()
        .zip(&after)
        .map(|(one, two)| f64::midpoint(*one, *two))
        .collect();
    Row::ratio(title, unit, &ours, &baseline).noise(&after, &before)
}

fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}
