//! Compares responses: status, headers, bodies, paging.

use anyhow::Result;
use serde_json::{Value, json};

use super::comparison::{Comparison, at, media_types, missing};
use crate::diff::finding::SeverityOverride;
use crate::diff::rules::{Runtime, SchemaPosition};
use crate::diff::schema::SchemaContext;
use crate::document::{Contract, Node, ResolvedOperation, escape, fields, is_success};

/// Fields of a header that have their own rules.
const HEADER: [&str; 4] = ["required", "content", "schema", "description"];

impl<'a> Comparison<'a> {
    pub(super) fn responses(
        &mut self,
        old: &ResolvedOperation<'a>,
        new: &ResolvedOperation<'a>,
    ) -> Result<()> {
        let name = new.name();
        let find = |operation: &ResolvedOperation<'a>, status: &str| {
            operation
                .responses
                .iter()
                .find(|(other, _)| *other == status)
                .map(|(_, response)| response.clone())
        };
        let kind = |status: &str| {
            if is_success(status) {
                "success"
            } else {
                "non-success"
            }
        };
        for (status, before) in &old.responses {
            if let Some(after) = find(new, status) {
                self.response(&name, status, before, &after)?;
            } else {
                let id = format!("response-{}-status-removed", kind(status));
                let subject = format!("{name} response");
                let location = at(&name, &subject, &response_at(old, status));
                self.add(&id, location, json!(status), Value::Null);
            }
        }
        for (status, after) in &new.responses {
            if find(old, status).is_none() {
                let id = format!("response-{}-status-added", kind(status));
                let location = at(
                    &name,
                    &format!("{name} response"),
                    &response_at(new, status),
                );
                // Callers handle every success as the one they know.
                let is_read = is_success(status)
                    && old.success().is_some_and(|(_, known)| {
                        !known.value["content"].is_null()
                            && known.value["content"] != after.value["content"]
                    });
                let severity = SeverityOverride {
                    runtime: is_read.then_some(Runtime::Unknown),
                    ..SeverityOverride::default()
                };
                self.findings
                    .add(&id, location, Value::Null, json!(status), severity);
            }
        }
        // The same response with another success status.
        if let (Some((was, before)), Some((is, after))) = (old.success(), new.success())
            && was != is
            && (find(new, was).is_none() || find(old, is).is_none())
        {
            self.response(&name, is, before, after)?;
        }
        Ok(())
    }

    fn response(
        &mut self,
        operation: &str,
        status: &str,
        before: &Node<'a>,
        after: &Node<'a>,
    ) -> Result<()> {
        let subject = format!("{operation} response {status}");
        self.description(operation, &subject, (before, after), "description");
        self.headers(operation, &subject, before, after)?;
        let has_body = |response: &Node<'a>| fields(&response.value["content"]).next().is_some();
        let failure = !is_success(status);
        let severity = if failure {
            SeverityOverride::ignored()
        } else {
            SeverityOverride::default()
        };
        let location = |response: &Node<'a>| {
            at(
                operation,
                &subject,
                &format!("{}/content", response.pointer),
            )
        };
        match (has_body(before), has_body(after)) {
            (false, true) => self.findings.add(
                "response-body-added",
                location(after),
                Value::Null,
                media_types(after),
                severity,
            ),
            (true, false) => self.findings.add(
                "response-body-removed",
                location(before),
                media_types(before),
                Value::Null,
                severity,
            ),
            _ => {
                let mut context =
                    SchemaContext::new(operation, subject, SchemaPosition::ResponseBody)
                        .required(true, true);
                if failure {
                    context = context.ignored();
                }
                self.content(
                    &context,
                    before,
                    after,
                    ("response-media-type-removed", "response-media-type-added"),
                )?;
            }
        }
        let subject = format!("{operation} response {status}");
        self.rest(
            (operation, &subject),
            (before, after),
            &["description", "headers", "content"],
        );
        Ok(())
    }

    fn headers(
        &mut self,
        operation: &str,
        response: &str,
        before: &Node<'a>,
        after: &Node<'a>,
    ) -> Result<()> {
        let list = |contract: Contract<'a>, node: &Node<'a>| -> Result<Vec<(String, Node<'a>)>> {
            fields(&node.value["headers"])
                .map(|(name, value)| {
                    let at = format!("{}/headers/{}", node.pointer, escape(name));
                    Ok((name.to_ascii_lowercase(), contract.node(value, at)?))
                })
                .collect()
        };
        let (old, new) = (list(self.old, before)?, list(self.new, after)?);
        let required = |header: &Node<'a>| header.value["required"] == true;
        let presence = |header: &Node<'a>| {
            if required(header) {
                "required"
            } else {
                "optional"
            }
        };
        let subject = |name: &str| format!("{response} header {name}");
        for (name, header) in missing(&old, &new) {
            let id = format!("{}-response-header-removed", presence(header));
            let location = at(operation, &subject(name), &header.pointer);
            self.add(&id, location, header.value.clone(), Value::Null);
        }
        for (name, header) in missing(&new, &old) {
            let id = format!("{}-response-header-added", presence(header));
            let location = at(operation, &subject(name), &header.pointer);
            self.add(&id, location, Value::Null, header.value.clone());
        }
        for (name, was) in &old {
            let Some((_, is)) = new.iter().find(|(other, _)| other == name) else {
                continue;
            };
            if required(was) != required(is) {
                let id = format!("response-header-became-{}", presence(is));
                let location = at(
                    operation,
                    &subject(name),
                    &format!("{}/required", is.pointer),
                );
                self.add(&id, location, json!(required(was)), json!(required(is)));
            }
            self.description(operation, &subject(name), (was, is), "description");
            let context =
                SchemaContext::new(operation, subject(name), SchemaPosition::ResponseHeader);
            self.schema_of(&context, was, is)?;
            self.rest((operation, &subject(name)), (was, is), &HEADER);
        }
        Ok(())
    }

    pub(super) fn paging(
        &mut self,
        old: &ResolvedOperation<'a>,
        new: &ResolvedOperation<'a>,
    ) -> Result<()> {
        let before = paging(self.old, old)?;
        let after = paging(self.new, new)?;
        let id = match (before.is_null(), after.is_null()) {
            (true, false) => "paging-added",
            (false, true) => "paging-removed",
            (false, false) if before != after => "paging-changed",
            _ => return Ok(()),
        };
        let name = new.name();
        let location = at(&name, &name, &new.node.pointer);
        self.findings
            .add(id, location, before, after, SeverityOverride::default());
        Ok(())
    }
}

fn response_at(operation: &ResolvedOperation<'_>, status: &str) -> String {
    format!("{}/responses/{}", operation.node.pointer, escape(status))
}

/// Describes the paging of a list: parameters that select a page, and fields that describe it.
fn paging(contract: Contract<'_>, operation: &ResolvedOperation<'_>) -> Result<Value> {
    const CHOOSE: [&str; 9] = [
        "page",
        "pagesize",
        "page_size",
        "limit",
        "offset",
        "cursor",
        "per_page",
        "after",
        "before",
    ];
    const TELL: [&str; 4] = ["meta", "pagination", "paging", "links"];
    let mut chosen: Vec<&str> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.location == "query")
        .map(|parameter| parameter.name.as_str())
        .filter(|name| CHOOSE.contains(&name.to_ascii_lowercase().as_str()))
        .collect();
    chosen.sort_unstable();
    let mut described = Vec::new();
    let mut items = None;
    if let Some((_, response)) = operation.success()
        && let Some((media, content)) = fields(&response.value["content"]).next()
        && let Some(value) = content.get("schema")
    {
        let at = format!("{}/content/{}/schema", response.pointer, escape(media));
        let schema = contract.schema(value, at)?;
        for name in schema.properties() {
            let Some(property) = schema.property(contract.root(), name)? else {
                continue;
            };
            if TELL.contains(&name) {
                let fields = property.properties();
                described.extend(fields.iter().map(|field| format!("{name}.{field}")));
            } else if property.types().contains("array") {
                items = items.or(Some(name));
            }
        }
    }
    described.sort_unstable();
    if chosen.is_empty() && described.is_empty() {
        return Ok(Value::Null);
    }
    Ok(json!({ "chosen by": chosen, "told by": described, "items": items }))
}
