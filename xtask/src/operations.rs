//! The operation table: what a client must know about a call besides its types.

use anyhow::{Context as _, Result, bail, ensure};
use heck::ToShoutySnakeCase as _;
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Value, json};
use syn::parse_quote;

use crate::document::{self, Operation, fields, is_success};
use crate::generate::{ident, print};

/// Generates the operation table from the contract, before that is prepared for progenitor.
pub fn generate(contract: &Value) -> Result<String> {
    let mut consts = TokenStream::new();
    let mut names = Vec::new();
    for operation in document::operations(contract) {
        let id = operation.id;
        let name = ident(&id.to_shouty_snake_case());
        let row = row(contract, operation)
            .with_context(|| format!("operation {}: {}", operation.id, operation.pointer()))?;
        consts.extend(quote! { #row });
        names.push(name);
    }
    let mut file: syn::File = parse_quote! {
        //! The operation table of the contract.

        use crate::operation::{Auth, Idempotency, Method, Operation, Provenance, Server};

        #consts

        /// Every operation, in the order of the contract.
        pub const ALL: &[&Operation] = &[#(&#names),*];

        /// The operation with this id.
        ///
        /// ```
        /// let operation = twipla_api::operations::find("delete_website").unwrap();
        /// assert_eq!(operation.to_string(), "DELETE /v2/3as/websites/{intpWebsiteId}");
        /// ```
        pub fn find(id: &str) -> Option<&'static Operation> {
            ALL.iter().copied().find(|operation| operation.id == id)
        }
    };
    Ok(print(&mut file))
}

fn row(contract: &Value, operation: Operation<'_>) -> Result<TokenStream> {
    let Operation {
        id,
        path,
        method,
        value,
        ..
    } = operation;
    let name = ident(&id.to_shouty_snake_case());
    let verb = method.to_uppercase();
    let summary = value["summary"].as_str().unwrap_or(id);
    let doc = format!("{}: `{verb} {path}`.", summary.trim_end_matches('.'));
    let tag = value["tags"]
        .get(0)
        .and_then(Value::as_str)
        .context("tags: expected at least one, the table groups by it")?;
    let variant = ident(match method {
        "get" => "Get",
        "put" => "Put",
        "post" => "Post",
        "delete" => "Delete",
        "head" => "Head",
        "patch" => "Patch",
        other => bail!("unsupported method {other}"),
    });
    let auth = ident(auth(contract, value)?);
    let idempotency = ident(idempotency(method, value)?);
    let server = ident(server(value)?);
    let provenance = ident(provenance(value)?);
    let secret_response = has_secret(contract, value)?;
    let statuses = statuses(value)?
        .into_iter()
        .map(proc_macro2::Literal::u16_unsuffixed);
    Ok(quote! {
        #[doc = #doc]
        pub const #name: Operation = Operation {
            id: #id,
            method: Method::#variant,
            path: #path,
            tag: #tag,
            summary: #summary,
            auth: Auth::#auth,
            idempotency: Idempotency::#idempotency,
            server: Server::#server,
            provenance: Provenance::#provenance,
            secret_response: #secret_response,
            success: &[#(#statuses),*],
        };
    })
}

fn auth(contract: &Value, operation: &Value) -> Result<&'static str> {
    let security = operation.get("security").unwrap_or(&contract["security"]);
    let Some(choices) = security.as_array().filter(|choices| !choices.is_empty()) else {
        return Ok("None");
    };
    ensure!(
        choices.len() == 1,
        "security: there are {} alternative schemes, the client supports one",
        choices.len()
    );
    let names: Vec<&str> = fields(&choices[0]).map(|(name, _)| name).collect();
    match names.as_slice() {
        [] => Ok("None"),
        ["partnerToken"] => Ok("PartnerToken"),
        ["apiKey"] => Ok("ApiKey"),
        other => {
            bail!(
                "security: the client does not support {other:?}: expected partnerToken or apiKey"
            )
        }
    }
}

/// Returns the idempotency of an operation: that of its method, unless the contract overrides it.
fn idempotency(method: &str, operation: &Value) -> Result<&'static str> {
    match operation.get("x-idempotency").map(Value::as_str) {
        None => Ok(match method {
            "get" | "head" => "Safe",
            "put" | "delete" => "Idempotent",
            _ => "NotIdempotent",
        }),
        Some(Some("safe")) => Ok("Safe"),
        Some(Some("idempotent")) => Ok("Idempotent"),
        Some(_) => bail!("x-idempotency: expected \"safe\" or \"idempotent\""),
    }
}

fn server(operation: &Value) -> Result<&'static str> {
    match (
        operation.get("x-server").and_then(Value::as_str),
        operation.get("servers"),
    ) {
        (Some("data"), Some(_)) => Ok("Data"),
        (None | Some("management"), None) => Ok("Management"),
        (Some("data"), None) => bail!(
            "x-server: the data host is named by `servers` of the operation, which is missing"
        ),
        (None, Some(_)) => bail!("servers: set `x-server` to the name of the host"),
        (Some(other), _) => {
            bail!("invalid x-server {other:?}: expected \"data\" or \"management\"")
        }
    }
}

fn provenance(operation: &Value) -> Result<&'static str> {
    let provenance = &operation["x-provenance"];
    ensure!(
        provenance["source"]
            .as_str()
            .is_some_and(|source| !source.is_empty()),
        "x-provenance is missing: state where the operation is known from, as {{\"basis\": \"documented\", \"source\": \"...\"}}"
    );
    match provenance["basis"].as_str() {
        Some("documented") => Ok("Documented"),
        Some("sdk") => Ok("Sdk"),
        Some("observed") => Ok("Observed"),
        Some("inferred") => Ok("Inferred"),
        other => {
            bail!(
                "invalid x-provenance/basis {other:?}: expected documented, sdk, observed or inferred"
            )
        }
    }
}

/// Returns the documented success statuses, in order.
fn statuses(operation: &Value) -> Result<Vec<u16>> {
    let mut statuses = Vec::new();
    for (status, _) in fields(&operation["responses"]) {
        if is_success(status) {
            statuses.push(
                status
                    .parse()
                    .with_context(|| format!("responses/{status}: expected a single status"))?,
            );
        }
    }
    statuses.sort_unstable();
    Ok(statuses)
}

/// Reports whether a successful response has a field marked `x-secret`.
fn has_secret(contract: &Value, operation: &Value) -> Result<bool> {
    let mut open: Vec<&Value> = Vec::new();
    for (status, response) in fields(&operation["responses"]) {
        if is_success(status) {
            open.push(response);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    while let Some(node) = open.pop() {
        match node {
            Value::Object(fields) => {
                if fields.get("x-secret") == Some(&json!(true)) {
                    return Ok(true);
                }
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str)
                    && seen.insert(reference)
                {
                    open.push(document::resolve(contract, node)?);
                }
                open.extend(fields.values());
            }
            Value::Array(entries) => open.extend(entries),
            _ => {}
        }
    }
    Ok(false)
}
