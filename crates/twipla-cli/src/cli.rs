//! The arguments shared by the whole program.

use clap::Parser;

use crate::commands::Command;
use crate::exit::EXIT_CODES;
use crate::options::Options;

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Collects the examples in the help of a command and its subcommands.
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
    fn every_example_in_the_help_parses() {
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
