//! The options that all commands share.

use anstream::ColorChoice;
use clap::{Args, ValueEnum};

use crate::output::Format;

/// Options of all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Options {
    /// Profile to use; else that of TWIPLA_PROFILE, or of `twipla profile use`
    ///
    /// Empty for none. The variables TWIPLA_PARTNER_ID, TWIPLA_PRIVATE_KEY, TWIPLA_PRIVATE_KEY_FILE,
    /// TWIPLA_ENVIRONMENT and TWIPLA_BASE_URL win over a profile.
    #[arg(long, global = true, value_name = "NAME")]
    #[arg(add = clap_complete::ArgValueCompleter::new(crate::complete::profiles))]
    pub(crate) profile: Option<String>,

    /// Run against a server of its own with a few examples in it, which ends with the command
    ///
    /// Its partner is under the website model, or with --sandbox=account under the account model.
    #[arg(long, global = true, value_name = "MODEL", num_args = 0..=1, require_equals = true, hide_possible_values = true)]
    #[arg(default_missing_value = "website", conflicts_with = "profile")]
    pub(crate) sandbox: Option<Model>,

    /// table, json, ndjson, csv or yaml
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "table",
        hide_possible_values = true
    )]
    pub(crate) output: Format,

    /// Only these fields, in this order
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) fields: Option<Vec<String>>,

    /// Do what destroys something without asking
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// How long each call may take in all, retries included
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout: Option<f64>,

    /// Whether to use colours; NO_COLOR works, too
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
    /// Each customer has one
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
