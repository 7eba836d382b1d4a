//! The table of rules: what each kind of change is called, how bad it is, and what it means for Rust.
//!
//! Ids follow the taxonomy that oasdiff made common, so that they can be looked
//! up and compared. Rules about a whole operation, parameter, body or response
//! are listed one by one. Rules about a schema are made of a [`SchemaPosition`] (where
//! the schema stands) and an aspect (what changed in it): narrowing what may be
//! sent breaks callers, widening what may arrive breaks readers, and the two
//! are each other's mirror.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How bad a change is for clients in general, whatever they are written in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A client that kept to the old contract can fail.
    Breaking,
    /// It depends on the client.
    Warning,
    /// No client that kept to the old contract notices.
    Info,
}

impl Level {
    /// The level as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Which way the changed thing travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Response,
    /// Neither: the operation or the document itself.
    None,
}

/// Whether a released `twipla` keeps working.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// A call that worked can fail.
    Breaks,
    /// No rule can tell.
    Unknown,
    /// It works: unknown enum values, extra fields and any 2xx are tolerated.
    Works,
}

/// Which part of the version rises when the client is generated anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RustApi {
    /// The generated source is the same.
    None,
    /// Other source with the same interface, such as documentation.
    Patch,
    /// Something new beside what was there.
    Minor,
    /// A caller's program may not compile.
    Major,
    /// The generator refuses the contract.
    Refused,
}

/// What is known of a kind of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Stable name, in kebab case.
    pub id: String,
    /// How bad.
    pub level: Level,
    /// Which way the changed thing travels.
    pub direction: Direction,
    /// The part of the contract: operation, parameter, body, property, response, header, security, server, paging,
    /// schema or document.
    pub area: &'static str,
    /// What of it changed.
    pub kind: &'static str,
    /// How it changed.
    pub action: &'static str,
    /// Whether a released client keeps working.
    pub runtime: Runtime,
    /// What regenerating does to the Rust API.
    pub rust_api: RustApi,
    /// What the same change is called when it is taken back: one of these.
    pub mirrors: Vec<String>,
    /// The change in words; `{old}` and `{new}` stand for the values.
    pub text: &'static str,
}

/// Where a schema is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaPosition {
    /// The schema of a parameter.
    Parameter,
    /// The body of a request as a whole.
    RequestBody,
    /// Something inside the body of a request.
    RequestProperty,
    /// The body of a response as a whole.
    ResponseBody,
    /// Something inside the body of a response.
    ResponseProperty,
    /// The value of a response header.
    ResponseHeader,
}

impl SchemaPosition {
    /// Every position of a schema.
    pub const ALL: [Self; 6] = [
        Self::Parameter,
        Self::RequestBody,
        Self::RequestProperty,
        Self::ResponseBody,
        Self::ResponseProperty,
        Self::ResponseHeader,
    ];

    /// How the ids of its rules begin.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Parameter => "request-parameter",
            Self::RequestBody => "request-body",
            Self::RequestProperty => "request-property",
            Self::ResponseBody => "response-body",
            Self::ResponseProperty => "response-property",
            Self::ResponseHeader => "response-header",
        }
    }

    /// Which way it travels.
    pub fn direction(self) -> Direction {
        match self {
            Self::Parameter | Self::RequestBody | Self::RequestProperty => Direction::Request,
            Self::ResponseBody | Self::ResponseProperty | Self::ResponseHeader => {
                Direction::Response
            }
        }
    }

    /// The position of what is inside.
    #[must_use]
    pub fn inner(self) -> Self {
        match self {
            Self::RequestBody => Self::RequestProperty,
            Self::ResponseBody => Self::ResponseProperty,
            other => other,
        }
    }

    fn area(self) -> &'static str {
        match self {
            Self::Parameter => "parameter",
            Self::RequestBody | Self::ResponseBody => "body",
            Self::RequestProperty | Self::ResponseProperty => "property",
            Self::ResponseHeader => "header",
        }
    }
}

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.get(id)
}

/// Every rule, sorted by id.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.values()
}

static RULES: LazyLock<BTreeMap<String, Rule>> = LazyLock::new(|| {
    listed()
        .chain(of_schemas())
        .map(|rule| (rule.id.clone(), rule))
        .collect()
});

use Direction::{None as Neither, Request, Response};
use Level::{Breaking, Info, Warning};
use Runtime::{Breaks, Unknown, Works};
use RustApi::{Major, Minor, None as Same, Patch};

type Row = (
    &'static str,
    Level,
    Direction,
    [&'static str; 3],
    Runtime,
    RustApi,
    &'static str,
    &'static str,
);

/// id, level, direction, [area, kind, action], runtime, Rust API, mirrors, text.
#[rustfmt::skip]
const LISTED: &[Row] = &[
    ("endpoint-added", Info, Neither, ["operation", "operation", "added"], Works, Minor, "endpoint-removed endpoint-removed-after-deprecation endpoint-removed-before-sunset", "the operation is new"),
    ("endpoint-removed", Breaking, Neither, ["operation", "operation", "removed"], Breaks, Major, "endpoint-added", "the operation is gone"),
    ("endpoint-removed-after-deprecation", Warning, Neither, ["operation", "operation", "removed"], Breaks, Major, "endpoint-added", "the deprecated operation is gone"),
    ("endpoint-removed-before-sunset", Breaking, Neither, ["operation", "operation", "removed"], Breaks, Major, "endpoint-added", "the operation is gone, and was promised until a later day"),
    ("endpoint-moved", Breaking, Neither, ["operation", "path", "changed"], Breaks, Patch, "endpoint-moved", "moved from {old} to {new}"),
    ("endpoint-renamed", Info, Neither, ["operation", "operation-id", "renamed"], Works, Major, "endpoint-renamed", "the operationId changed from {old} to {new}"),
    ("endpoint-deprecated", Info, Neither, ["operation", "deprecation", "added"], Works, Patch, "endpoint-reactivated", "the operation is deprecated"),
    ("endpoint-deprecated-without-sunset", Warning, Neither, ["operation", "deprecation", "added"], Works, Patch, "endpoint-reactivated", "the operation is deprecated, and no day says until when it stays"),
    ("endpoint-reactivated", Info, Neither, ["operation", "deprecation", "removed"], Works, Patch, "endpoint-deprecated endpoint-deprecated-without-sunset", "the operation is no longer deprecated"),
    ("endpoint-sunset-set", Info, Neither, ["operation", "sunset", "added"], Works, Same, "endpoint-sunset-removed", "ends on {new}"),
    ("endpoint-sunset-removed", Warning, Neither, ["operation", "sunset", "removed"], Works, Same, "endpoint-sunset-set", "no longer says that it ends on {old}"),
    ("endpoint-sunset-earlier", Breaking, Neither, ["operation", "sunset", "narrowed"], Works, Same, "endpoint-sunset-later", "ends on {new}, earlier than {old}"),
    ("endpoint-sunset-later", Info, Neither, ["operation", "sunset", "widened"], Works, Same, "endpoint-sunset-earlier", "ends on {new}, later than {old}"),
    ("endpoint-sunset-changed", Warning, Neither, ["operation", "sunset", "changed"], Unknown, Same, "endpoint-sunset-changed", "the sunset changed from {old} to {new}, one of which is not a date"),
    ("endpoint-tags-changed", Info, Neither, ["operation", "tags", "changed"], Works, Same, "endpoint-tags-changed", "the tags changed from {old} to {new}"),
    ("path-parameter-renamed", Info, Request, ["parameter", "name", "renamed"], Works, Patch, "path-parameter-renamed", "renamed from {old} to {new}"),

    ("new-required-request-parameter", Breaking, Request, ["parameter", "parameter", "added"], Breaks, Major, "request-parameter-removed request-parameter-removed-before-sunset", "new, and required"),
    ("new-optional-request-parameter", Info, Request, ["parameter", "parameter", "added"], Works, Major, "request-parameter-removed request-parameter-removed-before-sunset", "new, and optional"),
    ("request-parameter-removed-before-sunset", Breaking, Request, ["parameter", "parameter", "removed"], Works, Major, "new-required-request-parameter new-optional-request-parameter", "gone, and was promised until a later day"),
    ("request-parameter-removed", Warning, Request, ["parameter", "parameter", "removed"], Works, Major, "new-required-request-parameter new-optional-request-parameter", "gone; a server that ignores it may answer differently"),
    ("request-parameter-became-required", Breaking, Request, ["parameter", "presence", "required"], Breaks, Major, "request-parameter-became-optional", "became required"),
    ("request-parameter-became-optional", Info, Request, ["parameter", "presence", "optional"], Works, Major, "request-parameter-became-required", "became optional"),
    ("request-parameter-moved", Breaking, Request, ["parameter", "location", "changed"], Breaks, Major, "request-parameter-moved", "moved from {old} to {new}"),
    ("request-parameter-style-changed", Breaking, Request, ["parameter", "style", "changed"], Breaks, Patch, "request-parameter-style-changed", "is written differently: {old}, now {new}"),
    ("request-parameter-deprecated", Info, Request, ["parameter", "deprecation", "added"], Works, Patch, "request-parameter-reactivated", "is deprecated"),
    ("request-parameter-reactivated", Info, Request, ["parameter", "deprecation", "removed"], Works, Patch, "request-parameter-deprecated", "is no longer deprecated"),

    ("request-body-added-required", Breaking, Request, ["body", "body", "added"], Breaks, Major, "request-body-removed", "new, and required"),
    ("request-body-added-optional", Info, Request, ["body", "body", "added"], Works, Major, "request-body-removed", "new, and optional"),
    ("request-body-removed", Warning, Request, ["body", "body", "removed"], Works, Major, "request-body-added-required request-body-added-optional", "gone; what is sent may be ignored"),
    ("request-body-became-required", Breaking, Request, ["body", "presence", "required"], Breaks, Major, "request-body-became-optional", "became required"),
    ("request-body-became-optional", Info, Request, ["body", "presence", "optional"], Works, Major, "request-body-became-required", "became optional"),
    ("request-body-media-type-added", Info, Request, ["body", "media-type", "added"], Works, Same, "request-body-media-type-removed", "may also be {new}"),
    ("request-body-media-type-removed", Breaking, Request, ["body", "media-type", "removed"], Breaks, Major, "request-body-media-type-added", "may no longer be {old}"),

    ("new-required-request-property", Breaking, Request, ["property", "property", "added"], Breaks, Major, "request-property-removed request-property-removed-and-forbidden request-property-removed-before-sunset", "new, and required"),
    ("new-optional-request-property", Info, Request, ["property", "property", "added"], Works, Major, "request-property-removed request-property-removed-and-forbidden request-property-removed-before-sunset", "new, and optional"),
    ("request-property-removed-before-sunset", Breaking, Request, ["property", "property", "removed"], Works, Major, "new-required-request-property new-optional-request-property", "gone, and was promised until a later day"),
    ("request-property-removed", Warning, Request, ["property", "property", "removed"], Works, Major, "new-required-request-property new-optional-request-property", "gone; what is sent may be ignored"),
    ("request-property-removed-and-forbidden", Breaking, Request, ["property", "property", "removed"], Breaks, Major, "new-required-request-property new-optional-request-property", "gone, and no other properties are allowed"),
    ("request-property-became-required", Breaking, Request, ["property", "presence", "required"], Breaks, Major, "request-property-became-optional", "became required"),
    ("request-property-became-optional", Info, Request, ["property", "presence", "optional"], Works, Major, "request-property-became-required", "became optional"),
    ("request-property-renamed", Warning, Request, ["property", "name", "renamed"], Breaks, Major, "request-property-renamed", "looks as if {old} was renamed to {new}"),

    ("response-required-property-added", Info, Response, ["property", "property", "added"], Works, Major, "response-required-property-removed", "new, and always there"),
    ("response-required-property-removed", Breaking, Response, ["property", "property", "removed"], Breaks, Major, "response-required-property-added", "gone, and was always there"),
    ("response-optional-property-added", Info, Response, ["property", "property", "added"], Works, Major, "response-optional-property-removed response-property-removed-before-sunset", "new, and optional"),
    ("response-property-removed-before-sunset", Breaking, Response, ["property", "property", "removed"], Works, Major, "response-optional-property-added", "gone, and was promised until a later day"),
    ("response-optional-property-removed", Warning, Response, ["property", "property", "removed"], Works, Major, "response-optional-property-added", "gone, and was optional"),
    ("response-property-became-optional", Breaking, Response, ["property", "presence", "optional"], Breaks, Major, "response-property-became-required", "is no longer always there"),
    ("response-property-became-required", Info, Response, ["property", "presence", "required"], Works, Major, "response-property-became-optional", "is now always there"),
    ("response-property-renamed", Warning, Response, ["property", "name", "renamed"], Breaks, Major, "response-property-renamed", "looks as if {old} was renamed to {new}"),

    ("response-success-status-added", Info, Response, ["response", "status", "added"], Works, Same, "response-success-status-removed", "may succeed with {new}"),
    ("response-success-status-removed", Breaking, Response, ["response", "status", "removed"], Works, Same, "response-success-status-added", "no longer succeeds with {old}"),
    ("response-non-success-status-added", Info, Response, ["response", "status", "added"], Works, Same, "response-non-success-status-removed", "may fail with {new}"),
    ("response-non-success-status-removed", Info, Response, ["response", "status", "removed"], Works, Same, "response-non-success-status-added", "no longer fails with {old}"),
    ("response-body-added", Info, Response, ["response", "body", "added"], Works, Major, "response-body-removed", "has a body now"),
    ("response-body-removed", Breaking, Response, ["response", "body", "removed"], Breaks, Major, "response-body-added", "has no body any more"),
    ("response-media-type-added", Warning, Response, ["response", "media-type", "added"], Works, Same, "response-media-type-removed", "may also be {new}"),
    ("response-media-type-removed", Breaking, Response, ["response", "media-type", "removed"], Breaks, Major, "response-media-type-added", "is no longer {old}"),
    ("required-response-header-added", Info, Response, ["header", "header", "added"], Works, Same, "required-response-header-removed", "new, and always there"),
    ("required-response-header-removed", Breaking, Response, ["header", "header", "removed"], Works, Same, "required-response-header-added", "gone, and was always there"),
    ("optional-response-header-added", Info, Response, ["header", "header", "added"], Works, Same, "optional-response-header-removed", "new, and optional"),
    ("optional-response-header-removed", Warning, Response, ["header", "header", "removed"], Works, Same, "optional-response-header-added", "gone, and was optional"),
    ("response-header-became-optional", Breaking, Response, ["header", "presence", "optional"], Works, Same, "response-header-became-required", "is no longer always there"),
    ("response-header-became-required", Info, Response, ["header", "presence", "required"], Works, Same, "response-header-became-optional", "is now always there"),

    ("endpoint-security-added", Breaking, Neither, ["security", "requirement", "added"], Breaks, Patch, "endpoint-security-removed", "needs {new} now"),
    ("endpoint-security-removed", Info, Neither, ["security", "requirement", "removed"], Works, Patch, "endpoint-security-added", "needs no {old} any more"),
    ("endpoint-security-alternative-added", Info, Neither, ["security", "alternative", "added"], Works, Patch, "endpoint-security-alternative-removed", "takes {new} as well"),
    ("endpoint-security-alternative-removed", Breaking, Neither, ["security", "alternative", "removed"], Breaks, Patch, "endpoint-security-alternative-added", "no longer takes {old}"),
    ("endpoint-security-loosened", Info, Neither, ["security", "alternative", "widened"], Works, Patch, "endpoint-security-tightened", "needs {new} where it needed {old}"),
    ("endpoint-security-tightened", Breaking, Neither, ["security", "alternative", "narrowed"], Breaks, Patch, "endpoint-security-loosened", "needs {new} where it needed {old}"),
    ("security-scheme-renamed", Info, Neither, ["security", "scheme", "renamed"], Works, Same, "security-scheme-renamed", "is called {new}, not {old}"),
    ("security-scheme-scopes-changed", Info, Neither, ["security", "scopes", "changed"], Works, Same, "security-scheme-scopes-changed", "knows the scopes {new}, where they were {old}"),
    ("security-scheme-added", Info, Neither, ["security", "scheme", "added"], Works, Same, "security-scheme-removed", "new"),
    ("security-scheme-removed", Warning, Neither, ["security", "scheme", "removed"], Works, Same, "security-scheme-added", "gone"),
    ("security-scheme-changed", Breaking, Neither, ["security", "scheme", "changed"], Breaks, Patch, "security-scheme-changed", "changed from {old} to {new}"),

    ("server-added", Info, Neither, ["server", "server", "added"], Works, Patch, "server-removed", "new"),
    ("server-removed", Breaking, Neither, ["server", "server", "removed"], Breaks, Patch, "server-added", "gone"),
    ("server-changed", Breaking, Neither, ["server", "variables", "changed"], Breaks, Patch, "server-changed", "the variables changed from {old} to {new}"),
    ("servers-reordered", Warning, Neither, ["server", "order", "changed"], Works, Patch, "servers-reordered", "the order changed from {old} to {new}; many clients take the first"),
    ("endpoint-server-added", Info, Neither, ["server", "server", "added"], Works, Patch, "endpoint-server-removed", "serves the operation now"),
    ("endpoint-server-removed", Breaking, Neither, ["server", "server", "removed"], Breaks, Patch, "endpoint-server-added", "no longer serves the operation"),
    ("endpoint-server-changed", Breaking, Neither, ["server", "variables", "changed"], Breaks, Patch, "endpoint-server-changed", "the variables changed from {old} to {new}"),
    ("endpoint-servers-reordered", Warning, Neither, ["server", "order", "changed"], Works, Patch, "endpoint-servers-reordered", "is served by {new}, where it was {old}; many clients take the first"),

    ("paging-added", Breaking, Response, ["paging", "shape", "added"], Breaks, Major, "paging-removed", "arrives in pages now: {new}"),
    ("paging-removed", Breaking, Response, ["paging", "shape", "removed"], Breaks, Major, "paging-added", "no longer arrives in pages: {old}"),
    ("paging-changed", Breaking, Response, ["paging", "shape", "changed"], Breaks, Major, "paging-changed", "is paged differently: {old}, now {new}"),

    ("schema-name-changed", Info, Neither, ["schema", "name", "renamed"], Works, Major, "schema-name-changed", "the type is called {new}, not {old}"),
    ("schema-added", Info, Neither, ["schema", "schema", "added"], Works, Same, "schema-removed", "new, and used by no operation"),
    ("schema-changed", Info, Neither, ["schema", "schema", "changed"], Works, Same, "schema-changed", "changed, and no operation uses it that was there before"),
    ("schema-removed", Info, Neither, ["schema", "schema", "removed"], Works, Same, "schema-added", "gone, and was used by no operation"),

    ("tag-added", Info, Neither, ["document", "tag", "added"], Works, Same, "tag-removed", "new"),
    ("tag-removed", Info, Neither, ["document", "tag", "removed"], Works, Same, "tag-added", "gone"),
    ("info-changed", Info, Neither, ["document", "info", "changed"], Works, Same, "info-changed", "what the document says of itself changed from {old} to {new}"),
    ("description-changed", Info, Neither, ["document", "description", "changed"], Works, Patch, "description-changed", "the description changed"),
    ("example-changed", Info, Neither, ["document", "example", "changed"], Works, Same, "example-changed", "the example changed"),
    ("documentation-changed", Info, Neither, ["document", "documentation", "changed"], Works, Same, "documentation-changed", "what is only for readers changed from {old} to {new}"),
    ("extension-changed", Info, Neither, ["document", "extension", "changed"], Works, Same, "extension-changed", "the extension changed from {old} to {new}"),
    ("rust-api-changed", Info, Neither, ["document", "rust-api", "changed"], Works, Same, "rust-api-changed", "changes in {new}, which no other finding accounts for"),
    ("document-rewritten", Info, Neither, ["document", "form", "changed"], Works, Same, "document-rewritten", "is written differently and means the same"),
    ("document-changed", Warning, Neither, ["document", "other", "changed"], Unknown, Same, "document-changed", "changed, and no rule says what that means"),
];

fn listed() -> impl Iterator<Item = Rule> {
    LISTED.iter().map(
        |&(id, level, direction, [area, kind, action], runtime, rust_api, mirrors, text)| Rule {
            id: id.to_owned(),
            level,
            direction,
            area,
            kind,
            action,
            runtime,
            rust_api,
            mirrors: mirrors.split(' ').map(str::to_owned).collect(),
            text,
        },
    )
}

/// What a change does to the set of values that fit a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Fewer values fit.
    Narrows,
    /// More values fit.
    Widens,
    /// Other values fit.
    Replaces,
    /// The same values fit.
    Keeps,
    /// Nobody knows.
    Unclear,
}

use Effect::{Keeps, Narrows, Replaces, Unclear, Widens};

type Aspect = (
    &'static str,
    &'static str,
    Effect,
    [&'static str; 2],
    Tolerance,
    RustApi,
    &'static str,
);

/// What a released client does with a reply that fits the new schema only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tolerance {
    /// It takes it: enums are open, and limits are the server's business.
    Takes,
    /// It refuses it.
    Refuses,
}

use Tolerance::{Refuses, Takes};

/// aspect, its mirror, effect, [kind, action], tolerance of replies, Rust API, text.
///
/// Where the Rust API depends on the types at hand, the table has the worst case
/// and the comparison lowers it.
#[rustfmt::skip]
const ASPECTS: &[Aspect] = &[
    ("type-changed", "type-changed", Replaces, ["type", "changed"], Refuses, Major, "the type changed from {old} to {new}"),
    ("type-widened", "type-narrowed", Widens, ["type", "widened"], Refuses, Major, "the type widened from {old} to {new}"),
    ("type-narrowed", "type-widened", Narrows, ["type", "narrowed"], Refuses, Major, "the type narrowed from {old} to {new}"),
    ("format-changed", "format-changed", Replaces, ["format", "changed"], Refuses, Major, "the format changed from {old} to {new}"),
    ("format-added", "format-removed", Narrows, ["format", "added"], Refuses, Major, "has the format {new} now"),
    ("format-removed", "format-added", Widens, ["format", "removed"], Refuses, Major, "no longer has the format {old}"),
    ("became-nullable", "became-not-nullable", Widens, ["nullability", "widened"], Refuses, Major, "may be null now"),
    ("became-not-nullable", "became-nullable", Narrows, ["nullability", "narrowed"], Refuses, Major, "may no longer be null"),
    ("enum-value-added", "enum-value-removed", Widens, ["enum", "widened"], Takes, Minor, "may also be {new}"),
    ("enum-value-removed", "enum-value-added", Narrows, ["enum", "narrowed"], Takes, Major, "may no longer be {old}"),
    ("enum-added", "enum-removed", Narrows, ["enum", "added"], Takes, Major, "is one of {new} now"),
    ("enum-removed", "enum-added", Widens, ["enum", "removed"], Takes, Major, "is no longer limited to {old}"),

    ("min-increased", "min-decreased", Narrows, ["minimum", "narrowed"], Takes, Same, "the minimum rose from {old} to {new}"),
    ("min-decreased", "min-increased", Widens, ["minimum", "widened"], Takes, Same, "the minimum fell from {old} to {new}"),
    ("min-set", "min-unset", Narrows, ["minimum", "added"], Takes, Same, "has a minimum of {new} now"),
    ("min-unset", "min-set", Widens, ["minimum", "removed"], Takes, Same, "no longer has a minimum of {old}"),
    ("max-decreased", "max-increased", Narrows, ["maximum", "narrowed"], Takes, Same, "the maximum fell from {old} to {new}"),
    ("max-increased", "max-decreased", Widens, ["maximum", "widened"], Takes, Same, "the maximum rose from {old} to {new}"),
    ("max-set", "max-unset", Narrows, ["maximum", "added"], Takes, Same, "has a maximum of {new} now"),
    ("max-unset", "max-set", Widens, ["maximum", "removed"], Takes, Same, "no longer has a maximum of {old}"),
    ("min-length-increased", "min-length-decreased", Narrows, ["min-length", "narrowed"], Takes, Same, "minLength rose from {old} to {new}"),
    ("min-length-decreased", "min-length-increased", Widens, ["min-length", "widened"], Takes, Same, "minLength fell from {old} to {new}"),
    ("min-length-set", "min-length-unset", Narrows, ["min-length", "added"], Takes, Same, "has a minLength of {new} now"),
    ("min-length-unset", "min-length-set", Widens, ["min-length", "removed"], Takes, Same, "no longer has a minLength of {old}"),
    ("max-length-decreased", "max-length-increased", Narrows, ["max-length", "narrowed"], Takes, Same, "maxLength fell from {old} to {new}"),
    ("max-length-increased", "max-length-decreased", Widens, ["max-length", "widened"], Takes, Same, "maxLength rose from {old} to {new}"),
    ("max-length-set", "max-length-unset", Narrows, ["max-length", "added"], Takes, Same, "has a maxLength of {new} now"),
    ("max-length-unset", "max-length-set", Widens, ["max-length", "removed"], Takes, Same, "no longer has a maxLength of {old}"),
    ("min-items-increased", "min-items-decreased", Narrows, ["min-items", "narrowed"], Takes, Same, "minItems rose from {old} to {new}"),
    ("min-items-decreased", "min-items-increased", Widens, ["min-items", "widened"], Takes, Same, "minItems fell from {old} to {new}"),
    ("min-items-set", "min-items-unset", Narrows, ["min-items", "added"], Takes, Same, "has minItems of {new} now"),
    ("min-items-unset", "min-items-set", Widens, ["min-items", "removed"], Takes, Same, "no longer has minItems of {old}"),
    ("max-items-decreased", "max-items-increased", Narrows, ["max-items", "narrowed"], Takes, Same, "maxItems fell from {old} to {new}"),
    ("max-items-increased", "max-items-decreased", Widens, ["max-items", "widened"], Takes, Same, "maxItems rose from {old} to {new}"),
    ("max-items-set", "max-items-unset", Narrows, ["max-items", "added"], Takes, Same, "has maxItems of {new} now"),
    ("max-items-unset", "max-items-set", Widens, ["max-items", "removed"], Takes, Same, "no longer has maxItems of {old}"),
    ("min-properties-increased", "min-properties-decreased", Narrows, ["min-properties", "narrowed"], Takes, Same, "minProperties rose from {old} to {new}"),
    ("min-properties-decreased", "min-properties-increased", Widens, ["min-properties", "widened"], Takes, Same, "minProperties fell from {old} to {new}"),
    ("min-properties-set", "min-properties-unset", Narrows, ["min-properties", "added"], Takes, Same, "has minProperties of {new} now"),
    ("min-properties-unset", "min-properties-set", Widens, ["min-properties", "removed"], Takes, Same, "no longer has minProperties of {old}"),
    ("max-properties-decreased", "max-properties-increased", Narrows, ["max-properties", "narrowed"], Takes, Same, "maxProperties fell from {old} to {new}"),
    ("max-properties-increased", "max-properties-decreased", Widens, ["max-properties", "widened"], Takes, Same, "maxProperties rose from {old} to {new}"),
    ("max-properties-set", "max-properties-unset", Narrows, ["max-properties", "added"], Takes, Same, "has maxProperties of {new} now"),
    ("max-properties-unset", "max-properties-set", Widens, ["max-properties", "removed"], Takes, Same, "no longer has maxProperties of {old}"),
    ("multiple-of-changed", "multiple-of-changed", Replaces, ["multiple-of", "changed"], Takes, Major, "multipleOf changed from {old} to {new}"),
    ("multiple-of-set", "multiple-of-unset", Narrows, ["multiple-of", "added"], Takes, Major, "is a multiple of {new} now"),
    ("multiple-of-unset", "multiple-of-set", Widens, ["multiple-of", "removed"], Refuses, Major, "need no longer be a multiple of {old}"),
    ("unique-items-set", "unique-items-unset", Narrows, ["unique-items", "added"], Takes, Same, "the items must differ now"),
    ("unique-items-unset", "unique-items-set", Widens, ["unique-items", "removed"], Takes, Same, "the items need no longer differ"),
    ("pattern-changed", "pattern-changed", Replaces, ["pattern", "changed"], Takes, Same, "the pattern changed from {old} to {new}"),
    ("pattern-widened", "pattern-narrowed", Widens, ["pattern", "widened"], Takes, Same, "more matches the pattern {new} than {old}"),
    ("pattern-narrowed", "pattern-widened", Narrows, ["pattern", "narrowed"], Takes, Same, "less matches the pattern {new} than {old}"),
    ("pattern-added", "pattern-removed", Narrows, ["pattern", "added"], Takes, Same, "must match {new} now"),
    ("pattern-removed", "pattern-added", Widens, ["pattern", "removed"], Takes, Same, "need no longer match {old}"),

    ("default-value-changed", "default-value-changed", Keeps, ["default", "changed"], Takes, Same, "the default changed from {old} to {new}"),
    ("default-value-added", "default-value-removed", Keeps, ["default", "added"], Takes, Same, "is {new} where it is absent"),
    ("default-value-removed", "default-value-added", Keeps, ["default", "removed"], Takes, Same, "is no longer {old} where it is absent"),

    ("items-added", "items-removed", Narrows, ["items", "added"], Refuses, Major, "the items are described now"),
    ("items-removed", "items-added", Widens, ["items", "removed"], Refuses, Major, "the items are no longer described"),
    ("additional-properties-allowed", "additional-properties-forbidden", Widens, ["additional-properties", "widened"], Takes, Major, "may have other properties: {new}"),
    ("additional-properties-forbidden", "additional-properties-allowed", Narrows, ["additional-properties", "narrowed"], Takes, Major, "may no longer have other properties: {new}"),
    ("one-of-added", "one-of-removed", Widens, ["one-of", "widened"], Refuses, Major, "may also be one of oneOf: {new}"),
    ("one-of-removed", "one-of-added", Narrows, ["one-of", "narrowed"], Refuses, Major, "may no longer be one of oneOf: {old}"),
    ("any-of-added", "any-of-removed", Widens, ["any-of", "widened"], Refuses, Major, "may also be one of anyOf: {new}"),
    ("any-of-removed", "any-of-added", Narrows, ["any-of", "narrowed"], Refuses, Major, "may no longer be one of anyOf: {old}"),
    ("choice-added", "choice-removed", Narrows, ["choice", "added"], Refuses, Major, "must be one of {new} now"),
    ("choice-removed", "choice-added", Widens, ["choice", "removed"], Refuses, Major, "need no longer be one of {old}"),
    ("not-changed", "not-changed", Replaces, ["not", "changed"], Takes, Same, "what it must not be changed"),
    ("discriminator-changed", "discriminator-changed", Replaces, ["discriminator", "changed"], Refuses, Major, "the discriminator changed from {old} to {new}"),

    ("keyword-added", "keyword-removed", Narrows, ["keyword", "added"], Takes, Same, "is limited by {new} now"),
    ("keyword-removed", "keyword-added", Widens, ["keyword", "removed"], Takes, Same, "is no longer limited by {old}"),
    ("keyword-changed", "keyword-changed", Unclear, ["keyword", "changed"], Takes, Same, "changed from {old} to {new}, and no rule says what that means"),

    ("became-read-only", "became-not-read-only", Keeps, ["read-only", "added"], Takes, Same, "is only read now"),
    ("became-not-read-only", "became-read-only", Keeps, ["read-only", "removed"], Takes, Same, "is no longer only read"),
    ("became-write-only", "became-not-write-only", Keeps, ["write-only", "added"], Takes, Same, "is only written now"),
    ("became-not-write-only", "became-write-only", Keeps, ["write-only", "removed"], Takes, Same, "is no longer only written"),
    ("sunset-set", "sunset-removed", Keeps, ["sunset", "added"], Takes, Same, "ends on {new}"),
    ("sunset-removed", "sunset-set", Keeps, ["sunset", "removed"], Takes, Same, "no longer says that it ends on {old}"),
    ("sunset-earlier", "sunset-later", Keeps, ["sunset", "narrowed"], Takes, Same, "ends on {new}, earlier than {old}"),
    ("sunset-later", "sunset-earlier", Keeps, ["sunset", "widened"], Takes, Same, "ends on {new}, later than {old}"),
    ("sunset-changed", "sunset-changed", Unclear, ["sunset", "changed"], Takes, Same, "the sunset changed from {old} to {new}, one of which is not a date"),
    ("schema-deprecated", "schema-reactivated", Keeps, ["deprecation", "added"], Takes, Patch, "is deprecated"),
    ("schema-reactivated", "schema-deprecated", Keeps, ["deprecation", "removed"], Takes, Patch, "is no longer deprecated"),
];

fn of_schemas() -> impl Iterator<Item = Rule> {
    SchemaPosition::ALL.into_iter().flat_map(|position| {
        ASPECTS.iter().map(
            move |&(aspect, mirror, effect, [kind, action], tolerance, rust_api, text)| {
                let direction = position.direction();
                Rule {
                    id: format!("{}-{aspect}", position.prefix()),
                    level: level(direction, effect, aspect),
                    direction,
                    area: position.area(),
                    kind,
                    action,
                    runtime: runtime(position, effect, tolerance),
                    // Headers of a response have no counterpart in the generated client.
                    rust_api: if position == SchemaPosition::ResponseHeader {
                        Same
                    } else {
                        rust_api
                    },
                    mirrors: vec![format!("{}-{mirror}", position.prefix())],
                    text,
                }
            },
        )
    })
}

fn level(direction: Direction, effect: Effect, aspect: &str) -> Level {
    match (direction, effect) {
        // A value that is only read cannot be sent, one that is only written does not arrive.
        (Request, _) if aspect == "became-read-only" => Warning,
        (Response, _) if aspect == "became-write-only" => Warning,
        (_, Keeps) if aspect == "sunset-earlier" => Breaking,
        (_, Keeps) if aspect == "sunset-removed" => Warning,
        // A default is part of what a call without the value means.
        (Request, Keeps) if aspect.starts_with("default-value") => Warning,
        // Readers are told to expect new values of an enum, but many do not.
        (Response, Widens) if aspect.starts_with("enum-") => Warning,
        (_, Unclear) => Warning,
        (_, Replaces) | (Request, Narrows) | (Response, Widens) => Breaking,
        _ => Info,
    }
}

fn runtime(position: SchemaPosition, effect: Effect, tolerance: Tolerance) -> Runtime {
    match (position.direction(), effect) {
        // The client reads no described header strictly.
        _ if position == SchemaPosition::ResponseHeader => Works,
        (_, Unclear) => Unknown,
        (Request, Narrows | Replaces) => Breaks,
        (Response, Widens | Replaces) if tolerance == Refuses => Breaks,
        _ => Works,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mirror_is_a_rule_that_mirrors_back() {
        for rule in rules() {
            for mirror in &rule.mirrors {
                let back = super::rule(mirror).unwrap_or_else(|| panic!("{}: {mirror}", rule.id));
                assert!(back.mirrors.contains(&rule.id), "{mirror} -> {}", rule.id);
            }
        }
    }

    #[test]
    fn ids_are_unique_and_in_kebab_case() {
        assert_eq!(
            rules().count(),
            LISTED.len() + SchemaPosition::ALL.len() * ASPECTS.len()
        );
        for rule in rules() {
            assert!(
                rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{}",
                rule.id
            );
        }
    }
}
