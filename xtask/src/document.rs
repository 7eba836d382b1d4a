//! OpenAPI documents: reading and writing their text, and traversing them.
//!
//! [`operations`] lists operations as they are written, [`Contract`] with their references resolved. [`each_schema`] visits
//! the schemas of a whole document, [`Schema`] reads a single one. All code that traverses a document is here.

mod contract;
mod node;
mod operation;
mod position;
mod schema;
mod schemas;
mod text;

pub use self::contract::{Contract, Parameter, ResolvedOperation};
pub use self::node::{
    Node, SCHEMAS, entries, escape, fields, is_map, object, reference, references, resolve,
    resolve_at, segments, target,
};
pub use self::operation::{Operation, is_method, is_success, operations, path_shape};
pub use self::position::{Position, positions};
pub use self::schema::Schema;
pub use self::schemas::{
    JSON_SCHEMA, LIMITS, WEBHOOKS, each_schema, each_schema_mut, is_rust_name, type_name,
};
pub(crate) use self::text::hex;
pub use self::text::{parse, sha256, to_text};
