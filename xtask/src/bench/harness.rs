//! What every measurement needs: processes that take turns, and a table to fill.

use anyhow::Result;
use serde_json::{Value, json};

use super::processes::{Processes, Protocol};
use super::table::{Row, Table};

/// How much is done.
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

/// The operations that are measured, and how the table calls them.
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
    /// Whether this is measured; says so, for it takes minutes in all.
    pub(super) fn wanted(&self, name: &str) -> bool {
        let wanted = self.only.is_none_or(|only| name.contains(only));
        if wanted {
            eprintln!("measuring: {name}");
        }
        wanted
    }

    /// A client of the benchmark, run once.
    pub(super) fn client(&mut self, protocol: Protocol, arguments: &[&str]) -> Result<Value> {
        let result = self.processes.client(protocol, arguments)?;
        let protocol = format!("{protocol:?}");
        self.rounds
            .push(json!({ "protocol": protocol, "arguments": arguments, "result": result }));
        Ok(result)
    }

    /// Takes turns: a round of each set of arguments, and again; gives the results of each.
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

/// One figure of each round.
pub(super) fn column(results: &[Value], key: &str) -> Vec<f64> {
    let number = |result: &Value| result[key].as_f64().unwrap_or(f64::NAN);
    results.iter().map(number).collect()
}

/// Ours, in rounds that had the baseline before and after it.
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
