//! The Rust types that are compared with the contract, and their counterparts there.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use twipla::types as facade;
use twipla_api::types as wire;

use crate::reference::document::Document;

/// A Rust type with a JSON Schema.
pub(crate) struct RustType {
    /// Its path, as a user writes it.
    pub(crate) path: &'static str,
    /// Its counterpart in the contract, as a JSON pointer below `/components/schemas`.
    pub(crate) place: String,
    schema: fn(SchemaGenerator) -> Value,
    /// Deserialises and serialises a value. `None` for a type without serde.
    pub(crate) serde: Option<Serde>,
}

/// Converts a value through a type and back.
type Serde = fn(&Value) -> Result<Value, String>;

/// The direction of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Read,
    Written,
}

impl RustType {
    /// Returns the schema of its counterpart in the contract, if it exists.
    pub(crate) fn in_contract<'a>(&self, contract: &'a Document) -> Option<&'a Value> {
        let pointer = format!("/components/schemas/{}", self.place);
        contract.root.pointer(&pointer)
    }

    /// Returns the schema of what the type reads or writes.
    pub(crate) fn schema(&self, way: Way) -> Value {
        let settings = SchemaSettings::draft2020_12();
        let settings = match way {
            Way::Read => settings.for_deserialize(),
            Way::Written => settings.for_serialize(),
        };
        (self.schema)(settings.into_generator())
    }
}

/// Returns all types that are compared.
pub(crate) fn rust_types() -> Vec<RustType> {
    let mut types = named! { facade "twipla::types":
            ApiKey, BillingInterval, BillingMode, CompanyDetails, Consumption, Contributor, ContributorRole,
            ContributorsByRole, Count, CreatedApiKey, CreatedIntpc, Currency, DashboardTokens, Intpc, Package,
            PackageRestriction, PackageVisibility, Subscription, SubscriptionStatus, SubscriptionType, Website,
            WebsiteContributors,
    };
    types.extend(named! { wire "twipla_api::types":
            AddContributorRequest, AnalyticsCondition, AnalyticsDateRange, AnalyticsFilter, AnalyticsOrder,
            AnalyticsPagination, AnalyticsQuery, AnalyticsResponse, AnalyticsRow, ApiKeyListResponse,
            CompanyDetailsResponse, CreateApiKeyRequest, CreateCustomerRequest, CreateCustomerWebsite,
            CreatePackageRequest, CreateWebsiteDetails, CreateWebsiteFlatRequest, CreateWebsiteOptions,
            CreateWebsiteOwner, CreateWebsitePackage, CreateWebsiteRequest, CreatedApiKeyResponse,
            CreatedIntpcResponse, DashboardTokensResponse, DeactivatedIntpcSubscriptionResponse,
            DowngradeIntpcSubscriptionRequest, DowngradeWebsiteSubscriptionRequest, Graph, GraphDataset, GraphQuery, GraphResponse,
            IntpcListResponse, IntpcResponse, IntpcSubscriptionRequest, LoginWithApiKeyRequest, PackageListResponse,
            PackageResponse, RawSessionsQuery, RenamePackageRequest, SortDirection,
            SubscriptionResponse, UpgradeIntpcSubscriptionRequest, UpgradeWebsiteSubscriptionRequest,
            WebsiteContributorsResponse, WebsiteListResponse, WebsiteResponse, WebsiteSubscriptionRequest,
            WhitelistedDomainListResponse, WhitelistedDomainRequest,
    });
    types.extend(placed! {
        twipla::CustomerId => "IntpCustomerId", Some(through_serde::<twipla::CustomerId>);
        twipla::WebsiteId => "IntpWebsiteId", Some(through_serde::<twipla::WebsiteId>);
        twipla::ApiKeyId => "ApiKeyId", Some(through_serde::<twipla::ApiKeyId>);
        twipla::PackageId => "PackageId", Some(through_serde::<twipla::PackageId>);
        twipla::TwiplaWebsiteId => "TwiplaWebsiteId", Some(through_serde::<twipla::TwiplaWebsiteId>);
        twipla::PartnerId => "IntpId", Some(through_serde::<twipla::PartnerId>);
        twipla_api::PaginationMeta => "paginationMeta", Some(through_serde::<twipla_api::PaginationMeta>);
        twipla::Metric => "AnalyticsQuery/properties/metrics/items", None;
        twipla::Dimension => "AnalyticsQuery/properties/dimensions/items", None;
        twipla::Filter => "AnalyticsCondition", None;
        twipla::Order => "AnalyticsOrder", None;
        twipla::Row => "AnalyticsRow", None;
    });
    types
}

/// Types with the same name as their counterpart in the contract.
macro_rules! named {
    ($module:ident $path:literal: $($name:ident),* $(,)?) => {
        vec![$(RustType {
            path: concat!($path, "::", stringify!($name)),
            place: <$module::$name as JsonSchema>::schema_name().into_owned(),
            schema: schema::<$module::$name>,
            serde: Some(through_serde::<$module::$name>),
        }),*]
    };
}
use named;

/// Types with another name, or that represent a part of a schema.
macro_rules! placed {
    ($($krate:ident::$name:ident => $place:literal, $serde:expr;)*) => {
        [$(RustType {
            path: concat!(stringify!($krate), "::", stringify!($name)),
            place: $place.to_owned(),
            schema: schema::<$krate::$name>,
            serde: $serde,
        }),*]
    };
}
use placed;

fn schema<T: JsonSchema>(generator: SchemaGenerator) -> Value {
    let root = generator.into_root_schema_for::<T>().to_value();
    // A type alias has no schema itself.
    let behind = root["$ref"]
        .as_str()
        .and_then(|target| root.pointer(target.strip_prefix('#')?));
    behind.cloned().unwrap_or(root)
}

fn through_serde<T: DeserializeOwned + Serialize>(value: &Value) -> Result<Value, String> {
    let typed: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(typed).map_err(|error| error.to_string())
}
