//! The table of rules for a reader, beside what oasdiff says of the same changes.
//!
//! `allOf` has no rules here: schemas are compared with their parts put together. The levels of oasdiff are those of its
//! source at commit 001f320: `ERR`, `WARN` and `INFO` are breaking, warning and info here.

use std::fmt::Write as _;

use super::entry::{runtime, rust_api};
use super::rules::{
    Direction, Level, Rule,
    SchemaPosition::{
        self, Parameter, RequestBody, RequestProperty, ResponseBody, ResponseProperty,
    },
    rules,
};

const HEAD: &str = "# The rules of `cargo xtask diff`

Made by `cargo xtask rules --format markdown` and by `regen`. \"Level\" says how bad a change is for clients in general,
\"client\" whether a released `twipla` keeps working, \"Rust API\" which part of the version rises when the client is generated
anew; what a change does at its place may be less than the table has. \"oasdiff\" is the level that the rules of oasdiff (at
commit 001f320) give such a change, with a dash where they have none, and the last column why ours is another.
`--level ID=LEVEL` and `[[level]]` in `accepted.toml` override a level.

";

/// `openapi/RULES.md`.
pub fn markdown() -> String {
    HEAD.to_owned() + &table()
}

/// The table alone.
pub(super) fn table() -> String {
    let mut text = String::from(
        "| rule | level | client | Rust API | oasdiff | why another |\n|---|---|---|---|---|---|\n",
    );
    for rule in rules() {
        let theirs = theirs(rule);
        let why = if theirs.is_some_and(|level| level != rule.level) {
            why(rule).unwrap_or_default()
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {why} |",
            rule.id,
            rule.level.name(),
            runtime(rule.runtime),
            rust_api(rule.rust_api),
            theirs.map_or("–", Level::name),
        );
    }
    text
}

/// What a change does to the values that fit, in the words of oasdiff.
#[derive(Debug, Clone, Copy)]
enum Effect {
    Narrows,
    Widens,
    Incomparable,
    /// The documents do not say.
    Unknown,
    None,
}

const REQUESTS: &[SchemaPosition] = &[Parameter, RequestBody, RequestProperty];
const REQUEST_BODIES: &[SchemaPosition] = &[RequestBody, RequestProperty];
const REPLY_BODIES: &[SchemaPosition] = &[ResponseBody, ResponseProperty];
const BODIES: &[SchemaPosition] = &[RequestBody, RequestProperty, ResponseBody, ResponseProperty];
const ALL: &[SchemaPosition] = &SchemaPosition::ALL;
const PROPERTIES: &[SchemaPosition] = &[RequestProperty, ResponseProperty];
const WITH_PATTERN: &[SchemaPosition] = &[Parameter, RequestProperty, ResponseProperty];
const WITH_DEFAULT: &[SchemaPosition] = &[
    Parameter,
    RequestBody,
    RequestProperty,
    ResponseBody,
    ResponseProperty,
];

/// Aspects of schemas, what oasdiff takes them for, and where it has a rule.
const ASPECTS: &[(&str, Effect, &[SchemaPosition])] = &[
    ("type-changed format-changed", Effect::Incomparable, ALL),
    (
        "type-widened format-removed became-nullable",
        Effect::Widens,
        ALL,
    ),
    (
        "type-narrowed format-added became-not-nullable",
        Effect::Narrows,
        ALL,
    ),
    ("enum-value-added", Effect::Widens, REQUESTS),
    ("enum-value-added", Effect::Unknown, REPLY_BODIES),
    ("enum-value-removed", Effect::Narrows, WITH_DEFAULT),
    ("enum-added", Effect::Narrows, REQUESTS),
    (
        "min-set max-set min-length-set max-length-set min-items-set max-items-set min-properties-set max-properties-set \
         multiple-of-set",
        Effect::Narrows,
        ALL,
    ),
    (
        "min-unset max-unset min-length-unset max-length-unset min-items-unset max-items-unset min-properties-unset \
         max-properties-unset multiple-of-unset",
        Effect::Widens,
        ALL,
    ),
    (
        "min-increased min-length-increased min-items-increased max-decreased max-length-decreased max-items-decreased",
        Effect::Narrows,
        REQUESTS,
    ),
    (
        "min-properties-increased max-properties-decreased",
        Effect::Narrows,
        REQUEST_BODIES,
    ),
    (
        "min-decreased min-length-decreased max-increased max-length-increased max-items-increased",
        Effect::Widens,
        REQUESTS,
    ),
    ("min-items-decreased", Effect::Widens, &[Parameter]),
    ("max-properties-increased", Effect::Widens, REQUEST_BODIES),
    (
        "min-decreased min-length-decreased min-items-decreased min-properties-decreased max-increased max-length-increased \
         max-items-increased max-properties-increased unique-items-unset",
        Effect::Widens,
        REPLY_BODIES,
    ),
    ("multiple-of-changed", Effect::Incomparable, BODIES),
    ("unique-items-set", Effect::Narrows, REQUEST_BODIES),
    ("unique-items-unset", Effect::Widens, REQUEST_BODIES),
    ("pattern-added", Effect::Narrows, WITH_PATTERN),
    ("pattern-removed", Effect::Widens, WITH_PATTERN),
    ("pattern-changed", Effect::Unknown, WITH_PATTERN),
    (
        "default-value-added default-value-changed default-value-removed",
        Effect::None,
        WITH_DEFAULT,
    ),
    ("one-of-added any-of-added", Effect::Widens, BODIES),
    ("one-of-removed any-of-removed", Effect::Narrows, BODIES),
    ("discriminator-changed", Effect::None, BODIES),
    (
        "became-read-only became-not-read-only became-write-only became-not-write-only schema-deprecated schema-reactivated",
        Effect::None,
        PROPERTIES,
    ),
];

/// Rules that are not about a schema.
const LISTED: &[(&str, Level)] = &[
    (
        "endpoint-removed endpoint-moved new-required-request-parameter request-parameter-became-required \
         request-body-added-required request-body-removed request-body-became-required request-body-media-type-removed \
         new-required-request-property request-property-became-required response-required-property-removed \
         response-property-became-optional response-success-status-removed response-body-removed \
         response-media-type-removed required-response-header-removed response-header-became-optional \
         endpoint-security-removed endpoint-security-alternative-removed",
        Level::Breaking,
    ),
    (
        "request-parameter-removed request-property-removed optional-response-header-removed",
        Level::Warning,
    ),
    (
        "endpoint-added endpoint-removed-after-deprecation endpoint-renamed endpoint-deprecated endpoint-reactivated \
         endpoint-tags-changed new-optional-request-parameter request-parameter-became-optional \
         request-parameter-deprecated request-parameter-reactivated request-body-added-optional \
         request-body-became-optional request-body-media-type-added new-optional-request-property \
         request-property-became-optional response-required-property-added response-optional-property-added \
         response-optional-property-removed response-property-became-required response-success-status-added \
         response-non-success-status-added response-non-success-status-removed response-body-added \
         response-media-type-added required-response-header-added optional-response-header-added \
         endpoint-security-added endpoint-security-alternative-added security-scheme-added security-scheme-removed \
         security-scheme-changed schema-removed",
        Level::Info,
    ),
];

/// Why a level is another one: the end of an id, which way it travels, and the reason.
const REASONS: &[(&str, Option<Direction>, &str)] = &[
    (
        "endpoint-removed-after-deprecation",
        None,
        "a released client still calls it, however long it was deprecated",
    ),
    (
        "request-body-removed",
        None,
        "a body that nobody asks for is ignored, as a removed parameter is",
    ),
    (
        "response-optional-property-removed",
        None,
        "a program that shows the value goes without it from now on",
    ),
    (
        "response-media-type-added",
        None,
        "a client that names no type may be sent it",
    ),
    (
        "endpoint-security-added",
        None,
        "no further choice, but the first requirement: calls without it are refused",
    ),
    (
        "endpoint-security-removed",
        None,
        "nothing is required any more, and what is sent is ignored; one choice less of several is another rule",
    ),
    (
        "security-scheme-removed",
        None,
        "whoever has credentials for it has to look",
    ),
    (
        "security-scheme-changed",
        None,
        "a client sends its credentials as the old scheme has it",
    ),
    (
        "pattern-changed",
        None,
        "unless the new pattern takes whatever the old one took, values that were right are refused",
    ),
    (
        "default-value-added",
        Some(Direction::Request),
        "a call without the value means something else",
    ),
    (
        "default-value-changed",
        Some(Direction::Request),
        "a call without the value means something else",
    ),
    (
        "default-value-removed",
        Some(Direction::Request),
        "a call without the value means something else",
    ),
    (
        "discriminator-changed",
        None,
        "generated clients choose the type by it",
    ),
    (
        "became-read-only",
        Some(Direction::Request),
        "what is sent is ignored or refused from now on",
    ),
    (
        "became-write-only",
        Some(Direction::Response),
        "it arrives no more",
    ),
];

/// The level that oasdiff gives the change, where it has a rule for it.
fn theirs(rule: &Rule) -> Option<Level> {
    let has = |ids: &str, id: &str| ids.split_whitespace().any(|other| other == id);
    if let Some((_, level)) = LISTED.iter().find(|(ids, _)| has(ids, &rule.id)) {
        return Some(*level);
    }
    SchemaPosition::ALL.iter().find_map(|position| {
        let aspect = rule.id.strip_prefix(position.prefix())?.strip_prefix('-')?;
        let (_, effect, _) = ASPECTS
            .iter()
            .find(|(aspects, _, positions)| has(aspects, aspect) && positions.contains(position))?;
        Some(derived(*effect, position.direction()))
    })
}

/// Its law: what may be sent must not narrow, what may arrive must not widen.
fn derived(effect: Effect, direction: Direction) -> Level {
    match (effect, direction) {
        (Effect::Incomparable, _)
        | (Effect::Narrows, Direction::Request)
        | (Effect::Widens, Direction::Response) => Level::Breaking,
        (Effect::Unknown, _) => Level::Warning,
        _ => Level::Info,
    }
}

fn why(rule: &Rule) -> Option<&'static str> {
    REASONS
        .iter()
        .find(|(end, direction, _)| {
            rule.id.ends_with(end) && direction.is_none_or(|direction| direction == rule.direction)
        })
        .map(|(_, _, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::rules::rule;

    #[test]
    fn whoever_differs_says_why() {
        for rule in rules() {
            if theirs(rule).is_some_and(|level| level != rule.level) {
                assert!(why(rule).is_some(), "{} has no reason in REASONS", rule.id);
            }
        }
    }

    #[test]
    fn every_reason_is_needed() {
        for (end, direction, _) in REASONS {
            let is_used = rules().any(|rule| {
                rule.id.ends_with(end)
                    && direction.is_none_or(|direction| direction == rule.direction)
                    && theirs(rule).is_some_and(|level| level != rule.level)
            });
            assert!(is_used, "no rule needs the reason for {end}");
        }
    }

    #[test]
    fn every_change_that_oasdiff_has_a_level_for_is_a_rule_here() {
        let mut missing = Vec::new();
        for (ids, _) in LISTED {
            missing.extend(
                ids.split_whitespace()
                    .filter(|id| rule(id).is_none())
                    .map(str::to_owned),
            );
        }
        for (aspects, _, positions) in ASPECTS {
            for aspect in aspects.split_whitespace() {
                for position in *positions {
                    let id = format!("{}-{aspect}", position.prefix());
                    missing.extend(rule(&id).is_none().then_some(id));
                }
            }
        }
        assert!(missing.is_empty(), "there are no rules {missing:?}");
    }
}
