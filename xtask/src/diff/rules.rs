//! The table of rules: the name of each kind of change, its severity, and its effect on the Rust API.
//!
//! Ids follow the taxonomy that oasdiff established, so that they can be looked up and compared. Rules about a whole
//! operation, parameter, body or response are listed one by one. Rules about a schema combine a [`SchemaPosition`] (where
//! the schema is used) and an aspect (what changed in it): narrowing what may be sent breaks callers, widening what may
//! arrive breaks readers, so the two mirror each other.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How severe a change is for clients in general, in any language.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A client that follows the old contract can fail.
    Breaking,
    /// It depends on the client.
    Warning,
    /// A client that follows the old contract does not notice.
    Info,
}

impl Level {
    /// Returns the level as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// The direction in which the changed part is transferred.
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
    /// No rule knows.
    Unknown,
    /// It works: unknown enum values, extra fields and any 2xx are tolerated.
    Works,
}

/// Which part of the version must be raised when the client is regenerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RustApi {
    /// The generated source is the same.
    None,
    /// The source differs, but not its interface, such as documentation.
    Patch,
    /// Something was added.
    Minor,
    /// A caller's program may not compile.
    Major,
    /// The generator rejects the contract.
    Refused,
}

/// A kind of change, and its effects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Stable name, in kebab case.
    pub id: String,
    /// The severity.
    pub level: Level,
    /// The direction in which the changed part is transferred.
    pub direction: Direction,
    /// The part of the contract: operation, parameter, body, property, response, header, security, server, paging, schema
    /// or document.
    pub area: &'static str,
    /// The changed aspect of that part.
    pub kind: &'static str,
    /// How it changed.
    pub action: &'static str,
    /// Whether a released client keeps working.
    pub runtime: Runtime,
    /// The effect of regenerating on the Rust API.
    pub rust_api: RustApi,
    /// The ids of the opposite change, one of which is reported if the documents are swapped.
    pub mirrors: Vec<String>,
    /// A description of the change; `{old}` and `{new}` are replaced by the values.
    pub text: &'static str,
}

/// The place where a schema is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaPosition {
    /// The schema of a parameter.
    Parameter,
    /// The whole body of a request.
    RequestBody,
    /// Something inside the body of a request.
    RequestProperty,
    /// The whole body of a response.
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

    /// Returns the prefix of the ids of its rules.
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

    /// Returns the direction in which it is transferred.
    pub fn direction(self) -> Direction {
        match self {
            Self::Parameter | Self::RequestBody | Self::RequestProperty => Direction::Request,
            Self::ResponseBody | Self::ResponseProperty | Self::ResponseHeader => {
                Direction::Response
            }
        }
    }

    /// Returns the position of a property or item inside this one.
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

/// Returns the rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.get(id)
}

/// Returns every rule, sorted by id.
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
    ("endpoint-removed", Breaking, Neither, ["operation", "operation", "removed"], Breaks, Major, "endpoint-added", "the operation was removed"),
    ("endpoint-removed-after-deprecation", Warning, Neither, ["operation", "operation", "removed"], Breaks, Major, "endpoint-added", "the deprecated operation was removed"),
    ("endpoint-removed-before-sunset", Breaking, Neither, ["operation", "operation", "removed"], Breaks, Major, "endpoint-added", "the operation was removed before its sunset date"),
    ("endpoint-moved", Breaking, Neither, ["operation", "path", "changed"], Breaks, Patch, "endpoint-moved", "moved from {old} to {new}"),
    ("endpoint-renamed", Info, Neither, ["operation", "operation-id", "renamed"], Works, Major, "endpoint-renamed", "the operationId changed from {old} to {new}"),
    ("endpoint-deprecated", Info, Neither, ["operation", "deprecation", "added"], Works, Patch, "endpoint-reactivated", "the operation is deprecated"),
    ("endpoint-deprecated-without-sunset", Warning, Neither, ["operation", "deprecation", "added"], Works, Patch, "endpoint-reactivated", "the operation is deprecated without a sunset date"),
    ("endpoint-reactivated", Info, Neither, ["operation", "deprecation", "removed"], Works, Patch, "endpoint-deprecated endpoint-deprecated-without-sunset", "the operation is no longer deprecated"),
    ("endpoint-sunset-set", Info, Neither, ["operation", "sunset", "added"], Works, Same, "endpoint-sunset-removed", "ends on {new}"),
    ("endpoint-sunset-removed", Warning, Neither, ["operation", "sunset", "removed"], Works, Same, "endpoint-sunset-set", "the sunset date {old} was removed"),
    ("endpoint-sunset-earlier", Breaking, Neither, ["operation", "sunset", "narrowed"], Works, Same, "endpoint-sunset-later", "ends on {new}, earlier than {old}"),
    ("endpoint-sunset-later", Info, Neither, ["operation", "sunset", "widened"], Works, Same, "endpoint-sunset-earlier", "ends on {new}, later than {old}"),
    ("endpoint-sunset-changed", Warning, Neither, ["operation", "sunset", "changed"], Unknown, Same, "endpoint-sunset-changed", "the sunset changed from {old} to {new}, one of which is not a date"),
    ("endpoint-tags-changed", Info, Neither, ["operation", "tags", "changed"], Works, Same, "endpoint-tags-changed", "the tags changed from {old} to {new}"),
    ("path-parameter-renamed", Info, Request, ["parameter", "name", "renamed"], Works, Patch, "path-parameter-renamed", "renamed from {old} to {new}"),

    ("new-required-request-parameter", Breaking, Request, ["parameter", "parameter", "added"], Breaks, Major, "request-parameter-removed request-parameter-removed-before-sunset", "new, and required"),
    ("new-optional-request-parameter", Info, Request, ["parameter", "parameter", "added"], Works, Major, "request-parameter-removed request-parameter-removed-before-sunset", "new, and optional"),
    ("request-parameter-removed-before-sunset", Breaking, Request, ["parameter", "parameter", "removed"], Works, Major, "new-required-request-parameter new-optional-request-parameter", "removed before its sunset date"),
    ("request-parameter-removed", Warning, Request, ["parameter", "parameter", "removed"], Works, Major, "new-required-request-parameter new-optional-request-parameter", "removed; a server that ignores it may respond differently"),
    ("request-parameter-became-required", Breaking, Request, ["parameter", "presence", "required"], Breaks, Major, "request-parameter-became-optional", "became required"),
    ("request-parameter-became-optional", Info, Request, ["parameter", "presence", "optional"], Works, Major, "request-parameter-became-required", "became optional"),
    ("request-parameter-moved", Breaking, Request, ["parameter", "location", "changed"], Breaks, Major, "request-parameter-moved", "moved from {old} to {new}"),
    ("request-parameter-style-changed", Breaking, Request, ["parameter", "style", "changed"], Breaks, Patch, "request-parameter-style-changed", "the style changed from {old} to {new}"),
    ("request-parameter-deprecated", Info, Request, ["parameter", "deprecation", "added"], Works, Patch, "request-parameter-reactivated", "is deprecated"),
    ("request-parameter-reactivated", Info, Request, ["parameter", "deprecation", "removed"], Works, Patch, "request-parameter-deprecated", "is no longer deprecated"),

    ("request-body-added-required", Breaking, Request, ["body", "body", "added"], Breaks, Major, "request-body-removed", "new, and required"),
    ("request-body-added-optional", Info, Request, ["body", "body", "added"], Works, Major, "request-body-removed", "new, and optional"),
    ("request-body-removed", Warning, Request, ["body", "body", "removed"], Works, Major, "request-body-added-required request-body-added-optional", "removed; the server may ignore what is sent"),
    ("request-body-became-required", Breaking, Request, ["body", "presence", "required"], Breaks, Major, "request-body-became-optional", "became required"),
    ("request-body-became-optional", Info, Request, ["body", "presence", "optional"], Works, Major, "request-body-became-required", "became optional"),
    ("request-body-media-type-added", Info, Request, ["body", "media-type", "added"], Works, Same, "request-body-media-type-removed", "may also be {new}"),
    ("request-body-media-type-removed", Breaking, Request, ["body", "media-type", "removed"], Breaks, Major, "request-body-media-type-added", "may no longer be {old}"),

    ("new-required-request-property", Breaking, Request, ["property", "property", "added"], Breaks, Major, "request-property-removed request-property-removed-and-forbidden request-property-removed-before-sunset", "new, and required"),
    ("new-optional-request-property", Info, Request, ["property", "property", "added"], Works, Major, "request-property-removed request-property-removed-and-forbidden request-property-removed-before-sunset", "new, and optional"),
    ("request-property-removed-before-sunset", Breaking, Request, ["property", "property", "removed"], Works, Major, "new-required-request-property new-optional-request-property", "removed before its sunset date"),
    ("request-property-removed", Warning, Request, ["property", "property", "removed"], Works, Major, "new-required-request-property new-optional-request-property", "removed; the server may ignore what is sent"),
    ("request-property-removed-and-forbidden", Breaking, Request, ["property", "property", "removed"], Breaks, Major, "new-required-request-property new-optional-request-property", "removed, and no other properties are allowed"),
    ("request-property-became-required", Breaking, Request, ["property", "presence", "required"], Breaks, Major, "request-property-became-optional", "became required"),
    ("request-property-became-optional", Info, Request, ["property", "presence", "optional"], Works, Major, "request-property-became-required", "became optional"),
    ("request-property-renamed", Warning, Request, ["property", "name", "renamed"], Breaks, Major, "request-property-renamed", "looks as if {old} was renamed to {new}"),

    ("response-required-property-added", Info, Response, ["property", "property", "added"], Works, Major, "response-required-property-removed", "new, and always present"),
    ("response-required-property-removed", Breaking, Response, ["property", "property", "removed"], Breaks, Major, "response-required-property-added", "removed, and was always present"),
    ("response-optional-property-added", Info, Response, ["property", "property", "added"], Works, Major, "response-optional-property-removed response-property-removed-before-sunset", "new, and optional"),
    ("response-property-removed-before-sunset", Breaking, Response, ["property", "property", "removed"], Works, Major, "response-optional-property-added", "removed before its sunset date"),
    ("response-optional-property-removed", Warning, Response, ["property", "property", "removed"], Works, Major, "response-optional-property-added", "removed, and was optional"),
    ("response-property-became-optional", Breaking, Response, ["property", "presence", "optional"], Breaks, Major, "response-property-became-required", "is no longer always present"),
    ("response-property-became-required", Info, Response, ["property", "presence", "required"], Works, Major, "response-property-became-optional", "is now always present"),
    ("response-property-renamed", Warning, Response, ["property", "name", "renamed"], Breaks, Major, "response-property-renamed", "looks as if {old} was renamed to {new}"),

    ("response-success-status-added", Info, Response, ["response", "status", "added"], Works, Same, "response-success-status-removed", "may succeed with {new}"),
    ("response-success-status-removed", Breaking, Response, ["response", "status", "removed"], Works, Same, "response-success-status-added", "no longer succeeds with {old}"),
    ("response-non-success-status-added", Info, Response, ["response", "status", "added"], Works, Same, "response-non-success-status-removed", "may fail with {new}"),
    ("response-non-success-status-removed", Info, Response, ["response", "status", "removed"], Works, Same, "response-non-success-status-added", "no longer fails with {old}"),
    ("response-body-added", Info, Response, ["response", "body", "added"], Works, Major, "response-body-removed", "has a body now"),
    ("response-body-removed", Breaking, Response, ["response", "body", "removed"], Breaks, Major, "response-body-added", "no longer has a body"),
    ("response-media-type-added", Warning, Response, ["response", "media-type", "added"], Works, Same, "response-media-type-removed", "may also be {new}"),
    ("response-media-type-removed", Breaking, Response, ["response", "media-type", "removed"], Breaks, Major, "response-media-type-added", "is no longer {old}"),
    ("required-response-header-added", Info, Response, ["header", "header", "added"], Works, Same, "required-response-header-removed", "new, and always present"),
    ("required-response-header-removed", Breaking, Response, ["header", "header", "removed"], Works, Same, "required-response-header-added", "removed, and was always present"),
    ("optional-response-header-added", Info, Response, ["header", "header", "added"], Works, Same, "optional-response-header-removed", "new, and optional"),
    ("optional-response-header-removed", Warning, Response, ["header", "header", "removed"], Works, Same, "optional-response-header-added", "removed, and was optional"),
    ("response-header-became-optional", Breaking, Response, ["header", "presence", "optional"], Works, Same, "response-header-became-required", "is no longer always present"),
    ("response-header-became-required", Info, Response, ["header", "presence", "required"], Works, Same, "response-header-became-optional", "is now always present"),

    ("endpoint-security-added", Breaking, Neither, ["security", "requirement", "added"], Breaks, Patch, "endpoint-security-removed", "needs {new} now"),
    ("endpoint-security-removed", Info, Neither, ["security", "requirement", "removed"], Works, Patch, "endpoint-security-added", "no longer requires {old}"),
    ("endpoint-security-alternative-added", Info, Neither, ["security", "alternative", "added"], Works, Patch, "endpoint-security-alternative-removed", "also accepts {new}"),
    ("endpoint-security-alternative-removed", Breaking, Neither, ["security", "alternative", "removed"], Breaks, Patch, "endpoint-security-alternative-added", "no longer accepts {old}"),
    ("endpoint-security-loosened", Info, Neither, ["security", "alternative", "widened"], Works, Patch, "endpoint-security-tightened", "requires {new} instead of {old}"),
    ("endpoint-security-tightened", Breaking, Neither, ["security", "alternative", "narrowed"], Breaks, Patch, "endpoint-security-loosened", "requires {new} instead of {old}"),
    ("security-scheme-renamed", Info, Neither, ["security", "scheme", "renamed"], Works, Same, "security-scheme-renamed", "renamed from {old} to {new}"),
    ("security-scheme-scopes-changed", Info, Neither, ["security", "scopes", "changed"], Works, Same, "security-scheme-scopes-changed", "the scopes changed from {old} to {new}"),
    ("security-scheme-added", Info, Neither, ["security", "scheme", "added"], Works, Same, "security-scheme-removed", "new"),
    ("security-scheme-removed", Warning, Neither, ["security", "scheme", "removed"], Works, Same, "security-scheme-added", "removed"),
    ("security-scheme-changed", Breaking, Neither, ["security", "scheme", "changed"], Breaks, Patch, "security-scheme-changed", "changed from {old} to {new}"),

    ("server-added", Info, Neither, ["server", "server", "added"], Works, Patch, "server-removed", "new"),
    ("server-removed", Breaking, Neither, ["server", "server", "removed"], Breaks, Patch, "server-added", "removed"),
    ("server-changed", Breaking, Neither, ["server", "variables", "changed"], Breaks, Patch, "server-changed", "the variables changed from {old} to {new}"),
    ("servers-reordered", Warning, Neither, ["server", "order", "changed"], Works, Patch, "servers-reordered", "the order changed from {old} to {new}; many clients use the first"),
    ("endpoint-server-added", Info, Neither, ["server", "server", "added"], Works, Patch, "endpoint-server-removed", "serves the operation now"),
    ("endpoint-server-removed", Breaking, Neither, ["server", "server", "removed"], Breaks, Patch, "endpoint-server-added", "no longer serves the operation"),
    ("endpoint-server-changed", Breaking, Neither, ["server", "variables", "changed"], Breaks, Patch, "endpoint-server-changed", "the variables changed from {old} to {new}"),
    ("endpoint-servers-reordered", Warning, Neither, ["server", "order", "changed"], Works, Patch, "endpoint-servers-reordered", "is served by {new} instead of {old}; many clients use the first"),

    ("paging-added", Breaking, Response, ["paging", "shape", "added"], Breaks, Major, "paging-removed", "arrives in pages now: {new}"),
    ("paging-removed", Breaking, Response, ["paging", "shape", "removed"], Breaks, Major, "paging-added", "no longer arrives in pages: {old}"),
    ("paging-changed", Breaking, Response, ["paging", "shape", "changed"], Breaks, Major, "paging-changed", "is paged differently: {old}, now {new}"),

    ("schema-name-changed", Info, Neither, ["schema", "name", "renamed"], Works, Major, "schema-name-changed", "the type was renamed from {old} to {new}"),
    ("schema-added", Info, Neither, ["schema", "schema", "added"], Works, Same, "schema-removed", "new, and used by no operation"),
    ("schema-changed", Info, Neither, ["schema", "schema", "changed"], Works, Same, "schema-changed", "changed, and only new operations use it"),
    ("schema-removed", Info, Neither, ["schema", "schema", "removed"], Works, Same, "schema-added", "removed, and was used by no operation"),

    ("tag-added", Info, Neither, ["document", "tag", "added"], Works, Same, "tag-removed", "new"),
    ("tag-removed", Info, Neither, ["document", "tag", "removed"], Works, Same, "tag-added", "removed"),
    ("info-changed", Info, Neither, ["document", "info", "changed"], Works, Same, "info-changed", "the document info changed from {old} to {new}"),
    ("description-changed", Info, Neither, ["document", "description", "changed"], Works, Patch, "description-changed", "the description changed"),
    ("example-changed", Info, Neither, ["document", "example", "changed"], Works, Same, "example-changed", "the example changed"),
    ("documentation-changed", Info, Neither, ["document", "documentation", "changed"], Works, Same, "documentation-changed", "the documentation changed from {old} to {new}"),
    ("extension-changed", Info, Neither, ["document", "extension", "changed"], Works, Same, "extension-changed", "the extension changed from {old} to {new}"),
    ("rust-api-changed", Info, Neither, ["document", "rust-api", "changed"], Works, Same, "rust-api-changed", "changes in {new}, which no other finding explains"),
    ("document-rewritten", Info, Neither, ["document", "form", "changed"], Works, Same, "document-rewritten", "is written differently, with the same meaning"),
    ("document-changed", Warning, Neither, ["document", "other", "changed"], Unknown, Same, "document-changed", "changed, and no rule knows the effect"),
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

/// The effect of a change on the set of values that a schema allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Fewer values are allowed.
    Narrows,
    /// More values are allowed.
    Widens,
    /// Other values are allowed.
    Replaces,
    /// The same values are allowed.
    Keeps,
    /// Unknown.
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

/// What a released client does with a response that only the new schema allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tolerance {
    /// Accepts it: enums are open, and limits are up to the server.
    Takes,
    /// Rejects it.
    Refuses,
}

use Tolerance::{Refuses, Takes};

/// aspect, its mirror, effect, [kind, action], tolerance of responses, Rust API, text.
///
/// If the effect on the Rust API depends on the types, the table has the worst case and the comparison lowers it.
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
    ("multiple-of-unset", "multiple-of-set", Widens, ["multiple-of", "removed"], Refuses, Major, "no longer needs to be a multiple of {old}"),
    ("unique-items-set", "unique-items-unset", Narrows, ["unique-items", "added"], Takes, Same, "the items must be unique now"),
    ("unique-items-unset", "unique-items-set", Widens, ["unique-items", "removed"], Takes, Same, "the items no longer need to be unique"),
    ("pattern-changed", "pattern-changed", Replaces, ["pattern", "changed"], Takes, Same, "the pattern changed from {old} to {new}"),
    ("pattern-widened", "pattern-narrowed", Widens, ["pattern", "widened"], Takes, Same, "the pattern widened from {old} to {new}"),
    ("pattern-narrowed", "pattern-widened", Narrows, ["pattern", "narrowed"], Takes, Same, "the pattern narrowed from {old} to {new}"),
    ("pattern-added", "pattern-removed", Narrows, ["pattern", "added"], Takes, Same, "must match {new} now"),
    ("pattern-removed", "pattern-added", Widens, ["pattern", "removed"], Takes, Same, "no longer needs to match {old}"),

    ("default-value-changed", "default-value-changed", Keeps, ["default", "changed"], Takes, Same, "the default changed from {old} to {new}"),
    ("default-value-added", "default-value-removed", Keeps, ["default", "added"], Takes, Same, "defaults to {new} now"),
    ("default-value-removed", "default-value-added", Keeps, ["default", "removed"], Takes, Same, "no longer defaults to {old}"),

    ("items-added", "items-removed", Narrows, ["items", "added"], Refuses, Major, "the items are described now"),
    ("items-removed", "items-added", Widens, ["items", "removed"], Refuses, Major, "the items are no longer described"),
    ("additional-properties-allowed", "additional-properties-forbidden", Widens, ["additional-properties", "widened"], Takes, Major, "may have other properties: {new}"),
    ("additional-properties-forbidden", "additional-properties-allowed", Narrows, ["additional-properties", "narrowed"], Takes, Major, "may no longer have other properties: {new}"),
    ("one-of-added", "one-of-removed", Widens, ["one-of", "widened"], Refuses, Major, "may also be one of oneOf: {new}"),
    ("one-of-removed", "one-of-added", Narrows, ["one-of", "narrowed"], Refuses, Major, "may no longer be one of oneOf: {old}"),
    ("any-of-added", "any-of-removed", Widens, ["any-of", "widened"], Refuses, Major, "may also be one of anyOf: {new}"),
    ("any-of-removed", "any-of-added", Narrows, ["any-of", "narrowed"], Refuses, Major, "may no longer be one of anyOf: {old}"),
    ("choice-added", "choice-removed", Narrows, ["choice", "added"], Refuses, Major, "must be one of {new} now"),
    ("choice-removed", "choice-added", Widens, ["choice", "removed"], Refuses, Major, "no longer needs to be one of {old}"),
    ("not-changed", "not-changed", Replaces, ["not", "changed"], Takes, Same, "`not` changed"),
    ("discriminator-changed", "discriminator-changed", Replaces, ["discriminator", "changed"], Refuses, Major, "the discriminator changed from {old} to {new}"),

    ("keyword-added", "keyword-removed", Narrows, ["keyword", "added"], Takes, Same, "is limited by {new} now"),
    ("keyword-removed", "keyword-added", Widens, ["keyword", "removed"], Takes, Same, "is no longer limited by {old}"),
    ("keyword-changed", "keyword-changed", Unclear, ["keyword", "changed"], Takes, Same, "changed from {old} to {new}, and no rule knows the effect"),

    ("became-read-only", "became-not-read-only", Keeps, ["read-only", "added"], Takes, Same, "is read-only now"),
    ("became-not-read-only", "became-read-only", Keeps, ["read-only", "removed"], Takes, Same, "is no longer read-only"),
    ("became-write-only", "became-not-write-only", Keeps, ["write-only", "added"], Takes, Same, "is write-only now"),
    ("became-not-write-only", "became-write-only", Keeps, ["write-only", "removed"], Takes, Same, "is no longer write-only"),
    ("sunset-set", "sunset-removed", Keeps, ["sunset", "added"], Takes, Same, "ends on {new}"),
    ("sunset-removed", "sunset-set", Keeps, ["sunset", "removed"], Takes, Same, "the sunset date {old} was removed"),
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
                    // The generated client does not contain headers of a response.
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
        // A read-only value cannot be sent, a write-only one does not arrive.
        (Request, _) if aspect == "became-read-only" => Warning,
        (Response, _) if aspect == "became-write-only" => Warning,
        (_, Keeps) if aspect == "sunset-earlier" => Breaking,
        (_, Keeps) if aspect == "sunset-removed" => Warning,
        // The default determines the meaning of a call without the value.
        (Request, Keeps) if aspect.starts_with("default-value") => Warning,
        // Clients should expect new enum values, but many do not.
        (Response, Widens) if aspect.starts_with("enum-") => Warning,
        (_, Unclear) => Warning,
        (_, Replaces) | (Request, Narrows) | (Response, Widens) => Breaking,
        _ => Info,
    }
}

fn runtime(position: SchemaPosition, effect: Effect, tolerance: Tolerance) -> Runtime {
    match (position.direction(), effect) {
        // The client does not decode documented headers.
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
    fn mirrors_of_rules_are_symmetric() {
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
