//! Compares servers: of the document, of a path, or of an operation.

use serde_json::{Value, json};

use super::comparison::{Comparison, at};
use crate::document::{Node, ResolvedOperation};

/// The default URL in a document without servers.
const HERE: &str = "/";

struct Server<'a> {
    url: &'a str,
    node: Node<'a>,
}

impl<'a> Comparison<'a> {
    pub(super) fn document_servers(&mut self) {
        let before = listed(&self.old.root()["servers"], "/servers");
        let after = listed(&self.new.root()["servers"], "/servers");
        self.servers("", "server", &before, &after);
    }

    /// Compares the servers of an operation that has its own, or whose path does.
    pub(super) fn operation_servers(
        &mut self,
        old: &ResolvedOperation<'a>,
        new: &ResolvedOperation<'a>,
    ) {
        let is_own = |operation: &ResolvedOperation<'a>| operation.servers.pointer != "/servers";
        if is_own(old) || is_own(new) {
            let before = effective(&old.servers);
            let after = effective(&new.servers);
            self.servers(&new.name(), "endpoint-server", &before, &after);
        }
    }

    fn servers(
        &mut self,
        operation: &str,
        prefix: &str,
        before: &[Server<'a>],
        after: &[Server<'a>],
    ) {
        let subject = |server: &Server<'a>| {
            format!("{operation} server {}", server.url)
                .trim_start()
                .to_owned()
        };
        let find = |list: &[Server<'a>], wanted: &Server<'a>| {
            list.iter().position(|server| server.url == wanted.url)
        };
        let reported = self.findings.added();
        let mut order = Vec::new();
        for server in before {
            let Some(index) = find(after, server) else {
                let location = at(operation, &subject(server), &server.node.pointer);
                let id = format!("{prefix}-removed");
                self.add(&id, location, json!(server.url), Value::Null);
                continue;
            };
            order.push(index);
            let now = &after[index];
            if server.node.value["variables"] != now.node.value["variables"] {
                let pointer = format!("{}/variables", now.node.pointer);
                let location = at(operation, &subject(server), &pointer);
                let [old, new] = [server, now].map(|server| server.node.value["variables"].clone());
                self.add(&format!("{prefix}-changed"), location, old, new);
            }
            if server.node.value["url"] != now.node.value["url"] && server.url != HERE {
                let location = at(
                    operation,
                    &subject(server),
                    &format!("{}/url", now.node.pointer),
                );
                let [old, new] = [server, now].map(|server| server.node.value["url"].clone());
                self.add("document-rewritten", location, old, new);
            }
            self.rest(
                (operation, &subject(server)),
                (&server.node, &now.node),
                &["url", "variables"],
            );
        }
        for server in after.iter().filter(|server| find(before, server).is_none()) {
            let location = at(operation, &subject(server), &server.node.pointer);
            self.add(
                &format!("{prefix}-added"),
                location,
                Value::Null,
                json!(server.url),
            );
        }
        // The first server changed, which many clients use.
        let is_later = |list: &[Server<'a>], first: Option<&Server<'a>>| {
            first
                .and_then(|server| find(list, server))
                .is_some_and(|index| index > 0)
        };
        let is_displaced = is_later(after, before.first()) || is_later(before, after.first());
        if !order.is_sorted() || is_displaced {
            let list = |servers: &[Server<'a>]| -> Value {
                servers.iter().map(|server| server.url).collect()
            };
            let pointer = after.first().map_or("/servers", |server| {
                server.node.pointer.trim_end_matches("/0")
            });
            let subject = if operation.is_empty() {
                "servers"
            } else {
                operation
            };
            let location = at(operation, subject, pointer);
            self.add(
                &format!("{prefix}s-reordered"),
                location,
                list(before),
                list(after),
            );
        }
        // A duplicate has no effect.
        if reported == self.findings.added() && before.len() != after.len() {
            let pointer = after.first().map_or("/servers", |server| {
                server.node.pointer.trim_end_matches("/0")
            });
            let location = at(operation, "servers", pointer);
            let [old, new] = [before, after].map(|list| json!(list.len()));
            self.add("document-rewritten", location, old, new);
        }
    }
}

fn effective<'a>(servers: &Node<'a>) -> Vec<Server<'a>> {
    let list = listed(servers.value, &servers.pointer);
    if list.is_empty() {
        return vec![Server {
            url: HERE,
            node: Node {
                pointer: servers.pointer.clone(),
                value: &Value::Null,
            },
        }];
    }
    list
}

fn listed<'a>(servers: &'a Value, at: &str) -> Vec<Server<'a>> {
    crate::document::entries(servers)
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let url = value["url"].as_str().unwrap_or_default();
            let bare = url.trim_end_matches('/');
            Server {
                url: if bare.is_empty() { HERE } else { bare },
                node: Node {
                    pointer: format!("{at}/{index}"),
                    value,
                },
            }
        })
        .collect()
}
