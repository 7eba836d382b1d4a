//! Finds the OpenAPI document in a page that shows it.
//!
//! Redoc keeps the document in the page that it renders: version 2 as
//! `__redoc_state = {… "spec": {"data": …} …}`, version 3 as
//! `__redoc_definition = …`, plain JSON after the sign of equality. The same
//! words may stand in the prose of the page, so every occurrence is tried.

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use serde::Deserialize as _;
use serde_json::Value;

/// What the document of a page follows.
const MARKERS: [&str; 2] = ["__redoc_state", "__redoc_definition"];
/// Attributes that may lead to a document.
const ATTRIBUTES: [&str; 3] = ["href=", "spec-url=", "data-url="];
/// Links that are worth a request.
const MOST_LINKS: usize = 8;

/// Something that a page leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// The data itself.
    Data(Vec<u8>),
    /// An address, relative to the page.
    Address(String),
}

/// The document that is embedded in a page.
pub fn embedded(page: &str) -> Option<Value> {
    MARKERS.iter().find_map(|marker| {
        page.match_indices(marker).find_map(|(at, _)| {
            let rest = page[at + marker.len()..].trim_start();
            let json = rest.strip_prefix('=')?.trim_start();
            let mut deserializer = serde_json::Deserializer::from_str(json);
            let mut value = Value::deserialize(&mut deserializer).ok()?;
            if is_document(&value) {
                return Some(value);
            }
            let spec = value.pointer_mut("/spec/data")?.take();
            is_document(&spec).then_some(spec)
        })
    })
}

/// Whether a value looks like an OpenAPI document.
pub(super) fn is_document(value: &Value) -> bool {
    value.get("openapi").is_some_and(Value::is_string)
        && value.get("paths").is_some_and(Value::is_object)
}

/// What a page links to that may be a document, data first.
pub(super) fn links(page: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for attribute in ATTRIBUTES {
        for (at, _) in page.match_indices(attribute) {
            let rest = &page[at + attribute.len()..];
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                continue;
            };
            let Some((value, _)) = rest[1..].split_once(quote) else {
                continue;
            };
            // The one entity that addresses are written with.
            let address = value.replace("&amp;", "&");
            let link = if let Some(data) = address.strip_prefix("data:") {
                data_of(data).map(Link::Data)
            } else {
                (attribute != "href=" || names_document(&address)).then_some(Link::Address(address))
            };
            if let Some(link) = link
                && !found.contains(&link)
            {
                found.push(link);
            }
        }
    }
    found.sort_by_key(|link| matches!(link, Link::Address(_)));
    found.truncate(MOST_LINKS);
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"openapi":"3.0.3","paths":{}}"#;

    #[test]
    fn every_occurrence_is_tried() {
        for page in [
            format!(
                "<p>__redoc_state = {{nothing}}</p> const __redoc_state = {{\"spec\":{{\"data\":{DOCUMENT}}}}};"
            ),
            format!(
                "__redoc_definition __redoc_definition={{\"a\":1}} __redoc_definition\n=\n{DOCUMENT}; more"
            ),
        ] {
            assert_eq!(embedded(&page).unwrap()["openapi"], "3.0.3", "{page}");
        }
        for page in [
            "",
            "__redoc_state",
            "__redoc_state =",
            "__redoc_state = {\"spec\":{\"data\":3}}",
        ] {
            assert_eq!(embedded(page), None, "{page}");
        }
    }

    #[test]
    fn links_are_data_or_names_of_documents() {
        let page = r#"<a href="/style.css"><a href='v/openapi.yaml?a=1&amp;b=2'>
            <a download href="data:application/json,%7B%22a%22%3A1%7D">
            <a href="data:application/json;base64,eyJhIjoxfQ=="><redoc spec-url="/spec">"#;
        assert_eq!(
            links(page),
            [
                Link::Data(b"{\"a\":1}".to_vec()),
                Link::Address("v/openapi.yaml?a=1&b=2".to_owned()),
                Link::Address("/spec".to_owned()),
            ]
        );
    }
}
