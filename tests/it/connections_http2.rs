//! HTTP/2 servers that stop responding, reset streams, or go away.
//!
//! The server writes its frames itself, because libraries would not do these things. With `played`, the clock advances by a
//! second whenever the calls have been idle for some milliseconds; with `still`, it does not advance.

use std::future::{Future, IntoFuture as _};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use twipla::{ErrorKind, RetryPolicy, Twipla, TwiplaBuilder};
use twipla_sandbox::Sandbox;
use twipla_tests::client;

/// Decides what happens to a request, by the number of its connection and its number on that, both from 1.
type Script = fn(connection: u32, request: u32) -> Reply;

#[derive(Debug, Clone, Copy)]
enum Reply {
    /// 200 with a body.
    Answer,
    /// This status without a body.
    Status(&'static str),
    /// The head of a response without its body.
    Half,
    /// No response, but pings are answered.
    Silence,
    /// Nothing more on this connection.
    Death,
    /// `RST_STREAM` with this code.
    Reset(u32),
    /// `GOAWAY` with a last id below that of this request, and the end of the connection.
    GoAwayBefore,
    /// `GOAWAY` with a last id that includes this request.
    GoAwayAfter,
}

const SECOND: Duration = Duration::from_secs(1);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;

struct Server {
    sandbox: Sandbox,
    url: String,
    /// Its certificate, as PEM.
    root: String,
    connections: Arc<AtomicU32>,
    requests: Arc<AtomicU32>,
}

impl Server {
    async fn start(script: Script) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![made.cert.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())
                    .unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU32::new(0));
        let requests = Arc::new(AtomicU32::new(0));
        let (made_connections, made_requests) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = made_connections.fetch_add(1, Ordering::SeqCst) + 1;
                let (acceptor, requests) = (acceptor.clone(), Arc::clone(&made_requests));
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await?;
                    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                        serve(stream, number, script, &requests).await
                    } else {
                        serve_http1(stream, &requests).await
                    }
                });
            }
        });
        Self {
            // For its key only.
            sandbox: Sandbox::start().await.unwrap(),
            url,
            root: made.cert.pem(),
            connections,
            requests,
        }
    }

    /// Returns a builder for a client that does not trust the server yet.
    fn builder(&self) -> TwiplaBuilder {
        client(&self.sandbox, &self.sandbox.website_partner()).base_url(&self.url)
    }

    fn build(self, change: impl FnOnce(TwiplaBuilder) -> TwiplaBuilder) -> (Twipla, Counts) {
        let builder = self.builder().root_certificates(&self.root);
        let twipla = change(builder).build().unwrap();
        (twipla, Counts(self.connections, self.requests))
    }
}

struct Counts(Arc<AtomicU32>, Arc<AtomicU32>);

impl Counts {
    fn connections(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    fn requests(&self) -> u32 {
        self.1.load(Ordering::SeqCst)
    }
}

type Stream = TlsStream<tokio::net::TcpStream>;

async fn serve(
    mut stream: Stream,
    connection: u32,
    script: Script,
    requests: &AtomicU32,
) -> io::Result<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    write_frame(&mut stream, SETTINGS, 0, 0, &[]).await?;
    let mut number = 0;
    loop {
        let (kind, flags, stream_id, payload) = read_frame(&mut stream).await?;
        match kind {
            SETTINGS if flags & ACK == 0 => write_frame(&mut stream, SETTINGS, ACK, 0, &[]).await?,
            PING if flags & ACK == 0 => write_frame(&mut stream, PING, ACK, 0, &payload).await?,
            // Requests in these tests end with their head or with one data frame.
            HEADERS | DATA if flags & END_STREAM != 0 => {
                number += 1;
                requests.fetch_add(1, Ordering::SeqCst);
                match script(connection, number) {
                    Reply::Answer => {
                        // 0x88 is ":status: 200" in HPACK's static table.
                        write_frame(&mut stream, HEADERS, END_HEADERS, stream_id, &[0x88]).await?;
                        write_frame(&mut stream, DATA, END_STREAM, stream_id, b"{}").await?;
                    }
                    Reply::Half => {
                        write_frame(&mut stream, HEADERS, END_HEADERS, stream_id, &[0x88]).await?;
                    }
                    Reply::Status(code) => {
                        // ":status" by its index, with a literal value.
                        let mut head = vec![0x08, 3];
                        head.extend_from_slice(code.as_bytes());
                        let flags = END_HEADERS | END_STREAM;
                        write_frame(&mut stream, HEADERS, flags, stream_id, &head).await?;
                    }
                    Reply::Silence => {}
                    Reply::Death => std::future::pending().await,
                    Reply::Reset(code) => {
                        let code = code.to_be_bytes();
                        write_frame(&mut stream, RST_STREAM, 0, stream_id, &code).await?;
                    }
                    Reply::GoAwayBefore => {
                        return go_away(&mut stream, stream_id.saturating_sub(2)).await;
                    }
                    Reply::GoAwayAfter => return go_away(&mut stream, stream_id).await,
                }
            }
            _ => {}
        }
    }
}

async fn go_away(stream: &mut Stream, last: u32) -> io::Result<()> {
    let mut payload = last.to_be_bytes().to_vec();
    payload.extend_from_slice(&0_u32.to_be_bytes());
    write_frame(stream, GOAWAY, 0, 0, &payload).await?;
    stream.shutdown().await
}

async fn read_frame(stream: &mut Stream) -> io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await?;
    Ok((head[3], head[4], id, payload))
}

async fn write_frame(
    stream: &mut Stream,
    kind: u8,
    flags: u8,
    id: u32,
    payload: &[u8],
) -> io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(payload);
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// Responds to every request, all of which have no body in these tests.
async fn serve_http1(mut stream: Stream, requests: &AtomicU32) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
        if received.ends_with(b"\r\n\r\n") {
            received.clear();
            requests.fetch_add(1, Ordering::SeqCst);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            stream.write_all(answer).await?;
            stream.flush().await?;
        }
    }
}

fn get(
    twipla: &Twipla,
) -> impl Future<Output = twipla::Result<serde_json::Value>> + Send + 'static {
    let request = twipla.raw_request(Method::GET, "/v2/3as/packages");
    request.into_future()
}

fn post(
    twipla: &Twipla,
) -> impl Future<Output = twipla::Result<serde_json::Value>> + Send + 'static {
    let request = twipla.raw_request(Method::POST, "/v2/3as/customers");
    request
        .json(&json!({"email": "c@example.com"}))
        .into_future()
}

fn put(
    twipla: &Twipla,
) -> impl Future<Output = twipla::Result<serde_json::Value>> + Send + 'static {
    let request = twipla.raw_request(Method::PUT, "/v2/3as/customers/c");
    request
        .json(&json!({"email": "c@example.com"}))
        .into_future()
}

/// Awaits a call while the clock is paused.
async fn still<T>(call: impl Future<Output = T>) -> T {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    // With a limit, because otherwise a call that waits for the clock would never end.
    let held = tokio::task::spawn_blocking(move || receiver.recv_timeout(10 * SECOND));
    let result = call.await;
    drop(sender);
    let released = held.await.unwrap();
    assert_eq!(released, Err(RecvTimeoutError::Disconnected), "it waited");
    result
}

/// Awaits a call, and returns its result and how long it took.
async fn played<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    let mut call = std::pin::pin!(call);
    loop {
        // The clock does not advance by itself while a blocking task runs.
        let pause = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(10)));
        tokio::select! {
            biased;
            result = &mut call => return (result, started.elapsed()),
            paused = pause => paused.unwrap(),
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
}

fn first_request_only(_: u32, request: u32) -> Reply {
    match request {
        1 => Reply::Answer,
        _ => Reply::Silence,
    }
}

#[tokio::test(start_paused = true)]
async fn read_abandons_a_silent_connection_that_answers_pings() {
    let server = Server::start(first_request_only).await;
    let (twipla, counts) = server.build(|builder| builder);
    still(get(&twipla)).await.unwrap();
    let (result, waited) = played(get(&twipla)).await;
    result.unwrap();
    assert!(
        waited >= 30 * SECOND && waited < 40 * SECOND,
        "one attempt timed out, the second succeeded: {waited:?}"
    );
    assert_eq!((counts.connections(), counts.requests()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn change_abandons_a_silent_connection() {
    let server = Server::start(first_request_only).await;
    let (twipla, counts) = server.build(|builder| builder);
    still(put(&twipla)).await.unwrap();
    played(put(&twipla)).await.0.unwrap();
    assert_eq!((counts.connections(), counts.requests()), (2, 3));

    let server = Server::start(first_request_only).await;
    let (twipla, counts) = server.build(|builder| builder);
    still(post(&twipla)).await.unwrap();
    let error = played(post(&twipla)).await.0.unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error}");
    assert_eq!(error.attempts(), 1, "{error}");
    still(post(&twipla)).await.unwrap();
    assert_eq!((counts.connections(), counts.requests()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn stalled_body_retires_the_connection() {
    let server = Server::start(|_, request| match request {
        1 => Reply::Answer,
        _ => Reply::Half,
    })
    .await;
    let (twipla, counts) = server.build(|builder| builder);
    still(get(&twipla)).await.unwrap();
    played(get(&twipla)).await.0.unwrap();
    assert_eq!((counts.connections(), counts.requests()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn pings_detect_a_dead_connection_before_the_attempt_times_out() {
    let server = Server::start(|_, request| match request {
        1 => Reply::Answer,
        _ => Reply::Death,
    })
    .await;
    let (twipla, counts) = server.build(|builder| builder);
    still(get(&twipla)).await.unwrap();
    let (result, waited) = played(get(&twipla)).await;
    result.unwrap();
    assert!(waited < 28 * SECOND, "{waited:?}");
    assert_eq!(counts.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn dropped_call_retires_a_silent_connection() {
    let server = Server::start(first_request_only).await;
    let (twipla, counts) = server.build(|builder| builder);
    let patient = || async { tokio::time::timeout(5 * SECOND, get(&twipla)).await };
    still(patient()).await.unwrap().unwrap();
    assert!(played(patient()).await.0.is_err());
    let answer = played(patient()).await.0;
    answer.expect("a fresh connection answers").unwrap();
    assert_eq!(counts.connections(), 2);
}

#[tokio::test]
async fn immediately_dropped_call_keeps_the_connection() {
    let server = Server::start(|_, request| match request {
        2 => Reply::Silence,
        _ => Reply::Answer,
    })
    .await;
    let (twipla, counts) = server.build(|builder| builder);
    get(&twipla).await.unwrap();
    let waiting = tokio::spawn(get(&twipla));
    while counts.requests() < 2 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    get(&twipla).await.unwrap();
    assert_eq!((counts.connections(), counts.requests()), (1, 3));
}

/// Makes a call that its caller drops 200 ms after the server has received it.
async fn given_up(twipla: &Twipla, counts: &Counts) {
    let before = counts.requests();
    let waiting = tokio::spawn(get(twipla));
    // Nothing sleeps here, so the clock does not advance.
    while counts.requests() == before {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(SECOND / 5).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn repeatedly_dropped_calls_retire_a_silent_connection() {
    let server = Server::start(first_request_only).await;
    let other = Sandbox::start().await.unwrap();
    let (twipla, counts) = server.build(|builder| builder.data_url(other.base_url()));
    let data = || {
        let request = twipla.raw_request(Method::GET, "/v2/3as/packages");
        request.api_key("twpl-test").into_future()
    };
    still(get(&twipla)).await.unwrap();
    for _ in 0..5 {
        given_up(&twipla, &counts).await;
        // Responses of another host mean nothing for this one.
        let answer = still(data()).await;
        assert!(answer.unwrap_err().status().is_some());
    }
    still(get(&twipla))
        .await
        .expect("a fresh connection answers");
    assert_eq!((counts.connections(), counts.requests()), (2, 7));
}

#[tokio::test(start_paused = true)]
async fn dropped_calls_keep_a_connection_that_answers_others() {
    let server = Server::start(|_, request| match request % 3 {
        0 => Reply::Answer,
        _ => Reply::Silence,
    })
    .await;
    let (twipla, counts) = server.build(|builder| builder);
    for _ in 0..10 {
        given_up(&twipla, &counts).await;
        given_up(&twipla, &counts).await;
        still(get(&twipla)).await.unwrap();
    }
    assert_eq!((counts.connections(), counts.requests()), (1, 30));
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_survive_the_end_of_their_pool() {
    let server = Server::start(|connection, request| match (connection, request) {
        (1, 2..) => Reply::Silence,
        _ => Reply::Answer,
    })
    .await;
    let (twipla, counts) = server.build(|builder| builder.retry(RetryPolicy::none()));
    still(get(&twipla)).await.unwrap();
    let waiting = tokio::spawn(get(&twipla));
    played(tokio::time::sleep(10 * SECOND)).await;
    let impatient = twipla.raw_request(Method::GET, "/v2/3as/packages");
    let error = played(impatient.timeout(SECOND).into_future()).await.0;
    assert!(error.unwrap_err().is_timeout());
    still(get(&twipla)).await.unwrap();
    assert_eq!(counts.connections(), 2);
    assert!(!waiting.is_finished(), "its own connection is still there");
    let (result, waited) = played(waiting).await;
    let error = result.unwrap().unwrap_err();
    assert!(
        error.is_timeout() && waited > 10 * SECOND,
        "{error}: {waited:?}"
    );
    // It ended on an older pool: the new one stays.
    still(get(&twipla)).await.unwrap();
    assert_eq!(counts.connections(), 2);
}

#[tokio::test]
async fn refused_stream_is_retried_even_for_post() {
    let server = Server::start(|_, request| match request {
        2 | 3 => Reply::Reset(REFUSED_STREAM),
        _ => Reply::Answer,
    })
    .await;
    let (twipla, counts) = server.build(|builder| builder);
    post(&twipla).await.unwrap();
    post(&twipla).await.unwrap();
    assert_eq!(counts.requests(), 4);
    assert_eq!(counts.connections(), 1, "the connection is fine");
}

#[tokio::test]
async fn streams_after_a_goaway_are_retried_even_for_post() {
    for answered_first in [false, true] {
        let server = Server::start(if answered_first {
            |connection, request| match (connection, request) {
                (1, 2) => Reply::GoAwayBefore,
                _ => Reply::Answer,
            }
        } else {
            |connection, _| match connection {
                1 => Reply::GoAwayBefore,
                _ => Reply::Answer,
            }
        })
        .await;
        let (twipla, counts) = server.build(|builder| builder);
        post(&twipla).await.unwrap();
        post(&twipla).await.unwrap();
        assert_eq!((counts.connections(), counts.requests()), (2, 3));
    }
}

#[tokio::test]
async fn unprocessed_request_is_never_ambiguous() {
    let scripts: [(Script, ErrorKind); 4] = [
        (|_, _| Reply::Reset(REFUSED_STREAM), ErrorKind::Connection),
        (|_, _| Reply::GoAwayBefore, ErrorKind::Connection),
        (|_, _| Reply::Status("421"), ErrorKind::Rejected),
        (|_, _| Reply::Status("425"), ErrorKind::Rejected),
    ];
    for (script, kind) in scripts {
        let (twipla, counts) = Server::start(script).await.build(|builder| builder);
        let error = post(&twipla).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!error.is_ambiguous(), "{error}");
        assert_eq!((error.attempts(), counts.requests()), (4, 4), "{error}");
    }
}

#[tokio::test]
async fn possibly_processed_request_is_ambiguous_and_sent_once() {
    let scripts: [Script; 2] = [
        |_, _| Reply::GoAwayAfter,
        // The server reset a request that it had started to process.
        |_, _| Reply::Reset(CANCEL),
    ];
    for script in scripts {
        let (twipla, counts) = Server::start(script).await.build(|builder| builder);
        let error = post(&twipla).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        assert!(error.is_ambiguous(), "{error}");
        assert_eq!((error.attempts(), counts.requests()), (1, 1), "{error}");
    }
}

#[tokio::test]
async fn misdirected_request_is_sent_on_another_connection() {
    let server = Server::start(|connection, _| match connection {
        1 => Reply::Status("421"),
        _ => Reply::Answer,
    })
    .await;
    let (twipla, counts) = server.build(|builder| builder);
    post(&twipla).await.unwrap();
    assert_eq!((counts.connections(), counts.requests()), (2, 2));
}

#[tokio::test]
async fn http1_only_uses_http1() {
    let server = Server::start(|_, _| Reply::Silence).await;
    let (twipla, counts) = server.build(|builder| builder.http1_only(true));
    get(&twipla).await.unwrap();
    get(&twipla).await.unwrap();
    assert_eq!((counts.connections(), counts.requests()), (1, 2));
}

#[tokio::test]
async fn server_is_trusted_only_with_its_root_certificate() {
    let server = Server::start(|_, _| Reply::Answer).await;
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let stranger = server.builder().root_certificates(other.cert.pem()).build();
    let error = post(&stranger.unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert!(!error.is_ambiguous(), "{error}");
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);

    // Several certificates accumulate, in one text or in several calls.
    let server = Server::start(|_, _| Reply::Answer).await;
    let both = format!("{}{}", other.cert.pem(), server.root);
    for builder in [
        server.builder().root_certificates(&both),
        server
            .builder()
            .root_certificates(other.cert.pem())
            .root_certificates(&server.root),
    ] {
        post(&builder.build().unwrap()).await.unwrap();
    }
}
