//! `twipla subscription`

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use twipla::resources::PackageChange;
use twipla::types::{Subscription as Wire, Website};
use twipla::{Error, PackageId, Twipla};

use super::packages::package_id;
use super::support;
use super::websites;
use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Column, Columns};
use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum Subscription {
    /// Show the subscription of a website, or of a customer's account
    #[command(after_help = "Examples:
  twipla subscription show --website site-7
  twipla subscription show --customer cust-42    # account model: as its first website shows it")]
    Show {
        #[command(flatten)]
        owner: Owner,
    },
    /// Move to a larger package immediately
    #[command(after_help = "Examples:
  twipla subscription upgrade --website site-7 Pro
  twipla subscription upgrade --customer cust-42 Pro --pro-rate")]
    Upgrade(Upgrade),
    /// Plan a downgrade to a smaller package at the end of the period
    #[command(after_help = "Examples:\n  twipla subscription downgrade --website site-7 Basic")]
    Downgrade {
        #[command(flatten)]
        owner: Owner,
        /// Name or id
        #[arg(add = ArgValueCompleter::new(complete::packages))]
        package: String,
    },
    /// Move to another package, up or down
    #[command(after_help = "Examples:\n  twipla subscription set --website site-7 Pro")]
    Set(Upgrade),
    /// End it at the end of the period; can be revoked until then
    #[command(after_help = "Examples:\n  twipla subscription cancel --website site-7")]
    Cancel {
        #[command(flatten)]
        owner: Owner,
    },
    /// Revoke a cancellation
    #[command(after_help = "Examples:\n  twipla subscription resume --website site-7")]
    Resume {
        #[command(flatten)]
        owner: Owner,
    },
    /// End it immediately; for an account this deletes the customer with all websites
    #[command(after_help = "Examples:\n  twipla subscription deactivate --website site-7 --yes")]
    Deactivate {
        #[command(flatten)]
        owner: Owner,
    },
}

/// The owner of the subscription.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Owner {
    /// Of a website (website model)
    #[arg(long, add = ArgValueCompleter::new(complete::websites))]
    website: Option<String>,
    /// Of a customer's account (account model)
    #[arg(long, add = ArgValueCompleter::new(complete::customers))]
    customer: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    #[command(flatten)]
    owner: Owner,
    /// Name or id
    #[arg(add = ArgValueCompleter::new(complete::packages))]
    package: String,
    /// Start the upgrade with a trial
    #[arg(long)]
    trial: bool,
    /// Charge only the rest of the period
    #[arg(long)]
    pro_rate: bool,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "package",
            path: "packageId",
        },
        Column {
            title: "status",
            path: "status",
        },
        Column {
            title: "interval",
            path: "billingInterval",
        },
        Column {
            title: "trial",
            path: "inTrial",
        },
        Column {
            title: "expires",
            path: "expiresAt",
        },
        Column {
            title: "planned downgrade",
            path: "plannedDowngradePackageId",
        },
    ],
    others: &[
        "id",
        "type",
        "hadTrial",
        "websiteId",
        "intpcId",
        "intpId",
        "createdAt",
        "lastPackageChangeAt",
        "stpResetAt",
        "consumption.stpConsumed",
        "consumption.stpLimit",
    ],
};

/// The subscription, as the crate `twipla` addresses it.
enum Target {
    Website(String),
    Customer(String),
}

impl Owner {
    fn target(self) -> Target {
        match self.website {
            Some(website) => Target::Website(website),
            None => Target::Customer(self.customer.unwrap_or_default()),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Website(id) => write!(f, "the website {id}"),
            Self::Customer(id) => write!(f, "the account of {id}"),
        }
    }
}

impl Subscription {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Show { owner } => {
                let twipla = context.client().await?;
                let website = shown_by(&twipla, &owner.target()).await?;
                context.output.one(&websites::COLUMNS, &website)
            }
            Self::Upgrade(upgrade) => upgrade.run(context).await,
            Self::Set(set) => set.run_either_way(context).await,
            Self::Downgrade { owner, package } => {
                let target = owner.target();
                let change = format!("downgrade {target} to {package}");
                let twipla = context.client_to(&change).await?;
                let package = package_id(&twipla, &package).await?;
                let changed = match &target {
                    Target::Website(id) => {
                        twipla.website(id).subscription().downgrade(package).await
                    }
                    Target::Customer(id) => {
                        twipla.customer(id).subscription().downgrade(package).await
                    }
                };
                write(context, changed.map(Some))
            }
            Self::Cancel { owner } => {
                let target = owner.target();
                let change = format!("cancel the subscription of {target}");
                let twipla = context.client_to(&change).await?;
                let changed = match &target {
                    Target::Website(id) => twipla.website(id).subscription().cancel().await,
                    Target::Customer(id) => twipla.customer(id).subscription().cancel().await,
                };
                write(context, changed.map(Some))
            }
            Self::Resume { owner } => {
                let target = owner.target();
                let change = format!("resume the subscription of {target}");
                let twipla = context.client_to(&change).await?;
                let changed = match &target {
                    Target::Website(id) => twipla.website(id).subscription().resume().await,
                    Target::Customer(id) => twipla.customer(id).subscription().resume().await,
                };
                write(context, changed.map(Some))
            }
            Self::Deactivate { owner } => {
                let target = owner.target();
                let change = match &target {
                    Target::Website(_) => format!("end the subscription of {target} immediately"),
                    Target::Customer(_) => format!("end and delete {target} with all websites"),
                };
                let twipla = context.client_to_destroy(&change).await?;
                let changed = match &target {
                    Target::Website(id) => twipla
                        .website(id)
                        .subscription()
                        .deactivate()
                        .await
                        .map(Some),
                    Target::Customer(id) => twipla.customer(id).subscription().deactivate().await,
                };
                write(context, changed)
            }
        }
    }
}

impl Upgrade {
    async fn run(self, context: &mut Context) -> Result<()> {
        let target = self.owner.target();
        let change = format!("upgrade {target} to {}", self.package);
        let twipla = context.client_to(&change).await?;
        let package = package_id(&twipla, &self.package).await?;
        let upgrade = match &target {
            Target::Website(id) => twipla.website(id).subscription().upgrade(package),
            Target::Customer(id) => twipla.customer(id).subscription().upgrade(package),
        };
        let changed = upgrade.trial(self.trial).pro_rate(self.pro_rate).await;
        write(context, changed.map(Some))
    }

    async fn run_either_way(self, context: &mut Context) -> Result<()> {
        let target = self.owner.target();
        let change = format!("move {target} to {}", self.package);
        let twipla = context.client_to(&change).await?;
        let package: PackageId = package_id(&twipla, &self.package).await?;
        let moved = match &target {
            Target::Website(id) => twipla.website(id).subscription().change_to(package),
            Target::Customer(id) => twipla.customer(id).subscription().change_to(package),
        };
        let moved = moved.trial(self.trial).pro_rate(self.pro_rate).await;
        terminal::note(match &moved {
            Ok(PackageChange::Upgraded(_)) => "upgraded",
            Ok(PackageChange::DowngradePlanned(_)) => "the downgrade is planned",
            Ok(PackageChange::Resumed(_)) => "the cancellation is revoked",
            Ok(PackageChange::Unchanged) => "nothing to do",
            _ => "",
        });
        write(context, moved.map(|moved| moved.subscription().cloned()))
    }
}

/// Writes the subscription after a change. If the call failed but the change is active, there is none to write.
fn write(context: &mut Context, changed: std::result::Result<Option<Wire>, Error>) -> Result<()> {
    match changed {
        Ok(Some(subscription)) => context.output.one(&COLUMNS, &subscription),
        Ok(None) => Ok(()),
        Err(error) if support::is_in_force(&error) => {
            terminal::note(&format!("done, as read back after this failure: {error}"));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the website that shows a subscription: of an account, the first of its websites.
async fn shown_by(twipla: &Twipla, target: &Target) -> Result<Website> {
    match target {
        Target::Website(id) => Ok(twipla.website(id).get().await?),
        Target::Customer(id) => {
            let page = twipla.customer(id).websites().page_size(1).await?;
            page.items.into_iter().next().ok_or_else(|| {
                Failure::new(
                    format!("cannot read the subscription: {target} has no website that shows it"),
                    "check the id with `twipla customers list`, or create a website",
                )
                .with_exit(Exit::NotFound)
            })
        }
    }
}
