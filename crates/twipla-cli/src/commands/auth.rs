//! `twipla auth`

use clap::Subcommand;
use serde::Serialize;
use twipla::chrono::Utc;

use crate::context::Context;
use crate::failure::Result;
use crate::output::{Column, Columns};

#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Mint a token, ask the server who it is for, and compare the clocks
    #[command(
        after_help = "Examples:\n  twipla auth check\n  twipla auth check --profile shop -o json"
    )]
    Check,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "partner",
            path: "partner",
        },
        Column {
            title: "name",
            path: "name",
        },
        Column {
            title: "server",
            path: "server",
        },
        Column {
            title: "model",
            path: "model",
        },
        Column {
            title: "billing",
            path: "billing",
        },
        Column {
            title: "server clock ahead (s)",
            path: "clockDifferenceSeconds",
        },
        Column {
            title: "token until",
            path: "tokenExpiresAt",
        },
    ],
    others: &[],
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    partner: String,
    name: String,
    server: String,
    model: String,
    billing: String,
    /// How far the server is ahead; `None` if it does not send its time.
    clock_difference_seconds: Option<i64>,
    token_expires_at: String,
}

impl Auth {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let Self::Check = self;
        let twipla = context.client().await?;
        let company = twipla.company_details().await?;
        let time = twipla.server_time().await?;
        // The header is truncated to whole seconds.
        let difference = time.map(|time| (time - Utc::now()).num_seconds());
        let check = Check {
            partner: company.id.to_string(),
            name: company.name,
            server: twipla.base_url().to_string(),
            model: match company.subscription_type.as_str() {
                "intpc" => "account".into(),
                other => other.into(),
            },
            billing: company.billing_mode.to_string(),
            clock_difference_seconds: difference,
            token_expires_at: twipla.partner_token().await?.expires_at().to_rfc3339(),
        };
        context.output.one(&COLUMNS, &check)
    }
}
