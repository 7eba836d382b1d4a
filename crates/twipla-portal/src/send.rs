//! Carries out one change at TWIPLA and judges the result.
//!
//! Every change reads before it changes, or creates under an id that the portal chose. So an entry
//! that is sent again, after a crash or a lost response, finds what exists and does the rest.

use std::time::Duration;

use twipla::resources::PackageChange;
use twipla::types::{ContributorRole, SubscriptionStatus, Website};
use twipla::{ChangeState, Error, ErrorKind, PackageId, Twipla};

use crate::outbox::{Change, Entry, Open};
use crate::settings::Pace;
use crate::store::{Customer, Site, Store, now};

/// After this many server errors the change counts as refused: this API answers 500 if a rule forbids a change.
const PATIENCE: i64 = 10;

/// The result of sending a change.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// TWIPLA shows this website, as requested, read at this time.
    Done(Option<Box<Website>>, i64),
    /// The entry stays open, to be taken again after this time.
    Later(Duration, Open, String),
    /// TWIPLA refused the change for good.
    Refused(String),
}

/// Carries out the change within half of the lease, so that it is over before another worker may
/// take the entry.
pub(crate) async fn send(twipla: &Twipla, store: &Store, entry: &Entry, pace: &Pace) -> Verdict {
    let sending = make(twipla, store, &entry.change);
    match tokio::time::timeout(pace.lease / 2, sending).await {
        Ok(Ok((website, read_at))) => Verdict::Done(website.map(Box::new), read_at),
        Ok(Err(Failure::Twipla(error))) => judge(&error, entry, pace),
        Ok(Err(Failure::Portal(why))) => {
            Verdict::Later(pace.delay(entry.attempts), Open::Unchanged, why)
        }
        Err(_) => Verdict::Later(pace.quiet, Open::Uncertain, "no answer in time".to_owned()),
    }
}

enum Failure {
    Twipla(Error),
    /// The portal's own database.
    Portal(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Twipla(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Portal(error.to_string())
    }
}

/// Carries out the change, and returns what TWIPLA shows afterwards and when that was read.
async fn make(
    twipla: &Twipla,
    store: &Store,
    change: &Change,
) -> Result<(Option<Website>, i64), Failure> {
    match change {
        Change::AddSite { site, package } => {
            let row = store.site(site).await?;
            let row = row.ok_or_else(|| missing("site", site))?;
            ensure_customer(twipla, &owner(store, &row.customer_id).await?).await?;
            let read_at = now();
            let website = ensure_website(twipla, &row, *package).await?;
            return Ok((Some(website), read_at));
        }
        Change::MoveTo { site, package, .. } => {
            let changed = twipla.website(&**site).subscription().change_to(*package);
            if let Some(PackageChange::Unchanged) = in_force(changed.await)? {
                tracing::info!(site, "was on the package already");
            }
        }
        Change::Cancel { site } => {
            let website = twipla.website(&**site);
            if website.get().await?.status != SubscriptionStatus::Canceled {
                in_force(website.subscription().cancel().await)?;
            }
        }
        Change::Resume { site } => {
            let website = twipla.website(&**site);
            if website.get().await?.status == SubscriptionStatus::Canceled {
                in_force(website.subscription().resume().await)?;
            }
        }
        Change::Invite {
            site,
            customer,
            role,
        } => {
            ensure_customer(twipla, &owner(store, customer).await?).await?;
            let contributors = twipla.website(&**site).contributors();
            let role = ContributorRole::from(role.as_str());
            in_force(contributors.add(&**customer, role).await)?;
            return Ok((None, now()));
        }
    }
    let read_at = now();
    let website = twipla.website(change.site()).get().await?;
    Ok((Some(website), read_at))
}

/// Creates the customer at TWIPLA unless it exists.
async fn ensure_customer(twipla: &Twipla, customer: &Customer) -> twipla::Result<()> {
    let create = twipla.customers().create(&*customer.id, &*customer.email);
    let Err(refusal) = in_force(create.await) else {
        return Ok(());
    };
    match twipla.customer(&*customer.id).get().await {
        Ok(found) if found.email.eq_ignore_ascii_case(&customer.email) => Ok(()),
        found => Err(more_telling(refusal, found)),
    }
}

/// Creates the website at TWIPLA unless it exists, and returns it.
async fn ensure_website(
    twipla: &Twipla,
    site: &Site,
    package: Option<PackageId>,
) -> twipla::Result<Website> {
    let websites = twipla.websites();
    let create = websites.create(&*site.customer_id, &*site.id, &*site.domain);
    let create = match package {
        Some(package) => create.package(package),
        None => create.unlimited_free_trial(true),
    };
    let website = twipla.website(&*site.id);
    let refusal = match in_force(create.await) {
        Ok(Some(created)) => return Ok(created),
        Ok(None) => return website.get().await,
        Err(refusal) => refusal,
    };
    match website.get().await {
        Ok(found) if found.intp_customer_id == *site.customer_id => Ok(found),
        found => Err(more_telling(refusal, found)),
    }
}

/// A create may be refused because an earlier attempt succeeded. Only a read tells, and as long as
/// the read fails, the entry stays open.
fn more_telling<T>(refusal: Error, read: twipla::Result<T>) -> Error {
    match read {
        Err(error) if !error.is_not_found() => error,
        _ => refusal,
    }
}

async fn owner(store: &Store, id: &str) -> Result<Customer, Failure> {
    let customer = store.customer(id).await?;
    customer.ok_or_else(|| missing("customer", id))
}

/// Turns a failure after which the requested state exists into a success.
fn in_force<T>(result: twipla::Result<T>) -> twipla::Result<Option<T>> {
    match result {
        Ok(made) => Ok(Some(made)),
        // An earlier attempt created exactly this.
        Err(error) if error.exists_as_requested() => Ok(None),
        // The response was lost, and the client read back that the change took effect.
        Err(error) => match error.change_state() {
            Some(ChangeState::Applied | ChangeState::InForce) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Decides what an error means for the entry. The order matters: after an ambiguous failure it stays open, whatever the kind.
fn judge(error: &Error, entry: &Entry, pace: &Pace) -> Verdict {
    let why = error.to_string();
    if error.is_ambiguous() {
        return Verdict::Later(pace.quiet, Open::Uncertain, why);
    }
    let later = error
        .retry_after()
        .unwrap_or_default()
        .max(pace.delay(entry.attempts));
    let operation = error.operation().unwrap_or_default();
    let was_read = operation.starts_with("get_") || operation.starts_with("list_");
    match error.kind() {
        // A failed read says nothing about the change, unless there is nothing to change.
        kind if was_read && kind != ErrorKind::NotFound => {
            Verdict::Later(later, Open::Unchanged, why)
        }
        ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Rejected => Verdict::Refused(why),
        ErrorKind::Server if entry.failures + 1 >= PATIENCE => Verdict::Refused(why),
        ErrorKind::Server => Verdict::Later(later, Open::Failed, why),
        // Network, timeout, token, rate limit or an unreadable response: all of them pass, or an
        // operator fixes them. The change waits.
        _ => Verdict::Later(later, Open::Unchanged, why),
    }
}

fn missing(what: &str, id: &str) -> Failure {
    Failure::Portal(format!("the portal has no {what} {id:?}"))
}
