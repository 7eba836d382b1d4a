//! `twipla dashboard`

use clap::Args;
use clap_complete::ArgValueCompleter;
use twipla::chrono::NaiveDate;

use super::packages::package_id;
use crate::complete;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::terminal;

/// Print the URL of a website's dashboard, or open it
///
/// The URL contains a token: anyone who has it can see the customer's data until it expires. The token is for the owner of the
/// website, unless another customer is named.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla dashboard site-7 --open
  twipla dashboard site-7 --locale de --timezone Europe/Berlin --from 2026-01-01 --to 2026-01-31")]
pub(crate) struct Dashboard {
    #[arg(add = ArgValueCompleter::new(complete::websites))]
    website: String,
    /// Customer to open it for; the owner of the website by default
    #[arg(long, add = ArgValueCompleter::new(complete::customers))]
    customer: Option<String>,
    /// Open it in the browser instead of printing the URL
    #[arg(long)]
    open: bool,
    /// Language: two letters, such as de
    #[arg(long)]
    locale: Option<String>,
    /// Time zone, such as Europe/Berlin
    #[arg(long, value_name = "NAME")]
    timezone: Option<String>,
    /// First day to show
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Last day to show
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Package that is preselected on the upgrade page
    #[arg(long, value_name = "PACKAGE", add = ArgValueCompleter::new(complete::packages))]
    upgrade_package: Option<String>,
    /// Show an upgrade button
    #[arg(long)]
    allow_upgrade: bool,
}

impl Dashboard {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let twipla = context.client().await?;
        let customer = match self.customer {
            Some(customer) => customer,
            None => twipla
                .website(self.website.as_str())
                .get()
                .await?
                .intp_customer_id
                .into(),
        };
        let mut dashboard = twipla.dashboard(customer, self.website);
        if let Some(locale) = &self.locale {
            dashboard = dashboard.locale(locale);
        }
        if let Some(timezone) = &self.timezone {
            dashboard = dashboard.timezone(timezone);
        }
        if let Some(from) = self.from {
            dashboard = dashboard.start_date(from);
        }
        if let Some(to) = self.to {
            dashboard = dashboard.end_date(to);
        }
        if let Some(package) = &self.upgrade_package {
            dashboard = dashboard.upgrade_package(package_id(&twipla, package).await?);
        }
        if self.allow_upgrade {
            dashboard = dashboard.allow_upgrade(true);
        }
        let url = dashboard.await?;
        if let Some(until) = url.expires_at() {
            terminal::note(&format!(
                "valid until {}",
                until.format("%Y-%m-%d %H:%M:%S UTC")
            ));
        }
        if !self.open {
            return context.output.text(url.as_str());
        }
        open::that(url.as_str()).map_err(|error| {
            Failure::new(
                format!("cannot open a browser: {error}"),
                "omit --open to print the URL",
            )
        })
    }
}
