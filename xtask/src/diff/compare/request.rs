//! Compares requests: parameters and bodies.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use super::comparison::{Comparison, at, media_types};
use crate::diff::finding::ChangeLocation;
use crate::diff::rules::SchemaPosition;
use crate::diff::schema::SchemaContext;
use crate::diff::sunset;
use crate::document::{Node, Parameter, ResolvedOperation, fields};

/// Fields of a parameter that have their own rules.
const PARAMETER: [&str; 11] = [
    "name",
    "in",
    "required",
    "deprecated",
    "x-sunset",
    "style",
    "explode",
    "allowReserved",
    "content",
    "schema",
    "description",
];

impl<'a> Comparison<'a> {
    pub(super) fn parameters(
        &mut self,
        old: &ResolvedOperation<'a>,
        new: &ResolvedOperation<'a>,
    ) -> Result<()> {
        let (old_path, new_path) = (old.path_names(), new.path_names());
        // A path parameter is identified by its position, any other by its name.
        let key = |parameter: &Parameter<'a>, path: &[&str]| {
            let index = path.iter().position(|name| *name == parameter.name);
            match index {
                Some(index) if parameter.location == "path" => format!("path {index}"),
                _ => format!("{} {}", parameter.location, parameter.name),
            }
        };
        let mut removed: Vec<&Parameter<'a>> = Vec::new();
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for before in &old.parameters {
            let wanted = key(before, &old_path);
            let after = new
                .parameters
                .iter()
                .find(|after| key(after, &new_path) == wanted);
            match after {
                Some(after) => {
                    taken.insert(&after.node.pointer);
                    self.parameter(new, before, after)?;
                }
                None => removed.push(before),
            }
        }
        for before in removed {
            let name = new.name();
            let moved = new.parameters.iter().find(|after| {
                after.name.eq_ignore_ascii_case(&before.name)
                    && !taken.contains(after.node.pointer.as_str())
            });
            if let Some(after) = moved {
                taken.insert(&after.node.pointer);
                let location = parameter_at(&name, after, "in");
                self.add(
                    "request-parameter-moved",
                    location,
                    json!(before.location),
                    json!(after.location),
                );
                self.parameter(new, before, after)?;
            } else {
                let location = parameter_at(&name, before, "");
                let id = if sunset::is_ahead(before.node.value.get("x-sunset")) {
                    "request-parameter-removed-before-sunset"
                } else {
                    "request-parameter-removed"
                };
                self.add(id, location, before.node.value.clone(), Value::Null);
            }
        }
        for after in &new.parameters {
            if !taken.contains(after.node.pointer.as_str()) {
                let id = if after.node.value["required"] == true {
                    "new-required-request-parameter"
                } else {
                    "new-optional-request-parameter"
                };
                let location = parameter_at(&new.name(), after, "");
                self.add(id, location, Value::Null, after.node.value.clone());
            }
        }
        Ok(())
    }

    fn parameter(
        &mut self,
        operation: &ResolvedOperation<'a>,
        old: &Parameter<'a>,
        new: &Parameter<'a>,
    ) -> Result<()> {
        let name = operation.name();
        if old.name != new.name {
            let location = parameter_at(&name, new, "name");
            self.add(
                "path-parameter-renamed",
                location,
                json!(old.name),
                json!(new.name),
            );
        }
        let flag = |parameter: &Parameter<'a>, key: &str| parameter.node.value[key] == true;
        for (key, on, off) in [
            (
                "required",
                "request-parameter-became-required",
                "request-parameter-became-optional",
            ),
            (
                "deprecated",
                "request-parameter-deprecated",
                "request-parameter-reactivated",
            ),
        ] {
            let (before, after) = (flag(old, key), flag(new, key));
            if before != after {
                let id = if after { on } else { off };
                let location = parameter_at(&name, new, key);
                self.add(id, location, json!(before), json!(after));
            }
        }
        let (before, after) = (style(old), style(new));
        if before != after && old.location == new.location {
            let mut location = parameter_at(&name, new, "style");
            location.explains = ["style", "explode", "allowReserved", "content", "schema"]
                .iter()
                .flat_map(|key| {
                    [&old.node.pointer, &new.node.pointer].map(|at| format!("{at}/{key}"))
                })
                .collect();
            self.add("request-parameter-style-changed", location, before, after);
        }
        let subject = parameter_subject(&name, new);
        self.description(&name, &subject, (&old.node, &new.node), "description");
        let context = SchemaContext::new(&name, subject, SchemaPosition::Parameter)
            .required(flag(old, "required"), flag(new, "required"));
        let dates = [old, new].map(|parameter| parameter.node.value.get("x-sunset"));
        if let Some(change) = sunset::change(dates[0], dates[1]) {
            let [before, after] = dates.map(|date| date.cloned().unwrap_or(Value::Null));
            let location = parameter_at(&name, new, "x-sunset");
            self.add(
                &format!("request-parameter-{change}"),
                location,
                before,
                after,
            );
        }
        self.schema_of(&context, &old.node, &new.node)?;
        self.rest(
            (&name, &context.subject),
            (&old.node, &new.node),
            &PARAMETER,
        );
        Ok(())
    }

    pub(super) fn body(
        &mut self,
        old: &ResolvedOperation<'a>,
        new: &ResolvedOperation<'a>,
    ) -> Result<()> {
        let name = new.name();
        let subject = format!("{name} request body");
        let required = |body: &Node<'a>| body.value["required"] == true;
        match (&old.body, &new.body) {
            (None, None) => {}
            (Some(before), None) => {
                let location = at(&name, &subject, &before.pointer);
                let what = media_types(before);
                self.add("request-body-removed", location, what, Value::Null);
            }
            (None, Some(after)) => {
                let id = if required(after) {
                    "request-body-added-required"
                } else {
                    "request-body-added-optional"
                };
                let location = at(&name, &subject, &after.pointer);
                self.add(id, location, Value::Null, media_types(after));
            }
            (Some(before), Some(after)) => {
                let (was, is) = (required(before), required(after));
                if was != is {
                    let id = if is {
                        "request-body-became-required"
                    } else {
                        "request-body-became-optional"
                    };
                    let location = at(&name, &subject, &format!("{}/required", after.pointer));
                    self.add(id, location, json!(was), json!(is));
                }
                self.description(&name, &subject, (before, after), "description");
                self.content(
                    &SchemaContext::new(&name, subject, SchemaPosition::RequestBody)
                        .required(true, true),
                    before,
                    after,
                    (
                        "request-body-media-type-removed",
                        "request-body-media-type-added",
                    ),
                )?;
                let subject = format!("{name} request body");
                self.rest(
                    (&name, &subject),
                    (before, after),
                    &["required", "content", "description"],
                );
            }
        }
        Ok(())
    }
}

fn parameter_at(operation: &str, parameter: &Parameter<'_>, key: &str) -> ChangeLocation {
    let mut location = parameter.node.pointer.clone();
    if !key.is_empty() {
        location = format!("{location}/{key}");
    }
    at(
        operation,
        &parameter_subject(operation, parameter),
        &location,
    )
}

fn parameter_subject(operation: &str, parameter: &Parameter<'_>) -> String {
    format!(
        "{operation} {} parameter {}",
        parameter.location, parameter.name
    )
}

/// Returns the style of a parameter, including the defaults of its location.
fn style(parameter: &Parameter<'_>) -> Value {
    let node = parameter.node.value;
    let form = matches!(parameter.location, "query" | "cookie");
    let default = if form { "form" } else { "simple" };
    let style = node["style"].as_str().unwrap_or(default);
    let media = fields(&node["content"]).next().map(|(media, _)| media);
    json!({
        "style": style,
        "explode": node["explode"].as_bool().unwrap_or(style == "form"),
        "allowReserved": node["allowReserved"] == true,
        "content": media,
    })
}
