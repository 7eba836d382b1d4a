//! Turns the methods that progenitor writes into functions that prepare requests.
//!
//! progenitor writes async methods that build a request, send it and decode its response. Everything before the first await
//! is independent of the server: it is read from the syntax tree and rewritten as one `RequestBuilder` call.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use heck::ToShoutySnakeCase as _;
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, FnArg, GenericArgument, ImplItem, ImplItemFn, Item, Lit, Pat, Type,
    parse_quote,
};

use super::syntax::{doc_text, ident, self_type};
use crate::document::{Operation, entries, operations, resolve};

/// Returns the file of functions, one for each operation of the contract.
pub(super) fn functions(client: &syn::File, contract: &Value) -> Result<syn::File> {
    let operations: BTreeMap<&str, Operation<'_>> = operations(contract)
        .into_iter()
        .map(|operation| (operation.id, operation))
        .collect();
    let mut written = 0;
    let mut functions = TokenStream::new();
    for method in methods(client) {
        let id = method.sig.ident.to_string();
        let operation = operations.get(id.as_str()).with_context(|| {
            format!("progenitor wrote the method {id}, which is not an operation")
        })?;
        let function = function(method, contract, operation)
            .with_context(|| format!("operation {id}: {}", operation.pointer()))?;
        functions.extend(function);
        written += 1;
    }
    ensure!(
        written == operations.len(),
        "progenitor wrote {written} methods for {} operations",
        operations.len()
    );
    Ok(parse_quote! {
        //! A function for each operation of the contract, which prepares its request.

        use super::{operations, types};
        use crate::request::{InvalidRequest, PreparedRequest, RequestBuilder};

        #functions
    })
}

/// Returns the async methods of the client.
fn methods(client: &syn::File) -> impl Iterator<Item = &ImplItemFn> {
    client
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Impl(item) if item.trait_.is_none() && self_type(&item.self_ty) == "Client" => {
                Some(&item.items)
            }
            _ => None,
        })
        .flatten()
        .filter_map(|item| match item {
            ImplItem::Fn(method) if method.sig.asyncness.is_some() => Some(method),
            _ => None,
        })
}

fn function(
    method: &ImplItemFn,
    contract: &Value,
    operation: &Operation<'_>,
) -> Result<TokenStream> {
    let parameters = parameters(method)?;
    let response = response_type(method)?;
    let found = Found::in_method(method)?;
    found.check(contract, operation)?;

    let path = found.path.iter().map(|name| {
        let name = ident(name);
        quote!(&#name)
    });
    let optional = |name: &str| {
        parameters
            .iter()
            .any(|parameter| parameter.name == name && parameter.optional)
    };
    let value = |name: &str| {
        let value = ident(name);
        if optional(name) {
            quote!(#value)
        } else {
            quote!(Some(#value))
        }
    };
    let query = found.query.iter().map(|(wire, name)| {
        let value = value(name);
        quote!(.query(#wire, #value))
    });
    let headers = found.headers.iter().map(|(wire, name)| {
        let (wire, value) = (wire.to_ascii_lowercase(), value(name));
        quote!(.header(#wire, #value))
    });
    let json = found.json.then(|| quote!(.json(body)));

    let docs = docs(method, operation);
    let name = &method.sig.ident;
    let constant = ident(&operation.id.to_shouty_snake_case());
    let arguments = parameters.iter().map(|parameter| {
        let (name, of) = (ident(&parameter.name), &parameter.of);
        quote!(#name: #of)
    });
    Ok(quote! {
        #(#docs)*
        pub fn #name(#(#arguments),*) -> Result<PreparedRequest<#response>, InvalidRequest> {
            RequestBuilder::new(&operations::#constant, &[#(#path),*])
                #(#query)* #(#headers)* #json
                .build()
        }
    })
}

/// A parameter of a generated function.
struct Parameter {
    name: String,
    of: Type,
    optional: bool,
}

fn parameters(method: &ImplItemFn) -> Result<Vec<Parameter>> {
    let mut parameters = Vec::new();
    for argument in &method.sig.inputs {
        let FnArg::Typed(argument) = argument else {
            continue;
        };
        let Pat::Ident(name) = &*argument.pat else {
            bail!("progenitor wrote a parameter without a name");
        };
        let mut of = (*argument.ty).clone();
        WithoutLifetimes.visit_type_mut(&mut of);
        parameters.push(Parameter {
            name: name.ident.to_string(),
            optional: self_type(&of) == "Option",
            of,
        });
    }
    Ok(parameters)
}

struct WithoutLifetimes;

impl VisitMut for WithoutLifetimes {
    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        reference.lifetime = None;
        visit_mut::visit_type_reference_mut(self, reference);
    }
}

/// Returns `T` of `Result<ResponseValue<T>, _>`.
fn response_type(method: &ImplItemFn) -> Result<Type> {
    let syn::ReturnType::Type(_, returned) = &method.sig.output else {
        bail!("progenitor wrote a method that returns nothing");
    };
    let value = first_argument(returned, "Result").context("expected a Result")?;
    let of = first_argument(value, "ResponseValue").context("expected a ResponseValue")?;
    ensure!(
        self_type(of) != "ByteStream",
        "responses: the client cannot read a body that is not JSON"
    );
    Ok(of.clone())
}

fn first_argument<'a>(of: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = of else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    })
}

/// What a method adds to its request.
#[derive(Debug, Default)]
struct Found {
    /// Arguments in the order of the path template.
    path: Vec<String>,
    /// Names on the wire and arguments.
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    json: bool,
    /// `value` of `if let Some(value) = trace`, and `trace`.
    bound: Option<(String, String)>,
    /// Calls on the request that are not supported here.
    unknown: Vec<String>,
}

impl Found {
    fn in_method(method: &ImplItemFn) -> Result<Self> {
        let mut found = Self::default();
        found.visit_block(&method.block);
        ensure!(
            found.unknown.is_empty(),
            "progenitor builds the request with {:?}, which is not supported",
            found.unknown
        );
        Ok(found)
    }

    /// Compares with the contract, to make sure that nothing is left out.
    fn check(&self, contract: &Value, operation: &Operation<'_>) -> Result<()> {
        let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
        let own = entries(&operation.value["parameters"]);
        let mut seen = std::collections::BTreeSet::new();
        for parameter in own.iter().chain(operation.shared) {
            let parameter = resolve(contract, parameter)?;
            let place = parameter["in"].as_str().unwrap_or_default();
            if seen.insert((place, parameter["name"].as_str())) {
                *expected.entry(place).or_default() += 1;
            }
        }
        let body = usize::from(operation.value.get("requestBody").is_some());
        for (what, found, expected) in [
            (
                "path parameters",
                self.path.len(),
                operation.path.matches('{').count(),
            ),
            (
                "query parameters",
                self.query.len(),
                expected.get("query").copied().unwrap_or(0),
            ),
            (
                "header parameters",
                self.headers.len(),
                expected.get("header").copied().unwrap_or(0),
            ),
            ("bodies", usize::from(self.json), body),
        ] {
            ensure!(
                found == expected,
                "progenitor sends {found} {what} where the contract has {expected}"
            );
        }
        Ok(())
    }
}

impl<'ast> Visit<'ast> for Found {
    /// `format!("{}/x/{}", self.baseurl, encode_path(&id.to_string()))`
    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        if !node.path.is_ident("format") {
            return;
        }
        let parts = Punctuated::<Expr, syn::Token![,]>::parse_terminated;
        for argument in node.parse_body_with(parts).into_iter().flatten() {
            if let Expr::Call(call) = &argument
                && matches!(&*call.func, Expr::Path(path) if path.path.is_ident("encode_path"))
            {
                self.path.extend(call.args.first().and_then(variable));
            }
        }
    }

    /// `if let Some(value) = trace { header_map.append(...) }`
    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        self.bound = match &*node.cond {
            Expr::Let(bound) => match &*bound.pat {
                Pat::TupleStruct(some) => some.elems.first().and_then(|inner| match inner {
                    Pat::Ident(inner) => Some((inner.ident.to_string(), variable(&bound.expr)?)),
                    _ => None,
                }),
                _ => None,
            },
            _ => None,
        };
        visit::visit_expr_if(self, node);
        self.bound = None;
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        visit::visit_expr_method_call(self, node);
        let receiver = &node.receiver;
        let receiver = quote!(#receiver).to_string();
        if receiver == "header_map" {
            self.append_header(node);
        } else if receiver.starts_with("self . client .") {
            match node.method.to_string().as_str() {
                // `RequestBuilder` sets `Accept` and `Content-Type`.
                "header" | "headers" | "build" => {}
                "json" => self.json = true,
                "query" => self.append_query(node),
                other => self.unknown.push(other.to_owned()),
            }
        }
    }
}

impl Found {
    /// `header_map.append("X-Trace", trace.to_string().try_into()?)`
    fn append_header(&mut self, node: &syn::ExprMethodCall) {
        // `api-version` is added by progenitor and unknown to the server.
        let Some(wire) = node.args.first().and_then(text) else {
            return;
        };
        match (node.args.get(1).and_then(variable), &self.bound) {
            (Some(value), Some((inner, outer))) if value == *inner => {
                self.headers.push((wire, outer.clone()));
            }
            (Some(value), _) => self.headers.push((wire, value)),
            (None, _) => self.unknown.push(quote!(#node).to_string()),
        }
    }

    /// `.query(&progenitor_client::QueryParam::new("page", &page))`
    fn append_query(&mut self, node: &syn::ExprMethodCall) {
        let pair = node.args.first().and_then(|argument| match argument {
            Expr::Reference(reference) => match &*reference.expr {
                Expr::Call(call) => {
                    let wire = call.args.first().and_then(text)?;
                    Some((wire, call.args.get(1).and_then(variable)?))
                }
                _ => None,
            },
            _ => None,
        });
        match pair {
            Some(pair) => self.query.push(pair),
            None => self.unknown.push(quote!(#node).to_string()),
        }
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the variable that an expression is made of, as in `&id.to_string()`.
fn variable(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Reference(reference) => variable(&reference.expr),
        Expr::MethodCall(call) => variable(&call.receiver),
        Expr::Try(tried) => variable(&tried.expr),
        _ => None,
    }
}

/// Returns the docs that progenitor writes, without the parts that do not apply to a function that sends nothing.
fn docs(method: &ImplItemFn, operation: &Operation<'_>) -> Vec<Attribute> {
    let sent = format!(
        "Prepares `{} {}`.",
        operation.method.to_uppercase(),
        operation.path
    );
    method
        .attrs
        .iter()
        .filter_map(doc_text)
        .map(|doc| {
            let lines: Vec<&str> = doc
                .lines()
                .map(|line| {
                    if line.trim_start().starts_with("Sends a `") {
                        sent.as_str()
                    } else {
                        line
                    }
                })
                .collect();
            let doc = lines.join("\n");
            parse_quote!(#[doc = #doc])
        })
        .collect()
}
