//! Times of calls, tokens, streams, decoding and starts.

use anyhow::Result;
use serde_json::json;

use super::harness::{Bench, OPERATIONS, column, ratio_row};
use super::processes::Protocol;
use super::table::{Row, median};

impl Bench<'_> {
    pub(super) fn times(&mut self) -> Result<()> {
        self.calls()?;
        self.throughput()?;
        self.http2()?;
        self.tokens()?;
        self.streams()?;
        self.decode()?;
        self.start()
    }

    fn calls(&mut self) -> Result<()> {
        let calls = self.size.calls.to_string();
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
            let [before, ours, after, limit] = self.interleave([
                (Protocol::Http, &arguments("reqwest")),
                (Protocol::Http, &arguments("twipla")),
                (Protocol::Http, &arguments("reqwest")),
                (Protocol::Http, &arguments("hyper")),
            ])?;
            for (what, key, unit, most) in [
                ("p50", "p50", "µs", Some(1.05)),
                ("p99", "p99", "µs", None),
                ("CPU", "cpu", "µs", Some(1.05)),
            ] {
                let row = ratio_row(
                    &format!("{title}: {what}"),
                    unit,
                    key,
                    [&before, &ours, &after],
                );
                self.table
                    .push(row.limit(&column(&limit, key)).at_most(most));
            }
            let key = "allocations";
            let [mine, theirs, limit] =
                [&ours, &before, &limit].map(|results| column(results, key));
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
        let calls = (self.size.calls * 3).to_string();
        for at_once in ["1", "8", "64"] {
            let title = format!("throughput, {at_once} in parallel");
            if !self.wanted(&title) {
                continue;
            }
            let arguments = |client| throughput(client, &calls, at_once);
            let [before, ours, after, limit] = self.interleave([
                (Protocol::Http, &arguments("reqwest")),
                (Protocol::Http, &arguments("twipla")),
                (Protocol::Http, &arguments("reqwest")),
                (Protocol::Http, &arguments("hyper")),
            ])?;
            let turns = [&before, &ours, &after];
            let key = "perSecond";
            let least = (at_once != "1").then_some(0.95);
            let row = ratio_row(&title, "calls/s", key, turns);
            self.table
                .push(row.limit(&column(&limit, key)).at_least(least));
            let row = ratio_row(&format!("{title}: CPU per call"), "µs", "cpu", turns);
            self.table.push(row.limit(&column(&limit, "cpu")));
        }
        Ok(())
    }

    /// HTTP/2 compared with HTTP/1.1, both over TLS, because the server only speaks HTTP/2 over TLS.
    fn http2(&mut self) -> Result<()> {
        let calls = (self.size.calls * 3).to_string();
        for at_once in ["1", "8", "64"] {
            let title = format!("https throughput, HTTP/2, {at_once} in parallel");
            if !self.wanted(&title) {
                continue;
            }
            let arguments = |client| throughput(client, &calls, at_once);
            let [before, ours, after, http1] = self.interleave([
                (Protocol::HttpsHttp2, &arguments("reqwest-ring")),
                (Protocol::HttpsHttp2, &arguments("twipla")),
                (Protocol::HttpsHttp2, &arguments("reqwest-ring")),
                (Protocol::HttpsHttp1, &arguments("twipla")),
            ])?;
            for (what, unit, key) in [
                ("", "calls/s", "perSecond"),
                (": CPU per call", "µs", "cpu"),
            ] {
                let mine = format!("{title}{what}");
                let row = ratio_row(&mine, unit, key, [&before, &ours, &after]);
                self.table.push(row);
                let mine = format!("{title}{what}, against our HTTP/1.1");
                let row = Row::ratio(&mine, unit, &column(&ours, key), &column(&http1, key));
                self.table.push(row);
            }
        }
        Ok(())
    }

    fn tokens(&mut self) -> Result<()> {
        if !self.wanted("tokens") {
            return Ok(());
        }
        let customers = self.size.customers.to_string();
        let arguments = |backend| ["tokens", "--backend", backend, "--customers", &customers];
        // One process alternates with bare signatures, five times.
        let [ring, aws] = self.rounds_of(
            1,
            [
                (Protocol::Http, &arguments("ring")),
                (Protocol::Http, &arguments("aws-lc-rs")),
            ],
        )?;
        for (backend, results) in [("ring", &ring), ("aws-lc-rs", &aws)] {
            let column = |key| column(results, key);
            self.table.push(Row::single(
                &format!("{backend}: read the key and build a client"),
                "µs",
                &column("build"),
            ));
            self.table.push(Row::single(
                &format!("{backend}: first token"),
                "µs",
                &column("mint"),
            ));
            self.table.push(
                Row::ratio(
                    &format!("{backend}: {customers} customer tokens, against signatures alone"),
                    "s",
                    &column("customers"),
                    &column("signatures"),
                )
                .at_most(Some(1.1)),
            );
        }
        let column = |key| column(&ring, key);
        self.table.push(
            Row::single("cached token, one task", "ns", &column("kept"))
                .ok(median(&column("kept")) <= 100.0, "100"),
        );
        self.table.push(Row::ratio(
            "cached token, 64 tasks on all cores, per core",
            "ns",
            &column("atOnce"),
            &column("kept"),
        ));
        Ok(())
    }

    fn streams(&mut self) -> Result<()> {
        if !self.wanted("stream") {
            return Ok(());
        }
        let entries = self.size.entries.to_string();
        let [plain, ahead] = self.rounds_of(
            self.size.streams,
            [
                (Protocol::Http, &["stream", "--entries", &entries]),
                (
                    Protocol::Http,
                    &["stream", "--entries", &entries, "--ahead"],
                ),
            ],
        )?;
        self.table.push(Row::ratio(
            &format!("stream {entries} websites, with against without prefetch"),
            "s",
            &column(&ahead, "seconds"),
            &column(&plain, "seconds"),
        ));
        for (title, results) in [("", plain), (", prefetch", ahead)] {
            let mib = |key| -> Vec<f64> {
                column(&results, key)
                    .iter()
                    .map(|kib| kib / 1024.0)
                    .collect()
            };
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
        let pages = self.size.pages.to_string();
        let [results] = self.interleave([(Protocol::Http, &["decode", "--pages", &pages])])?;
        let megabytes =
            |key| -> Vec<f64> { column(&results, key).iter().map(|all| all / 1e6).collect() };
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
        for (protocol, title) in [(Protocol::Http, "http"), (Protocol::HttpsHttp1, "https")] {
            let clients = ["twipla", "reqwest", "reqwest-ring"];
            let mut times = clients.map(|_| Vec::new());
            for _ in 0..self.size.starts {
                for (client, times) in clients.iter().zip(&mut times) {
                    let time = self
                        .processes
                        .time(protocol, &["start", "--client", client])?;
                    times.push(json!({ "ms": time.as_secs_f64() * 1e3 }));
                }
            }
            let [ours, bare, with_ring] = times.each_ref().map(|times| column(times, "ms"));
            let name = format!("process start to first response, {title}");
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
