//! Finds circles in a graph of modules.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::resolve::Use;

/// Modules that all reach each other.
pub(super) struct Group {
    /// Their indices, in order.
    pub(super) modules: Vec<usize>,
    /// A shortest circle among them.
    pub(super) circle: Vec<Use>,
}

/// Returns every group of more than one module, out of `modules` modules.
pub(super) fn find(modules: usize, uses: &[Use]) -> Vec<Group> {
    let mut uses_of = vec![Vec::new(); modules];
    for each in uses {
        uses_of[each.from].push(each);
    }
    let reached: Vec<Reached<'_>> = (0..modules).map(|from| reach(&uses_of, from)).collect();

    let mut groups = Vec::new();
    for module in 0..modules {
        let group: Vec<usize> = reached[module]
            .keys()
            .copied()
            .filter(|&other| reached[other].contains_key(&module))
            .collect();
        // Every module of a group finds the same group: report it once.
        if group.first() == Some(&module) {
            let circle = group
                .iter()
                .map(|&member| circle_through(member, &reached[member]))
                .min_by_key(Vec::len)
                .unwrap_or_default();
            groups.push(Group {
                modules: group,
                circle,
            });
        }
    }
    groups
}

/// The modules that one module reaches, each with the last use on a shortest path.
type Reached<'a> = BTreeMap<usize, &'a Use>;

/// Searches breadth first. The module itself is reached if it is in a circle.
fn reach<'a>(uses_of: &[Vec<&'a Use>], from: usize) -> Reached<'a> {
    let mut reached = Reached::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(module) = waiting.pop_front() {
        for &each in &uses_of[module] {
            if let Entry::Vacant(entry) = reached.entry(each.to) {
                entry.insert(each);
                waiting.push_back(each.to);
            }
        }
    }
    reached
}

/// Walks back from a module in a circle until it reaches it again.
fn circle_through(module: usize, reached: &Reached<'_>) -> Vec<Use> {
    let mut circle = Vec::new();
    let mut at = module;
    while let Some(&last) = reached.get(&at) {
        circle.push(last.clone());
        at = last.from;
        if at == module {
            break;
        }
    }
    circle.reverse();
    circle
}
