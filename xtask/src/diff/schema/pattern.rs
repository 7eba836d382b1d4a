//! Decides whether everything that matches one pattern matches another one.

use std::collections::HashSet;

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;

/// A larger automaton is not built.
const LARGEST: usize = 1 << 20;
/// Nor are more pairs of states searched.
const MOST_STATES: usize = 20_000;

/// Returns what a change of a pattern does to the set of matching texts.
pub(super) fn change(old: &str, new: &str) -> &'static str {
    let (Some(old), Some(new)) = (automaton(old), automaton(new)) else {
        return "pattern-changed";
    };
    match (is_within(&old, &new), is_within(&new, &old)) {
        (Some(true), Some(true)) => "pattern-rewritten",
        (Some(true), _) => "pattern-widened",
        (_, Some(true)) => "pattern-narrowed",
        _ => "pattern-changed",
    }
}

/// Returns the automaton of a pattern, or `None` if the pattern is not supported or too large.
fn automaton(pattern: &str) -> Option<dense::DFA<Vec<u32>>> {
    let limits = dense::Config::new()
        .dfa_size_limit(Some(LARGEST))
        .determinize_size_limit(Some(LARGEST));
    let compiled = thompson::Config::new().nfa_size_limit(Some(LARGEST));
    dense::Builder::new()
        .configure(limits)
        .thompson(compiled)
        .build(pattern)
        .ok()
}

/// The state after reading a text, and whether a match occurred before.
type Read = (StateID, bool);

/// Reports whether every text that matches one also matches the other, or `None` if the search is too long.
fn is_within(inner: &dense::DFA<Vec<u32>>, outer: &dense::DFA<Vec<u32>>) -> Option<bool> {
    let begin = |automaton: &dense::DFA<Vec<u32>>| {
        let start = start::Config::new().anchored(Anchored::No);
        automaton
            .start_state(&start)
            .ok()
            .map(|state| (state, false))
    };
    let first = (begin(inner)?, begin(outer)?);
    let mut seen: HashSet<(Read, Read)> = HashSet::from([first]);
    let mut open = vec![first];
    while let Some((one, other)) = open.pop() {
        if ends_in_match(inner, one) && !ends_in_match(outer, other) {
            return Some(false);
        }
        for byte in 0..=u8::MAX {
            let next = (read(inner, one, byte), read(outer, other, byte));
            // No continuation can match only the inner pattern.
            let is_settled = next.1.1 || (!next.0.1 && inner.is_dead_state(next.0.0));
            if !is_settled && seen.insert(next) {
                if seen.len() > MOST_STATES {
                    return None;
                }
                open.push(next);
            }
        }
    }
    Some(true)
}

fn read(automaton: &dense::DFA<Vec<u32>>, (state, matched): Read, byte: u8) -> Read {
    if matched {
        return (state, true);
    }
    let next = automaton.next_state(state, byte);
    (next, automaton.is_match_state(next))
}

fn ends_in_match(automaton: &dense::DFA<Vec<u32>>, (state, matched): Read) -> bool {
    matched || automaton.is_match_state(automaton.next_eoi_state(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_compared_by_what_they_match() {
        for (old, new, expected) in [
            ("^(a|b)$", "^(a|b|c)$", "pattern-widened"),
            ("^(a|b|c)$", "^(a|b)$", "pattern-narrowed"),
            ("^a{2,3}$", "^a+$", "pattern-widened"),
            ("^a$", "a", "pattern-widened"),
            ("a", "^a", "pattern-narrowed"),
            ("^a", "^ab?", "pattern-rewritten"),
            ("^[0-9]$", "^[0123456789]$", "pattern-rewritten"),
            ("^[a-f]$", "^[b-g]$", "pattern-changed"),
            ("", "a", "pattern-narrowed"),
            ("^ä$", "^[äö]$", "pattern-widened"),
            ("\\bab\\b", "ab", "pattern-changed"),
            ("(?=a)", "(?=b)", "pattern-changed"),
            ("^(.{1,500}){1,500}$", "^a$", "pattern-changed"),
        ] {
            assert_eq!(change(old, new), expected, "{old} -> {new}");
        }
    }
}
