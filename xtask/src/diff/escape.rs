//! Escapes text of a contract in a report, so that it has no effect but to be read.

use std::fmt::Write as _;

/// Removes what moves the cursor, changes colours, or reverses the text direction.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => plain.push_str("\\n"),
            '\r' => plain.push_str("\\r"),
            '\t' => plain.push_str("\\t"),
            _ if letter.is_control() || is_invisible(letter) => {
                let _ = write!(plain, "\\u{{{:x}}}", u32::from(letter));
            }
            _ => plain.push(letter),
        }
    }
    plain
}

/// Escapes a value between backticks, so that it cannot end the quotation.
pub(super) fn quoted(text: &str) -> String {
    plain(text).replace('`', "'")
}

/// Escapes markdown: code between backticks stays, the rest cannot be markup, a link or a mention.
pub(super) fn markdown(text: &str) -> String {
    let text = plain(text);
    let mut escaped = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            escaped.push('`');
        }
        if index % 2 == 1 {
            escaped.push_str(part);
        } else {
            outside_code(part, &mut escaped);
        }
    }
    if text.matches('`').count() % 2 == 1 {
        escaped.push('`');
    }
    escaped
}

fn outside_code(text: &str, escaped: &mut String) {
    let letters: Vec<char> = text.chars().collect();
    for (index, &letter) in letters.iter().enumerate() {
        let next = letters.get(index + 1);
        let is_word = |at: Option<usize>| {
            at.and_then(|at| letters.get(at))
                .is_some_and(|letter| letter.is_alphanumeric())
        };
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            '#' => escaped.push_str("&#35;"),
            // Inside a word it is not emphasis, and most names contain one.
            '_' if is_word(index.checked_sub(1)) && is_word(Some(index + 1)) => escaped.push('_'),
            // `[]` in the name of a list item.
            '[' if next == Some(&']') && letters.get(index + 2) != Some(&'(') => escaped.push('['),
            '\\' | '*' | '_' | '[' | '~' | '|' | '$' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
    }
}

/// Reports whether a character is an invisible mark of direction or width.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_removed() {
        for (text, shown) in [
            ("create_thing", "create_thing"),
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("a\u{9b}31mb", "a\\u{9b}31mb"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("a\u{7}\u{8}\u{7f}", "a\\u{7}\\u{8}\\u{7f}"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{200b}b\u{2028}c", "a\\u{200b}b\\u{2028}c"),
            ("Größe 東京 🚀", "Größe 東京 🚀"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn markdown_in_a_contract_is_escaped() {
        for (text, escaped) in [
            ("list_things (GET /a/{b_c})", "list_things (GET /a/{b_c})"),
            ("Thing.parts[]: `a_b*`", "Thing.parts[]: `a_b*`"),
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("@everyone #12", "&#64;everyone &#35;12"),
            ("*a* _b_ ~c~ $d$", "\\*a\\* \\_b\\_ \\~c\\~ \\$d\\$"),
            ("[a](b) [](c)", "\\[a](b) \\[](c)"),
            ("a|b", "a\\|b"),
            ("a\n\n# b", "a\\\\n\\\\n&#35; b"),
            ("&lt;", "&amp;lt;"),
            ("open ` end", "open ` end`"),
        ] {
            assert_eq!(markdown(text), escaped);
        }
    }
}
