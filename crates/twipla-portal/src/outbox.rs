//! The outbox: changes that the portal has decided on and has yet to make at TWIPLA.
//!
//! A page never calls TWIPLA to change something. It writes its own rows and an entry here in one
//! transaction. Workers send the entries through `twipla` and record the results. If the portal
//! crashes, either both the rows and the entry exist or neither does, and sending an entry again
//! finds what the first attempt did (see `send`). So nothing is lost and nothing is done twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use twipla::PackageId;
use twipla::types::Website;
use uuid::Uuid;

use crate::store::{Store, Tx, mirror, now, set_site_status};

/// A change at TWIPLA, described by its result, so that carrying it out twice has no further effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    /// Create the customer and the website.
    AddSite {
        site: String,
        /// The package of a website that is created again; a new one starts with its trial.
        package: Option<PackageId>,
    },
    /// Move the website to the package, at once or at the end of its period.
    MoveTo {
        site: String,
        package: PackageId,
        /// What the customer paid for.
        order: String,
    },
    /// End the subscription with its period.
    Cancel { site: String },
    /// Revoke the cancellation.
    Resume { site: String },
    /// Give the customer the role on the website.
    Invite {
        site: String,
        customer: String,
        role: String,
    },
}

impl Change {
    pub(crate) fn site(&self) -> &str {
        match self {
            Self::AddSite { site, .. }
            | Self::MoveTo { site, .. }
            | Self::Cancel { site }
            | Self::Resume { site }
            | Self::Invite { site, .. } => site,
        }
    }

    /// The resource that may have one open change at a time.
    fn subject(&self) -> String {
        match self {
            Self::Invite { site, customer, .. } => format!("{site} {customer}"),
            _ => self.site().to_owned(),
        }
    }
}

/// An entry that a worker has taken.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) change: Change,
    /// How often it was taken, including this time.
    pub(crate) attempts: i64,
    /// How often the server failed to carry it out.
    pub(crate) failures: i64,
}

/// Why an entry stays open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Open {
    /// Nothing was changed: TWIPLA could not be reached.
    Unchanged,
    /// The server failed, and nothing was changed.
    Failed,
    /// TWIPLA may or may not have carried it out.
    Uncertain,
}

/// The open change of a site, as pages show it.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) change: Change,
    /// Whether TWIPLA may or may not have carried it out.
    pub(crate) is_uncertain: bool,
}

/// Adds an entry. Returns false if the resource already has an open one.
pub(crate) async fn add(tx: &mut Tx<'_>, change: &Change) -> anyhow::Result<bool> {
    let added = sqlx::query(
        "INSERT INTO outbox (id, subject, change, state, not_before, created_at)
         VALUES ($1, $2, $3, 'open', $4, $4)
         ON CONFLICT (subject) WHERE state = 'open' DO NOTHING",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(change.subject())
    .bind(serde_json::to_string(change)?)
    .bind(now())
    .execute(&mut **tx)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Takes up to `limit` entries that are due. No other worker takes them during `lease`. Afterwards one
/// does: a worker that still had them would have finished, so it must have crashed.
pub(crate) async fn take(
    store: &Store,
    limit: usize,
    lease: Duration,
) -> anyhow::Result<Vec<Entry>> {
    let now = now();
    // If two workers find the same entry, the second waits for the first and then sees
    // that the entry is no longer due.
    let rows = sqlx::query(
        "UPDATE outbox SET not_before = $2, attempts = attempts + 1
         WHERE state = 'open' AND not_before <= $1 AND id IN
             (SELECT id FROM outbox WHERE state = 'open' AND not_before <= $1 ORDER BY id LIMIT $3)
         RETURNING id, change, attempts, failures",
    )
    .bind(now)
    .bind(now + millis(lease))
    .bind(i64::try_from(limit)?)
    .fetch_all(&store.write)
    .await?;
    let mut entries = Vec::new();
    for row in &rows {
        let (id, change): (String, String) = (row.try_get("id")?, row.try_get("change")?);
        // Perhaps written by another version of the portal. It must not block the others.
        match serde_json::from_str(&change) {
            Ok(change) => entries.push(Entry {
                id,
                change,
                attempts: row.try_get("attempts")?,
                failures: row.try_get("failures")?,
            }),
            Err(error) => tracing::error!(%id, "cannot read a change: {error}"),
        }
    }
    Ok(entries)
}

/// Closes an entry as done: TWIPLA shows `website`, read at `read_at`.
pub(crate) async fn done(
    store: &Store,
    entry: &Entry,
    website: Option<&Website>,
    read_at: i64,
) -> anyhow::Result<()> {
    let mut tx = store.begin().await?;
    if !close(&mut tx, entry, "done", None).await? {
        return Ok(());
    }
    if let Some(website) = website {
        mirror(&mut tx, website, read_at).await?;
    }
    match &entry.change {
        Change::MoveTo { order, .. } => set_order(&mut tx, order, "fulfilled").await?,
        Change::Invite { site, customer, .. } => {
            set_contributor(&mut tx, site, customer, "active").await?;
        }
        Change::AddSite { .. } | Change::Cancel { .. } | Change::Resume { .. } => {}
    }
    tx.commit().await?;
    Ok(())
}

/// Closes an entry as refused, and takes back what belongs to it.
pub(crate) async fn refused(store: &Store, entry: &Entry, why: &str) -> anyhow::Result<()> {
    let mut tx = store.begin().await?;
    if !close(&mut tx, entry, "refused", Some(why)).await? {
        return Ok(());
    }
    match &entry.change {
        Change::AddSite { site, .. } => set_site_status(&mut tx, site, "refused").await?,
        // A real shop would refund the customer here, through an outbox of its own.
        Change::MoveTo { order, .. } => set_order(&mut tx, order, "returned").await?,
        Change::Invite { site, customer, .. } => {
            set_contributor(&mut tx, site, customer, "refused").await?;
        }
        Change::Cancel { .. } | Change::Resume { .. } => {}
    }
    tx.commit().await?;
    Ok(())
}

/// Leaves an entry open, to be taken again after a delay.
pub(crate) async fn postpone(
    store: &Store,
    entry: &Entry,
    wait: Duration,
    open: Open,
    why: &str,
) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE outbox SET not_before = $3, uncertain = $4, failures = failures + $5, note = $6
         WHERE id = $1 AND attempts = $2 AND state = 'open'",
    )
    .bind(&entry.id)
    .bind(entry.attempts)
    .bind(now() + millis(wait))
    .bind(i64::from(open == Open::Uncertain))
    .bind(i64::from(open == Open::Failed))
    .bind(why)
    .execute(&store.write)
    .await?;
    Ok(())
}

/// Returns the open change of a site or of a role on it.
pub(crate) async fn pending(store: &Store, site: &str) -> anyhow::Result<Option<Pending>> {
    let row = sqlx::query(
        "SELECT change, uncertain FROM outbox WHERE state = 'open'
             AND (subject = $1 OR substr(subject, 1, length($1) + 1) = $1 || ' ')
         ORDER BY subject LIMIT 1",
    )
    .bind(site)
    .fetch_optional(&store.read)
    .await?;
    row.map(|row| {
        Ok(Pending {
            change: serde_json::from_str(&row.try_get::<String, _>("change")?)?,
            is_uncertain: row.try_get::<i64, _>("uncertain")? == 1,
        })
    })
    .transpose()
}

/// Returns the reason why the last change of a site was refused.
pub(crate) async fn last_refusal(store: &Store, site: &str) -> anyhow::Result<Option<Change>> {
    let row =
        sqlx::query("SELECT state, change FROM outbox WHERE subject = $1 ORDER BY id DESC LIMIT 1")
            .bind(site)
            .fetch_optional(&store.read)
            .await?;
    match row {
        Some(row) if row.try_get::<String, _>("state")? == "refused" => {
            Ok(serde_json::from_str(&row.try_get::<String, _>("change")?)?)
        }
        _ => Ok(None),
    }
}

/// Returns the number of open entries.
pub(crate) async fn open_entries(store: &Store) -> sqlx::Result<i64> {
    sqlx::query("SELECT COUNT(*) AS entries FROM outbox WHERE state = 'open'")
        .fetch_one(&store.read)
        .await?
        .try_get("entries")
}

/// Closes an entry, unless another worker has taken it in the meantime.
async fn close(
    tx: &mut Tx<'_>,
    entry: &Entry,
    state: &str,
    note: Option<&str>,
) -> sqlx::Result<bool> {
    let closed = sqlx::query(
        "UPDATE outbox SET state = $3, uncertain = 0, note = $4
         WHERE id = $1 AND attempts = $2 AND state = 'open'",
    )
    .bind(&entry.id)
    .bind(entry.attempts)
    .bind(state)
    .bind(note)
    .execute(&mut **tx)
    .await?;
    Ok(closed.rows_affected() == 1)
}

async fn set_order(tx: &mut Tx<'_>, id: &str, state: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE orders SET state = $2 WHERE id = $1")
        .bind(id)
        .bind(state)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn set_contributor(
    tx: &mut Tx<'_>,
    site: &str,
    customer: &str,
    state: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE contributors SET state = $3 WHERE site_id = $1 AND customer_id = $2")
        .bind(site)
        .bind(customer)
        .bind(state)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Customer, add_site};

    const NO_TIME: Duration = Duration::ZERO;
    const A_WHILE: Duration = Duration::from_mins(1);

    /// Opens a database with a site whose creation is in the outbox.
    async fn store() -> Store {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let customer = Customer {
            id: "ada".to_owned(),
            name: "Ada".to_owned(),
            email: "ada@example.com".to_owned(),
        };
        store.add_customer(&customer).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        add_site(&mut tx, "s", "ada", "example.com").await.unwrap();
        assert!(add(&mut tx, &change()).await.unwrap());
        tx.commit().await.unwrap();
        store
    }

    fn change() -> Change {
        Change::AddSite {
            site: "s".to_owned(),
            package: None,
        }
    }

    #[tokio::test]
    async fn entry_is_taken_by_one_worker_at_a_time() {
        let store = store().await;
        let taken = take(&store, 5, A_WHILE).await.unwrap();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].change, change());
        assert!(take(&store, 5, A_WHILE).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn change_that_cannot_be_read_holds_up_no_other() {
        let store = store().await;
        sqlx::query(
            "INSERT INTO outbox (id, subject, change, state, not_before, created_at)
             VALUES ('0', 'other', '{\"kind\":\"of_tomorrow\"}', 'open', 0, 0)",
        )
        .execute(&store.write)
        .await
        .unwrap();
        let taken = take(&store, 5, A_WHILE).await.unwrap();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].change, change());
    }

    #[tokio::test]
    async fn only_the_last_worker_closes_an_entry() {
        let store = store().await;
        let first = take(&store, 1, NO_TIME).await.unwrap().remove(0);
        let second = take(&store, 1, A_WHILE).await.unwrap().remove(0);
        refused(&store, &first, "too late").await.unwrap();
        postpone(&store, &first, NO_TIME, Open::Uncertain, "too late")
            .await
            .unwrap();
        let open = pending(&store, "s").await.unwrap().unwrap();
        assert!(!open.is_uncertain);
        assert!(take(&store, 1, A_WHILE).await.unwrap().is_empty());
        done(&store, &second, None, now()).await.unwrap();
        assert_eq!(open_entries(&store).await.unwrap(), 0);
        assert_eq!(store.site("s").await.unwrap().unwrap().status, "new");
    }

    #[tokio::test]
    async fn thing_has_one_open_change() {
        let store = store().await;
        let mut tx = store.begin().await.unwrap();
        let cancel = Change::Cancel {
            site: "s".to_owned(),
        };
        assert!(!add(&mut tx, &cancel).await.unwrap());
        let invite = Change::Invite {
            site: "s".to_owned(),
            customer: "grace".to_owned(),
            role: "editor".to_owned(),
        };
        assert!(add(&mut tx, &invite).await.unwrap());
        tx.commit().await.unwrap();
        for entry in take(&store, 5, A_WHILE).await.unwrap() {
            done(&store, &entry, None, now()).await.unwrap();
        }
        let mut tx = store.begin().await.unwrap();
        assert!(add(&mut tx, &cancel).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_undone_leaves_nothing_to_send() {
        let store = store().await;
        let mut tx = store.begin().await.unwrap();
        add_site(&mut tx, "t", "ada", "t.example.com")
            .await
            .unwrap();
        let change = Change::AddSite {
            site: "t".to_owned(),
            package: None,
        };
        add(&mut tx, &change).await.unwrap();
        drop(tx);
        assert!(store.site("t").await.unwrap().is_none());
        assert_eq!(open_entries(&store).await.unwrap(), 1);
    }
}
