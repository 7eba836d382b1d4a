//! Reads the reason out of the body of a failure, whatever shape it has.

use serde_json::Value;

use twipla_api::looks_secret;

/// How much of a server's text goes into one line.
const MESSAGE_SHOWN: usize = 300;

/// What the body of a failure says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ParsedErrorBody {
    pub(crate) message: Option<String>,
    pub(crate) code: Option<String>,
}

/// Reads every shape of error body that clients of this API were seen to
/// handle, and plain text and HTML besides. Never fails: a body that says
/// nothing gives nothing.
pub(crate) fn parse(body: &[u8]) -> ParsedErrorBody {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return ParsedErrorBody::default();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => parse_value(&value, 0),
        Err(_) if text.starts_with('<') => ParsedErrorBody {
            message: Some(format!(
                "the server answered with a page, not with JSON: {}",
                one_line(&strip_tags(text))
            )),
            code: None,
        },
        Err(_) => ParsedErrorBody {
            message: Some(one_line(text)),
            code: None,
        },
    }
}

fn parse_value(value: &Value, depth: u8) -> ParsedErrorBody {
    let Value::Object(fields) = value else {
        return ParsedErrorBody {
            message: scalar(value),
            code: None,
        };
    };
    // `error` is text in one shape and an object with a code in another; some
    // replies wrap everything in `payload`.
    let inner = ["error", "payload"]
        .iter()
        .filter_map(|name| fields.get(*name))
        .find(|value| value.is_object())
        .filter(|_| depth < 3)
        .map(|value| parse_value(value, depth + 1))
        .unwrap_or_default();
    let message = ["message", "error", "detail", "description", "title"]
        .iter()
        .find_map(|name| fields.get(*name).and_then(scalar))
        .or(inner.message);
    let code = fields.get("code").and_then(scalar).or(inner.code);
    ParsedErrorBody {
        message: message.or_else(|| {
            code.as_ref()
                .map(|code| format!("the server gave the code {code}"))
        }),
        code,
    }
}

/// A scalar as one line of text; a list as its scalars, as validation errors come.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(one_line(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().take(8).filter_map(scalar).collect();
            (!parts.is_empty()).then(|| one_line(&parts.join("; ")))
        }
        _ => None,
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        // A server may quote what it refuses.
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

fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(c),
            _ => {}
        }
    }
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
    fn every_known_shape_gives_a_message() {
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
            (
                r#"{"message":["a must be set","b too"]}"#,
                "a must be set; b too",
                None,
            ),
            (r#""just text""#, "just text", None),
            ("plain\n text", "plain text", None),
            (
                "<html><h1>502</h1> Bad  Gateway</html>",
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
    fn a_body_that_says_nothing_gives_nothing() {
        for body in ["", "  \n", "{}", "[]", "null", r#"{"error":null}"#] {
            assert_eq!(parsed(body), (None, None), "{body}");
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let (message, _) = parsed(&"ä".repeat(1000));
        let message = message.unwrap();
        assert!(message.len() <= MESSAGE_SHOWN + '…'.len_utf8() && message.ends_with('…'));
    }
}
