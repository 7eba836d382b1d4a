//! Shared by all measurements: alternating processes, and the table of results.

use anyhow::Result;
use serde_json::{Value, json};

use super::processes::{Processes, Protocol};
use super::table::{Row, Table};

/// How many rounds and calls to measure.
pub(super) struct BenchSize {
    pub(super) rounds: usize,
    pub(super) calls: usize,
    pub(super) customers: usize,
    pub(super) entries: usize,
    pub(super) streams: usize,
    pub(super) pages: usize,
    pub(super) starts: usize,
}

pub(super) const FULL: BenchSize = BenchSize {
    rounds: 31,
    calls: 2_000,
    customers: 10_000,
    entries: 1_000_000,
    streams: 5,
    pages: 1_000,
    starts: 21,
};

pub(super) const QUICK: BenchSize = BenchSize {
    rounds: 2,
    calls: 500,
    customers: 400,
    entries: 20_000,
    streams: 2,
    pages: 400,
    starts: 3,
};

/// The measured operations, with their names in the table.
pub(super) const OPERATIONS: [(&str, &str); 3] = [
    ("get-website", "get website"),
    ("list-customers", "list 100 customers"),
    ("create-customer", "create customer"),
];

/// A run of the benchmark.
pub(super) struct Bench<'a> {
    pub(super) processes: Processes,
    pub(super) size: &'a BenchSize,
    pub(super) only: Option<&'a str>,
    pub(super) table: Table,
    /// Every result, for the record.
    pub(super) rounds: Vec<Value>,
}

impl Bench<'_> {
    /// Reports whether a measurement is selected, and prints its name, because the whole run takes minutes.
    pub(super) fn wanted(&self, name: &str) -> bool {
        let wanted = self.only.is_none_or(|only| name.contains(only));
        if wanted {
            eprintln!("measuring: {name}");
        }
        wanted
    }

    /// Runs a client of the benchmark once.
    pub(super) fn client(&mut self, protocol: Protocol, arguments: &[&str]) -> Result<Value> {
        let result = self.processes.client(protocol, arguments)?;
        let protocol = format!("{protocol:?}");
        self.rounds
            .push(json!({ "protocol": protocol, "arguments": arguments, "result": result }));
        Ok(result)
    }

    /// Runs each set of arguments once per round, alternating, and returns the results of each.
    pub(super) fn interleave<const N: usize>(
        &mut self,
        sets: [(Protocol, &[&str]); N],
    ) -> Result<[Vec<Value>; N]> {
        self.rounds_of(self.size.rounds, sets)
    }

    pub(super) fn rounds_of<const N: usize>(
        &mut self,
        rounds: usize,
        sets: [(Protocol, &[&str]); N],
    ) -> Result<[Vec<Value>; N]> {
        let mut results: [Vec<Value>; N] = std::array::from_fn(|_| Vec::new());
        for _ in 0..rounds {
            for ((protocol, set), results) in sets.iter().zip(&mut results) {
                results.push(self.client(*protocol, set)?);
            }
        }
        Ok(results)
    }
}

/// Returns one figure of each round.
pub(super) fn column(results: &[Value], key: &str) -> Vec<f64> {
    let number = |result: &Value| result[key].as_f64().unwrap_or(f64::NAN);
    results.iter().map(number).collect()
}

/// Returns a row for ours, from rounds that run the baseline before and after it.
pub(super) fn ratio_row(
    title: &str,
    unit: &'static str,
    key: &str,
    [before, ours, after]: [&Vec<Value>; 3],
) -> Row {
    let [before, ours, after] = [before, ours, after].map(|results| column(results, key));
    let baseline: Vec<f64> = before
        .iter()
        .zip(&after)
        .map(|(one, two)| f64::midpoint(*one, *two))
        .collect();
    Row::ratio(title, unit, &ours, &baseline).noise(&after, &before)
}
