//! Names schemas without a name: by their known name, or else after their place.

use std::collections::{BTreeMap, HashSet};

use heck::ToPascalCase as _;
use serde_json::{Map, Value, json};

use super::log::{Kind, Log};
use super::lower::ANNOTATIONS;
use super::names::Names;
use super::places::{Known, Place, children, component, roots, schema_pointer};
use super::shape::{Shape, Shapes, is_scalar, named, needs_name, peel};
use crate::document::{JSON_SCHEMA, SCHEMAS, entries, escape, fields, is_rust_name, type_name};

/// A schema without a name.
struct Found<'a> {
    pointer: String,
    schema: &'a Value,
    shape: Shape,
    /// What the previous version has at this place.
    before: Place,
    /// The start of the derived name.
    base: Base,
    suffix: String,
}

/// The start of a derived name.
#[derive(Clone)]
enum Base {
    Name(String),
    /// The name of another schema without one, by its index.
    Found(usize),
}

/// How certain a name is. The order is the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// `names.toml` sets it.
    Decided,
    /// The previous version has an equal schema here.
    Same,
    /// Another known schema is equal.
    Equal,
    /// The title is a known name.
    Title,
    /// The previous version has another schema here.
    Place,
    /// The title, or else derived from the place.
    New,
}

pub(super) fn name_inline(document: &mut Value, names: &Names, known: &Known<'_>, log: &mut Log) {
    let shapes = Shapes::of(document);
    let mut walk = Walk {
        shapes: &shapes,
        known,
        found: Vec::new(),
        seen: HashSet::new(),
        plain: Vec::new(),
        whole: Vec::new(),
    };
    for root in roots(document) {
        walk.visit(
            root.schema,
            root.pointer,
            &root.place,
            &Base::Name(root.name),
            "",
        );
    }
    for (name, schema) in fields(&document["components"]["schemas"]) {
        let base = Base::Name(type_name(name));
        walk.below(schema, &schema_pointer(name), &component(name), &base, "");
    }
    let chosen = decide(document, &walk.found, &shapes, names, known);
    let mut hoist = Hoist {
        names: BTreeMap::new(),
        definitions: Map::new(),
        places: BTreeMap::new(),
        known,
    };
    for (found, name) in walk.found.into_iter().zip(chosen) {
        log.add(Kind::Named, found.pointer.clone(), name.clone());
        hoist.places.insert(found.pointer.clone(), found.before);
        hoist.names.insert(found.pointer, name);
    }
    for (pointer, name) in walk.plain {
        if document["components"]["schemas"].get(&name).is_none()
            && let Some(schema) = known.schemas.get(name.as_str())
        {
            hoist.definitions.insert(name.clone(), (*schema).clone());
        }
        log.add(Kind::Named, pointer.clone(), name.clone());
        hoist.names.insert(pointer, name);
    }
    for pointer in walk.whole {
        if let Some(schema) = document.pointer_mut(&pointer) {
            schema["multipleOf"] = json!(1);
            log.add(
                Kind::Kept,
                pointer,
                "an integer, as in the previous version",
            );
        }
    }
    if hoist.names.is_empty() {
        return;
    }
    hoist.document(document);
    finish(document, hoist.definitions, known);
}

/// A traversal of every schema, in the order of the document.
struct Walk<'a> {
    shapes: &'a Shapes<'a>,
    known: &'a Known<'a>,
    found: Vec<Found<'a>>,
    /// The pointers of those. A shared response is visited for every operation that has it.
    seen: HashSet<String>,
    /// Plain values that the previous version has a name for.
    plain: Vec<(String, String)>,
    /// Numbers that are integers in the previous version.
    whole: Vec<String>,
}

impl<'a> Walk<'a> {
    fn visit(
        &mut self,
        schema: &'a Value,
        mut pointer: String,
        place: &str,
        base: &Base,
        suffix: &str,
    ) {
        let inner = peel(schema);
        let mut outer = schema;
        while !std::ptr::eq(outer, inner) {
            outer = &entries(&outer["allOf"])[0];
            pointer.push_str("/allOf/0");
        }
        if named(inner).is_some() || self.seen.contains(&pointer) {
            return;
        }
        let before = self.known.at(place);
        if is_scalar(inner) {
            self.plain_value(inner, pointer, before);
            return;
        }
        let place = before
            .name
            .as_deref()
            .map_or_else(|| place.to_owned(), component);
        if !needs_name(inner) {
            self.below(inner, &pointer, &place, base, suffix);
            return;
        }
        self.seen.insert(pointer.clone());
        let index = self.found.len();
        self.found.push(Found {
            pointer: pointer.clone(),
            schema: inner,
            shape: self.shapes.of_schema(inner),
            before,
            base: base.clone(),
            suffix: suffix.to_owned(),
        });
        self.below(inner, &pointer, &place, &Base::Found(index), "");
    }

    fn below(&mut self, schema: &'a Value, pointer: &str, place: &str, base: &Base, suffix: &str) {
        for child in children(schema) {
            self.visit(
                child.schema,
                format!("{pointer}/{}", child.step),
                &format!("{place}/{}", child.step),
                base,
                &format!("{suffix}{}", child.suffix),
            );
        }
    }

    fn plain_value(&mut self, schema: &Value, pointer: String, before: Place) {
        match before.name {
            Some(name) if self.known.shape(&name) == Some(self.shapes.of_schema(schema)) => {
                self.plain.push((pointer, name));
            }
            None if before.whole
                && schema["type"] == "number"
                && schema.get("multipleOf").is_none() =>
            {
                self.whole.push(pointer);
            }
            _ => {}
        }
    }
}

/// Decides the name of each schema.
fn decide(
    document: &Value,
    found: &[Found<'_>],
    shapes: &Shapes<'_>,
    names: &Names,
    known: &Known<'_>,
) -> Vec<String> {
    let own: BTreeMap<Shape, &str> = fields(&document["components"]["schemas"])
        .filter(|(_, schema)| needs_name(schema))
        .map(|(name, _)| (shapes.named(name), name))
        .collect();
    let first: Vec<(Rank, Option<String>)> = found
        .iter()
        .map(|found| preferred(found, &own, names, known))
        .collect();
    // Equal schemas get one name, unless each has its own already.
    let mut classes: BTreeMap<Shape, (Rank, Option<String>)> = BTreeMap::new();
    for (found, choice) in found.iter().zip(&first) {
        let class = classes.entry(found.shape).or_insert_with(|| choice.clone());
        if choice.0 < class.0 {
            *class = choice.clone();
        }
    }
    let mut taken: BTreeMap<String, Shape> = fields(&document["components"]["schemas"])
        .map(|(name, _)| (type_name(name), shapes.named(name)))
        .collect();
    let mut result: Vec<Option<String>> = vec![None; found.len()];
    let mut derived: BTreeMap<Shape, String> = BTreeMap::new();
    let mut order: Vec<usize> = (0..found.len()).collect();
    let rank = |index: usize| {
        let (rank, name) = &first[index];
        let keeps = matches!(rank, Rank::Decided | Rank::Same | Rank::Place);
        if keeps {
            (*rank, name.clone())
        } else {
            classes[&found[index].shape].clone()
        }
    };
    order.sort_by_key(|index| rank(*index).0);
    for index in order {
        let this = &found[index];
        let (_, name) = rank(index);
        let free = |name: &str, taken: &BTreeMap<String, Shape>| {
            taken
                .get(&type_name(name))
                .is_none_or(|shape| *shape == this.shape)
        };
        let known = name.filter(|name| free(name, &taken));
        let name = known
            .or_else(|| derived.get(&this.shape).cloned())
            .unwrap_or_else(|| {
                let base = match &this.base {
                    Base::Name(name) => name.clone(),
                    Base::Found(parent) => result[*parent].clone().unwrap_or_default(),
                };
                let wanted = format!("{base}{}", this.suffix);
                let numbered = (2..).map(|number| format!("{wanted}{number}"));
                let name = std::iter::once(wanted.clone())
                    .chain(numbered)
                    .find(|name| free(name, &taken));
                let name = name.unwrap_or(wanted.clone());
                derived.insert(this.shape, name.clone());
                name
            });
        taken.insert(type_name(&name), this.shape);
        result[index] = Some(name);
    }
    result.into_iter().map(Option::unwrap_or_default).collect()
}

fn preferred(
    found: &Found<'_>,
    own: &BTreeMap<Shape, &str>,
    names: &Names,
    known: &Known<'_>,
) -> (Rank, Option<String>) {
    let title = found.schema["title"].as_str();
    if let Some(name) = title.and_then(|title| names.schema(title)) {
        return (Rank::Decided, Some(name.to_owned()));
    }
    let here = found.before.name.as_deref();
    if let Some(here) = here.filter(|here| known.shape(here) == Some(found.shape)) {
        return (Rank::Same, Some(here.to_owned()));
    }
    let equal = known.like(found.shape);
    if let Some(name) = equal
        .first()
        .copied()
        .or_else(|| own.get(&found.shape).copied())
    {
        return (Rank::Equal, Some(name.to_owned()));
    }
    let title = title
        .map(str::to_pascal_case)
        .filter(|title| !is_rust_name(title));
    let titled = title
        .as_deref()
        .and_then(|title| known.order.iter().find(|name| type_name(name) == title));
    if let Some(name) = titled {
        return (Rank::Title, Some((*name).to_owned()));
    }
    if let Some(here) = here {
        return (Rank::Place, Some(here.to_owned()));
    }
    (Rank::New, title)
}

struct Hoist<'a> {
    /// By pointer.
    names: BTreeMap<String, String>,
    places: BTreeMap<String, Place>,
    definitions: Map<String, Value>,
    known: &'a Known<'a>,
}

impl Hoist<'_> {
    fn document(&mut self, document: &mut Value) {
        let pointers: Vec<String> = roots(document)
            .into_iter()
            .map(|root| root.pointer)
            .collect();
        for pointer in pointers {
            if let Some(schema) = document.pointer_mut(&pointer) {
                self.schema(schema, &pointer);
            }
        }
        if let Some(schemas) = document
            .pointer_mut("/components/schemas")
            .and_then(Value::as_object_mut)
        {
            for (name, schema) in schemas {
                self.children(schema, &schema_pointer(name));
            }
        }
    }

    fn schema(&mut self, schema: &mut Value, pointer: &str) {
        self.children(schema, pointer);
        let Some(name) = self.names.remove(pointer) else {
            return;
        };
        let mut definition = std::mem::take(schema);
        let mut annotations = Map::new();
        if let Some(fields) = definition.as_object_mut() {
            fields.shift_remove("title");
            let of_the_place: Vec<String> = fields
                .keys()
                .filter(|key| ANNOTATIONS.contains(&key.as_str()) || *key == JSON_SCHEMA)
                .cloned()
                .collect();
            for key in of_the_place {
                if let Some(value) = fields.shift_remove(&key) {
                    annotations.insert(key, value);
                }
            }
        }
        let wanted = self.description(&name, pointer, &annotations);
        let defined = self.definitions.entry(name.clone()).or_insert(definition);
        if let Some(wanted) = wanted
            && defined.get("description").is_none()
            && let Some(fields) = defined.as_object_mut()
        {
            // After `type`, as in a hand-written schema.
            let index = usize::from(fields.contains_key("type"));
            fields.shift_insert(index, "description".to_owned(), wanted);
        }
        let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
        *schema = if annotations.is_empty() {
            reference
        } else {
            let mut wrapper = Map::from_iter([("allOf".to_owned(), json!([reference]))]);
            wrapper.extend(annotations);
            Value::Object(wrapper)
        };
    }

    /// Returns the description of a definition: the previous one, unless the document has another one.
    fn description(
        &self,
        name: &str,
        pointer: &str,
        annotations: &Map<String, Value>,
    ) -> Option<Value> {
        let here = annotations.get("description");
        let before = self
            .known
            .schemas
            .get(name)
            .and_then(|schema| schema.get("description"));
        let is_bare = self
            .places
            .get(pointer)
            .is_none_or(|place| place.bare || place.name.is_none());
        match (here, before) {
            (Some(here), Some(before)) if is_bare && here != before => Some(here.clone()),
            (_, Some(before)) => Some(before.clone()),
            (here, None) => here.cloned(),
        }
    }

    fn children(&mut self, schema: &mut Value, pointer: &str) {
        for (name, property) in schema
            .get_mut("properties")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            self.schema(property, &format!("{pointer}/properties/{}", escape(name)));
        }
        for key in ["items", "additionalProperties", "not"] {
            if let Some(inner) = schema.get_mut(key).filter(|inner| inner.is_object()) {
                self.schema(inner, &format!("{pointer}/{key}"));
            }
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for (index, part) in schema
                .get_mut(key)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
                .enumerate()
            {
                self.schema(part, &format!("{pointer}/{key}/{index}"));
            }
        }
    }
}

/// Adds the definitions, and removes from each place what the definition already contains.
fn finish(document: &mut Value, definitions: Map<String, Value>, known: &Known<'_>) {
    let mut schemas = match document["components"]["schemas"].take() {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    };
    for (name, mut definition) in definitions {
        if definition.get("enum").is_some() && definition.get("description").is_none() {
            definition["description"] = json!(format!("Values of {name}."));
        }
        schemas.entry(name).or_insert(definition);
    }
    let position = |name: &String| {
        known
            .order
            .iter()
            .position(|known| known == name)
            .unwrap_or(usize::MAX)
    };
    let mut sorted: Vec<(String, Value)> = schemas.into_iter().collect();
    sorted.sort_by_key(|(name, _)| position(name));
    document["components"]["schemas"] = Value::Object(sorted.into_iter().collect());
    let descriptions: BTreeMap<String, Value> = fields(&document["components"]["schemas"])
        .filter_map(|(name, schema)| Some((name.to_owned(), schema.get("description")?.clone())))
        .collect();
    unwrap(document, &descriptions);
}

fn unwrap(node: &mut Value, descriptions: &BTreeMap<String, Value>) {
    match node {
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| unwrap(value, descriptions)),
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|value| unwrap(value, descriptions)),
        _ => return,
    }
    let [only] = entries(&node["allOf"]) else {
        return;
    };
    // Nested wrappers: the outer one is more specific to this place.
    if let [_] = entries(&only["allOf"]) {
        let mut inner = only.clone();
        for (key, value) in fields(node).filter(|(key, _)| *key != "allOf") {
            inner[key] = value.clone();
        }
        *node = inner;
        return unwrap(node, descriptions);
    }
    let Some(name) = named(only) else {
        return;
    };
    let description = descriptions.get(name);
    if fields(node)
        .all(|(key, value)| key == "allOf" || key == "description" && Some(value) == description)
    {
        *node = only.clone();
    }
}
