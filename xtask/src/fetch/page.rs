//! Finds OpenAPI documents in a page that shows them, or in a script of it.
//!
//! Redoc keeps the document in the page that it renders: version 2 as
//! `__redoc_state = {… "spec": {"data": …} …}`, version 3 as
//! `__redoc_definition = …`, also as a field of `window`. A page may instead call
//! `Redoc.init(…)` with the document, with a variable or with an address.
//! Swagger UI of NestJS keeps it as `swaggerDoc` in `swagger-ui-init.js`; others
//! name one `url` or several `urls`. The same words may stand in the prose of
//! the page, so every occurrence is tried.

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use serde::Deserialize as _;
use serde_json::Value;

/// What a document follows, behind a sign of equality, a colon or a bracket.
const MARKERS: [&str; 5] = [
    "__redoc_state",
    "__redoc_definition",
    "Redoc.init",
    "swaggerDoc",
    "spec",
];
/// Attributes that may lead to a document.
const ATTRIBUTES: [&str; 6] = [
    "spec-url",
    "specUrl",
    "data-url",
    "apiDescriptionUrl",
    "href",
    "src",
];
/// Calls and fields of scripts that may lead to a document.
const FIELDS: [&str; 5] = ["Redoc.init", "url", "configUrl", "specUrl", "spec-url"];
/// Links that are worth a request.
const MOST_LINKS: usize = 64;

/// Something that a page leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// The data itself.
    Data(Vec<u8>),
    /// An address, relative to the page.
    Address(String),
}

/// The documents that are embedded in a page or a script, each once.
pub(super) fn embedded(page: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for marker in MARKERS {
        for (at, _) in page.match_indices(marker) {
            let value = operand(&page[at + marker.len()..]).and_then(|text| {
                json(text).or_else(|| {
                    // A variable that was set before.
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
    // Scalar has it in a script that is data.
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

/// Whether a value looks like an OpenAPI document, or like a Swagger one, which is refused by its name.
pub(super) fn is_document(value: &Value) -> bool {
    let versioned = value.get("openapi").or_else(|| value.get("swagger"));
    versioned.is_some_and(Value::is_string) && value.get("paths").is_some_and(Value::is_object)
}

/// What a page links to that may be a document or a script with one, data first.
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

/// What a page is called.
pub(super) fn title(page: &str) -> Option<&str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(page[start..end].trim()).filter(|title| !title.is_empty())
}

/// What stands behind the sign that follows a name, which may be quoted or a field of `window`.
fn operand(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(['"', '\'', ']']).trim_start();
    Some(rest.strip_prefix(['=', ':', '('])?.trim_start())
}

/// The JSON at the start of a text, or in a string that `JSON.parse` reads.
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

/// The string at the start of a script, its escapes read.
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
    // A string of JSON has the same escapes, but for the other quote.
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

/// The value of an attribute, quoted or not.
fn attribute_value(rest: &str) -> Option<String> {
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let value = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split_once(quote)?.0,
        _ => rest.split([' ', '\t', '\n', '\r', '>']).next()?,
    };
    // The one entity that addresses are written with.
    let value = value.trim().replace("&amp;", "&");
    (!value.is_empty()).then_some(value)
}

/// The bytes of a `data:` address.
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

/// Whether an address in a script is like those of documents: not everything that is called `url` is asked for.
fn may_be_document(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    ["json", "yaml", "yml", "openapi", "swagger", "api-docs"]
        .iter()
        .any(|word| address.contains(word))
}

/// Whether a script is the one that starts Swagger UI or Redoc.
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
    fn every_form_of_an_embedded_document_is_found() {
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
    fn links_are_data_or_names_of_documents() {
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
    fn a_page_is_called_by_its_title() {
        assert_eq!(
            title("<html><TITLE lang=en> Log in </TITLE>"),
            Some("Log in")
        );
        for page in ["", "<title>", "<title></title>", "<title>open"] {
            assert_eq!(title(page), None, "{page}");
        }
    }
}
