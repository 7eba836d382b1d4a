//! JSON Schemas of the hand-written types, under the feature `schemars`.
//!
//! Each describes the type's JSON: what serde reads and writes, or what
//! is sent in its place. The ids and the generated types have theirs from `twipla-api`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use twipla_api::ids::MAX_ID_BYTES;

use crate::ids::PackageId;
use crate::{Dimension, IframeMessage, Metric};

open_names! {
    Metric: "What to compute: one of the names that were observed, or any other.";
    Dimension: "What to group by: one of the names that were observed, or any other.";
}

/// Describes the messages as the dashboard posts them. [`IframeMessage::parse`] accepts more.
impl JsonSchema for IframeMessage {
    fn schema_name() -> Cow<'static, str> {
        "IframeMessage".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::IframeMessage").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Option<String>>();
        let checked_id = json_schema!({
            "type": ["string", "null"],
            "maxLength": MAX_ID_BYTES,
            "not": { "enum": [".", ".."] },
        });
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
                                "intpWebsiteId": checked_id,
                                "intpCustomerId": checked_id,
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
