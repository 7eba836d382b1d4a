//! Identifies the changes in the sandbox's log that belong to a call.

use std::collections::BTreeMap;
use std::fmt;

use twipla_sandbox::Commit;

use super::ask::{Ask, Change, List, Owner};

const WEBSITE: &str = "intpWebsiteId";
const CUSTOMER: &str = "intpCustomerId";
const PACKAGE: &str = "packageId";
const KEY: &str = "apiKeyId";

/// The changes of a call as they appear in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) operation: &'static str,
    ids: BTreeMap<&'static str, String>,
    name: Option<String>,
}

impl Trace {
    pub(super) fn of(ask: &Ask) -> Self {
        match ask {
            Ask::CreateCustomer { id, .. } => Self::new("create_customer").id(CUSTOMER, id),
            Ask::DeleteCustomer(id) => Self::new("delete_customer").id(CUSTOMER, id),
            Ask::CreateWebsite(new) => Self::new("create_website").id(WEBSITE, &new.id),
            Ask::CreateWebsiteFlat(new) => Self::new("create_website_flat").id(WEBSITE, &new.id),
            Ask::ReadCustomer(id) => Self::new("get_customer").id(CUSTOMER, id),
            Ask::ReadWebsite(id) => Self::new("get_website").id(WEBSITE, id),
            Ask::ReadPackage(id) => Self::new("get_package").id(PACKAGE, &id.to_string()),
            Ask::ReadList(list) => of_list(list),
            Ask::DeleteWebsite(id) => Self::new("delete_website").id(WEBSITE, id),
            Ask::Change(owner, change) => of_change(owner, change),
            Ask::CreateKey { website, name } | Ask::RotateKey { website, name, .. } => {
                Self::new("create_api_key").id(WEBSITE, website).name(name)
            }
            Ask::ConfirmRotation { website, rotation } => {
                of_key_deletion(website, rotation.old_key().as_str())
            }
            Ask::AbandonRotation { website, rotation } => {
                of_key_deletion(website, rotation.new_key().id.as_str())
            }
            Ask::DeleteKey { website, key } => of_key_deletion(website, key),
            Ask::AddContributor {
                website, customer, ..
            } => Self::new("add_contributor")
                .id(WEBSITE, website)
                .id(CUSTOMER, customer),
            Ask::RemoveContributor { website, customer } => Self::new("remove_contributor")
                .id(WEBSITE, website)
                .id(CUSTOMER, customer),
            Ask::AddDomain { website, domain } => Self::new("add_whitelisted_domain")
                .id(WEBSITE, website)
                .name(domain),
            Ask::RemoveDomain { website, domain } => Self::new("remove_whitelisted_domain")
                .id(WEBSITE, website)
                .name(domain),
            Ask::CreatePackage(name) => Self::new("create_package").name(name),
            Ask::RenamePackage { package, name } => Self::new("rename_package")
                .id(PACKAGE, &package.to_string())
                .name(name),
            Ask::Assign { package, to } => Self::new("assign_package")
                .id(PACKAGE, &package.to_string())
                .owner(to),
            Ask::Unassign { package, from } => Self::new("unassign_package")
                .id(PACKAGE, &package.to_string())
                .owner(from),
        }
    }

    pub(super) fn matches(&self, commit: &Commit) -> bool {
        let has = |(key, id): (&&'static str, &String)| commit.ids.get(key) == Some(id);
        commit.operation == self.operation
            && self.ids.iter().all(has)
            && (self.name.is_none() || self.name == commit.name)
    }

    fn new(operation: &'static str) -> Self {
        Self {
            operation,
            ids: BTreeMap::new(),
            name: None,
        }
    }

    fn id(mut self, key: &'static str, id: &str) -> Self {
        self.ids.insert(key, id.to_owned());
        self
    }

    fn owner(self, owner: &Owner) -> Self {
        let key = match owner {
            Owner::Website(_) => WEBSITE,
            Owner::Customer(_) => CUSTOMER,
        };
        self.id(key, owner.id())
    }

    fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }
}

/// For example `upgrade_website_subscription intpWebsiteId=w1 packageId=...`.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        for (key, id) in &self.ids {
            write!(f, " {key}={id}")?;
        }
        match &self.name {
            Some(name) => write!(f, " name={name}"),
            None => Ok(()),
        }
    }
}

fn of_change(owner: &Owner, change: &Change) -> Trace {
    let (of_website, of_account) = match change {
        Change::MoveTo { .. } => {
            return match change.sent() {
                Some(sent) => of_change(owner, &sent),
                None => Trace::new("change_to").owner(owner),
            };
        }
        Change::Upgrade { .. } => ("upgrade_website_subscription", "upgrade_intpc_subscription"),
        Change::Downgrade(_) => (
            "downgrade_website_subscription",
            "downgrade_intpc_subscription",
        ),
        Change::Cancel => ("cancel_website_subscription", "cancel_intpc_subscription"),
        Change::Resume => ("resume_website_subscription", "resume_intpc_subscription"),
        Change::Deactivate => (
            "deactivate_website_subscription",
            "deactivate_intpc_subscription",
        ),
    };
    let operation = match owner {
        Owner::Website(_) => of_website,
        Owner::Customer(_) => of_account,
    };
    let trace = Trace::new(operation).owner(owner);
    match change {
        Change::Upgrade { package, .. } | Change::Downgrade(package) => {
            trace.id(PACKAGE, &package.to_string())
        }
        _ => trace,
    }
}

fn of_list(list: &List) -> Trace {
    match list {
        List::Customers(_) => Trace::new("list_customers"),
        List::Websites(_) => Trace::new("list_websites"),
        List::WebsitesOf(customer, _) => Trace::new("list_websites").id(CUSTOMER, customer),
        List::Keys(website) => Trace::new("list_api_keys").id(WEBSITE, website),
        List::Contributors(website) => Trace::new("list_contributors").id(WEBSITE, website),
        List::Domains(website) => Trace::new("list_whitelisted_domains").id(WEBSITE, website),
        List::Packages => Trace::new("list_packages"),
    }
}

fn of_key_deletion(website: &str, key: &str) -> Trace {
    Trace::new("delete_api_key")
        .id(WEBSITE, website)
        .id(KEY, key)
}
