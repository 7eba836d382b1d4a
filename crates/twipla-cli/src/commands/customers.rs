//! `twipla customers`

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;

use super::packages::package_id;
use super::support::{self, ListOptions};
use crate::complete;
use crate::context::Context;
use crate::each::Each;
use crate::failure::Result;
use crate::output::{Column, Columns};

#[derive(Debug, Subcommand)]
pub(crate) enum Customers {
    /// List all customers
    #[command(
        after_help = "Examples:\n  twipla customers list --limit 20\n  twipla customers list -o csv --fields customer,email"
    )]
    List(ListOptions),
    /// Show one customer
    #[command(after_help = "Examples:\n  twipla customers get cust-42 -o json")]
    Get {
        #[arg(value_name = "CUSTOMER", add = ArgValueCompleter::new(complete::customers))]
        id: String,
    },
    /// Create a customer, optionally with a first website
    #[command(after_help = "Examples:
  twipla customers create cust-42 owner@example.com
  twipla customers create cust-42 owner@example.com --website site-7 --domain example.com --website-package Pro
  twipla customers create cust-42 owner@example.com --package Pro    # account model")]
    Create(Create),
    /// Delete customers with their websites
    #[command(
        after_help = "Examples:\n  twipla customers delete cust-42\n  twipla customers delete cust-42 cust-43 --yes"
    )]
    Delete {
        #[arg(value_name = "CUSTOMER", required = true, add = ArgValueCompleter::new(complete::customers))]
        ids: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The id that you choose
    #[arg(value_name = "CUSTOMER")]
    id: String,
    /// E-mail address, unique within your company
    #[arg(value_name = "EMAIL")]
    email: String,
    /// Id of a first website
    #[arg(long, requires = "domain")]
    website: Option<String>,
    /// Domain of the first website
    #[arg(long, requires = "website")]
    domain: Option<String>,
    /// Name or id of the package of that website (website model)
    #[arg(long, value_name = "PACKAGE", requires = "website", add = ArgValueCompleter::new(complete::packages))]
    website_package: Option<String>,
    /// Name or id of the package of the account (account model)
    #[arg(long, value_name = "PACKAGE", add = ArgValueCompleter::new(complete::packages))]
    package: Option<String>,
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
            title: "created",
            path: "createdAt",
        },
    ],
    others: &["id", "intpId", "visaId"],
};

const CREATED: Columns<'_> = Columns {
    shown: COLUMNS.shown,
    others: &[
        "id",
        "intpId",
        "visaId",
        "website.intpWebsiteId",
        "website.domain",
        "website.packageName",
    ],
};

impl Customers {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::List(options) => {
                let list = context.client().await?.customers().list();
                options.write(list, context, &COLUMNS).await
            }
            Self::Get { id } => {
                let customer = context.client().await?.customer(id).get().await?;
                context.output.one(&COLUMNS, &customer)
            }
            Self::Create(create) => create.run(context).await,
            Self::Delete { ids } => {
                let what = support::named("delete the customer", "delete the customers", &ids);
                let twipla = context
                    .client_to_destroy(&format!("{what} and their websites"))
                    .await?;
                let mut each = Each::default();
                for id in ids {
                    let deleted = twipla.customer(id.as_str()).delete().await;
                    each.note(&id, "deleted", support::done(deleted));
                }
                each.end()
            }
        }
    }
}

impl Create {
    async fn run(self, context: &mut Context) -> Result<()> {
        let change = format!("create the customer {}", self.id);
        let twipla = context.client_to(&change).await?;
        let mut create = twipla.customers().create(self.id, self.email);
        if let Some((website, domain)) = self.website.zip(self.domain) {
            create = create.website(website, domain);
        }
        if let Some(package) = &self.website_package {
            create = create.website_package(package_id(&twipla, package).await?);
        }
        if let Some(package) = &self.package {
            create = create.package(package_id(&twipla, package).await?);
        }
        context.output.one(&CREATED, &create.await?)
    }
}
