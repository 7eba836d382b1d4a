//! Operations: parameters, bodies, responses, paths, ids and servers.

use serde_json::json;

use super::change::{Kind, WEBSITE, WEBSITES, add, media, operation, parameter, reply, schema};

pub(crate) const KINDS: &[Kind] = &[
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
    ("query: a list that is required", |d| {
        parameter(
            d,
            json!({ "name": "ids", "in": "query", "required": true, "schema": { "type": "array", "items": { "type": "string" } } }),
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
    ("headers that every request has", |d| {
        for name in ["Authorization", "Authentication", "Accept", "content-type"] {
            parameter(
                d,
                json!({ "name": name, "in": "header", "required": true, "schema": { "type": "string" } }),
            );
        }
    }),
    ("query: one of several types", |d| {
        parameter(
            d,
            json!({ "name": "q", "in": "query", "schema": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] } }),
        )
    }),
    ("query: a document inside", |d| {
        parameter(
            d,
            json!({ "name": "filter", "in": "query", "content": { "application/json": { "schema": { "type": "object" } } } }),
        )
    }),
    ("query: as Swagger 2 writes it, and twice", |d| {
        for _ in 0..2 {
            parameter(
                d,
                json!({ "name": "sort", "in": "query", "type": "string", "enum": ["a", "b"] }),
            );
        }
    }),
    (
        "path parameters that are not described, not required, not there",
        |d| {
            let mut thing = operation("get_thing", &["gone"]);
            thing["parameters"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "name": "b", "in": "path", "schema": { "type": "integer" } }));
            add(d, "/v3/3as/things/{a}/{b}", "get", thing);
        },
    ),
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
    (
        "a body of any type, one without content, one without a schema",
        |d| {
            for (id, body) in [
                (
                    "make_a",
                    json!({ "content": { "*/*": { "schema": { "$ref": "#/components/schemas/CreateCustomerRequest" } } } }),
                ),
                ("make_b", json!({ "required": true })),
                (
                    "make_d",
                    json!({ "content": { "application/json": { "schema": { "type": "string" } } } }),
                ),
                (
                    "make_c",
                    json!({ "content": { "application/json": { "encoding": {} } } }),
                ),
            ] {
                let mut new = operation(id, &[]);
                new["requestBody"] = body;
                add(d, &format!("/v3/3as/{id}"), "post", new);
            }
        },
    ),
    ("a form", |d| {
        let mut new = operation("make_thing", &[]);
        new["requestBody"] = json!({ "content": { "application/x-www-form-urlencoded": { "schema": { "type": "object" } } } });
        add(d, "/v3/3as/things", "post", new);
    }),
    (
        "no responses, none that is a success, none that is described",
        |d| {
            for (id, responses) in [
                ("get_a", json!(null)),
                ("get_b", json!({ "404": { "description": "x" } })),
                ("get_c", json!({ "200": {} })),
            ] {
                let mut new = operation(id, &[]);
                new["responses"] = responses;
                add(d, &format!("/v3/3as/{id}"), "get", new);
            }
        },
    ),
    ("two successes with different bodies", |d| {
        let mut new = operation("get_thing", &[]);
        new["responses"]["201"] = json!({ "description": "x", "content": { "application/json": { "schema": { "type": "string" } } } });
        add(d, "/v3/3as/things", "get", new);
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
    ("path: as Express and routers write it", |d| {
        let item = d["paths"]
            .as_object_mut()
            .unwrap()
            .shift_remove(WEBSITE)
            .unwrap();
        d["paths"]["/v2/3as/websites/:intpWebsiteId"] = item;
        add(
            d,
            "/v3/3as/things/{thing:[0-9]+}",
            "get",
            operation("get_thing", &["thing"]),
        );
    }),
    ("path: with a query", |d| {
        add(
            d,
            "/v3/3as/things?kind=a",
            "get",
            operation("list_things", &[]),
        )
    }),
    ("options, trace and callbacks", |d| {
        add(d, WEBSITE, "options", operation("preflight", &[]));
        add(d, WEBSITE, "trace", operation("trace_website", &[]));
        d["paths"][WEBSITES]["post"]["callbacks"] =
            json!({ "onData": { "{$request.body#/url}": {} } });
    }),
    ("servers of a path", |d| {
        d["paths"][WEBSITE]["servers"] = json!([{ "url": "https://other.example.com" }])
    }),
    ("operationId: words of Rust, digits first", |d| {
        for (index, id) in ["type", "self", "match", "1st"].into_iter().enumerate() {
            add(
                d,
                &format!("/v3/3as/things{index}"),
                "get",
                operation(id, &[]),
            );
        }
    }),
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
];
