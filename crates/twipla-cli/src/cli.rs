//! The arguments: what all commands share.

use anstream::ColorChoice;
use clap::{Args, Parser, ValueEnum};

use crate::commands::Command;
use crate::exit::EXIT_CODES;
use crate::output::Format;

/// The TWIPLA 3AS API on the command line
///
/// Data goes to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "twipla", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  twipla --sandbox customers list                  # no account needed
  twipla profile add shop --partner 7128840a-5347-49a4-8dfa-9022d8dad21a --key-file partner.key
  twipla auth check
  twipla websites list --customer cust-42 -o csv
  twipla subscription upgrade --website site-7 Pro --trial";

/// Options of all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Options {
    /// Profile to use; the default is set by `twipla profile use`
    ///
    /// Empty for none. The variables TWIPLA_PARTNER_ID, TWIPLA_PRIVATE_KEY, TWIPLA_PRIVATE_KEY_FILE,
    /// TWIPLA_ENVIRONMENT and TWIPLA_BASE_URL win over a profile.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "TWIPLA_PROFILE",
        hide_env_values = true
    )]
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The examples in the help of a command and of those below it.
    fn collect(command: &mut clap::Command, found: &mut Vec<String>) {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let examples = help.split("Examples:\n").nth(1).unwrap_or_default();
        found.extend(
            examples
                .lines()
                .map_while(|line| line.strip_prefix("  "))
                .map(str::to_owned),
        );
        for below in command.get_subcommands_mut() {
            collect(below, found);
        }
    }

    #[test]
    fn every_example_in_the_help_is_right() {
        let mut found = Vec::new();
        let mut command = Cli::command();
        command.build();
        collect(&mut command, &mut found);
        let mut tried = 0;
        for line in found
            .iter()
            .filter_map(|line| line.rsplit("| ").find(|part| part.contains("twipla ")))
        {
            let line = line
                .split(" > ")
                .next()
                .and_then(|line| line.split(" >> ").next())
                .unwrap();
            let line = line.split("    # ").next().unwrap();
            let words = shlex::split(line).unwrap();
            if words[0] == "twipla" {
                let parsed = Cli::try_parse_from(&words);
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
                tried += 1;
            }
        }
        assert!(tried > 60, "{tried}");
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
