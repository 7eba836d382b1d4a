//! JSON Schemas of the types that are written by hand, under the feature `schemars`.
//!
//! Each says what the type's JSON is: what serde reads and writes, or what
//! travels in its place. The generated types have theirs from `twipla-api`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use uuid::Uuid;

use crate::ids::{
    ApiKeyId, CustomerId, MAX_ID_BYTES, PackageId, PartnerId, TwiplaWebsiteId, WebsiteId,
};
use crate::{Dimension, IframeMessage, Metric};

string_ids! {
    CustomerId: "A customer, by the id that the partner chose for it.", not { "enum": [".", ".."] };
    WebsiteId: "A website, by the id that the partner chose for it.", not { "enum": [".", ".."] };
    ApiKeyId: "The id of an API key, not the key itself.",
        not { "anyOf": [{ "enum": [".", ".."] }, { "pattern": "^twpl-" }] };
}

uuid_ids! {
    PackageId: "A package: a uuid that TWIPLA issued.";
    TwiplaWebsiteId: "A website, by the uuid that TWIPLA gave it.";
    PartnerId: "A partner: a uuid that TWIPLA issued.";
}

open_names! {
    Metric: "What to compute: one of the names that were observed, or any other.";
    Dimension: "What to group by: one of the names that were observed, or any other.";
}

/// The messages as the dashboard posts them. [`IframeMessage::parse`] puts up with more.
impl JsonSchema for IframeMessage {
    fn schema_name() -> Cow<'static, str> {
        "IframeMessage".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::IframeMessage").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Option<String>>();
        json_schema!({
            "description": "A message that the dashboard in an iframe posts to the page around it.",
            "type": "object",
            "required": ["type"],
            "oneOf": [
                {
                    "description": "The user wants another package.",
                    "properties": {
                        "type": { "const": "UPGRADE_BUTTON_CLICKED" },
                        "data": {
                            "type": ["object", "null"],
                            "properties": {
                                "intpWebsiteId": generator.subschema_for::<Option<WebsiteId>>(),
                                "intpCustomerId": generator.subschema_for::<Option<CustomerId>>(),
                                "packageName": text,
                                "packageId": generator.subschema_for::<Option<PackageId>>(),
                                "inTrial": generator.subschema_for::<Option<bool>>(),
                                "expiresAt": generator.subschema_for::<Option<chrono::DateTime<chrono::Utc>>>(),
                                "billingInterval": text,
                            },
                        },
                    },
                },
                {
                    "description": "A subscription was upgraded; what the message carries is not known.",
                    "properties": { "type": { "const": "SUBSCRIPTION_UPGRADED" } },
                },
                {
                    "description": "A message that this version does not know.",
                    "properties": {
                        "type": {
                            "type": "string",
                            "not": { "enum": ["UPGRADE_BUTTON_CLICKED", "SUBSCRIPTION_UPGRADED"] },
                        },
                    },
                },
            ],
        })
    }
}

/// Text of a limited length. The limit is in bytes, and no text has more characters than bytes.
macro_rules! string_ids {
    ($($name:ident: $description:literal, not $refused:tt;)*) => {$(
        impl JsonSchema for $name {
            names!($name);

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $description,
                    "type": "string",
                    "minLength": 1,
                    "maxLength": MAX_ID_BYTES,
                    "not": $refused,
                })
            }
        }
    )*};
}
use string_ids;

macro_rules! uuid_ids {
    ($($name:ident: $description:literal;)*) => {$(
        impl JsonSchema for $name {
            names!($name);

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let mut schema = Uuid::json_schema(generator);
                schema.insert("description".to_owned(), $description.into());
                schema
            }
        }
    )*};
}
use uuid_ids;

macro_rules! open_names {
    ($($name:ident: $description:literal;)*) => {$(
        impl JsonSchema for $name {
            names!($name);

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $description,
                    "anyOf": [
                        { "type": "string", "enum": $name::KNOWN },
                        { "type": "string", "description": "A name that this version does not know." },
                    ],
                })
            }
        }
    )*};
}
use open_names;

macro_rules! names {
    ($name:ident) => {
        fn schema_name() -> Cow<'static, str> {
            stringify!($name).into()
        }

        fn schema_id() -> Cow<'static, str> {
            concat!(module_path!(), "::", stringify!($name)).into()
        }
    };
}
use names;
