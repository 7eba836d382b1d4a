//! Generates values that a schema allows.

use serde_json::{Map, Value, json};

/// The kind of value to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Everything that is optional.
    Full,
    /// Only what is required, as short and small as possible.
    Minimal,
    /// Everything, as long and large as possible.
    Longest,
    /// Everything, null wherever possible.
    Null,
}

pub(crate) const SHAPES: [Shape; 4] = [Shape::Full, Shape::Minimal, Shape::Longest, Shape::Null];

/// The direction of a value: read-only properties are not sent, write-only ones are not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Request,
    Response,
}

/// The length of a text without a limit in the contract.
const LONG: usize = 300;
const DEEP: usize = 12;

/// Returns a value of a schema; `pick` selects enum values and branches.
pub(crate) fn sample(
    document: &Value,
    schema: &Value,
    way: Way,
    shape: Shape,
    pick: usize,
) -> Value {
    Sampler {
        document,
        way,
        shape,
        pick,
    }
    .value(schema, 0)
}

/// Follows references, and merges `allOf` into the schema that contains it.
pub(crate) fn resolved(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut merged = Map::new();
    merge(document, schema, &mut merged, 0);
    merged
}

fn merge(document: &Value, schema: &Value, into: &mut Map<String, Value>, depth: usize) {
    let Some(fields) = schema.as_object().filter(|_| depth < DEEP) else {
        return;
    };
    if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
        if let Some(target) = document.pointer(target.trim_start_matches('#')) {
            merge(document, target, into, depth + 1);
        }
        return;
    }
    for part in fields
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        merge(document, part, into, depth + 1);
    }
    for (key, value) in fields {
        match (key.as_str(), into.get_mut(key), value) {
            ("allOf", ..) => {}
            ("properties", Some(Value::Object(known)), Value::Object(more)) => {
                known.extend(more.clone());
            }
            ("required", Some(Value::Array(known)), Value::Array(more)) => {
                known.extend(more.iter().cloned());
            }
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

struct Sampler<'a> {
    document: &'a Value,
    way: Way,
    shape: Shape,
    pick: usize,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        let schema = resolved(self.document, schema);
        if self.shape == Shape::Null && schema.get("nullable") == Some(&Value::Bool(true)) {
            return Value::Null;
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array)
            && let Some(value) = values.get(self.pick % values.len().max(1))
        {
            return value.clone();
        }
        for branches in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.get(branches).and_then(Value::as_array)
                && let Some(branch) = branches.get(self.pick % branches.len().max(1))
            {
                return self.value(branch, depth + 1);
            }
        }
        let number = |name: &str| schema.get(name).and_then(Value::as_u64);
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => self.text(&schema),
            Some("integer" | "number") => self.number(&schema),
            Some("boolean") => json!(self.pick.is_multiple_of(2)),
            Some("array") => {
                let least = number("minItems").unwrap_or(0);
                let count = match self.shape {
                    Shape::Minimal => least,
                    _ => least.max(1),
                };
                let item = schema.get("items").unwrap_or(&Value::Null);
                let item = self.value(item, depth + 1);
                Value::Array(vec![item; usize::try_from(count).unwrap().min(20)])
            }
            Some("object") => self.object(&schema, depth),
            None if schema.contains_key("properties") => self.object(&schema, depth),
            _ => json!({}),
        }
    }

    fn object(&self, schema: &Map<String, Value>, depth: usize) -> Value {
        let empty = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut object = Map::new();
        for (name, property) in properties {
            let optional = !required.contains(&name.as_str());
            if optional && (self.shape == Shape::Minimal || depth > DEEP) {
                continue;
            }
            let hidden = match self.way {
                Way::Request => "readOnly",
                Way::Response => "writeOnly",
            };
            if resolved(self.document, property).get(hidden) == Some(&Value::Bool(true)) {
                continue;
            }
            object.insert(name.clone(), self.value(property, depth + 1));
        }
        for name in required {
            if !properties.contains_key(name) {
                object.insert(name.to_owned(), json!("undeclared"));
            }
        }
        match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) if self.shape != Shape::Minimal => {
                object.insert("key".to_owned(), self.value(values, depth + 1));
            }
            _ => {}
        }
        Value::Object(object)
    }

    fn text(&self, schema: &Map<String, Value>) -> Value {
        let bound = |name: &str| {
            let bound = schema.get(name).and_then(Value::as_u64)?;
            usize::try_from(bound).ok()
        };
        match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => return json!("8c9e6679-7425-40de-944b-e07fc1f90ae7"),
            Some("date-time") => return json!("2026-03-01T10:30:00.000Z"),
            Some("date") => return json!("2026-03-01"),
            Some("email") => return json!("owner@example.com"),
            Some("uri" | "url") => return json!("https://example.com/a"),
            _ => {}
        }
        if schema.contains_key("pattern")
            && let Some(example) = schema.get("example")
        {
            return example.clone();
        }
        let least = bound("minLength").unwrap_or(0);
        let most = bound("maxLength").unwrap_or(LONG).max(least);
        let length = match self.shape {
            Shape::Minimal => least,
            Shape::Longest => most,
            _ => 8.clamp(least, most),
        };
        Value::String("sample ".chars().cycle().take(length.min(10_000)).collect())
    }

    fn number(&self, schema: &Map<String, Value>) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let step = bound("multipleOf").unwrap_or(1.0);
        let least = bound("minimum").unwrap_or(0.0);
        let most = bound("maximum").unwrap_or(1_000_000.0).max(least);
        let value = match self.shape {
            Shape::Minimal => (least / step).ceil() * step,
            Shape::Longest => (most / step).floor() * step,
            _ => (12.0_f64.clamp(least, most) / step).ceil() * step,
        };
        let whole = value.fract() == 0.0;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a whole number within the bounds"
        )]
        if whole {
            json!(value as i64)
        } else {
            json!(value)
        }
    }
}
