//! What the server has, in as few bytes as a plan needs.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt as _;
use twipla::types::Website;
use twipla::{CustomerId, Twipla, WebsiteId};

use crate::error::Result;
use crate::key::{Key, domain_key, email_key, key};
use crate::shard::Shard;
use crate::subscription::{Standing, Status};
use crate::wanted_file::Wanted;

/// Entries of a page of a list.
const PAGE_SIZE: u32 = 100;

/// What is in the file, by key.
#[derive(Default)]
pub(crate) struct Listed {
    pub(crate) customers: HashSet<Key>,
    pub(crate) websites: HashSet<Key>,
}

/// What is on the server. Of what is in the file, the keys are kept; of what is
/// not, the ids, and only where it is to be deleted.
#[derive(Default)]
pub(crate) struct There {
    pub(crate) customers: HashMap<Key, CustomerThere>,
    pub(crate) websites: HashMap<Key, WebsiteThere>,
    /// Customers who are not in the file, with their websites.
    pub(crate) unlisted: HashMap<CustomerId, Vec<(WebsiteId, Standing)>>,
    /// The customers who are to be deleted.
    pub(crate) deleted: HashSet<Key>,
    pub(crate) counts: Counts,
}

/// How many there are, of the part of the file.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) there: u64,
    pub(crate) unlisted_customers: u64,
    pub(crate) unlisted_websites: u64,
}

pub(crate) struct CustomerThere {
    pub(crate) email: Key,
    /// What the first of their websites shows.
    pub(crate) standing: Option<Standing>,
    /// Websites that are not in the file.
    pub(crate) unlisted: Vec<(WebsiteId, Standing)>,
}

pub(crate) struct WebsiteThere {
    pub(crate) owner: Key,
    pub(crate) domain: Key,
    pub(crate) standing: Standing,
}

impl Listed {
    pub(crate) fn read(wanted: &Wanted) -> Result<Self> {
        let mut listed = Self::default();
        for customer in wanted.customers()? {
            let customer = customer?;
            listed.customers.insert(key(&customer.id));
            let websites = customer.websites.iter();
            listed
                .websites
                .extend(websites.map(|website| key(&website.id)));
        }
        Ok(listed)
    }
}

impl There {
    /// Reads all customers and websites. `keep` where what is not in the file is
    /// to be deleted. `progress` gets the number of entries read.
    pub(crate) async fn read(
        twipla: &Twipla,
        listed: &Listed,
        shard: Shard,
        keep: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Self> {
        let mut there = Self::default();
        let mut read = 0;
        let list = twipla
            .customers()
            .list()
            .page_size(PAGE_SIZE)
            .prefetch(true);
        let mut customers = Box::pin(list.stream());
        while let Some(customer) = customers.try_next().await? {
            read += 1;
            progress(read);
            let id = customer.intp_customer_id;
            if !shard.has(id.as_str()) {
                continue;
            }
            there.counts.there += 1;
            let key = key(id.as_str());
            if listed.customers.contains(&key) {
                let customer = CustomerThere {
                    email: email_key(&customer.email),
                    standing: None,
                    unlisted: Vec::new(),
                };
                there.customers.insert(key, customer);
            } else {
                there.counts.unlisted_customers += 1;
                if keep {
                    there.unlisted.insert(id, Vec::new());
                }
            }
        }
        let list = twipla.websites().list().page_size(PAGE_SIZE).prefetch(true);
        let mut websites = Box::pin(list.stream());
        while let Some(website) = websites.try_next().await? {
            read += 1;
            progress(read);
            there.add(website, listed, shard, keep);
        }
        Ok(there)
    }

    fn add(&mut self, website: Website, listed: &Listed, shard: Shard, keep: bool) {
        let standing = Standing::of(&website);
        let (id, owner) = (website.intp_website_id, website.intp_customer_id);
        let (key, owner_key) = (key(id.as_str()), key(owner.as_str()));
        let is_listed = listed.websites.contains(&key);
        if is_listed {
            self.websites.insert(
                key,
                WebsiteThere {
                    owner: owner_key,
                    domain: domain_key(&website.domain),
                    standing,
                },
            );
        }
        if !shard.has(owner.as_str()) {
            return;
        }
        // How a deleted website reads is not public: it may be like a deactivated one.
        let is_gone = standing.status == Status::Inactive;
        self.counts.there += u64::from(!is_gone);
        if let Some(customer) = self.customers.get_mut(&owner_key) {
            customer.standing.get_or_insert(standing);
            if keep && !is_listed && !is_gone {
                customer.unlisted.push((id.clone(), standing));
            }
        } else if !is_gone && let Some(websites) = self.unlisted.get_mut(&owner) {
            websites.push((id.clone(), standing));
        }
        self.counts.unlisted_websites += u64::from(!is_listed && !is_gone);
    }
}
