//! Authentication, secrets, names of schemas, versions of OpenAPI and references.

use serde_json::json;

use super::change::{
    Kind, WEBSITE, WEBSITES, add, operation, parameter, property, rename, schema, schemas,
};

pub(crate) const KINDS: &[Kind] = &[
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
    ("security: each operation by itself", |d| {
        d["components"]["securitySchemes"] =
            json!({ "bearer": { "type": "http", "scheme": "Bearer", "bearerFormat": "JWT" } });
        d.as_object_mut().unwrap().shift_remove("security");
        let paths = d["paths"].as_object_mut().unwrap().values_mut();
        for operation in paths.flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
            if operation.get("security").is_none() {
                operation["security"] = json!([{ "bearer": [] }]);
            }
        }
    }),
    ("security: another scheme for an operation", |d| {
        d["components"]["securitySchemes"]["key"] =
            json!({ "type": "apiKey", "in": "header", "name": "x-api-key" });
        d["paths"][WEBSITE]["get"]["security"] = json!([{ "key": [] }]);
    }),
    ("security: two schemes to choose from", |d| {
        d["components"]["securitySchemes"]["key"] =
            json!({ "type": "apiKey", "in": "header", "name": "x-api-key" });
        d["security"] = json!([{ "partnerToken": [] }, { "key": [] }]);
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
    ("secrets: new fields in lists, maps and objects", |d| {
        let secret =
            json!({ "type": "object", "properties": { "accessToken": { "type": "string" } } });
        property(d, "auth", secret.clone());
        property(d, "grants", json!({ "type": "array", "items": secret }));
        property(
            d,
            "tokens",
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        );
        property(d, "code", json!({ "type": "string", "format": "password" }));
    }),
    ("secrets: in the path, the query and a header", |d| {
        for (place, name) in [("query", "token"), ("header", "X-Secret-Token")] {
            parameter(
                d,
                json!({ "name": name, "in": place, "schema": { "type": "string" } }),
            );
        }
        add(
            d,
            "/v3/3as/resets/{token}",
            "get",
            operation("get_reset", &["token"]),
        );
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
    (
        "schema: names that start with a digit, or are no names",
        |d| {
            let things = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
            for (name, reference) in [
                ("2FA", "2FA"),
                ("Page«Package»", "Page«Package»"),
                ("Page<Website>", "Page%3CWebsite%3E"),
                ("a/b", "a~1b"),
            ] {
                schemas(d)[name] = things.clone();
                property(
                    d,
                    &format!("f{}", reference.len()),
                    json!({ "$ref": format!("#/components/schemas/{reference}") }),
                );
            }
        },
    ),
    ("schema: one for requests and one for replies", |d| {
        let package = schema(d, "Package").clone();
        rename(d, "Package", "Package-Output");
        schemas(d)["Package-Input"] = package;
        schema(d, "CreateCustomerRequest")["properties"]["package"] =
            json!({ "$ref": "#/components/schemas/Package-Input" });
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
