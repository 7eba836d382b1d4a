//! `twipla websites`

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use twipla::chrono::{DateTime, Utc};

use super::packages::package_id;
use super::support::{self, ListOptions};
use crate::complete;
use crate::context::Context;
use crate::each::Each;
use crate::failure::Result;
use crate::output::{Column, Columns};

#[derive(Debug, Subcommand)]
pub(crate) enum Websites {
    /// List all websites, or those of one customer
    #[command(after_help = "Examples:
  twipla websites list --customer cust-42
  twipla websites list -o ndjson > websites.ndjson
  twipla websites list --fields website,domain,package,status")]
    List {
        /// List only the websites of this customer
        #[arg(long, value_name = "CUSTOMER", add = ArgValueCompleter::new(complete::customers))]
        customer: Option<String>,
        #[command(flatten)]
        options: ListOptions,
    },
    /// Show one website
    #[command(after_help = "Examples:
  twipla websites get site-7
  twipla websites get --twipla-id 9f2c1d3e-0000-4000-8000-000000000000")]
    Get {
        #[arg(value_name = "WEBSITE", required_unless_present = "twipla_id", add = ArgValueCompleter::new(complete::websites))]
        id: Option<String>,
        /// Look it up by the id that TWIPLA issued
        #[arg(long, value_name = "UUID", conflicts_with = "id")]
        twipla_id: Option<String>,
    },
    /// Create a website for a customer
    #[command(after_help = "Examples:
  twipla websites create cust-42 site-7 example.com --package Pro
  twipla websites create cust-42 site-7 example.com --free-trial")]
    Create(Create),
    /// Delete websites with their data
    #[command(
        after_help = "Examples:\n  twipla websites delete site-7\n  twipla websites delete site-7 site-8 --yes"
    )]
    Delete {
        #[arg(value_name = "WEBSITE", required = true, add = ArgValueCompleter::new(complete::websites))]
        ids: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Customer to create it for
    #[arg(value_name = "CUSTOMER", add = ArgValueCompleter::new(complete::customers))]
    customer: String,
    /// The id that you choose
    #[arg(value_name = "WEBSITE")]
    id: String,
    /// Its domain
    #[arg(value_name = "DOMAIN")]
    domain: String,
    /// Name or id of its package (website model)
    #[arg(long, value_name = "PACKAGE", add = ArgValueCompleter::new(complete::packages))]
    package: Option<String>,
    /// When the first billing period starts, such as 2026-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", requires = "package")]
    billing_date: Option<DateTime<Utc>>,
    /// Start on the unlimited free trial (website model)
    #[arg(long, conflicts_with = "package")]
    free_trial: bool,
    /// Privacy level
    #[arg(long, value_name = "LEVEL")]
    privacy_level: Option<i64>,
}

pub(super) const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "website",
            path: "intpWebsiteId",
        },
        Column {
            title: "domain",
            path: "domain",
        },
        Column {
            title: "customer",
            path: "intpCustomerId",
        },
        Column {
            title: "package",
            path: "packageName",
        },
        Column {
            title: "status",
            path: "status",
        },
        Column {
            title: "expires",
            path: "expiresAt",
        },
    ],
    others: &[
        "id",
        "packageId",
        "billingInterval",
        "billingMode",
        "subscriptionType",
        "inTrial",
        "hadTrial",
        "plannedDowngradePackageName",
        "plannedDowngradePackageId",
        "plannedDowngradeBillingInterval",
        "lastPackageChangeAt",
        "stpResetAt",
        "consumption.stpConsumed",
        "consumption.stpLimit",
        "createdAt",
        "intpId",
        "visaCustomerId",
        "visaTrackingCode",
        "visaMaxPrivacyModeTrackingCode",
    ],
};

impl Websites {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::List { customer, options } => {
                let mut list = context.client().await?.websites().list();
                if let Some(customer) = customer {
                    list = list.for_customer(customer);
                }
                options.write(list, context, &COLUMNS).await
            }
            Self::Get { id, twipla_id } => {
                let twipla = context.client().await?;
                let website = match twipla_id {
                    Some(id) => twipla.websites().get_by_twipla_id(id).await?,
                    None => twipla.website(id.unwrap_or_default()).get().await?,
                };
                context.output.one(&COLUMNS, &website)
            }
            Self::Create(create) => create.run(context).await,
            Self::Delete { ids } => {
                let what = support::named("delete the website", "delete the websites", &ids);
                let twipla = context
                    .client_to_destroy(&format!("{what} and all data"))
                    .await?;
                let mut each = Each::default();
                for id in ids {
                    let deleted = twipla.website(id.as_str()).delete().await;
                    each.note(&id, "deleted", support::done(deleted));
                }
                each.end()
            }
        }
    }
}

impl Create {
    async fn run(self, context: &mut Context) -> Result<()> {
        let change = format!("create the website {}", self.id);
        let twipla = context.client_to(&change).await?;
        let mut create = twipla
            .websites()
            .create(self.customer, self.id, self.domain);
        if let Some(package) = &self.package {
            create = create.package(package_id(&twipla, package).await?);
        }
        if let Some(at) = self.billing_date {
            create = create.billing_date(at);
        }
        if let Some(level) = self.privacy_level {
            create = create.privacy_level(level);
        }
        if self.free_trial {
            create = create.unlimited_free_trial(true);
        }
        context.output.one(&COLUMNS, &create.await?)
    }
}
