//! The rules of the contract: names, provenance, references, examples, security, errors.
//!
//! Each rule is a function that returns complaints. One test checks the contract against all rules; another changes the
//! contract in one place for each rule, which must then complain.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::reference::document::{
    Document, Operation, body_schema, elements, entries, openapi_folder, read_json, schema_name,
};
use crate::reference::json_schema::Schemas;

/// Takes a document, and returns complaints.
type Rule = fn(&Document) -> Vec<String>;

/// The rules for the contract. Those on provenance do not apply to the version file, which has none.
const RULES: [(&str, Rule); 10] = [
    ("operation ids", operation_ids),
    ("descriptions", descriptions),
    ("tags", tags),
    ("path parameters", path_parameters),
    ("references", references),
    ("named schemas", named_schemas),
    ("examples", examples),
    ("responses", responses),
    ("security", security),
    ("provenance", provenance),
];

/// The number of operations on the reference page.
const DOCUMENTED: usize = 30;
const ALL: usize = 44;

/// The verbs that an operationId may start with.
const VERBS: &str = "add assign cancel create deactivate delete downgrade get list login query remove rename resume \
                     unassign upgrade";

/// The possible provenance of something in the contract.
const BASES: [&str; 4] = ["documented", "sdk", "observed", "inferred"];

/// For each rule, a change that it must report: the rule, a place in the contract, and the new value.
const DOCTORED: &str = r##"
operation ids   | /paths/~1v2~13as~1company-details/get/operationId                | "getCompanyDetails"
operation ids   | /paths/~1v2~13as~1company-details/get/operationId                | "company_details_get"
operation ids   | /paths/~1v2~13as~1company-details/get/operationId                | "get"
operation ids   | /paths/~1v2~13as~1company-details/get/operationId                | "get_customer"
descriptions    | /paths/~1v2~13as~1company-details/get/summary                    | " "
descriptions    | /paths/~1v2~13as~1customers/get/parameters/0/description         | null
descriptions    | /components/schemas/Website/description                          | null
descriptions    | /components/schemas/Website/properties/domain/description        | ""
tags            | /paths/~1v2~13as~1company-details/get/tags                       | ["partner"]
tags            | /paths/~1v2~13as~1company-details/get/tags                       | []
tags            | /tags/0/name                                                     | "keys"
tags            | /tags/0/description                                              | ""
path parameters | /paths/~1v2~13as~1websites~1{intpWebsiteId}/get/parameters       | []
path parameters | /paths/~1v2~13as~1websites~1{intpWebsiteId}/get/parameters/0/required | false
references      | /paths/~1v2~13as~1company-details/get/responses/401              | {"$ref":"#/components/responses/Nobody"}
references      | /components/schemas/CreatedINTPCResponse/properties/payload      | {}
named schemas   | /paths/~1v2~13as~1customers/post/requestBody/content/application~1json/schema | {"type":"object"}
named schemas   | /components/responses/BadRequest/content/application~1json/schema | {"type":"object"}
named schemas   | /components/schemas/Package/properties/restrictedTo/items        | {"properties":{}}
named schemas   | /components/schemas/Package/properties/currency                  | {"type":"string","enum":["EUR"]}
examples        | /components/schemas/Package/properties/price/example             | "12.99"
examples        | /components/schemas/Package/properties/createdAt/example         | "today"
examples        | /components/schemas/Package/properties/currency/example          | 7
examples        | /paths/~1v2~1websites~1{websiteId}~1visits~1graph/post/parameters/1/schema/example | 7
responses       | /paths/~1v2~13as~1company-details/get/responses                  | {"200":{"description":"Done."}}
responses       | /paths/~1v2~13as~1company-details/get/responses/200              | {"$ref":"#/components/responses/NotFound"}
responses       | /components/responses/NotFound                                   | {"description":"Gone."}
security        | /security                                                        | []
security        | /components/securitySchemes/apiKey/in                            | "query"
security        | /components/securitySchemes/partnerToken/scheme                  | "basic"
security        | /paths/~1v2~1websites~1{websiteId}~1visits~1graph/post/security  | []
security        | /paths/~1v2~1websites~1{websiteId}~1visits~1graph/post/x-server  | "main"
security        | /paths/~1v2~13as~1api-keys~1login/post/security                  | [{"partnerToken":[]}]
provenance      | /paths/~1v2~13as~1company-details/get/x-provenance               | {"basis":"sdk"}
provenance      | /paths/~1v2~13as~1company-details/get/x-provenance               | {"basis":"rumour","source":"someone"}
provenance      | /components/schemas/Website/properties/billingMode/x-provenance  | {}
"##;

#[test]
fn contract_follows_all_rules() {
    let contract = Document::contract().unwrap();
    for (name, rule) in RULES {
        assert_eq!(rule(&contract), [""; 0], "{name}");
    }
}

#[test]
fn version_file_follows_all_rules_except_provenance() {
    let version = Document::reconstructed().unwrap();
    for (name, rule) in RULES.into_iter().filter(|(name, _)| *name != "provenance") {
        assert_eq!(rule(&version), [""; 0], "{name}");
    }
}

#[test]
fn both_documents_are_openapi_3_0() {
    for (document, operations) in [
        (Document::reconstructed(), DOCUMENTED),
        (Document::contract(), ALL),
    ] {
        let root = document.unwrap().root;
        assert_eq!(root["openapi"], "3.0.3");
        let parsed: openapiv3::OpenAPI = serde_json::from_value(root).unwrap();
        assert_eq!(parsed.operations().count(), operations);
    }
}

#[test]
fn contract_keeps_every_documented_operation() {
    let (version, contract) = (
        Document::reconstructed().unwrap(),
        Document::contract().unwrap(),
    );
    for Operation {
        id, method, path, ..
    } in version.operations()
    {
        let same = contract
            .operation(id)
            .unwrap_or_else(|| unreachable!("{id} is gone"));
        assert_eq!((same.method, same.path), (method, path), "{id}");
    }
}

#[test]
fn every_overlay_action_has_a_target_and_a_reason() {
    let mut actions = 0;
    for file in std::fs::read_dir(openapi_folder().join("overlays")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let overlay = read_json(&format!("overlays/{name}")).unwrap();
        assert_eq!(overlay["overlay"], "1.0.0", "{name}");
        assert!(
            says_something(&overlay["info"]["title"]),
            "{name} has no title"
        );
        assert!(
            says_something(&overlay["info"]["version"]),
            "{name} has no version"
        );
        for action in elements(&overlay["actions"]) {
            actions += 1;
            assert!(
                action["target"].as_str().unwrap().starts_with("$."),
                "{name}: {action}"
            );
            assert!(
                says_something(&action["description"]),
                "{name}: no reason: {action}"
            );
            let removes = action["remove"] == true;
            assert_ne!(
                removes,
                action["update"].is_object(),
                "{name}: either update or remove: {action}"
            );
        }
    }
    assert!(actions > DOCUMENTED, "only {actions} actions found");
}

#[test]
fn every_rule_reports_a_violation() {
    let lines: Vec<&str> = DOCTORED.lines().filter(|line| !line.is_empty()).collect();
    for line in &lines {
        let mut columns = line.splitn(3, '|').map(str::trim);
        let [rule, pointer, value] = [(); 3].map(|()| columns.next().unwrap());
        let mut contract = Document::contract().unwrap();
        *contract.root.pointer_mut(pointer).expect(line) = serde_json::from_str(value).expect(line);

        let (_, complaints) = RULES.iter().find(|(name, _)| *name == rule).expect(line);

        assert!(
            !complaints(&contract).is_empty(),
            "nothing said about {line}"
        );
    }
    let tried: BTreeSet<_> = lines
        .iter()
        .filter_map(|line| line.split('|').next())
        .map(str::trim)
        .collect();
    assert_eq!(tried.len(), RULES.len(), "a rule is not tried");
}

/// Ids are `verb_noun` in snake case, without duplicates.
fn operation_ids(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for Operation {
        id, method, path, ..
    } in document.operations()
    {
        let words: Vec<&str> = id.split('_').collect();
        let lower =
            |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        if words.len() < 2 || !words.iter().all(lower) {
            complaints.push(format!(
                "{method} {path}: {id:?} is no snake_case name of several words"
            ));
        }
        if !VERBS.split(' ').any(|verb| verb == words[0]) {
            complaints.push(format!("{id} does not start with a known verb"));
        }
        if !seen.insert(id) {
            complaints.push(format!("{id} is there twice"));
        }
    }
    complaints
}

/// Operations, schemas and properties have descriptions.
fn descriptions(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    for Operation { id, node, .. } in document.operations() {
        for word in ["summary", "description"] {
            if !says_something(&node[word]) {
                complaints.push(format!("{id} has no {word}"));
            }
        }
        for parameter in elements(&node["parameters"]) {
            if !says_something(&parameter["description"]) {
                complaints.push(format!("{id}: {} has no description", parameter["name"]));
            }
        }
    }
    for (name, schema) in document.schemas() {
        if !says_something(&schema["description"]) {
            complaints.push(format!("{name} has no description"));
        }
        for (property, node) in entries(&schema["properties"]) {
            let inherited =
                node.get("$ref").is_some() || property == "payload" || property == "meta";
            if !inherited && !says_something(&node["description"]) {
                complaints.push(format!("{name}.{property} has no description"));
            }
        }
    }
    complaints
}

/// Every operation has one declared tag, and every declared tag has an operation and a description.
fn tags(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    let declared: Vec<&Value> = elements(&document.root["tags"]).collect();
    for Operation { id, node, .. } in document.operations() {
        match node["tags"].as_array().map(Vec::as_slice) {
            Some([tag]) if declared.iter().any(|declared| declared["name"] == *tag) => {
                used.insert(tag.as_str());
            }
            _ => complaints.push(format!("{id}: not one declared tag: {}", node["tags"])),
        }
    }
    for tag in declared {
        if !used.contains(&tag["name"].as_str()) {
            complaints.push(format!("no operation has the tag {}", tag["name"]));
        }
        if !says_something(&tag["description"]) {
            complaints.push(format!("the tag {} has no description", tag["name"]));
        }
    }
    complaints
}

/// The parameters in braces are declared, in order, and required.
fn path_parameters(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    for operation in document.operations() {
        let in_path = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let declared = operation.parameters("path");
        let names = declared
            .iter()
            .filter_map(|parameter| parameter["name"].as_str());
        if !in_path.eq(names)
            || declared
                .iter()
                .any(|parameter| parameter["required"] != true)
        {
            complaints.push(format!(
                "{}: not the parameters of {}",
                operation.id, operation.path
            ));
        }
    }
    complaints
}

/// Every reference resolves, and every component is referred to.
fn references(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut targets = BTreeSet::new();
    each_node(&document.root, "", &mut |pointer, node| {
        if let Some(target) = node["$ref"].as_str() {
            targets.insert(target.to_owned());
            if target
                .strip_prefix('#')
                .and_then(|target| document.root.pointer(target))
                .is_none()
            {
                complaints.push(format!("{pointer}: {target} is nowhere"));
            }
        }
    });
    for (kind, components) in entries(&document.root["components"]) {
        for (name, _) in entries(components).filter(|_| kind != "securitySchemes") {
            let target = format!("#/components/{kind}/{name}");
            if !targets.contains(&target) {
                complaints.push(format!("nothing refers to {target}"));
            }
        }
    }
    complaints
}

/// Bodies are named schemas, and so are all objects and enums inside them.
fn named_schemas(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    for operation in document.operations() {
        let responses = document
            .responses(&operation)
            .filter_map(|(_, response)| body_schema(response));
        for body in operation.body().into_iter().chain(responses) {
            if schema_name(body).is_none() {
                complaints.push(format!("{}: a body without a name: {body}", operation.id));
            }
        }
    }
    for (name, schema) in document.schemas() {
        each_part(schema, name, &mut |at, part| {
            let object = part["type"] == "object" || part.get("properties").is_some();
            if at != name && (object || part.get("enum").is_some()) {
                complaints.push(format!("{at}: an inline schema: {part}"));
            }
        });
    }
    complaints
}

/// Every example of a schema or parameter is valid.
fn examples(document: &Document) -> Vec<String> {
    let schemas = match Schemas::of(document) {
        Ok(schemas) => schemas,
        Err(why) => return vec![why],
    };
    let mut complaints = Vec::new();
    let mut examples = 0;
    let mut check = |at: &str, schema: &Value| {
        let Some(example) = schema.get("example") else {
            return;
        };
        examples += 1;
        match schemas.violations(schema, example) {
            Ok(violations) => complaints.extend(
                violations
                    .iter()
                    .map(|found| format!("{at}: {}", found.message)),
            ),
            Err(why) => complaints.push(format!("{at}: {why}")),
        }
    };
    for (name, schema) in document.schemas() {
        each_part(schema, name, &mut check);
    }
    for Operation { id, node, .. } in document.operations() {
        for parameter in elements(&node["parameters"]) {
            check(&format!("{id} {}", parameter["name"]), &parameter["schema"]);
        }
    }
    if examples < 100 {
        complaints.push(format!("only {examples} examples found"));
    }
    complaints
}

/// Every operation has one kind of success, some failures, and the same error body for all of these.
fn responses(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    for operation in document.operations() {
        let id = operation.id;
        let (successes, failures): (Vec<_>, Vec<_>) = document
            .responses(&operation)
            .partition(|(status, _)| status.starts_with('2'));
        if successes.is_empty() || document.success_bodies(&operation).len() > 1 {
            complaints.push(format!("{id}: not one kind of success"));
        }
        if !failures.iter().any(|(status, _)| *status == "401") {
            complaints.push(format!("{id}: 401 is missing"));
        }
        for (status, response) in failures {
            if body_schema(response).and_then(schema_name) != Some("ErrorBody") {
                complaints.push(format!("{id}: {status} has another body than ErrorBody"));
            }
        }
        if document
            .success_bodies(&operation)
            .into_iter()
            .any(|body| schema_name(body) == Some("ErrorBody"))
        {
            complaints.push(format!("{id}: an error as success"));
        }
    }
    complaints
}

/// There are two credentials, and each operation has the right one.
fn security(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    let schemes = &document.root["components"]["securitySchemes"];
    if entries(schemes).count() != 2 {
        complaints.push(format!("more or less than two schemes: {schemes}"));
    }
    let token = json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" });
    let key = json!({ "type": "apiKey", "in": "header", "name": "X-Api-Key" });
    for (name, expected) in [("partnerToken", token), ("apiKey", key)] {
        let scheme = &schemes[name];
        let described = says_something(&scheme["description"]);
        if !described || without(scheme, &["description"]) != expected {
            complaints.push(format!("{name} is wrong: {scheme}"));
        }
    }
    for Operation { id, path, node, .. } in document.operations() {
        // The login sends its key in the body; the data endpoints accept the key and have a separate host.
        let (expected, servers) = match (id, path.starts_with("/v2/websites/")) {
            ("login_with_api_key", _) => (json!([]), false),
            (_, true) => (json!([{ "apiKey": [] }]), true),
            (_, false) => (json!([{ "partnerToken": [] }]), false),
        };
        let actual = node.get("security").unwrap_or(&document.root["security"]);
        if *actual != expected {
            complaints.push(format!("{id}: {actual} instead of {expected}"));
        }
        if node.get("servers").is_some() != servers || (node["x-server"] == "data") != servers {
            complaints.push(format!("{id}: the wrong host"));
        }
    }
    complaints
}

/// Every operation has its provenance, and every provenance is complete.
fn provenance(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    for Operation { id, node, .. } in document.operations() {
        if node.get("x-provenance").is_none() {
            complaints.push(format!("{id} does not say how it is known"));
        }
    }
    each_node(&document.root, "", &mut |pointer, node| {
        let Some(provenance) = node.get("x-provenance") else {
            return;
        };
        let known = provenance["basis"]
            .as_str()
            .is_some_and(|basis| BASES.contains(&basis));
        if !known || !says_something(&provenance["source"]) {
            complaints.push(format!("{pointer}: no basis or no source: {provenance}"));
        }
    });
    complaints
}

fn without(node: &Value, names: &[&str]) -> Value {
    entries(node)
        .filter(|(name, _)| !names.contains(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

fn says_something(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Calls `visit` for every node of a JSON document, with its pointer.
fn each_node(node: &Value, pointer: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(pointer, node);
    for (name, child) in entries(node) {
        each_node(child, &format!("{pointer}/{name}"), visit);
    }
    for (index, child) in elements(node).enumerate() {
        each_node(child, &format!("{pointer}/{index}"), visit);
    }
}

/// Calls `visit` for a schema and all schemas inside it, with a readable name.
fn each_part(schema: &Value, at: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(at, schema);
    for (name, property) in entries(&schema["properties"]) {
        each_part(property, &format!("{at}.{name}"), visit);
    }
    for word in ["items", "additionalProperties"] {
        if let Some(part) = schema.get(word) {
            each_part(part, &format!("{at}[]"), visit);
        }
    }
    for part in ["allOf", "anyOf", "oneOf"]
        .into_iter()
        .flat_map(|word| elements(&schema[word]))
    {
        each_part(part, &format!("{at}|"), visit);
    }
}
