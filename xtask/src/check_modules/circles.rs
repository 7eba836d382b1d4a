//! Finds the circles in a graph of modules.

use petgraph::algo::{astar, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};

use super::resolve::Use;

/// Modules that all reach each other.
pub(super) struct Group {
    /// Their indices, in order.
    pub(super) modules: Vec<usize>,
    /// A shortest circle among them.
    pub(super) circle: Vec<Use>,
}

/// Every group of more than one module, out of `modules` modules.
pub(super) fn find(modules: usize, uses: Vec<Use>) -> Vec<Group> {
    let mut graph = DiGraph::<(), Use>::new();
    for _ in 0..modules {
        graph.add_node(());
    }
    for each in uses {
        let (from, to) = (NodeIndex::new(each.from), NodeIndex::new(each.to));
        // The first use stands for all.
        if graph.find_edge(from, to).is_none() {
            graph.add_edge(from, to, each);
        }
    }
    let mut groups: Vec<Group> = tarjan_scc(&graph)
        .into_iter()
        .filter(|group| group.len() > 1)
        .map(|mut group| {
            group.sort_unstable();
            Group {
                circle: shortest_circle(&graph, &group),
                modules: group.into_iter().map(NodeIndex::index).collect(),
            }
        })
        .collect();
    groups.sort_by_key(|group| group.modules.first().copied());
    groups
}

fn shortest_circle(graph: &DiGraph<(), Use>, group: &[NodeIndex]) -> Vec<Use> {
    let nodes = group
        .iter()
        .flat_map(|&node| graph.neighbors(node).map(move |next| (node, next)))
        .filter_map(|(node, next)| {
            // Ends at `node`, so the first edge closes the circle.
            let back = astar(graph, next, |at| at == node, |_| 1, |_| 0)?;
            Some(back.1)
        })
        .min_by_key(Vec::len)
        .unwrap_or_default();
    nodes
        .iter()
        .zip(nodes.iter().cycle().skip(1))
        .filter_map(|(&from, &to)| graph.find_edge(from, to))
        .map(|edge| graph[edge].clone())
        .collect()
}
