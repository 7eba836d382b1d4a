//! The server: routes, common headers, start and stop.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tower_http::trace::TraceLayer;
use twipla::Twipla;

use crate::pages::{analytics, assets, operator, plan, sign_in, site, sites, team};
use crate::problem::Problem;
use crate::reconcile::reconcile;
use crate::settings::Settings;
use crate::state::App;
use crate::store::Store;
use crate::worker::Worker;

/// A running portal. Dropping it ends it as a crash would, in the middle of what it is sending.
#[derive(Debug)]
pub struct Portal {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Portal {
    /// Starts to listen, to send and to reconcile.
    ///
    /// # Errors
    ///
    /// If it cannot listen on the address.
    pub async fn start(twipla: Twipla, store: Store, settings: Settings) -> anyhow::Result<Self> {
        let listen = settings.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let app = App {
            twipla,
            store,
            settings: Arc::new(settings),
            wake: Arc::new(Notify::new()),
        };
        let mut tasks = JoinSet::new();
        if app.settings.sends {
            let worker = Worker {
                twipla: app.twipla.clone(),
                store: app.store.clone(),
                pace: app.settings.pace.clone(),
                wake: Arc::clone(&app.wake),
            };
            tasks.spawn(worker.run(stopped.clone()));
            tasks.spawn(keep_reconciling(app.clone(), stopped.clone()));
        }
        let grace = app.settings.grace;
        tasks.spawn(serve(listener, router(app), grace, stopped));
        Ok(Self {
            address,
            stop,
            tasks,
        })
    }

    /// Returns the address it listens on.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the portal after requests and changes in progress have ended.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/", get(sites::home))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/sites", get(sites::show).post(sites::add))
        .route("/sites/{site}", get(site::show))
        .route("/sites/{site}/pending", get(site::pending))
        .route("/sites/{site}/cancel", post(plan::cancel))
        .route("/sites/{site}/resume", post(plan::resume))
        .route("/sites/{site}/plans", get(plan::choose))
        .route("/sites/{site}/checkout", get(plan::checkout))
        .route("/sites/{site}/orders", post(plan::order))
        .route("/sites/{site}/analytics", get(analytics::show))
        .route("/sites/{site}/messages", post(analytics::message))
        .route("/sites/{site}/contributors", post(team::invite))
        .route("/reconcile", post(operator::reconcile_now))
        .route("/health", get(operator::health))
        .route("/assets/portal.css", get(assets::style))
        .route("/assets/portal.js", get(assets::script))
        .fallback(async || Problem::NotFound)
        .layer(middleware::from_fn_with_state(app.clone(), check_host))
        .layer(middleware::from_fn_with_state(app.clone(), headers))
        .layer(TraceLayer::new_for_http())
        .with_state(app)
}

/// Rejects requests whose `Host` names another machine: a foreign page can point its name here (DNS
/// rebinding), and no password is needed. Behind a proxy, the proxy checks the name.
async fn check_host(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if app.settings.listen.ip().is_loopback() && !app.settings.https {
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
        if !host.is_some_and(|host| is_this_machine(host.host())) {
            return Err(Problem::Misdirected);
        }
    }
    Ok(next.run(request).await)
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

/// Adds the security headers of every response.
async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    // Only the dashboard may be framed here, and nobody may frame this. No inline script or style:
    // customer input cannot become one.
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
         form-action 'self'; frame-src {}; frame-ancestors 'none'; base-uri 'none'",
        app.twipla.dashboard_origin()
    );
    if response.status().is_client_error() && !is_page(&response) {
        response = Problem::Unreadable(response.status()).into_response();
    }
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let fixed = |headers: &mut axum::http::HeaderMap, name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    fixed(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    fixed(headers, header::REFERRER_POLICY, "same-origin");
    // A page belongs to one customer: no cache may store it.
    fixed(headers, header::CACHE_CONTROL, "no-store");
    if app.settings.https {
        fixed(
            headers,
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000",
        );
    }
    response
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

async fn serve(
    listener: TcpListener,
    router: Router,
    grace: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut stopped = stop.clone();
    let served = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    let cut_off = async move {
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::error!("cannot serve: {error}");
        },
        // A request that never ends must not keep the portal from stopping.
        () = cut_off => tracing::warn!("requests that did not end in {grace:?} were cut off"),
    }
}

/// Reconciles at regular intervals.
async fn keep_reconciling(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(app.settings.pace.reconcile) => {}
            _ = stop.changed() => return,
        }
        match reconcile(&app.twipla, &app.store).await {
            Ok(_) => app.wake.notify_one(),
            Err(error) => tracing::error!("cannot reconcile: {error:#}"),
        }
    }
}
