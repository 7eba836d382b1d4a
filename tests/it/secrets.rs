//! Checks that nothing that this crate prints contains a secret.
//!
//! All output is collected into one text: `Debug` of every public type, every error with its sources, every span and event
//! at TRACE (including those of libraries, through `tracing` and through `log`). Then the text is searched for any part of
//! any secret that occurred in the run.

use std::cell::RefCell;
use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::future::IntoFuture;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{Days, Utc};
use http::Method;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing_subscriber::layer::Context;
use twipla::types::{ContributorRole, CreatedApiKey};
use twipla::{ApiKeyId, TwiplaWebsiteId};
use twipla::{
    Dimension, Environment, Filter, IframeMessage, Metric, Order, PrivateKey, RetryPolicy, Secret,
    SignFuture, Signer, SignerError, Twipla,
};
use twipla_sandbox::{Fault, FaultKind, Partner, Sandbox};
use twipla_tests::respond;
use uuid::Uuid;

use crate::spans::listen;

/// Everything that was printed so far.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn say(&self, text: impl fmt::Display) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(all, "{text}").unwrap();
    }

    fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds every form of an error.
    fn error(&self, error: &(dyn StdError + 'static)) {
        self.say(format_args!("{error}\n{error:?}\n{error:#?}"));
        let mut source = error.source();
        while let Some(error) = source {
            self.say(format_args!("{error}\n{error:?}\n{error:#?}"));
            source = error.source();
        }
    }

    fn failure(&self, error: &twipla::Error) {
        self.error(error);
        self.say(error.message());
        self.say(format_args!("{:?}", error.code()));
    }

    fn outcome<T: fmt::Debug>(&self, result: twipla::Result<T>) -> Option<T> {
        self.say(format_args!("{result:?}\n{result:#?}"));
        result.map_err(|error| self.failure(&error)).ok()
    }
}

/// Adds every field in the form of each kind of formatter.
struct Fields<'a>(&'a Heard);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.say(format_args!("{field}={value:?}\n{value:#?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.say(format_args!("{field}={value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn StdError + 'static)) {
        self.0.say(field);
        self.0.error(value);
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Heard {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        self.say(format_args!(
            "span {} {}",
            metadata.target(),
            metadata.name()
        ));
        attributes.record(&mut Fields(self));
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        values.record(&mut Fields(self));
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        self.say(format_args!(
            "event {} {}",
            metadata.target(),
            metadata.name()
        ));
        event.record(&mut Fields(self));
    }
}

thread_local! {
    /// Where messages of this thread through `log` go, because there is one logger per process.
    static EAR: RefCell<Option<Heard>> = const { RefCell::new(None) };
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        EAR.with(|ear| ear.try_borrow().is_ok_and(|ear| ear.is_some()))
    }

    fn log(&self, record: &log::Record<'_>) {
        EAR.with(|ear| {
            if let Ok(ear) = ear.try_borrow()
                && let Some(heard) = &*ear
            {
                heard.say(format_args!("log {} {}", record.target(), record.args()));
            }
        });
    }

    fn flush(&self) {}
}

/// Listens to this thread until it is dropped.
struct Listening {
    _tracing: tracing::subscriber::DefaultGuard,
}

impl Listening {
    fn start(heard: &Heard) -> Self {
        static LOGGER: Once = Once::new();
        LOGGER.call_once(|| {
            log::set_logger(&Logger).unwrap();
            log::set_max_level(log::LevelFilter::Trace);
        });
        EAR.with(|ear| *ear.borrow_mut() = Some(heard.clone()));
        Self {
            _tracing: listen(heard.clone()),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        EAR.with(|ear| ear.borrow_mut().take());
    }
}

/// Texts that must not be printed.
#[derive(Clone, Default)]
struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    /// The length of a part that counts as disclosing a secret.
    const PIECE: usize = 12;

    fn add(&self, secret: &str) {
        assert!(secret.len() >= Self::PIECE, "too short to be told apart");
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.iter().any(|one| one == secret) {
            all.push(secret.to_owned());
        }
    }

    /// Adds the parts of a token.
    fn add_token(&self, token: &str) {
        token
            .split('.')
            .filter(|part| !part.is_empty())
            .for_each(|part| self.add(part));
    }

    /// Adds the lines of a PEM text, without header and footer. The last one may be short.
    fn add_pem(&self, pem: &str) {
        pem.lines()
            .filter(|line| !line.starts_with("-----") && line.len() >= Self::PIECE)
            .for_each(|line| self.add(line));
    }

    fn all(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the parts of secrets in a text, with their surroundings.
    fn found_in(&self, text: &str) -> Vec<String> {
        let secrets = self.all();
        let pieces: HashSet<&[u8]> = secrets
            .iter()
            .flat_map(|secret| secret.as_bytes().windows(Self::PIECE))
            .collect();
        let plain = text
            .as_bytes()
            .windows(Self::PIECE)
            .position(|piece| pieces.contains(piece));
        // The same bytes as `Debug` of a byte string prints them, in hex or in base64.
        let encoded = secrets.iter().find_map(|secret| {
            let bytes = secret.as_bytes();
            [0, (bytes.len() - 9) / 2, bytes.len() - 9]
                .into_iter()
                .flat_map(|start| {
                    let piece = &bytes[start..start + 9];
                    let list = format!("{piece:?}");
                    let list = &list[1..list.len() - 1];
                    let hex = |upper| {
                        piece.iter().fold(String::new(), |mut text, byte| {
                            let _ = if upper {
                                write!(text, "{byte:02X}")
                            } else {
                                write!(text, "{byte:02x}")
                            };
                            text
                        })
                    };
                    [
                        list.to_owned(),
                        list.replace(' ', ""),
                        list.replace(", ", ",\n    "),
                        hex(false),
                        hex(true),
                        STANDARD.encode(piece),
                        URL_SAFE_NO_PAD.encode(piece),
                    ]
                })
                .find_map(|piece| text.find(&piece))
        });
        plain
            .into_iter()
            .chain(encoded)
            .map(|at| {
                let bytes = text.as_bytes();
                let around = &bytes[at.saturating_sub(160)..bytes.len().min(at + 160)];
                String::from_utf8_lossy(around).into_owned()
            })
            .collect()
    }

    fn assert_none_in(&self, heard: &Heard) {
        let found = self.found_in(&heard.text());
        assert!(found.is_empty(), "printed: {found:#?}");
    }
}

macro_rules! show {
    ($heard:expr, $($value:expr),+ $(,)?) => {$({
        let value = &$value;
        $heard.say(format!("{value:?}\n{value:#?}"));
    })+};
}

/// Signs with the key, and records every token.
#[derive(Debug, Clone)]
struct Noting {
    key: PrivateKey,
    secrets: NotShown<Secrets>,
}

#[derive(Clone)]
struct NotShown<T>(T);

impl<T> fmt::Debug for NotShown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Noting {
    fn new(partner: &Partner, secrets: &Secrets) -> Self {
        secrets.add_pem(partner.private_key_pem());
        Self {
            key: PrivateKey::from_pem(partner.private_key_pem()).unwrap(),
            secrets: NotShown(secrets.clone()),
        }
    }
}

impl Signer for Noting {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async move {
            let signature = self.key.sign(message).await?;
            let secrets = &self.secrets.0;
            secrets.add_token(std::str::from_utf8(message).unwrap());
            secrets.add(&URL_SAFE_NO_PAD.encode(&signature));
            Ok(signature)
        })
    }
}

struct Run {
    heard: Heard,
    secrets: Secrets,
    sandbox: Sandbox,
}

impl Run {
    async fn start() -> Self {
        let (heard, secrets) = (Heard::default(), Secrets::default());
        let sandbox = Sandbox::start().await.unwrap();
        Self {
            heard,
            secrets,
            sandbox,
        }
    }

    fn client(&self) -> Twipla {
        let partner = self.sandbox.website_partner();
        let builder = Twipla::builder()
            .signer(partner.id(), Noting::new(&partner, &self.secrets))
            .base_url(self.sandbox.base_url())
            .retry(
                RetryPolicy::default()
                    .max_attempts(2)
                    .base_delay(Duration::from_millis(1)),
            )
            .attempt_timeout(Duration::from_millis(400))
            .timeout(Duration::from_millis(600));
        show!(self.heard, builder);
        builder.build().unwrap()
    }

    async fn hear<T: fmt::Debug>(
        &self,
        call: impl IntoFuture<Output = twipla::Result<T>>,
    ) -> Option<T> {
        self.heard.outcome(call.await)
    }

    /// Makes calls of every kind, and prints each response or error.
    async fn calls(&self, twipla: &Twipla, n: usize, known: &Known) {
        let site = twipla.website("w");
        self.hear(twipla.company_details()).await;
        let (customer, website) = (format!("c{n}"), format!("w{n}"));
        let email = format!("{customer}@example.com");
        self.hear(twipla.customers().create(customer.as_str(), email))
            .await;
        self.hear(twipla.customers().list()).await;
        self.hear(
            twipla
                .websites()
                .create("c", website.as_str(), "example.com"),
        )
        .await;
        self.hear(site.get()).await;
        self.hear(site.get().raw()).await;
        self.hear(site.subscription().cancel()).await;
        self.hear(
            site.contributors()
                .add(customer.as_str(), ContributorRole::Editor),
        )
        .await;
        self.hear(site.whitelisted_domains().list()).await;
        self.hear(twipla.packages().list()).await;

        if let Some(key) = self.hear(site.api_keys().create(format!("key {n}"))).await {
            self.secrets.add(key.api_key.expose());
        }
        self.hear(site.api_keys().list()).await;
        if let Some(rotation) = self.hear(site.api_keys().rotate(&known.key_id)).await {
            self.secrets.add(rotation.new_key().api_key.expose());
            self.hear(rotation.abandon()).await;
        }
        let login = || twipla.login_with_api_key(known.website, known.key.as_str());
        let path = twipla_api::operations::LOGIN_WITH_API_KEY.path;
        for tokens in [
            self.hear(login()).await,
            self.hear(login().path(path)).await,
        ]
        .into_iter()
        .flatten()
        {
            self.secrets.add(tokens.token.expose());
            self.secrets.add(tokens.refresh_token.expose());
        }

        let today = Utc::now().date_naive();
        let data = twipla.analytics(known.website, known.key.as_str());
        let days = today - Days::new(2)..=today;
        self.hear(
            data.sessions()
                .metrics([Metric::VisitCount])
                .date_range(days.clone()),
        )
        .await;
        self.hear(data.visits().date_range(days)).await;
        self.hear(data.raw_sessions()).await;
        let free = twipla.raw_request(Method::GET, format!("/v2/websites/{}/x", known.website));
        self.hear(free.api_key(known.key.as_str())).await;
        self.hear(twipla.raw_request(Method::GET, "/v2/3as/customers"))
            .await;

        if let Some(url) = self.hear(twipla.dashboard("c", "w")).await {
            self.visit(url.as_str());
        }
        let from_login = twipla.dashboard_from_login(known.refresh_token.as_str());
        if let Some(url) = self.hear(from_login).await {
            self.visit(url.as_str());
        }
        show!(self.heard, twipla);
        self.hear(twipla.partner_token()).await;
        self.hear(twipla.customer_token("c")).await;
    }

    /// Records the token of a dashboard URL.
    fn visit(&self, url: &str) {
        let token = url
            .split(['?', '&'])
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| matches!(*name, "intpc_token" | "websiteToken"))
            .map(|(_, token)| token)
            .unwrap();
        self.secrets.add_token(token);
    }
}

/// The results of the first, undisturbed calls.
struct Known {
    website: TwiplaWebsiteId,
    key_id: ApiKeyId,
    key: String,
    refresh_token: String,
}

async fn know(run: &Run, twipla: &Twipla) -> Known {
    let made = twipla
        .customers()
        .create("c", "c@example.com")
        .website("w", "example.com")
        .await
        .unwrap();
    let website = made.website.unwrap().id;
    let key = twipla
        .website("w")
        .api_keys()
        .create("known")
        .await
        .unwrap();
    run.secrets.add(key.api_key.expose());
    let tokens = twipla
        .login_with_api_key(website, &key.api_key)
        .await
        .unwrap();
    run.secrets.add(tokens.token.expose());
    run.secrets.add(tokens.refresh_token.expose());
    show!(run.heard, key, tokens);
    Known {
        website,
        key_id: key.id,
        key: key.api_key.expose().to_owned(),
        refresh_token: tokens.refresh_token.expose().to_owned(),
    }
}

fn every_fault() -> Vec<FaultKind> {
    vec![
        respond(400, &[], r#"{"status":400,"message":"no","code":1}"#),
        respond(401, &[], r#"{"error":"invalid access token"}"#),
        respond(302, &[("location", "http://127.0.0.1:1/")], ""),
        respond(429, &[("retry-after", "0")], ""),
        respond(500, &[], "<html>failed</html>"),
        respond(503, &[], ""),
        respond(200, &[], r#"{"payload":5}"#),
        FaultKind::Delay(Duration::from_millis(2)),
        FaultKind::Hang,
        FaultKind::ResetBeforeCommit,
        FaultKind::ResetAfterCommit,
        FaultKind::TruncatedBody,
        FaultKind::HtmlBody,
        FaultKind::EmptyBody,
        FaultKind::InvalidJson,
        FaultKind::MissingField("id".to_owned()),
        FaultKind::MissingField("apiKey".to_owned()),
        FaultKind::MissingField("token".to_owned()),
        FaultKind::UnknownEnumValue,
        FaultKind::NoContent,
        FaultKind::ClockSkew(7200),
        FaultKind::ClockSkew(-7200),
        FaultKind::ExpiredToken,
    ]
}

// A single thread, so that one listener receives the client and its connections.
#[tokio::test]
async fn no_fault_makes_the_client_print_a_secret() {
    let run = Run::start().await;
    let listening = Listening::start(&run.heard);
    let twipla = run.client();
    let known = know(&run, &twipla).await;
    run.calls(&twipla, 0, &known).await;
    for (n, kind) in every_fault().into_iter().enumerate() {
        // A new client, so that the retry budget is full and there is no token.
        let mut builder_of = run.client();
        let hangs = kind == FaultKind::Hang;
        run.sandbox.inject(Fault::new(kind));
        if hangs {
            // Two dozen calls up to their deadline would take too long.
            let partner = run.sandbox.website_partner();
            builder_of = Twipla::builder()
                .signer(partner.id(), Noting::new(&partner, &run.secrets))
                .base_url(run.sandbox.base_url())
                .attempt_timeout(Duration::from_millis(15))
                .timeout(Duration::from_millis(25))
                .build()
                .unwrap();
        }
        run.calls(&builder_of, n + 1, &known).await;
        run.sandbox.clear_faults();
    }
    drop(listening);

    let text = run.heard.text();
    for expected in [
        "span twipla",
        "http.request.method",
        "retrying",
        "log reqwest",
        "get_website",
        "Timeout",
        "Connection",
        "Decode",
        "Auth",
    ] {
        assert!(text.contains(expected), "{expected} was not heard");
    }
    assert!(run.secrets.all().len() > 50, "the run saw many secrets");
    run.secrets.assert_none_in(&run.heard);
}

#[tokio::test]
async fn responses_with_secrets_that_do_not_fit_the_contract_are_not_quoted() {
    let run = Run::start().await;
    let listening = Listening::start(&run.heard);
    let twipla = run.client();
    let known = know(&run, &twipla).await;
    // Invented, in the form of real ones.
    let (key, token) = (
        "twpl-PlantedPlantedPlanted7",
        "aPlantedRefreshTokenOfTheServer",
    );
    run.secrets.add(key);
    run.secrets.add(token);
    for (code, body) in [
        (200, json!({"payload": {"apiKey": key, "id": 5}})),
        (200, json!({"payload": {"apiKey": [key], "id": key}})),
        (200, json!({"payload": {"apiKey": {"secret": key}}})),
        (200, json!({"payload": key})),
        (200, json!({"payload": [key, token]})),
        (200, json!(key)),
        (200, json!({"apiKey": key, "refreshToken": token})),
        (200, json!({"payload": {"refreshToken": token, "token": 5}})),
        (200, json!({"payload": {"refreshToken": 5, "token": token}})),
        (200, json!({"payload": {"createdAt": key, "apiKey": key}})),
        (400, json!({"status": 400, "message": "no", "apiKey": key})),
        (500, json!({"error": {"code": "x"}, "refreshToken": token})),
    ] {
        run.sandbox
            .inject(Fault::new(respond(code, &[], &body.to_string())));
        // `raw` returns the response itself, so it is not printed here.
        let site = twipla.website("w");
        run.hear(site.api_keys().create("x")).await;
        run.hear(site.api_keys().list()).await;
        run.hear(twipla.login_with_api_key(known.website, known.key.as_str()))
            .await;
        let path = twipla_api::operations::LOGIN_WITH_API_KEY.path;
        let login = twipla.login_with_api_key(known.website, known.key.as_str());
        run.hear(login.path(path)).await;
        run.sandbox.clear_faults();
    }
    drop(listening);
    assert!(run.heard.text().contains("does not fit"));
    run.secrets.assert_none_in(&run.heard);
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one list of all public types")]
async fn no_public_type_prints_a_secret() {
    let run = Run::start().await;
    let listening = Listening::start(&run.heard);
    let (heard, twipla) = (&run.heard, run.client());
    let known = know(&run, &twipla).await;
    let partner = run.sandbox.website_partner();
    let key = known.key.as_str();
    let id = &*Uuid::new_v4().to_string();
    let today = Utc::now().date_naive();
    let private = PrivateKey::from_pem(partner.private_key_pem()).unwrap();

    // Clients, keys, tokens.
    show!(
        heard,
        twipla,
        twipla.clone(),
        Twipla::builder().partner(partner.id(), private.clone()),
        Twipla::builder().signer(partner.id(), Noting::new(&partner, &run.secrets)),
        private.clone(),
        Secret::from(key),
        Some(Secret::from(key)),
        twipla.partner_token().await,
        twipla.customer_token("c").await,
        SignerError::new("no"),
        RetryPolicy::default(),
        Environment::Production,
        run.sandbox,
        partner,
    );
    // The parts of a call.
    let (customers, websites, packages) =
        (twipla.customers(), twipla.websites(), twipla.packages());
    let (customer, site, package) = (
        twipla.customer("c"),
        twipla.website("w"),
        twipla.package(id),
    );
    let keys = site.api_keys();
    show!(
        heard,
        customers,
        websites,
        packages,
        customer,
        site,
        package,
        keys,
        customers
            .create("a", "a@example.com")
            .website("b", "example.com"),
        customers.list(),
        websites.create("c", "b", "example.com"),
        websites.create_flat("c", "b", "example.com"),
        websites.list().for_customer("c"),
        websites.get_by_twipla_id(id),
        packages.list(),
        package.get(),
        package.rename("x"),
        customer.get(),
        customer.subscription(),
        customer.subscription().upgrade(id),
        site.get(),
        site.subscription(),
        site.subscription().upgrade(id),
        site.subscription().downgrade(id),
        site.contributors(),
        site.contributors().add("c", ContributorRole::Editor),
        site.whitelisted_domains(),
        site.whitelisted_domains().list(),
        keys.create("x").comment("y"),
        keys.list(),
        keys.delete(id),
        keys.rotate(id),
        twipla.company_details(),
        twipla.login_with_api_key(known.website, key),
        twipla.login_with_api_key(known.website, key).path("/x"),
        twipla.raw_request(Method::GET, "/x").api_key(key),
        twipla
            .raw_request(Method::POST, "/x")
            .json(&json!({"apiKey": key})),
        twipla.raw_request(Method::POST, "/x").query("token", key),
        twipla.dashboard("c", "w").locale("de"),
        twipla.dashboard_from_login(known.refresh_token.as_str()),
        twipla.dashboard("c", "w").await,
        twipla
            .dashboard_from_login(known.refresh_token.as_str())
            .await,
    );
    // The data of a website, and queries.
    let data = twipla.analytics(known.website, key);
    show!(
        heard,
        data,
        data.sessions()
            .metrics([Metric::VisitCount])
            .date_range(today..=today),
        data.pages().dimensions([Dimension::from("x")]),
        data.visits(),
        data.traffic_share(),
        data.raw_sessions(),
        data.raw_sessions().body(&json!({"apiKey": key})),
        Filter::eq("x", ["y"]),
        Order::ascending("x"),
        data.visits().date_range(today..=today).await,
    );
    // Models with secrets, and other results.
    let created = keys.create("x").await.unwrap();
    run.secrets.add(created.api_key.expose());
    let rotation = keys.rotate(&created.id).await.unwrap();
    run.secrets.add(rotation.new_key().api_key.expose());
    let tokens = twipla.login_with_api_key(known.website, key).await.unwrap();
    run.secrets.add(tokens.token.expose());
    run.secrets.add(tokens.refresh_token.expose());
    show!(
        heard,
        created,
        vec![created.clone()],
        rotation,
        rotation.new_key(),
        rotation.old_key(),
        tokens,
        Some(&tokens),
        site.get().await,
        customers.list().await,
        keys.list().await,
        IframeMessage::parse(r#"{"type": "UPGRADE_BUTTON_CLICKED"}"#),
    );
    drop(listening);
    assert!(heard.text().contains("Secret(..)"));
    assert!(heard.text().contains("PrivateKey(RSA, 2048 bits, ..)"));
    run.secrets.assert_none_in(heard);
}

/// A log, a cache or a response of the partner's own service may contain a model unchanged.
#[tokio::test]
async fn serialised_model_contains_no_secret() {
    let run = Run::start().await;
    let twipla = run.client();
    let known = know(&run, &twipla).await;
    let site = twipla.website("w");
    let created = site.api_keys().create("x").await.unwrap();
    run.secrets.add(created.api_key.expose());
    let tokens = twipla
        .login_with_api_key(known.website, &created.api_key)
        .await
        .unwrap();
    run.secrets.add(tokens.token.expose());
    run.secrets.add(tokens.refresh_token.expose());
    let written = json!({ "created": created, "tokens": tokens, "keys": [created.clone()] });
    run.heard
        .say(format_args!("{written}\n{created:?}\n{tokens:#?}"));
    run.secrets.assert_none_in(&run.heard);
    assert_eq!(written["created"]["name"], "x");
    for place in [
        "/created/apiKey",
        "/keys/0/apiKey",
        "/tokens/token",
        "/tokens/refreshToken",
    ] {
        assert_eq!(
            written.pointer(place),
            Some(&json!("[redacted]")),
            "{place}"
        );
    }

    // When it is deserialised, the placeholder is not accepted as a key.
    let error = serde_json::from_value::<CreatedApiKey>(written["created"].clone()).unwrap_err();
    assert!(error.to_string().starts_with("invalid secret"), "{error}");
}

/// A request body contains its secret, and requires it.
#[test]
fn request_body_contains_its_secret() {
    let body = twipla_api::types::LoginWithApiKeyRequest {
        api_key: Secret::from("twpl-bFHhQukkcKA9omBqRukM"),
        website_id: Uuid::nil().into(),
    };
    let request = twipla_api::requests::login_with_api_key(&body).unwrap();
    let sent: serde_json::Value = serde_json::from_slice(request.body().unwrap()).unwrap();
    assert_eq!(sent["apiKey"], "twpl-bFHhQukkcKA9omBqRukM");
    assert!(!format!("{body:?} {request:?}").contains("twpl-"));
}

/// Keys that are invalid, or in the wrong place.
#[tokio::test]
async fn refused_key_is_not_quoted() {
    let run = Run::start().await;
    let partner = run.sandbox.website_partner();
    let pem = partner.private_key_pem();
    run.secrets.add_pem(pem);
    let lines: Vec<_> = pem.lines().collect();
    let body = lines[1..lines.len() - 1].join("\n");
    let one_line = pem.replace('\n', "\\n");
    let texts = [
        lines[..lines.len() - 1].join("\n"),
        lines[..lines.len() / 2].join("\n"),
        body.clone(),
        lines[1].to_owned(),
        pem.replace("PRIVATE", "RSA PRIVATE"),
        pem.replace("PRIVATE", "EC PRIVATE"),
        pem.replace("PRIVATE", "OPENSSH PRIVATE"),
        pem.replace("PRIVATE", "PUBLIC"),
        pem.replacen('A', "*", 1),
        pem.replacen('A', "\u{e4}", 1),
        pem.replacen(lines[3], "", 1),
        format!("{pem}{pem}"),
        one_line.replace("-----END", ""),
        STANDARD.encode(pem),
        format!("\0{pem}"),
        format!("-----BEGIN {body}-----\n{body}\n"),
    ];
    for text in &texts {
        if let Err(error) = PrivateKey::from_pem(text) {
            run.heard.failure(&error);
        }
    }
    assert!(run.heard.text().lines().count() > texts.len());
    run.secrets.assert_none_in(&run.heard);
}

#[test]
fn search_finds_planted_secrets() {
    let token = format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"planted"}"#),
        URL_SAFE_NO_PAD.encode(r#"{"roles":["intp"],"exp":12345}"#),
        "c2lnbmF0dXJlIG9mIGEgcGxhbnRlZCB0b2tlbg"
    );
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0Planted\nKLMNOPQRSTUVWXYZabc\n-----END PRIVATE KEY-----";
    let key = "twpl-bFHhQukkcKA9omBqRukM";
    let secrets = Secrets::default();
    secrets.add_token(&token);
    secrets.add_pem(pem);
    secrets.add(key);
    assert_eq!(secrets.all().len(), 6, "three parts, two lines, one key");

    let heard = Heard::default();
    heard.say("-----BEGIN PRIVATE KEY----- is how a key starts; Secret(..); twpl-…");
    secrets.assert_none_in(&heard);

    let parts: Vec<_> = token.split('.').collect();
    let planted: [&dyn Fn(&Heard); 14] = [
        &|_| tracing::trace!(authorization = %format!("Bearer {token}")),
        &|_| tracing::trace!(token = parts[1]),
        &|_| tracing::trace!("signed {:?}", parts[2]),
        &|_| drop(tracing::trace_span!("call", api_key = key)),
        &|_| {
            let span = tracing::debug_span!("call", later = tracing::field::Empty);
            span.record("later", key);
        },
        &|_| tracing::info!(body = ?key.as_bytes()),
        &|_| tracing::info!(body = %json!(key.as_bytes())),
        &|_| {
            let error = SignerError::new("no").with_source(SignerError::new(pem));
            tracing::warn!(error = &error as &(dyn StdError + 'static));
        },
        &|_| log::trace!("headers: {key}"),
        &|heard| heard.error(&SignerError::new("no").with_source(SignerError::new(key))),
        &|heard| show!(heard, Some(key.to_owned())),
        &|heard| heard.say(STANDARD.encode(key)),
        // A part of it is enough.
        &|heard| heard.say(&key[9..21]),
        &|heard| heard.say(pem.replace('\n', "\\n")),
    ];
    for (n, plant) in planted.iter().enumerate() {
        let heard = Heard::default();
        let listening = Listening::start(&heard);
        plant(&heard);
        drop(listening);
        let found = secrets.found_in(&heard.text());
        assert!(
            !found.is_empty(),
            "plant {n} was not found in {:?}",
            heard.text()
        );
    }
}

#[tokio::test]
async fn key_instead_of_its_path_is_not_quoted() {
    let sandbox = Sandbox::start().await.unwrap();
    let pem = sandbox.website_partner().private_key_pem().to_owned();
    let (heard, secrets) = (Heard::default(), Secrets::default());
    secrets.add_pem(&pem);
    for path in [pem.clone(), pem.replace('\n', "\\n")] {
        heard.failure(&PrivateKey::from_pem_file(path).unwrap_err());
    }
    secrets.assert_none_in(&heard);
}

#[tokio::test]
async fn key_instead_of_an_id_is_not_quoted() {
    let run = Run::start().await;
    let twipla = run.client();
    let known = know(&run, &twipla).await;
    let key = known.key.as_str();
    let today = Utc::now().date_naive();
    // The arguments in the wrong order, which are both text.
    run.hear(twipla.login_with_api_key(key, known.website.to_string()))
        .await;
    let data = twipla.analytics(key, known.website.to_string());
    run.hear(data.visits().date_range(today..=today)).await;
    // The key instead of its id.
    run.hear(twipla.website("w").api_keys().delete(key)).await;
    run.secrets.assert_none_in(&run.heard);
}

#[tokio::test]
async fn credential_quoted_by_the_server_is_masked() {
    let run = Run::start().await;
    let twipla = run.client();
    let known = know(&run, &twipla).await;
    let today = Utc::now().date_naive();
    let token = twipla.partner_token().await.unwrap();
    for said in [token.expose(), known.key.as_str()] {
        for body in [
            format!("no such token: {said}"),
            json!({"message": format!("Bearer {said} is not valid")}).to_string(),
        ] {
            run.sandbox.inject(Fault::new(respond(400, &[], &body)));
            run.hear(twipla.company_details()).await;
            let data = twipla.analytics(known.website, known.key.as_str());
            run.hear(data.visits().date_range(today..=today)).await;
            run.sandbox.clear_faults();
        }
    }
    run.secrets.assert_none_in(&run.heard);
}
