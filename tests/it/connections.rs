//! The number of connections that the calls of a client use.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpStream};
use twipla::{ErrorKind, Twipla};
use twipla_sandbox::{Fault, FaultKind};
use twipla_tests::{Stage, client};

/// A client whose connections to the sandbox are counted.
struct Counted {
    stage: Stage,
    twipla: Twipla,
    connections: Arc<AtomicUsize>,
}

impl Counted {
    async fn start() -> Self {
        let stage = Stage::start().await;
        let server = address(stage.sandbox.base_url());
        let connections = Arc::new(AtomicUsize::new(0));
        let (local, counter) = (listen().await.unwrap(), Arc::clone(&connections));
        let base_url = format!("http://{}", local.local_addr().unwrap());
        tokio::spawn(forward(local, server, counter));
        let twipla = client(&stage.sandbox, &stage.sandbox.website_partner())
            .base_url(base_url)
            .build()
            .unwrap();
        Self {
            stage,
            twipla,
            connections,
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn address(base_url: &str) -> SocketAddr {
    let authority = base_url.trim_start_matches("http://").trim_end_matches('/');
    authority.parse().unwrap()
}

async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}

async fn forward(local: TcpListener, server: SocketAddr, count: Arc<AtomicUsize>) {
    while let Ok((mut inward, _)) = local.accept().await {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            let mut outward = TcpStream::connect(server).await?;
            tokio::io::copy_bidirectional(&mut inward, &mut outward).await
        });
    }
}

#[tokio::test]
async fn sequential_calls_share_two_connections_whatever_the_responses() {
    let counted = Counted::start().await;
    let twipla = &counted.twipla;
    for number in 0..5 {
        let (customer, website) = (format!("c{number}"), format!("w{number}"));
        let email = format!("{customer}@example.com");
        let domain = format!("{website}.example.com");
        let create = twipla.customers().create(customer.as_str(), email.as_str());
        create
            .website(website.as_str(), domain.as_str())
            .await
            .unwrap();
        // Rejected with a body, found, not found, and successful without a body.
        let again = twipla.customers().create(customer.as_str(), email.as_str());
        assert!(again.await.unwrap_err().is_conflict());
        twipla.website(website.as_str()).get().await.unwrap();
        let missing = twipla.website("missing").get().await.unwrap_err();
        assert!(missing.is_not_found(), "{missing}");
        twipla.website(website.as_str()).delete().await.unwrap();
    }
    let list = twipla.customers().list().page_size(2);
    let customers: Vec<_> = list.stream().try_collect().await.unwrap();
    assert_eq!(customers.len(), 5);
    // One for reads, one for changes.
    assert_eq!(counted.connections(), 2);
}

#[tokio::test]
async fn call_retried_after_a_response_keeps_its_connection() {
    let counted = Counted::start().await;
    let busy = FaultKind::Status {
        code: 503,
        headers: vec![("retry-after".to_owned(), "0".to_owned())],
        body: "<html>busy</html>".to_owned(),
    };
    counted.stage.sandbox.inject(Fault::new(busy).times(2));
    counted.twipla.packages().list().await.unwrap();
    assert_eq!(counted.stage.sandbox.requests().len(), 3);
    assert_eq!(counted.connections(), 1);
}

#[tokio::test]
async fn lost_connection_is_replaced_by_one() {
    let counted = Counted::start().await;
    counted.twipla.packages().list().await.unwrap();
    let lost = Fault::new(FaultKind::ResetBeforeCommit).times(1);
    counted.stage.sandbox.inject(lost);
    for _ in 0..3 {
        counted.twipla.packages().list().await.unwrap();
    }
    assert_eq!(counted.connections(), 2);
}

#[tokio::test]
async fn concurrent_calls_use_at_most_one_connection_each() {
    let counted = Counted::start().await;
    for _ in 0..10 {
        let calls = (0..8).map(|number| {
            let website = counted.twipla.website(format!("w{number}"));
            async move { website.get().await.unwrap_err().kind() }
        });
        let kinds = join_all(calls).await;
        assert!(kinds.iter().all(|kind| *kind == ErrorKind::NotFound));
    }
    assert_eq!(counted.stage.sandbox.requests().len(), 80);
    assert!(counted.connections() <= 8, "{}", counted.connections());
}

#[tokio::test]
async fn clones_and_handles_share_connections() {
    let counted = Counted::start().await;
    for number in 0..5 {
        let twipla = counted.twipla.clone();
        let site = twipla.website(format!("w{number}")).get().await;
        assert!(site.unwrap_err().is_not_found());
    }
    assert_eq!(counted.connections(), 1);
}
