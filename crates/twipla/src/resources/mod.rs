//! The nouns of the API, one module each.
//!
//! A `…Ref` names one thing without asking the server for it; what it offers
//! is sent when awaited.

mod api_keys;
mod contributors;
mod customers;
mod domains;
mod packages;
mod subscriptions;
mod websites;

pub use api_keys::{ApiKeys, CreateApiKey, LoginWithApiKey, RotateApiKey, Rotation};
pub use contributors::Contributors;
pub use customers::{CreateCustomer, CustomerRef, Customers};
pub use domains::WhitelistedDomains;
pub use packages::{CreatePackage, ListPackages, PackageRef, Packages};
pub use subscriptions::{AccountSubscription, Upgrade, WebsiteSubscription};
pub use websites::{CreateWebsite, CreateWebsiteFlat, WebsiteRef, Websites};
