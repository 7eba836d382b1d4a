//! `twipla keys`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use twipla::chrono::{DateTime, Utc};
use twipla::types::CreatedApiKey;

use super::support;
use crate::complete;
use crate::context::Context;
use crate::each::Each;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::files::Draft;
use crate::output::{Column, Columns};
use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the API keys of a website
    #[command(after_help = "Examples:\n  twipla keys list site-7")]
    List {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
    },
    /// Show one API key
    #[command(
        after_help = "Examples:\n  twipla keys get site-7 7128840a-5347-49a4-8dfa-9022d8dad21a"
    )]
    Get {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
        /// Id of the key
        key: String,
    },
    /// Create an API key, and store its secret in a file
    ///
    /// The server shows the secret only once. It is never printed; only you can read the file.
    #[command(after_help = "Examples:
  twipla keys create site-7 reports --secret-file reports.key
  twipla keys create site-7 audit --secret-file audit.key --expires-at 2027-01-01T00:00:00Z")]
    Create(Create),
    /// Replace an API key with a new one of the same name, and store its secret in a file
    ///
    /// The old key is deleted once the file is written.
    #[command(after_help = "Examples:
  twipla keys rotate site-7 7128840a-5347-49a4-8dfa-9022d8dad21a --secret-file reports.key")]
    Rotate(Rotate),
    /// Delete API keys
    #[command(after_help = "Examples:
  twipla keys delete site-7 7128840a-5347-49a4-8dfa-9022d8dad21a --yes")]
    Delete {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
        /// Ids of the keys
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[arg(add = ArgValueCompleter::new(complete::websites))]
    website: String,
    /// Name of the key
    name: String,
    /// File for the secret
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// Comment stored with the key
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// When it stops working, such as 2027-01-01T00:00:00Z; never by default
    #[arg(long, value_name = "TIME")]
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[arg(add = ArgValueCompleter::new(complete::websites))]
    website: String,
    /// Id of the old key
    key: String,
    /// File for the secret of the new key
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// When the new key stops working; never by default
    #[arg(long, value_name = "TIME")]
    expires_at: Option<DateTime<Utc>>,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "key",
            path: "id",
        },
        Column {
            title: "name",
            path: "name",
        },
        Column {
            title: "comment",
            path: "comment",
        },
        Column {
            title: "created",
            path: "createdAt",
        },
        Column {
            title: "expires",
            path: "expiresAt",
        },
    ],
    others: &["intpWebsiteId", "intpCustomerId"],
};

impl Keys {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::List { website } => {
                let keys = context
                    .client()
                    .await?
                    .website(website)
                    .api_keys()
                    .list()
                    .await?;
                context.output.all(&COLUMNS, keys)
            }
            Self::Get { website, key } => {
                let keys = context
                    .client()
                    .await?
                    .website(website.as_str())
                    .api_keys()
                    .list()
                    .await?;
                let found = keys.into_iter().find(|known| known.id == key);
                let found = found.ok_or_else(|| {
                    Failure::new(
                        format!("the website {website} has no API key {key}"),
                        format!("`twipla keys list {website}` lists its keys"),
                    )
                    .with_exit(Exit::NotFound)
                })?;
                context.output.one(&COLUMNS, &found)
            }
            Self::Create(create) => create.run(context).await,
            Self::Rotate(rotate) => rotate.run(context).await,
            Self::Delete { website, keys } => {
                let what = support::named("delete the API key", "delete the API keys", &keys);
                let twipla = context
                    .client_to_destroy(&format!("{what} of {website}"))
                    .await?;
                let of_website = twipla.website(website).api_keys();
                let mut each = Each::default();
                for key in keys {
                    let deleted = of_website.delete(key.as_str()).await;
                    each.note(&key, "deleted", support::done(deleted));
                }
                each.end()
            }
        }
    }
}

impl Create {
    async fn run(self, context: &mut Context) -> Result<()> {
        let draft = Draft::begin(&self.secret_file)?;
        let change = format!("create the API key {} of {}", self.name, self.website);
        let twipla = context.client_to(&change).await?;
        let mut create = twipla.website(self.website).api_keys().create(self.name);
        if let Some(comment) = self.comment {
            create = create.comment(comment);
        }
        if let Some(at) = self.expires_at {
            create = create.expires_at(at);
        }
        let key = create.await?;
        store(draft, &key)?;
        show(context, &key)
    }
}

impl Rotate {
    async fn run(self, context: &mut Context) -> Result<()> {
        let draft = Draft::begin(&self.secret_file)?;
        let change = format!("replace the API key {} of {}", self.key, self.website);
        let twipla = context.client_to_destroy(&change).await?;
        let mut rotate = twipla.website(self.website).api_keys().rotate(self.key);
        if let Some(at) = self.expires_at {
            rotate = rotate.expires_at(at);
        }
        let rotation = rotate.await?;
        store(draft, rotation.new_key())?;
        show(context, rotation.new_key())?;
        rotation.confirm().await.map_err(|error| {
            let old = rotation.old_key();
            Failure::new(
                format!("the new key is stored, but the old one may still work: {error:#}"),
                format!(
                    "delete it with `twipla keys delete {} {old}`",
                    rotation.new_key().intp_website_id
                ),
            )
            .with_exit(Exit::Partly)
        })?;
        terminal::note(&format!("{}: deleted", rotation.old_key()));
        Ok(())
    }
}

/// Stores the secret, which exists nowhere else.
fn store(draft: Draft, key: &CreatedApiKey) -> Result<()> {
    let secret = format!("{}\n", key.api_key.expose());
    draft.save(secret.as_bytes()).map_err(|failure| {
        Failure::new(
            format!(
                "the key {} was created, but its secret is lost: {}",
                key.id,
                failure.what()
            ),
            format!(
                "delete it with `twipla keys delete {} {}`",
                key.intp_website_id, key.id
            ),
        )
        .with_exit(Exit::Partly)
    })
}

/// Shows the key without its secret.
fn show(context: &mut Context, key: &CreatedApiKey) -> Result<()> {
    let shown = serde_json::json!({
        "id": key.id,
        "name": key.name,
        "comment": key.comment,
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "intpWebsiteId": key.intp_website_id,
        "intpCustomerId": key.intp_customer_id,
    });
    context.output.one(&COLUMNS, &shown)
}
