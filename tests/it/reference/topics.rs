//! Compares the document with the sections of the page outside of operations: tokens, headers, and two lists.

use serde_json::Value;

use super::check::{Fault, Finding};
use super::document::{Document, elements, entries};
use super::page::{Page, Place, Section};

/// The security scheme that each topic on credentials is about.
const SCHEMES: [(&str, &str); 3] = [
    ("partner_token", "partnerToken"),
    ("customer_token", "customerToken"),
    ("data_key", "apiKey"),
];

/// Compares all topics. An error means that the page lacks one, or has an unknown one.
pub(crate) fn compare(page: &Page, document: &Document) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for topic in &page.topics {
        let scheme = SCHEMES.iter().find(|(name, _)| *name == topic.name);
        match (topic.name.as_str(), scheme) {
            (_, Some((_, scheme))) => credentials(topic, scheme, document, &mut findings),
            ("data_endpoints", _) => data_endpoints(topic, document, &mut findings),
            ("contributor_roles", _) => contributor_roles(topic, document, &mut findings),
            (name, None) => return Err(format!("nothing compares the topic {name}")),
        }
    }
    for name in [
        "partner_token",
        "customer_token",
        "data_key",
        "data_endpoints",
        "contributor_roles",
    ] {
        page.topic(name)
            .ok_or_else(|| format!("the page lacks the topic {name}"))?;
    }
    Ok(findings)
}

/// Compares header names exactly, and the names and values in the samples of tokens.
fn credentials(
    topic: &Section,
    scheme_name: &str,
    document: &Document,
    findings: &mut Vec<Finding>,
) {
    let scheme = &document.root["components"]["securitySchemes"][scheme_name];
    if scheme.is_null() {
        let detail = "no such security scheme".to_owned();
        let at = format!("securitySchemes.{scheme_name}");
        findings.push(finding(Fault::Missing, topic, &at, detail));
        return;
    }
    let header = match scheme["type"].as_str() {
        Some("http") => "Authorization",
        _ => scheme["name"].as_str().unwrap_or_default(),
    };
    let used = topic
        .rows(Place::Header)
        .iter()
        .map(|row| row.name.as_str());
    let shown = entries(topic.sample("header").unwrap_or(&Value::Null)).map(|(name, _)| name);
    for name in used.chain(shown) {
        if name != header {
            let detail = format!("page: {name}, document: {header}");
            findings.push(finding(
                Fault::Header,
                topic,
                &format!("{scheme_name} {name}"),
                detail,
            ));
        }
    }
    for row in topic.rows(Place::Header) {
        if row.format.as_deref() != scheme["scheme"].as_str() {
            let detail = format!("page: {:?}, document: {}", row.format, scheme["scheme"]);
            findings.push(finding(Fault::Type, topic, scheme_name, detail));
        }
    }
    let described = scheme["description"].as_str().unwrap_or_default();
    for (sample, word) in words_of_tokens(topic) {
        let known = match sample {
            "typ" => scheme["bearerFormat"] == word.as_str(),
            _ => described.contains(&word),
        };
        if !known {
            let detail = format!("the description does not have {word} ({sample})");
            findings.push(finding(Fault::Missing, topic, scheme_name, detail));
        }
    }
}

/// Returns, from the token samples, the names of all fields, and the values that are not placeholders.
fn words_of_tokens(topic: &Section) -> Vec<(&str, String)> {
    let mut words = Vec::new();
    for (name, value) in ["jose", "claims"]
        .into_iter()
        .filter_map(|label| topic.sample(label))
        .flat_map(entries)
    {
        match (name, value.as_str()) {
            ("typ" | "alg", Some(value)) => words.push((name, value.to_owned())),
            ("roles", _) => words.extend(
                elements(value)
                    .filter_map(Value::as_str)
                    .map(|role| (name, format!("\"{role}\""))),
            ),
            _ => words.push((name, format!("`{name}`"))),
        }
    }
    words
}

/// Checks that each endpoint on the page is an operation.
fn data_endpoints(topic: &Section, document: &Document, findings: &mut Vec<Finding>) {
    for name in &topic.list {
        let id = format!("query_{}", name.to_lowercase().replace(' ', "_"));
        if document.operation(&id).is_none() {
            findings.push(finding(
                Fault::Missing,
                topic,
                &id,
                format!("the page has: {name}"),
            ));
        }
    }
}

/// Checks that each role on the page is a value of the enum, and vice versa.
fn contributor_roles(topic: &Section, document: &Document, findings: &mut Vec<Finding>) {
    let roles = &document.root["components"]["schemas"]["ContributorRole"]["enum"];
    let roles: Vec<&str> = elements(roles).filter_map(Value::as_str).collect();
    let means = |title: &str, role: &str| title.to_lowercase().split(' ').any(|word| word == role);
    for title in &topic.list {
        if roles.iter().filter(|role| means(title, role)).count() != 1 {
            findings.push(finding(
                Fault::Missing,
                topic,
                "ContributorRole",
                format!("the page has: {title}"),
            ));
        }
    }
    for role in roles {
        if !topic.list.iter().any(|title| means(title, role)) {
            findings.push(finding(
                Fault::Extra,
                topic,
                "ContributorRole",
                format!("not on the page: {role}"),
            ));
        }
    }
}

fn finding(fault: Fault, topic: &Section, at: &str, detail: String) -> Finding {
    Finding {
        fault,
        section: topic.name.clone(),
        at: at.to_owned(),
        detail,
    }
}
