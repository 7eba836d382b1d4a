//! The portal's own database: SQLite or Postgres, whichever the URL names.

use anyhow::{Context as _, bail};
use chrono::Utc;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, AnyPool, Row as _, SqlSafeStr as _, Transaction};
use twipla::types::Website;

/// A transaction: the portal's rows and the outbox entry that belongs to them are written in one.
pub(crate) type Tx<'a> = Transaction<'a, Any>;

/// The database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) read: AnyPool,
    pub(crate) write: AnyPool,
}

/// A customer of the hosting company.
#[derive(Debug, Clone)]
pub struct Customer {
    /// The id, which is also the customer's id at TWIPLA.
    pub id: String,
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// A website of a customer, as TWIPLA last showed it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) domain: String,
    pub(crate) status: String,
    pub(crate) package_id: Option<String>,
    pub(crate) package_name: Option<String>,
    pub(crate) planned_package_id: Option<String>,
    pub(crate) in_trial: bool,
    pub(crate) expires_at: Option<i64>,
    pub(crate) snippet: Option<String>,
}

impl Site {
    /// Whether the site exists at TWIPLA with a usable subscription.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.status.as_str(), "active" | "canceled")
    }
}

/// A customer with a role on another customer's site.
#[derive(Debug, Clone)]
pub(crate) struct Contributor {
    pub(crate) customer: Customer,
    pub(crate) role: String,
    pub(crate) state: String,
}

/// The last order of a site.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) package_name: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) state: String,
}

impl Store {
    /// Opens the database and migrates it.
    ///
    /// `url` is `sqlite::memory:`, `sqlite:FILE` or `postgres://…`.
    ///
    /// # Errors
    ///
    /// If the URL has another scheme or the database cannot be reached.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let store = match url.split_once(':').map(|(scheme, _)| scheme) {
            // In memory, each connection would have a database of its own.
            Some("sqlite") if url.contains(":memory:") => Self::of(connect(url, 1).await?),
            // SQLite has one writer at a time. With a single connection, writers queue here and never
            // find the file locked.
            Some("sqlite") => {
                let url = with_mode(url);
                let write = connect(&url, 1).await?;
                // With WAL, readers do not wait for a writer, and a commit writes to the disk once.
                let mode = sqlx::query("PRAGMA journal_mode = WAL");
                mode.execute(&write).await?;
                let read = connect(&url, 4).await?;
                Self { read, write }
            }
            Some("postgres" | "postgresql") => Self::of(connect(url, 16).await?),
            // The URL is left out: it may contain a password.
            _ => bail!("invalid database: expected sqlite:FILE or postgres://…"),
        };
        let migrated = migrations().run(&store.write).await;
        migrated.context("cannot make the tables of the database")?;
        Ok(store)
    }

    fn of(pool: AnyPool) -> Self {
        Self {
            read: pool.clone(),
            write: pool,
        }
    }

    /// Starts a transaction. Dropping it without a commit rolls it back.
    pub(crate) async fn begin(&self) -> sqlx::Result<Tx<'static>> {
        self.write.begin().await
    }

    /// Adds a customer unless the id exists.
    ///
    /// # Errors
    ///
    /// If the database fails or another customer has the e-mail address.
    pub async fn add_customer(&self, customer: &Customer) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO customers (id, name, email) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&customer.id)
        .bind(&customer.name)
        .bind(&customer.email)
        .execute(&self.write)
        .await
        .with_context(|| format!("cannot add customer {:?}", customer.id))?;
        Ok(())
    }

    /// Returns the first customers by name.
    pub(crate) async fn customers(&self, limit: i64) -> sqlx::Result<Vec<Customer>> {
        let rows = sqlx::query("SELECT id, name, email FROM customers ORDER BY name, id LIMIT $1")
            .bind(limit)
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(customer).collect()
    }

    pub(crate) async fn customer(&self, id: &str) -> sqlx::Result<Option<Customer>> {
        let row = sqlx::query("SELECT id, name, email FROM customers WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(customer).transpose()
    }

    pub(crate) async fn customer_by_email(&self, email: &str) -> sqlx::Result<Option<Customer>> {
        let row = sqlx::query("SELECT id, name, email FROM customers WHERE lower(email) = $1")
            .bind(email.to_lowercase())
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(customer).transpose()
    }

    pub(crate) async fn sites_of(&self, customer: &str) -> sqlx::Result<Vec<Site>> {
        let rows = sqlx::query("SELECT * FROM sites WHERE customer_id = $1 ORDER BY domain, id")
            .bind(customer)
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(site).collect()
    }

    pub(crate) async fn all_sites(&self) -> sqlx::Result<Vec<Site>> {
        let rows = sqlx::query("SELECT * FROM sites ORDER BY id")
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(site).collect()
    }

    pub(crate) async fn site(&self, id: &str) -> sqlx::Result<Option<Site>> {
        let row = sqlx::query("SELECT * FROM sites WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(site).transpose()
    }

    pub(crate) async fn contributors_of(&self, site: &str) -> sqlx::Result<Vec<Contributor>> {
        let rows = sqlx::query(
            "SELECT customers.id, name, email, role, state
             FROM contributors JOIN customers ON customers.id = customer_id
             WHERE site_id = $1 ORDER BY name, customers.id",
        )
        .bind(site)
        .fetch_all(&self.read)
        .await?;
        let contributor = |row: &AnyRow| {
            Ok(Contributor {
                customer: customer(row)?,
                role: row.try_get("role")?,
                state: row.try_get("state")?,
            })
        };
        rows.iter().map(contributor).collect()
    }

    pub(crate) async fn last_order_of(&self, site: &str) -> sqlx::Result<Option<Order>> {
        let row = sqlx::query(
            "SELECT package_name, amount, currency, state FROM orders
             WHERE site_id = $1 ORDER BY created_at DESC, id LIMIT 1",
        )
        .bind(site)
        .fetch_optional(&self.read)
        .await?;
        let order = |row: &AnyRow| {
            Ok(Order {
                package_name: row.try_get("package_name")?,
                amount: row.try_get("amount")?,
                currency: row.try_get("currency")?,
                state: row.try_get("state")?,
            })
        };
        row.as_ref().map(order).transpose()
    }
}

/// Returns the current time as the database stores it.
pub(crate) fn now() -> i64 {
    Utc::now().timestamp_millis()
}

/// Adds a site that is not yet at TWIPLA. Returns false if the id exists.
pub(crate) async fn add_site(
    tx: &mut Tx<'_>,
    id: &str,
    customer: &str,
    domain: &str,
) -> sqlx::Result<bool> {
    let added = sqlx::query(
        "INSERT INTO sites (id, customer_id, domain, status, updated_at)
         VALUES ($1, $2, $3, 'new', $4) ON CONFLICT (id) DO NOTHING",
    )
    .bind(id)
    .bind(customer)
    .bind(domain)
    .bind(now())
    .execute(&mut **tx)
    .await?;
    Ok(added.rows_affected() == 1)
}

pub(crate) async fn set_site_status(tx: &mut Tx<'_>, id: &str, status: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE sites SET status = $2, updated_at = $3 WHERE id = $1")
        .bind(id)
        .bind(status)
        .bind(now())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Updates a site's row from TWIPLA, unless the row was written after `read_at`.
pub(crate) async fn mirror(tx: &mut Tx<'_>, website: &Website, read_at: i64) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "UPDATE sites SET domain = $2, status = $3, package_id = $4, package_name = $5,
             planned_package_id = $6, in_trial = $7, expires_at = $8, snippet = $9, updated_at = $10
         WHERE id = $1 AND updated_at <= $11",
    )
    .bind(website.intp_website_id.as_str())
    .bind(&website.domain)
    .bind(website.status.to_string())
    .bind(website.package_id.to_string())
    .bind(&website.package_name)
    .bind(
        website
            .planned_downgrade_package_id
            .map(|id| id.to_string()),
    )
    .bind(i64::from(website.in_trial))
    .bind(website.expires_at.timestamp_millis())
    .bind(&website.visa_tracking_code)
    .bind(now())
    .bind(read_at)
    .execute(&mut **tx)
    .await?;
    Ok(written.rows_affected() == 1)
}

fn migrations() -> Migrator {
    let portal = include_str!("../migrations/0001_portal.sql");
    Migrator::with_migrations(vec![Migration::new(
        1,
        "portal".into(),
        MigrationType::Simple,
        portal.into_sql_str(),
        false,
    )])
}

async fn connect(url: &str, connections: u32) -> anyhow::Result<AnyPool> {
    AnyPoolOptions::new()
        .max_connections(connections)
        // A database in memory ends with its connection.
        .idle_timeout(None)
        .max_lifetime(None)
        .connect(url)
        .await
        .context("cannot open the database")
}

/// Creates the file if it does not exist.
fn with_mode(url: &str) -> String {
    if url.contains('?') {
        url.to_owned()
    } else {
        format!("{url}?mode=rwc")
    }
}

fn customer(row: &AnyRow) -> sqlx::Result<Customer> {
    Ok(Customer {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
    })
}

fn site(row: &AnyRow) -> sqlx::Result<Site> {
    Ok(Site {
        id: row.try_get("id")?,
        customer_id: row.try_get("customer_id")?,
        domain: row.try_get("domain")?,
        status: row.try_get("status")?,
        package_id: row.try_get("package_id")?,
        package_name: row.try_get("package_name")?,
        planned_package_id: row.try_get("planned_package_id")?,
        in_trial: row.try_get::<i64, _>("in_trial")? == 1,
        expires_at: row.try_get("expires_at")?,
        snippet: row.try_get("snippet")?,
    })
}
