//! Schemas: enums, properties, strictness, composition, formats and types.

use serde_json::{Value, json};

use super::change::{
    Kind, WEBSITE, WEBSITES, extend, parameter, property, reply, schema, schemas, values,
};

pub(crate) const KINDS: &[Kind] = &[
    ("nothing", |_| {}),
    // The document itself
    ("info: no version", |d| {
        d["info"].as_object_mut().unwrap().shift_remove("version");
    }),
    ("info: a number for a version", |d| {
        d["info"]["version"] = json!(3.1)
    }),
    ("info: a version that cannot be a file name", |d| {
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
    ("oneOf in a list, a map, a body and a reply", |d| {
        let choice =
            json!({ "oneOf": [{ "$ref": "#/components/schemas/Package" }, { "type": "string" }] });
        property(d, "plans", json!({ "type": "array", "items": choice }));
        property(
            d,
            "prices",
            json!({ "type": "object", "additionalProperties": choice }),
        );
        schema(d, "CreateCustomerRequest")["properties"]["plan"] = choice.clone();
        schemas(d)["Choice"] = choice;
        reply(d, json!({ "$ref": "#/components/schemas/Choice" }));
    }),
    ("oneOf with a secret in it", |d| {
        property(
            d,
            "login",
            json!({ "oneOf": [{ "type": "string" }, { "$ref": "#/components/schemas/CreatedApiKey" }] }),
        )
    }),
    ("oneOf of titled constants", |d| {
        schemas(d)["BillingInterval"] = json!({ "oneOf": [
            { "const": "monthly", "title": "Monthly" }, { "const": "yearly", "title": "Yearly" }] })
    }),
    ("anyOf of what is required", |d| {
        schema(d, "CreateCustomerRequest")["anyOf"] =
            json!([{ "required": ["email"] }, { "required": ["id"] }])
    }),
    ("a discriminator beside properties, and not", |d| {
        schema(d, "Website")["discriminator"] = json!({ "propertyName": "status" });
        property(d, "f", json!({ "not": { "type": "null" } }));
    }),
    ("allOf of a reference and what describes it", |d| {
        property(
            d,
            "every",
            json!({ "allOf": [{ "$ref": "#/components/schemas/BillingInterval" }, { "nullable": true, "description": "x" }] }),
        );
        property(
            d,
            "code",
            json!({ "allOf": [{ "type": "string" }, { "maxLength": 3 }] }),
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
    ("types of other languages", |d| {
        for name in [
            "ObjectId",
            "timestamp",
            "bigint",
            "BigDecimal",
            "json",
            "map",
            "set",
            "int64",
            "",
        ] {
            property(d, &format!("f{name}"), json!({ "type": name }));
        }
    }),
    (
        "slips: required at the field, flags and keywords in quotes",
        |d| {
            property(d, "a", json!({ "type": "string", "required": true }));
            property(
                d,
                "b",
                json!({ "type": "object", "required": "c", "properties": { "c": { "type": "string" } } }),
            );
            property(
                d,
                "e",
                json!({ "type": "string", "nullable": "true", "enum": "x,y" }),
            );
            property(d, "g", json!({ "type": "boolean", "format": "int32" }));
            property(
                d,
                "h",
                json!({ "type": "object", "properties": [], "additionalProperties": "string" }),
            );
            property(
                d,
                "k",
                json!({ "type": "string", "properties": { "a": { "type": "string" } } }),
            );
            property(
                d,
                "i",
                json!({ "type": "array", "items": [{ "type": "string" }] }),
            );
            property(
                d,
                "j",
                json!({ "type": "string", "description": ["a"], "format": 3, "allOf": [] }),
            );
        },
    ),
    ("slips: fields without a value", |d| {
        property(d, "f", json!(null));
        property(
            d,
            "g",
            json!({ "type": "object", "properties": null, "description": null }),
        );
        d["paths"][WEBSITE]["get"]["security"] = json!(null);
        d["paths"][WEBSITES]["get"]["parameters"] = json!(null);
        d["paths"][WEBSITES]["post"]["description"] = json!(null);
        d["info"]["title"] = json!(null);
    }),
    ("slips: text for a schema", |d| {
        property(d, "f", json!("string"))
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
];
