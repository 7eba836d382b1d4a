//! Checks that the comparison notices changes. Each line below changes the contract in one place: `pointer | change |
//! report`.
//!
//! - The pointer is a JSON pointer; one without a leading slash starts at the schemas.
//! - The change is `drop MEMBER`, `set MEMBER JSON`, or `put JSON` for the whole node.
//! - The report is the expected finding, `FAULT at PLACE`; there may be others.

use serde_json::Value;

use super::check;
use super::document::Document;
use super::exceptions::{self, ADDITIONS, DEFECTS, LEFT_OUT, PORTABLE, Remainder};
use super::page::Page;
use super::{findings, page};

const REQUESTS: &str = r#"
AddContributorRequest/properties                         | drop role                      | Missing at AddContributorRequest.role
CreateWebsiteDetails/properties                          | drop privacyLevel              | Missing at CreateWebsiteDetails.privacyLevel
/paths/~1v2~13as~1customers/post                         | drop requestBody               | Missing at create_customer
AddContributorRequest/required                           | put ["role"]                   | Required at AddContributorRequest.intpCustomerId
CreateWebsiteRequest/required                            | put ["website"]                | Required at CreateWebsiteRequest.intpc
CreateApiKeyRequest/required                             | put ["name","comment"]         | Required at CreateApiKeyRequest.comment
CreateApiKeyRequest/properties/comment                   | set type "number"              | Type at CreateApiKeyRequest.comment
CreateWebsiteRequest/properties/opts                     | put {"type":"boolean"}         | Type at CreateWebsiteRequest.opts
CreateApiKeyRequest/properties/expiresAt                 | drop format                    | Format at CreateApiKeyRequest.expiresAt
LoginWithApiKeyRequest/properties/apiKey                 | set format "uuid"              | Format at LoginWithApiKeyRequest.apiKey
CreateCustomerRequest/properties/email                   | set default "x"                | Default at CreateCustomerRequest.email
ContributorRole/enum                                     | put ["editor","dashboard"]     | Enum at AddContributorRequest.role
CreateCustomerRequest/properties/email                   | set enum ["a@example.com"]     | Enum at CreateCustomerRequest.email
CreateCustomerRequest/properties                         | set age {"type":"number"}      | Extra at CreateCustomerRequest.age
CreateCustomerRequest/properties/packageId               | drop x-provenance              | NoProvenance at CreateCustomerRequest.packageId
"#;

const PARAMETERS: &str = r#"
/paths/~1v2~13as~1customers/get/parameters/1             | set name "size"                | Missing at list_customers query pageSize
/paths/~1v2~13as~1customers/get/parameters/1             | set name "size"                | Extra at list_customers query size
/paths/~1v2~13as~1customers/get/parameters/0             | set in "header"                | Missing at list_customers query page
/paths/~1v2~13as~1customers/get/parameters/0             | set required false             | Required at list_customers query page
/paths/~1v2~13as~1packages/get/parameters/0              | set required true              | Required at list_packages query intpWebsiteId
/components/schemas/IntpWebsiteId                        | set type "integer"             | Type at list_packages query intpWebsiteId
/components/schemas/IntpWebsiteId                        | set enum ["a"]                 | Enum at list_packages query intpWebsiteId
/paths/~1v3~13as~1packages~1{packageId}~1assignments~1{targetId}/put/parameters/1/schema | set format "uuid" | Format at assign_package path targetId
"#;

const RESPONSES: &str = r##"
Website/properties                                       | drop stpResetAt                | Missing at Website.stpResetAt
Consumption/properties                                   | drop stpRateVisit              | Missing at Consumption.stpRateVisit
INTPCListResponse/properties                             | drop meta                      | Missing at INTPCListResponse.meta
ErrorBody/properties                                     | drop error                     | Missing at ErrorBody.error
/paths/~1v2~13as~1customers/get/responses/200            | drop content                   | Missing at list_customers
Website/properties/inTrial                               | set type "string"              | Sample at Website.inTrial
Website/required/0                                       | put "visaCustomerId"           | Sample at WebsiteResponse.payload
INTPC/properties/intpCustomerId                          | set format "uuid"              | Sample at INTPC.intpCustomerId
INTPC/properties/email                                   | set format "date-time"         | Sample at INTPC.email
Contributor/properties/email                             | set format "email"             | Sample at Contributor.email
Currency/type                                            | put "number"                   | Sample at Package.currency
Package/properties/price                                 | set multipleOf 1               | Sample at Package.price
Package/properties/price                                 | set example 13                 | Example at Package.price
Package/properties/price                                 | drop example                   | Example at Package.price
Package/properties                                       | set trial {"type":"boolean"}   | Extra at Package.trial
Package/properties/externalId                            | drop x-provenance              | NoProvenance at Package.externalId
PackageResponse/properties/payload                       | put {"type":"array"}           | Type at PackageResponse.payload
PackageListResponse/properties/payload/items             | put {"type":"string"}          | Type at PackageListResponse.payload[]
PackageListResponse/properties/payload/items/$ref        | put "#/components/schemas/INTPC" | Title at PackageListResponse.payload
INTPCListResponse/properties/meta/$ref                   | put "#/components/schemas/INTPC" | Title at INTPCListResponse.meta
/paths/~1v2~13as~1websites~1{intpWebsiteId}~1api-keys~1{apiKeyId}/delete/responses | set 200 {"content":{"application/json":{"schema":{"$ref":"#/components/schemas/INTPC"}}}} | Extra at INTPC
"##;

const OPERATIONS_AND_TOPICS: &str = r#"
/paths/~1v2~13as~1customers                              | drop post                      | Missing at create_customer
/paths/~1v2~13as~1customers/post                         | set operationId "post_customer" | Missing at create_customer
/paths                                                   | drop /v2/websites/{websiteId}/sessions | Missing at query_raw_sessions
/components/securitySchemes/apiKey                       | set name "Api-Key"             | Header at apiKey X-Api-Key
/components/securitySchemes/partnerToken                 | set scheme "basic"             | Type at partnerToken
/components/securitySchemes/partnerToken                 | set bearerFormat "PASETO"      | Missing at partnerToken
/components/securitySchemes/partnerToken                 | set description "RS256 `kid` `roles` \"intp\" `intp_id` `exp`" | Missing at partnerToken
/components/securitySchemes                              | drop partnerToken              | Missing at securitySchemes.partnerToken
ContributorRole/enum/2                                   | put "viewer"                   | Extra at ContributorRole
ContributorRole/enum/2                                   | put "viewer"                   | Missing at ContributorRole
"#;

const NO_LONGER_NEEDED: &str = r#"
/paths/~1v2~13as~1websites/get/parameters                | put []                         | list_websites query externalCustomerId
Subscription/properties/type                             | set example "aaas"             | Subscription.type
paginationMeta/properties/pageTotal                      | set example 100                | paginationMeta.pageTotal
Website/properties                                       | drop billingMode               | Website.billingMode
/components/securitySchemes/apiKey                       | set name "X-API-Key"           | apiKey X-API-Key
/components/securitySchemes                              | set customerToken {}           | securitySchemes.customerToken
"#;

#[test]
fn changed_request_is_reported() {
    assert_reported(REQUESTS, 15);
}

#[test]
fn changed_parameter_is_reported() {
    assert_reported(PARAMETERS, 8);
}

#[test]
fn changed_response_is_reported() {
    assert_reported(RESPONSES, 21);
}

#[test]
fn changed_operation_or_topic_is_reported() {
    assert_reported(OPERATIONS_AND_TOPICS, 10);
}

#[test]
fn unused_exception_is_reported() {
    for [pointer, change, unused] in cases(NO_LONGER_NEEDED) {
        let remainder = compared(pointer, change).unwrap();
        assert!(
            remainder.unused.contains(&unused),
            "{pointer}: {remainder:#?}"
        );
    }
}

#[test]
fn unparsed_page_does_not_pass() {
    let contract = Document::contract().unwrap();
    let nothing = Page::parse("").unwrap();
    let unknown = Page::parse("topic weather\n  in list\n    Rain").unwrap();

    let counts = check::operations(&nothing, &contract).unwrap().counts;
    assert_ne!(counts, super::ON_THE_PAGE);
    assert!(
        findings(&nothing, &contract).is_err(),
        "the topics are missing"
    );
    assert!(
        findings(&unknown, &contract).is_err(),
        "nothing compares this topic"
    );
}

/// Asserts that each of the changes is reported as its line expects.
fn assert_reported(table: &'static str, count: usize) {
    let cases = cases(table);
    assert_eq!(cases.len(), count);
    for [pointer, change, report] in cases {
        let found = compared(pointer, change).map(|remainder| remainder.findings);
        let hit = found.as_ref().is_ok_and(|found| {
            found
                .iter()
                .any(|finding| format!("{:?} at {}", finding.fault, finding.at) == report)
        });
        assert!(
            hit,
            "{pointer}: {change}: {report:?} is not among {found:#?}"
        );
    }
}

/// Returns the three columns of each line.
fn cases(table: &'static str) -> Vec<[&'static str; 3]> {
    table
        .lines()
        .filter_map(|line| {
            let (pointer, rest) = line.split_once('|')?;
            let (change, report) = rest.split_once('|')?;
            Some([pointer.trim(), change.trim(), report.trim()])
        })
        .collect()
}

/// Compares the changed contract with the page, and applies the exceptions.
fn compared(pointer: &str, change: &str) -> Result<Remainder, String> {
    let mut contract = Document::contract()?;
    let pointer = if pointer.starts_with('/') {
        pointer.to_owned()
    } else {
        format!("/components/schemas/{pointer}")
    };
    let node = contract
        .root
        .pointer_mut(&pointer)
        .ok_or("no such place in the contract")?;
    doctor(node, change)?;
    let findings = findings(&page()?, &contract)?;
    Ok(exceptions::apply(
        findings,
        &[DEFECTS, LEFT_OUT, PORTABLE, ADDITIONS],
    ))
}

/// Applies a change.
fn doctor(node: &mut Value, change: &str) -> Result<(), String> {
    let json = |text: &str| serde_json::from_str(text).map_err(|error| format!("{text}: {error}"));
    let (verb, rest) = change.split_once(' ').ok_or("no change")?;
    match (verb, node) {
        ("put", node) => *node = json(rest)?,
        ("drop", Value::Object(members)) => {
            members.shift_remove(rest).ok_or("nothing to drop")?;
        }
        ("set", Value::Object(members)) => {
            let (name, value) = rest.split_once(' ').ok_or("nothing to set")?;
            members.insert(name.to_owned(), json(value)?);
        }
        _ => return Err(format!("cannot {change}")),
    }
    Ok(())
}
