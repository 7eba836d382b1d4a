//! What a schema allows, independent of its name and description.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::document::{LIMITS, SCHEMAS, entries, fields, reference};

/// Keywords besides [`LIMITS`] that do not change the type.
const APART: [&str; 12] = [
    "title",
    "description",
    "example",
    "examples",
    "default",
    "deprecated",
    "externalDocs",
    "xml",
    "additionalProperties",
    "readOnly",
    "writeOnly",
    "summary",
];

/// Returns the schema inside wrappers that only annotate it: an `allOf` of one.
pub(super) fn peel(schema: &Value) -> &Value {
    match entries(&schema["allOf"]) {
        [only] if schema.get("properties").is_none() => peel(only),
        _ => schema,
    }
}

/// Returns the name that a schema refers to.
pub(super) fn named(schema: &Value) -> Option<&str> {
    reference(peel(schema))?.strip_prefix(SCHEMAS)
}

/// Reports whether the generator writes a type for it.
pub(super) fn needs_name(schema: &Value) -> bool {
    schema.get("properties").is_some()
        || schema.get("enum").is_some()
        || entries(&schema["allOf"]).len() > 1
}

/// Reports whether it is a plain value: text, a number, a flag.
pub(super) fn is_scalar(schema: &Value) -> bool {
    !needs_name(schema)
        && matches!(
            schema["type"].as_str(),
            Some("string" | "number" | "integer" | "boolean")
        )
}

/// The number of rounds in which shapes of named schemas are computed from the shapes they refer to: more than any nesting
/// of schemas.
const ROUNDS: usize = 16;

/// A digest that is equal for schemas that allow the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape([u8; 32]);

/// The shape of a schema that is not computed yet, or does not exist.
const UNKNOWN: Shape = Shape([0; 32]);

/// The shapes of the named schemas of a document.
#[derive(Debug)]
pub(super) struct Shapes<'a> {
    schemas: &'a Value,
    index: BTreeMap<&'a str, usize>,
    /// By that index.
    known: Vec<Shape>,
}

impl<'a> Shapes<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        let schemas = &document["components"]["schemas"];
        let names: Vec<&str> = fields(schemas).map(|(name, _)| name).collect();
        let mut shapes = Self {
            schemas,
            index: names.iter().copied().zip(0..).collect(),
            known: vec![UNKNOWN; names.len()],
        };
        let parts: Vec<Part> = fields(schemas)
            .map(|(_, schema)| Part::of(&shapes, schema))
            .collect();
        let mut classes = 0;
        for _ in 0..ROUNDS {
            let next: Vec<Shape> = parts.iter().map(|part| shapes.shape(part)).collect();
            if shapes.known == next {
                return shapes;
            }
            classes = shapes.classes();
            shapes.known = next;
        }
        // Circular schemas get a new digest in every round. If a round distinguishes no more of them, no later one will.
        if shapes.classes() != classes {
            for (shape, name) in shapes.known.iter_mut().zip(names) {
                *shape = digest(name.as_bytes(), std::iter::once(*shape));
            }
        }
        shapes
    }

    /// Returns the shape of the schema with this name.
    pub(super) fn named(&self, name: &str) -> Shape {
        self.get(self.position(name))
    }

    /// Returns the shape of any schema of the document.
    pub(super) fn of_schema(&self, schema: &Value) -> Shape {
        self.shape(&Part::of(self, schema))
    }

    fn get(&self, index: Option<usize>) -> Shape {
        index.map_or(UNKNOWN, |index| self.known[index])
    }

    /// Returns the index of the schema that a name refers to, directly or through another reference.
    fn position(&self, name: &str) -> Option<usize> {
        let mut name = name;
        for _ in 0..ROUNDS {
            match named(&self.schemas[name]) {
                Some(next) => name = next,
                None => break,
            }
        }
        self.index.get(name).copied()
    }

    fn shape(&self, part: &Part) -> Shape {
        match part {
            Part::Done(shape) => *shape,
            Part::Named(index) => self.get(*index),
            Part::Open(outline) => {
                let inner = outline.parts.iter().map(|part| self.shape(part));
                digest(outline.text.as_bytes(), inner)
            }
        }
    }

    /// Returns the number of different shapes.
    fn classes(&self) -> usize {
        self.known.iter().collect::<BTreeSet<_>>().len()
    }
}

fn digest(text: &[u8], inner: impl Iterator<Item = Shape>) -> Shape {
    let mut digest = Sha256::new_with_prefix(text);
    for shape in inner {
        digest.update(shape.0);
    }
    Shape(digest.finalize().into())
}

/// A schema, before its digest is complete.
#[derive(Debug)]
enum Part {
    /// It refers to no other schema.
    Done(Shape),
    /// It is a reference to the schema with this index.
    Named(Option<usize>),
    /// It contains references to others.
    Open(Outline),
}

impl Part {
    fn of(shapes: &Shapes<'_>, schema: &Value) -> Self {
        let schema = peel(schema);
        if let Some(name) = named(schema) {
            return Self::Named(shapes.position(name));
        }
        let outline = Outline::of(shapes, schema);
        if outline
            .parts
            .iter()
            .all(|part| matches!(part, Self::Done(_)))
        {
            return Self::Done(shapes.shape(&Self::Open(outline)));
        }
        Self::Open(outline)
    }
}

/// The keywords of a schema, without nested schemas.
#[derive(Debug, Default)]
struct Outline {
    text: String,
    parts: Vec<Part>,
}

impl Outline {
    fn of(shapes: &Shapes<'_>, schema: &Value) -> Self {
        let mut outline = Self::default();
        outline.keywords(shapes, schema);
        outline
    }

    fn schema(&mut self, shapes: &Shapes<'_>, schema: &Value) {
        self.text
            .push(if schema["nullable"] == true { '?' } else { '#' });
        self.parts.push(Part::of(shapes, schema));
    }

    fn keywords(&mut self, shapes: &Shapes<'_>, schema: &Value) {
        let is_number = matches!(schema["type"].as_str(), Some("integer" | "number"));
        let keywords: BTreeMap<&str, &Value> = fields(schema).collect();
        self.text.push('{');
        for (key, keyword) in keywords {
            match key {
                // The values of a map are part of its type.
                "additionalProperties" if keyword.is_object() => {
                    self.key(key);
                    self.schema(shapes, keyword);
                }
                _ if APART.contains(&key)
                    || LIMITS.contains(&key)
                    || key.starts_with("x-")
                    || key == "nullable" => {}
                // Many documents write `number` for integers.
                "format" if is_number => {}
                "type" if is_number => {
                    self.key(key);
                    self.text.push_str("number");
                }
                "required" | "enum" if entries(keyword).is_empty() => {}
                "required" | "enum" => {
                    self.key(key);
                    let mut names: Vec<String> =
                        entries(keyword).iter().map(Value::to_string).collect();
                    names.sort();
                    self.text.push_str(&names.join(","));
                }
                "properties" => {
                    self.key(key);
                    let properties: BTreeMap<&str, &Value> = fields(keyword).collect();
                    self.text.push('{');
                    for (name, property) in properties {
                        self.key(name);
                        self.schema(shapes, property);
                    }
                    self.text.push('}');
                }
                "items" | "not" => {
                    self.key(key);
                    self.schema(shapes, keyword);
                }
                "allOf" | "oneOf" | "anyOf" => {
                    self.key(key);
                    for part in entries(keyword) {
                        self.text.push('|');
                        self.schema(shapes, part);
                    }
                }
                _ => {
                    self.key(key);
                    self.text.push_str(&keyword.to_string());
                }
            }
        }
        self.text.push('}');
    }

    fn key(&mut self, key: &str) {
        self.text.push(',');
        self.text.push_str(&json!(key).to_string());
        self.text.push(':');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn document(schemas: &Value) -> Value {
        json!({ "components": { "schemas": schemas } })
    }

    #[test]
    fn circular_schemas_that_allow_the_same_are_equal() {
        let node = |to: &str| json!({ "type": "object", "properties": { "next": { "$ref": format!("{SCHEMAS}{to}") } } });
        let document = document(&json!({
            "Self": node("Self"),
            "One": node("Two"),
            "Two": node("One"),
            "Alias": { "$ref": "#/components/schemas/One" },
            "Other": { "type": "object", "properties": { "other": { "$ref": "#/components/schemas/Other" } } },
            "ToOther": node("Other"),
            "Circle": { "$ref": "#/components/schemas/Circle" },
        }));
        let shapes = Shapes::of(&document);
        for equal in ["One", "Two", "Alias"] {
            assert_eq!(shapes.named("Self"), shapes.named(equal), "{equal}");
        }
        for other in ["Other", "ToOther", "Circle"] {
            assert_ne!(shapes.named("Self"), shapes.named(other), "{other}");
        }
    }

    #[test]
    fn deeply_nested_difference_changes_the_shape() {
        let mut schemas = Map::new();
        for side in ["A", "B"] {
            for depth in 0..200 {
                let next = format!("{SCHEMAS}{side}{}", depth + 1);
                schemas.insert(
                    format!("{side}{depth}"),
                    json!({ "items": { "$ref": next } }),
                );
            }
            schemas.insert(
                format!("{side}200"),
                json!({ "type": "string", "format": side }),
            );
        }
        let document = document(&Value::Object(schemas));
        let shapes = Shapes::of(&document);
        assert_ne!(shapes.named("A0"), shapes.named("B0"));
        assert_ne!(shapes.named("A190"), shapes.named("B190"));
    }

    #[test]
    fn null_is_part_of_the_shape_at_a_use() {
        let document = document(&json!({ "Text": { "type": "string", "nullable": true } }));
        let shapes = Shapes::of(&document);
        let with = |property: Value| shapes.of_schema(&json!({ "properties": { "a": property } }));
        let plain = with(json!({ "type": "string" }));
        assert_ne!(plain, with(json!({ "type": "string", "nullable": true })));
        assert_eq!(
            plain,
            with(json!({ "$ref": "#/components/schemas/Text", "description": "x" }))
        );
    }
}
