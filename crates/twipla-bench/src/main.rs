//! One role of a measurement, in a process of its own: the server, or one of the clients.
//!
//! `cargo xtask bench` starts these processes, interleaves them and prints the
//! ratios. Each client writes one line of JSON.

mod args;
mod bodies;
mod calls;
mod decode;
mod measure;
mod server;
mod start;
mod streams;
mod tokens;

use clap::Parser;
use serde_json::Value;

use self::args::{Backend, Client, Operation, Target};

/// One role of a measurement; run by `cargo xtask bench`
#[derive(Debug, Parser)]
enum Role {
    /// Answer with prebuilt bodies, on one core
    Server {
        /// Where the certificate for https is written
        #[arg(long)]
        certificate: std::path::PathBuf,
    },
    /// Calls, one after the other or several at once
    Calls {
        #[command(flatten)]
        target: Target,
        #[arg(long, value_enum)]
        client: Client,
        #[arg(long, value_enum)]
        operation: Operation,
        /// Calls that are measured
        #[arg(long)]
        calls: usize,
        /// Calls at once
        #[arg(long, default_value_t = 1)]
        at_once: usize,
    },
    /// What a token costs
    Tokens {
        #[command(flatten)]
        target: Target,
        #[arg(long, value_enum)]
        backend: Backend,
        /// Tokens of customers
        #[arg(long)]
        customers: usize,
    },
    /// A list from the first page to the last
    Stream {
        #[command(flatten)]
        target: Target,
        /// Entries of the list
        #[arg(long)]
        entries: usize,
        /// Ask for the next page while this one is read
        #[arg(long)]
        ahead: bool,
    },
    /// Pages of 100 entries, decoded
    Decode {
        /// Pages
        #[arg(long)]
        pages: usize,
    },
    /// From nothing to the first answer
    Start {
        #[command(flatten)]
        target: Target,
        #[arg(long, value_enum)]
        client: Client,
    },
}

fn main() -> anyhow::Result<()> {
    let result: Value = match Role::parse() {
        Role::Server { certificate } => return server::run(&certificate),
        Role::Calls {
            target,
            client,
            operation,
            calls,
            at_once,
        } => calls::run(&target, client, operation, calls, at_once)?,
        Role::Tokens {
            target,
            backend,
            customers,
        } => tokens::run(&target, backend, customers)?,
        Role::Stream {
            target,
            entries,
            ahead,
        } => streams::run(&target, entries, ahead)?,
        Role::Decode { pages } => decode::run(pages)?,
        Role::Start { target, client } => start::run(&target, client)?,
    };
    println!("{result}");
    Ok(())
}
