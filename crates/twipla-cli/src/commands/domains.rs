//! `twipla domains`

use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde::Serialize;

use super::support;
use crate::complete;
use crate::context::Context;
use crate::each::Each;
use crate::failure::Result;
use crate::output::{Column, Columns};

#[derive(Debug, Subcommand)]
pub(crate) enum Domains {
    /// List the further domains that may send data for a website
    #[command(after_help = "Examples:\n  twipla domains list site-7")]
    List {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
    },
    /// Add domains
    #[command(visible_alias = "create")]
    #[command(
        after_help = "Examples:\n  twipla domains add site-7 shop.example.com blog.example.com"
    )]
    Add(Change),
    /// Remove domains
    #[command(visible_alias = "delete")]
    #[command(after_help = "Examples:\n  twipla domains remove site-7 blog.example.com --yes")]
    Remove(Change),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    #[arg(add = ArgValueCompleter::new(complete::websites))]
    website: String,
    #[arg(required = true, value_name = "DOMAIN")]
    domains: Vec<String>,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[Column {
        title: "domain",
        path: "domain",
    }],
    others: &[],
};

#[derive(Serialize)]
struct Domain {
    domain: String,
}

impl Domains {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::List { website } => {
                let twipla = context.client().await?;
                let domains = twipla.website(website).whitelisted_domains().list().await?;
                let domains = domains.into_iter().map(|domain| Domain { domain });
                context.output.all(&COLUMNS, domains)
            }
            Self::Add(Change { website, domains }) => {
                let what = support::named("add the domain", "add the domains", &domains);
                let twipla = context.client_to(&format!("{what} to {website}")).await?;
                let list = twipla.website(website).whitelisted_domains();
                let mut each = Each::default();
                for domain in domains {
                    let added = list.add(domain.as_str()).await;
                    each.note(&domain, "added", support::done(added));
                }
                each.end()
            }
            Self::Remove(Change { website, domains }) => {
                let what = support::named("remove the domain", "remove the domains", &domains);
                let twipla = context
                    .client_to_destroy(&format!("{what} from {website}"))
                    .await?;
                let list = twipla.website(website).whitelisted_domains();
                let mut each = Each::default();
                for domain in domains {
                    let removed = list.remove(domain.as_str()).await;
                    each.note(&domain, "removed", support::done(removed));
                }
                each.end()
            }
        }
    }
}
