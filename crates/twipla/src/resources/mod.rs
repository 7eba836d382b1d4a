//! The resources of the API, one module each.
//!
//! A `…Ref` identifies one resource without sending a request; the requests that its
//! methods return are sent when awaited.

mod api_keys;
mod contributors;
mod customers;
mod domains;
mod package_change;
mod packages;
mod subscription_changes;
mod subscriptions;
mod websites;

pub use api_keys::{
    ApiKeys, ConfirmRotation, CreateApiKey, LoginWithApiKey, RotateApiKey, Rotation,
};
pub use contributors::Contributors;
pub use customers::{CreateCustomer, CustomerRef, Customers};
pub use domains::WhitelistedDomains;
pub use package_change::{ChangePackage, PackageChange};
pub use packages::{CreatePackage, FindPackage, ListPackages, PackageRef, Packages};
pub use subscription_changes::Upgrade;
pub use subscriptions::{AccountSubscription, WebsiteSubscription};
pub use websites::{CreateWebsite, CreateWebsiteFlat, WebsiteRef, Websites};
