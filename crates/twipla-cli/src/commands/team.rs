//! `twipla team`

use clap::{Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;
use serde::Serialize;
use twipla::types::{Contributor, ContributorRole, WebsiteContributors};

use super::support;
use crate::complete;
use crate::context::Context;
use crate::each::Each;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Column, Columns};

#[derive(Debug, Subcommand)]
pub(crate) enum Team {
    /// List the owner of a website and those with a role on it
    #[command(after_help = "Examples:\n  twipla team list site-7")]
    List {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
    },
    /// Show the role of one customer
    #[command(after_help = "Examples:\n  twipla team get site-7 cust-43")]
    Get {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
        #[arg(add = ArgValueCompleter::new(complete::customers))]
        customer: String,
    },
    /// Give an existing customer a role, replacing the one they had
    #[command(visible_alias = "create")]
    #[command(after_help = "Examples:\n  twipla team add site-7 cust-43 watcher")]
    Add {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
        #[arg(add = ArgValueCompleter::new(complete::customers))]
        customer: String,
        role: Role,
    },
    /// Remove the access of customers
    #[command(visible_alias = "delete")]
    #[command(after_help = "Examples:\n  twipla team remove site-7 cust-43 --yes")]
    Remove {
        #[arg(add = ArgValueCompleter::new(complete::websites))]
        website: String,
        #[arg(required = true, value_name = "CUSTOMER", add = ArgValueCompleter::new(complete::customers))]
        customers: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    Editor,
    Watcher,
    Dashboard,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "customer",
            path: "intpCustomerId",
        },
        Column {
            title: "email",
            path: "email",
        },
        Column {
            title: "role",
            path: "role",
        },
    ],
    others: &[],
};

/// A person with access, and their role.
#[derive(Serialize)]
struct Member {
    #[serde(flatten)]
    contributor: Contributor,
    role: String,
}

impl Team {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::List { website } => {
                let team = context
                    .client()
                    .await?
                    .website(website)
                    .contributors()
                    .list()
                    .await?;
                context.output.all(&COLUMNS, members(team))
            }
            Self::Get { website, customer } => {
                let twipla = context.client().await?;
                let team = twipla
                    .website(website.as_str())
                    .contributors()
                    .list()
                    .await?;
                let mut members = members(team).into_iter();
                let member = members.find(|member| member.contributor.intp_customer_id == customer);
                let member = member.ok_or_else(|| {
                    Failure::new(
                        format!("the customer {customer} has no role on the website {website}"),
                        format!("`twipla team list {website}` lists those who have one"),
                    )
                    .with_exit(Exit::NotFound)
                })?;
                context.output.one(&COLUMNS, &member)
            }
            Self::Add {
                website,
                customer,
                role,
            } => {
                let role = role.of_api();
                let change = format!("make {customer} {role} of {website}");
                let twipla = context.client_to(&change).await?;
                let added = twipla
                    .website(website)
                    .contributors()
                    .add(customer.as_str(), role.clone());
                let mut each = Each::default();
                each.note(&customer, role.as_str(), support::done(added.await));
                each.end()
            }
            Self::Remove { website, customers } => {
                let what =
                    support::named("remove the access of", "remove the access of", &customers);
                let twipla = context
                    .client_to_destroy(&format!("{what} to {website}"))
                    .await?;
                let team = twipla.website(website).contributors();
                let mut each = Each::default();
                for customer in customers {
                    let removed = team.remove(customer.as_str()).await;
                    each.note(&customer, "removed", support::done(removed));
                }
                each.end()
            }
        }
    }
}

impl Role {
    fn of_api(self) -> ContributorRole {
        match self {
            Self::Editor => ContributorRole::Editor,
            Self::Watcher => ContributorRole::Watcher,
            Self::Dashboard => ContributorRole::Dashboard,
        }
    }
}

fn members(team: WebsiteContributors) -> Vec<Member> {
    let roles = team.contributors;
    let with = |role: &ContributorRole, contributors: Vec<Contributor>| {
        let role = role.to_string();
        contributors.into_iter().map(move |contributor| Member {
            contributor,
            role: role.clone(),
        })
    };
    let owner = Member {
        contributor: team.owner,
        role: "owner".into(),
    };
    std::iter::once(owner)
        .chain(with(&ContributorRole::Editor, roles.editor))
        .chain(with(&ContributorRole::Watcher, roles.watcher))
        .chain(with(&ContributorRole::Dashboard, roles.dashboard))
        .collect()
}
