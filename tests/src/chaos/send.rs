//! How the facade is asked.

use std::sync::Arc;

use twipla::resources::Rotation;
use twipla::types::{BillingInterval, Currency, PackageVisibility, Website};
use twipla::{Result, Twipla};

use super::ask::{Ask, Change, NewWebsite, Owner, Trial};

/// What came back, as far as the run looks at it.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Nothing,
    /// The id that the server chose.
    Id(String),
    Website(Box<Website>),
    Rotation(Arc<Rotation>),
}

impl From<Website> for Reply {
    fn from(website: Website) -> Self {
        Self::Website(Box::new(website))
    }
}

pub(super) async fn send(twipla: &Twipla, ask: &Ask) -> Result<Reply> {
    match ask {
        Ask::CreateCustomer {
            id,
            email,
            package,
            website,
        } => {
            let mut create = twipla.customers().create(id, email);
            if let Some(package) = package {
                create = create.package(*package);
            }
            if let Some(site) = website {
                create = create.website(&site.id, &site.domain);
                if let Some(package) = site.package {
                    create = create.website_package(package);
                }
            }
            let created = create.await?;
            Ok(created.website.map_or(Reply::Nothing, Reply::from))
        }
        Ask::DeleteCustomer(id) => nothing(twipla.customer(id).delete().await),
        Ask::CreateWebsite(new) => create_website(twipla, new).await,
        Ask::CreateWebsiteFlat(new) => create_website_flat(twipla, new).await,
        Ask::ReadWebsite(id) => twipla.website(id).get().await.map(Reply::from),
        Ask::DeleteWebsite(id) => nothing(twipla.website(id).delete().await),
        Ask::Change(Owner::Website(id), change) => change_website(twipla, id, change).await,
        Ask::Change(Owner::Customer(id), change) => change_account(twipla, id, change).await,
        Ask::CreateKey { website, name } => {
            let create = twipla.website(website).api_keys().create(name);
            create.await.map(|key| Reply::Id(key.id.to_string()))
        }
        Ask::RotateKey { website, key, .. } => {
            let rotation = twipla.website(website).api_keys().rotate(key).await;
            rotation.map(|rotation| Reply::Rotation(Arc::new(rotation)))
        }
        Ask::ConfirmRotation { rotation, .. } => nothing(rotation.confirm().await),
        Ask::AbandonRotation { rotation, .. } => nothing(rotation.abandon().await),
        Ask::DeleteKey { website, key } => {
            nothing(twipla.website(website).api_keys().delete(key).await)
        }
        Ask::AddContributor {
            website,
            customer,
            role,
        } => {
            let contributors = twipla.website(website).contributors();
            nothing(contributors.add(customer, role.clone()).await)
        }
        Ask::RemoveContributor { website, customer } => {
            let contributors = twipla.website(website).contributors();
            nothing(contributors.remove(customer).await)
        }
        Ask::AddDomain { website, domain } => {
            let domains = twipla.website(website).whitelisted_domains();
            nothing(domains.add(domain).await)
        }
        Ask::RemoveDomain { website, domain } => {
            let domains = twipla.website(website).whitelisted_domains();
            nothing(domains.remove(domain).await)
        }
        Ask::CreatePackage(name) => {
            let (currency, period) = (Currency::Eur, BillingInterval::Monthly);
            let create = twipla
                .packages()
                .create(name, 20_000, 14.99, currency, period);
            let created = create.visibility(PackageVisibility::Restricted).await;
            created.map(|package| Reply::Id(package.id.to_string()))
        }
        Ask::RenamePackage { package, name } => {
            nothing(twipla.package(*package).rename(name).await)
        }
        Ask::Assign { package, to } => {
            let package = twipla.package(*package);
            nothing(match to {
                Owner::Website(id) => package.assign_to_website(id).await,
                Owner::Customer(id) => package.assign_to_customer(id).await,
            })
        }
        Ask::Unassign { package, from } => {
            let package = twipla.package(*package);
            nothing(match from {
                Owner::Website(id) => package.unassign_from_website(id).await,
                Owner::Customer(id) => package.unassign_from_customer(id).await,
            })
        }
    }
}

fn nothing<T>(result: Result<T>) -> Result<Reply> {
    result.map(|_| Reply::Nothing)
}

async fn create_website(twipla: &Twipla, new: &NewWebsite) -> Result<Reply> {
    let websites = twipla.websites();
    let mut create = websites.create(&new.customer, &new.id, &new.domain);
    if let Some(package) = new.package {
        create = create.package(package);
    }
    if new.free_trial {
        create = create.unlimited_free_trial(true);
    }
    if let Some(level) = new.privacy_level {
        create = create.privacy_level(level);
    }
    create.await.map(Reply::from)
}

async fn create_website_flat(twipla: &Twipla, new: &NewWebsite) -> Result<Reply> {
    let websites = twipla.websites();
    let mut create = websites.create_flat(&new.customer, &new.id, &new.domain);
    if let Some(package) = new.package {
        create = create.package(package);
    }
    create.await.map(Reply::from)
}

async fn change_website(twipla: &Twipla, id: &str, change: &Change) -> Result<Reply> {
    let subscription = twipla.website(id).subscription();
    nothing(match change {
        Change::Upgrade {
            package,
            trial,
            pro_rate,
        } => {
            let upgrade = subscription.upgrade(*package);
            upgrade.trial(*trial != Trial::No).pro_rate(*pro_rate).await
        }
        Change::MoveTo(package) => {
            return nothing(subscription.change_to(*package).await);
        }
        Change::Downgrade(package) => subscription.downgrade(*package).await,
        Change::Cancel => subscription.cancel().await,
        Change::Resume => subscription.resume().await,
        Change::Deactivate => subscription.deactivate().await,
    })
}

async fn change_account(twipla: &Twipla, id: &str, change: &Change) -> Result<Reply> {
    let subscription = twipla.customer(id).subscription();
    match change {
        Change::Upgrade {
            package,
            trial,
            pro_rate,
        } => {
            let upgrade = subscription.upgrade(*package);
            nothing(upgrade.trial(*trial != Trial::No).pro_rate(*pro_rate).await)
        }
        Change::MoveTo(package) => nothing(subscription.change_to(*package).await),
        Change::Downgrade(package) => nothing(subscription.downgrade(*package).await),
        Change::Cancel => nothing(subscription.cancel().await),
        Change::Resume => nothing(subscription.resume().await),
        Change::Deactivate => nothing(subscription.deactivate().await),
    }
}
