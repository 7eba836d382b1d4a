//! How requests are sent: through a proxy, or with the application's own HTTP client.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use twipla::{ErrorKind, RetryPolicy, Twipla, TwiplaBuilder};
use twipla_sandbox::Sandbox;
use twipla_tests::client;

/// One option of the builder.
type Setting = fn(TwiplaBuilder) -> TwiplaBuilder;

/// Responds to every request itself, and keeps their first lines and credentials.
struct Recorder {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let mut received = Vec::new();
                    while stream
                        .read_buf(&mut received)
                        .await
                        .is_ok_and(|read| read > 0)
                    {
                        if received.ends_with(b"\r\n\r\n") {
                            let head = String::from_utf8(std::mem::take(&mut received)).unwrap();
                            kept.lock().unwrap().push(head);
                            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                            stream.write_all(answer).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the first lines, in order.
    fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .map(|head| head.lines().next().unwrap().to_owned())
            .collect()
    }

    fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn builder() -> TwiplaBuilder {
    let sandbox = Sandbox::start().await.unwrap();
    client(&sandbox, &sandbox.website_partner())
        .allow_plain_http(true)
        .timeout(Duration::from_secs(5))
        .retry(RetryPolicy::none())
}

async fn management(twipla: &Twipla) -> twipla::Result<serde_json::Value> {
    twipla.raw_request(Method::GET, "/packages").await
}

async fn data(twipla: &Twipla) -> twipla::Result<serde_json::Value> {
    let request = twipla.raw_request(Method::GET, "/sessions");
    request.api_key("twpl-1").await
}

#[tokio::test]
async fn explicit_proxy_applies_to_both_hosts_but_not_to_localhost() {
    let proxy = Recorder::start().await;
    let here = Recorder::start().await;
    let twipla = builder()
        .await
        .base_url("http://api.example.com")
        .data_url(here.url())
        .proxy(proxy.url())
        .build()
        .unwrap();
    management(&twipla).await.unwrap();
    data(&twipla).await.unwrap();
    assert_eq!(
        proxy.lines(),
        ["GET http://api.example.com/packages HTTP/1.1"]
    );
    assert_eq!(here.lines(), ["GET /sessions HTTP/1.1"]);

    let twipla = builder()
        .await
        .base_url(here.url())
        .data_url("http://data.example.com")
        .proxy(&proxy.address)
        .build()
        .unwrap();
    management(&twipla).await.unwrap();
    data(&twipla).await.unwrap();
    assert_eq!(
        proxy.lines()[1..],
        ["GET http://data.example.com/sessions HTTP/1.1"]
    );
    assert_eq!(here.lines()[1..], ["GET /packages HTTP/1.1"]);
}

#[tokio::test]
async fn every_name_of_localhost_bypasses_the_proxy() {
    let proxy = Recorder::start().await;
    let here = Recorder::start().await;
    let port = here.address.rsplit(':').next().unwrap().to_owned();
    for host in ["127.0.0.1", "localhost", "[::1]", "127.8.8.8"] {
        let twipla = builder()
            .await
            .base_url(format!("http://{host}:{port}"))
            .proxy(proxy.url())
            .build()
            .unwrap();
        // A connection error, if nothing listens there.
        let _ = management(&twipla).await;
    }
    assert_eq!(proxy.lines(), Vec::<String>::new());
    assert!(here.lines().len() >= 2, "{:?}", here.lines());
}

#[tokio::test]
async fn proxy_receives_the_password_and_no_error_shows_it() {
    let proxy = Recorder::start().await;
    let twipla = builder()
        .await
        .base_url("http://api.example.com")
        .proxy(format!("http://shop:secret-word@{}", proxy.address))
        .build()
        .unwrap();
    management(&twipla).await.unwrap();
    let head = proxy.heads().remove(0).to_lowercase();
    assert!(head.contains("proxy-authorization: basic "), "{head}");

    for bad in [
        "http://shop:secret-word@",
        "shop:secret-word@host:port",
        "socks5://shop:secret-word@host:1080",
        "http://shop:secret@word@ho st",
    ] {
        let error = builder().await.proxy(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("invalid proxy"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

/// Selects what this test does in a child process, which has its own environment.
const CHILD: &str = "TWIPLA_TESTS_PROXY_CHILD";

#[tokio::test]
async fn environment_proxies_are_chosen_per_host() {
    if let Ok(job) = std::env::var(CHILD) {
        return child(&job).await;
    }
    let proxy = Recorder::start().await;
    let here = Recorder::start().await;
    let run = |vars: &[(&str, &str)], job: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let test = "connections_proxy::environment_proxies_are_chosen_per_host";
        command.args(["--exact", test, "--nocapture"]);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.envs(vars.iter().copied()).env(CHILD, job);
        let child = tokio::task::spawn_blocking(move || command.output().unwrap());
        async {
            let output = child.await.unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{said}");
        }
    };
    let url = proxy.url();
    let calls = format!("calls {}", here.url());
    let both = [
        "GET http://api.example.com/packages HTTP/1.1",
        "GET http://data.example.com/sessions HTTP/1.1",
    ];
    run(&[("HTTP_PROXY", &url)], &calls).await;
    assert_eq!(proxy.lines(), both);
    run(&[("all_proxy", &proxy.address)], &calls).await;
    assert_eq!(proxy.lines()[2..], both);
    let except = [
        ("http_proxy", url.as_str()),
        ("NO_PROXY", "data.example.com"),
    ];
    run(&except, &format!("fails {}", here.url())).await;
    assert_eq!(proxy.lines()[4..], both[..1]);
    let unrelated = [("HTTP_PROXY", url.as_str()), ("HTTPS_PROXY", "ht!tp://")];
    run(&unrelated, &calls).await;
    assert_eq!(proxy.lines()[5..], both);
    // None of the four sent a request for this machine to the proxy.
    assert_eq!(here.lines().len(), 4);
    run(
        &[("HTTP_PROXY", "http://user:secret@")],
        "malformed HTTP_PROXY",
    )
    .await;
    run(&[("all_proxy", "nonsense://x")], "malformed all_proxy").await;
    let network = [("http_proxy", url.as_str()), ("no_proxy", "10.0.0.0/99")];
    run(&network, "malformed no_proxy").await;
}

async fn child(job: &str) {
    let (what, with) = job.split_once(' ').unwrap();
    let remote = builder()
        .await
        .base_url("http://api.example.com")
        .data_url("http://data.example.com");
    if what == "malformed" {
        let error = remote.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(
            error.to_string().contains(&format!("invalid {with}")),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        // The settings are irrelevant for this machine.
        builder().await.build().unwrap();
        return;
    }
    let twipla = remote.build().unwrap();
    management(&twipla).await.unwrap();
    let result = data(&twipla).await;
    // The host does not exist.
    assert_eq!(result.is_err(), what == "fails", "{result:?}");
    let twipla = builder().await.base_url(with).build().unwrap();
    management(&twipla).await.unwrap();
}

#[tokio::test]
async fn custom_http_client_sends_everything_with_its_settings() {
    let here = Recorder::start().await;
    let own = reqwest::Client::builder()
        .user_agent("own/1")
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let twipla = builder()
        .await
        .base_url(here.url())
        .http_client(own.clone());
    let twipla = twipla.build().unwrap();
    management(&twipla).await.unwrap();
    twipla
        .raw_request(Method::DELETE, "/customers/c")
        .await
        .unwrap();
    let heads = here.heads();
    assert_eq!(heads.len(), 2);
    for head in heads {
        assert!(head.contains("user-agent: own/1\r\n"), "{head}");
        assert!(head.contains("authorization: Bearer "), "{head}");
    }

    let clashes: [(&str, Setting); 4] = [
        ("user_agent", |builder| builder.user_agent("shop/1")),
        ("http1_only", |builder| builder.http1_only(true)),
        ("proxy", |builder| builder.proxy("http://proxy.example.com")),
        ("root_certificates", |builder| {
            builder.root_certificates("x")
        }),
    ];
    for (name, set) in clashes {
        let error = set(builder().await.http_client(own.clone()))
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn root_certificates_must_be_pem() {
    for bad in [
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        let error = builder()
            .await
            .base_url("https://api.example.com")
            .root_certificates(bad)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("root_certificates"), "{error}");
    }
}
