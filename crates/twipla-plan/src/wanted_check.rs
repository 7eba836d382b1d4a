//! Validation of a file without asking a server.

use std::collections::{HashMap, HashSet};

use twipla::types::ContributorRole;
use twipla::{CustomerId, WebsiteId};

use crate::key::{Key, domain_key, email_key, key};
use crate::wanted::{WantedContributor, WantedCustomer, WantedWebsite};

/// The ids and addresses that came before in a file.
#[derive(Default)]
pub(crate) struct Seen {
    customers: HashSet<Key>,
    /// Each website with its customer.
    websites: HashMap<Key, Key>,
    emails: HashSet<Key>,
}

impl Seen {
    /// Checks a customer. The error completes "customer X: …".
    pub(crate) fn check(&mut self, customer: &WantedCustomer) -> Result<(), String> {
        CustomerId::new(&customer.id).map_err(|error| error.to_string())?;
        if !self.customers.insert(key(&customer.id)) {
            return Err("duplicate customer: list all of their websites together".to_owned());
        }
        let email = customer.email.trim();
        if !email.contains('@') || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!(
                "invalid e-mail address {email:?}: expected something like owner@example.com"
            ));
        }
        if !self.emails.insert(email_key(email)) {
            return Err(format!(
                "duplicate e-mail address {email:?}: each customer needs their own"
            ));
        }
        check_subscription(customer.package.as_deref(), customer.canceled)?;
        for website in &customer.websites {
            check_website(customer, website)
                .map_err(|problem| format!("website {:?}: {problem}", website.id))?;
            if let Some(owner) = self.websites.insert(key(&website.id), key(&customer.id)) {
                let whose = if owner == key(&customer.id) {
                    "here"
                } else {
                    "under another customer"
                };
                return Err(format!(
                    "duplicate website {:?}: already listed {whose}",
                    website.id
                ));
            }
        }
        Ok(())
    }
}

fn check_website(customer: &WantedCustomer, website: &WantedWebsite) -> Result<(), String> {
    WebsiteId::new(&website.id).map_err(|error| error.to_string())?;
    check_domain(&website.domain)?;
    check_subscription(website.package.as_deref(), website.canceled)?;
    let mut domains = HashSet::new();
    for domain in website.whitelisted_domains.iter().flatten() {
        check_domain(domain)?;
        if !domains.insert(domain_key(domain)) {
            return Err(format!("duplicate domain {domain:?}"));
        }
    }
    let mut contributors = HashSet::new();
    for WantedContributor { customer: id, role } in website.contributors.iter().flatten() {
        CustomerId::new(id).map_err(|error| format!("contributor: {error}"))?;
        if *id == customer.id {
            return Err("its owner cannot be its contributor".to_owned());
        }
        if !contributors.insert(id) {
            return Err(format!(
                "duplicate contributor {id:?}: everyone has one role"
            ));
        }
        if !ContributorRole::KNOWN.contains(role) {
            return Err(format!(
                "invalid role {:?}: expected editor, watcher or dashboard",
                role.as_str()
            ));
        }
    }
    Ok(())
}

fn check_subscription(package: Option<&str>, canceled: bool) -> Result<(), String> {
    match package {
        Some(_) if canceled => {
            Err("`package` and `canceled` exclude each other: keep one".to_owned())
        }
        Some(package) if package.trim().is_empty() => {
            Err("invalid package \"\": expected a name or a UUID".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_domain(domain: &str) -> Result<(), String> {
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    if domain.is_empty() || domain.len() > 2048 || domain.chars().any(is_odd) {
        return Err(format!(
            "invalid domain {:?}: expected something like example.com",
            domain.chars().take(60).collect::<String>()
        ));
    }
    Ok(())
}
