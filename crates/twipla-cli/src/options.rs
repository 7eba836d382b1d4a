//! The options shared by all commands.

use anstream::ColorChoice;
use clap::{Args, ValueEnum};

use crate::output::Format;

/// Options of all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Options {
    /// Profile to use; by default that of TWIPLA_PROFILE, or of `twipla profile use`
    ///
    /// An empty name means none. The variables TWIPLA_PARTNER_ID, TWIPLA_PRIVATE_KEY, TWIPLA_PRIVATE_KEY_FILE,
    /// TWIPLA_ENVIRONMENT and TWIPLA_BASE_URL override a profile.
    #[arg(long, global = true, value_name = "NAME")]
    #[arg(add = clap_complete::ArgValueCompleter::new(crate::complete::profiles))]
    pub(crate) profile: Option<String>,

    /// Run against a temporary sandbox with a few examples
    ///
    /// Its partner uses the website model, or the account model with --sandbox=account.
    #[arg(long, global = true, value_name = "MODEL", num_args = 0..=1, require_equals = true, hide_possible_values = true)]
    #[arg(default_missing_value = "website", conflicts_with = "profile")]
    pub(crate) sandbox: Option<Model>,

    /// Output format: table, json, ndjson, csv or yaml
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "table",
        hide_possible_values = true
    )]
    pub(crate) output: Format,

    /// Show only these fields, in this order
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) fields: Option<Vec<String>>,

    /// Do not ask before destructive changes
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Timeout of each call, retries included
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout: Option<f64>,

    /// When to use colours; NO_COLOR is supported, too
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub(crate) color: Color,
}

/// A subscription model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Model {
    /// Each website has a subscription
    Website,
    /// Each customer has a subscription
    Account,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
        .write_global();
    }
}
