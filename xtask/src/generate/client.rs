//! What is done to the generated client: its paths, headers and constructors.

use anyhow::{Result, ensure};
use quote::quote;
use serde_json::Value;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ImplItem, Item, Stmt, parse_quote};

use super::self_type;
use crate::normalise::operations;

/// Encodes path parameters with our own function, which leaves nothing but unreserved bytes alone.
pub(super) fn own_path_encoding(file: &mut syn::File, contract: &Value) -> Result<()> {
    let mut removed = 0;
    for item in &mut file.items {
        if let Item::Use(item) = item {
            removed += remove_use(&mut item.tree, "encode_path");
        }
    }
    ensure!(
        removed == 1,
        "progenitor imports encode_path {removed} times instead of once"
    );
    let after_uses = file
        .items
        .iter()
        .take_while(|item| matches!(item, Item::Use(_)))
        .count();
    file.items.insert(
        after_uses,
        parse_quote!(
            use crate::path::encode_path;
        ),
    );

    let mut pass = EncodeCalls::default();
    pass.visit_file_mut(file);
    let expected: usize = operations(contract)
        .iter()
        .map(|operation| operation.path.matches('{').count())
        .sum();
    ensure!(
        pass.calls == expected,
        "{} of {expected} path parameters are encoded",
        pass.calls
    );
    Ok(())
}

pub(super) fn remove_use(tree: &mut syn::UseTree, name: &str) -> usize {
    match tree {
        syn::UseTree::Path(path) => remove_use(&mut path.tree, name),
        syn::UseTree::Group(group) => {
            let before = group.items.len();
            let kept = std::mem::take(&mut group.items)
                .into_iter()
                .filter(|item| !matches!(item, syn::UseTree::Name(item) if item.ident == name));
            group.items = kept.collect();
            before - group.items.len()
        }
        _ => 0,
    }
}

/// `encode_path(&id.to_string())` becomes `encode_path(id)`: it writes straight into the URL.
#[derive(Default)]
struct EncodeCalls {
    calls: usize,
}

impl VisitMut for EncodeCalls {
    // A macro holds tokens; `format!` holds the calls.
    fn visit_macro_mut(&mut self, node: &mut syn::Macro) {
        if node.path.is_ident("format")
            && let Ok(mut arguments) =
                node.parse_body_with(Punctuated::<Expr, syn::Token![,]>::parse_terminated)
        {
            for argument in &mut arguments {
                self.visit_expr_mut(argument);
            }
            node.tokens = quote!(#arguments);
        }
        visit_mut::visit_macro_mut(self, node);
    }

    fn visit_expr_call_mut(&mut self, node: &mut syn::ExprCall) {
        if matches!(&*node.func, Expr::Path(path) if path.path.is_ident("encode_path")) {
            self.calls += 1;
            if let Some(Expr::Reference(reference)) = node.args.first_mut()
                && let Expr::MethodCall(call) = &*reference.expr
                && call.method == "to_string"
            {
                let receiver = (*call.receiver).clone();
                node.args = std::iter::once(receiver).collect();
            }
        }
        visit_mut::visit_expr_call_mut(self, node);
    }
}

/// Appends paths to an address that was parsed once: `format!("{}/x", self.baseurl)` becomes
/// `self.baseurl.join(format_args!("/x"))?`.
pub(super) fn parsed_base(file: &mut syn::File, contract: &Value) -> Result<()> {
    let mut pass = ParsedBase::default();
    pass.visit_file_mut(file);
    let expected = operations(contract).len();
    ensure!(
        pass.urls == expected,
        "{} of {expected} URLs are made from the parsed address",
        pass.urls
    );
    ensure!(
        (pass.fields, pass.constructors) == (1, 1),
        "the address is kept in {} fields and set by {} constructors, instead of one each",
        pass.fields,
        pass.constructors
    );
    Ok(())
}

#[derive(Default)]
struct ParsedBase {
    urls: usize,
    fields: usize,
    constructors: usize,
}

impl VisitMut for ParsedBase {
    fn visit_field_mut(&mut self, field: &mut syn::Field) {
        if field.ident.as_ref().is_some_and(|name| name == "baseurl") {
            self.fields += 1;
            field.ty = parse_quote!(crate::base::Base);
        }
    }

    fn visit_field_value_mut(&mut self, value: &mut syn::FieldValue) {
        if matches!(&value.member, syn::Member::Named(name) if name == "baseurl") {
            self.constructors += 1;
            value.expr = parse_quote!(crate::base::Base::new(baseurl));
        }
    }

    fn visit_expr_mut(&mut self, node: &mut Expr) {
        if let Some((template, arguments)) = appended_to_base(node) {
            self.urls += 1;
            *node = parse_quote!(
                self.baseurl
                    .join(format_args!(#template, #(#arguments),*))?
            );
        }
        visit_mut::visit_expr_mut(self, node);
    }
}

/// The template and the arguments of `format!("{}…", self.baseurl, …)`, without the address.
fn appended_to_base(node: &Expr) -> Option<(syn::LitStr, Vec<Expr>)> {
    let Expr::Macro(node) = node else { return None };
    if !node.mac.path.is_ident("format") {
        return None;
    }
    let parts = Punctuated::<Expr, syn::Token![,]>::parse_terminated;
    let mut parts = node.mac.parse_body_with(parts).ok()?.into_iter();
    let Some(Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(template),
        ..
    })) = parts.next()
    else {
        return None;
    };
    let base = parts.next()?;
    if quote!(#base).to_string() != "self . baseurl" {
        return None;
    }
    let rest = template.value().strip_prefix("{}")?.to_owned();
    Some((syn::LitStr::new(&rest, template.span()), parts.collect()))
}

/// The server knows no `api-version` header: no map is built for it.
pub(super) fn no_version_header(file: &mut syn::File, contract: &Value) -> Result<()> {
    let mut pass = VersionHeader::default();
    pass.visit_file_mut(file);
    let expected = operations(contract).len();
    ensure!(
        pass.removed == expected,
        "the api-version header was removed from {} of {expected} calls",
        pass.removed
    );
    Ok(())
}

#[derive(Default)]
struct VersionHeader {
    removed: usize,
}

impl VisitMut for VersionHeader {
    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        let before = block.stmts.len();
        block.stmts.retain(|statement| {
            let text = quote!(#statement).to_string();
            !(text.starts_with("header_map . append") && text.contains("\"api-version\""))
        });
        self.removed += before - block.stmts.len();
        let fills = |statement: &Stmt| {
            let text = quote!(#statement).to_string();
            text.contains("header_map")
                && !text.starts_with("let mut header_map")
                && !text.contains(". headers (header_map)")
        };
        // Without a header parameter, the map stays empty: leave it out.
        if before != block.stmts.len() && !block.stmts.iter().any(fills) {
            block.stmts.retain(|statement| {
                !quote!(#statement)
                    .to_string()
                    .starts_with("let mut header_map")
            });
            for statement in &mut block.stmts {
                DropHeaders.visit_stmt_mut(statement);
            }
        }
        visit_mut::visit_block_mut(self, block);
    }
}

/// `request.headers(header_map)` becomes `request`.
struct DropHeaders;

impl VisitMut for DropHeaders {
    fn visit_expr_mut(&mut self, node: &mut Expr) {
        visit_mut::visit_expr_mut(self, node);
        if let Expr::MethodCall(call) = node
            && call.method == "headers"
            && call.args.len() == 1
        {
            *node = (*call.receiver).clone();
        }
    }
}

/// Leaves the constructor that takes an HTTP client; the other one builds its own, and panics where it cannot.
pub(super) fn one_constructor(file: &mut syn::File) -> Result<()> {
    let mut removed = 0;
    for item in &mut file.items {
        let Item::Impl(item) = item else { continue };
        if item.trait_.is_none() && self_type(&item.self_ty) == "Client" {
            let before = item.items.len();
            item.items.retain(
                |item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"),
            );
            removed += before - item.items.len();
        }
    }
    ensure!(
        removed == 1,
        "progenitor wrote {removed} constructors `new` instead of one"
    );
    // Nothing is gained by a module that re-exports one name.
    let before = file.items.len();
    file.items
        .retain(|item| !matches!(item, Item::Mod(module) if module.ident == "prelude"));
    ensure!(
        before == file.items.len() + 1,
        "progenitor wrote no module `prelude` to remove"
    );
    Ok(())
}
