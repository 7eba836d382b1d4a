//! Collects the imports of a module, and the paths that its code names.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, Token, UseTree, Visibility};

/// A path as written, without generic arguments.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    /// Whether it names a macro that is called.
    pub(super) macro_call: bool,
}

/// One name that a `use` declaration imports, or all names of a module.
#[derive(Debug, Clone)]
pub(super) struct Import {
    /// `None` for `*`.
    pub(super) name: Option<String>,
    pub(super) path: Mention,
    /// Whether it is a `pub use`, with or without a restriction.
    pub(super) exported: bool,
}

/// The paths in the code of one module.
#[derive(Debug, Default)]
pub(super) struct Paths {
    pub(super) imports: Vec<Import>,
    pub(super) mentions: Vec<Mention>,
    /// Names of the variables of the current function.
    variables: HashSet<String>,
}

impl Paths {
    /// Adds the paths of an item. A module inside it counts as another module.
    pub(super) fn add(&mut self, item: &Item) {
        self.visit_item(item);
    }

    fn mention(&mut self, mention: Mention) {
        if let [name] = mention.segments.as_slice()
            && self.variables.contains(name)
        {
            return;
        }
        self.mentions.push(mention);
    }

    fn function(
        &mut self,
        attrs: &[Attribute],
        variables: Variables,
        visit: impl FnOnce(&mut Self),
    ) {
        if is_for_tests(attrs) {
            return;
        }
        let outer = self.variables.clone();
        self.variables.extend(variables.0);
        visit(self);
        self.variables = outer;
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String], exported: bool) {
        let (name, ident) = match tree {
            UseTree::Path(path) => {
                let mut prefix = prefix.to_vec();
                prefix.push(path.ident.unraw().to_string());
                return self.import(&path.tree, &prefix, exported);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, exported);
                }
                return;
            }
            UseTree::Glob(glob) => {
                self.imports.push(Import {
                    name: None,
                    path: Mention {
                        segments: prefix.to_vec(),
                        line: glob.star_token.spans[0].start().line,
                        macro_call: false,
                    },
                    exported,
                });
                return;
            }
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(rename) => (&rename.rename, &rename.ident),
        };
        let mut segments = prefix.to_vec();
        // `use a::{self}` imports `a`.
        if ident != "self" || segments.is_empty() {
            segments.push(ident.unraw().to_string());
        }
        let name = if name == "self" {
            segments.last().cloned()
        } else {
            Some(name.unraw().to_string())
        };
        self.imports.push(Import {
            name,
            path: Mention {
                segments,
                line: ident.span().start().line,
                macro_call: false,
            },
            exported,
        });
    }

    /// Reads the paths in tokens: all, or only those that start with `crate`, `self` or `super`.
    fn tokens(&mut self, tokens: TokenStream, which: Which) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            match tree {
                TokenTree::Group(group) => self.tokens(group.stream(), which),
                TokenTree::Ident(first) => {
                    let segments = path_at(&trees[at..]);
                    let after = at + 3 * (segments.len() - 1) + 1;
                    if is_path(&trees[..at], first, &segments, trees.get(after), which) {
                        self.mention(Mention {
                            segments,
                            line: first.span().start().line,
                            macro_call: is_punct(trees.get(after), '!'),
                        });
                    }
                    at = after;
                    continue;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }

    /// Attributes such as `#[serde(with = "crate::time")]` name paths in strings.
    fn strings(&mut self, tokens: TokenStream) {
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => self.strings(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                        && let Ok(path) = text.parse::<syn::Path>()
                        && path.leading_colon.is_none()
                        && path.segments.len() > 1
                    {
                        self.mention(Mention {
                            segments: segments(&path),
                            line: literal.span().start().line,
                            macro_call: false,
                        });
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            let exported = !matches!(item.vis, Visibility::Inherited);
            self.import(&item.tree, &[], exported);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let mut variables = Variables::default();
        variables.visit_item_fn(item);
        self.function(&item.attrs, variables, |paths| {
            visit::visit_item_fn(paths, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let mut variables = Variables::default();
        variables.visit_impl_item_fn(item);
        self.function(&item.attrs, variables, |paths| {
            visit::visit_impl_item_fn(paths, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let mut variables = Variables::default();
        variables.visit_trait_item_fn(item);
        self.function(&item.attrs, variables, |paths| {
            visit::visit_trait_item_fn(paths, item);
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.mention(Mention {
                segments: segments(path),
                line: line(path),
                macro_call: false,
            });
        }
        visit::visit_path(self, path);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.mac.path.is_ident("macro_rules") {
            self.tokens(item.mac.tokens.clone(), Which::Anchored);
        } else {
            self.visit_macro(&item.mac);
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if mac.path.leading_colon.is_none() {
            self.mention(Mention {
                segments: segments(&mac.path),
                line: line(&mac.path),
                macro_call: true,
            });
        }
        if !quotes(&mac.path) {
            self.tokens(mac.tokens.clone(), Which::All);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), Which::All);
            self.strings(list.tokens.clone());
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Only these paths have the same meaning in a macro's definition and where it is called.
    Anchored,
}

/// The variables of a function, whose names are not paths.
#[derive(Default)]
struct Variables(HashSet<String>);

impl<'ast> Visit<'ast> for Variables {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = pattern.ident.unraw().to_string();
        // Upper case is a constant or a variant of an enum.
        if !name.starts_with(char::is_uppercase) {
            self.0.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }
}

/// Reports whether attributes limit an item to tests.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<Meta>()
                .is_ok_and(|condition| requires_test(&condition))
    })
}

fn requires_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|conditions| conditions.iter().any(requires_test)),
        Meta::List(_) | Meta::NameValue(_) => false,
    }
}

/// Returns the attributes of an item.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(syn::ItemConst { attrs, .. })
        | Item::Enum(syn::ItemEnum { attrs, .. })
        | Item::ExternCrate(syn::ItemExternCrate { attrs, .. })
        | Item::Fn(syn::ItemFn { attrs, .. })
        | Item::ForeignMod(syn::ItemForeignMod { attrs, .. })
        | Item::Impl(syn::ItemImpl { attrs, .. })
        | Item::Macro(syn::ItemMacro { attrs, .. })
        | Item::Mod(syn::ItemMod { attrs, .. })
        | Item::Static(syn::ItemStatic { attrs, .. })
        | Item::Struct(syn::ItemStruct { attrs, .. })
        | Item::Trait(syn::ItemTrait { attrs, .. })
        | Item::TraitAlias(syn::ItemTraitAlias { attrs, .. })
        | Item::Type(syn::ItemType { attrs, .. })
        | Item::Union(syn::ItemUnion { attrs, .. })
        | Item::Use(syn::ItemUse { attrs, .. }) => attrs,
        _ => &[],
    }
}

/// Reports whether a macro contains code for another crate.
fn quotes(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| {
        ["quote", "quote_spanned", "parse_quote"]
            .iter()
            .any(|name| last.ident == name)
    })
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|segment| segment.ident.unraw().to_string())
        .collect()
}

fn line(path: &syn::Path) -> usize {
    path.segments
        .first()
        .map_or(0, |segment| segment.ident.span().start().line)
}

/// Returns the segments of the path that the tokens start with.
fn path_at(trees: &[TokenTree]) -> Vec<String> {
    let mut segments = Vec::new();
    let mut rest = trees;
    while let [TokenTree::Ident(ident), after @ ..] = rest {
        segments.push(ident.unraw().to_string());
        rest = match after {
            [one, two, next @ ..] if is_colons(one, two) => next,
            _ => break,
        };
    }
    segments
}

/// Reports whether an identifier among tokens starts a path, judging by the tokens around it.
fn is_path(
    before: &[TokenTree],
    first: &Ident,
    segments: &[String],
    after: Option<&TokenTree>,
    which: Which,
) -> bool {
    let anchored = first == "crate" || first == "self" || first == "super";
    if which == Which::Anchored && !anchored {
        return false;
    }
    let stands_alone = match before {
        // The end of a path that starts elsewhere, or a path into another crate.
        [.., one, two] if is_colons(one, two) => false,
        // A range, or the base of a struct.
        [.., one, two] if is_punct(Some(one), '.') && is_punct(Some(two), '.') => true,
        // A field or method, or a lifetime.
        [.., one] if is_punct(Some(one), '.') || is_punct(Some(one), '\'') => false,
        // A variable of the macro, unless it is `$crate`.
        [.., one] if is_punct(Some(one), '$') => first == "crate",
        _ => true,
    };
    // A single lower-case name is more often a variable or a field than a function.
    let named = segments.len() > 1
        || first.to_string().starts_with(char::is_uppercase)
        || is_punct(after, '!')
        || matches!(after, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    stands_alone && named
}

fn is_colons(one: &TokenTree, two: &TokenTree) -> bool {
    matches!(one, TokenTree::Punct(one) if one.as_char() == ':' && one.spacing() == Spacing::Joint)
        && is_punct(Some(two), ':')
}

fn is_punct(tree: Option<&TokenTree>, expected: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}
