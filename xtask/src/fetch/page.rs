//! Finds OpenAPI documents in a page that shows them, or in one of its scripts.
//!
//! Redoc embeds the document in the page that it renders: version 2 as `__redoc_state = {… "spec": {"data": …} …}`, version
//! 3 as `__redoc_definition = …`, also as a field of `window`. A page may instead call `Redoc.init(…)` with the document,
//! with a variable or with a URL. Swagger UI of NestJS embeds it as `swaggerDoc` in `swagger-ui-init.js`; others set one
//! `url` or several `urls`. The same words may appear in the text of the page, so every occurrence is tried.

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use serde::Deserialize as _;
use serde_json::Value;

/// Names that a document follows, after an equals sign, a colon or a bracket.
const MARKERS: [&str; 5] = [
    "__redoc_state",
    "__redoc_definition",
    "Redoc.init",
    "swaggerDoc",
    "spec",
];
/// Attributes that may link to a document.
const ATTRIBUTES: [&str; 6] = [
    "spec-url",
    "specUrl",
    "data-url",
    "apiDescriptionUrl",
    "href",
    "src",
];
/// Calls and fields of scripts that may link to a document.
const FIELDS: [&str; 5] = ["Redoc.init", "url", "configUrl", "specUrl", "spec-url"];
/// The maximum number of links that are followed.
const MOST_LINKS: usize = 64;

/// A link of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// The data of a `data:` URL.
    Data(Vec<u8>),
    /// A URL, relative to the page.
    Address(String),
}

/// Returns the documents that are embedded in a page or a script, without duplicates.
pub(super) fn embedded(page: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for marker in MARKERS {
        for (at, _) in page.match_indices(marker) {
            let value = operand(&page[at + marker.len()..]).and_then(|text| {
                json(text).or_else(|| {
                    // A variable that was assigned before.
                    let name = identifier(text)?;
                    page.match_indices(name)
                        .find_map(|(at, _)| json(operand(&page[at + name.len()..])?))
                })
            });
            let Some(mut value) = value else { continue };
            if let Some(spec) = value.pointer_mut("/spec/data") {
                value = spec.take();
            }
            if is_document(&value) && !found.contains(&value) {
                found.push(value);
            }
        }
    }
    // Scalar embeds it in a script element with data.
    for (at, _) in page.match_indices("<script") {
        let text = page[at..]
            .split_once('>')
            .map(|(_, text)| text.trim_start());
        if let Some(value) = text.and_then(json)
            && is_document(&value)
            && !found.contains(&value)
        {
            found.push(value);
        }
    }
    found
}

/// Reports whether a value looks like an OpenAPI document, or a Swagger one, which is rejected later with a clear error.
pub(super) fn is_document(value: &Value) -> bool {
    let versioned = value.get("openapi").or_else(|| value.get("swagger"));
    versioned.is_some_and(Value::is_string) && value.get("paths").is_some_and(Value::is_object)
}

/// Returns the links of a page that may be a document or a script with one, data first.
pub(super) fn links(page: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for attribute in ATTRIBUTES {
        for (at, _) in page.match_indices(attribute) {
            let Some(address) = attribute_value(&page[at + attribute.len()..]) else {
                continue;
            };
            let link = match address.strip_prefix("data:") {
                Some(data) => data_of(data).map(Link::Data),
                None => match attribute {
                    "href" => names_document(&address),
                    "src" => is_initializer(&address),
                    _ => true,
                }
                .then_some(Link::Address(address)),
            };
            found.extend(link);
        }
    }
    for field in FIELDS {
        for (at, _) in page.match_indices(field) {
            let Some(address) = operand(&page[at + field.len()..]).and_then(quoted) else {
                continue;
            };
            if field != "url" || may_be_document(&address) {
                found.push(Link::Address(address));
            }
        }
    }
    let mut unique: Vec<Link> = Vec::new();
    for link in found {
        if !unique.contains(&link) {
            unique.push(link);
        }
    }
    unique.sort_by_key(|link| matches!(link, Link::Address(_)));
    unique.truncate(MOST_LINKS);
    unique
}

/// Returns the title of a page.
pub(super) fn title(page: &str) -> Option<&str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(page[start..end].trim()).filter(|title| !title.is_empty())
}

/// Returns the text after the sign that follows a name, which may be quoted or a field of `window`.
fn operand(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(['"', '\'', ']']).trim_start();
    Some(rest.strip_prefix(['=', ':', '('])?.trim_start())
}

/// Parses the JSON at the start of a text, or in a string that is passed to `JSON.parse`.
fn json(text: &str) -> Option<Value> {
    if let Some(argument) = text.strip_prefix("JSON.parse(") {
        return serde_json::from_str(&quoted(argument.trim_start())?).ok();
    }
    if !text.starts_with('{') {
        return None;
    }
    Value::deserialize(&mut serde_json::Deserializer::from_str(text)).ok()
}

fn identifier(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$')))
        .unwrap_or(text.len());
    let first = text[..end].chars().next()?;
    (!first.is_ascii_digit()).then_some(&text[..end])
}

/// Parses the string at the start of a script, including its escapes.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut end = None;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            end = Some(at);
            break;
        } else if c == '\n' {
            return None;
        }
    }
    let inner = &text[1..end?];
    // A JSON string has the same escapes, except for the other quote.
    let inner = if quote == '\'' {
        inner
            .replace("\\'", "'")
            .replace('"', "\\\"")
            .replace("\\\\\"", "\\\"")
    } else {
        inner.to_owned()
    };
    serde_json::from_str(&format!("\"{inner}\"")).ok()
}

/// Returns the value of an attribute, quoted or not.
fn attribute_value(rest: &str) -> Option<String> {
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let value = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split_once(quote)?.0,
        _ => rest.split([' ', '\t', '\n', '\r', '>']).next()?,
    };
    // The only entity that is common in URLs.
    let value = value.trim().replace("&amp;", "&");
    (!value.is_empty()).then_some(value)
}

/// Decodes the bytes of a `data:` URL.
fn data_of(data: &str) -> Option<Vec<u8>> {
    let (head, body) = data.split_once(',')?;
    let body: Vec<u8> = percent_decode_str(body).collect();
    if head.ends_with(";base64") {
        return base64::engine::general_purpose::STANDARD.decode(body).ok();
    }
    Some(body)
}

fn names_document(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    [".json", ".yaml", ".yml"]
        .iter()
        .any(|extension| path.to_ascii_lowercase().ends_with(extension))
}

/// Reports whether a URL in a script looks like that of a document, because not every `url` is worth a request.
fn may_be_document(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    ["json", "yaml", "yml", "openapi", "swagger", "api-docs"]
        .iter()
        .any(|word| address.contains(word))
}

/// Reports whether a script is the one that starts Swagger UI or Redoc.
fn is_initializer(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let (name, extension) = name.rsplit_once('.').unwrap_or_default();
    extension.eq_ignore_ascii_case("js") && name.contains("init")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"openapi":"3.0.3","paths":{}}"#;

    #[test]
    fn every_embedded_form_is_found() {
        let escaped = DOCUMENT.replace('"', "\\\"");
        for page in [
            format!(
                "<p>__redoc_state = {{nothing}}</p> const __redoc_state = {{\"spec\":{{\"data\":{DOCUMENT}}}}};"
            ),
            format!(
                "__redoc_definition __redoc_definition={{\"a\":1}} __redoc_definition\n=\n{DOCUMENT}; more"
            ),
            format!("window['__redoc_state'] = {{\"spec\":{{\"data\":{DOCUMENT}}}}};"),
            format!("window[\"__redoc_definition\"]={DOCUMENT}"),
            format!("Redoc.init({DOCUMENT}, {{}}, document.body)"),
            format!("const api = {DOCUMENT};\nRedoc.init(api, {{}})"),
            format!("Redoc.init(JSON.parse(\"{escaped}\"))"),
            format!("Redoc.init(JSON.parse('{DOCUMENT}'))"),
            format!(
                "let options = {{\n  \"swaggerDoc\": {DOCUMENT},\n  \"customOptions\": {{}} }};"
            ),
            format!("SwaggerUIBundle({{ spec: {DOCUMENT}, dom_id: '#ui' }})"),
            format!(
                "<script id=\"api-reference\" type=\"application/json\">\n{DOCUMENT}\n</script>"
            ),
        ] {
            let found = embedded(&page);
            assert_eq!(found.len(), 1, "{page}");
            assert_eq!(found[0]["openapi"], "3.0.3", "{page}");
        }
        for page in [
            "",
            "__redoc_state",
            "__redoc_state =",
            "__redoc_state = {\"spec\":{\"data\":3}}",
            "Redoc.init(spec)",
            "Redoc.init(JSON.parse(\"",
        ] {
            assert_eq!(embedded(page), Vec::<Value>::new(), "{page}");
        }
    }

    #[test]
    fn links_are_data_or_documents() {
        let page = r#"<a href="/style.css"><a href='v/openapi.yaml?a=1&amp;b=2'>
            <a download href="data:application/json,%7B%22a%22%3A1%7D">
            <a href="data:application/json;base64,eyJhIjoxfQ=="><redoc spec-url="/spec"><redoc spec-url=/bare>
            <script src="./swagger-ui-init.js"></script><script src="./swagger-ui-bundle.js"></script>
            <script>Redoc.init('/init', {}); SwaggerUIBundle({ url: "\/v3\/api-docs", "urls": [
              { "url": "/one.json", "name": "One" }, { url: '/two.yaml' }], home: { url: "https://example.com/" } })</script>"#;
        let address = |text: &str| Link::Address(text.to_owned());
        assert_eq!(
            links(page),
            [
                Link::Data(b"{\"a\":1}".to_vec()),
                address("/spec"),
                address("/bare"),
                address("v/openapi.yaml?a=1&b=2"),
                address("./swagger-ui-init.js"),
                address("/init"),
                address("/v3/api-docs"),
                address("/one.json"),
                address("/two.yaml"),
            ]
        );
    }

    #[test]
    fn title_of_a_page_is_found() {
        assert_eq!(
            title("<html><TITLE lang=en> Log in </TITLE>"),
            Some("Log in")
        );
        for page in ["", "<title>", "<title></title>", "<title>open"] {
            assert_eq!(title(page), None, "{page}");
        }
    }
}
