//! Compares two contracts: what changed, whether released clients keep working, whether the Rust API changes.
//!
//! [`compare`] reads two OpenAPI 3 documents and returns one [`Finding`] for each change, worst first. The table in
//! [`rules`] defines the names and meanings of findings. A change that matches no rule is still reported
//! (`document-changed`), so no change goes unreported.
//!
//! "A released client" is a `twipla` that was generated from the old document: it tolerates unknown enum values, extra
//! fields and any 2xx, and it ignores limits such as `maxLength` in responses. "The Rust API" is the API of the crates
//! generated from the new document. A new field of a public struct is a major change, according to semver for Rust.

mod accepted;
pub mod command;
mod compare;
mod entry;
mod escape;
mod finding;
mod input;
mod origin;
mod place;
mod report;
mod residual;
pub mod rules;
mod rust_api;
mod rust_type;
mod schema;
mod sunset;
mod surface;
mod table;

pub use self::accepted::{Accepted, RuleLevel};
pub use self::compare::compare;
pub use self::escape::plain;
pub use self::finding::{Finding, Overridden};
pub use self::input::Input;
pub use self::place::{Place, Side};
pub use self::report::{Format, Report};
pub use self::rules::{Direction, Level, Runtime, RustApi};
pub use self::rust_api::RustVerdict;
pub use self::surface::surface;
pub use self::table::markdown as rules_markdown;
