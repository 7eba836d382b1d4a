//! Servers that close idle connections, and clients that notice late.
//!
//! Time is simulated: the server's connections age when the test says so, and the client's clock is advanced by the same
//! step. The server is a separate thread, so it closes its end of a connection while the client's runtime is not running.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use http::Method;
use serde_json::json;
use tokio::runtime::Runtime;
use twipla::{RetryPolicy, Twipla, TwiplaBuilder};
use twipla_sandbox::Sandbox;
use twipla_tests::client;

const SECOND: Duration = Duration::from_secs(1);

/// How a server ends an idle connection.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Farewell {
    None,
    /// A 408 without a request.
    RequestTimeout,
}

struct Connection {
    /// Until it is closed.
    stream: Option<TcpStream>,
    idle: Duration,
}

struct Server {
    url: String,
    limit: Duration,
    farewell: Farewell,
    connections: Arc<Mutex<Vec<Connection>>>,
}

impl Server {
    fn start(limit: Duration, farewell: Farewell) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let connection = Connection {
                    stream: Some(stream.try_clone().unwrap()),
                    idle: Duration::ZERO,
                };
                let number = {
                    let mut connections = lock(&shared);
                    connections.push(connection);
                    connections.len() - 1
                };
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, number, &shared));
            }
        });
        Self {
            url,
            limit,
            farewell,
            connections,
        }
    }

    /// Lets time pass on the server, which closes connections that were idle for too long.
    fn pass(&self, time: Duration) {
        for connection in lock(&self.connections).iter_mut() {
            connection.idle += time;
            if connection.idle < self.limit {
                continue;
            }
            let Some(mut stream) = connection.stream.take() else {
                continue;
            };
            if self.farewell == Farewell::RequestTimeout {
                let head = "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n";
                // The client may have closed it first.
                let _ = write!(stream, "{head}content-length: 0\r\n\r\n");
            }
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn connections(&self) -> usize {
        lock(&self.connections).len()
    }
}

fn lock(connections: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    mut stream: TcpStream,
    number: usize,
    connections: &Mutex<Vec<Connection>>,
) -> io::Result<()> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        received.extend_from_slice(&buffer[..length]);
        // The body of a change is sent together with its head, or right after it.
        let text = String::from_utf8_lossy(&received).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let announced = head.split_once("content-length: ").map_or(0, |(_, rest)| {
            rest.lines().next().unwrap().trim().parse().unwrap()
        });
        if body.len() < announced {
            continue;
        }
        received.clear();
        // The connection is idle from here on.
        lock(connections)[number].idle = Duration::ZERO;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")?;
    }
}

/// A client whose clock is paused, with a runtime that only runs during its calls.
struct Client {
    twipla: Twipla,
    /// A task waits for this to be dropped, because otherwise the clock would advance by itself.
    _holds_the_clock: std::sync::mpsc::Sender<()>,
    // Dropped last: it waits for that task.
    runtime: Runtime,
}

impl Client {
    fn new(server: &Server, change: impl FnOnce(TwiplaBuilder) -> TwiplaBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || receiver.recv());
        let twipla = runtime.block_on(async {
            // For its key only.
            let sandbox = Sandbox::start().await.unwrap();
            let builder = client(&sandbox, &sandbox.website_partner());
            let builder = builder
                .base_url(&server.url)
                .retry(RetryPolicy::default().base_delay(Duration::ZERO));
            change(builder).build().unwrap()
        });
        Self {
            twipla,
            _holds_the_clock: sender,
            runtime,
        }
    }

    /// Lets time pass on both ends, and makes a call.
    fn call_after(
        &self,
        server: &Server,
        pause: Duration,
        method: &Method,
        runs: Runs,
    ) -> twipla::Result<()> {
        server.pass(pause);
        self.runtime.block_on(async {
            // Awaiting it would let the runtime notice closed connections.
            let _ = tokio::time::advance(pause).now_or_never();
            if runs == Runs::Always {
                settle().await;
            }
            let result = call(&self.twipla, method).await;
            if runs == Runs::UntilSettled {
                settle().await;
            }
            result
        })
    }
}

/// When the runtime runs, apart from calls.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Runs {
    /// It stops as soon as a call ends, before its connection is returned to the pool.
    Never,
    /// It stops between the calls, and notices closed connections late.
    UntilSettled,
    Always,
}

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn call(twipla: &Twipla, method: &Method) -> twipla::Result<()> {
    // With a key instead of a token, because minting would run the runtime.
    let request = twipla.raw_request(method.clone(), "/v2/3as/customers");
    let request = request.api_key("twpl-1");
    if *method == Method::GET {
        request.await?;
    } else {
        request.json(&json!({"email": "c@example.com"})).await?;
    }
    Ok(())
}

/// Returns pauses around the server's limit, the same in each run.
fn pauses(limit: Duration) -> impl Iterator<Item = Duration> {
    let mut random = 1_u32;
    std::iter::repeat_with(move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Whole milliseconds, because timers have that resolution.
        let most = u32::try_from(limit.as_millis() * 2).unwrap();
        Duration::from_millis(u64::from((random >> 8) % most))
    })
}

/// Makes 1,000 calls to each of the servers, and returns the failures.
fn failures(method: &Method) -> Vec<String> {
    let mut failures = Vec::new();
    for limit in [5, 20, 60] {
        for farewell in [Farewell::None, Farewell::RequestTimeout] {
            let server = Server::start(limit * SECOND, farewell);
            for runs in [Runs::Never, Runs::UntilSettled, Runs::Always] {
                let client = Client::new(&server, |builder| builder);
                for pause in pauses(server.limit).take(334) {
                    if let Err(error) = client.call_after(&server, pause, method, runs) {
                        let times = format!("{pause:?} of {limit} s");
                        failures.push(format!("{times}, {farewell:?}, {runs:?}: {error}"));
                    }
                }
            }
            assert!(server.connections() > 300, "the server did close some");
        }
    }
    failures
}

#[test]
fn reads_survive_idle_connections_that_the_server_closed() {
    assert_eq!(failures(&Method::GET), Vec::<String>::new());
}

#[test]
fn changes_survive_idle_connections_that_the_server_closed() {
    assert_eq!(failures(&Method::POST), Vec::<String>::new());
}

#[test]
fn change_reuses_a_connection_only_for_a_short_time() {
    let server = Server::start(3600 * SECOND, Farewell::None);
    let client = Client::new(&server, |builder| builder);
    for (pause, connections) in [(0, 1), (1, 1), (2, 1), (3, 2), (1, 2), (60, 3)] {
        client
            .call_after(&server, pause * SECOND, &Method::POST, Runs::UntilSettled)
            .unwrap();
        assert_eq!(server.connections(), connections, "after {pause} s");
    }
}

#[test]
fn read_reuses_a_connection_for_a_longer_time() {
    let server = Server::start(3600 * SECOND, Farewell::None);
    let client = Client::new(&server, |builder| builder);
    for (pause, connections) in [(0, 1), (3, 1), (49, 1), (52, 2), (1, 2)] {
        client
            .call_after(&server, pause * SECOND, &Method::GET, Runs::UntilSettled)
            .unwrap();
        assert_eq!(server.connections(), connections, "after {pause} s");
    }
}

#[test]
fn idle_time_applies_to_reads_and_changes() {
    for method in [Method::GET, Method::POST] {
        let server = Server::start(3600 * SECOND, Farewell::None);
        let client = Client::new(&server, |builder| builder.pool_idle_timeout(SECOND));
        for (pause, connections) in [(0, 1), (1, 1), (2, 2)] {
            client
                .call_after(&server, pause * SECOND, &method, Runs::UntilSettled)
                .unwrap();
            assert_eq!(
                server.connections(),
                connections,
                "{method} after {pause} s"
            );
        }
    }
}

#[test]
fn longer_idle_time_does_not_apply_to_changes() {
    let server = Server::start(3600 * SECOND, Farewell::None);
    let client = Client::new(&server, |builder| builder.pool_idle_timeout(600 * SECOND));
    for (pause, connections) in [(0, 1), (3, 2)] {
        client
            .call_after(&server, pause * SECOND, &Method::POST, Runs::UntilSettled)
            .unwrap();
        assert_eq!(server.connections(), connections, "after {pause} s");
    }
    client
        .call_after(&server, SECOND, &Method::GET, Runs::UntilSettled)
        .unwrap();
    client
        .call_after(&server, 500 * SECOND, &Method::GET, Runs::UntilSettled)
        .unwrap();
    assert_eq!(server.connections(), 3);
}

#[test]
fn without_retries_a_stale_connection_is_an_error() {
    let server = Server::start(5 * SECOND, Farewell::None);
    let client = Client::new(&server, |builder| builder.retry(RetryPolicy::none()));
    client
        .call_after(&server, SECOND, &Method::GET, Runs::UntilSettled)
        .unwrap();
    let error = client
        .call_after(&server, 10 * SECOND, &Method::GET, Runs::UntilSettled)
        .unwrap_err();
    assert_eq!(error.attempts(), 1, "{error}");
    client
        .call_after(&server, SECOND, &Method::GET, Runs::UntilSettled)
        .unwrap();
}
