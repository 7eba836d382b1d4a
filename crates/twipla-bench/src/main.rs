//! One role of a measurement, as a separate process: the server, or one of the clients.
//!
//! `cargo xtask bench` starts these processes, interleaves them and prints the ratios. Each client prints one line of JSON.

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
    /// Serve prebuilt bodies, on one core
    Server {
        /// File to write the https certificate to
        #[arg(long)]
        certificate: std::path::PathBuf,
    },
    /// Sequential or concurrent calls
    Calls {
        #[command(flatten)]
        target: Target,
        #[arg(long, value_enum)]
        client: Client,
        #[arg(long, value_enum)]
        operation: Operation,
        /// Number of measured calls
        #[arg(long)]
        calls: usize,
        /// Number of concurrent calls
        #[arg(long, default_value_t = 1)]
        at_once: usize,
    },
    /// Measure tokens
    Tokens {
        #[command(flatten)]
        target: Target,
        #[arg(long, value_enum)]
        backend: Backend,
        /// Number of customers to sign tokens for
        #[arg(long)]
        customers: usize,
    },
    /// Read a list from the first page to the last
    Stream {
        #[command(flatten)]
        target: Target,
        /// Number of entries in the list
        #[arg(long)]
        entries: usize,
        /// Prefetch the next page
        #[arg(long)]
        ahead: bool,
    },
    /// Decode pages of 100 entries
    Decode {
        /// Number of pages
        #[arg(long)]
        pages: usize,
    },
    /// Measure from the start to the first response
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
