//! The places of schemas, which do not depend on the names of schemas and parameters.

use std::collections::BTreeMap;

use heck::ToPascalCase as _;
use serde_json::{Value, json};

use super::shape::{Shape, Shapes, named, peel};
use crate::document::{
    Operation, SCHEMAS, entries, escape, fields, is_success, operations, reference, target,
};

/// A schema outside of other schemas: a body, or the schema of a parameter.
pub(super) struct Root<'a> {
    /// Its place, for comparison with another document.
    pub(super) place: String,
    /// Its JSON pointer.
    pub(super) pointer: String,
    /// The name for a schema without one.
    pub(super) name: String,
    pub(super) schema: &'a Value,
}

/// Returns the bodies and parameters of every operation. A shared response has several places.
pub(super) fn roots(document: &Value) -> Vec<Root<'_>> {
    let mut found = Vec::new();
    for operation in operations(document) {
        let at = operation.pointer();
        let (shape, base) = (operation.shape(), operation.id.to_pascal_case());
        if let Some(body) = operation.value.get("requestBody") {
            let place = format!("{shape} request");
            content(
                body,
                &format!("{at}/requestBody"),
                &place,
                &format!("{base}Request"),
                &mut found,
            );
        }
        for (status, response) in fields(&operation.value["responses"]) {
            let (response, at) = match reference(response).map(|name| target(document, name)) {
                Some(Ok(shared)) => (shared.value, shared.pointer),
                _ => (response, format!("{at}/responses/{}", escape(status))),
            };
            let name = match response_name(&at) {
                Some(shared) => format!("{}Response", shared.to_pascal_case()),
                None if is_success(status) => format!("{base}Response"),
                None => format!("{base}Error{}", status.to_pascal_case()),
            };
            content(
                response,
                &at,
                &format!("{shape} {}", status_place(status)),
                &name,
                &mut found,
            );
        }
        parameters(operation, &at, &shape, &base, &mut found);
    }
    found
}

/// Treats all successes as one place.
pub(super) fn status_place(status: &str) -> &str {
    if is_success(status) {
        "success"
    } else {
        status
    }
}

fn response_name(pointer: &str) -> Option<&str> {
    pointer.strip_prefix("/components/responses/")
}

fn parameters<'a>(
    operation: Operation<'a>,
    at: &str,
    shape: &str,
    base: &str,
    found: &mut Vec<Root<'a>>,
) {
    for (index, parameter) in entries(&operation.value["parameters"]).iter().enumerate() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let location = parameter["in"].as_str().unwrap_or_default();
        if let Some(schema) = parameter.get("schema") {
            found.push(Root {
                place: format!("{shape} {location} {name}"),
                pointer: format!("{at}/parameters/{index}/schema"),
                name: format!("{base}{}", name.to_pascal_case()),
                schema,
            });
        }
    }
}

fn content<'a>(body: &'a Value, at: &str, place: &str, name: &str, found: &mut Vec<Root<'a>>) {
    for (media, value) in fields(&body["content"]) {
        if let Some(schema) = value.get("schema") {
            found.push(Root {
                place: place.to_owned(),
                pointer: format!("{at}/content/{}/schema", escape(media)),
                name: name.to_owned(),
                schema,
            });
        }
    }
}

/// A schema inside another one.
pub(super) struct Child<'a> {
    /// Keyword and key, as in a JSON pointer.
    pub(super) step: String,
    /// The suffix of the name for a schema without one.
    pub(super) suffix: String,
    pub(super) schema: &'a Value,
}

/// Returns the schemas directly inside one.
pub(super) fn children(schema: &Value) -> Vec<Child<'_>> {
    let mut found = Vec::new();
    for (name, property) in fields(&schema["properties"]) {
        found.push(Child {
            step: format!("properties/{}", escape(name)),
            suffix: name.to_pascal_case(),
            schema: property,
        });
    }
    for (key, suffix) in [
        ("items", "Item"),
        ("additionalProperties", "Value"),
        ("not", "Not"),
    ] {
        if let Some(inner) = schema.get(key).filter(|inner| inner.is_object()) {
            found.push(Child {
                step: key.to_owned(),
                suffix: suffix.to_owned(),
                schema: inner,
            });
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for (index, part) in entries(&schema[key]).iter().enumerate() {
            found.push(Child {
                step: format!("{key}/{index}"),
                suffix: (index + 1).to_string(),
                schema: part,
            });
        }
    }
    found
}

/// Returns the place of a component, which is the same for all uses.
pub(super) fn component(name: &str) -> String {
    format!("#{name}")
}

/// What the previous version has at a place.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The schema it refers to.
    pub(super) name: Option<String>,
    /// Whether the reference has no annotations.
    pub(super) bare: bool,
    /// Whether it is an integer.
    pub(super) whole: bool,
}

/// The schemas of the previous version, by place and by shape.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) schemas: BTreeMap<&'a str, &'a Value>,
    places: BTreeMap<String, Place>,
    shapes: BTreeMap<&'a str, Shape>,
    /// The names in the order of the document.
    pub(super) order: Vec<&'a str>,
}

impl<'a> Known<'a> {
    pub(super) fn of(previous: Option<&'a Value>) -> Self {
        let Some(previous) = previous else {
            return Self::default();
        };
        let mut known = Self::default();
        let shapes = Shapes::of(previous);
        for (name, schema) in fields(&previous["components"]["schemas"]) {
            known.schemas.insert(name, schema);
            known.shapes.insert(name, shapes.named(name));
            known.order.push(name);
            known.below(schema, &component(name));
        }
        for root in roots(previous) {
            known.visit(root.schema, root.place);
        }
        known
    }

    fn visit(&mut self, schema: &Value, place: String) {
        let inner = peel(schema);
        self.below(inner, &place);
        let is_number = matches!(inner["type"].as_str(), Some("number" | "integer"));
        self.places.insert(
            place,
            Place {
                name: named(schema).map(str::to_owned),
                bare: reference(schema).is_some(),
                whole: is_number && (inner["type"] == "integer" || inner["multipleOf"] == json!(1)),
            },
        );
    }

    fn below(&mut self, schema: &Value, place: &str) {
        for child in children(schema) {
            self.visit(child.schema, format!("{place}/{}", child.step));
        }
    }

    pub(super) fn at(&self, place: &str) -> Place {
        self.places.get(place).cloned().unwrap_or_default()
    }

    /// Returns the shape of a schema.
    pub(super) fn shape(&self, name: &str) -> Option<Shape> {
        self.shapes.get(name).copied()
    }

    /// Returns the schemas of this shape, in the order of the document.
    pub(super) fn like(&self, shape: Shape) -> Vec<&'a str> {
        let is_like = |name: &&&str| self.shapes.get(**name).is_some_and(|known| *known == shape);
        self.order.iter().filter(is_like).copied().collect()
    }
}

/// Returns the component that a JSON pointer belongs to.
pub(super) fn schema_pointer(name: &str) -> String {
    format!("{}{}", &SCHEMAS[1..], escape(name))
}
