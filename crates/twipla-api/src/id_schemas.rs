//! JSON Schemas of the ids under the feature `schemars`, named as in the contract.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use uuid::Uuid;

use crate::ids::{ApiKeyId, CustomerId, PackageId, PartnerId, TwiplaWebsiteId, WebsiteId};

/// Accepts any text: an id is validated when a call uses it.
fn text_id(description: &str) -> Schema {
    json_schema!({ "description": description, "type": "string" })
}

fn uuid_id(description: &str, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Uuid::json_schema(generator);
    schema.insert("description".to_owned(), description.into());
    schema
}

macro_rules! json_schemas {
    ($($id:ident as $name:literal: |$generator:ident| $schema:expr;)*) => {$(
        impl JsonSchema for $id {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($id)).into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

json_schemas! {
    CustomerId as "IntpCustomerId": |_generator| text_id("A customer, by the id that the partner chose for it.");
    WebsiteId as "IntpWebsiteId": |_generator| text_id("A website, by the id that the partner chose for it.");
    ApiKeyId as "ApiKeyId": |_generator| text_id("The id of an API key, not the key itself.");
    PackageId as "PackageId": |generator| uuid_id("A package: a uuid that TWIPLA issued.", generator);
    TwiplaWebsiteId as "TwiplaWebsiteId": |generator| uuid_id("A website, by the uuid that TWIPLA gave it.", generator);
    PartnerId as "IntpId": |generator| uuid_id("A partner: a uuid that TWIPLA issued.", generator);
}
