//! The state of the server, in as few bytes as a plan needs.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::TryStreamExt as _;
use twipla::types::Website;
use twipla::{CustomerId, Twipla, WebsiteId};

use crate::error::Result;
use crate::key::{Key, domain_key, email_key, key, stable_hash};
use crate::shard::Shard;
use crate::subscription::{Standing, Status};
use crate::wanted_file::Wanted;

/// Entries per page of a list.
const PAGE_SIZE: u32 = 100;

/// The state of the server. Hashes are kept of entries in the file; ids are kept of
/// other entries, and only if they are to be deleted.
#[derive(Default)]
pub(crate) struct There {
    /// The customers of the file; `None` if the server does not have the customer.
    customers: HashMap<Key, Option<CustomerThere>>,
    websites: HashMap<Key, Option<Stored>>,
    /// The distinct standings: there are few, shared by many websites.
    standings: Vec<Standing>,
    /// The hashes of the customers to be deleted.
    deleted: HashSet<u64>,
    /// The customers to be deleted, because they are not in the file, with their websites.
    pub(crate) unlisted: BTreeMap<CustomerId, Vec<(WebsiteId, Standing)>>,
    pub(crate) counts: Counts,
}

/// The number of entries on the server in this part of the file.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) there: u64,
    pub(crate) unlisted_customers: u64,
    pub(crate) unlisted_websites: u64,
}

pub(crate) struct CustomerThere {
    pub(crate) email: Key,
    /// The subscription that the first of their websites shows.
    pub(crate) standing: Option<Standing>,
    /// Websites that are not in the file.
    pub(crate) unlisted: Vec<(WebsiteId, Standing)>,
}

pub(crate) struct WebsiteThere {
    pub(crate) owner: Owner,
    pub(crate) domain: u64,
    pub(crate) standing: Standing,
}

/// The owner of a website.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A customer with this hash.
    Customer(u64),
    /// A customer to be deleted, with their websites.
    Deleted,
}

/// A website in few bytes.
struct Stored {
    owner: u64,
    domain: u64,
    /// The index in `standings`.
    standing: u32,
}

impl There {
    /// Creates an empty state with the ids of the file.
    pub(crate) fn of(wanted: &Wanted) -> Result<Self> {
        let mut there = Self::default();
        for customer in wanted.customers()? {
            let customer = customer?;
            there.customers.insert(key(&customer.id), None);
            let websites = customer.websites.iter();
            there
                .websites
                .extend(websites.map(|website| (key(&website.id), None)));
        }
        Ok(there)
    }

    /// Returns whether a customer is in the file.
    pub(crate) fn lists(&self, customer: &str) -> bool {
        self.customers.contains_key(&key(customer))
    }

    /// Returns a customer of the file, if it exists on the server.
    pub(crate) fn customer(&self, id: &str) -> Option<&CustomerThere> {
        self.customers.get(&key(id))?.as_ref()
    }

    /// Returns a website of the file, if it exists on the server.
    pub(crate) fn website(&self, id: &str) -> Option<WebsiteThere> {
        let stored = self.websites.get(&key(id))?.as_ref()?;
        Some(WebsiteThere {
            owner: if self.deleted.contains(&stored.owner) {
                Owner::Deleted
            } else {
                Owner::Customer(stored.owner)
            },
            domain: stored.domain,
            standing: *self.standings.get(usize::try_from(stored.standing).ok()?)?,
        })
    }

    /// Reads all customers and websites. `keep` is set if entries that are not in the file are
    /// to be deleted. `progress` gets the number of entries read.
    pub(crate) async fn read(
        &mut self,
        twipla: &Twipla,
        shard: Shard,
        keep: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<()> {
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
            self.counts.there += 1;
            if let Some(place) = self.customers.get_mut(&key(id.as_str())) {
                *place = Some(CustomerThere {
                    email: email_key(&customer.email),
                    standing: None,
                    unlisted: Vec::new(),
                });
            } else {
                self.counts.unlisted_customers += 1;
                if keep {
                    self.deleted.insert(stable_hash(id.as_str()));
                    self.unlisted.insert(id, Vec::new());
                }
            }
        }
        let list = twipla.websites().list().page_size(PAGE_SIZE).prefetch(true);
        let mut websites = Box::pin(list.stream());
        while let Some(website) = websites.try_next().await? {
            read += 1;
            progress(read);
            self.add(website, shard, keep);
        }
        Ok(())
    }

    fn add(&mut self, website: Website, shard: Shard, keep: bool) {
        let standing = Standing::of(&website);
        let stored = Stored {
            owner: stable_hash(website.intp_customer_id.as_str()),
            domain: domain_key(&website.domain),
            standing: self.place_of(standing),
        };
        let (id, owner) = (website.intp_website_id, website.intp_customer_id);
        let place = self.websites.get_mut(&key(id.as_str()));
        let is_listed = place.is_some();
        if let Some(place) = place {
            *place = Some(stored);
        }
        if !shard.has(owner.as_str()) {
            return;
        }
        // How a deleted website reads is not public: perhaps like a deactivated one.
        let is_gone = standing.status == Status::Inactive;
        self.counts.there += u64::from(!is_gone);
        self.counts.unlisted_websites += u64::from(!is_listed && !is_gone);
        if let Some(Some(customer)) = self.customers.get_mut(&key(owner.as_str())) {
            customer.standing.get_or_insert(standing);
            if keep && !is_listed && !is_gone {
                customer.unlisted.push((id, standing));
            }
        } else if !is_gone && let Some(websites) = self.unlisted.get_mut(&owner) {
            websites.push((id, standing));
        }
    }

    fn place_of(&mut self, standing: Standing) -> u32 {
        let known = self.standings.iter().position(|known| *known == standing);
        let place = known.unwrap_or_else(|| {
            self.standings.push(standing);
            self.standings.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}
