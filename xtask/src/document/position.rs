//! Finds the line and column of a node in the text of a document.

use anyhow::{Context as _, Result};
use jsonc_parser::ast::Value as Json;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::text::{is_json, without_mark};

/// A line and column of a text, both starting at 1.
///
/// Columns count characters, as compilers do, not bytes or UTF-16 units. A byte order mark does not count. GitHub does not
/// document its unit, and shows only the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Returns the positions of the nodes of these JSON pointers: an entry of an object at its key, another node at its start.
///
/// A pointer that goes beyond the document gets the position of the deepest node that exists.
///
/// # Errors
///
/// If the text is neither JSON nor YAML.
pub fn positions(text: &str, pointers: &[&str]) -> Result<Vec<Position>> {
    let text = without_mark(text);
    let segments = pointers.iter().map(|pointer| super::segments(pointer));
    if !is_json(text) {
        let tree: Spanned<Tree> = serde_saphyr::from_str(text).context("invalid YAML")?;
        return Ok(segments.map(|path| in_yaml(&tree, &path)).collect());
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default())
        .context("invalid JSON")?;
    let root = parsed.value.context("invalid JSON: expected a value")?;
    let offsets: Vec<usize> = segments.map(|path| in_json(&root, &path)).collect();
    Ok(from_offsets(text, &offsets))
}

/// Returns the byte offset of a node.
fn in_json(root: &Json, path: &[String]) -> usize {
    let mut node = root;
    let mut offset = root.range().start;
    for segment in path {
        let next = match node {
            // The last one of duplicate keys counts.
            Json::Object(object) => object
                .properties
                .iter()
                .rfind(|property| property.name.as_str() == segment)
                .map(|property| (property.range().start, &property.value)),
            Json::Array(array) => segment
                .parse()
                .ok()
                .and_then(|index: usize| array.elements.get(index))
                .map(|entry| (entry.range().start, entry)),
            _ => None,
        };
        let Some(next) = next else { break };
        (offset, node) = next;
    }
    offset
}

/// Converts offsets to lines and columns in one pass, because the text may be one line of many megabytes.
fn from_offsets(text: &str, offsets: &[usize]) -> Vec<Position> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|&index| offsets[index]);
    let mut found = vec![Position { line: 1, column: 1 }; offsets.len()];
    let (mut at, mut here) = (0, Position { line: 1, column: 1 });
    for index in order {
        for c in text[at..offsets[index]].chars() {
            if c == '\n' {
                here.line += 1;
                here.column = 1;
            } else {
                here.column += 1;
            }
        }
        at = offsets[index];
        found[index] = here;
    }
    found
}

/// A node of a YAML document, with the positions of its children.
enum Tree {
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
    List(Vec<Spanned<Tree>>),
    Scalar,
}

fn in_yaml(root: &Spanned<Tree>, path: &[String]) -> Position {
    let mut node = &root.value;
    let mut location = root.referenced;
    for segment in path {
        let next = match node {
            Tree::Map(entries) => entries
                .iter()
                .find(|(key, _)| key.value == *segment)
                .map(|(key, value)| (key.referenced, &value.value)),
            Tree::List(entries) => segment
                .parse()
                .ok()
                .and_then(|index: usize| entries.get(index))
                .map(|entry| (entry.referenced, &entry.value)),
            Tree::Scalar => None,
        };
        let Some(next) = next else { break };
        (location, node) = next;
    }
    from_location(location)
}

fn from_location(location: Location) -> Position {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).max(1);
    Position {
        line: number(location.line()),
        column: number(location.column()),
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a node of a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Tree::List(entries))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_none<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn places(text: &str, expected: &[(&str, usize, usize)]) {
        let pointers: Vec<&str> = expected.iter().map(|(pointer, ..)| *pointer).collect();
        let found: Vec<_> = positions(text, &pointers)
            .unwrap()
            .into_iter()
            .zip(&pointers)
            .map(|(at, pointer)| (*pointer, at.line, at.column))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn json_keys_and_entries_have_positions() {
        places(
            "{\n  \"a\": {\n    \"b\": [1,\n      {\"c\": 2}]\n  },\n  \"d\":\n    3\n}",
            &[
                ("/d", 6, 3),
                ("", 1, 1),
                ("/a", 2, 3),
                ("/a/b", 3, 5),
                ("/a/b/0", 3, 11),
                ("/a/b/1", 4, 7),
                ("/a/b/1/c", 4, 8),
            ],
        );
    }

    #[test]
    fn yaml_keys_and_entries_have_positions() {
        places(
            "# text\na:\n  b: [1, {c: 2}]\n  200:\n    - x\n    - d: |\n        more\n      e: 1\n",
            &[
                ("/a", 2, 1),
                ("/a/b", 3, 3),
                ("/a/b/0", 3, 7),
                ("/a/b/1/c", 3, 11),
                ("/a/200", 4, 3),
                ("/a/200/0", 5, 7),
                ("/a/200/1/e", 8, 7),
            ],
        );
        places(
            "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 1.5\n  f: ~\n",
            &[("/c", 3, 1), ("/d/e", 6, 3), ("/d/f", 7, 3)],
        );
    }

    #[test]
    fn carriage_returns_and_bom_do_not_shift_positions() {
        places(
            "\u{feff}{\"a\": 1,\r\n\"b\": 2,\r\n\t\"c\": 3}\r\n",
            &[("/a", 1, 2), ("/b", 2, 1), ("/c", 3, 2)],
        );
        places(
            "\u{feff}a: 1\r\nb:\r\n  c: 2\r\n",
            &[("/a", 1, 1), ("/b/c", 3, 3)],
        );
        // YAML would reject a key as long as this.
        let key = "k".repeat(2000);
        let text = format!("\u{feff}{{\"{key}\": 1,\n \"b\": 2}}");
        places(&text, &[("/b", 2, 2)]);
    }

    #[test]
    fn columns_count_characters() {
        places("{\"ä😀\": {\"é\": 1, \"b\": 2}}", &[("/ä😀/b", 1, 17)]);
        places("ä😀: {é: 1, b: 2}", &[("/ä😀/b", 1, 12)]);
    }

    #[test]
    fn escaped_keys_are_found() {
        places(
            "{\"a\\/b\": 1, \"\\u0061~\": 2,\n \"\\ud83d\\ude00\": {\"x\": 3}}",
            &[("/a~1b", 1, 2), ("/a~0", 1, 13), ("/😀/x", 2, 19)],
        );
        places(
            "\"a/b\": 1\n\"\\x41~\": 2\n",
            &[("/a~1b", 1, 1), ("/A~0", 2, 1)],
        );
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        places("{\"a\": 1,\n\"a\": 2}", &[("/a", 2, 1)]);
    }

    #[test]
    fn missing_node_has_the_position_of_its_deepest_ancestor() {
        places(
            "{\"a\":\n [1]}",
            &[("/a/7", 1, 2), ("/a/0/b", 2, 3), ("/z", 1, 1)],
        );
        places("a:\n  - 1\n", &[("/a/7", 1, 1), ("/a/0/b", 2, 5)]);
    }
}
