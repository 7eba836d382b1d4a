//! `twipla packages`

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use twipla::types::{BillingInterval, Currency, PackageVisibility};
use twipla::{PackageId, Twipla};

use super::support;
use crate::complete;
use crate::context::Context;
use crate::each::Each;
use crate::failure::Result;
use crate::output::{Column, Columns};

#[derive(Debug, Subcommand)]
pub(crate) enum Packages {
    /// List all packages, or those that a website or customer may use
    #[command(
        after_help = "Examples:\n  twipla packages list\n  twipla packages list --website site-7"
    )]
    List {
        /// List only packages that this website may use
        #[arg(long, add = ArgValueCompleter::new(complete::websites))]
        website: Option<String>,
        /// List only packages that this customer may use
        #[arg(long, conflicts_with = "website", add = ArgValueCompleter::new(complete::customers))]
        customer: Option<String>,
    },
    /// Show one package
    #[command(after_help = "Examples:\n  twipla packages get Pro")]
    Get {
        /// Name or id
        #[arg(add = ArgValueCompleter::new(complete::packages))]
        package: String,
    },
    /// Create a package; it cannot be deleted
    #[command(after_help = "Examples:
  twipla packages create \"Shop 20k\" --touchpoints 20000 --price 14.99 --currency EUR --period monthly")]
    Create(Create),
    /// Rename a package
    #[command(after_help = "Examples:\n  twipla packages rename \"Shop 20k\" \"Shop M\"")]
    Rename {
        /// Name or id
        #[arg(add = ArgValueCompleter::new(complete::packages))]
        package: String,
        /// The new name
        name: String,
    },
    /// Let a website or customer use a restricted package
    #[command(after_help = "Examples:\n  twipla packages assign \"Shop M\" --website site-7")]
    Assign(Assignment),
    /// Revoke an assignment
    #[command(after_help = "Examples:\n  twipla packages unassign \"Shop M\" --website site-7")]
    Unassign(Assignment),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    name: String,
    /// Touchpoints per period
    #[arg(long, value_name = "N")]
    touchpoints: u32,
    /// Price per period, in units of the currency
    #[arg(long, value_name = "AMOUNT")]
    price: f64,
    /// EUR, USD or RON
    #[arg(long)]
    currency: String,
    /// monthly or yearly
    #[arg(long)]
    period: String,
    /// Restrict it to those it is assigned to
    #[arg(long)]
    restricted: bool,
    /// Your own id
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Assignment {
    /// Name or id
    #[arg(add = ArgValueCompleter::new(complete::packages))]
    package: String,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct To {
    #[arg(long, add = ArgValueCompleter::new(complete::websites))]
    website: Option<String>,
    #[arg(long, add = ArgValueCompleter::new(complete::customers))]
    customer: Option<String>,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "package",
            path: "name",
        },
        Column {
            title: "touchpoints",
            path: "touchpoints",
        },
        Column {
            title: "price",
            path: "price",
        },
        Column {
            title: "currency",
            path: "currency",
        },
        Column {
            title: "period",
            path: "period",
        },
        Column {
            title: "visibility",
            path: "visibility",
        },
        Column {
            title: "id",
            path: "id",
        },
    ],
    others: &[
        "recommended",
        "restrictedTo",
        "externalId",
        "createdAt",
        "intpId",
    ],
};

impl Packages {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::List { website, customer } => {
                let mut list = context.client().await?.packages().list();
                if let Some(website) = website {
                    list = list.for_website(website);
                }
                if let Some(customer) = customer {
                    list = list.for_customer(customer);
                }
                context.output.all(&COLUMNS, list.await?)
            }
            Self::Get { package } => {
                let twipla = context.client().await?;
                let id = package_id(&twipla, &package).await?;
                context
                    .output
                    .one(&COLUMNS, &twipla.package(id).get().await?)
            }
            Self::Create(create) => create.run(context).await,
            Self::Rename { package, name } => {
                let change = format!("rename the package {package} to {name}");
                let twipla = context.client_to(&change).await?;
                let package = twipla.package(package_id(&twipla, &package).await?);
                let renamed = match package.rename(name).await {
                    // The rename took effect, although the call failed.
                    Err(error) if support::is_in_force(&error) => package.get().await?,
                    renamed => renamed?,
                };
                context.output.one(&COLUMNS, &renamed)
            }
            Self::Assign(assignment) => assignment.run(context, true).await,
            Self::Unassign(assignment) => assignment.run(context, false).await,
        }
    }
}

impl Create {
    async fn run(self, context: &mut Context) -> Result<()> {
        let change = format!("create the package {}", self.name);
        let twipla = context.client_to(&change).await?;
        let currency = Currency::from(self.currency.to_uppercase());
        let period = BillingInterval::from(self.period);
        let packages = twipla.packages();
        let mut create = packages.create(self.name, self.touchpoints, self.price, currency, period);
        if self.restricted {
            create = create.visibility(PackageVisibility::Restricted);
        }
        if let Some(id) = self.external_id {
            create = create.external_id(id);
        }
        context.output.one(&COLUMNS, &create.await?)
    }
}

impl Assignment {
    async fn run(self, context: &mut Context, assign: bool) -> Result<()> {
        let (verb, past) = if assign {
            ("assign", "assigned")
        } else {
            ("unassign", "unassigned")
        };
        let to = self.to.website.as_ref().or(self.to.customer.as_ref());
        let to = to.cloned().unwrap_or_default();
        let change = format!("{verb} the package {} to {to}", self.package);
        let change = if assign {
            change
        } else {
            change.replace(" to ", " from ")
        };
        let twipla = context.client_to(&change).await?;
        let package = twipla.package(package_id(&twipla, &self.package).await?);
        let result = match (self.to.website, self.to.customer, assign) {
            (Some(website), _, true) => package.assign_to_website(website).await,
            (Some(website), _, false) => package.unassign_from_website(website).await,
            (None, customer, true) => {
                package
                    .assign_to_customer(customer.unwrap_or_default())
                    .await
            }
            (None, customer, false) => {
                package
                    .unassign_from_customer(customer.unwrap_or_default())
                    .await
            }
        };
        let mut each = Each::default();
        each.note(&to, past, support::done(result));
        each.end()
    }
}

/// Returns the id of a package that was given by name or by id.
pub(super) async fn package_id(twipla: &Twipla, package: &str) -> Result<PackageId> {
    match package.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(twipla.packages().find(package).await?.id),
    }
}
