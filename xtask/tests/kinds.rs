//! Kinds of changes that a vendor may make to its document, and what becomes of each: it works, or is refused with the
//! place and the remedy. None panics, and none switches off authentication, secrecy or openness in silence.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::needless_pass_by_value,
    reason = "a table of one change each"
)]

#[path = "support/folder.rs"]
mod folder;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use xtask::canonical::{Names, canonical, current};
use xtask::document;
use xtask::generate::generate;
use xtask::layout::Layout;
use xtask::normalise::normalise;
use xtask::{operations, overlay, secrets};

use self::folder::copy_folder;

const WEBSITE: &str = "/v2/3as/websites/{intpWebsiteId}";
const WEBSITES: &str = "/v2/3as/websites";

/// A kind of change: its name, and what it does to the canonical form of the current version.
type Kind = (&'static str, fn(&mut Value));

const KINDS: &[Kind] = &[
    ("nothing", |_| {}),
    // The document itself
    ("info: no version", |d| {
        d["info"].as_object_mut().unwrap().shift_remove("version");
    }),
    ("info: a number for a version", |d| {
        d["info"]["version"] = json!(3.1)
    }),
    ("info: a version that is no file name", |d| {
        d["info"]["version"] = json!("v3.1.0 (beta)")
    }),
    // Enums
    ("enum: values that differ in case", |d| {
        values(d, &["Monthly"])
    }),
    ("enum: an empty value", |d| values(d, &[""])),
    ("enum: keywords", |d| values(d, &["self", "type", "Self"])),
    ("enum: symbols", |d| values(d, &["=", "<", ">"])),
    ("enum: unknown", |d| values(d, &["unknown"])),
    ("enum: a value twice", |d| values(d, &["monthly"])),
    ("enum: null", |d| {
        extend(&mut schema(d, "BillingInterval")["enum"], json!([null]))
    }),
    ("enum: integers", |d| {
        property(d, "level", json!({ "type": "integer", "enum": [0, 1, 2] }))
    }),
    ("enum: mixed", |d| {
        property(d, "level", json!({ "enum": ["a", 1, null] }))
    }),
    ("enum: without a type", |d| {
        property(d, "level", json!({ "enum": ["a", "b"] }))
    }),
    ("enum: nullable", |d| {
        property(
            d,
            "level",
            json!({ "type": "string", "nullable": true, "enum": ["a", null] }),
        )
    }),
    ("enum: numbers with halves", |d| {
        property(d, "level", json!({ "type": "number", "enum": [0.5, 1] }))
    }),
    ("enum: flags", |d| {
        property(d, "level", json!({ "type": "boolean", "enum": [true] }))
    }),
    ("enum: only null", |d| {
        property(d, "level", json!({ "type": "string", "enum": [null] }))
    }),
    ("enum: none", |d| {
        property(d, "level", json!({ "type": "string", "enum": [] }))
    }),
    ("enum: accents and digits", |d| {
        values(d, &["1st", "año", "日本", "a-b", "a_b"])
    }),
    ("enum: in the query", |d| {
        parameter(
            d,
            json!({ "name": "status", "in": "query", "schema": { "type": "string", "enum": ["active", "inactive"] } }),
        )
    }),
    // Properties
    ("properties: dots and spaces", |d| {
        property(d, "a.b", json!({ "type": "string" }));
        property(d, "c-d e", json!({ "type": "string" }));
    }),
    ("properties: names that meet", |d| {
        property(d, "PackageId", json!({ "type": "string" }))
    }),
    ("properties: keywords", |d| {
        for name in ["self", "Self", "type", "crate", "super", "async", "1st"] {
            property(d, name, json!({ "type": "string" }));
        }
    }),
    ("properties: keywords, each once", |d| {
        for name in ["self", "type", "crate", "super", "async", "1st"] {
            property(d, name, json!({ "type": "string" }));
        }
    }),
    ("properties: no name", |d| {
        property(d, "", json!({ "type": "string" }))
    }),
    ("properties: underscore", |d| {
        property(d, "_", json!({ "type": "string" }))
    }),
    ("properties: required, not described", |d| {
        extend(&mut schema(d, "Website")["required"], json!(["nope"]))
    }),
    ("properties: all required", |d| {
        let names: Vec<String> = schema(d, "Website")["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        schema(d, "Website")["required"] = json!(names);
    }),
    ("properties: writeOnly in a reply", |d| {
        property(d, "code", json!({ "type": "string", "writeOnly": true }));
        extend(&mut schema(d, "Website")["required"], json!(["code"]));
    }),
    ("properties: readOnly in a request", |d| {
        let request = schema(d, "CreateCustomerRequest");
        request["properties"]["uuid"] = json!({ "type": "string", "readOnly": true });
        extend(&mut request["required"], json!(["uuid"]));
    }),
    ("properties: defaults of another type", |d| {
        schema(d, "CreateCustomerRequest")["properties"]["email"]["default"] = Value::Null;
        schema(d, "CreateWebsiteFlatRequest")["properties"]["domain"]["default"] = json!(5);
    }),
    // Strictness
    ("additionalProperties: true", |d| {
        schema(d, "Website")["additionalProperties"] = json!(true)
    }),
    ("additionalProperties: false", |d| {
        schema(d, "Website")["additionalProperties"] = json!(false)
    }),
    ("additionalProperties: a map", |d| {
        property(
            d,
            "labels",
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        )
    }),
    // Composition
    ("oneOf with a discriminator", |d| {
        let part = |name: &str| json!({ "type": "object", "required": ["k"], "properties": { "k": { "type": "string" }, name: { "type": "string" } } });
        schemas(d)["A"] = part("a");
        schemas(d)["B"] = part("b");
        property(
            d,
            "plan",
            json!({ "oneOf": [{ "$ref": "#/components/schemas/A" }, { "$ref": "#/components/schemas/B" }], "discriminator": { "propertyName": "k" } }),
        );
    }),
    ("anyOf of plain values", |d| {
        property(
            d,
            "plan",
            json!({ "anyOf": [{ "type": "string" }, { "type": "number" }] }),
        )
    }),
    ("anyOf of an object and null", |d| {
        property(
            d,
            "plan",
            json!({ "anyOf": [{ "$ref": "#/components/schemas/Package" }, { "type": "null" }] }),
        )
    }),
    ("oneOf of one", |d| {
        property(d, "plan", json!({ "oneOf": [{ "type": "string" }] }))
    }),
    ("allOf of several", |d| {
        property(
            d,
            "plan",
            json!({ "allOf": [{ "$ref": "#/components/schemas/Package" }, { "type": "object", "properties": { "extra": { "type": "string" } } }] }),
        )
    }),
    ("$ref with a description", |d| {
        property(
            d,
            "plan",
            json!({ "$ref": "#/components/schemas/Subscription", "description": "x" }),
        )
    }),
    ("a schema that holds itself", |d| {
        property(
            d,
            "children",
            json!({ "type": "array", "items": { "$ref": "#/components/schemas/Website" } }),
        );
        property(
            d,
            "parent",
            json!({ "$ref": "#/components/schemas/Website" }),
        );
    }),
    ("a schema that requires itself", |d| {
        property(
            d,
            "parent",
            json!({ "$ref": "#/components/schemas/Website" }),
        );
        extend(&mut schema(d, "Website")["required"], json!(["parent"]));
    }),
    ("inline objects", |d| {
        property(
            d,
            "owner",
            json!({ "type": "object", "properties": { "name": { "type": "string" }, "role": { "type": "string", "enum": ["a"] } } }),
        )
    }),
    ("an inline object that takes a derived name", |d| {
        property(
            d,
            "response",
            json!({ "type": "object", "properties": { "x": { "type": "string" } } }),
        )
    }),
    // Formats and types
    ("a number without a format", |d| {
        property(d, "visits", json!({ "type": "number" }))
    }),
    ("type: Object, Date, int", |d| {
        property(d, "f", json!({ "type": "Object" }));
        property(d, "g", json!({ "type": "Date" }));
        property(d, "h", json!({ "type": "int" }));
    }),
    ("format: date", |d| {
        property(
            d,
            "expiresOn",
            json!({ "type": "string", "format": "date" }),
        )
    }),
    ("format: DateTime", |d| {
        property(
            d,
            "expiresOn",
            json!({ "type": "string", "format": "DateTime" }),
        )
    }),
    ("a date becomes a number", |d| {
        property(d, "expiresAt", json!({ "type": "integer" }))
    }),
    ("format: ip", |d| {
        property(d, "ip", json!({ "type": "string", "format": "ip" }));
        property(d, "ip4", json!({ "type": "string", "format": "ipv4" }));
    }),
    ("formats of numbers", |d| {
        property(d, "a", json!({ "type": "integer", "format": "uint8" }));
        property(
            d,
            "b",
            json!({ "type": "integer", "format": "int32", "minimum": 0 }),
        );
        property(d, "c", json!({ "type": "integer", "format": "bigint" }));
        property(d, "e", json!({ "type": "number", "format": "decimal" }));
    }),
    ("type: file", |d| {
        property(d, "f", json!({ "type": "file" }))
    }),
    ("type: any", |d| property(d, "f", json!({ "type": "any" }))),
    ("type: String", |d| {
        property(d, "f", json!({ "type": "String" }))
    }),
    ("type: array without items", |d| {
        property(d, "f", json!({ "type": "array" }))
    }),
    ("type: unheard of", |d| {
        property(d, "f", json!({ "type": "money" }))
    }),
    ("a number becomes text", |d| {
        schema(d, "Consumption")["properties"]["stpLimit"] = json!({ "type": "string" })
    }),
    ("values that are not documented, documented", |d| {
        schema(d, "Subscription")["properties"]["type"] =
            json!({ "type": "string", "enum": ["website", "intpc", "aaas"] })
    }),
    // Parameters
    ("query: a list with commas", |d| {
        parameter(
            d,
            json!({ "name": "ids", "in": "query", "explode": false, "schema": { "type": "array", "items": { "type": "string" } } }),
        )
    }),
    ("query: a list", |d| {
        parameter(
            d,
            json!({ "name": "ids", "in": "query", "schema": { "type": "array", "items": { "type": "string" } } }),
        )
    }),
    ("query: an object", |d| {
        parameter(
            d,
            json!({ "name": "filter", "in": "query", "style": "deepObject", "schema": { "type": "object", "properties": { "a": { "type": "string" } } } }),
        )
    }),
    ("header: required", |d| {
        parameter(
            d,
            json!({ "name": "Accept-Language", "in": "header", "required": true, "schema": { "type": "string" } }),
        )
    }),
    ("a cookie", |d| {
        parameter(
            d,
            json!({ "name": "session", "in": "cookie", "schema": { "type": "string" } }),
        )
    }),
    ("a parameter that an overlay adds", |d| {
        parameter(
            d,
            json!({ "name": "page", "in": "query", "schema": { "type": "number" } }),
        )
    }),
    ("parameters of a path", |d| {
        let own = d["paths"][WEBSITE]["get"]["parameters"].take();
        for method in ["get", "delete"] {
            d["paths"][WEBSITE][method]
                .as_object_mut()
                .unwrap()
                .shift_remove("parameters");
        }
        d["paths"][WEBSITE]["parameters"] = own;
    }),
    ("a path parameter with a dash", |d| {
        add(
            d,
            "/v3/3as/things/{thing-id}",
            "get",
            operation("get_thing", &["thing-id"]),
        )
    }),
    // Bodies and responses
    ("multipart", |d| {
        let mut upload = operation("upload_logo", &["intpWebsiteId"]);
        upload["requestBody"] = json!({ "required": true, "content": { "multipart/form-data": { "schema": { "type": "object", "properties": { "f": { "type": "string", "format": "binary" } } } } } });
        add(d, "/v2/3as/websites/{intpWebsiteId}/logo", "post", upload);
    }),
    ("two content types", |d| {
        let content = &mut d["paths"][WEBSITES]["post"]["requestBody"]["content"];
        content["application/x-www-form-urlencoded"] = content["application/json"].clone();
    }),
    ("octets", |d| {
        let mut export = operation("export_website", &["intpWebsiteId"]);
        export["responses"] = json!({ "200": { "description": "f", "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } } } });
        add(d, "/v2/3as/websites/{intpWebsiteId}/export", "get", export);
    }),
    ("response: default", |d| {
        d["paths"][WEBSITES]["get"]["responses"]["default"] = json!({ "description": "error", "content": { "application/json": { "schema": { "type": "object", "properties": { "error": { "type": "string" } } } } } })
    }),
    ("response: 2XX", |d| {
        let responses = d["paths"][WEBSITES]["post"]["responses"]
            .as_object_mut()
            .unwrap();
        let created = responses.shift_remove("201").unwrap();
        responses.insert("2XX".to_owned(), created);
    }),
    ("response: 302", |d| {
        d["paths"][WEBSITES]["get"]["responses"]["302"] = json!({ "description": "redirect" })
    }),
    ("response: JSON with a charset", |d| {
        media(d, "application/json; charset=utf-8")
    }),
    ("response: JSON of a vendor", |d| {
        media(d, "application/vnd.api+json")
    }),
    ("response: problem details", |d| {
        d["paths"][WEBSITE]["get"]["responses"]["422"] = json!({ "description": "x", "content": { "application/problem+json": { "schema": { "type": "object", "properties": { "title": { "type": "string" } } } } } })
    }),
    ("response: no schema", |d| {
        d["paths"][WEBSITE]["get"]["responses"]["200"]["content"] =
            json!({ "application/json": { "example": { "payload": {} } } })
    }),
    ("response: a list", |d| {
        reply(
            d,
            json!({ "type": "array", "items": { "$ref": "#/components/schemas/Website" } }),
        )
    }),
    ("response: a number", |d| {
        reply(d, json!({ "type": "integer" }))
    }),
    ("a body that is not required", |d| {
        d["paths"][WEBSITES]["post"]["requestBody"]
            .as_object_mut()
            .unwrap()
            .shift_remove("required");
    }),
    // Paths and operations
    ("path: a slash at the end", |d| {
        add(d, "/v3/3as/things/", "get", operation("list_things", &[]))
    }),
    ("path: other case", |d| {
        let item = d["paths"]
            .as_object_mut()
            .unwrap()
            .shift_remove(WEBSITE)
            .unwrap();
        d["paths"]["/v2/3as/Websites/{intpWebsiteId}"] = item;
    }),
    ("path: an action after a colon", |d| {
        add(
            d,
            "/v2/3as/websites/{intpWebsiteId}:archive",
            "post",
            operation("archive_website", &["intpWebsiteId"]),
        )
    }),
    ("operationId: twice", |d| {
        d["paths"][WEBSITE]["get"]["operationId"] = json!("list_websites")
    }),
    ("operationId: camelCase", |d| {
        d["paths"][WEBSITE]["get"]["operationId"] = json!("getWebsite")
    }),
    ("operationId: a controller", |d| {
        d["paths"][WEBSITE]["get"]["operationId"] = json!("WebsitesController_findOne")
    }),
    ("operationId: a controller, new", |d| {
        add(
            d,
            "/v3/3as/things",
            "get",
            operation("ThingsController_findAll", &[]),
        )
    }),
    ("operationId: none, new", |d| {
        let mut new = operation("", &[]);
        new.as_object_mut().unwrap().shift_remove("operationId");
        add(d, "/v3/3as/things", "get", new);
    }),
    ("operationId: twice, new", |d| {
        add(d, "/v3/3as/things", "get", operation("things", &[]));
        add(d, "/v3/3as/things", "post", operation("things", &[]));
    }),
    ("operationId: methods of the client", |d| {
        add(d, "/v3/3as/things", "get", operation("client", &[]));
        add(d, "/v3/3as/things", "post", operation("baseurl", &[]));
    }),
    ("an operation that an overlay adds", |d| {
        add(
            d,
            "/v2/3as/websites/{intpWebsiteId}/whitelisted-domains",
            "get",
            operation("get_whitelisted_domains", &["intpWebsiteId"]),
        )
    }),
    ("no tags", |d| {
        d["paths"][WEBSITE]["get"]
            .as_object_mut()
            .unwrap()
            .shift_remove("tags");
    }),
    ("descriptions with code", |d| {
        d["paths"][WEBSITES]["post"]["description"] =
            json!("Example:\n\n    let x = compile_me();\n\n```\nthis is not rust\n```")
    }),
    ("examples that do not fit", |d| {
        schema(d, "Website")["properties"]["createdAt"]["example"] = json!(42);
        d["paths"][WEBSITES]["post"]["requestBody"]["content"]["application/json"]["example"] =
            json!("not json {");
    }),
    // Servers
    (
        "servers: variables",
        |d| d["servers"] = json!([{ "url": "https://{env}.visitor-analytics.io", "variables": { "env": { "default": "api-gateway" } } }]),
    ),
    (
        "servers: variables in host and path",
        |d| d["servers"] = json!([{ "url": "https://{env}.visitor-analytics.io/{basePath}", "variables": { "env": { "default": "api-gateway", "enum": ["api-gateway", "stage"] }, "basePath": { "default": "v9" } } }]),
    ),
    (
        "servers: a path that starts every path",
        |d| d["servers"] = json!([{ "url": "https://api-gateway.visitor-analytics.io/v2" }]),
    ),
    ("servers: another host", |d| {
        d["servers"] = json!([{ "url": "https://api.twipla.com" }])
    }),
    // Authentication and secrets
    ("security: OAuth", |d| {
        d["components"]["securitySchemes"]["oauth"] = json!({ "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": "https://example.com/token", "scopes": {} } } });
        d["paths"][WEBSITE]["get"]["security"] = json!([{ "oauth": [] }]);
    }),
    ("security: none", |d| {
        d.as_object_mut().unwrap().shift_remove("security");
    }),
    ("security: optional", |d| {
        d["security"] = json!([{ "partnerToken": [] }, {}])
    }),
    ("security: off for an operation", |d| {
        d["paths"][WEBSITE]["get"]["security"] = json!([])
    }),
    ("security: an empty requirement", |d| {
        d["paths"][WEBSITE]["get"]["security"] = json!([{}])
    }),
    ("security: renamed", |d| {
        let scheme = d["components"]["securitySchemes"]
            .as_object_mut()
            .unwrap()
            .shift_remove("partnerToken")
            .unwrap();
        d["components"]["securitySchemes"]["bearerAuth"] = scheme;
        d["security"] = json!([{ "bearerAuth": [] }]);
    }),
    ("secrets: a schema is renamed", |d| {
        rename(d, "LoginWithApiKeyRequest", "LoginRequest")
    }),
    ("secrets: a field is renamed", |d| {
        let login = schema(d, "LoginWithApiKeyRequest");
        let key = login["properties"]
            .as_object_mut()
            .unwrap()
            .shift_remove("apiKey")
            .unwrap();
        login["properties"]["api_key"] = key;
        login["required"] = json!(["api_key", "websiteId"]);
    }),
    ("secrets: a new field in an inline object", |d| {
        property(
            d,
            "login",
            json!({ "type": "object", "properties": { "refreshToken": { "type": "string" } } }),
        )
    }),
    ("secrets: new fields in a request", |d| {
        for name in ["secret", "password", "token"] {
            schema(d, "CreateCustomerRequest")["properties"][name] = json!({ "type": "string" });
        }
    }),
    ("secrets: a new field", |d| {
        property(d, "privateKey", json!({ "type": "string" }))
    }),
    // Names of schemas
    ("schema: names of Rust", |d| {
        for name in [
            "String", "Box", "Error", "Default", "Option", "Vec", "Result",
        ] {
            schemas(d)[name] =
                json!({ "type": "object", "properties": { "a": { "type": "string" } } });
            property(
                d,
                &format!("s{name}"),
                json!({ "$ref": format!("#/components/schemas/{name}") }),
            );
        }
    }),
    ("schema: a name with dots", |d| {
        schemas(d)["Twipla.Api.Dto.Thing"] =
            json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        property(
            d,
            "s",
            json!({ "$ref": "#/components/schemas/Twipla.Api.Dto.Thing" }),
        );
    }),
    ("schema: a list with a name", |d| {
        schemas(d)["Tags"] = json!({ "type": "array", "items": { "type": "string" } });
        property(d, "labels", json!({ "$ref": "#/components/schemas/Tags" }));
    }),
    ("schema: text with a name", |d| {
        schemas(d)["Domain"] = json!({ "type": "string", "minLength": 1 });
        property(
            d,
            "domain",
            json!({ "$ref": "#/components/schemas/Domain" }),
        );
    }),
    ("schema: every name is another", |d| {
        let names: Vec<String> = schemas(d).as_object().unwrap().keys().cloned().collect();
        for name in names {
            rename(d, &name, &format!("{name}Dto"));
        }
    }),
    // Versions of OpenAPI, and references
    ("OpenAPI 3.1", |d| d["openapi"] = json!("3.1.0")),
    ("OpenAPI 3.1: types, webhooks", |d| {
        d["openapi"] = json!("3.1.0");
        d["webhooks"] = json!({});
        property(d, "plan", json!({ "type": ["string", "null"] }));
    }),
    ("OpenAPI 3.1: keywords", |d| {
        d["openapi"] = json!("3.1.1");
        property(
            d,
            "plan",
            json!({ "const": "a", "examples": ["a"], "$comment": "c" }),
        );
        property(
            d,
            "size",
            json!({ "type": "number", "exclusiveMinimum": 0, "if": {}, "then": {} }),
        );
        property(
            d,
            "pair",
            json!({ "type": "array", "prefixItems": [{ "type": "string" }] }),
        );
        property(d, "both", json!({ "type": ["string", "number"] }));
    }),
    ("OpenAPI 3.2", |d| d["openapi"] = json!("3.2.0")),
    ("Swagger 2.0", |d| {
        d.as_object_mut().unwrap().shift_remove("openapi");
        d["swagger"] = json!("2.0");
    }),
    ("$ref: another file", |d| {
        property(d, "s", json!({ "$ref": "./schemas/thing.yaml" }))
    }),
    ("$ref: a deep pointer", |d| {
        property(
            d,
            "s",
            json!({ "$ref": "#/components/schemas/Package/properties/name" }),
        )
    }),
    ("$ref: into a path", |d| {
        d["paths"][WEBSITES]["post"]["responses"]["201"]["content"]["application/json"]["schema"] = json!({ "$ref": "#/paths/~1v2~13as~1websites~1{intpWebsiteId}/get/responses/200/content/application~1json/schema" })
    }),
    ("$ref: nothing", |d| {
        property(d, "s", json!({ "$ref": "#/components/schemas/Gone" }))
    }),
    ("$ref: parameters, bodies, responses", |d| {
        d["components"]["parameters"] =
            json!({ "Id": d["paths"][WEBSITE]["get"]["parameters"][0] });
        d["paths"][WEBSITE]["get"]["parameters"] =
            json!([{ "$ref": "#/components/parameters/Id" }]);
        d["components"]["requestBodies"] =
            json!({ "Create": d["paths"][WEBSITES]["post"]["requestBody"] });
        d["paths"][WEBSITES]["post"]["requestBody"] =
            json!({ "$ref": "#/components/requestBodies/Create" });
        d["components"]["responses"]["Ok"] = d["paths"][WEBSITE]["get"]["responses"]["200"].clone();
        d["paths"][WEBSITE]["get"]["responses"]["200"] =
            json!({ "$ref": "#/components/responses/Ok" });
    }),
    ("$ref: a path item", |d| {
        let item = d["paths"][WEBSITE].take();
        d["components"]["pathItems"] = json!({ "Website": item });
        d["paths"][WEBSITE] = json!({ "$ref": "#/components/pathItems/Website" });
    }),
];

fn schemas(document: &mut Value) -> &mut Value {
    &mut document["components"]["schemas"]
}

fn schema<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    &mut schemas(document)[name]
}

/// Another field of a website.
fn property(document: &mut Value, name: &str, value: Value) {
    schema(document, "Website")["properties"][name] = value;
}

/// More values of the billing interval.
fn values(document: &mut Value, more: &[&str]) {
    extend(
        &mut schema(document, "BillingInterval")["enum"],
        json!(more),
    );
}

fn extend(list: &mut Value, mut more: Value) {
    list.as_array_mut()
        .unwrap()
        .append(more.as_array_mut().unwrap());
}

/// Another parameter of `GET /websites`.
fn parameter(document: &mut Value, parameter: Value) {
    let operation = &mut document["paths"][WEBSITES]["get"];
    if operation.get("parameters").is_none() {
        operation["parameters"] = json!([]);
    }
    extend(&mut operation["parameters"], json!([parameter]));
}

fn add(document: &mut Value, path: &str, method: &str, operation: Value) {
    document["paths"][path][method] = operation;
}

fn operation(id: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    json!({
        "operationId": id,
        "tags": ["websites"],
        "summary": "A thing",
        "description": "A thing.",
        "x-provenance": { "basis": "documented", "source": "page" },
        "parameters": parameters,
        "responses": { "200": { "description": "ok", "content": { "application/json": { "schema": {
            "type": "object", "required": ["payload"],
            "properties": { "payload": { "$ref": "#/components/schemas/Website" } } } } } } },
    })
}

/// A new operation that returns this.
fn reply(document: &mut Value, schema: Value) {
    let mut new = operation("get_things", &[]);
    new["responses"]["200"]["content"]["application/json"]["schema"] = schema;
    add(document, "/v3/3as/things", "get", new);
}

/// Another content type of a reply.
fn media(document: &mut Value, name: &str) {
    let content = &mut document["paths"][WEBSITE]["get"]["responses"]["200"]["content"];
    *content = json!({ name: content["application/json"] });
}

fn rename(document: &mut Value, from: &str, to: &str) {
    let text = document.to_string();
    let text = text.replace(&format!("schemas/{from}\""), &format!("schemas/{to}\""));
    *document = serde_json::from_str(&text).unwrap();
    let all = schemas(document).as_object_mut().unwrap();
    *all = std::mem::take(all)
        .into_iter()
        .map(|(name, schema)| (if name == from { to.to_owned() } else { name }, schema))
        .collect();
}

/// What every change starts from.
struct Base {
    layout: Layout,
    names: Names,
    /// The canonical form of the current version.
    current: Value,
    /// The contract as it is committed.
    contract: Value,
}

impl Base {
    fn new() -> Self {
        let layout = Layout::here().unwrap();
        Self {
            names: Names::load(&layout).unwrap(),
            current: current(&layout).unwrap().0,
            contract: document::parse(&fs::read(layout.contract()).unwrap()).unwrap(),
            layout,
        }
    }

    /// The generated files after a change: types, requests and operations.
    fn files(&self, change: fn(&mut Value)) -> anyhow::Result<[String; 3]> {
        let mut document = self.current.clone();
        document["info"]["version"] = json!("3.1.0");
        change(&mut document);
        let (form, _) = canonical(&document, &self.names, Some(&self.current))?;
        let contract = overlay::corrected(&self.layout, form)?;
        secrets::check(Some(&self.contract), &contract)?;
        let client = generate(&normalise(&contract)?.0)?;
        Ok([
            client.types,
            client.requests,
            operations::generate(&contract)?,
        ])
    }
}

#[test]
fn every_kind_works_or_is_refused() {
    let base = Base::new();
    let rows = |kinds: &[Kind]| -> Vec<String> {
        let row = |(name, change): &Kind| match base.files(*change) {
            Ok(_) => format!("| {name} | works |"),
            Err(error) => format!(
                "| {name} | {} |",
                format!("{error:#}").replace('\n', "<br>")
            ),
        };
        kinds.iter().map(row).collect()
    };
    let half = KINDS.len() / 2;
    let mut table = vec![
        "| change | what happens |".to_owned(),
        "|---|---|".to_owned(),
    ];
    thread::scope(|scope| {
        let first = scope.spawn(|| rows(&KINDS[..half]));
        let second = rows(&KINDS[half..]);
        table.extend(first.join().unwrap());
        table.extend(second);
    });
    insta::assert_snapshot!("kinds", table.join("\n"));
}

#[test]
#[ignore = "compiles the client once for each kind: a few minutes"]
fn every_kind_that_works_compiles() {
    let base = Base::new();
    let layout = &base.layout;
    let folder = tempfile::tempdir().unwrap();
    let manifest = fs::read_to_string(layout.root().join("Cargo.toml")).unwrap();
    let mut manifest: toml_edit::DocumentMut = manifest.parse().unwrap();
    for key in ["members", "default-members"] {
        let only = toml_edit::Array::from_iter(["crates/twipla-api"]);
        manifest["workspace"][key] = toml_edit::value(only);
    }
    fs::write(folder.path().join("Cargo.toml"), manifest.to_string()).unwrap();
    fs::copy(
        layout.root().join("Cargo.lock"),
        folder.path().join("Cargo.lock"),
    )
    .unwrap();
    copy_folder(
        &layout.root().join("crates/twipla-api"),
        &folder.path().join("crates/twipla-api"),
    );
    let copy = Layout::at(folder.path());
    let mut broken = String::new();
    for (name, change) in KINDS {
        let Ok(files) = base.files(*change) else {
            continue;
        };
        for (file, text) in ["types", "requests", "operations"].iter().zip(files) {
            fs::write(copy.generated(file), text).unwrap();
        }
        let result = Command::new(env!("CARGO"))
            .args([
                "check",
                "--quiet",
                "--offline",
                "--all-features",
                "-p",
                "twipla-api",
            ])
            .current_dir(folder.path())
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        if !result.status.success() {
            writeln!(
                broken,
                "{name}: {}",
                String::from_utf8_lossy(&result.stderr)
            )
            .unwrap();
        }
    }
    assert!(broken.is_empty(), "{broken}");
}
