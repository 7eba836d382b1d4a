//! The spans of a call, as a tracing subscriber receives them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};
use twipla_tests::{Stage, respond};

/// Registers a layer for this thread until the guard is dropped.
pub(crate) fn listen(layer: impl Layer<Registry> + Send + Sync) -> DefaultGuard {
    // With a single subscriber, `tracing` asks whichever thread reaches a callsite first whether it is enabled, and that
    // may be another test's. With two it asks the subscribers.
    static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
    tracing::subscriber::set_default(tracing_subscriber::registry().with(layer))
}

#[tokio::test]
async fn call_and_attempts_are_spans_with_opentelemetry_fields() {
    let stage = Stage::with_website().await;
    stage.fault_once("get_website", respond(503, &[], ""));
    let spans = Spans::default();
    let guard = listen(spans.clone());
    stage.website_model.website("w").get().await.unwrap();
    drop(guard);
    let [call, first, second] = spans.named(["twipla.call", "twipla.attempt", "twipla.attempt"]);
    assert_eq!(call["otel.kind"], "client");
    assert_eq!(call["otel.name"], "get_website");
    assert_eq!(call["http.request.method"], "GET");
    assert_eq!(call["server.address"], "127.0.0.1");
    assert_eq!(call["http.response.status_code"], "200");
    assert_eq!(call["http.request.resend_count"], "1");
    assert!(!call.contains_key("error.type"));
    assert_eq!(first["http.request.resend_count"], "0");
    assert_eq!(first["http.response.status_code"], "503");
    assert_eq!(first["error.type"], "Server");
    assert_eq!(second["http.request.resend_count"], "1");
    assert_eq!(second["http.response.status_code"], "200");
    assert!(!second.contains_key("error.type"));
}

#[tokio::test]
async fn span_of_a_failed_call_has_the_reason_and_no_span_has_an_id() {
    let stage = Stage::with_website().await;
    let spans = Spans::default();
    let guard = listen(spans.clone());
    let error = stage.website_model.website("nobodys-site").get().await;
    drop(guard);
    assert!(error.unwrap_err().is_not_found());
    let [call, _attempt] = spans.named(["twipla.call", "twipla.attempt"]);
    assert_eq!(call["http.response.status_code"], "404");
    assert_eq!(call["http.request.resend_count"], "0");
    assert_eq!(call["error.type"], "NotFound");
    let all = format!("{:?}", spans.0.lock().unwrap());
    assert!(!all.contains("nobodys-site"), "{all}");
}

/// The fields of each span of the client, in the order in which they were opened.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<NamedSpan>>>);

type NamedSpan = (span::Id, &'static str, Fields);
type Fields = BTreeMap<&'static str, String>;

impl Spans {
    fn named<const N: usize>(&self, names: [&str; N]) -> [Fields; N] {
        let spans = self.0.lock().unwrap().clone();
        let found: Vec<_> = spans.iter().map(|(_, name, _)| *name).collect();
        assert_eq!(found, names);
        let fields: Vec<_> = spans.into_iter().map(|(_, _, fields)| fields).collect();
        fields.try_into().unwrap()
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target().starts_with("twipla") {
            let mut fields = Fields::new();
            attributes.record(&mut Written(&mut fields));
            let mut spans = self.0.lock().unwrap();
            spans.push((id.clone(), metadata.name(), fields));
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        // The last one: an id is reused when its span has ended.
        let mut spans = self.0.lock().unwrap();
        if let Some((_, _, fields)) = spans.iter_mut().rev().find(|(of, _, _)| of == id) {
            values.record(&mut Written(fields));
        }
    }
}

struct Written<'a>(&'a mut Fields);

impl Visit for Written<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
