//! Finds the module that defines what a path names.

use std::collections::{BTreeSet, HashSet};

use super::paths::Mention;
use super::source::Module;

/// A module whose code names an item of another.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) line: usize,
    /// The path as written.
    pub(super) import: String,
}

/// Returns every use among the modules of a crate, grouped by module, imports first.
pub(super) fn uses(modules: &[Module]) -> Vec<Use> {
    let resolver = Resolver { modules };
    let mut uses = Vec::new();
    for (from, module) in modules.iter().enumerate() {
        let mut add = |mention: &Mention, import: String| {
            for found in resolver.mention(from, mention) {
                if let Found::Item(to) = found
                    && to != from
                {
                    uses.push(Use {
                        from,
                        to,
                        line: mention.line,
                        import: import.clone(),
                    });
                }
            }
        };
        for import in module
            .paths
            .imports
            .iter()
            .filter(|import| !import.exported)
        {
            let mut path = import.path.segments.join("::");
            if import.name.is_none() {
                path.push_str("::*");
            }
            add(&import.path, format!("use {path}"));
        }
        for mention in &module.paths.mentions {
            add(mention, mention.segments.join("::"));
        }
    }
    uses
}

/// What a path may refer to. A module and a function can have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Module(usize),
    /// An item, by the module that defines it.
    Item(usize),
    /// Something in another crate, or part of the language.
    Elsewhere,
}

struct Resolver<'a> {
    modules: &'a [Module],
}

/// The names that are being looked up, because re-exports may be circular.
type Seen = HashSet<(usize, String)>;

impl Resolver<'_> {
    fn mention(&self, at: usize, mention: &Mention) -> BTreeSet<Found> {
        let found = self.path(at, &mention.segments, &mut Seen::new());
        match mention.segments.as_slice() {
            [name] if mention.macro_call && found.contains(&Found::Elsewhere) => self
                .macro_above(at, name)
                .map(Found::Item)
                .into_iter()
                .collect(),
            _ => found,
        }
    }

    /// Finds a macro in the parents of a module, whose macros are in scope as well.
    fn macro_above(&self, at: usize, name: &str) -> Option<usize> {
        let mut at = self.modules[at].parent;
        while let Some(module) = at {
            if self.modules[module].macros.contains(name) {
                return Some(module);
            }
            at = self.modules[module].parent;
        }
        None
    }

    /// Resolves a path in the code of module `at`.
    fn path(&self, at: usize, segments: &[String], seen: &mut Seen) -> BTreeSet<Found> {
        let Some((first, rest)) = segments.split_first() else {
            return BTreeSet::from([Found::Module(0)]);
        };
        let mut found = match first.as_str() {
            "crate" => BTreeSet::from([Found::Module(0)]),
            "self" => BTreeSet::from([Found::Module(at)]),
            "super" => self.parent(at),
            name => self.name(at, name, seen),
        };
        if found.is_empty() {
            found.insert(Found::Elsewhere);
        }
        for segment in rest {
            let modules: Vec<usize> = found
                .iter()
                .filter_map(|found| match found {
                    Found::Module(module) => Some(*module),
                    Found::Item(_) | Found::Elsewhere => None,
                })
                .collect();
            if modules.is_empty() {
                // A variant or an associated item.
                return found;
            }
            found = modules
                .into_iter()
                .flat_map(|module| self.member(module, segment, seen))
                .collect();
        }
        found
    }

    fn parent(&self, at: usize) -> BTreeSet<Found> {
        self.modules[at]
            .parent
            .map(Found::Module)
            .into_iter()
            .collect()
    }

    /// Resolves a segment after a module. If no item has the name, a macro defined it.
    fn member(&self, module: usize, segment: &str, seen: &mut Seen) -> BTreeSet<Found> {
        if segment == "super" {
            return self.parent(module);
        }
        let found = self.name(module, segment, seen);
        if !found.is_empty() {
            return found;
        }
        let defined = self.defined_by_macro(module, segment, &mut HashSet::new());
        BTreeSet::from([defined.unwrap_or(Found::Item(module))])
    }

    /// Resolves a name in a module: its own items come before named imports, and those before `*`.
    fn name(&self, at: usize, name: &str, seen: &mut Seen) -> BTreeSet<Found> {
        let module = &self.modules[at];
        let mut found: BTreeSet<Found> = module
            .children
            .iter()
            .filter(|(child, _)| child == name)
            .map(|(_, index)| Found::Module(*index))
            .collect();
        if module.items.contains(name) {
            found.insert(Found::Item(at));
        }
        if !seen.insert((at, name.to_owned())) {
            return found;
        }
        // Imports inside functions count as well: the compiler has checked that they are only used there.
        let imports = &module.paths.imports;
        for import in imports
            .iter()
            .filter(|import| import.name.as_deref() == Some(name))
        {
            found.extend(self.path(at, &import.path.segments, seen));
        }
        if found.is_empty() {
            for import in imports.iter().filter(|import| import.name.is_none()) {
                for source in self.path(at, &import.path.segments, seen) {
                    if let Found::Module(source) = source {
                        found.extend(self.name(source, name, seen));
                    }
                }
            }
        }
        seen.remove(&(at, name.to_owned()));
        found
    }

    /// Returns the module in which a macro call may have defined the name, among this one and its `*` imports.
    fn defined_by_macro(&self, at: usize, name: &str, seen: &mut HashSet<usize>) -> Option<Found> {
        let module = &self.modules[at];
        if module.macro_arguments.contains(name) {
            return Some(Found::Item(at));
        }
        if !seen.insert(at) {
            return None;
        }
        let globs = module
            .paths
            .imports
            .iter()
            .filter(|import| import.name.is_none());
        globs
            .flat_map(|import| self.path(at, &import.path.segments, &mut Seen::new()))
            .filter_map(|source| match source {
                Found::Module(source) => self.defined_by_macro(source, name, seen),
                // A variant of the enum, or an item of the other crate.
                Found::Item(_) | Found::Elsewhere => Some(source),
            })
            // A module of this crate comes before `Elsewhere`.
            .min()
    }
}
