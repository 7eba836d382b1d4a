//! Makes untrusted text safe to show: no secrets, and nothing that hides or
//! reorders the rest of a line.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Suffixes of field names with secret values, in lower case and without separators.
const SECRET_NAMES: [&str; 4] = ["secret", "apikey", "token", "password"];

/// Returns whether a field of this name holds a secret: `apiKey`, `api_key`, `refreshToken` and the like.
pub(crate) fn names_secret(name: &str) -> bool {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
    let name: String = letters.collect::<String>().to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.ends_with(secret))
}

/// Returns whether a character is invisible but changes what is shown: control characters,
/// those that change the direction of the text, and those without width.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns the text with secrets masked and invisible characters escaped.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let text = mask(text);
    if !text.contains(is_invisible) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "{}", c.escape_unicode());
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

/// Replaces the values of fields with secret names by `…`, in
/// JSON (also in a JSON string) and as `key=value`.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some((name, end)) = next_name(text, at) {
        at = end;
        if names_secret(name)
            && let Some(value) = value_after(text, end)
        {
            masked.push_str(&text[copied..value.start]);
            masked.push('…');
            (copied, at) = (value.end, value.end);
        }
    }
    if copied == 0 {
        return text.into();
    }
    masked.push_str(&text[copied..]);
    masked.into()
}

/// Returns the next run of letters, digits, `_` and `-`, and its end.
fn next_name(text: &str, from: usize) -> Option<(&str, usize)> {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let start = from + text[from..].find(in_name)?;
    let length = text[start..].find(|c| !in_name(c));
    let end = length.map_or(text.len(), |length| start + length);
    Some((&text[start..end], end))
}

/// Returns the range of the value of the name that ends here, if it has one.
fn value_after(text: &str, name_end: usize) -> Option<std::ops::Range<usize>> {
    let rest = &text[name_end..];
    let unquoted = rest.trim_start_matches(['"', '\'', '\\']);
    let is_quoted = unquoted.len() < rest.len();
    let rest = unquoted.trim_start();
    let is_assigned = rest.starts_with('=');
    let value = rest.strip_prefix(['=', ':'])?.trim_start();
    let bare = value.trim_start_matches('\\');
    let quote = bare.chars().next().filter(|c| matches!(c, '"' | '\''));
    // In "invalid token: expected a JWT", no value follows the word.
    if !is_assigned && !is_quoted && quote.is_none() {
        return None;
    }
    let start = text.len() - value.len();
    let length = match quote {
        Some(quote) => {
            let opening = value.len() - bare.len() + 1;
            opening + after_quote(&value[opening..], quote, opening - 1)
        }
        None if value.starts_with(['{', '[']) => value.len(),
        None => value
            .find(|c: char| c.is_whitespace() || "&,;})]\"'\\".contains(c))
            .unwrap_or(value.len()),
    };
    (length > 0).then_some(start..start + length)
}

/// Returns the length of a quoted value, including its closing quote. In JSON nested in a JSON
/// string, the closing quote has as many backslashes before it as the opening one.
fn after_quote(text: &str, quote: char, backslashes: usize) -> usize {
    let mut run = 0;
    for (at, c) in text.char_indices() {
        match c {
            '\\' => run += 1,
            c if c == quote && run <= backslashes => return at + 1,
            _ => run = 0,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_names_are_masked() {
        for (text, want) in [
            (r#"{"secret":"a b","id":1}"#, r#"{"secret":…,"id":1}"#),
            (
                r#"{"apiKey" : "x\"y", "n": 1}"#,
                r#"{"apiKey" : …, "n": 1}"#,
            ),
            (r#"{"token":12,"n":1}"#, r#"{"token":…,"n":1}"#),
            (r#"{"token":null}"#, r#"{"token":…}"#),
            (r#"{"token":{"a":"b"}} tail"#, r#"{"token":…"#),
            (r#"{"clientSecret":"cut of"#, r#"{"clientSecret":…"#),
            (r"{'password':'p','q':1}", r"{'password':…,'q':1}"),
            (
                r#"body {\"refresh_token\":\"abc\",\"id\":7}"#,
                r#"body {\"refresh_token\":…,\"id\":7}"#,
            ),
            ("a?token=abc&id=7", "a?token=…&id=7"),
            ("API-KEY=abc; x", "API-KEY=…; x"),
            ("password = 'a b' c", "password = … c"),
            ("token: \"abc\" x", "token: … x"),
            ("secret=a secret=b", "secret=… secret=…"),
            ("ä token=ü ß", "ä token=… ß"),
            // No values.
            (
                "invalid token: expected a JWT",
                "invalid token: expected a JWT",
            ),
            ("the token is old", "the token is old"),
            ("tokens=3, secretary: x", "tokens=3, secretary: x"),
            ("token=", "token="),
            ("", ""),
        ] {
            assert_eq!(mask(text), want, "{text}");
        }
    }

    #[test]
    fn invisible_characters_are_escaped() {
        assert_eq!(
            shown("a\u{202e}b\nc\u{2066}d\u{7f}"),
            r"a\u{202e}b\u{a}c\u{2066}d\u{7f}"
        );
        assert!(matches!(shown("plain ä 🙂"), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_masked_without_a_panic(text in "(token|secret|[\"'\\\\:= a{é,]){0,20}", other in ".*") {
            let _ = mask(&text);
            proptest::prop_assert!(!shown(&other).contains(is_invisible));
        }
    }
}
