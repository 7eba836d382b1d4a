//! Makes the calls of the facade.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use twipla::resources::{PackageChange, Rotation};
use twipla::types::{
    BillingInterval, Contributor, CreatedIntpc, Currency, Intpc, Package, PackageVisibility,
    Website,
};
use twipla::{NewCustomer, Outcome, Result, Twipla};

use super::ask::{Ask, Call, Change, List, NewWebsite, Owner, Trial, Way};

/// The result of a call, as far as the run uses it.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Nothing,
    /// The id that the server chose.
    Id(String),
    Website(Box<Website>),
    Rotation(Arc<Rotation>),
    /// From `change_to`.
    Moved(Way),
    /// What identifies the entries of a list; for a package name and id.
    Entries(Vec<String>),
    /// In bulk: it is as requested, by an unknown caller.
    Unchanged,
    /// In bulk: it was not tried.
    Skipped,
}

impl From<Website> for Reply {
    fn from(website: Website) -> Self {
        Self::Website(Box::new(website))
    }
}

impl From<CreatedIntpc> for Reply {
    fn from(customer: CreatedIntpc) -> Self {
        customer.website.map_or(Self::Nothing, Self::from)
    }
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::Nothing
    }
}

/// Makes a single call.
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
            create.await.map(Reply::from)
        }
        Ask::DeleteCustomer(id) => nothing(twipla.customer(id).delete().await),
        Ask::CreateWebsite(new) => create_website(twipla, new).await,
        Ask::CreateWebsiteFlat(new) => create_website_flat(twipla, new).await,
        Ask::ReadCustomer(id) => {
            let customer = twipla.customer(id).get().await?;
            Ok(Reply::Id(customer.intp_customer_id.to_string()))
        }
        Ask::ReadWebsite(id) => twipla.website(id).get().await.map(Reply::from),
        Ask::ReadPackage(id) => {
            let package = twipla.package(*id).get().await?;
            Ok(Reply::Id(package.id.to_string()))
        }
        Ask::ReadList(list) => entries(twipla, list).await.map(Reply::Entries),
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

/// Makes calls of one kind in bulk: creates or deletes of customers or of websites. The results are in the same order.
pub(super) async fn send_bulk(
    twipla: &Twipla,
    calls: &[Call],
    stop_on_error: bool,
) -> Result<Vec<Result<Reply>>> {
    let bulk = twipla.bulk().concurrency(3).stop_on_error(stop_on_error);
    let (mut customers, mut websites) = (Vec::new(), Vec::new());
    let (mut no_customers, mut no_websites) = (Vec::new(), Vec::new());
    for call in calls {
        match &call.ask {
            Ask::CreateCustomer {
                id,
                email,
                package,
                website,
            } => {
                let mut new = NewCustomer::new(id, email);
                if let Some(package) = package {
                    new = new.package(*package);
                }
                if let Some(site) = website {
                    new = new.website(&site.id, &site.domain);
                }
                customers.push(new);
            }
            Ask::CreateWebsite(site) => {
                let new = twipla::NewWebsite::new(&site.customer, &site.id, &site.domain);
                websites.push(match site.package {
                    Some(package) => new.package(package),
                    None => new,
                });
            }
            Ask::DeleteCustomer(id) => no_customers.push(id.clone()),
            Ask::DeleteWebsite(id) => no_websites.push(id.clone()),
            _ => {}
        }
    }
    Ok(if !customers.is_empty() {
        replies(bulk.create_customers(customers).await?.outcomes)
    } else if !websites.is_empty() {
        replies(bulk.create_websites(websites).await?.outcomes)
    } else if !no_customers.is_empty() {
        replies(bulk.delete_customers(no_customers).await?.outcomes)
    } else {
        replies(bulk.delete_websites(no_websites).await?.outcomes)
    })
}

fn replies<T: Into<Reply>>(outcomes: Vec<Outcome<T>>) -> Vec<Result<Reply>> {
    let reply = |outcome: Outcome<T>| match outcome {
        Outcome::Done(done) => Ok(done.into()),
        Outcome::Unchanged => Ok(Reply::Unchanged),
        Outcome::Failed(error) => Err(error),
        _ => Ok(Reply::Skipped),
    };
    outcomes.into_iter().map(reply).collect()
}

async fn entries(twipla: &Twipla, list: &List) -> Result<Vec<String>> {
    let website_id = |site: Website| site.intp_website_id.to_string();
    match list {
        List::Customers(paging) => {
            let list = twipla.customers().list().page_size(paging.size);
            let customers = list.prefetch(paging.prefetch).stream();
            let id = |customer: Intpc| customer.intp_customer_id.to_string();
            customers.map_ok(id).try_collect().await
        }
        List::Websites(paging) => {
            let list = twipla.websites().list().page_size(paging.size);
            let websites = list.prefetch(paging.prefetch).stream();
            websites.map_ok(website_id).try_collect().await
        }
        List::WebsitesOf(customer, paging) => {
            let list = twipla.customer(customer).websites().page_size(paging.size);
            let websites = list.prefetch(paging.prefetch).stream();
            websites.map_ok(website_id).try_collect().await
        }
        List::Keys(website) => {
            let keys = twipla.website(website).api_keys().list().await?;
            Ok(keys.into_iter().map(|key| key.id.to_string()).collect())
        }
        List::Contributors(website) => {
            let by_role = twipla
                .website(website)
                .contributors()
                .list()
                .await?
                .contributors;
            let all = [by_role.dashboard, by_role.editor, by_role.watcher].concat();
            let id = |contributor: Contributor| contributor.intp_customer_id.to_string();
            Ok(all.into_iter().map(id).collect())
        }
        List::Domains(website) => twipla.website(website).whitelisted_domains().list().await,
        List::Packages => {
            let packages = twipla.packages().list().await?;
            let entry = |package: Package| format!("{} {}", package.name, package.id);
            Ok(packages.into_iter().map(entry).collect())
        }
    }
}

fn way_of(change: &PackageChange) -> Way {
    match change {
        PackageChange::Upgraded(_) => Way::Upgrade,
        PackageChange::DowngradePlanned(_) => Way::Downgrade,
        PackageChange::Resumed(_) => Way::Resume,
        _ => Way::Nothing,
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
        Change::MoveTo { package, .. } => {
            let moved = subscription.change_to(*package).await;
            return moved.map(|change| Reply::Moved(way_of(&change)));
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
        Change::MoveTo { package, .. } => {
            let moved = subscription.change_to(*package).await;
            moved.map(|change| Reply::Moved(way_of(&change)))
        }
        Change::Downgrade(package) => nothing(subscription.downgrade(*package).await),
        Change::Cancel => nothing(subscription.cancel().await),
        Change::Resume => nothing(subscription.resume().await),
        Change::Deactivate => nothing(subscription.deactivate().await),
    }
}
