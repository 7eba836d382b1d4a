//! Extracts the message from the body of an error response, whatever format it has.

use serde_json::{Map, Number, Value};

use twipla_api::looks_secret;

use crate::redact;

/// How many characters of a server's text are shown in one line.
const MESSAGE_SHOWN: usize = 300;

/// A longer body is not parsed as JSON or HTML: only its start is shown.
const BODY_READ: usize = 1024 * 1024;

/// How deeply a message may be nested in objects and lists.
const DEPTH: u8 = 4;

/// The fields of an object that may contain the message, the best first.
const REASONS: [&str; 9] = [
    "message",
    "errors",
    "error",
    "detail",
    "details",
    "description",
    "reason",
    "title",
    "payload",
];

/// What could be extracted from the body of an error response.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ParsedErrorBody {
    pub(crate) message: Option<String>,
    pub(crate) code: Option<String>,
}

/// Returns whether a body is an HTML page. This API responds in JSON, so a page comes
/// from something in front of it.
pub(crate) fn is_page(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    body.trim_ascii_start().starts_with(b"<")
}

/// Parses every error format that clients of this API are known to
/// handle, and plain text and HTML. Never fails: a body without a message
/// gives an empty result.
pub(crate) fn parse(body: &[u8]) -> ParsedErrorBody {
    let text = String::from_utf8_lossy(&body[..body.len().min(BODY_READ)]);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(char::REPLACEMENT_CHARACTER) {
        // Not text: compressed, for instance.
        return ParsedErrorBody::default();
    }
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return parse_value(&value);
    }
    let message = if text.starts_with('<') {
        let text = one_line(&strip_tags(text));
        Some(format!(
            "the server answered with a page, not with JSON: {text}"
        ))
    } else {
        Some(one_line(text))
    };
    ParsedErrorBody {
        message: message.filter(|message| !message.is_empty()),
        code: None,
    }
}

fn parse_value(value: &Value) -> ParsedErrorBody {
    let code = code(value, DEPTH);
    let message = reason(value, DEPTH).map(|reason| one_line(&reason));
    ParsedErrorBody {
        message: message.or_else(|| {
            code.as_ref()
                .map(|code| format!("the server gave the code {code}"))
        }),
        code,
    }
}

/// Returns the message in a value. Of an object, only the fields that usually contain one are used.
fn reason(value: &Value, depth: u8) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => number_text(number),
        Value::Array(items) if depth > 0 => {
            let items = items.iter().take(8);
            join(items.filter_map(|item| reason_in(item, depth - 1)))
        }
        Value::Object(fields) if depth > 0 => {
            let (name, message) = REASONS.iter().find_map(|name| {
                let reason = reason_in(fields.get(*name)?, depth - 1)?;
                Some((*name, reason))
            })?;
            // Sibling fields say which field is wrong, and why.
            let about = ["field", "property", "path"]
                .iter()
                .find_map(|name| fields.get(*name)?.as_str());
            let errors = fields.get("errors").filter(|_| name == "message");
            let errors = errors.and_then(|errors| reason_in(errors, depth - 1));
            let parts = [about.map(str::to_owned), Some(message), errors];
            Some(parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
        }
        _ => None,
    }
}

/// Returns the message in the value of a message field. There, an object
/// may also have one for each field: `{"email": ["is taken"]}`.
fn reason_in(value: &Value, depth: u8) -> Option<String> {
    reason(value, depth).or_else(|| match value {
        Value::Object(fields) if depth > 0 => by_field(fields, depth),
        _ => None,
    })
}

fn by_field(fields: &Map<String, Value>, depth: u8) -> Option<String> {
    // Whether serde_json keeps the order of the fields depends on features that any crate may enable.
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    let fields = fields.into_iter().take(8);
    join(fields.filter_map(|(name, value)| {
        if ["code", "status", "statusCode"].contains(&name.as_str()) {
            return None;
        }
        if redact::names_secret(name) {
            return Some(format!("{name}: …"));
        }
        Some(format!("{name}: {}", reason_in(value, depth - 1)?))
    }))
}

fn join(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<_> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Formats a number the same way whether serde_json keeps its original text or not.
fn number_text(number: &Number) -> Option<String> {
    let whole = number.as_i64().map(|number| number.to_string());
    whole.or_else(|| Some(number.as_f64()?.to_string()))
}

/// Returns the error code: at the top level, or in an object that may wrap the message.
fn code(value: &Value, depth: u8) -> Option<String> {
    match value {
        Value::Object(fields) => match fields.get("code") {
            Some(Value::String(code)) if !code.trim().is_empty() => Some(one_line(code)),
            Some(Value::Number(code)) => number_text(code),
            _ if depth > 0 => ["error", "errors", "message", "payload"]
                .iter()
                .find_map(|name| code_in(fields.get(*name)?, depth - 1)),
            _ => None,
        },
        _ => None,
    }
}

fn code_in(value: &Value, depth: u8) -> Option<String> {
    match value {
        Value::Array(items) => code(items.first()?, depth),
        value => code(value, depth),
    }
}

/// Makes a server's text safe to show in one line.
fn one_line(text: &str) -> String {
    let text = redact::mask(text);
    let mut line = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || redact::is_invisible(c))
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        // A server may quote the value that it rejects.
        line.push_str(if looks_secret(word) { "…" } else { word });
        if line.len() > MESSAGE_SHOWN {
            let cut = (0..=MESSAGE_SHOWN)
                .rev()
                .find(|at| line.is_char_boundary(*at))
                .unwrap_or(0);
            line.truncate(cut);
            line.push('…');
            break;
        }
    }
    line
}

/// Returns the visible text of an HTML page.
fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        rest = &rest[start..];
        let end = ["script", "style"]
            .iter()
            .find(|name| {
                let tag = rest.get(1..=name.len());
                tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name))
            })
            .and_then(|name| {
                let closing = format!("</{name}");
                rest.to_ascii_lowercase().find(&closing)
            })
            .unwrap_or(0);
        rest = &rest[end..];
        rest = rest.find('>').map_or("", |end| &rest[end + 1..]);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> (Option<String>, Option<String>) {
        let parsed = parse(body.as_bytes());
        (parsed.message, parsed.code)
    }

    #[test]
    fn every_known_format_gives_a_message() {
        for (body, message, code) in [
            (
                r#"{"error":"invalid access token"}"#,
                "invalid access token",
                None,
            ),
            (
                r#"{"status":400,"message":"bad id","code":1004}"#,
                "bad id",
                Some("1004"),
            ),
            (
                r#"{"payload":{"status":404,"message":"gone","title":"T","time":"now","code":7}}"#,
                "gone",
                Some("7"),
            ),
            (
                r#"{"error":{"code":"unknown_metric"}}"#,
                "the server gave the code unknown_metric",
                Some("unknown_metric"),
            ),
            (
                r#"{"error":{"code":"x","message":"no such metric"}}"#,
                "no such metric",
                Some("x"),
            ),
            (r#"{"message":"Unauthorized"}"#, "Unauthorized", None),
            (r#"{"message":1.50,"code":1e3}"#, "1.5", Some("1000")),
            (
                r#"{"message":["a must be set","b too"]}"#,
                "a must be set; b too",
                None,
            ),
            (
                r#"{"errors":[{"message":"no package","code":"E7"},{"message":"no domain"}]}"#,
                "no package; no domain",
                Some("E7"),
            ),
            (r#"{"errors":["one","two"]}"#, "one; two", None),
            (
                r#"{"errors":{"email":["is taken"],"domain":"is not one"}}"#,
                "domain: is not one; email: is taken",
                None,
            ),
            (
                r#"{"message":"Validation failed","errors":[{"field":"email","message":"is taken"}]}"#,
                "Validation failed: email: is taken",
                None,
            ),
            (
                r#"{"message":{"text":"no such site","code":9}}"#,
                "text: no such site",
                Some("9"),
            ),
            (r#"{"message":{"message":"deep"}}"#, "deep", None),
            (
                r#"{"message":{"error":{"detail":"deeper"}}}"#,
                "deeper",
                None,
            ),
            (
                r#"{"type":"about:blank","title":"Bad Request","detail":"no id","status":400}"#,
                "no id",
                None,
            ),
            ("\u{feff}{\"message\":\"marked\"}", "marked", None),
            (r#""just text""#, "just text", None),
            ("plain\n text", "plain text", None),
            (
                "<html><head><style>h1 > b {color: red}</style><SCRIPT>if (1<2) alert()</SCRIPT></head><h1>502</h1> Bad  Gateway</html>",
                "the server answered with a page, not with JSON: 502 Bad Gateway",
                None,
            ),
        ] {
            assert_eq!(
                parsed(body),
                (Some(message.to_owned()), code.map(str::to_owned)),
                "{body}"
            );
        }
    }

    #[test]
    fn a_body_without_a_message_gives_none() {
        for body in [
            "",
            "  \n",
            "{}",
            "[]",
            "null",
            r#"{"error":null}"#,
            r#"{"id":7}"#,
            r#"{"errors":[]}"#,
        ] {
            assert_eq!(parsed(body), (None, None), "{body}");
        }
        assert_eq!(parse(b"\xff\xfe\x00"), ParsedErrorBody::default());
    }

    #[test]
    fn the_message_after_a_long_stack_trace_is_found() {
        let stack = "at f\\n".repeat(20_000);
        let body = format!(r#"{{"stack":"{stack}","message":"the disk is full"}}"#);
        assert_eq!(parsed(&body).0.as_deref(), Some("the disk is full"));
    }

    #[test]
    fn a_long_message_is_cut_at_a_character_boundary() {
        for text in [
            "ä".repeat(1000),
            "word ".repeat(1000),
            "ä".repeat(BODY_READ),
        ] {
            let (message, _) = parsed(&text);
            let message = message.unwrap();
            assert!(message.len() <= MESSAGE_SHOWN + '…'.len_utf8() && message.ends_with('…'));
        }
    }

    #[test]
    fn invisible_characters_are_dropped_and_secrets_are_masked() {
        for (body, message) in [
            ("a\u{202e}b\u{0}c\u{200b}\u{1b}[31md", "a b c [31md"),
            (
                r#"{"message":"got {\"apiKey\":\"abc\",\"id\":7}"}"#,
                r#"got {"apiKey":…,"id":7}"#,
            ),
            (
                r#"{"error":{"password":"x","name":"y"}}"#,
                "name: y; password: …",
            ),
            ("no user for token=abc&id=7", "no user for token=…&id=7"),
            (r#"{"message":"not twpl-abc"}"#, "not …"),
        ] {
            assert_eq!(parsed(body).0.as_deref(), Some(message), "{body}");
        }
    }
}
